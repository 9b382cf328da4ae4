"""Drift: what was green and no longer is so at the back end. A flag beside the light, never a colour."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast

from sqlalchemy import ColumnElement, Table, bindparam, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from mission_control_tui.model.audit_actions import AuditAction
from mission_control_tui.model.caller import Caller
from mission_control_tui.model.catalogue.in_force import in_force
from mission_control_tui.model.catalogue.types import Service
from mission_control_tui.model.errors import Denied, NotFound
from mission_control_tui.model.plan import Outcome, Plan, PlanVerb
from mission_control_tui.model.requests.attempts import ServiceWish, wished_of
from mission_control_tui.model.requests.attributes import attributes_of
from mission_control_tui.model.services.lights import is_of
from mission_control_tui.model.services.setting_references import sent_settings
from mission_control_tui.model.services.subject_lookup import seen_subject
from mission_control_tui.model.services.subjects import SubjectKey
from mission_control_tui.model.services.usage import fullness
from mission_control_tui.model.states import Light, Wish
from mission_control_tui.model.store import epochs
from mission_control_tui.model.store.database import Store
from mission_control_tui.model.store.scope import AccountScope
from mission_control_tui.model.store.subject_names import SUBJECT
from mission_control_tui.model.store.tables.documents import StoredUsage
from mission_control_tui.model.store.tables.services import LEFT, AssignmentRow
from mission_control_tui.model.store.tables.users import UserRow
from mission_control_tui.model.text.instances import with_instance
from mission_control_tui.model.views import view_of

PAGE = 200
_MARK_KEY = func.coalesce(func.nullif(AssignmentRow.marked, ""), AssignmentRow.id)
_ASSIGNMENTS = cast("Table", AssignmentRow.__table__)
_KEEP_USAGE = (
    update(_ASSIGNMENTS)
    .where(
        _ASSIGNMENTS.c.id == bindparam("of_assignment"),
        _ASSIGNMENTS.c.generation == bindparam("of_generation"),
    )
    .values(usage=bindparam("new_usage"), fullness=bindparam("new_fullness"))
)


@dataclass(frozen=True, slots=True)
class GreenAssignment:
    """A service instance, a green one where drift is looked for: what should be true of it at its back end."""

    assignment_id: str
    subject: str
    service_id: str
    service: str
    instance: str
    connector: str
    backend_name: str
    generation: int
    wished: ServiceWish
    attributes: Mapping[str, object]
    disabled: bool
    epoch: int
    external_id: str = ""
    token: str = ""
    key: str = ""
    """What its object is marked with."""


@dataclass(frozen=True, slots=True)
class DriftLook:
    """What a look at one of them found. `differs` names what differs, in the back end's words or as plan words."""

    assignment_id: str
    generation: int
    differs: tuple[str, ...]
    usage: Mapping[str, StoredUsage] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FlagCount:
    """How many flags were set, and how many taken away."""

    found: int
    gone: int


async def green_pages(
    scope: AccountScope, *, user: str | SubjectKey | None = None, service: str | None = None
) -> AsyncIterator[tuple[GreenAssignment, ...]]:
    """Yield the account's green instances, page by page; of one subject or service where named. Raises NotFound.

    A text names a user.
    Services and levels that left the catalogue are left out: what they grant is not known.
    """
    after = ""
    async with scope.read() as (session, account_id):
        catalogue = (await in_force(session)).catalogue
        subject = None
        if user is not None:
            subject = await seen_subject(session, account_id, SubjectKey.of(user))
        service_id = catalogue.service(service).id if service is not None else None
    services = {known.id: known for known in catalogue.services}
    while True:
        async with scope.store.read() as session:
            statement = (
                select(AssignmentRow, UserRow, SUBJECT)
                .outerjoin(UserRow, UserRow.id == AssignmentRow.user_id)
                .where(
                    AssignmentRow.account_id == account_id,
                    AssignmentRow.light == Light.GREEN,
                    AssignmentRow.id > after,
                )
                .order_by(AssignmentRow.id)
                .limit(PAGE)
            )
            if subject is not None:
                statement = statement.where(is_of(subject))
            if service_id is not None:
                statement = statement.where(AssignmentRow.service_id == service_id)
            rows = (await session.execute(statement)).all()
            page = await told_assignments(
                session, services, [(row, found, name) for row, found, name in rows]
            )
        if page:
            yield tuple(page)
        if len(rows) < PAGE:
            return
        after = rows[-1][0].id


