"""Whom settings mean, by id: they follow a rename, and end with whom they mean, as members of groups do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from mission_control_tui.model.audit_actions import AuditAction
from mission_control_tui.model.catalogue.in_force import in_force
from mission_control_tui.model.catalogue.types import Catalogue, Service
from mission_control_tui.model.plan import PlanVerb
from mission_control_tui.model.services.setting_rules import USERS
from mission_control_tui.model.services.subjects import user_subject
from mission_control_tui.model.services.wishes import RequirementMissing, enqueue, requirements
from mission_control_tui.model.states import RequestKind, Wish
from mission_control_tui.model.store.tables.accounts import AccountRow
from mission_control_tui.model.store.tables.groups import ObjectRow
from mission_control_tui.model.store.tables.services import AssignmentRow, SettingReferenceRow
from mission_control_tui.model.store.tables.users import UserRow
from mission_control_tui.model.store.transaction import Transaction
from mission_control_tui.model.text.clean import harmless
from mission_control_tui.model.text.instances import with_instance

Found = Sequence[tuple[AssignmentRow, list[SettingReferenceRow]]]


@dataclass(frozen=True, slots=True)
class ChangedObject:
    """An object whose settings are others now, and has to be told: what they were and are."""

    row: ObjectRow
    before: Mapping[str, object]
    after: Mapping[str, object]


async def follow(
    tx: Transaction, name: str, *, user_id: str | None = None, object_id: str | None = None
) -> list[ChangedObject]:
    """Call a user or an object `name` in all settings that mean it; each user's service is told.

    Returns the objects whose settings mean it: their members' requests go along with what they are told.
    """
    changed: list[ChangedObject] = []
    for row, references in await _meaning(tx, user_id=user_id, object_id=object_id):
        settings = dict(row.settings)
        for ref in references:
            if ref.option_id in settings:
                settings[ref.option_id] = _replaced(settings[ref.option_id], ref.value, name)
            ref.value = name
        if settings != row.settings:
            changed += await _restate(tx, row, settings)
    return changed


async def drop(
    tx: Transaction,
    name: str,
    *,
    user_id: str | None = None,
    object_id: str | None = None,
    lost: str = "",
) -> list[ChangedObject]:
    """Take a user or an object, called `name`, out of all settings that mean it.

    With `lost` only out of those of that service, and of objects that are included with it. Each user's service is
    told, and objects that have to be are returned; plan and audit have a line for each.
    """
    changed: list[ChangedObject] = []
    catalogue = (await in_force(tx.session)).catalogue
    for row, references in await _meaning(tx, user_id=user_id, object_id=object_id):
        service = catalogue.service(row.service_id)
        if lost and lost not in (service.id, *service.included_with):
            continue
        settings = dict(row.settings)
        for ref in references:
            if ref.option_id in settings:
                settings[ref.option_id] = _replaced(settings[ref.option_id], ref.value, None)
            await tx.session.delete(ref)
        lost_from = [
            ref
            for ref in references
            if settings.get(ref.option_id) != row.settings.get(ref.option_id)
        ]
        if not lost_from:
            continue
        changed += await _restate(tx, row, settings)
        whose = (
            (await tx.session.get_one(UserRow, row.user_id)).upn
            if row.user_id is not None
            else (await tx.session.get_one(ObjectRow, row.object_id)).address
        )
        options = ", ".join(service.option(ref.option_id).name for ref in lost_from)
        tx.warn(
            f"{name} is taken out of {harmless(whose)}'s {service.name} ({options})."
            " Nothing brings it back there by itself."
        )
    return changed


async def _meaning(tx: Transaction, *, user_id: str | None, object_id: str | None) -> Found:
    mine = (
        SettingReferenceRow.user_id == user_id
        if user_id is not None
        else SettingReferenceRow.object_id == object_id
    )
    statement = (
        select(AssignmentRow, SettingReferenceRow)
        .join(AssignmentRow, AssignmentRow.id == SettingReferenceRow.assignment_id)
        .where(mine, AssignmentRow.wish != Wish.ABSENT)
        .order_by(AssignmentRow.id, SettingReferenceRow.id)
        .with_for_update(of=AssignmentRow)
        .execution_options(populate_existing=True)
    )
    found: dict[str, tuple[AssignmentRow, list[SettingReferenceRow]]] = {}
    for row, reference in (await tx.session.execute(statement)).all():
        found.setdefault(row.id, (row, []))[1].append(reference)
    return tuple(found.values())


def _replaced(value: object, old: str, new: str | None) -> Any:
    if not isinstance(value, list):
        return new if value == old else value
    kept = [new if entry == old else entry for entry in value]
    return [entry for entry in dict.fromkeys(kept) if entry is not None]


async def _restate(
    tx: Transaction, row: AssignmentRow, settings: Mapping[str, Any]
) -> list[ChangedObject]:
    """Wish for a user's service with these settings, as the one change that it is; an object's is left to be told."""
    if row.object_id is not None:
        described = await tx.session.get_one(ObjectRow, row.object_id)
        changed = [key for key in settings if row.settings.get(key) != settings[key]]
        had = {key: row.settings.get(key) for key in changed}
        row.settings, described.details = dict(settings), dict(settings)
        described.version += 1
        return [ChangedObject(described, had, {key: settings[key] for key in changed})]
    catalogue = (await in_force(tx.session)).catalogue
    service = catalogue.service(row.service_id)
    user = await tx.session.get_one(UserRow, row.user_id)
    before = {
        key: row.settings.get(key) for key in settings if row.settings.get(key) != settings[key]
    }
    waits = await _waits(tx, catalogue, service, user)
    request = await enqueue(tx, row, RequestKind.CHANGE, settings=settings, depends_on=waits)
    tx.record(
        PlanVerb.CHANGED,
        "service",
        f"{user.upn} {with_instance(service.name, row.instance)}",
        before=before,
        after={key: settings[key] for key in before},
        action=AuditAction.CHANGE,
        of=service.id,
        user_id=user.id,
        request_id=request.id,
        assignment_id=row.id,
    )
    return []


async def _waits(
    tx: Transaction, catalogue: Catalogue, service: Service, user: UserRow
) -> list[int]:
    account = await tx.session.get_one(AccountRow, user.account_id)
    try:
        return await requirements(tx, account, catalogue, user_subject(user), service)
    except RequirementMissing:
        return []


async def sent_settings(
    session: AsyncSession, service: Service, row: AssignmentRow
) -> dict[str, Any]:
    """Return the settings as a back end is told them: of users, only those that are known by id."""
    options = {option.id for option in service.options if option.type in USERS}
    named = {key for key in options if row.settings.get(key)}
    if not named:
        return dict(row.settings)
    known: dict[str, list[str]] = {key: [] for key in named}
    rows = await session.execute(
        select(SettingReferenceRow.option_id, SettingReferenceRow.value).where(
            SettingReferenceRow.assignment_id == row.id, SettingReferenceRow.option_id.in_(named)
        )
    )
    for option_id, value in rows:
        known[option_id].append(value)
    return {
        key: _known(value, known[key]) if key in named else value
        for key, value in row.settings.items()
    }


def _known(value: Any, known: Sequence[str]) -> Any:
    if isinstance(value, list):
        return [entry for entry in value if entry in known]
    return value if value in known else None
