"""Importing groups, contacts and shared mailboxes with their members: each object is one transaction of its own.

An object whose address is there already changes nothing unless the import updates: then name and fields become what the
file states, and members are added, none taken out. The same file again goes on where it was stopped.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from mission_control_tui.model.catalogue.in_force import current
from mission_control_tui.model.catalogue.types import Catalogue, Service
from mission_control_tui.model.errors import MissionControlError, NotFound, Problem
from mission_control_tui.model.groups.editing import GroupChanges, create_object, edit_object
from mission_control_tui.model.groups.queries import show_object
from mission_control_tui.model.onboarding.files.columns import heading_key
from mission_control_tui.model.onboarding.files.object_rows import ObjectFileRow
from mission_control_tui.model.people.address_syntax import lookup_key
from mission_control_tui.model.plan import Outcome, Plan, PlanLine
from mission_control_tui.model.store.scope import AccountScope

Progress = Callable[[int, int], None]
_BETWEEN = re.compile(r"[\s,;|]+")


@dataclass(frozen=True, slots=True)
class RefusedObject:
    """A row that was not imported, with everything that is wrong with it."""

    row: int
    address: str
    problems: tuple[Problem, ...]


@dataclass(slots=True)
class ObjectsResult:
    """What became of the rows: addresses that were created, changed, are so already, or differ and are left alone."""

    created: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    left_alone: list[str] = field(default_factory=list)
    refused: list[RefusedObject] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Stated:
    kind: Service
    settings: dict[str, object]
    members: dict[str, list[str]]
    problems: list[Problem]


async def import_objects(
    scope: AccountScope,
    rows: Sequence[ObjectFileRow],
    *,
    update: bool = False,
    dry_run: bool = False,
    progress: Progress | None = None,
) -> Outcome[ObjectsResult]:
    """Make the objects of a file; objects that are members of others are made before them."""
    scope.caller.require_write()
    catalogue = (await current(scope.store)).catalogue
    result = ObjectsResult()
    lines: list[PlanLine] = []
    requests: list[int] = []
    in_file: dict[str, int] = {}
    for row in rows:
        in_file.setdefault(lookup_key(row.address), row.row)
    ordered = _members_first(rows, in_file)
    for done, row in enumerate(ordered, 1):
        stated = _stated(catalogue, row)
        problems = [
            *row.problems,
            *(stated.problems if stated is not None else _no_kind(catalogue, row)),
        ]
        if in_file[lookup_key(row.address)] != row.row and row.address:
            problems.append(row.problem("Address", "stands in another row as well", "keep one"))
        plan: Plan | None = None
        if stated is not None and not problems:
            try:
                plan = await _import(
                    scope, row, stated, result, in_file, update=update, dry_run=dry_run
                )
            except MissionControlError as error:
                problems = [
                    row.problem(found.where, found.what, found.hint) for found in error.problems
                ] or [row.problem("", error.what, error.hint)]
        if plan is not None:
            lines += plan.lines
            requests += plan.requests
        if problems:
            result.refused.append(RefusedObject(row.row, row.address, tuple(problems)))
        if progress is not None:
            progress(done, len(rows))
    result.refused.sort(key=lambda refused: refused.row)
    return Outcome(result, Plan(lines=tuple(lines), requests=tuple(requests)), not dry_run)


async def _import(
    scope: AccountScope,
    row: ObjectFileRow,
    stated: _Stated,
    result: ObjectsResult,
    in_file: dict[str, int],
    *,
    update: bool,
    dry_run: bool,
) -> Plan | None:
    members = stated.members
    if dry_run:  # other objects of the file are not there yet
        members = {
            role: [who for who in named if lookup_key(who) not in in_file]
            for role, named in members.items()
        }
    try:
        there = await show_object(scope, row.address)
    except NotFound:
        there = None
    if there is None or there.removed_at is not None or there.kind != stated.kind.id:
        made = await create_object(
            scope,
            stated.kind.id,
            row.name,
            row.address,
            settings=stated.settings,
            members=members,
            dry_run=dry_run,
        )
        result.created.append(row.address)
        return made.plan
    wished = GroupChanges(row.name or None, None, stated.settings, members)
    changed = await edit_object(scope, there.id, wished, dry_run=dry_run or not update)
    if not changed.plan.changes_anything:
        result.unchanged.append(row.address)
    elif update:
        result.changed.append(row.address)
        return changed.plan
    else:
        result.left_alone.append(row.address)
    return None


def _stated(catalogue: Catalogue, row: ObjectFileRow) -> _Stated | None:
    """Return what the row states of its kind; None where there is no such kind."""
    try:
        kind = catalogue.kind(row.kind)
    except NotFound:
        return None
    options = {
        heading_key(name): option.id
        for option in kind.options_for(kind.levels[0].id)
        for name in (option.id, option.name)
    }
    roles = {
        heading_key(name + plural): role.id
        for role in kind.roles
        for name in (role.id, role.name)
        for plural in ("", "s")
    }
    stated = _Stated(kind, {}, {}, [])
    for heading, cell in row.others.items():
        key = heading_key(heading)
        if key in roles:
            stated.members[roles[key]] = [who for who in _BETWEEN.split(cell) if who]
        elif key in options:
            stated.settings[options[key]] = cell
        else:
            hint = f"clear the cell; {kind.name} has: {', '.join((*options.values(), *roles.values()))}"
            what = f"is no field or role of a {kind.name}"
            stated.problems.append(row.problem(heading, what, hint))
    return stated


def _no_kind(catalogue: Catalogue, row: ObjectFileRow) -> list[Problem]:
    hint = f"one of: {', '.join(kind.id for kind in catalogue.kinds)}"
    return [row.problem("Kind", "is no kind of object" if row.kind else "is compulsory", hint)]


def _members_first(rows: Sequence[ObjectFileRow], in_file: dict[str, int]) -> list[ObjectFileRow]:
    """Return the rows with objects before those that they are members of; a circle stays as in the file."""
    by_row = {row.row: row for row in rows}
    placed: dict[int, ObjectFileRow] = {}

    def place(row: ObjectFileRow, above: frozenset[int]) -> None:
        if row.row in placed or row.row in above:
            return
        for cell in row.others.values():
            for who in _BETWEEN.split(cell):
                inner = in_file.get(lookup_key(who)) if "@" in who else None
                if inner is not None and len(above) < _DEPTH:
                    place(by_row[inner], above | {row.row})
        placed[row.row] = row

    for row in rows:
        place(row, frozenset())
    return list(placed.values())


_DEPTH = 50
"""Groups within groups that are followed."""