async def told_assignments(
    session: AsyncSession,
    services: Mapping[str, Service],
    rows: Sequence[tuple[AssignmentRow, UserRow | None, str]],
) -> list[GreenAssignment]:
    """Return service instances as a back end is told of them; rows are theirs, their users' and their subjects' names.

    Services and levels that the catalogue lacks are left out.
    """
    epoch = await epochs.present(session)
    facts = await attributes_of(session, [(row, person) for row, person, _ in rows])
    found: list[GreenAssignment] = []
    for row, person, name in rows:
        try:
            known = services[row.service_id]
            settings = await sent_settings(session, known, row)
            wished = wished_of(known, row.wish, row.level_id, settings)
        except (KeyError, NotFound):
            continue
        found.append(
            view_of(
                GreenAssignment,
                row,
                assignment_id=row.id,
                key=row.mark_key,
                subject=name,
                service=known.name,
                wished=wished,
                attributes=facts[row.id],
                disabled=person is not None and person.disabled,
                epoch=epoch,
            )
        )
    return found


async def mark_drift(
    scope: AccountScope, looked: Sequence[DriftLook], *, dry_run: bool = False
) -> Outcome[FlagCount]:
    """Set the flag on what differs and take it from what agrees, and keep what was measured.

    What was wished anew meanwhile is left alone. A read-only caller may look, and sets no flag.
    """
    by_id = {look.assignment_id: look for look in looked}
    found = gone = 0
    async with scope.read() as (session, account_id):
        flags = {
            row[0]: row[1]
            for row in await session.execute(
                select(AssignmentRow.id, AssignmentRow.drift).where(
                    AssignmentRow.account_id == account_id, AssignmentRow.id.in_(by_id)
                )
            )
        }
    changed = [look for look in flags if flags[look] != bool(by_id[look].differs)]
    measured = [look for look in looked if look.usage]
    if not (changed or measured) or not scope.caller.may_write:
        return Outcome(FlagCount(0, 0), Plan(), not dry_run and scope.caller.may_write)
    async with scope.store.write(scope.caller, account_id, dry_run=dry_run) as tx:
        rows = await tx.session.execute(
            select(AssignmentRow, SUBJECT)
            .where(AssignmentRow.id.in_(changed), AssignmentRow.light == Light.GREEN)
            .order_by(AssignmentRow.id)
            .with_for_update(of=AssignmentRow)
        )
        for row, subject in rows.all():
            look = by_id[row.id]
            differs = bool(look.differs)
            if row.generation != look.generation or row.drift == differs:
                continue
            row.drift = differs
            found, gone = found + differs, gone + (not differs)
            tx.record(
                PlanVerb.CHANGED,
                "service",
                f"{subject} {with_instance(row.service_id, row.instance)}",
                before={"drift": not differs},
                after={"drift": differs, **({"differs": list(look.differs)} if differs else {})},
                action=AuditAction.DRIFT_FOUND if differs else AuditAction.DRIFT_GONE,
                user_id=row.user_id,
            )
        if measured:
            await tx.session.execute(
                _KEEP_USAGE,
                [
                    {
                        "of_assignment": look.assignment_id,
                        "of_generation": look.generation,
                        "new_usage": dict(look.usage),
                        "new_fullness": fullness(look.usage),
                    }
                    for look in measured
                ],
            )
    return tx.outcome(FlagCount(found, gone))


async def known_at(
    store: Store,
    caller: Caller,
    connectors: Collection[str],
    keys: Collection[str],
    settled: Collection[str] = (),
) -> frozenset[str]:
    """Return those of the keys (at most a few hundred) that are assignments which have, or wish for, an object there.

    `connectors` are the one that was listed and the composites that have it as a part. `settled` are those that the
    settings have: what is at another one may have an object anywhere, and is no orphan's.

    Objects belong to the whole installation: raises Denied to a caller who may see only some accounts.
    """
    if caller.accounts is not None:
        raise Denied("Orphans belong to no account, and you may see only some accounts.")
    async with store.read() as session:
        return await known_keys(session, connectors, keys, settled)


async def known_keys(
    session: AsyncSession,
    connectors: Collection[str],
    keys: Collection[str],
    settled: Collection[str] = (),
) -> frozenset[str]:
    """Return the same of a session, whoever asks."""
    there = [AssignmentRow.connector.in_(list(connectors))]
    if settled:
        there.append(AssignmentRow.connector.not_in(list(settled)))
    rows = await session.scalars(
        select(_MARK_KEY).where(
            AssignmentRow.id.in_(list(keys)) | (LEFT & AssignmentRow.marked.in_(list(keys))),
            or_(*there),
            may_be_there(),
        )
    )
    return frozenset(rows)


def may_be_there() -> ColumnElement[bool]:
    """Return the condition for service instances that have, or wish for, an object at their connector."""
    return or_(
        AssignmentRow.wish != Wish.ABSENT,
        AssignmentRow.light != Light.GREY,
        AssignmentRow.kept_until > 0,
    )
