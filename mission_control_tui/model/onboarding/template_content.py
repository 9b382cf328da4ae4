"""What new users of an account are made like. Fields and services, never identity or password.

Of the fields these are Organisation, Address and the flags that say how an account is kept. Names, UPN, username,
phones, notes and addresses elsewhere belong to one person, and so do *disabled* and the last day: they are states.
Of the services these are levels and settings. A setting whose value names an address, a user or a domain (the
catalogue's types email, emails, user, users, domain) is one person's, and is left to its default.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from mission_control_tui.model.catalogue.in_force import in_force
from mission_control_tui.model.catalogue.types import Catalogue, Service
from mission_control_tui.model.catalogue.values import REGISTERED, ValueType
from mission_control_tui.model.errors import InvalidInput, NotFound, Problem, UsageError
from mission_control_tui.model.people.fields import FIELD_BY_NAME, FIELDS, Group, UserDetails, Value
from mission_control_tui.model.people.validation import validate_details
from mission_control_tui.model.people.values import text_of
from mission_control_tui.model.states import SubjectKind, Wish
from mission_control_tui.model.store.lookups import user_row
from mission_control_tui.model.store.scope import AccountScope
from mission_control_tui.model.store.tables.services import AssignmentRow
from mission_control_tui.model.store.user_rows import manager_upn, to_details
from mission_control_tui.model.text.instances import with_instance
from mission_control_tui.model.users.actions.params import ActionParams

FLAGS = ("test_user", "must_change_password", "password_never_expires")
TEMPLATE_FIELDS: tuple[str, ...] = (
    *(field.name for field in FIELDS if field.group in {Group.ORGANISATION, Group.ADDRESS}),
    *FLAGS,
)
"""The fields that a template can have, in the order of the form."""

PERSONAL_TYPES = frozenset(
    {
        *REGISTERED,
        ValueType.EMAIL,
        ValueType.EMAILS,
        ValueType.RECIPIENT,
        ValueType.USER,
        ValueType.USERS,
        ValueType.DOMAIN,
    }
)
"""Settings of these types are one person's."""


@dataclass(frozen=True, slots=True)
class TemplateService:
    """One service to give: ids, the settings that are not the level's defaults, the name where it has one."""

    service: str
    level: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    instance: str = ""

    @property
    def called(self) -> str:
        """The service as commands call it, with its instance's name where it has one."""
        return f"{self.service}/{self.instance}" if self.instance else self.service

    def wanted(self) -> ActionParams:
        """As `provision` takes it."""
        return ActionParams(self.service, self.level, dict(self.settings), self.instance)


