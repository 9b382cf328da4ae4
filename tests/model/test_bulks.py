"""Bulks: what the plan says is what the slices do, on both databases."""

from __future__ import annotations

from sqlalchemy import select

from mission_control_tui.model import bulks, users
from mission_control_tui.model.bulk_work import next_bulk, work_slice
from mission_control_tui.model.bulks import (
    BulkAction,
    BulkParams,
    BulkState,
    BulkView,
    ItemOutcome,
)
from mission_control_tui.model.context import Caller
from mission_control_tui.model.database import Store
from mission_control_tui.model.errors import NoSeats
from mission_control_tui.model.provision import Wanted, provision
from mission_control_tui.model.requests import list_requests
from mission_control_tui.model.states import Priority
from mission_control_tui.model.tables import (
    AssignmentRow,
    UserRow,
)
from mission_control_tui.model.views import Account
from tests.model.helpers import create, finish, named, own_seats

EXCHANGE = "managed-exchange"
SMALL, LARGE = "popx", "pc-web"


async def people(store: Store, caller: Caller, account: Account, *names: str) -> list[str]:
    """UPNs of new users."""
    return [(await create(store, caller, account, named(name))).upn for name in names]


async def all_of_it(store: Store, bulk_id: int) -> int:
    """Do what the worker does until nothing is left; how many slices it took."""
    slices = 0
    while not (await work_slice(store, bulk_id)).last:
        slices += 1
    return slices + 1


async def begun(
    store: Store,
    caller: Caller,
    account: Account,
    upns: list[str],
    action: BulkAction,
    params: BulkParams | None = None,
) -> BulkView:
    outcome = await bulks.start(store, caller, account.id, upns, action, params)
    return outcome.result


async def levels(store: Store) -> dict[str, tuple[str, str]]:
    """UPN -> (wish, level) of Managed Exchange."""
    async with store.read() as session:
        rows = await session.execute(
            select(UserRow.upn, AssignmentRow.wish, AssignmentRow.level_id)
            .join(AssignmentRow, AssignmentRow.user_id == UserRow.id)
            .where(AssignmentRow.service_id == EXCHANGE)
        )
        return {upn.partition("@")[0]: (wish, level) for upn, wish, level in rows}


async def test_a_plan_says_what_the_bulk_then_does(
    store: Store, caller: Caller, account: Account
) -> None:
    await own_seats(store, caller, account, EXCHANGE, SMALL, 4)
    await own_seats(store, caller, account, EXCHANGE, LARGE, 2)
    upns = await people(store, caller, account, "ann", "bob", "cem", "dee", "eve", "fay")
    for upn in upns[:2]:
        await provision(store, caller, account.id, upn, [Wanted(EXCHANGE, SMALL)])
    await finish(store, caller, account)
    await provision(store, caller, account.id, upns[1], [Wanted(EXCHANGE, LARGE)])
    await finish(store, caller, account)
    await users.disable_user(store, caller, account.id, upns[5])
    params = BulkParams("Managed Exchange", "Standard Mail (POPX)")

    plan = await bulks.plan(store, caller, account.id, upns, BulkAction.PROVISION, params)

    assert (plan.total, plan.queued, plan.unchanged, plan.skipped) == (6, 3, 1, 1)
    assert plan.refused == 1
    (short,) = plan.short
    assert (short.level_id, short.owned, short.free_before, short.short) == (SMALL, 4, 2, 1)
    (missing,) = plan.missing
    assert (missing.level_id, missing.quantity) == (SMALL, 1)
    assert missing.total.minor > 0
    why = {one.state: one for one in plan.reasons if one.state != "waiting"}
    assert why["refused"].names == (upns[4],)
    assert why["refused"].exit_code == NoSeats.exit_code
    assert why["skipped"].names == (upns[5],)
    assert "disabled" in why["skipped"].reason
    assert why["unchanged"].names == (upns[0],)
    assert await list_requests(store, caller, account.id, states=["queued"]) == ()

    bulk = await begun(store, caller, account, upns, BulkAction.PROVISION, params)
    assert await next_bulk(store) == bulk.id
    await all_of_it(store, bulk.id)
    assert await next_bulk(store) is None
    done = await bulks.show(store, caller, account.id, bulk.id)
    assert done.state is BulkState.DONE
    progress = done.progress
    assert (progress.orange, progress.unchanged, progress.skipped) == (3, 1, 1)
    (refused,) = await bulks.items(
        store, caller, account.id, bulk.id, outcomes=[ItemOutcome.REFUSED]
    )
    assert refused.name == upns[4]
    assert refused.reason == why["refused"].reason
    queued = await list_requests(store, caller, account.id, states=["queued", "waiting"])
    assert {one.priority for one in queued} == {Priority.BULK}
    assert {one.operator for one in queued} == {"anna"}
    assert {one.ticket for one in queued} == {"T-1"}
