"""What ended long ago is deleted in slices; what is still asked for stays, and the audit for good."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from mission_control_tui.model.bulk import control as bulks
from mission_control_tui.model.bulk import queries
from mission_control_tui.model.bulk.slices import work_slice
from mission_control_tui.model.caller import Caller
from mission_control_tui.model.errors import Conflict, NotFound
from mission_control_tui.model.history import audit_log, pruning
from mission_control_tui.model.history.undo import undo
from mission_control_tui.model.requests.queries import list_requests
from mission_control_tui.model.requests.request_details import show_request
from mission_control_tui.model.schedules.editing import cancel_schedule, schedule
from mission_control_tui.model.schedules.queries import list_schedules
from mission_control_tui.model.states import Light, RequestState, ScheduleState
from mission_control_tui.model.store.database import Store
from mission_control_tui.model.store.scope import AccountScope
from mission_control_tui.model.store.tables.audit import AuditRow
from mission_control_tui.model.store.tables.bulk import BulkItemRow, BulkRow
from mission_control_tui.model.store.tables.requests import (
    RequestDependencyRow,
    RequestEventRow,
    RequestRow,
    RequestStepRow,
)
from mission_control_tui.model.store.tables.schedules import ScheduleRow
from mission_control_tui.model.store.tables.services import AssignmentRow
from mission_control_tui.model.users.actions.params import ActionParams
from mission_control_tui.model.users.editing import edit_user
from mission_control_tui.model.users.provisioning import provision
from mission_control_tui.model.views import Account
from tests.model.helpers import create, finish, named, own_seats

pytestmark = pytest.mark.any_database

EXCHANGE, SMALL, LARGE = "managed-exchange", "popx", "pc-web"
DAYS = 100


async def aged(store: Store, caller: Caller, days: float = DAYS + 1) -> None:
    """As if all that is there had been made, and had ended if it has, so many days ago."""
    async with store.write(caller) as tx:
        then = tx.now - timedelta(days=days)
        for table in (RequestRow, BulkRow, ScheduleRow):
            await tx.session.execute(update(table).values(created_at=then))
            await tx.session.execute(
                update(table).where(table.ended_at.is_not(None)).values(ended_at=then)
            )


async def pruned(store: Store) -> list[int]:
    """Prune to the end; how many rows went in each slice."""
    went, done = [], pruning.Slice(0, 0, left=True)
    while done.left:
        done = await pruning.prune(store, DAYS, done.after_id)
        went.append(done.deleted)
    return went


async def ids(scope: AccountScope) -> list[int]:
    return sorted(request.id for request in await list_requests(scope))


async def count(store: Store, *tables: type) -> list[int]:
    async with store.read() as session:
        return [
            int(await session.scalar(select(func.count()).select_from(table)) or 0)
            for table in tables
        ]


@pytest.fixture
async def upn(store: Store, caller: Caller, account: Account, scope: AccountScope) -> str:
    """A user whose mailbox got a level and then another one."""
    for level in (SMALL, LARGE):
        await own_seats(store, caller, account, EXCHANGE, level)
    found = (await create(store, caller, account, named("ann"))).upn
    await provision(scope, found, [ActionParams(EXCHANGE, SMALL)])
    await finish(store, caller, account)
    await provision(scope, found, [ActionParams(EXCHANGE, LARGE)])
    await finish(store, caller, account)
    return found


async def test_all_but_the_newest_request_goes_with_what_is_its_and_the_audit_stays(
    store: Store, caller: Caller, account: Account, scope: AccountScope, upn: str
) -> None:
    first, *_, last = await ids(scope)
    async with store.write(caller) as tx:
        for request_id in (first, last):
            stated = {"request_id": request_id, "attempt": 1, "number": 1, "name": "mailbox"}
            tx.session.add(RequestStepRow(**stated, state="done", started_at=tx.now))
        tx.session.add(RequestDependencyRow(request_id=last, depends_on_id=first))
    [audited] = await count(store, AuditRow)
    await aged(store, caller, DAYS - 1)
    assert sum(await pruned(store)) == 0
    await aged(store, caller)
    assert await pruning.is_due(store) is False
    assert sum(await pruned(store)) >= 1
    assert await ids(scope) == [last]
    assert await count(store, RequestStepRow, RequestDependencyRow, AuditRow) == [1, 0, audited]
    async with store.read() as session:
        assert set(await session.scalars(select(RequestEventRow.request_id))) <= {last}
    assert (await show_request(scope, last)).request.depends_on == ()
    with pytest.raises(NotFound, match="no longer kept") as told:
        await show_request(scope, first)
    assert f"audit --request {first}" in (told.value.hint or "")
    with pytest.raises(NotFound, match="This account has no request 999"):
        await show_request(scope, 999)
    assert await audit_log.entries(scope, request=first)


@pytest.mark.parametrize("kept", ["active", "red", "awaited", "scheduled", "child"])
async def test_what_is_still_asked_for_stays(
    store: Store, caller: Caller, account: Account, scope: AccountScope, upn: str, kept: str
) -> None:
    first, *_, last = await ids(scope)
    if kept == "child":
        await edit_user(scope, upn, {"display_name": "Ann"})
    if kept == "scheduled":
        await schedule(scope, upn, "disable", ActionParams(), "+1h")
    async with store.write(caller) as tx:
        match kept:
            case "active":
                await tx.session.execute(
                    update(RequestRow).values(state=RequestState.RUNNING, ended_at=None)
                )
            case "red":
                await tx.session.execute(update(AssignmentRow).values(light=Light.RED))
            case "awaited":
                tx.session.add(RequestDependencyRow(request_id=last, depends_on_id=first))
                await tx.session.execute(
                    update(RequestRow)
                    .where(RequestRow.id == last)
                    .values(state=RequestState.WAITING, ended_at=None)
                )
            case "scheduled":
                await tx.session.execute(update(ScheduleRow).values(request_id=first))
            case "child":
                # Both requests belong to a parent that has not ended.
                parent = await tx.session.scalar(select(func.max(RequestRow.parent_id)))
                assert parent is not None
                await tx.session.execute(
                    update(RequestRow).where(RequestRow.id == first).values(parent_id=parent)
                )
    await aged(store, caller)
    before = await ids(scope)
    await pruned(store)
    assert first in await ids(scope)
    if kept != "child":
        assert await ids(scope) == before


async def test_slices_are_bounded_and_a_parent_goes_after_its_children(
    store: Store,
    caller: Caller,
    account: Account,
    scope: AccountScope,
    upn: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for number in range(4):
        await edit_user(scope, upn, {"display_name": f"Ann {number}"})
        await finish(store, caller, account)
    await aged(store, caller)
    monkeypatch.setattr(pruning, "AT_ONCE", 2)
    monkeypatch.setattr(pruning, "LOOKED_AT", 3)
    before = await ids(scope)
    went = await pruned(store)
    assert max(went) <= 2
    assert sum(went) > 2
    await pruned(store)
    # The newest request and the parent that it belongs to.
    assert await ids(scope) == before[-2:]


async def test_an_ended_bulk_goes_with_its_items_and_its_undo_says_so(
    store: Store,
    caller: Caller,
    account: Account,
    scope: AccountScope,
    upn: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def done(level: str) -> int:
        params = ActionParams(EXCHANGE, level)
        bulk_id = (await bulks.start(scope, [upn, other], "change", params)).result.id
        while not (await work_slice(store, bulk_id)).last:
            pass
        return bulk_id

    other = (await create(store, caller, account, named("bob"))).upn
    await provision(scope, other, [ActionParams(EXCHANGE, LARGE)])
    await finish(store, caller, account)
    old = await done(SMALL)
    await aged(store, caller)
    await pruned(store)
    # Its requests have not ended.
    assert (await queries.show(scope, old)).progress.total == 2
    await finish(store, caller, account)
    newest = await done(LARGE)
    await finish(store, caller, account)
    await aged(store, caller)
    monkeypatch.setattr(pruning, "ITEMS_AT_ONCE", 1)
    await pruning.prune(store, DAYS)
    with pytest.raises(Conflict, match="its items are no longer kept"):
        await undo(scope, bulk=old)
    await pruned(store)
    assert [bulk.id for bulk in await queries.list_bulks(scope)] == [newest]
    assert await count(store, BulkItemRow) == [2]
    with pytest.raises(NotFound, match="no longer kept") as told:
        await undo(scope, bulk=old)
    assert f"audit --bulk {old}" in (told.value.hint or "")
    assert (await undo(scope, bulk=newest)).result.bulk is not None


async def test_a_request_that_is_no_longer_kept_is_undone_by_its_audit(
    store: Store, caller: Caller, account: Account, scope: AccountScope, upn: str
) -> None:
    await edit_user(scope, upn, {"office_phone": "+41 44 668 18 00"})
    await finish(store, caller, account)
    (row, *_) = await audit_log.entries(scope, action="edit user")
    await edit_user(scope, upn, {"city": "Bern"})
    await finish(store, caller, account)
    await aged(store, caller)
    await pruned(store)
    await pruned(store)
    assert row.request_id not in await ids(scope)
    assert (await undo(scope, request=row.request_id)).result.what == row.action + f" of {upn}"


async def test_ended_schedules_go_but_for_the_newest(
    store: Store, caller: Caller, scope: AccountScope, upn: str
) -> None:
    made = [
        (await schedule(scope, upn, "disable", ActionParams(), "+1h")).result.id for _ in range(3)
    ]
    await cancel_schedule(scope, made[0])
    await cancel_schedule(scope, made[2])
    await aged(store, caller)
    await pruned(store)
    states = list(ScheduleState)
    assert sorted(found.id for found in await list_schedules(scope, states=states)) == made[1:]


async def test_the_number_of_what_went_is_nobodys_again(
    store: Store, caller: Caller, account: Account, scope: AccountScope
) -> None:
    async def newest() -> list[int]:
        async with store.read() as session:
            return [
                int(await session.scalar(select(func.max(table.id))) or 0)
                for table in (RequestRow, RequestEventRow)
            ]

    upn = (await create(store, caller, account, named("ann"))).upn
    await edit_user(scope, upn, {"display_name": "Ann"})
    await finish(store, caller, account)
    before = await newest()
    await aged(store, caller)
    await pruned(store)
    assert await newest() == [0, 0]
    await edit_user(scope, upn, {"display_name": "Anna"})
    assert [new > old > 0 for new, old in zip(await newest(), before, strict=True)] == [True, True]
