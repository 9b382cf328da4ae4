"""What can be scheduled: each action as data that a row keeps, in words, and done inside a transaction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from sqlalchemy import select

from mission_control_tui.model.catalogue.in_force import in_force
from mission_control_tui.model.catalogue.types import Catalogue, PasswordUse, Service
from mission_control_tui.model.errors import Conflict, NotFound, UsageError
from mission_control_tui.model.services.wishes import find, user_subject
from mission_control_tui.model.states import Priority, RequestKind, SubjectKind, Wish
from mission_control_tui.model.store.lookups import account_row
from mission_control_tui.model.store.tables.services import AssignmentRow
from mission_control_tui.model.store.tables.users import UserRow
from mission_control_tui.model.store.transaction import Transaction
from mission_control_tui.model.users.editing import apply_changes
from mission_control_tui.model.users.provisioning import (
    ServiceRequest,
    ServiceResult,
    change_wish_in,
    provision_in,
)


class ScheduleAction(StrEnum):
    """What happens at the moment: to one service of the user, or to the user."""

    PROVISION = "provision"
    SUSPEND = "suspend"
    RESUME = "resume"
    DEPROVISION = "deprovision"
    DISABLE = "disable"
    ENABLE = "enable"


_OF_USERS = frozenset({ScheduleAction.DISABLE, ScheduleAction.ENABLE})


def stored(word: str) -> ScheduleAction:
    """Return the action that was stored. Raises Conflict for one that only a later version has."""
    try:
        return ScheduleAction(word)
    except ValueError as error:
        raise Conflict(f"This version has no action {word!r}.") from error


@dataclass(frozen=True, slots=True)
class ScheduleParams:
    """What an action is done with. Without a `service`, a deprovision takes everything away."""

    service: str = ""
    level: str | None = None
    settings: Mapping[str, object] = field(default_factory=dict)
    instance: str = ""

    def stored(self) -> dict[str, Any]:
        """As JSON, with what is stated only."""
        stated = {
            "service": self.service,
            "level": self.level,
            "settings": dict(self.settings),
            "instance": self.instance,
        }
        return {name: value for name, value in stated.items() if value}

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> ScheduleParams:
        """What `stored` gave."""
        return cls(
            stored.get("service", ""),
            stored.get("level"),
            stored.get("settings", {}),
            stored.get("instance", ""),
        )


def checked(catalogue: Catalogue, action: ScheduleAction, given: ScheduleParams) -> ScheduleParams:
    """The params with the catalogue's ids in place of names.

    Raises UsageError (what does not belong to the action, a service not given to users) and NotFound.
    """
    if action in _OF_USERS:
        if given.stored():
            raise UsageError(f"To {action} is about the user as a whole, so no service is named.")
        return given
    if action is not ScheduleAction.PROVISION and (given.level or given.settings):
        raise UsageError(f"To {action} takes no level and no settings.")
    if not given.service:
        if action is not ScheduleAction.DEPROVISION:
            raise UsageError(f"Say which service to {action}.")
        if given.instance:
            raise UsageError("An instance belongs to a service: name the service too.")
        return given
    service = catalogue.service(given.service)
    if service.subject is not SubjectKind.USER:
        raise UsageError(
            f"{service.name} is not given to users: it belongs to the {service.subject}.",
            hint="Only what users have can be scheduled.",
        )
    level = service.level(given.level).id if given.level else None
    return ScheduleParams(service.id, level, given.settings, given.instance)


async def act(
    tx: Transaction,
    user: UserRow,
    action: ScheduleAction,
    params: ScheduleParams,
    *,
    priority: int = Priority.BULK,
) -> tuple[int, ...]:
    """Do it now to the locked user, as the verb of the same name does; returns the requests that it made.

    Raises as `provision`, `change_wish` and `edit_user` do.
    """
    before = len(tx.requests)
    if action in _OF_USERS:
        await apply_changes(
            tx, user, {"disabled": action is ScheduleAction.DISABLE}, priority=priority
        )
        return tuple(tx.requests[before:])
    catalogue = (await in_force(tx.session)).catalogue
    if action is ScheduleAction.PROVISION:
        owner = await account_row(tx.session, tx.caller, user.account_id)
        wanted = ServiceRequest(params.service, params.level, params.settings, params.instance)
        given = await provision_in(tx, owner, catalogue, user, wanted, priority=priority)
        if given.password is not None:
            tx.warn(NOBODY_KNOWS)
        return _requests([given])
    kind = RequestKind(action)
    if params.service:
        service = catalogue.service(params.service)
        row = await find(tx, user_subject(user), service.id, params.instance)
        if row is None or (row.wish == Wish.ABSENT and action is not ScheduleAction.DEPROVISION):
            raise NotFound(f"{user.upn} has no {_named(service, params.instance)}.")
        return _requests([await change_wish_in(tx, user, service, row, kind, priority=priority)])
    rows = await tx.session.scalars(
        select(AssignmentRow)
        .where(AssignmentRow.user_id == user.id)
        .order_by(AssignmentRow.service_id, AssignmentRow.instance)
        .with_for_update()
    )
    return _requests(
        [
            await change_wish_in(
                tx, user, catalogue.service(row.service_id), row, kind, priority=priority
            )
            for row in rows.all()
        ]
    )


NOBODY_KNOWS = "Its password is a generated one that nobody knows: set another afterwards."


def secret_note(catalogue: Catalogue, action: ScheduleAction, params: ScheduleParams) -> str:
    """What to know about the password of what is to be provisioned, or ""."""
    if action is not ScheduleAction.PROVISION:
        return ""
    use = catalogue.service(params.service).password
    return NOBODY_KNOWS if use is PasswordUse.OWN else ""


def phrase(catalogue: Catalogue, action: ScheduleAction | str, params: ScheduleParams) -> str:
    """The action in words: "Provision Databases (crm): Small"."""
    verb = action.title()
    if action in _OF_USERS:
        return f"{verb} the user"
    if not params.service:
        return f"{verb} everything"
    try:
        service = catalogue.service(params.service)
        level = service.level(params.level).name if params.level else ""
        level = level.removeprefix(f"{service.name} - ")
        words = f"{verb} {_named(service, params.instance)}"
    except NotFound:
        level, words = params.level or "", f"{verb} {params.service}"
    return f"{words}: {level}" if level else words


def words_of(action: ScheduleAction, params: ScheduleParams) -> list[str]:
    """What `schedule add USER WHEN` is told after that."""
    words = [str(action)]
    if params.service:
        words.append(params.service)
    if params.level:
        words += ["--level", params.level]
    for name, value in params.settings.items():
        words += ["--set", f"{name}={_text(value)}"]
    if params.instance:
        words += ["--instance", params.instance]
    return words


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        return ",".join(str(item) for item in value)
    return str(value)


def _named(service: Service, instance: str) -> str:
    return f"{service.name} ({instance})" if instance else service.name


def _requests(given: list[ServiceResult]) -> tuple[int, ...]:
    return tuple(one.request_id for one in given if one.request_id is not None)
