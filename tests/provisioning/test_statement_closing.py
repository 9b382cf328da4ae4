"""The worker closes months that are over by itself, once, whichever worker it is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select, update

from mission_control_tui.model.store.tables.accounts import AccountRow
from mission_control_tui.model.store.tables.billing import StatementRow
from tests.provisioning.support import World, worker

pytestmark = [pytest.mark.kill, pytest.mark.any_database]


async def test_a_month_that_is_over_is_closed_by_the_worker_once(world: World) -> None:
    async with world.store.write(world.caller) as tx:
        ago = datetime.now(UTC) - timedelta(days=40)
        await tx.session.execute(update(AccountRow).values(created_at=ago))

    async def closed() -> bool:
        async with world.store.read() as session:
            rows = await session.scalars(select(StatementRow.period))
            return f"{ago:%Y-%m}" in rows.all()

    for _ in range(2):
        with worker(world, MISSION_CONTROL_WORKER__LEASE_SECONDS="30"):
            await world.until(closed)
    async with world.store.read() as session:
        count = await session.scalar(
            select(func.count()).select_from(StatementRow).group_by(StatementRow.period)
        )
    assert count == 1
