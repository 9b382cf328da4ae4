"""The messages to back ends that speak JSON: what `exec` hands to a program and `webhook` sends, and what is answered.

`MESSAGES` is the messages' version. Within one version names stay, and fields are only added, with defaults. An answer
with a field that is not known here is refused, so that a misspelt one is told instead of meaning nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal, TypeVar

import msgspec

from mission_control_tui.connect.declaration import Declaration, FenceGrade, Limit
from mission_control_tui.connect.errors import ConnectorError
from mission_control_tui.connect.planning import ONE_PART, Part
from mission_control_tui.connect.protocol import Pending, Usage
from mission_control_tui.connect.settings_reader import LevelLimits, SettingsReader
from mission_control_tui.model.states import ErrorKind, SubjectKind

MESSAGES = 1

Told = Literal["present", "suspended"]


class Operation(StrEnum):
    """The question that a message asks."""

    DESCRIBE = "describe"
    CHECK = "check"
    OBSERVE = "observe"
    APPLY = "apply"
    LIST = "list"
    AVAILABLE = "available"


class MarkMessage(msgspec.Struct, frozen=True, kw_only=True):
    """Whose an object is, and the fence: of two of one owner the greater (epoch, generation, attempt) is the newer."""

    installation: str
    key: str
    epoch: int
    generation: int
    attempt: int


class ChangeMessage(msgspec.Struct, frozen=True, kw_only=True):
    """One difference, as plans show it."""

    what: str
    before: Any = None
    after: Any = None
    takes_away: bool = False


class DesiredMessage(msgspec.Struct, frozen=True, kw_only=True):
    """The state that an object should have. `password` is there in the step alone that sets it."""

    service: str
    name: str
    state: Literal["present", "suspended", "absent"]
    level: str
    limits: Mapping[str, Any]
    settings: Mapping[str, Any]
    attributes: Mapping[str, Any]
    mark: MarkMessage
    note: str
    adopt: bool
    external_id: str
    token: str
    password: str | None = None


class RequestMessage(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A question to the back end: what belongs to its operation is there, and nothing else."""

    mission_control: int
    operation: Operation
    connector: str
    installation: str
    configuration: Mapping[str, Any] = {}
    secret: str = ""
    desired: DesiredMessage | None = None
    action: str = ""
    step: str = ""
    changes: tuple[ChangeMessage, ...] = ()
    seen: str = ""
    cursor: str = ""
    marked_only: bool | None = None
    domain: str = ""

    def encode(self) -> bytes:
        """Return it as JSON on one line."""
        return msgspec.json.encode(self)


class _Answer(
    msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True
):
    mission_control: int


class ErrorMessage(
    msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True
):
    """Why it cannot be done: the fields of a ConnectorError."""

    kind: ErrorKind
    said: str
    remedy: str = ""
    code: str = ""
    retry_after: float | None = None
    outcome_unknown: bool = False
    field: str = ""


class Refusal(_Answer, frozen=True, kw_only=True):
    """The answer to any question that cannot be answered otherwise."""

    error: ErrorMessage


class LimitMessage(
    msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True
):
    """A limit of levels that is kept: the numbers that it takes, and whether a level must state it."""

    low: float | None = None
    high: float | None = None
    needed: bool = False
    unlimited: bool = False


