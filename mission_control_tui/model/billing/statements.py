"""Monthly statements: the open month as it stands, closed months as they were kept, and closing them.

A month that is over is kept when it is closed: by the worker soon after its end, or when somebody who may make changes
first asks for it. From then on its statement never changes. Who is a test user, and the price of renewals, are those of
that moment.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, tzinfo
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from mission_control_tui.model.audit_actions import AuditAction
from mission_control_tui.model.billing.charges import (
    Credit,
    LineKind,
    StatementLine,
    Sums,
    charges,
    sums,
)
from mission_control_tui.model.billing.months_due import database_now
from mission_control_tui.model.billing.periods import (
    MONTHS,
    month_number,
    period_of,
    periods,
)
from mission_control_tui.model.billing.trades import (
    pricing,
    test_seats_of,
    traded,
)
from mission_control_tui.model.caller import WORKER
from mission_control_tui.model.catalogue.in_force import in_force
from mission_control_tui.model.catalogue.prices import tax_label
from mission_control_tui.model.dates import zone_of
from mission_control_tui.model.domains.ownership import locked_account
from mission_control_tui.model.errors import InvalidInput, NotFound, Problem
from mission_control_tui.model.money import Money
from mission_control_tui.model.plan import PlanVerb
from mission_control_tui.model.store import trusted_clock
from mission_control_tui.model.store.database import Store
from mission_control_tui.model.store.retry import retries_on_conflict
from mission_control_tui.model.store.scope import AccountScope
from mission_control_tui.model.store.tables.accounts import AccountRow
from mission_control_tui.model.store.tables.billing import StatementRow
from mission_control_tui.model.store.tables.orders import OrderLineRow, OrderRow

_PERIOD = re.compile(r"(\d{4})-(0[1-9]|1[0-2])")


@dataclass(frozen=True, slots=True)
class Statement:
    """What an account pays for one month ("2026-11", in its time zone). `closed_at` is None while the month runs.

    It is None, and `is_over` True, for a month that a read-only caller asked for before it was closed.
    `sums` has one entry for each currency, at least one. `test_users` name who holds seats that are not billed, at most
    `NAMED` of them; `awaiting_approval` orders are not in it.
    """

    account_code: str
    account_name: str
    period: str
    time_zone: str
    tax_label: str
    prices_are_examples: bool
    closed_at: datetime | None
    lines: tuple[StatementLine, ...]
    sums: tuple[Sums, ...]
    test_users: tuple[str, ...]
    test_seats: int
    awaiting_approval: int
    is_over: bool = False


@dataclass(frozen=True, slots=True)
class StatementHead:
    """A month that has a statement. `closed_at` is None where it runs, or was not asked for since it ended."""

    period: str
    closed_at: datetime | None


async def statement(
    scope: AccountScope, period: str | None = None, *, now: datetime | None = None
) -> Statement:
    """Return the statement of a month, "2026-11" (the running one where None); one that is over is closed by asking.

    A read-only caller closes nothing, and nobody does while the clock is doubted: such a month is shown as it would be
    closed now.
    Raises InvalidInput for what is no month or lies ahead, NotFound for one before the account was made.
    """
    async with scope.store.read() as session:
        row = await scope.row(session)
        moment = now or await database_now(session)
        running = period_of(moment, zone_of(row.time_zone))
        wanted = period or running
        _check_period(row, wanted, running)
        if wanted == running:
            return await _draft(session, row, wanted)
        kept = await _kept(session, row.id, wanted)
        if kept is not None:
            return kept
        if not scope.caller.may_write or (await trusted_clock.state(session)).doubt:
            return await _draft(session, row, wanted, is_over=True)
    return await close_month(scope.store, row.id, wanted)


async def list_statements(
    scope: AccountScope, *, now: datetime | None = None
) -> tuple[StatementHead, ...]:
    """Return the months since the account was made, the running one first."""
    async with scope.store.read() as session:
        row = await scope.row(session)
        zone = zone_of(row.time_zone)
        kept = select(StatementRow.period, StatementRow.closed_at)
        rows = await session.execute(kept.where(StatementRow.account_id == row.id))
        closed = dict(rows.all())
        first, last = period_of(row.created_at, zone), period_of(now or datetime.now(UTC), zone)
    return tuple(
        StatementHead(period, closed.get(period)) for period in reversed(periods(first, last))
    )


def _check_period(row: AccountRow, wanted: str, running: str) -> None:
    if not _PERIOD.fullmatch(wanted):
        problem = Problem("month", "it is not a month", "as in 2026-11")
        raise InvalidInput("There is no such statement.", problems=[problem])
    if wanted > running:
        problem = Problem("month", f"{wanted} has not begun", f"this is {running}")
        raise InvalidInput("There is no such statement.", problems=[problem])
    first = period_of(row.created_at, zone_of(row.time_zone))
    if wanted < first:
        raise NotFound(f"Account {row.code} has no statement of {wanted}: it began in {first}.")


@retries_on_conflict
async def close_month(store: Store, account_id: int, period: str) -> Statement:
    """Keep the statement of a month that is over, once; the one that is kept comes back."""
    async with store.write(WORKER, account_id) as tx:
        row = await locked_account(tx, account_id)
        kept = await _kept(tx.session, account_id, period)
        if kept is not None:
            return kept
        draft = await _draft(tx.session, row, period, closed_at=tx.now, is_over=True)
        await tx.session.execute(
            insert(StatementRow).values(
                account_id=account_id,
                period=period,
                document=_document(draft),
                closed_at=tx.now,
            )
        )
        tx.record(
            PlanVerb.CREATED,
            "statement",
            period,
            after={"total": ", ".join(str(amounts.total) for amounts in draft.sums)},
            action=AuditAction.CLOSE_STATEMENT,
        )
        return draft


async def _kept(session: AsyncSession, account_id: int, period: str) -> Statement | None:
    row = await session.scalar(
        select(StatementRow).where(
            StatementRow.account_id == account_id, StatementRow.period == period
        )
    )
    return None if row is None else _statement(row.document, row.closed_at)


async def _draft(
    session: AsyncSession,
    row: AccountRow,
    period: str,
    *,
    closed_at: datetime | None = None,
    is_over: bool = False,
) -> Statement:
    catalogue = (await in_force(session)).catalogue
    zone = zone_of(row.time_zone)
    year, month = divmod(month_number(period), MONTHS)
    test_seats, test_users = await test_seats_of(session, row.id)
    bought, given_back, waiting = await traded(session, row.id, catalogue, zone, period)
    lines = charges(
        (year, month + 1),
        bought,
        given_back,
        test_seats,
        pricing(catalogue),
        await _credits(session, row, zone, period),
    )
    nothing = Money(0, catalogue.currency)
    return Statement(
        account_code=row.code,
        account_name=row.name,
        period=period,
        time_zone=row.time_zone,
        tax_label=tax_label(catalogue),
        prices_are_examples=catalogue.prices_are_examples,
        closed_at=closed_at,
        lines=lines,
        sums=sums(lines) or (Sums(nothing, nothing),),
        test_users=test_users,
        test_seats=sum(test_seats.values()),
        awaiting_approval=waiting,
        is_over=is_over,
    )


async def _credits(
    session: AsyncSession, row: AccountRow, zone: tzinfo, period: str
) -> list[Credit]:
    """Return the credits of the month. What a purchase of an earlier month was charged is what its statement says."""
    taken_back = aliased(OrderRow)
    rows = await session.execute(
        select(OrderRow, OrderLineRow, taken_back)
        .join(OrderLineRow, OrderLineRow.order_id == OrderRow.id)
        .join(taken_back, taken_back.id == OrderRow.returns_id)
        .where(OrderRow.account_id == row.id, OrderRow.total_minor < 0)
        .order_by(OrderRow.id)
    )
    found: list[Credit] = []
    for order, line, purchase in rows.all():
        if period_of(order.placed_at, zone) != period:
            continue
        credit = Credit(
            order_id=order.id,
            at=order.placed_at.astimezone(zone),
            returns=purchase.id,
            label=f"{line.label}: order {purchase.id} taken back ({order.reason})",
            quantity=line.quantity,
            unit=Money(line.unit_minor, order.currency),
        )
        own = period_of(purchase.decided_at or purchase.placed_at, zone)
        if own != period:
            charged = await _kept(session, row.id, own) or await _draft(session, row, own)
            lines = [line for line in charged.lines if line.order_id == purchase.id]
            nothing = Money(0, order.currency)
            credit = replace(
                credit,
                net=sum((line.net for line in lines), nothing),
                tax=sum((line.tax for line in lines), nothing),
            )
        found.append(credit)
    return found


def _document(draft: Statement) -> dict[str, Any]:
    """Return the statement as it is kept: plain values, amounts as [minor, currency], sums as [net, tax]."""

    def shaped(attributes: list[tuple[str, Any]]) -> Any:
        named = dict(attributes)
        is_list = named.keys() in ({"minor", "currency"}, {"net", "tax"})
        return list(named.values()) if is_list else named

    document: dict[str, Any] = asdict(draft, dict_factory=shaped)
    # The row has the one, and whatever is kept is over.
    del document["closed_at"], document["is_over"]
    return document


def _statement(document: Mapping[str, Any], closed_at: datetime) -> Statement:
    lines = tuple(
        StatementLine(
            **{
                **line,
                "kind": LineKind(line["kind"]),
                **{name: Money(*line[name]) for name in ("unit", "net", "tax")},
            }
        )
        for line in document["lines"]
    )
    return Statement(
        **{
            **document,
            "lines": lines,
            "sums": tuple(Sums(Money(*net), Money(*tax)) for net, tax in document["sums"]),
            "test_users": tuple(document["test_users"]),
            "closed_at": closed_at,
            "is_over": True,
        }
    )
