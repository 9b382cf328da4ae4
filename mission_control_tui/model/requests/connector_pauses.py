"""Connectors that refused us, cannot be reached or ask for patience: paused until a check passes again.

A pause grows while checks fail, and from one pause to the next while they follow each other closely. What waits for
it is no failed try; only where the back end answers at once is the error that of the request that met it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from mission_control_tui.model.caller import Caller
from mission_control_tui.model.requests.dependencies import settle_connector
from mission_control_tui.model.states import ErrorKind, RequestState
from mission_control_tui.model.store.database import Store
from mission_control_tui.model.store.engine import clock
from mission_control_tui.model.store.scope import Reach
from mission_control_tui.model.store.tables.requests import RequestRow
from mission_control_tui.model.store.tables.workers import ConnectorStateRow
from mission_control_tui.model.store.transaction import Transaction
from mission_control_tui.model.store.worker_transaction import worker_transaction

CLOSE_SECONDS = 60.0
"""A pause that begins so soon after the last one is of the same trouble."""

PauseWaits = Callable[[int], float]
"""How many times the same trouble was met before -> seconds until the next check."""


@dataclass(frozen=True, slots=True)
class Pause:
    """A paused connector and why; `next_check_at` is by the database's clock, `wait` the seconds between two checks."""

    name: str
    kind: str
    said: str
    remedy: str
    next_check_at: float
    wait: float

    @property
    def lines(self) -> tuple[str, ...]:
        """Why nothing goes through it, what to do, and that all goes on by itself."""
        return (
            f"Connector {self.name} is paused: {self.said}",
            *((f"What to do: {self.remedy}",) if self.remedy else ()),
            "It is checked again and again, and all goes on by itself once it answers.",
        )


@dataclass(frozen=True, slots=True)
class PauseReason:
    """Why a connector is paused, in the back end's own words; `request_id` met it."""

    kind: ErrorKind
    said: str
    remedy: str
    request_id: int | None = None


async def pauses(session: AsyncSession) -> tuple[Pause, ...]:
    """Return the connectors that are paused now, by name."""
    return tuple(Pause(*row) for row in await session.execute(_PAUSED))


async def paused_connectors(scope: Reach) -> dict[str, Pause]:
    """Return the connectors that are paused now, by name; they belong to no account."""
    async with scope.reading() as (session, _within):
        return {pause.name: pause for pause in await pauses(session)}


async def to_check(session: AsyncSession) -> tuple[Pause, ...]:
    """Return the connectors that a worker has to check: those that are paused, and those that somebody asked for."""
    return tuple(Pause(*row) for row in await session.execute(_TO_CHECK))


_ALL = select(
    ConnectorStateRow.name,
    ConnectorStateRow.kind,
    ConnectorStateRow.said,
    ConnectorStateRow.remedy,
    ConnectorStateRow.next_check_at,
    ConnectorStateRow.wait,
).order_by(ConnectorStateRow.name)
WANTS_CHECK = ConnectorStateRow.paused | ConnectorStateRow.asked
_PAUSED = _ALL.where(ConnectorStateRow.paused)
_TO_CHECK = _ALL.where(WANTS_CHECK)


async def ask_for_check(
    store: Store, caller: Caller, connector: str, *, dry_run: bool = False
) -> None:
    """Let the worker check a connector now, paused or not: one that answers goes on. Raises Denied."""
    async with store.write(caller, dry_run=dry_run) as tx:
        row = await _row(tx, connector)
        if row is None:
            row = ConnectorStateRow(
                name=connector,
                paused=False,
                kind="",
                said="",
                remedy="",
                since=tx.now,
                strikes=0,
                resumed_at=0.0,
            )
            tx.session.add(row)
        row.asked, row.next_check_at = True, 0.0


async def pause(tx: Transaction, connector: str, reason: PauseReason, waits: PauseWaits) -> None:
    """Pause the connector, then check; the next claim lets its queued requests wait, saying why.

    One that is paused already stays so as it is.
    """
    row = await _row(tx, connector)
    if row is not None and row.paused:
        return
    now = await clock(tx.session)
    if row is None:
        row = ConnectorStateRow(name=connector, strikes=0, resumed_at=0.0)
        tx.session.add(row)
    close = row.strikes + 1 if 0.0 <= now - row.resumed_at < CLOSE_SECONDS else 0
    row.paused, row.kind, row.said, row.remedy = True, reason.kind, reason.said, reason.remedy
    row.since, row.request_id = tx.now, reason.request_id
    row.strikes, row.failed_checks = close, 0
    row.wait = waits(close)
    row.next_check_at = now + row.wait


@worker_transaction
async def check_at_once(tx: Transaction, connectors: Collection[str]) -> bool:
    """Let a worker check at once those of the connectors that are paused; tell whether there are any."""
    found = await tx.session.scalars(
        update(ConnectorStateRow)
        .where(ConnectorStateRow.name.in_(connectors), ConnectorStateRow.paused)
        .values(next_check_at=0.0)
        .returning(ConnectorStateRow.name)
        .execution_options(synchronize_session=False)
    )
    return bool(found.all())


@worker_transaction
async def claim_check(tx: Transaction, connector: str, seconds: float) -> bool:
    """Tell whether this worker is the one that checks the connector now; others leave it for `seconds`."""
    row = await _row(tx, connector)
    now = await clock(tx.session)
    # A longer wait than any was set before the clock was moved back.
    if row is None or not (row.paused or row.asked):
        return False
    if now < row.next_check_at <= now + row.wait:
        return False
    row.asked = False
    if not row.paused:
        return True
    row.wait = seconds
    row.next_check_at = now + seconds
    return True


@worker_transaction
async def still_paused(
    tx: Transaction, connector: str, reason: PauseReason, waits: PauseWaits
) -> None:
    """Note that the check failed, perhaps for another reason than before, and when the next one is due."""
    row = await _row(tx, connector)
    if row is None:
        return
    if not row.paused:
        await pause(tx, connector, reason, waits)
        return
    row.failed_checks += 1
    row.wait = waits(row.strikes + row.failed_checks)
    row.next_check_at = await clock(tx.session) + row.wait
    if row.said != reason.said:
        row.kind, row.said, row.remedy = reason.kind, reason.said, reason.remedy
        await tx.session.flush()
        await settle_connector(tx, connector)


@worker_transaction
async def resume(tx: Transaction, connector: str, version: str = "") -> int:
    """Note that the check passed: what waited goes on by itself. Return how many requests were queued.

    `version` is what the back end said of itself.
    """
    row = await _row(tx, connector)
    if row is None:
        return 0
    row.version = version
    if not row.paused:
        row.resumed_at = await clock(tx.session)
        return 0
    if not row.failed_checks and row.kind != ErrorKind.THROTTLED:
        # The back end was there all the time: it is this request that fails.
        await tx.session.execute(
            update(RequestRow)
            .where(RequestRow.id == row.request_id, RequestRow.state == RequestState.WAITING)
            .values(failures=RequestRow.failures + 1)
            .execution_options(synchronize_session=False)
        )
    row.paused = False
    row.since = tx.now
    row.resumed_at = await clock(tx.session)
    await tx.session.flush()
    return await settle_connector(tx, connector)


async def _row(tx: Transaction, connector: str) -> ConnectorStateRow | None:
    return await tx.session.scalar(
        select(ConnectorStateRow)
        .where(ConnectorStateRow.name == connector)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
