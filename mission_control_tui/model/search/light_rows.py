"""What a matrix of lights shows: columns, cells and rows; plain values, never rows of tables."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from mission_control_tui.model.catalogue.types import Catalogue
from mission_control_tui.model.states import Light, SubjectKind, Wish, Word
from mission_control_tui.model.store.batches import batches
from mission_control_tui.model.store.tables.services import AssignmentRow, is_shown
from mission_control_tui.model.store.tables.users import UserRow
from mission_control_tui.model.views import view_of

_WORST_FIRST = (Light.RED, Light.ORANGE, Light.GREEN, Light.GREY)
_LETTERS = {
    Word.ERROR: "E",
    Word.QUEUED: "Q",
    Word.PROVISIONING: "P",
    Word.WAITING: "W",
    Word.PROVISIONED: "G",
    Word.NOT_CHECKED: "N",
    Word.NOT_PROVISIONED: "-",
}


@dataclass(frozen=True, slots=True)
class LightColumn:
    """A service across. `code` is two letters that no other column has."""

    service_id: str
    name: str
    code: str


@dataclass(frozen=True, slots=True)
class Cell:
    """A user's instances of one service, as the worst of them: what its light and its one letter say."""

    light: Light
    letter: str
    assignment_id: str
    level_id: str
    word: str
    since: datetime
    suspended: bool
    drift: bool
    said: str
    count: int


@dataclass(frozen=True, slots=True)
class MatrixRow:
    """One user with cells by service id; services that the user never had are missing. `since`: see `Order`."""

    user_id: str
    account_id: int
    upn: str
    display_name: str
    disabled: bool
    locked: bool
    since: datetime | None
    cells: Mapping[str, Cell]


@dataclass(frozen=True, slots=True)
class MatrixPage:
    """Some rows. `total` is how many there are in all; with `more`, at least so many."""

    rows: tuple[MatrixRow, ...]
    total: int
    more: bool = False


def coded(catalogue: Catalogue, wanted: Collection[str]) -> tuple[LightColumn, ...]:
    found: list[LightColumn] = []
    taken: set[str] = set()
    for service in catalogue.services:
        if service.id not in wanted or service.subject is not SubjectKind.USER:
            continue
        words = [word for word in service.name.split() if word[0].isalnum()] or [service.id]
        letters = "".join(char for char in service.name if char.isalnum()) or service.id
        initials = "".join(word[0] for word in words[:2])
        tries = [
            initials.ljust(2, letters[1:2] or "x"),
            *(letters[0] + letter for letter in letters[1:]),
        ]
        tries += [f"{number:02d}" for number in range(1, 100)]
        code = next(tried.upper() for tried in tries if tried.upper() not in taken)
        taken.add(code)
        found.append(LightColumn(service.id, service.name, code))
    return tuple(found)


async def rows_of(session: AsyncSession, user_ids: Sequence[str]) -> tuple[MatrixRow, ...]:
    """Return these users with their services, in the order of `user_ids`."""
    if not user_ids:
        return ()
    users: dict[str, Any] = {}
    cells: dict[str, dict[str, list[Any]]] = {}
    for chunk in batches(user_ids):
        people = await session.execute(
            select(
                UserRow.id,
                UserRow.account_id,
                UserRow.upn,
                UserRow.display_name,
                UserRow.disabled,
                UserRow.locked,
            ).where(UserRow.id.in_(chunk))
        )
        users |= {row.id: row for row in people}
        services = await session.execute(
            select(
                AssignmentRow.user_id,
                AssignmentRow.service_id,
                AssignmentRow.id,
                AssignmentRow.light,
                AssignmentRow.word,
                AssignmentRow.wish,
                AssignmentRow.level_id,
                AssignmentRow.drift,
                AssignmentRow.since,
                AssignmentRow.error_said,
            )
            .where(AssignmentRow.user_id.in_(chunk), is_shown())
            .order_by(AssignmentRow.instance)
        )
        for row in services:
            cells.setdefault(row.user_id or "", {}).setdefault(row.service_id, []).append(row)
    return tuple(
        _row(users[user_id], cells.get(user_id, {})) for user_id in user_ids if user_id in users
    )


def _row(user: Any, services: Mapping[str, Sequence[Any]]) -> MatrixRow:
    ages = [
        row.since
        for rows in services.values()
        for row in rows
        if row.light in (Light.RED, Light.ORANGE)
    ]
    return view_of(
        MatrixRow,
        user,
        user_id=user.id,
        since=min(ages, default=None),
        cells={service: _cell(rows) for service, rows in services.items()},
    )


def _cell(rows: Sequence[Any]) -> Cell:
    worst = min(rows, key=lambda row: _WORST_FIRST.index(Light(row.light)))
    light = Light(worst.light)
    suspended = worst.wish == Wish.SUSPENDED
    letter = _LETTERS[Word(worst.word)]
    if light is Light.GREEN and suspended:
        letter = "S"
    if worst.drift:
        letter = "D"
    return Cell(
        light,
        letter,
        worst.id,
        worst.level_id,
        worst.word,
        worst.since,
        suspended,
        worst.drift,
        worst.error_said,
        len(rows),
    )
