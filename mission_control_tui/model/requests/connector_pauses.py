"""Connectors that refused us: paused until a check passes again."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from mission_control_tui.model.requests.dependencies import settle_connector
from mission_control_tui.model.states import ErrorKind
from mission_control_tui.model.store.engine import clock
from mission_control_tui.model.store.tables.workers import ConnectorStateRow
from mission_control_tui.model.store.transaction import Transaction
from mission_control_tui.model.store.worker_transaction import worker_transaction


@dataclass(frozen=True, slots=True)
class Pause:
    """A paused connector and why; `next_check_at` is by the database's clock."""

    name: str
    kind: str
    said: str
    remedy: str
    next_check_at: float


async def pauses(session: AsyncSession) -> tuple[Pause, ...]:
    """Return the connectors that are paused now, by name."""
    return tuple(Pause(*row) for row in await session.execute(_PAUSED))


_PAUSED = (
    select(
        ConnectorStateRow.name,
        ConnectorStateRow.kind,
        ConnectorStateRow.said,
        ConnectorStateRow.remedy,
        ConnectorStateRow.next_check_at,
    )
    .where(ConnectorStateRow.paused)
    .order_by(ConnectorStateRow.name)
)


async def is_paused(tx: Transaction, connector: str) -> bool:
    """Tell whether the connector is paused; locks its row where there is one."""
    row = await _row(tx, connector)
    return row is not None and row.paused


async def pause(
    tx: Transaction, connector: str, kind: ErrorKind, said: str, remedy: str, seconds: float
) -> None:
    """Pause the connector for `seconds`, then check; the next claim lets its queued requests wait, saying why."""
    next_check_at = await clock(tx.session) + seconds
    row = await _row(tx, connector)
    if row is None:
        row = ConnectorStateRow(name=connector)
        tx.session.add(row)
    row.paused, row.kind, row.said, row.remedy = True, kind, said, remedy
    row.since, row.next_check_at = tx.now, next_check_at


@worker_transaction
async def claim_check(tx: Transaction, connector: str, seconds: float) -> bool:
    """Tell whether this worker is the one that checks the connector now; others leave it for `seconds`."""
    row = await _row(tx, connector)
    now = await clock(tx.session)
    # A longer wait than any was set before the clock was moved back.
    if row is None or not row.paused or now < row.next_check_at <= now + seconds:
        return False
    row.next_check_at = now + seconds
    return True


@worker_transaction
async def still_paused(
    tx: Transaction, connector: str, kind: ErrorKind, said: str, remedy: str
) -> None:
    """Note that the check failed, perhaps for another reason than before."""
    row = await _row(tx, connector)
    if row is not None and row.paused and row.said != said:
        row.kind, row.said, row.remedy = kind, said, remedy
        await tx.session.flush()
        await settle_connector(tx, connector)


@worker_transaction
async def resume(tx: Transaction, connector: str) -> int:
    """Note that the check passed: what waited goes on by itself. Return how many requests were queued."""
    row = await _row(tx, connector)
    if row is None:
        return 0
    row.paused = False
    row.since = tx.now
    await tx.session.flush()
    return await settle_connector(tx, connector)


async def _row(tx: Transaction, connector: str) -> ConnectorStateRow | None:
    return await tx.session.scalar(
        select(ConnectorStateRow)
        .where(ConnectorStateRow.name == connector)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
