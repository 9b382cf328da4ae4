"""Whether the clock can be trusted with what cannot be taken back: purges, closed months, what takes something away.

A worker notes the newest time that it took for right. A clock that is more than LEAP_DAYS beyond all that the database
knows, or that leaped while a worker ran, is doubted until somebody confirms it: all workers, commands and consoles find
that in the installation's row.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from mission_control_tui.model.audit_actions import AuditAction
from mission_control_tui.model.caller import WORKER, Caller
from mission_control_tui.model.errors import Conflict
from mission_control_tui.model.store import epochs
from mission_control_tui.model.store.database import Store
from mission_control_tui.model.store.engine import clock
from mission_control_tui.model.store.tables.audit import AuditRow
from mission_control_tui.model.store.tables.installation import InstallationRow
from mission_control_tui.model.store.worker_transaction import silent_write
from mission_control_tui.model.text.counting import counted

LEAP_DAYS = 30
HELD = "Nothing is purged, closed, disabled or taken away by the clock until it is confirmed."
REMEDY = "Look at the clock. When it is right: mission-control clock confirm"


@dataclass(frozen=True, slots=True)
class ClockState:
    """The database's clock now, and why it is doubted since when; `doubt` is "" where it is not.

    `trusted` is the newest time that was taken for right.
    """

    now: datetime
    trusted: datetime
    doubt: str = ""
    doubted_at: datetime | None = None


async def state(session: AsyncSession) -> ClockState:
    """Return what is known of the clock, a leap while nobody looked included; writes nothing."""
    newest, created_at, said, doubted_at = (await session.execute(_KNOWN)).one()
    now = datetime.fromtimestamp(await clock(session), UTC)
    trusted = max(datetime.fromtimestamp(newest, UTC), created_at)
    if said:
        return ClockState(now, trusted, said, doubted_at)
    if now - trusted > _LEAP:
        trusted = await _newest_known(session, trusted)
    doubt = ""
    if now - trusted > _LEAP:
        days = (now - trusted).days
        doubt = f"It says {_day(now)}, {counted(days, 'day')} after all that the database knows ({_day(trusted)})."
    return ClockState(now, trusted, doubt)


async def _newest_known(session: AsyncSession, trusted: datetime) -> datetime:
    """Return the newest time that the audit leads to from a trusted one, without a gap that would be a leap."""
    while True:
        newest = await session.scalar(
            select(func.max(AuditRow.at)).where(
                AuditRow.at > trusted, AuditRow.at <= trusted + _LEAP
            )
        )
        if newest is None:
            return trusted
        trusted = newest


async def trust(store: Store, now: datetime) -> None:
    """Note a time that is taken for right."""
    async with silent_write(store) as session:
        await session.execute(
            update(InstallationRow)
            .where(
                InstallationRow.clock_doubt == "",
                InstallationRow.clock_trusted < now.timestamp(),
            )
            .values(clock_trusted=now.timestamp())
        )


async def doubt(store: Store, why: str) -> None:
    """Note that the clock is not to be trusted, and why; what is doubted already stays as it is."""
    async with store.write(WORKER) as tx:
        row = await epochs.locked(tx.session)
        if row.clock_doubt:
            return
        row.clock_doubt, row.clock_doubted_at = why, tx.now
        await tx.session.flush()
        await epochs.audit_everywhere(tx, AuditAction.DOUBT_CLOCK, {}, {"reason": why})


async def confirm(store: Store, caller: Caller, *, dry_run: bool = False) -> ClockState:
    """Take the clock as it is for right: what waited for that goes on. Raises Conflict where it is not doubted."""
    async with store.write(caller, dry_run=dry_run) as tx:
        row = await epochs.locked(tx.session)
        found = await state(tx.session)
        if not found.doubt:
            raise Conflict("The clock is not doubted.", hint="Nothing waits for it.")
        row.clock_doubt, row.clock_doubted_at = "", None
        row.clock_trusted = found.now.timestamp()
        await tx.session.flush()
        await epochs.audit_everywhere(
            tx,
            AuditAction.CONFIRM_CLOCK,
            {"reason": found.doubt},
            {"now": found.now.isoformat(timespec="seconds")},
        )
    return found


def _day(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d}"


_LEAP = timedelta(days=LEAP_DAYS)
_KNOWN = select(
    InstallationRow.clock_trusted,
    InstallationRow.created_at,
    InstallationRow.clock_doubt,
    InstallationRow.clock_doubted_at,
)
