"""A verb on a user: what each of them is asked for, wherever it comes from (a call, a bulk, a schedule, an undo).

A new verb is a module beside this one with its class, which `registry` finds. Commands are built from these modules, so
what needs the database is imported by the functions that use it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, ClassVar, Self

from mission_control_tui.model.catalogue.types import Catalogue, Service
from mission_control_tui.model.command_words import (
    Words,
    command_line,
    instance_flag,
    setting_flags,
)
from mission_control_tui.model.errors import NotFound, UsageError
from mission_control_tui.model.text.instances import with_instance
from mission_control_tui.model.users.actions.params import ActionParams

if TYPE_CHECKING:
    from datetime import datetime

    from mission_control_tui.model.services.subjects import Subject
    from mission_control_tui.model.store.tables.accounts import AccountRow
    from mission_control_tui.model.store.tables.users import UserRow
    from mission_control_tui.model.store.transaction import Transaction


@dataclass(frozen=True, slots=True)
class ActionContext:
    """What the verbs of one transaction share: the account and the catalogue.

    `as_of` is when it was stated what they do, where that was before: who got a name since is not who was meant.
    """

    owner: AccountRow
    catalogue: Catalogue
    as_of: datetime | None = None


async def action_context(
    tx: Transaction, account_id: int, as_of: datetime | None = None
) -> ActionContext:
    """Return the account and the catalogue as they are now."""
    from mission_control_tui.model.catalogue.in_force import in_force
    from mission_control_tui.model.store.lookups import account_row

    owner = await account_row(tx.session, tx.caller, account_id)
    return ActionContext(owner, (await in_force(tx.session)).catalogue, as_of)


@dataclass(frozen=True, slots=True)
class ActionResult:
    """What became of one service, or without one of the user. `request_id` is None when nothing had to change.

    `connector` is where it is.
    `password` is one made for it, revealed here and never again; `backend_name` is the login that it is for. `had` and
    `has` are the user's addresses before and after, where its options changed them.
    """

    assignment_id: str
    service_id: str
    level_id: str
    backend_name: str
    request_id: int | None
    password: str | None = field(default=None, repr=False)
    connector: str = ""
    had: Mapping[str, object] = field(default_factory=dict)
    has: Mapping[str, object] = field(default_factory=dict)

    @classmethod
    def of_user(cls, user: UserRow, request_id: int | None, password: str | None = None) -> Self:
        """Return what became of the user as a whole."""
        return cls("", "", "", user.username, request_id, password)


class HasNoService(NotFound):
    """The user, domain or account has not got the service that the verb is about."""

    def __init__(self, subject: Subject, service: Service, instance: str = "") -> None:
        super().__init__(
            f"{subject.name} has no {with_instance(service.name, instance)}.",
            hint=f"`{command_line('status', *subject.words)}` shows what there is.",
        )
        self.service = service


class UserAction(ABC):
    """One verb: it knows what it takes, how it is done, and what it is called."""

    verb: ClassVar[str]
    """Its name, which is stored and typed."""
    place: ClassVar[int]
    """Where it stands among the others, as they are offered."""
    label: ClassVar[str]
    """What is to be done, as it is offered for many users."""
    heading: ClassVar[str] = ""
    """What a bulk of it is called, where its name does not say it."""
    lost: ClassVar[str] = ""
    """What it takes away, whatever the plan says."""
    asked: ClassVar[str] = ""
    """How many users are asked about: the beginning of "Disable 3 users?"; empty: nobody asks."""
    asked_on_loss: ClassVar[bool] = False
    """Whether that is asked only where the plan shows that somebody loses something."""
    warning: ClassVar[str] = ""
    """What the plan of a bulk warns of."""
    not_undone: ClassVar[str] = ""
    """Why a bulk of it cannot be undone; empty where it can."""
    takes: ClassVar[frozenset[str]] = frozenset()
    """The params that belong to it."""
    takes_in_bulk: ClassVar[frozenset[str]] = frozenset()
    """The params that only a bulk has beside these."""
    needs_service: ClassVar[bool] = False
    keeps_level: ClassVar[bool] = False
    """Whether the level may stay as it is."""
    schedulable: ClassVar[bool] = True

    @property
    def of_service(self) -> bool:
        """Whether it is about a service of the user, or about all of them, and not about the user as a whole."""
        return "service" in self.takes

    def lost_of(self, services: Collection[Service]) -> str:
        """Say what it takes away of these services, whatever the plan says; empty where that is nothing."""
        return self.lost

    def check(self, catalogue: Catalogue, params: ActionParams) -> ActionParams:
        """Return the params with the catalogue's ids in place of names.

        Raises UsageError (what is missing) and NotFound.
        """
        if self.needs_service and not params.service:
            raise UsageError(f"Say which service to {self.verb}.")
        return resolved(catalogue, params)

    def refuse_stray(self, params: ActionParams) -> None:
        """Raise UsageError for params that do not belong to the verb."""
        stray = params.stated().keys() - self.takes
        if "service" in stray:
            raise UsageError(
                f"To {self.verb} is about the user as a whole, so no service is named."
            )
        if stray & {"level", "settings"}:
            raise UsageError(f"To {self.verb} takes no level and no settings.")
        if stray:
            raise UsageError(f"To {self.verb} takes no {', '.join(sorted(stray))}.")

    def title(self, catalogue: Catalogue, params: ActionParams) -> str:
        """Return the verb in words: "Provision Databases (crm): Small"."""
        if not self.of_service:
            return f"{self.verb.title()} the user"
        return service_title(self.verb, catalogue, params)

    def words(self, params: ActionParams) -> Words:
        """Return the verb as `schedule add USER WHEN` is told it."""
        return (
            self.verb,
            *((params.service,) if params.service else ()),
            *(("--level", params.level) if params.level else ()),
            *setting_flags(params.settings),
            *instance_flag(params.instance),
            *(("--on", params.on) if params.on else ()),
        )

    @abstractmethod
    async def apply(
        self, tx: Transaction, context: ActionContext, user: UserRow, params: ActionParams
    ) -> tuple[ActionResult, ...]:
        """Do it now to the locked user; returns what became of each service that it is about, or of the user.

        Raises HasNoService, UsageError, InvalidInput, NoSeats, Conflict.
        """

    async def apply_to(
        self, tx: Transaction, context: ActionContext, subject: Subject, params: ActionParams
    ) -> tuple[ActionResult, ...]:
        """Do it now to the locked subject; one that is about the user as a whole to a user alone. Raises as `apply`."""
        if subject.user is None:
            raise UsageError(
                f"To {self.verb} is about a user as a whole, and not about {subject.name}."
            )
        return await self.apply(tx, context, subject.user, params)

    def reveals(self, _catalogue: Catalogue, _params: ActionParams) -> bool:
        """Return whether it makes a password, which somebody has to take."""
        return False


class ServiceAction(UserAction):
    """A verb on a service: of a user, of the user's directory account, of a domain or of the account itself."""

    async def apply(
        self, tx: Transaction, context: ActionContext, user: UserRow, params: ActionParams
    ) -> tuple[ActionResult, ...]:
        from mission_control_tui.model.services.subjects import user_subject

        return await self.apply_to(tx, context, user_subject(user), params)

    @abstractmethod
    async def apply_to(
        self, tx: Transaction, context: ActionContext, subject: Subject, params: ActionParams
    ) -> tuple[ActionResult, ...]:
        """Do it now to the locked subject; returns what became of each service that it is about.

        Raises HasNoService, UsageError, InvalidInput, NoSeats, Conflict.
        """


def resolved(catalogue: Catalogue, params: ActionParams) -> ActionParams:
    """Return the params with the catalogue's ids. Raises NotFound and UsageError."""
    if not params.service:
        if params.level is not None or params.settings:
            raise UsageError("A level and settings need a service.")
        return params
    service = catalogue.service(params.service)
    level = service.level(params.level).id if params.level is not None else None
    return replace(params, service=service.id, level=level)


def service_title(verb: str, catalogue: Catalogue, params: ActionParams) -> str:
    """Return a verb on a service, or on all of them, in words; also a verb that only a later version has."""
    begun = verb.title()
    if not params.service:
        return f"{begun} everything"
    try:
        service = catalogue.service(params.service)
        level = service.level(params.level).name if params.level else ""
        level = level.removeprefix(f"{service.name} - ")
        words = f"{begun} {with_instance(service.name, params.instance)}"
    except NotFound:
        level, words = params.level or "", f"{begun} {params.service}"
    return f"{words}: {level}" if level else words
