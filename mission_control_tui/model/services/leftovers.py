"""What moves left of a service where it was: what there is of it, what its removal waits for, how long it is kept."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import func, select

from mission_control_tui.model.services.placing import is_gone
from mission_control_tui.model.services.retention import kept_date
from mission_control_tui.model.services.wishes import last_request
from mission_control_tui.model.states import Light, RequestKind, RequestState, Wish
from mission_control_tui.model.store.tables.requests import RequestRow
from mission_control_tui.model.store.tables.services import LEFT, AssignmentRow
from mission_control_tui.model.store.transaction import Transaction

_ONLY = "the only one there is"


async def left_behind(tx: Transaction, row: AssignmentRow) -> dict[str, AssignmentRow]:
    """Return what an instance has left at other connectors, by connector, also what is gone there; locked."""
    rows = await tx.session.scalars(
        select(AssignmentRow)
        .where(LEFT, AssignmentRow.marked == row.id)
        .order_by(AssignmentRow.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return {left.connector: left for left in rows}


async def remaining(tx: Transaction, row: AssignmentRow) -> list[AssignmentRow]:
    """Return what of that is there still; locked."""
    return [left for left in (await left_behind(tx, row)).values() if not is_gone(left)]


async def awaited(tx: Transaction, row: AssignmentRow) -> list[int]:
    """Return what the removal of what a move left waits for: the request of what moved, which is not there yet.

    What moved may be on its way to be kept: whether it is there to be kept shows only when that has ended.
    """
    moved = await moved_of(tx, row)
    if moved is None or moved.light == Light.GREEN or is_taken_away(moved):
        return []
    return await last_request(tx, moved.id)


async def moved_of(tx: Transaction, row: AssignmentRow) -> AssignmentRow | None:
    """Return the instance that left this behind; None for one that no move left."""
    return await tx.session.get(AssignmentRow, row.marked) if row.marked else None


def is_taken_away(moved: AssignmentRow) -> bool:
    """Tell whether nothing of an instance will be there, or all that will be kept of it is known."""
    return moved.wish == Wish.ABSENT and (not moved.kept_until or moved.light == Light.GREY)


async def home_of(tx: Transaction, row: AssignmentRow) -> str:
    """Return the connector where an instance was seen last, whose moves since have not ended; "" where it is there."""
    arrived = (
        select(func.coalesce(func.max(RequestRow.id), 0))
        .where(
            RequestRow.assignment_id == row.id,
            RequestRow.state == RequestState.SUCCEEDED,
            RequestRow.kind != RequestKind.DEPROVISION,
        )
        .scalar_subquery()
    )
    moves = await tx.session.scalars(
        select(RequestRow.previous)
        .where(
            RequestRow.assignment_id == row.id,
            RequestRow.kind == RequestKind.MOVE,
            RequestRow.id > arrived,
        )
        .order_by(RequestRow.id)
    )
    # One that was asked for again says nothing of where it came from.
    home = next((str(move["moved_from"]) for move in moves if "moved_from" in move), "")
    return "" if home == row.connector else home


async def keep_instead(tx: Transaction, row: AssignmentRow) -> tuple[str, ...]:
    """Keep what moves left of an instance that was to be kept and never was there; returns the connectors."""
    left = await remaining(tx, row)
    if not left or not await home_of(tx, row):
        return ()
    for each in left:
        each.kept_until = max(each.kept_until, row.kept_until)
    return tuple(each.connector for each in left)


async def fate_of_left(
    tx: Transaction, row: AssignmentRow, name: str, waits: Collection[int]
) -> dict[str, str]:
    """Return what the plan of a removal says of moves that have not ended, by what it is called; says what is lost.

    `row` is what is to be removed, called `name`, and `waits` what its removal waits for.
    """
    moved = await moved_of(tx, row)
    if moved is not None:
        if waits:
            return {"removed": f"once it is at {moved.connector}"}
        only = not row.kept_until and moved.wish == Wish.ABSENT and await home_of(tx, moved)
        if only:
            tx.lost.append(f"{name}: {_ONLY}, with its data")
        return {"removed": _ONLY} if only else {}
    if row.service_id not in tx.placements or not await home_of(tx, row):
        return {}
    told: dict[str, str] = {}
    for left in await remaining(tx, row):
        until = max(left.kept_until, row.kept_until)
        said = f"suspended, removed on {kept_date(until)}" if until else f"{_ONLY}, removed at once"
        told[f"left at {left.connector}"] = said
        if not until:
            tx.lost.append(f"{name}, left at {left.connector}: {_ONLY}, with its data")
    return told
