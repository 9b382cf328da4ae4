"""Where mail that is sent on arrives in the end: whether it comes back to where it began.

Mail goes on from whoever's settings name a recipient, users and objects alike, and from a group to its members.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import exists, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from mission_control_tui.model.catalogue.types import Catalogue, Option
from mission_control_tui.model.catalogue.values import Value, ValueType, texts_of
from mission_control_tui.model.errors import Problem
from mission_control_tui.model.states import Wish
from mission_control_tui.model.store.batches import batches
from mission_control_tui.model.store.tables.groups import MemberRow, ObjectRow
from mission_control_tui.model.store.tables.services import AssignmentRow, SettingReferenceRow
from mission_control_tui.model.store.tables.users import UserRow
from mission_control_tui.model.text.clean import harmless

_FARTHEST = 50
"""Steps that are followed: a longer way ends somewhere, or is none that anybody made by hand."""


@dataclass(frozen=True, slots=True)
class MailCircle:
    """A way on which mail comes back. `said` names the stops; `is_kept` where one of them keeps a copy of it."""

    said: str
    is_kept: bool

    @property
    def warning(self) -> str:
        """What is said of one that is allowed."""
        return f"Mail goes round: {self.said}."

    def problem(self, where: str) -> Problem:
        """What is wrong with one that is not."""
        what = f"mail would go round and reach nobody: {self.said}"
        return Problem(where, what, "keep a copy in one of the mailboxes, or name another")


def keeps_copy(option: Option, settings: Mapping[str, Value]) -> bool:
    """Tell whether mail that the option sends on stays in the mailbox too."""
    return bool(option.copy_option) and settings.get(option.copy_option) is not False


async def circle(
    session: AsyncSession, catalogue: Catalogue, start: str, target: str, *, kept: bool = False
) -> MailCircle | None:
    """Return how mail of `start` that goes on to `target` (ids of users or objects) comes back; None where it does not.

    `kept`: it stays at `start` too. A circle in which nobody keeps a copy is found before any other.
    """
    if not await _is_named(session, start):
        return None
    for copies in (False, True):
        way = await _way(session, catalogue, start, target, copies=copies)
        if way:
            return MailCircle(await _said(session, [start, *way]), kept or copies)
    return None


async def reached_from(
    session: AsyncSession, catalogue: Catalogue, ids: Collection[str]
) -> frozenset[str]:
    """Return the ids of all users and objects to whom mail to these goes, themselves included."""
    found, following = set(ids), set(ids)
    while following:
        onward = await _onward(session, catalogue, following)
        following = {to for stops in onward.values() for to, _kept in stops} - found
        found |= following
    return frozenset(found)


async def _is_named(session: AsyncSession, ident: str) -> bool:
    """Tell whether anything leads to the user or object: almost always nothing does, and no way has to be followed."""
    ref, member = SettingReferenceRow, MemberRow
    named = exists().where(or_(ref.user_id == ident, ref.object_id == ident))
    return bool(
        await session.scalar(select(or_(named, exists().where(member.subject_id == ident))))
    )


async def _way(
    session: AsyncSession, catalogue: Catalogue, start: str, target: str, *, copies: bool
) -> list[str]:
    """Return the shortest way from `target` to `start`, both included; through who keeps a copy only with `copies`."""
    came_from: dict[str, str] = {target: ""}
    following = {target}
    for _ in range(_FARTHEST):
        if start in came_from or not following:
            break
        onward = await _onward(session, catalogue, following)
        following = set()
        for stop in sorted(onward):
            for to, kept in onward[stop]:
                if to not in came_from and (copies or not kept):
                    came_from[to] = stop
                    following.add(to)
    if start not in came_from:
        return []
    way = [start]
    while came_from[way[0]]:
        way.insert(0, came_from[way[0]])
    return way


Stops = dict[str, list[tuple[str, bool]]]
"""From whom mail goes on, to whom, and whether it is kept on the way."""


async def _onward(session: AsyncSession, catalogue: Catalogue, ids: Iterable[str]) -> Stops:
    found: Stops = {}
    recipients = {
        (service.id, option.id): option
        for service in catalogue.services
        for option in service.options
        if option.type is ValueType.RECIPIENT
    }
    reaching = {
        (kind.id, role.id) for kind in catalogue.kinds for role in kind.roles if role.mailed
    }
    for some in batches(sorted(ids)):
        rows = await session.execute(
            select(AssignmentRow, SettingReferenceRow)
            .join(SettingReferenceRow, SettingReferenceRow.assignment_id == AssignmentRow.id)
            .where(
                or_(AssignmentRow.user_id.in_(some), AssignmentRow.object_id.in_(some)),
                AssignmentRow.wish != Wish.ABSENT,
            )
            .order_by(SettingReferenceRow.id)
        )
        for row, ref in rows:
            option = recipients.get((row.service_id, ref.option_id))
            if option is not None and ref.value in texts_of(row.settings.get(option.id)):
                stop, to = str(row.user_id or row.object_id), str(ref.user_id or ref.object_id)
                found.setdefault(stop, []).append((to, keeps_copy(option, row.settings)))
        members = await session.execute(
            select(ObjectRow.id, ObjectRow.service_id, MemberRow.role, MemberRow.subject_id)
            .join(MemberRow, MemberRow.object_id == ObjectRow.id)
            .where(ObjectRow.id.in_(some), ObjectRow.removed_at.is_(None))
            .order_by(MemberRow.id)
        )
        for stop, kind, role, member in members:
            if (kind, role) in reaching:
                found.setdefault(stop, []).append((member, False))
    return found


async def _said(session: AsyncSession, way: Collection[str]) -> str:
    names: dict[str, str] = {}
    for row in (UserRow.id, UserRow.upn), (ObjectRow.id, ObjectRow.address):
        found = await session.execute(select(*row).where(row[0].in_(way)))
        names.update((ident, name) for ident, name in found)
    return " > ".join(harmless(names.get(stop, "it")) for stop in way)
