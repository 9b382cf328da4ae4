"""The recycling bin to its end: who is in it until when, what a purge takes and keeps; and accounts that expire."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import insert, select, text, update

from mission_control_tui.model.accounts.overview import show
from mission_control_tui.model.caller import Caller
from mission_control_tui.model.catalogue.types import Catalogue
from mission_control_tui.model.dates import zone_of
from mission_control_tui.model.errors import Conflict, NotFound
from mission_control_tui.model.history import audit_log
from mission_control_tui.model.recycle_bin import deletion, purge
from mission_control_tui.model.recycle_bin.overdue import overdue
from mission_control_tui.model.requests.queries import list_requests
from mission_control_tui.model.search import index as search
from mission_control_tui.model.search import user_list
from mission_control_tui.model.search.filters import UserFilter
from mission_control_tui.model.store.database import Store
from mission_control_tui.model.store.scope import AccountScope
from mission_control_tui.model.store.tables.accounts import AccountRow
from mission_control_tui.model.store.tables.operators import DraftRow
from mission_control_tui.model.store.tables.requests import RequestRow
from mission_control_tui.model.store.tables.services import AssignmentRow
from mission_control_tui.model.store.tables.users import (
    AddressRow,
    SearchTermRow,
    SearchTextRow,
    UserRow,
)
from mission_control_tui.model.users import editing, expiry
from mission_control_tui.model.users import queries as users
from mission_control_tui.model.users.actions.params import ActionParams
from mission_control_tui.model.users.expired import expired
from mission_control_tui.model.users.provisioning import deprovision_all, provision
from mission_control_tui.model.views import Account, UserView
from tests.model.conftest import make_account
from tests.model.helpers import ada, create, finish, named, own_seats, secrets_kept

pytestmark = pytest.mark.any_database


@pytest.fixture
async def binned(store: Store, caller: Caller, account: Account, scope: AccountScope) -> UserView:
    """Ada, who had a mailbox and a phone number, and was deleted."""
    await own_seats(store, caller, account, "managed-exchange", "popx")
    user = await create(
        store, caller, account, ada(mobile_phone="+61 491 570 156", notes="Likes tea")
    )
    await editing.add_alias(scope, user.id, "countess@acme.example")
    await provision(scope, user.id, [ActionParams("managed-exchange", "popx")])
    await finish(store, caller, account)
    await deprovision_all(scope, user.id)
    await finish(store, caller, account)
    await deletion.delete_user(scope, user.id)
    return user


async def deleted_days_ago(store: Store, user: UserView, days: float) -> None:
    async with store.write(Caller("test")) as tx:
        at = datetime.fromtimestamp(await store.now(), UTC) - timedelta(days=days)
        await tx.session.execute(update(UserRow).where(UserRow.id == user.id).values(deleted_at=at))


async def test_the_bin_says_who_when_by_whom_and_until_when(
    store: Store, scope: AccountScope, binned: UserView
) -> None:
    await deleted_days_ago(store, binned, 3.5)
    (line,) = await purge.list_bin(scope, bin_days=30)
    assert (line.id, line.upn, line.deleted_by, line.age_days) == (binned.id, binned.upn, "anna", 3)
    assert line.purge_at is not None
    assert line.purge_at - line.deleted_at == timedelta(days=30)
    (forever,) = await purge.list_bin(scope, bin_days=0)
    assert forever.purge_at is None
    assert len(await purge.list_bin(scope, bin_days=0, query="love")) == 1
    assert await purge.list_bin(scope, bin_days=0, query="nobody") == ()
    await deletion.restore_user(scope, binned.id)
    assert await purge.list_bin(scope, bin_days=30) == ()


async def test_a_purge_takes_what_is_personal_and_keeps_id_and_audit(
    store: Store, caller: Caller, account: Account, scope: AccountScope, binned: UserView
) -> None:
    async with store.write(caller, account.id) as tx:
        await tx.session.execute(
            insert(DraftRow).values(
                operator="anna",
                account_id=account.id,
                kind="edit-user",
                subject=binned.id,
                title="Ada",
                content={},
                updated_at=tx.now,
            )
        )
    outcome = await purge.purge_user(scope, binned.upn)
    assert outcome.result == binned.id
    assert "This cannot be undone." in outcome.plan.warnings
    async with store.read() as session:
        row = await session.get_one(UserRow, binned.id)
        kept = " ".join(
            map(str, (row.upn, row.display_name, row.sort_key, row.username, row.details))
        )
        assert row.purged_at is not None
        for table, column in (
            (AddressRow, AddressRow.user_id),
            (SearchTermRow, SearchTermRow.user_id),
            (SearchTextRow, SearchTextRow.user_id),
            (DraftRow, DraftRow.subject),
        ):
            assert (await session.scalars(select(table).where(column == binned.id))).all() == []
        service = (await session.scalars(select(AssignmentRow))).one()
        assert service.user_id == binned.id
        assert service.settings == {}
    assert not any(word in kept.casefold() for word in ("ada", "lovelace", "570", "tea"))
    assert await secrets_kept(store) == 0
    entries = await audit_log.entries(scope, user=binned.id)
    assert entries[0].action == "purge user"
    assert all(one.target.startswith(binned.upn) for one in entries)


async def test_after_a_purge_name_and_addresses_are_free_and_nothing_finds_the_person(
    store: Store, caller: Caller, account: Account, scope: AccountScope, binned: UserView
) -> None:
    await purge.purge_user(scope, binned.id)
    assert (await user_list.page(scope, UserFilter(in_bin=True))).rows == ()
    assert (await show(scope)).users_in_bin == 0
    assert (await user_list.page(scope, UserFilter("lovelace", in_bin=True))).rows == ()
    assert search.words_of("lovelace")
    for call in (
        deletion.restore_user(scope, binned.id),
        purge.purge_user(scope, binned.id),
        deletion.restore_user(scope, binned.upn),
    ):
        with pytest.raises(NotFound):
            await call
    again = await create(store, caller, account, ada(upn=binned.upn))
    assert again.id != binned.id
    await editing.add_alias(scope, again.id, "countess@acme.example")


async def test_a_dry_run_purges_nothing(scope: AccountScope, binned: UserView) -> None:
    outcome = await purge.purge_user(scope, binned.id, dry_run=True)
    assert outcome.plan.changes_anything
    assert len(await purge.list_bin(scope, bin_days=30)) == 1


async def test_what_is_not_in_the_bin_or_not_gone_is_not_purged(
    store: Store, caller: Caller, account: Account, scope: AccountScope, binned: UserView
) -> None:
    bob = await create(store, caller, account, named("bob"))
    with pytest.raises(Conflict, match="not in the recycling bin"):
        await purge.purge_user(scope, bob.id)
    async with store.write(caller, account.id) as tx:
        await tx.session.execute(update(AssignmentRow).values(light="red", word="Error"))
    with pytest.raises(Conflict, match="services are left"):
        await purge.purge_user(scope, binned.id)
    async with store.write(caller, account.id) as tx:
        await tx.session.execute(update(AssignmentRow).values(light="grey"))
        await tx.session.execute(
            update(RequestRow).where(RequestRow.kind == "deprovision").values(state="running")
        )
    with pytest.raises(Conflict, match="has not ended"):
        await purge.purge_user(scope, binned.id)


async def test_whose_manager_is_deleted_has_none_and_the_plan_names_each(
    store: Store, caller: Caller, account: Account, scope: AccountScope
) -> None:
    boss = await create(store, caller, account, named("boss"))
    bob = await create(store, caller, account, named("bob", manager=boss.upn))
    eve = await create(store, caller, account, named("eve", manager=boss.upn))
    await deletion.delete_user(scope, eve.id)
    tried = await deletion.delete_user(scope, boss.id, dry_run=True)
    (line,) = [line for line in tried.plan.lines if line.name == bob.upn]
    assert (line.before, line.after) == ({"manager": boss.upn}, {"manager": ""})
    assert "no longer the manager of 1 user" in tried.plan.warnings[-1]
    assert (await users.details(scope, bob.id)).details.manager == boss.upn

    await deletion.delete_user(scope, boss.id)
    assert (await users.details(scope, bob.id)).details.manager == ""
    for back in (boss, eve):
        await deletion.restore_user(scope, back.id)
        assert (await users.details(scope, back.id)).details.manager == ""
    assert (await users.details(scope, bob.id)).details.manager == ""


async def test_the_worker_purges_after_so_many_days_and_never_with_0(
    store: Store, scope: AccountScope, binned: UserView
) -> None:
    await deleted_days_ago(store, binned, 29.9)
    assert await overdue(store, 30, 10) == ()
    await deleted_days_ago(store, binned, 30.1)
    assert await overdue(store, 0, 10) == ()
    (one,) = await overdue(store, 30, 10)
    await deleted_days_ago(store, binned, 1)
    with pytest.raises(NotFound, match="deleted again meanwhile"):
        await purge.purge_overdue(store, one, 30)
    await deleted_days_ago(store, binned, 31)
    await purge.purge_overdue(store, one, 30)
    with pytest.raises(NotFound, match="purged already"):
        await purge.purge_overdue(store, one, 30)
    (entry,) = await audit_log.entries(scope, action="purge user")
    assert entry.operator == "worker"


async def test_who_expired_is_disabled_once_and_what_an_operator_decides_then_stays(
    store: Store, caller: Caller, account: Account, scope: AccountScope
) -> None:
    await own_seats(store, caller, account, "managed-exchange", "popx")
    user = await create(store, caller, account, ada(expires_on=date(2026, 1, 31)))
    await create(store, caller, account, named("bob", expires_on=date(2099, 1, 1)))
    await provision(scope, user.id, [ActionParams("managed-exchange", "popx")])
    await finish(store, caller, account)
    (one,) = await expired(store)
    assert one.user_id == user.id
    assert await expiry.disable(store, one)
    assert not await expiry.disable(store, one)
    assert await expired(store) == ()
    (entry,) = await audit_log.entries(scope, action="expire user")
    assert (entry.operator, entry.after) == (
        "worker",
        {"disabled": True, "expires_on": "2026-01-31"},
    )
    kinds = [request.kind for request in await list_requests(scope)]
    assert kinds[:2] == ["disable", "disable"], "a parent and its child"
    await editing.enable_user(scope, user.id)
    assert await expired(store) == ()
    await editing.edit_user(scope, user.id, {"expires_on": date(2026, 2, 1)})
    assert len(await expired(store)) == 1


async def test_the_last_day_ends_in_the_time_zone_of_the_account(
    store: Store, caller: Caller, account: Account
) -> None:
    now = datetime.fromtimestamp(await store.now(), UTC)
    zone = zone_of(account.time_zone)
    today = now.astimezone(zone).date()
    for name, day in (("ann", today - timedelta(days=1)), ("bob", today)):
        await create(store, caller, account, named(name, expires_on=day))
    found = await expired(store)
    assert [one.expires_on for one in found] == [today - timedelta(days=1)]


async def test_whose_day_is_not_over_takes_nobodys_place_among_those_whose_day_is(
    store: Store, caller: Caller, catalogue: Catalogue, account: Account
) -> None:
    other = await make_account(store, caller, catalogue, "other", "other.example")
    now = datetime.fromtimestamp(await store.now(), UTC)
    behind, ahead = (
        now.astimezone(zone_of(zone)).date() for zone in ("Pacific/Pago_Pago", "Pacific/Kiritimati")
    )
    made = [
        await create(store, caller, account),
        await create(store, caller, other, ada(upn="ada@other.example")),
    ]
    waits, over = sorted(made, key=lambda user: user.id)
    async with store.write(caller) as tx:
        for user, zone, day in (
            (waits, "Pacific/Pago_Pago", behind),
            (over, "Pacific/Kiritimati", ahead - timedelta(days=1)),
        ):
            row = await tx.session.get_one(UserRow, user.id)
            row.expires_on = day
            (await tx.session.get_one(AccountRow, row.account_id)).time_zone = zone
    assert [one.user_id for one in await expired(store, limit=1)] == [over.id]


async def test_who_was_enabled_again_stays_so_though_the_server_writes_dates_otherwise(
    postgres_where: str, catalogue: Catalogue, caller: Caller
) -> None:
    plain = await Store.open(postgres_where)
    async with plain.write(caller) as tx:
        name = await tx.session.scalar(text("SELECT current_database()"))
        await tx.session.execute(text(f"ALTER DATABASE {name} SET datestyle = 'German'"))
    await plain.close()
    store = await Store.open(postgres_where)
    account = await make_account(store, caller, catalogue, "acme", "acme.example")
    user = await create(store, caller, account, ada(expires_on=date(2026, 1, 31)))
    (one,) = await expired(store)
    assert await expiry.disable(store, one)
    await editing.enable_user(AccountScope(store, caller, account.id), user.id)
    assert await expired(store) == ()
    await store.close()