class PartMessage(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A part of an object, made and changed by the step of its name; see `Part`."""

    name: str
    carries: tuple[str, ...] = ()


class DeclarationMessage(
    msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True
):
    """What is kept and possible, see `Declaration`; null keeps and compares whatever there is."""

    fence: Literal["conditional", "advisory"]
    capabilities: frozenset[str] = frozenset()
    subjects: frozenset[SubjectKind] = frozenset(SubjectKind)
    levels: frozenset[str] | None = None
    options: frozenset[str] | None = frozenset()
    limits: dict[str, LimitMessage] | None = {}
    attributes: frozenset[str] | None = frozenset()
    sets: frozenset[str] = frozenset()
    usage: frozenset[str] = frozenset()
    needs_password: bool = False
    availability: bool = False
    parts: tuple[PartMessage, ...] = ()

    def declaration(self) -> Declaration:
        """Return it as connectors declare it."""
        return Declaration(
            capabilities=self.capabilities,
            fence=FenceGrade(self.fence),
            subjects=self.subjects,
            levels=self.levels,
            options=self.options,
            limits=None if self.limits is None else self._kept_limits(),
            attributes=self.attributes,
            sets=self.sets,
            usage=self.usage,
            needs_password=self.needs_password,
            paces=True,
        )

    def layout(self) -> tuple[Part, ...]:
        """Return the parts of an object, one where none is named."""
        return tuple(Part(part.name, part.carries) for part in self.parts) or ONE_PART

    def level_limits(self, reader: SettingsReader) -> LevelLimits:
        """Return the limits of levels in a settings table. Raises InvalidInput for those that are not kept."""
        limits = reader.level_limits(self._kept_limits())
        reader.raise_problems()
        return limits

    def _kept_limits(self) -> dict[str, Limit]:
        found = self.limits or {}
        return {key: Limit(**msgspec.structs.asdict(limit)) for key, limit in found.items()}


class DescribeAnswer(_Answer, frozen=True, kw_only=True):
    """The answer to `describe`."""

    declares: DeclarationMessage


class CheckAnswer(_Answer, frozen=True, kw_only=True):
    """The answer to `check`: it was reached and logged in to."""

    version: str
    detail: str = ""
    warnings: tuple[str, ...] = ()


class PendingMessage(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the back end still works on; `progress` from 0 to 1, `deadline` with its zone, the rest seconds."""

    words: str = ""
    progress: float | None = None
    deadline: datetime | None = None
    look_again_after: float | None = None

    def pending(self) -> Pending:
        """Return it as connectors say it."""
        return Pending(self.words, self.progress, self.deadline, self.look_again_after)


class UsageMessage(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How much is used; without `at` it was measured now."""

    value: float
    limit: float | None = None
    unit: str = ""
    at: datetime | None = None

    def usage(self) -> Usage:
        """Return it as connectors say it."""
        return Usage(self.value, self.limit, self.unit, self.at)


class ObserveAnswer(_Answer, frozen=True, kw_only=True):
    """The answer to `observe`: what is there.

    `note` is the text that was handed over to be kept. `seen` names this very state, as an ETag does: a conditional
    back end refuses an act whose `seen` is another. `differs` is what only the back end can tell to be other than it
    should be: hand-made changes of what it made.
    """

    exists: bool
    state: Told = "present"
    note: str = ""
    level: str | None = None
    limits: Mapping[str, Any] = {}
    settings: Mapping[str, Any] = {}
    attributes: Mapping[str, Any] = {}
    external_id: str = ""
    complete: bool = True
    missing: tuple[str, ...] = ()
    pending: PendingMessage | None = None
    usage: dict[str, UsageMessage] = {}
    differs: tuple[ChangeMessage, ...] = ()
    kept: tuple[str, ...] = ()
    unadoptable: str = ""
    consents: bool = False
    seen: str = ""


class ApplyAnswer(_Answer, frozen=True, kw_only=True):
    """The answer to `apply`: it was done, or the job that does it was taken on, which `observe` tells as pending."""

    external_id: str = ""
    token: str = ""
    look_again_after: float | None = None


class ListedMessage(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One row of a listing."""

    name: str
    note: str = ""
    external_id: str = ""
    service: str = ""
    state: Told | None = None
    level: str = ""


class ListAnswer(_Answer, frozen=True, kw_only=True):
    """The answer to `list`: some objects, and what to ask for the next ones with, "" at the end."""

    objects: tuple[ListedMessage, ...]
    cursor: str = ""


class AvailableAnswer(_Answer, frozen=True, kw_only=True):
    """The answer to `available`: whether the domain name is free to be registered, null where that is not known."""

    available: bool | None
    said: str = ""


AnswerT = TypeVar("AnswerT", bound=_Answer)

_ANSWERS: Mapping[Operation, type[_Answer]] = {
    Operation.DESCRIBE: DescribeAnswer,
    Operation.CHECK: CheckAnswer,
    Operation.OBSERVE: ObserveAnswer,
    Operation.APPLY: ApplyAnswer,
    Operation.LIST: ListAnswer,
    Operation.AVAILABLE: AvailableAnswer,
}


class _Envelope(msgspec.Struct):
    mission_control: int
    error: msgspec.Raw | None = None


def decode_answer(body: bytes, shape: type[AnswerT], *, writes: bool = False) -> AnswerT:
    """Return an answer of this shape. Raises the ConnectorError that it is, or transient where it is none at all.

    With `writes` what cannot be read leaves an unknown outcome.
    """
    refused = refusal_in(body)
    if refused is not None:
        raise refused
    try:
        envelope = msgspec.json.decode(body, type=_Envelope)
        if envelope.mission_control == MESSAGES:
            return msgspec.json.decode(body, type=shape)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ConnectorError(
            ErrorKind.TRANSIENT,
            f"The answer is no message: {error}" if body.strip() else "There was no answer",
            remedy="See docs/connectors.md, Messages: mission-control connectors schema.",
            code="answer",
            outcome_unknown=writes,
        ) from None
    raise ConnectorError(
        ErrorKind.CONFIG,
        f"The answer is of version {envelope.mission_control} of the messages, not {MESSAGES}",
        remedy='It must say "mission_control": 1.',
        code="version",
        outcome_unknown=writes,
    )


def refusal_in(body: bytes) -> ConnectorError | None:
    """Return the error that an answer is; None where it is another one, or none."""
    try:
        error = msgspec.json.decode(body, type=Refusal).error
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    return ConnectorError(
        error.kind,
        error.said,
        remedy=error.remedy,
        code=error.code,
        retry_after=error.retry_after,
        outcome_unknown=error.outcome_unknown,
        field=error.field,
    )


def schema() -> dict[str, Any]:
    """Return the JSON Schema of all messages, each answer by its operation."""
    shapes = (RequestMessage, Refusal, *_ANSWERS.values())
    found, definitions = msgspec.json.schema_components(shapes, ref_template="#/$defs/{name}")
    request, refused, *answers = found
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"Messages of Mission Control's connectors, version {MESSAGES}",
        "request": request,
        "error": refused,
        "answers": dict(zip(map(str, _ANSWERS), answers, strict=True)),
        "$defs": definitions,
    }
