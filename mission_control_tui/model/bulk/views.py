"""What the bulk functions take and hand out: actions, plans, progress, items; plain values, never rows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from mission_control_tui.model.money import Money
from mission_control_tui.model.states import BulkState
from mission_control_tui.model.text.counting import counted
from mission_control_tui.model.users.actions.params import ActionParams
from mission_control_tui.model.users.actions.registry import ACTIONS
from mission_control_tui.model.views import RevealedPassword


class BulkOnlyAction(StrEnum):
    """What bulks alone do, beside the verbs on a user. `RESTATE` is an undo, `GIVE` what each item itself says."""

    RETRY = "retry"
    RESTATE = "restate"
    GIVE = "give"


BulkAction = str
"""What is done for each user of a bulk: a verb on a user, or what only bulks do."""


def bulk_action(stored: str) -> BulkAction:
    """Return the action of that name. Raises ValueError for one that only a later version has."""
    return stored if stored in ACTIONS else BulkOnlyAction(stored)


class ItemState(StrEnum):
    """What became of an item when it was its turn; what became of its request is in `ItemOutcome`."""

    LEFT = "left"
    QUEUED = "queued"
    UNCHANGED = "unchanged"
    SKIPPED = "skipped"
    REFUSED = "refused"


class ItemOutcome(StrEnum):
    """Where an item is now."""

    LEFT = "left"
    ORANGE = "orange"
    GREEN = "green"
    RED = "red"
    CANCELLED = "cancelled"
    SUPERSEDED = "superseded"
    UNCHANGED = "unchanged"
    SKIPPED = "skipped"
    REFUSED = "refused"


FAILED = frozenset({ItemOutcome.RED, ItemOutcome.REFUSED})
"""What a summary's filter for failures shows."""


@dataclass(frozen=True, slots=True)
class BulkReason:
    """Why items would be, or were, left out: skipped, unchanged, waiting or refused, and whose they are.

    `exit_code` is that of the error behind a refusal, 0 without one.
    """

    state: str
    reason: str
    names: tuple[str, ...]
    exit_code: int = 0

    @property
    def count(self) -> int:
        """How many items."""
        return len(self.names)


@dataclass(frozen=True, slots=True)
class BulkSeats:
    """Seats of one level: owned, free now, once all is queued, once all is green; `short`: how many are missing."""

    service_id: str
    service: str
    level_id: str
    level: str
    owned: int
    free_before: int
    free_queued: int
    free_after: int
    short: int


@dataclass(frozen=True, slots=True)
class MissingSeats:
    """Seats that could be bought for those who would get none. `total` includes tax, for one term of `months`."""

    product_id: str
    level_id: str
    quantity: int
    months: int
    net: Money
    tax: Money
    total: Money


@dataclass(frozen=True, slots=True)
class BulkChange:
    """What becomes of settings, or is lost (`lost`), in words, and for how many."""

    what: str
    count: int
    lost: bool = False


@dataclass(frozen=True, slots=True)
class BulkPlan:
    """What a bulk would do, as things stand: `queued` items of `total` would become wishes.

    `removals` take services away with their data. `attended`: passwords are generated, so that whoever starts it has
    to take them (`control.attend`), at most `passwords` of them.
    """

    account_id: int
    action: BulkAction
    params: ActionParams
    total: int
    users: int
    domains: int
    queued: int
    waiting: int
    unchanged: int
    skipped: int
    refused: int
    removals: int
    passwords: int
    attended: bool
    reasons: tuple[BulkReason, ...] = ()
    seats: tuple[BulkSeats, ...] = ()
    missing: tuple[MissingSeats, ...] = ()
    warnings: tuple[str, ...] = ()
    changes: tuple[BulkChange, ...] = ()

    @property
    def concerned(self) -> int:
        """How many users and domains it is about."""
        return self.users + self.domains

    @property
    def whom(self) -> str:
        """Whom it is about, for a question."""
        found = (counted(self.users, "user"), counted(self.domains, "domain"))
        return " and ".join(words for words in found if not words.startswith("0 ")) or found[0]

    @property
    def takes_away(self) -> bool:
        """Whether somebody loses something by it, so that whoever starts it is asked, wherever that is."""
        verb = ACTIONS.get(self.action)
        if verb is not None and not verb.asked_on_loss:
            return bool(verb.asked)
        loses = bool(self.removals) or any(change.lost for change in self.changes)
        return loses and self.action != BulkOnlyAction.RETRY

    @property
    def lost(self) -> tuple[str, ...]:
        """What shrinks or goes, in words, with how many lose it."""
        return tuple(f"{change.what} ({change.count})" for change in self.changes if change.lost)

    @property
    def short(self) -> tuple[BulkSeats, ...]:
        """The levels with too few seats."""
        return tuple(seats for seats in self.seats if seats.short)


@dataclass(frozen=True, slots=True)
class BulkProgress:
    """How many items are where. `left` are not yet wished for; `orange`, `green` and `red` are."""

    total: int = 0
    left: int = 0
    orange: int = 0
    green: int = 0
    red: int = 0
    cancelled: int = 0
    superseded: int = 0
    unchanged: int = 0
    skipped: int = 0
    refused: int = 0

    @property
    def failed(self) -> int:
        """What the filter for failures shows."""
        return self.red + self.refused

    @property
    def settled(self) -> bool:
        """Whether nothing of it moves any more."""
        return not self.left and not self.orange


@dataclass(frozen=True, slots=True)
class BulkView:
    """One bulk and how far it is."""

    id: int
    account_id: int
    action: BulkAction
    state: BulkState
    params: ActionParams
    operator: str
    ticket: str
    session: str
    undoes_id: int | None
    created_at: datetime
    ended_at: datetime | None
    attended: bool
    progress: BulkProgress

    @property
    def title(self) -> str:
        """What it does, in a few words: change managed-exchange to popx."""
        words = [str(self.action), self.params.service]
        if self.params.level:
            words.append(f"to {self.params.level}")
        if self.action is BulkOnlyAction.GIVE:
            words = ["services for new users"]
        if self.undoes_id is not None:
            words = [f"undo of bulk {self.undoes_id}"]
        return " ".join(word for word in words if word)


@dataclass(frozen=True, slots=True)
class BulkItemView:
    """One item: whose it is, where it is, and why it was skipped or refused or what the back end said."""

    id: int
    user_id: str | None
    domain_id: int | None
    assignment_id: str | None
    name: str
    service_id: str
    instance: str
    outcome: ItemOutcome
    reason: str
    request_id: int | None


@dataclass(frozen=True, slots=True)
class Slice:
    """What one short transaction of a bulk did. `last`: nothing is left of the bulk."""

    bulk_id: int
    items: int
    last: bool
    requests: tuple[int, ...] = ()
    passwords: tuple[RevealedPassword, ...] = ()


@dataclass(frozen=True, slots=True)
class StoppedBulk:
    """A stopped bulk: `left` items will not be wished for, `queued` are on their way, `cancelled` of them no more."""

    bulk: BulkView
    left: int
    queued: int
    cancelled: int
