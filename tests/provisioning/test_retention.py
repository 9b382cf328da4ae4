"""What is taken away is kept suspended for the catalogue's days, comes back with its data, or is removed when due."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from sqlalchemy import select, update

from mission_control_tui.model.catalogue.in_force import in_force, put
from mission_control_tui.model.errors import Conflict
from mission_control_tui.model.recycle_bin.deletion import delete_user
from mission_control_tui.model.recycle_bin.purge import purge_user
from mission_control_tui.model.requests import kept_removals
from mission_control_tui.model.requests.drift import known_at
from mission_control_tui.model.requests.removal_limit import allow_removals, held_removals
from mission_control_tui.model.services.lights import status
from mission_control_tui.model.states import Light, RequestKind, Wish
from mission_control_tui.model.store import trusted_clock
from mission_control_tui.model.store.scope import AccountScope
from mission_control_tui.model.store.tables.audit import AuditRow
from mission_control_tui.model.store.tables.requests import RequestEventRow
from mission_control_tui.model.store.tables.services import AssignmentRow, SeatHoldRow
from mission_control_tui.model.users.provisioning import change_wish
from mission_control_tui.provisioning.connectors.simulator.connector import login
from mission_control_tui.provisioning.housekeeping import Housekeeping
from mission_control_tui.settings.settings import WorkerSettings
from tests.provisioning.support import ACCOUNT, EXCHANGE, PASSWORD, World, worker

pytestmark = [pytest.mark.kill, pytest.mark.any_database]

DAYS = 30


async def keeps(world: World, days: int = DAYS) -> None:
    """The catalogue keeps mailboxes for so many days."""
    async with world.store.write(world.caller) as tx:
        catalogue = (await in_force(tx.session)).catalogue
        services = tuple(
            replace(service, retention_days=days) if service.id == EXCHANGE else service
            for service in catalogue.services
        )
        await put(tx, replace(catalogue, services=services), "a test")


def scope_of(world: World) -> AccountScope:
    return AccountScope(world.store, world.caller, ACCOUNT)


async def row_of(world: World, assignment_id: str) -> AssignmentRow:
    async with world.store.read() as session:
        return await session.get_one(AssignmentRow, assignment_id)


async def let_it_be_over(world: World) -> None:
    """As if the database's clock had moved on."""
    async with world.store.write(world.caller) as tx:
        await tx.session.execute(
            update(AssignmentRow).where(AssignmentRow.kept_until > 0).values(kept_until=1.0)
        )


async def said_of(world: World, request_id: int) -> list[str]:
    async with world.store.read() as session:
        return list(
            await session.scalars(
                select(RequestEventRow.said)
                .where(RequestEventRow.request_id == request_id)
                .order_by(RequestEventRow.id)
            )
        )


def removed(world: World) -> int:
    return sum(effect.effect == "removed" for effect in world.effects())


async def taken_away(world: World) -> tuple[str, str, int]:
    """One mailbox that was provisioned and deprovisioned, as a worker did it; returns UPN, assignment and request."""
    await keeps(world)
    (upn,) = await world.people("ann")
    given = await world.give(upn)
    await world.settled()
    tried = await change_wish(scope_of(world), upn, EXCHANGE, RequestKind.DEPROVISION, dry_run=True)
    (said,) = tried.plan.warnings
    assert f"suspended for {DAYS} days, then removed on 20" in said
    asked = await change_wish(scope_of(world), upn, EXCHANGE, RequestKind.DEPROVISION)
    await world.settled()
    (result,) = asked.result
    assert result.request_id is not None
    return upn, given.assignment_id, result.request_id


async def test_what_is_taken_away_is_suspended_comes_back_with_its_data_and_is_removed_when_due(
    world: World,
) -> None:
    with worker(world):
        upn, assignment, request = await taken_away(world)
        row = await row_of(world, assignment)
        assert (row.light, row.wish, row.observed_wish) == (
            Light.GREY,
            Wish.ABSENT,
            Wish.SUSPENDED,
        )
        assert (await said_of(world, request))[-1].startswith("It is suspended, and kept until 20")
        async with world.store.read() as session:
            assert (await session.scalars(select(SeatHoldRow.id))).all() == []
        (view,) = [
            view for view in await status(scope_of(world), user=upn) if view.id == assignment
        ]
        assert view.kept_until is not None
        # It is no orphan.
        keys = await known_at(world.store, world.caller, ["simulator"], [assignment])
        assert keys == {assignment}
        # Provisioned again it is what it was, with the password that nobody has here any more.
        await world.give(upn)
        await world.settled()
        back = await row_of(world, assignment)
        assert (back.light, back.kept_until) == (Light.GREEN, 0.0)
        assert login(world.simulator_path, back.backend_name, PASSWORD)
        await change_wish(scope_of(world), upn, EXCHANGE, RequestKind.DEPROVISION)
        await world.settled()
        assert removed(world) == 0
        await delete_user(scope_of(world), upn)
        with pytest.raises(Conflict, match="services are left") as refused:
            await purge_user(scope_of(world), upn)
        assert "kept until 20" in str(refused.value.problems[0])
        await let_it_be_over(world)
        for overdue in await kept_removals.overdue_services(world.store, 10):
            assert await kept_removals.remove_overdue(world.store, overdue)
            assert not await kept_removals.remove_overdue(world.store, overdue)
        await world.settled()
    gone = await row_of(world, assignment)
    assert (gone.light, gone.observed_wish, gone.kept_until) == (Light.GREY, Wish.ABSENT, 0.0)
    assert removed(world) == 3
    async with world.store.read() as session:
        rows = await session.scalars(
            select(AuditRow)
            .where(AuditRow.action == f"deprovision {EXCHANGE}")
            .order_by(AuditRow.id)
        )
        first, *_, last = rows.all()
    assert "kept_until" in first.after
    assert last.operator == "worker"


@pytest.mark.proof
async def test_what_is_due_is_removed_within_the_limit_of_removals(world: World) -> None:
    await keeps(world)
    upns = await world.people("ann", "bob")
    with worker(world):
        for upn in upns:
            await world.give(upn)
        await world.settled()
        for upn in upns:
            await change_wish(scope_of(world), upn, EXCHANGE, RequestKind.DEPROVISION)
        await world.settled()
    await let_it_be_over(world)
    world.configure(removal_limit=1, removal_window_seconds=3600.0)
    with worker(world):

        async def held() -> bool:
            return len(await held_removals(scope_of(world))) == 2

        await world.until(held)
        await allow_removals(scope_of(world))
        await world.settled()
    assert removed(world) == 6


async def test_a_clock_that_leaped_removes_nothing(world: World) -> None:
    with worker(world):
        _upn, assignment, _request = await taken_away(world)
    await let_it_be_over(world)
    await trusted_clock.doubt(world.store, "The clock leaped.")
    await Housekeeping(world.store, WorkerSettings()).run()
    kept = await row_of(world, assignment)
    assert (kept.light, kept.kept_until) == (Light.GREY, 1.0)
    assert await world.lights() == Counter({Light.GREY: 1})


@pytest.mark.proof
async def test_at_once_means_at_once_also_for_what_is_kept(world: World) -> None:
    with worker(world):
        upn, assignment, _request = await taken_away(world)
        await change_wish(scope_of(world), upn, EXCHANGE, RequestKind.DEPROVISION, at_once=True)
        await world.settled()
    gone = await row_of(world, assignment)
    assert (gone.light, gone.observed_wish, gone.kept_until) == (Light.GREY, Wish.ABSENT, 0.0)
