"""Statements over the store: what a month costs, closed months that do not change, files that parse."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pypdf
import pytest
from sqlalchemy import delete, func, select, update

from mission_control_tui.model.accounts.editing import create_account, edit_account
from mission_control_tui.model.billing import statements
from mission_control_tui.model.billing.charges import LineKind
from mission_control_tui.model.billing.months_due import months_due
from mission_control_tui.model.billing.statement_files import as_csv, content, write
from mission_control_tui.model.billing.statement_pdf import LOST
from mission_control_tui.model.billing.statement_text import text_lines
from mission_control_tui.model.caller import Caller
from mission_control_tui.model.errors import Denied, InvalidInput, NotFound, UsageError
from mission_control_tui.model.history import audit_log
from mission_control_tui.model.money import Money
from mission_control_tui.model.orders.approval import cancel_order, set_approval_limit
from mission_control_tui.model.orders.buying import buy
from mission_control_tui.model.orders.queries import list_orders
from mission_control_tui.model.orders.removing import remove
from mission_control_tui.model.states import RequestKind
from mission_control_tui.model.store.database import Store
from mission_control_tui.model.store.scope import AccountScope
from mission_control_tui.model.store.tables.accounts import AccountRow
from mission_control_tui.model.store.tables.billing import StatementRow
from mission_control_tui.model.store.tables.orders import OrderLineRow, OrderRow
from mission_control_tui.model.store.tables.services import SeatHoldRow, SeatPoolRow
from mission_control_tui.model.users import provisioning as provision
from mission_control_tui.model.users.actions.params import ActionParams
from mission_control_tui.model.views import Account
from tests.model.helpers import create, finish, named

MAY = datetime(2026, 5, 20, 12, tzinfo=UTC)
JUNE = datetime(2026, 6, 20, 12, tzinfo=UTC)
JULY = datetime(2026, 7, 2, 12, tzinfo=UTC)


async def in_may(store: Store, caller: Caller, account: Account, quantity: int = 5) -> None:
    """The account began in May and bought mailboxes then."""
    await buy(AccountScope(store, caller, account.id), "email", level="popx", quantity=quantity)
    async with store.write(caller, account.id) as tx:
        await tx.session.execute(update(AccountRow).values(created_at=MAY - timedelta(days=3)))
        await tx.session.execute(update(OrderRow).values(placed_at=MAY))


async def test_a_month_has_its_orders_and_the_next_their_renewal(
    store: Store, caller: Caller, account: Account, scope: AccountScope
) -> None:
    await in_may(store, caller, account)
    may = await statements.statement(scope, "2026-05", now=MAY)
    assert may.closed_at is None
    (line,) = may.lines
    assert (line.kind, line.quantity, line.net) == (LineKind.ORDER, 5, Money(1500, "AUD"))
    (each,) = may.sums
    assert (each.net, each.tax, each.total) == tuple(
        Money(minor, "AUD") for minor in (1500, 150, 1650)
    )
    june = await statements.statement(scope, now=JUNE)
    (line,) = june.lines
    assert (june.period, line.kind, line.total) == ("2026-06", LineKind.RENEWAL, Money(1650, "AUD"))
    assert "POPX" in line.label


async def test_a_month_that_is_over_is_kept_and_does_not_change(
    store: Store, caller: Caller, account: Account, scope: AccountScope
) -> None:
    await in_may(store, caller, account)
    first = await statements.statement(scope, "2026-05", now=JUNE)
    assert first.closed_at is not None
    await edit_account(scope, version=account.version, name="Another Name Ltd")
    async with store.write(caller, account.id) as tx:
        await tx.session.execute(update(OrderRow).values(state="declined"))
    again = await statements.statement(scope, "2026-05", now=JULY)
    assert again == first
    assert (await statements.statement(scope, "2026-06", now=JUNE)).lines == ()
    entries = await audit_log.entries(scope, action="close statement")
    assert [(one.target, one.operator) for one in entries] == [("2026-05", "worker")]


async def test_the_worker_closes_what_is_over_once(
    store: Store, caller: Caller, account: Account, scope: AccountScope
) -> None:
    await in_may(store, caller, account)
    assert await months_due(store, now=MAY) == ()
    due = await months_due(store, now=JULY)
    assert due == ((account.id, "2026-05"), (account.id, "2026-06"))
    for one in (*due, *due):
        await statements.close_month(store, *one)
    assert await months_due(store, now=JULY) == ()
    heads = await statements.list_statements(scope, now=JULY)
    assert [(one.period, one.closed_at is None) for one in heads] == [
        ("2026-07", True),
        ("2026-06", False),
        ("2026-05", False),
    ]
    async with store.read() as session:
        assert await session.scalar(select(func.count()).select_from(StatementRow)) == 2


async def test_a_month_ends_by_the_clock_of_the_account(store: Store, caller: Caller) -> None:
    made = await create_account(
        store, caller, name="Far", code="far", time_zone="Pacific/Kiritimati"
    )
    account = made.result
    await buy(AccountScope(store, caller, account.id), "email", level="popx", quantity=1)
    async with store.write(caller, account.id) as tx:
        late = datetime(2026, 5, 31, 12, tzinfo=UTC)
        await tx.session.execute(update(AccountRow).values(created_at=late))
        await tx.session.execute(update(OrderRow).values(placed_at=late))
    june = await statements.statement(AccountScope(store, caller, account.id), now=late)
    assert (june.period, len(june.lines)) == ("2026-06", 1)
    with pytest.raises(NotFound, match="began in 2026-06"):
        await statements.statement(AccountScope(store, caller, account.id), "2026-05", now=late)


@pytest.mark.any_database
async def test_seats_of_test_users_are_left_out_and_named(
    store: Store, caller: Caller, account: Account, scope: AccountScope
) -> None:
    await in_may(store, caller, account)
    for local, test in (("tess", True), ("norm", False)):
        user = await create(store, caller, account, named(local, test_user=test))
        wanted = [ActionParams("managed-exchange", "popx")]
        await provision.provision(scope, user.id, wanted)
    may = await statements.statement(scope, now=MAY)
    (line,) = may.lines
    assert (line.quantity, line.not_billed, line.net) == (5, 1, Money(1200, "AUD"))
    assert may.test_users == ("tess@acme.example",)
    text = "\n".join(text_lines(may))
    assert "4 x 3.00 (1 not billed)" in text
    assert "Not billed: 1 seat held by test users (tess@acme.example)." in text


@pytest.mark.any_database
async def test_orders_that_wait_cost_nothing_and_are_said(
    store: Store, caller: Caller, account: Account, scope: AccountScope
) -> None:
    await set_approval_limit(scope, Money(100, "AUD"))
    await in_may(store, caller, account)
    may = await statements.statement(scope, now=MAY)
    assert (may.lines, may.awaiting_approval) == ((), 1)
    assert may.sums[0].total == Money(0, "AUD")
    assert "Not in it: 1 order that waits for approval." in text_lines(may)


@pytest.mark.any_database
async def test_what_was_removed_is_not_renewed(
    store: Store, caller: Caller, account: Account, scope: AccountScope
) -> None:
    await in_may(store, caller, account)
    await remove(scope, "email", level="popx", quantity=2)
    async with store.write(caller, account.id) as tx:
        await tx.session.execute(
            update(OrderRow).where(OrderRow.kind == "removal").values(placed_at=MAY)
        )
    june = await statements.statement(scope, now=JUNE)
    assert [line.quantity for line in june.lines] == [3]


async def test_an_earlier_month_is_closed_by_the_worker_though_a_later_one_was_asked_for(
    store: Store, caller: Caller, account: Account, scope: AccountScope
) -> None:
    await in_may(store, caller, account)
    await statements.statement(scope, "2026-06", now=JULY)
    assert await months_due(store, now=JULY) == ((account.id, "2026-05"),)


@pytest.mark.parametrize(
    ("zones", "kept", "due"),
    [
        # It began on the last of May in UTC, on the first of June in Sydney.
        (("UTC", "Australia/Sydney"), ("2026-05", "2026-06"), ["2026-07"]),
        (("Australia/Sydney", "UTC"), ("2026-06",), ["2026-05", "2026-07"]),
    ],
)
async def test_no_month_is_missed_once_the_account_has_another_time_zone(
    store: Store,
    caller: Caller,
    account: Account,
    zones: tuple[str, str],
    kept: Sequence[str],
    due: Sequence[str],
) -> None:
    began, now = datetime(2026, 5, 31, 20, tzinfo=UTC), datetime(2026, 8, 2, tzinfo=UTC)
    before, after = zones
    async with store.write(caller, account.id) as tx:
        await tx.session.execute(update(AccountRow).values(created_at=began, time_zone=before))
    for month in kept:
        await statements.close_month(store, account.id, month)
    async with store.write(caller, account.id) as tx:
        await tx.session.execute(update(AccountRow).values(time_zone=after))
    assert await months_due(store, now=now) == tuple((account.id, month) for month in due)


@pytest.mark.parametrize("month", ["2026-13", "may", "2026-5", "2026-07"])
@pytest.mark.any_database
async def test_what_is_no_month_is_refused(scope: AccountScope, month: str) -> None:
    with pytest.raises(InvalidInput, match="month"):
        await statements.statement(scope, month, now=JUNE)


@pytest.mark.any_database
async def test_somebody_elses_statement_is_denied(
    store: Store, caller: Caller, account: Account
) -> None:
    stranger = replace(caller, accounts=frozenset({account.id + 1}))
    with pytest.raises(Denied):
        await statements.statement(AccountScope(store, stranger, account.id))


async def named_statement(
    store: Store, caller: Caller, account: Account, name: str
) -> statements.Statement:
    await in_may(store, caller, account)
    async with store.write(caller, account.id) as tx:
        await tx.session.execute(update(AccountRow).values(name=name))
    return await statements.statement(AccountScope(store, caller, account.id), now=MAY)


def pdf_text(one: statements.Statement) -> str:
    reader = pypdf.PdfReader(io.BytesIO(content(one, "pdf")), strict=True)
    return "\n".join(page.extract_text() for page in reader.pages)


@pytest.mark.any_database
async def test_the_pdf_parses_and_shows_names_of_other_scripts(
    store: Store, caller: Caller, account: Account
) -> None:
    one = await named_statement(store, caller, account, "Жанна & Ωμέγα 株式会社 한국 Łódź")
    text = pdf_text(one)
    for word in ("Жанна", "Ωμέγα", "株式会社", "한국", "Łódź", "5 x 3.00", "AUD 16.50", "2026-05"):
        assert word in text
    assert LOST not in text
    assert content(one, "pdf") == content(one, "pdf")
    hebrew = pdf_text(replace(one, account_name="שלום"))
    assert "????" in hebrew
    assert LOST in hebrew


@pytest.mark.any_database
async def test_a_long_pdf_has_as_many_pages_as_it_needs(
    store: Store, caller: Caller, account: Account
) -> None:
    one = await named_statement(store, caller, account, "W" * 200)
    (line,) = one.lines
    long = replace(one, lines=(replace(line, label="界" * 200),) * 45)
    reader = pypdf.PdfReader(io.BytesIO(content(long, "pdf")), strict=True)
    assert len(reader.pages) > 3
    assert "page 3" in reader.pages[2].extract_text()


@pytest.mark.any_database
async def test_the_csv_adds_up_and_no_cell_is_evaluated(
    store: Store, caller: Caller, account: Account
) -> None:
    one = await named_statement(store, caller, account, "x")
    (line,) = one.lines
    one = replace(one, lines=(replace(line, label="=cmd|' /C calc'!A0\x1b[2J"),))
    rows = list(csv.DictReader(io.StringIO(as_csv(one))))
    assert [row["kind"] for row in rows] == ["order", "total"]
    assert rows[0]["what"].startswith("'=cmd")
    assert "\x1b" not in as_csv(one)
    assert (rows[0]["total"], rows[1]["total"]) == ("16.50", "16.50")


@pytest.mark.any_database
async def test_a_file_is_written_once_and_privately(
    store: Store, caller: Caller, account: Account, tmp_path: Path
) -> None:
    one = await named_statement(store, caller, account, "x")
    for ending, start in ((".pdf", b"%PDF"), (".csv", b"month"), (".txt", b"Statement 2026-05")):
        path = write(one, tmp_path / f"may{ending}")
        assert path.read_bytes().startswith(start)
        assert path.stat().st_mode & 0o777 == 0o600
    with pytest.raises(UsageError, match="is there already"):
        write(one, tmp_path / "may.pdf")
    with pytest.raises(InvalidInput, match="ending"):
        write(one, tmp_path / "may.doc")
    with pytest.raises(UsageError, match="cannot be written"):
        write(one, tmp_path / "none" / "may.pdf")


@pytest.mark.any_database
async def test_a_mistaken_order_is_credited_with_its_reason(scope: AccountScope) -> None:
    meant = (await buy(scope, "email", level="popx", quantity=20)).result
    order = (await buy(scope, "email", level="popx", quantity=200)).result
    tried = await cancel_order(scope, order.id, "200 for 20", dry_run=True)
    assert tried.plan.total == Money(-66000, "AUD")
    await cancel_order(scope, order.id, "200 for 20")
    month = await statements.statement(scope)
    credit = month.lines[-1]
    assert (credit.kind, credit.quantity, credit.total) == (
        LineKind.CREDIT,
        200,
        Money(-66000, "AUD"),
    )
    assert f"order {order.id} taken back (200 for 20)" in credit.label
    assert month.sums[0].total == meant.total
    assert "-AUD 660.00" in as_csv(month) or "-660.00" in as_csv(month)
    assert "-660.00" in "\n".join(text_lines(month))
    last = await audit_log.entries(scope, limit=5)
    assert any(entry.after.get("reason") == "200 for 20" for entry in last)


@pytest.mark.any_database
async def test_without_a_credit_it_stays_on_the_statement(scope: AccountScope) -> None:
    order = (await buy(scope, "email", level="popx", quantity=2)).result
    await cancel_order(scope, order.id, credit=False)
    assert [line.kind for line in (await statements.statement(scope)).lines] == [LineKind.ORDER]


@pytest.mark.any_database
async def test_the_credit_for_an_order_of_a_closed_month_stands_in_the_open_one(
    store: Store, caller: Caller, account: Account, scope: AccountScope
) -> None:
    now = datetime.now(UTC)
    before = now.replace(day=1) - timedelta(days=1)
    order = (await buy(scope, "email", level="popx", quantity=5, term=None)).result
    async with store.write(caller, account.id) as tx:
        await tx.session.execute(
            update(AccountRow).values(created_at=before - timedelta(days=3), time_zone="UTC")
        )
        await tx.session.execute(update(OrderRow).values(placed_at=before))
        await tx.session.execute(update(OrderLineRow).values(term_months=12))
    user = await create(store, caller, account, named("tess", test_user=True))
    await provision.provision(scope, user.id, [ActionParams("managed-exchange", "popx")])
    month = f"{before:%Y-%m}"
    closed = await statements.statement(scope, month)
    assert closed.sums[0].net == Money(1200, "AUD"), "a seat is a test user's"
    await provision.change_wish(scope, user.id, "managed-exchange", RequestKind.DEPROVISION)
    await finish(store, caller, account)
    async with store.write(caller, account.id) as tx:
        await tx.session.execute(delete(SeatHoldRow))
        await tx.session.execute(update(SeatPoolRow).values(held=0))
    await cancel_order(scope, order.id, "not wanted")
    assert await statements.statement(scope, month) == closed
    (credit,) = (await statements.statement(scope)).lines
    assert (credit.kind, credit.net) == (LineKind.CREDIT, Money(-1200, "AUD"))


@pytest.mark.any_database
async def test_an_order_whose_term_is_over_is_removed_without_a_credit(
    store: Store, caller: Caller, account: Account, scope: AccountScope
) -> None:
    await in_may(store, caller, account)
    async with store.write(caller, account.id) as tx:
        await tx.session.execute(
            update(OrderRow).values(placed_at=datetime.now(UTC) - timedelta(days=40))
        )
    (order,) = await list_orders(scope)
    done = await cancel_order(scope, order.id)
    assert any("Nothing is credited" in warning for warning in done.plan.warnings)
