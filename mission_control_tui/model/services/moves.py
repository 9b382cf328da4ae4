"""A service instance goes from one of its connectors to another: made there first, then taken away where it was.

What it leaves behind is an assignment of its own: at the connector before, wished absent, carrying the mark of what
moved. It waits until the other is green, and is kept suspended where the catalogue keeps what is taken away. So it has
its own light, request, pause and end, and a server that cannot be reached holds up nothing but its own removal.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import func, select

from mission_control_tui.model.errors import Conflict
from mission_control_tui.model.placement import Placement
from mission_control_tui.model.services.kept_settings import without_password
from mission_control_tui.model.services.leftovers import home_of, left_behind, remaining
from mission_control_tui.model.services.placing import go_to, is_gone
from mission_control_tui.model.services.retention import keep_until
from mission_control_tui.model.services.wishes import (
    enqueue,
    show,
    supersede_waiting,
)
from mission_control_tui.model.states import Light, RequestKind, RequestState, Wish, Word
from mission_control_tui.model.store.tables.requests import RequestRow
from mission_control_tui.model.store.tables.services import AssignmentRow
from mission_control_tui.model.store.transaction import Transaction

_NAME_LIMIT = 64
_STEP = "It moved from {before} to {after}: provision again to check"
_STEP_LEFT = "A move left it here: deprovision to remove it"


@dataclass(frozen=True, slots=True)
class Moved:
    """What a move does: its request, what is left at which connector until when (0: removed once the other is there).

    `returns` are connectors that have it still, from before; `fresh` are those where it is made.
    """

    request: RequestRow
    left: Mapping[str, float]
    fresh: frozenset[str]
    returns: frozenset[str]


def unchecked(previous: Mapping[str, Any], step: str) -> dict[str, Any]:
    """Return what a cancel restores: the wish before, but not a light that was true of another back end."""
    if previous.get("wish") == Wish.ABSENT and previous.get("light") == Light.GREY:
        return dict(previous)
    return _not_checked(previous, step)


def _not_checked(previous: Mapping[str, Any], step: str) -> dict[str, Any]:
    return {
        **previous,
        "light": str(Light.ORANGE),
        "word": str(Word.NOT_CHECKED),
        "step": step,
        "error_kind": "",
        "error_said": "",
        "error_remedy": "",
        "drift": False,
    }


async def refuse_while_running(tx: Transaction, row: AssignmentRow, said: str) -> None:
    """Raise Conflict while a worker is at it: what it learns is true of the back end where it began."""
    running = await tx.session.scalar(
        select(RequestRow.id).where(
            RequestRow.assignment_id == row.id, RequestRow.state == RequestState.RUNNING
        )
    )
    if running is not None:
        raise Conflict(
            f"{said} is being worked on: request {running}.",
            hint="Ask again once that has ended.",
        )


async def relocate(
    tx: Transaction,
    row: AssignmentRow,
    placement: Placement,
    to: str,
    said: str,
    *,
    depends_on: Sequence[int] = (),
    at_once: bool = False,
) -> Moved:
    """Let the locked instance be at another connector, and what it leaves be removed once it is there.

    Parts that both have stay as they are. Where it was before and is kept still, it is the same again. `said` names it.
    Raises Conflict while a worker is at it, or at what it left there, and where the settings do not have the connector
    before: nobody knows then which parts it shares with the other one.
    """
    await refuse_while_running(tx, row, said)
    before = row.connector
    there = not is_gone(row) and await _may_be_there(tx, row)
    if there and not placement.knows(before):
        raise Conflict(
            f"{said} is at {before}, and the settings have no connector {before}.",
            hint=f"Put the table [connectors.{before}] back, with the parts that it had.",
        )
    old, new = placement.parts_of(before), placement.parts_of(to)
    ids = _ids_by_connector(row.external_id, old)
    leaving = [each for each in dict.fromkeys(old.values()) if each not in new.values()]
    arriving = [each for each in dict.fromkeys(new.values()) if each not in old.values()]
    found = await left_behind(tx, row)
    spare = [left for each, left in found.items() if each in arriving or each == _parked_name(left)]
    for left in spare:
        await refuse_while_running(tx, left, f"{said}, left at {left.connector},")
    returns = frozenset(left.connector for left in spare if not is_gone(left))
    ids |= {left.connector: left.external_id for left in spare if left.connector in returns}
    generation = max([row.generation, *(left.generation for left in spare)])
    for left in spare:
        await supersede_waiting(tx, left)
        left.connector = left.instance = _parked_name(left)
        left.external_id, left.kept_until, left.observed_wish = "", 0.0, Wish.ABSENT
        left.generation = generation
        show(left, Light.GREY, Word.NOT_PROVISIONED, tx)
    # Two rows exchange what no two may have.
    await tx.session.flush()
    go_to(row, to)
    if returns or (there and set(old.values()) & set(new.values())):
        # It has a part there already, which a further move may not forget.
        row.observed_wish = Wish.PRESENT
    row.generation = generation
    row.external_id = _external_id(ids, new, plain=not placement.parts.get(to))
    await tx.session.flush()
    step = _STEP.format(before=before, after=to)
    request = await enqueue(tx, row, RequestKind.MOVE, depends_on=depends_on)
    request.previous = {**unchecked(request.previous, step), "moved_from": before}
    kept: dict[str, float] = {}
    for connector in leaving if there else ():
        left = spare.pop() if spare else _new(tx, row)
        left.connector, left.external_id = connector, ids.get(connector, "")
        left.instance = _left_name(row, connector)
        left.level_id, left.settings, left.stated = row.level_id, row.settings, row.stated
        left.backend_name, left.generation = row.backend_name, generation
        left.password_delivered = row.password_delivered
        left.observed_wish, left.observed_level = Wish.PRESENT, row.level_id
        left.kept_until = 0.0 if at_once else await keep_until(tx, left, told=False)
        kept[connector] = left.kept_until
        await tx.session.flush()
        removal = await enqueue(
            tx, left, RequestKind.DEPROVISION, wish=Wish.ABSENT, depends_on=[request.id]
        )
        # Without a removal it is there all the same, and nobody may take it for gone.
        removal.previous = _not_checked(removal.previous, _STEP_LEFT)
    return Moved(request, kept, frozenset(arriving) - returns, returns)


async def turn_back(tx: Transaction, request: RequestRow, row: AssignmentRow, said: str) -> bool:
    """Move an instance back whose move has not ended, instead of cancelling that; False where there is no way back."""
    placement = tx.placements.get(row.service_id)
    before = request.previous.get("moved_from")
    if placement is None or not isinstance(before, str) or before not in placement.connectors:
        return False
    delivered = row.password_delivered
    moved = await relocate(tx, row, placement, before, said)
    row.password_delivered = delivered or not moved.fresh
    return True


async def come_back(
    tx: Transaction, row: AssignmentRow, placement: Placement, on: str, said: str
) -> Moved | None:
    """Let an instance that was taken away before its moves had ended be again where they left it; None where it is not.

    `on` is the connector that it is wanted at, "" for any. Raises Conflict while a worker is at what is left there.
    """
    if (row.wish, row.light) != (Wish.ABSENT, Light.GREY):
        return None
    home = await home_of(tx, row)
    if not home or on not in ("", home) or not placement.knows(home):
        return None
    parts = placement.parts_of(home).values()
    kept = [left for left in await remaining(tx, row) if left.connector in parts]
    if not kept:
        return None
    row.kept_until = max(left.kept_until for left in kept)
    row.password_delivered = all(left.password_delivered for left in kept)
    if any(left.light != Light.GREY for left in kept):
        show(row, Light.ORANGE, Word.NOT_CHECKED, tx)
    moved = await relocate(tx, row, placement, home, said)
    row.observed_wish = Wish.SUSPENDED
    row.password_delivered = row.password_delivered and not await sets_password(tx, moved)
    return moved


async def sets_password(tx: Transaction, moved: Moved) -> bool:
    """Tell whether a password has to be set where it is made; unless a connector is known to set none, it has."""
    return bool(moved.fresh - await without_password(tx.session, moved.fresh))


def _new(tx: Transaction, row: AssignmentRow) -> AssignmentRow:
    left = AssignmentRow(
        id=uuid.uuid4().hex,
        account_id=row.account_id,
        subject_kind=row.subject_kind,
        subject_id=row.subject_id,
        user_id=row.user_id,
        domain_id=row.domain_id,
        object_id=row.object_id,
        service_id=row.service_id,
        marked=row.id,
        wish=Wish.ABSENT,
        light=Light.GREY,
        word=Word.NOT_PROVISIONED,
        since=tx.now,
        observed_wish=Wish.ABSENT,
    )
    tx.session.add(left)
    return left


async def _may_be_there(tx: Transaction, row: AssignmentRow) -> bool:
    """Tell whether anything may be where the instance is: it was seen there, or a worker has begun since it came."""
    if row.observed_wish != Wish.ABSENT or row.observed_generation:
        return True
    came = (
        select(func.coalesce(func.max(RequestRow.id), 0))
        .where(RequestRow.assignment_id == row.id, RequestRow.kind == RequestKind.MOVE)
        .scalar_subquery()
    )
    tried = await tx.session.scalar(
        select(func.max(RequestRow.attempt)).where(
            RequestRow.assignment_id == row.id, RequestRow.id >= came
        )
    )
    return bool(tried)


def _parked_name(left: AssignmentRow) -> str:
    """Return what one is called, and where it is, that has nothing left behind: the next thing left is its."""
    return f"left-{left.id}"


def _left_name(row: AssignmentRow, connector: str) -> str:
    """Return what people call what is left: "left at mail-1", after the name of the instance."""
    name = f"{row.instance}, left at {connector}" if row.instance else f"left at {connector}"
    return name if len(name) <= _NAME_LIMIT else f"{name[: _NAME_LIMIT - 9]} {row.id[:8]}"


def _ids_by_connector(external_id: str, parts: Mapping[str, str]) -> dict[str, str]:
    """Return the back ends' own ids of an instance by connector; those of parts are kept by their names."""
    if parts.keys() == {""}:
        return {parts[""]: external_id}
    by_part = msgspec.json.decode(external_id, type=dict[str, str]) if external_id else {}
    return {parts[part]: found for part, found in by_part.items() if part in parts}


def _external_id(ids: Mapping[str, str], parts: Mapping[str, str], *, plain: bool) -> str:
    if plain:
        return ids.get(parts[""], "")
    by_part = {part: ids[each] for part, each in parts.items() if ids.get(each)}
    return msgspec.json.encode(by_part).decode() if by_part else ""