@dataclass(frozen=True, slots=True)
class TemplateContent:
    """What new users get. `fields` has only what is stated, of TEMPLATE_FIELDS."""

    fields: Mapping[str, Value] = field(default_factory=dict)
    services: tuple[TemplateService, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """As it is stored."""
        stored: dict[str, Any] = msgspec.to_builtins(self)
        return stored

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> TemplateContent:
        """From what was stored; fields that there are no more are left out."""
        fields = stored.get("fields", {})
        services = (TemplateService(**service) for service in stored.get("services", ()))
        return cls(
            {name: fields[name] for name in fields if name in TEMPLATE_FIELDS}, tuple(services)
        )

    def fill(self, details: UserDetails, *, stated: Collection[str] = ()) -> UserDetails:
        """`details` with this template's fields where they are empty and not `stated` to be so."""
        fields = {
            name: value
            for name, value in self.fields.items()
            if name not in stated and getattr(details, name) in ("", False, None)
        }
        return replace(details, **fields)  # type: ignore[arg-type]


async def like(scope: AccountScope, user: str) -> TemplateContent:
    """Return what a new user like this one gets. Raises NotFound."""
    async with scope.read() as (session, account_id):
        return await content_like(session, account_id, user)


async def content_like(session: AsyncSession, account_id: int, name: str) -> TemplateContent:
    catalogue = (await in_force(session)).catalogue
    user = await user_row(session, account_id, name)
    rows = await session.scalars(
        select(AssignmentRow)
        .where(AssignmentRow.user_id == user.id, AssignmentRow.wish != Wish.ABSENT)
        .order_by(AssignmentRow.service_id, AssignmentRow.instance)
    )
    details = to_details(user, await manager_upn(session, user))
    services = []
    for row in rows:
        try:
            service = catalogue.service(row.service_id)
            level = service.level(row.level_id)
        except NotFound:
            continue  # no longer in the catalogue, so nobody new can get it
        if row.subject_kind == SubjectKind.USER and service.subject is SubjectKind.USER:
            settings = settings_kept(service, level.id, row.settings)
            services.append(TemplateService(service.id, level.id, settings, row.instance))
    return TemplateContent(_kept_fields(details), tuple(services))


def _kept_fields(details: UserDetails) -> dict[str, Value]:
    return {
        name: value
        for name in TEMPLATE_FIELDS
        if (value := getattr(details, name)) not in ("", False, None)
    }


def settings_kept(service: Service, level_id: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return what of the settings new users get as well: neither personal nor as the level has it anyway."""
    usual = service.validate_settings(level_id, {})
    return {
        option.id: settings[option.id]
        for option in service.options_for(level_id)
        if option.type not in PERSONAL_TYPES
        and option.id in settings
        and settings[option.id] != usual[option.id]
    }


def checked(catalogue: Catalogue, content: TemplateContent) -> TemplateContent:
    """Return the same by ids and with clean values. Raises InvalidInput with every problem, NotFound, UsageError."""
    problems = [
        Problem(
            name, "is no field that a template can have", f"one of: {', '.join(TEMPLATE_FIELDS)}"
        )
        for name in content.fields
        if name not in TEMPLATE_FIELDS
    ]
    stated = {name: value for name, value in content.fields.items() if name in TEMPLATE_FIELDS}
    judged = validate_details(
        UserDetails(**stated),  # type: ignore[arg-type]
        domains=None,
        compulsory=frozenset(),
    )
    problems += [problem for problem in judged.problems if problem.where in stated]
    services: dict[tuple[str, str], TemplateService] = {}
    for given in content.services:
        service = catalogue.service(given.service)
        if service.subject is not SubjectKind.USER:
            raise UsageError(f"{service.name} is not given to users.")
        level = service.level(given.level)
        for option in map(service.option, given.settings):
            if option.type in PERSONAL_TYPES:
                what = "is one person's, and cannot be in a template"
                problems.append(Problem(f"{service.id} {option.id}", what))
        try:
            settings = service.validate_settings(level.id, given.settings)
        except InvalidInput as error:
            problems += [
                replace(problem, where=f"{service.id} {problem.where}")
                for problem in error.problems
            ]
            continue
        kept = settings_kept(service, level.id, settings)
        services[service.id, given.instance] = replace(
            given, service=service.id, level=level.id, settings=kept
        )
    if problems:
        raise InvalidInput("This template cannot be used.", problems=problems)
    return TemplateContent(_kept_fields(judged.details), in_order(catalogue, services.values()))


def in_order(
    catalogue: Catalogue, services: Iterable[TemplateService]
) -> tuple[TemplateService, ...]:
    """Return the services in an order in which those that others require come first."""
    return tuple(sorted(services, key=lambda given: len(catalogue.requirements(given.service))))


def described(catalogue: Catalogue, content: TemplateContent) -> tuple[str, ...]:
    """Return a template in lines for people: its services with levels and settings, then its fields."""
    lines = []
    for given in content.services:
        try:
            service = catalogue.service(given.service)
            words = f"{service.name}: {service.level(given.level).name}"
            settings = [
                f"{service.option(name).name} {_shown(service.option(name).told(value))}"
                for name, value in given.settings.items()
            ]
        except NotFound:
            words, settings = f"{given.service}: {given.level} (no longer in the catalogue)", []
        lines.append(", ".join([with_instance(words, given.instance), *settings]))
    lines += [
        f"{FIELD_BY_NAME[name].label}: {' '.join(text_of(value).split())}"
        for name, value in content.fields.items()
    ]
    return tuple(lines)


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)


def words(content: TemplateContent) -> list[str]:
    """Return the options of `templates save` that state this."""
    words = []
    for name, value in content.fields.items():
        words += ["--field", f"{name}={text_of(value)}"]
    for service in content.services:
        words += ["--give", f"{service.called}={service.level}"]
        for name, value in service.settings.items():
            words += ["--set", f"{service.called}.{name}={_shown(value)}"]
    return words


def flat(content: TemplateContent) -> dict[str, object]:
    flat: dict[str, object] = dict(content.fields)
    for service in content.services:
        flat[service.called] = service.level
        flat |= {f"{service.called} {name}": value for name, value in service.settings.items()}
    return flat
