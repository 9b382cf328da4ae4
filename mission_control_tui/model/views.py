"""What crosses the door of the model: frozen dataclasses with plain values, never rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from mission_control_tui.model.people.fields import UserDetails
from mission_control_tui.model.states import (
    ORPHAN,
    Light,
    RequestState,
    SubjectKind,
    Wish,
    Word,
)
from mission_control_tui.model.text.clean import harmless

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

ViewT = TypeVar("ViewT", bound="DataclassInstance")


def view_of(view: type[ViewT], row: object, **told: Any) -> ViewT:
    """Return a view with what is `told`, and for its other fields what the row has under the same names."""
    same = (field.name for field in fields(view) if field.name not in told)
    return view(**{name: getattr(row, name) for name in same}, **told)


@dataclass(frozen=True, slots=True)
class RevealedPassword:
    """A password that was made here, revealed once: a user's, or that of a service where `service_id` is not empty."""

    upn: str
    password: str = field(repr=False)
    service_id: str = ""
    instance: str = ""
    login: str = ""


KeepPasswords: TypeAlias = Callable[[Sequence[RevealedPassword]], None]
"""Gets the passwords of a change before it is committed, to write them where they outlive the process."""


@dataclass(frozen=True, slots=True)
class Account:
    """A customer, with its domain names."""

    id: int
    code: str
    name: str
    is_sample: bool
    time_zone: str
    domains: tuple[str, ...] = ()
    version: int = 1
    customer_number: str = ""


@dataclass(frozen=True, slots=True)
class Seats:
    """Seats of one service level. `queued` are held by wishes that are not green yet; `used` are in use."""

    service_id: str
    service: str
    level_id: str
    level: str
    owned: int
    used: int
    queued: int

    @property
    def free(self) -> int:
        """What can still be given."""
        return self.owned - self.used - self.queued


@dataclass(frozen=True, slots=True, kw_only=True)
class AssignmentView:
    """One service of one subject: the wish, the light, and why. The defaults are those of one that nobody asked for."""

    id: str = ""
    account_id: int
    user_id: str | None
    subject: str
    service_id: str
    service: str
    instance: str = ""
    level_id: str = ""
    level: str = ""
    wish: Wish = Wish.ABSENT
    settings: Mapping[str, object] = field(default_factory=dict)
    stated: Sequence[str] | None = None
    generation: int = 0
    connector: str
    backend_name: str = ""
    light: Light = Light.GREY
    word: Word = Word.NOT_PROVISIONED
    step: str = ""
    error_kind: str = ""
    error_said: str = ""
    error_remedy: str = ""
    since: datetime
    observed_level: str = ""
    drift: bool = False
    suspended: bool = False
    request_id: int | None = None
    version: int = 1
    object_id: str | None = None
    subject_kind: SubjectKind = SubjectKind.USER
    usage: Mapping[str, object] = field(default_factory=dict)
    """Usage id -> value, limit, unit and when it was measured, as the back end told last."""
    kept_until: datetime | None = None
    """Until when what was taken away stays suspended at the back end."""
    marked: str = ""
    """The service that was here before it moved; empty for all that nobody moved."""
    not_kept: tuple[str, ...] = ()
    """Settings that its connector does not keep, where that was asked for."""

    @property
    def is_orphan(self) -> bool:
        """Whether it stands for the removal of an orphan, and is no service of the account's."""
        return self.backend_name.startswith(ORPHAN)


@dataclass(frozen=True, slots=True)
class UnsettledSetting:
    """A value that has to be settled, whose it is, and the command that takes it away."""

    account: str
    upn: str
    service_id: str
    option_id: str
    value: str
    why: str
    command: str

    def __str__(self) -> str:
        return f"{self.service_id} {self.option_id} has {harmless(self.value)}: {self.why}"


@dataclass(frozen=True, slots=True)
class UserView:
    """A user. `details` is all that an operator states; `password_waiting`: a sealed one is undelivered.

    `unsettled` are settings that break a rule since before it was asked; only who is looked at alone has them.
    """

    id: str
    account_id: int
    details: UserDetails
    locked: bool
    in_bin: bool
    deleted_at: datetime | None
    created_at: datetime
    updated_at: datetime
    password_waiting: bool
    aliases: tuple[str, ...]
    primary_address: str
    version: int
    unsettled: tuple[UnsettledSetting, ...]

    @property
    def upn(self) -> str:
        """The user's unique identifier."""
        return self.details.upn


@dataclass(frozen=True, slots=True)
class UserLine:
    """A row of the Users list. `lights` are (service id, light) of what the user has or had; `orange` is their word."""

    id: str
    upn: str
    display_name: str
    username: str
    disabled: bool
    locked: bool
    lights: tuple[tuple[str, Light], ...] = ()
    orange: str = ""


@dataclass(frozen=True, slots=True)
class RequestView:
    """One request as the queue shows it."""

    id: int
    account_id: int
    kind: str
    state: RequestState
    user_id: str | None
    subject: str
    assignment_id: str | None
    service_id: str
    level_id: str
    parent_id: int | None
    generation: int
    attempt: int
    failures: int
    priority: int
    operator: str
    ticket: str
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    next_try_at: float
    waiting_for: str
    instance: str = ""
    depends_on: tuple[int, ...] = ()
    object_id: str | None = None
    connector: str = ""


@dataclass(frozen=True, slots=True)
class StepView:
    """One step of one attempt."""

    attempt: int
    number: int
    name: str
    state: str
    started_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class EventView:
    """One event of a request: what the back end said, what to do, how long it took (milliseconds)."""

    id: int
    request_id: int
    at: datetime
    attempt: int
    kind: str
    step: str
    said: str
    remedy: str
    duration_ms: int | None
    detail: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AuditView:
    """One line of the audit.

    `commands` are what the command line calls it, without `mission-control`; `account` is the account's code.
    """

    id: int
    at: datetime
    operator: str
    source: str
    ticket: str
    action: str
    target: str
    user_id: str | None
    request_id: int | None
    before: Mapping[str, object]
    after: Mapping[str, object]
    session: str = ""
    assignment_id: str | None = None
    bulk_id: int | None = None
    commands: tuple[tuple[str, ...], ...] = ()
    account: str = ""
    version: int | None = None


@dataclass(frozen=True, slots=True)
class LightCounts:
    """How many services of an account show each light."""

    grey: int = 0
    red: int = 0
    orange: int = 0
    green: int = 0
