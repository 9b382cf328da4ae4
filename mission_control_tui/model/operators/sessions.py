"""Runs of the console: where their operators are, so that a lost connection leads back to the same place."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from sqlalchemy import delete, select, update

from mission_control_tui.model.caller import Caller
from mission_control_tui.model.store.database import Store
from mission_control_tui.model.store.processes import host_name, is_alive, this_process
from mission_control_tui.model.store.tables.documents import StoredPlace
from mission_control_tui.model.store.tables.operators import SessionRow
from mission_control_tui.model.views import view_of

KEPT_DAYS = 90
"""Rows of sessions are kept for so long: the audit names them."""

OFFERED_HOURS = 24
"""A session that was lost longer ago is not offered again."""


class SessionEnding(StrEnum):
    """How a session ended; a running one has none."""

    QUIT = "quit"
    LOST = "lost"
    RESUMED = "resumed"


@dataclass(frozen=True, slots=True)
class ConsoleSession:
    """One run of the console. `place` is where its operator is."""

    id: str
    operator: str
    place: StoredPlace
    ticket: str
    started_at: datetime
    seen_at: datetime
    ended: str


async def begin(store: Store, caller: Caller) -> None:
    """Note that the console of `caller.session` runs in this process."""
    host, pid, started = this_process()
    now = datetime.now(UTC)
    async with store.private() as session:
        await session.execute(
            delete(SessionRow).where(SessionRow.seen_at < now - timedelta(days=KEPT_DAYS))
        )
        session.add(
            SessionRow(
                id=caller.session,
                operator=caller.operator,
                host=host,
                pid=pid,
                pid_started=started,
                place={},
                ticket=caller.ticket,
                started_at=now,
                seen_at=now,
                ended="",
            )
        )


async def keep_place(store: Store, caller: Caller, place: StoredPlace) -> None:
    """Note where the operator is now, and the ticket."""
    await _change(store, caller, place=place, ticket=caller.ticket)


async def end(store: Store, caller: Caller, how: SessionEnding = SessionEnding.QUIT) -> None:
    """Note how the session ended; one that ends without this was lost.

    Of one that was quit nothing is kept of where it was: what stood in its forms may be about people.
    """
    gone: dict[str, object] = {} if how is SessionEnding.LOST else {"place": {}}
    await _change(store, caller, ended=str(how), **gone)


async def _change(store: Store, caller: Caller, **values: object) -> None:
    async with store.private() as session:
        await session.execute(
            update(SessionRow)
            .where(SessionRow.id == caller.session, SessionRow.operator == caller.operator)
            .values(seen_at=datetime.now(UTC), **values)
        )


async def lost(store: Store, caller: Caller) -> ConsoleSession | None:
    """Return the operator's newest session that ended without being quit, if it may be gone on with.

    That is one whose process is gone from this machine (a process on another machine is taken for alive) or that noted
    that its terminal was lost, within OFFERED_HOURS.
    """
    since = datetime.now(UTC) - timedelta(hours=OFFERED_HOURS)
    async with store.read() as session:
        rows = await session.scalars(
            select(SessionRow)
            .where(SessionRow.operator == caller.operator, SessionRow.seen_at >= since)
            .where(SessionRow.ended.in_(["", SessionEnding.LOST]), SessionRow.id != caller.session)
            .order_by(SessionRow.seen_at.desc())
        )
        for row in rows:
            if row.ended or not is_alive(row.host, row.pid, row.pid_started):
                return view_of(ConsoleSession, row)
    return None


async def running(store: Store) -> tuple[ConsoleSession, ...]:
    """Return the sessions whose console runs now; one on another machine that was seen within OFFERED_HOURS counts."""
    since = datetime.now(UTC) - timedelta(hours=OFFERED_HOURS)
    async with store.read() as session:
        rows = await session.scalars(
            select(SessionRow).where(SessionRow.ended == "").order_by(SessionRow.started_at)
        )
        return tuple(
            view_of(ConsoleSession, row)
            for row in rows
            if is_alive(row.host, row.pid, row.pid_started)
            and (row.host == host_name() or row.seen_at >= since)
        )


async def take_over(store: Store, caller: Caller, lost_id: str) -> None:
    """Note that a lost session was gone on with or declined, so that it is not offered again."""
    async with store.private() as session:
        await session.execute(
            update(SessionRow)
            .where(SessionRow.id == lost_id, SessionRow.operator == caller.operator)
            .values(ended=str(SessionEnding.RESUMED), place={})
        )
