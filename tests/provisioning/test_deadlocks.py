"""A deadlock is nobody's fault and nothing that fails for good: PostgreSQL breaks it, and it is done again."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import select, text

from mission_control_tui.model.schedules import due as schedule_due
from mission_control_tui.model.schedules import running
from mission_control_tui.model.schedules.editing import schedule
from mission_control_tui.model.states import ScheduleState
from mission_control_tui.model.store.scope import AccountScope
from mission_control_tui.model.store.tables.services import AssignmentRow
from mission_control_tui.model.store.tables.users import UserRow
from mission_control_tui.model.users.actions.params import ActionParams
from tests.provisioning.support import ACCOUNT, EXCHANGE, World
from tests.provisioning.test_housekeeping import let_it_be_due


@pytest.mark.proof
async def test_a_schedule_that_met_a_deadlock_is_carried_out(postgres_world: World) -> None:
    world = postgres_world
    (user,) = await world.people("ann")
    given = await world.give(user)
    wanted = ActionParams(EXCHANGE)
    await schedule(AccountScope(world.store, world.caller, ACCOUNT), user, "suspend", wanted, "+1h")
    await let_it_be_due(world)
    (due,) = await schedule_due.due(world.store)
    async with world.store.write(world.caller) as tx:
        # The schedule has the user and waits for the service: it is the one that is refused.
        await tx.session.execute(text("SET LOCAL deadlock_timeout = '30s'"))
        service = select(AssignmentRow).where(AssignmentRow.id == given.assignment_id)
        await tx.session.execute(service.with_for_update())
        carried_out = asyncio.ensure_future(running.run(world.store, due))
        await asyncio.sleep(0.5)
        await tx.session.execute(select(UserRow.id).where(UserRow.upn == user).with_for_update())
    assert await carried_out is ScheduleState.DONE
    assert (await world.assignment(given.assignment_id)).wish == "suspended"
