"""The words of the domain that are stored: lights, wishes, request states, kinds of errors.

A light is what an operator sees; the states of a request behind it are the engine's.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import TypeVar

KindT = TypeVar("KindT", bound=StrEnum)


def known(kind: type[KindT], stored: str) -> KindT | str:
    """Return the member of `kind` that was stored; the stored text itself where a later version wrote it."""
    try:
        return kind(stored)
    except ValueError:
        return stored


class Light(StrEnum):
    """The circle beside a service: its status for this subject."""

    GREY = "grey"
    RED = "red"
    ORANGE = "orange"
    GREEN = "green"


class Word(StrEnum):
    """The word shown with a light; never colour alone."""

    NOT_PROVISIONED = "Not provisioned"
    ERROR = "Error"
    QUEUED = "Queued"
    PROVISIONING = "Provisioning"
    WAITING = "Waiting"
    PROVISIONED = "Provisioned"
    NOT_CHECKED = "Not checked"
    TERM_OVER = "Term is over"


def furthest(words: Iterable[str]) -> str:
    """Return the word of several orange lights: of what is furthest; "" where none is orange."""
    there = set(words)
    on_the_way = (Word.PROVISIONING, Word.QUEUED, Word.WAITING)
    return next((str(word) for word in on_the_way if word in there), "")


class SubjectKind(StrEnum):
    """What a service instance belongs to."""

    USER = "user"
    DIRECTORY = "directory"
    DOMAIN = "domain"
    ACCOUNT = "account"
    OBJECT = "object"


class Wish(StrEnum):
    """The state that should be (wished) or is (observed) of a service instance."""

    PRESENT = "present"
    SUSPENDED = "suspended"
    ABSENT = "absent"


class RequestKind(StrEnum):
    """Why a request was made: a word for people; every one of them converges the same way."""

    PROVISION = "provision"
    CHANGE = "change"
    SUSPEND = "suspend"
    RESUME = "resume"
    DEPROVISION = "deprovision"
    MOVE = "move"
    EDIT = "edit"
    PASSWORD = "password"
    DISABLE = "disable"
    ENABLE = "enable"
    UNLOCK = "unlock"


class RequestState(StrEnum):
    """Where a request is. The first three are active, the rest have ended."""

    WAITING = "waiting"
    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    SUPERSEDED = "superseded"


ACTIVE_STATES = frozenset({RequestState.WAITING, RequestState.QUEUED, RequestState.RUNNING})


class ScheduleState(StrEnum):
    """Where a schedule is. All but the first have ended."""

    WAITING = "waiting"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Hold(StrEnum):
    """Whether a request waits for somebody's word, or has it.

    A removal is held where there are too many of them, and allowed in spite of that. A plan that a connector in
    observe mode has shown is agreed to.
    """

    NONE = ""
    HELD = "held"
    ALLOWED = "allowed"
    AGREED = "agreed"


class StepState(StrEnum):
    """Where one step of an attempt is."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class PlanAction(StrEnum):
    """What a connector's plan would do."""

    NONE = "none"
    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"
    BLOCKED = "blocked"


class ErrorKind(StrEnum):
    """Why a connector failed, which decides what happens next."""

    TRANSIENT = "transient"
    UNREACHABLE = "unreachable"
    THROTTLED = "throttled"
    STALE = "stale"
    AUTH = "auth"
    CONFIG = "config"
    DENIED = "denied"
    INVALID = "invalid"
    CONFLICT = "conflict"
    QUOTA = "quota"
    UNSUPPORTED = "unsupported"


RETRIED_KINDS = frozenset({ErrorKind.TRANSIENT, ErrorKind.STALE})
"""Of one act alone: tried again some times."""
PAUSING_KINDS = frozenset(
    {ErrorKind.UNREACHABLE, ErrorKind.THROTTLED, ErrorKind.AUTH, ErrorKind.CONFIG}
)
"""Of the back end as a whole: all that it would do waits until it answers again."""
REFUSING_KINDS = frozenset({ErrorKind.AUTH, ErrorKind.CONFIG})
"""Those of them that a person has to mend."""


class Priority:
    """Lower runs first; bulk never gets the slots kept for interactive requests."""

    INTERACTIVE = 1
    BULK = 100


class BulkState(StrEnum):
    """Who goes on with a bulk: the worker, the process that takes its passwords, nobody; or all is queued."""

    RUNNING = "running"
    ATTENDED = "attended"
    STOPPED = "stopped"
    DONE = "done"


class OrderKind(StrEnum):
    """What an order does."""

    PURCHASE = "purchase"
    REMOVAL = "removal"
    RENEWAL = "renewal"


class OrderState(StrEnum):
    """Where an order is. Only a complete one has brought anything; what a returned one brought was given back."""

    COMPLETE = "complete"
    AWAITING_APPROVAL = "awaiting approval"
    DECLINED = "declined"
    CANCELLED = "cancelled"
    RETURNED = "returned"


ORPHAN = "orphan "
"""What the back-end name of a service instance begins with that stands for the removal of an orphan."""
