"""Undo: the wish before, restated; what cannot be or was changed since is refused, saying why and by whom."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import select

from mission_control_tui.model.bulk import control as bulks
from mission_control_tui.model.bulk import queries, views
from mission_control_tui.model.bulk.slices import work_slice
from mission_control_tui.model.caller import Caller
from mission_control_tui.model.errors import Conflict, MissionControlError, NotFound, UsageError
from mission_control_tui.model.history import audit_log
from mission_control_tui.model.history import undo as undoing
from mission_control_tui.model.people.fields import Value
from mission_control_tui.model.recycle_bin import deletion
from mission_control_tui.model.states import RequestKind
from mission_control_tui.model.store.database import Store
from mission_control_tui.model.store.scope import AccountScope
from mission_control_tui.model.store.tables.services import AssignmentRow
from mission_control_tui.model.users import editing
from mission_control_tui.model.users import provisioning as provision
from mission_control_tui.model.users import queries as users
from mission_control_tui.model.users.actions.params import ActionParams
from mission_control_tui.model.users.passwords import set_password
from mission_control_tui.model.views import Account, AuditView
from tests.model.helpers import create, finish, named, own_seats

pytestmark = pytest.mark.any_database

EXCHANGE = "managed-exchange"
SMALL, LARGE = "popx", "pc-web"


async def newest(store: Store, caller: Caller, account: Account) -> AuditView:
    return (await audit_log.entries(AccountScope(store, caller, account.id), limit=1))[0]


async def undo_newest(store: Store, caller: Caller, account: Account, **how: bool) -> None:
    row = await newest(store, caller, account)
    assert undoing.judge(row).possible
    await undoing.undo(AccountScope(store, caller, account.id), audit=row.id, **how)


async def mailbox(store: Store) -> tuple[str, str, dict[str, object]]:
    """(wish, level, settings) of the only mailbox."""
    async with store.read() as session:
        row = (
            await session.scalars(select(AssignmentRow).where(AssignmentRow.service_id == EXCHANGE))
        ).one()
        return row.wish, row.level_id, row.settings


@pytest.fixture
async def upn(store: Store, caller: Caller, account: Account) -> str:
    """A user of an account that owns seats of two levels."""
    for level in (SMALL, LARGE):
        await own_seats(store, caller, account, EXCHANGE, level, 3)
    return (await create(store, caller, account, named("ann"))).upn


async def test_each_verb_on_a_service_and_the_undo_of_its_undo(
    store: Store, caller: Caller, account: Account, scope: AccountScope, upn: str
) -> None:
    async def give(level: str, quota: str = "") -> None:
        wanted = ActionParams(EXCHANGE, level, {"quota": quota} if quota else {})
        await provision.provision(scope, upn, [wanted])

    async def turn(kind: RequestKind) -> None:
        await provision.change_wish(scope, upn, EXCHANGE, kind)

    async def there_and_back() -> None:
        """After a change: undo it, undo the undo, and undo that, each seen to be true."""
        changed = await mailbox(store)
        for expected in (before, changed, before):
            await finish(store, caller, account)
            await undo_newest(store, caller, account)
            now = await mailbox(store)
            if expected[0] == now[0] == "absent":
                continue
            assert now == expected

    before: tuple[str, str, dict[str, object]] = ("absent", "", {})
    await give(SMALL)
    await there_and_back()
    await give(SMALL, quota="1 GB")
    await finish(store, caller, account)
    before = await mailbox(store)
    for change, how in (
        (give, (LARGE,)),
        (give, (SMALL, "2 GB")),
        (turn, (RequestKind.SUSPEND,)),
        (turn, (RequestKind.DEPROVISION,)),
    ):
        await change(*how)
        await there_and_back()
        await finish(store, caller, account)
    await turn(RequestKind.SUSPEND)
    await finish(store, caller, account)
    before = await mailbox(store)
    await turn(RequestKind.RESUME)
    await there_and_back()
    await turn(RequestKind.DEPROVISION)
    await there_and_back()


async def test_fields_and_addresses_come_back(
    store: Store, caller: Caller, account: Account, scope: AccountScope, upn: str
) -> None:
    async def state() -> tuple[object, ...]:
        view = await users.details(scope, "ann")
        return view.details, view.aliases, view.primary_address

    before = await state()
    changes: dict[str, Value] = {
        "title": "Engineer",
        "expires_on": date(2027, 1, 1),
        "city": "Perth",
        "test_user": True,
    }
    for verb, how in (
        (editing.edit_user, (changes,)),
        (editing.disable_user, ()),
        (editing.add_alias, ("hello@acme.example",)),
    ):
        await verb(scope, upn, *how)
        changed = await state()
        assert changed != before
        await undo_newest(store, caller, account)
        assert await state() == before
        await undo_newest(store, caller, account)
        assert await state() == changed
        await undo_newest(store, caller, account)
    await editing.add_alias(scope, upn, "hello@acme.example")
    await editing.set_primary(scope, upn, "hello@acme.example")
    primary = await state()
    await editing.remove_alias(scope, upn, "hello@acme.example")
    await undo_newest(store, caller, account)
    assert await state() == primary


async def test_a_changed_upn_goes_back_and_the_bin_gives_back(
    store: Store, caller: Caller, account: Account, scope: AccountScope, upn: str
) -> None:
    await editing.edit_user(scope, upn, {"upn": "anna@acme.example"})
    await undo_newest(store, caller, account)
    assert (await users.details(scope, "ann")).upn == upn
    await deletion.delete_user(scope, upn)
    await undo_newest(store, caller, account)
    assert not (await users.details(scope, "ann")).in_bin


async def test_what_was_changed_since_is_refused_by_name_unless_forced(
    store: Store, caller: Caller, account: Account, scope: AccountScope, upn: str
) -> None:
    wanted = [ActionParams(EXCHANGE, SMALL)]
    await provision.provision(scope, upn, wanted)
    given = await newest(store, caller, account)
    bob = Caller(operator="bob", ticket="T-77")
    await provision.change_wish(
        AccountScope(store, bob, account.id), upn, EXCHANGE, RequestKind.DEPROVISION
    )
    taken = await newest(store, caller, account)
    await provision.provision(
        AccountScope(store, bob, account.id), upn, [ActionParams(EXCHANGE, LARGE)]
    )
    with pytest.raises(Conflict, match=r"changed since: provision .* by bob, ticket T-77"):
        await undoing.undo(scope, audit=taken.id)
    tried = await undoing.undo(scope, audit=taken.id, force=True, dry_run=True)
    assert not tried.applied
    assert tried.plan.changes_anything
    assert (await mailbox(store))[:2] == ("present", LARGE)
    with pytest.raises(Conflict, match="bob"):
        await undoing.undo(scope, request=given.request_id)
    await undoing.undo(scope, request=given.request_id, force=True)
    assert (await mailbox(store))[0] == "absent"
    await editing.edit_user(scope, upn, {"city": "Perth"})
    city = await newest(store, caller, account)
    await editing.edit_user(AccountScope(store, bob, account.id), upn, {"city": "Hobart"})
    with pytest.raises(Conflict, match=r"edit user by bob.*city"):
        await undoing.undo(scope, audit=city.id)
    await undoing.undo(scope, audit=city.id, force=True)
    assert (await users.details(scope, upn)).details.city == ""


async def test_what_cannot_come_back_says_so(
    store: Store, caller: Caller, account: Account, scope: AccountScope, upn: str
) -> None:
    await set_password(scope, upn)
    row = await newest(store, caller, account)
    judged = undoing.judge(row)
    assert not judged.possible
    assert "not kept" in judged.why_not
    with pytest.raises(Conflict) as refused:
        await undoing.undo(scope, audit=row.id)
    assert judged.why_not in str(refused.value)
    with pytest.raises(NotFound):
        await undoing.undo(scope, audit=10_000)
    with pytest.raises(NotFound):
        await undoing.undo(scope, bulk=10_000)
    with pytest.raises(UsageError):
        await undoing.undo(scope)
    started = await bulks.start(scope, [upn], "password")
    with pytest.raises(Conflict, match="cannot be undone"):
        await undoing.undo(scope, bulk=started.result.id)


async def test_the_undo_of_a_bulk_is_a_bulk_and_can_be_undone(
    store: Store, caller: Caller, account: Account, scope: AccountScope, upn: str
) -> None:
    upns = [
        upn,
        *[(await create(store, caller, account, named(one))).upn for one in ("bob", "cem")],
    ]

    async def state() -> dict[str, tuple[str, str]]:
        async with store.read() as session:
            rows = await session.scalars(
                select(AssignmentRow).where(AssignmentRow.service_id == EXCHANGE)
            )
            return {row.backend_name: (row.wish, row.level_id) for row in rows}

    async def work(bulk_id: int) -> None:
        while not (await work_slice(store, bulk_id)).last:
            pass
        await finish(store, caller, account)

    async def undo(bulk_id: int, *, force: bool = False) -> int:
        plan = await undoing.undo_plan(scope, bulk_id, force=force)
        undone = await undoing.undo(scope, bulk=bulk_id, force=force)
        assert undone.result.bulk is not None
        assert undone.result.bulk.undoes_id == bulk_id
        await work(undone.result.bulk.id)
        shown = await queries.show(scope, undone.result.bulk.id)
        assert shown.progress.green == plan.queued
        assert shown.progress.refused == plan.refused
        assert shown.progress.unchanged == plan.unchanged
        return shown.id

    for one in upns:
        await provision.provision(scope, one, [ActionParams(EXCHANGE, SMALL)])
    await finish(store, caller, account)
    small = await state()
    params = ActionParams(EXCHANGE, LARGE)
    change = await bulks.start(scope, upns, "change", params)
    await work(change.result.id)
    large = await state()
    assert {level for _, level in large.values()} == {LARGE}
    undone = await undo(change.result.id)
    assert await state() == small
    again = await undo(undone)
    assert await state() == large
    bob = Caller(operator="bob", ticket="T-77")
    await provision.change_wish(
        AccountScope(store, bob, account.id), upns[1], EXCHANGE, RequestKind.SUSPEND
    )
    last = await undo(again)
    (refused,) = await queries.items(scope, last, outcomes=views.FAILED)
    assert refused.name == upns[1]
    assert "suspend managed-exchange by bob, ticket T-77" in refused.reason
    await undo(again, force=True)
    assert await state() == small

    gone = await bulks.start(scope, upns, "deprovision")
    await work(gone.result.id)
    undone_outcome = await undoing.undo(scope, bulk=gone.result.id, dry_run=True)
    assert undoing.NO_GROUP_NOTE in undone_outcome.result.notes
    # The password was delivered and is gone with the mailbox.
    plan = await undoing.undo_plan(scope, gone.result.id)
    assert plan.total == plan.queued + plan.refused
    with pytest.raises(MissionControlError):
        await undoing.undo(scope, bulk=gone.result.id, request=1)
