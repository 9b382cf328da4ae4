"""Mass removals: the limit is each account's own."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select, update

from mission_control_tui.model.caller import WORKER, Caller
from mission_control_tui.model.catalogue.types import Catalogue
from mission_control_tui.model.requests.removal_limit import (
    RemovalLimit,
    held_removals,
    hold_excess,
)
from mission_control_tui.model.states import RequestKind, RequestState
from mission_control_tui.model.store.database import Store
from mission_control_tui.model.store.scope import AccountScope
from mission_control_tui.model.store.tables.requests import RequestRow
from mission_control_tui.model.store.tables.services import AssignmentRow
from mission_control_tui.model.users.actions.params import ActionParams
from mission_control_tui.model.users.provisioning import change_wish, provision
from mission_control_tui.model.views import Account
from tests.model.conftest import make_account
from tests.model.helpers import ada, create, finish, own_seats

LIMIT = RemovalLimit(3, 60.0)


async def remove(store: Store, caller: Caller, account: Account, *upns: str) -> None:
    """Have these users' mailboxes removed."""
    for upn in upns:
        scope = AccountScope(store, caller, account.id)
        await change_wish(scope, upn, "managed-exchange", RequestKind.DEPROVISION)


async def furnish(
    store: Store, caller: Caller, account: Account, domain: str, count: int
) -> list[str]:
    """So many users of the account with a mailbox each, all green."""
    await own_seats(store, caller, account, "managed-exchange", "popx", count)
    upns = [f"u{number}@{domain}" for number in range(count)]
    for upn in upns:
        local = upn.partition("@")[0]
        await create(store, caller, account, ada(upn=upn, username=f"{domain[:5]}.{local}"))
        scope = AccountScope(store, caller, account.id)
        await provision(scope, upn, [ActionParams("managed-exchange", "popx")])
    await finish(store, caller, account)
    return upns


async def waits(store: Store, caller: Caller, account: Account) -> int:
    async with store.write(WORKER) as tx:
        await hold_excess(tx, LIMIT)
    return len(await held_removals(AccountScope(store, caller, account.id)))


async def test_one_accounts_removals_hold_no_other_account(
    store: Store, caller: Caller, account: Account, catalogue: Catalogue
) -> None:
    other = await make_account(store, caller, catalogue, "other", "other.example")
    ours = await furnish(store, caller, account, "acme.example", 5)
    theirs = await furnish(store, caller, other, "other.example", 5)
    await remove(store, caller, account, *ours)
    await remove(store, caller, other, theirs[0])
    assert await waits(store, caller, account) == 2
    assert await waits(store, caller, other) == 0
    # What has begun counts for its own account too.
    async with store.write(WORKER) as tx:
        await tx.session.execute(
            update(RequestRow)
            .where(RequestRow.state == RequestState.QUEUED)
            .values(state=RequestState.RUNNING, started_at=tx.now - timedelta(seconds=1))
        )
    await remove(store, caller, other, *theirs[1:3])
    assert await waits(store, caller, other) == 0
    await remove(store, caller, other, theirs[3])
    assert await waits(store, caller, other) == 1
    assert await waits(store, caller, account) == 2
    async with store.read() as session:
        assert (
            len((await session.scalars(select(RequestRow.id).where(RequestRow.hold != ""))).all())
            == 3
        )


async def test_a_removal_counts_at_every_part_and_one_that_waits_at_none(
    store: Store, caller: Caller, account: Account
) -> None:
    names = await furnish(store, caller, account, "acme.example", 6)
    async with store.write(WORKER) as tx:
        in_order = select(AssignmentRow).join(RequestRow).order_by(RequestRow.id)
        rows = (await tx.session.scalars(in_order)).all()
        for row, connector in zip(rows, ["a", "a", "b", "b", "b", "c"], strict=True):
            row.connector = connector
    await remove(store, caller, account, *names)
    parts = {"a": {"shared", "one"}, "b": {"shared", "two"}, "c": {"two"}}
    async with store.write(WORKER) as tx:
        held = await hold_excess(tx, RemovalLimit(3, 60.0, parts.__getitem__))
        await tx.session.flush()
    # Three of the five at `shared` go; what waits of them takes no room at `two`.
    assert held.held == 2
    async with store.read() as session:
        waiting = await session.scalars(
            select(AssignmentRow.connector).where(AssignmentRow.step.startswith("Paused"))
        )
        assert "c" not in set(waiting)
