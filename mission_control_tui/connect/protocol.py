"""The connector protocol: what a back end must offer, and the plain data that crosses it.

A connector states what *is* (`observe`), says what it would do (`plan`, pure) and does one named
part of it (`apply`). Provision, change level, suspend, resume and deprovision are not five
operations but five desired states. Every value that crosses is JSON-like (str, int, float, bool,
None, list, dict) except secrets, which are never compared, never shown, and travel only in
`DesiredState.secret`.

`Change.what` is one of `CHANGE_WORDS`, with ".KEY" after those of `KEYED_WORDS`, or the name of a step: the
part of the object that the step makes or removes.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from mission_control_tui.connect.context import Context
from mission_control_tui.connect.declaration import Declaration
from mission_control_tui.connect.marks import Mark
from mission_control_tui.model.states import ErrorKind, PlanAction, Wish

KEYED_WORDS = frozenset({"limits", "settings", "attributes"})
CHANGE_WORDS = frozenset({"owner", "state", "level", "password", "generation", *KEYED_WORDS})


@dataclass(frozen=True, slots=True)
class DesiredState:
    """The state that one service instance should have.

    - `name`: the back-end name, chosen once by the model and stored.
    - `level`: the catalogue's level id; `limits`: what that level grants, from the catalogue (limit
      id -> value).
    - `settings`: option id -> value; options that the level does not have are left out.
    - `attributes`: facts about the subject: upn, display_name, username, addresses (list),
      primary_address, domain; of a group, contact or shared mailbox display_name, primary_address,
      domain and, for each role of members in use, `members.ROLE`: their addresses, sorted.
    - `disabled`: the user is disabled: what is wished present is kept suspended (see `state`).
    - `retained`: what is wished absent is kept suspended for now, and removed when its time is over.
    - `secret`: the password to set, or None to leave the present one alone; `secret_id` is what
      tells it from every other password. It is written beside the password, in the same act, and
      the password is not set where the same id is found.
    - `adopt`: an unmarked or foreign object may be taken over.
    - `as_is`: it is only taken over: blocked where more than mark and level would change, or where nothing is there.
    - `external_id`, `token`: what `observe` and `apply` said last (see `Applied`), "" when nothing.
    """

    mark: Mark
    service: str
    name: str
    wish: Wish
    level: str
    settings: Mapping[str, object] = field(default_factory=dict)
    attributes: Mapping[str, object] = field(default_factory=dict)
    secret: str | None = field(default=None, repr=False)
    secret_id: str = ""
    adopt: bool = False
    as_is: bool = False
    limits: Mapping[str, object] = field(default_factory=dict)
    disabled: bool = False
    retained: bool = False
    external_id: str = ""
    token: str = ""

    @property
    def state(self) -> Wish:
        """The state to reach: suspended instead of present while disabled, instead of absent while retained."""
        if (self.disabled and self.wish is Wish.PRESENT) or (
            self.retained and self.wish is Wish.ABSENT
        ):
            return Wish.SUSPENDED
        return self.wish


@dataclass(frozen=True, slots=True)
class Pending:
    """The back end has accepted what is reported and still works on it: the light stays orange.

    `words` say at what ("waits for the registry"), `progress` how far (0 to 1), and after `deadline`, with its zone,
    waiting mends nothing any more: the light turns red. `look_again_after` are seconds.
    """

    words: str = ""
    progress: float | None = None
    deadline: datetime | None = None
    look_again_after: float | None = None


@dataclass(frozen=True, slots=True)
class Usage:
    """How much of something is used: 4.1 of 5 "GB". `limit` None is without end, `at` None measured now."""

    value: float
    limit: float | None = None
    unit: str = ""
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ObservedState:
    """The state that one object has at the back end.

    - `mark`: None when the object carries none, or one that cannot be read. A back end with the
      capability lasting_fence reports the asking assignment's mark, fence included, when the object
      does not exist.
    - `wish`: what it looks like: present, suspended, or absent when it does not exist.
    - `missing`: names of the steps whose part is not there yet; with `complete` False and no
      `missing`, all steps are run again.
    - `complete`: False when the object is half made.
    - `pending`: the back end has accepted what is reported here and still works on it: stay orange,
      observe again.
    - `secret_id`: that of the password that was set last, "" when it is not known: the password is
      set again then, so a back end with no room for it sets one twice where an attempt is repeated.
    - `secret_generation`: the generation that last set the password, 0 when none did.
    - `usage`: usage id -> how much of it is used.
    - `kept`: of an object that is not ours: what adopting it leaves as it is, in words for people ("password",
      "4.1 GB of mail", "12 records"). `unadoptable`: why it cannot be taken over as a whole, "" when it can.
      `consents`: the object itself says at the back end that it may be taken over.
    """

    exists: bool
    mark: Mark | None = None
    wish: Wish = Wish.ABSENT
    level: str = ""
    settings: Mapping[str, object] = field(default_factory=dict)
    attributes: Mapping[str, object] = field(default_factory=dict)
    external_id: str = ""
    complete: bool = True
    pending: Pending | None = None
    limits: Mapping[str, object] = field(default_factory=dict)
    missing: tuple[str, ...] = ()
    secret_generation: int = 0
    secret_id: str = ""
    usage: Mapping[str, Usage] = field(default_factory=dict)
    kept: tuple[str, ...] = ()
    unadoptable: str = ""
    consents: bool = False


@dataclass(frozen=True, slots=True)
class Change:
    """One difference; JSON values, never secrets. `takes_away` warns that something is lost."""

    what: str
    before: object
    after: object
    takes_away: bool = False

    @property
    def words(self) -> str:
        """What changes as people call it: "quota" of "settings.quota"."""
        kind, dot, key = self.what.partition(".")
        return key.replace("_", " ") if dot and kind in KEYED_WORDS else self.what


@dataclass(frozen=True, slots=True)
class Step:
    """One named part of a plan that is applied, recorded and cancellable on its own."""

    name: str
    changes: tuple[Change, ...] = ()


@dataclass(frozen=True, slots=True)
class ChangePlan:
    """The difference between desired and observed.

    A blocked plan carries kind, reason, remedy and field (see ConnectorError), and has no steps; one
    that is `observe_only` has the steps that a connector in observe mode would take.
    """

    action: PlanAction
    steps: tuple[Step, ...] = ()
    reason: str = ""
    remedy: str = ""
    kind: ErrorKind | None = None
    observe_only: bool = False
    field: str = ""

    @property
    def changes(self) -> tuple[Change, ...]:
        """All changes of all steps, in order."""
        return tuple(change for step in self.steps for change in step.changes)


@dataclass(frozen=True, slots=True)
class Applied:
    """What a step learned, stored with the service and handed back in every later `DesiredState`.

    `external_id` is the back end's own id of the object, at most 256 characters; `token` belongs to a job that runs
    on there, at most 2000, and is forgotten once all agrees. `look_again_after` are seconds until the second look.
    """

    external_id: str = ""
    token: str = ""
    look_again_after: float | None = None


@dataclass(frozen=True, slots=True)
class Health:
    """The answer of `check`: the back end's version, what else an administrator may want, and what should be mended."""

    version: str
    detail: str = ""
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Listed:
    """One row of a listing, light: what the listing itself says, without a further call for each object."""

    name: str
    mark: Mark | None = None
    external_id: str = ""
    service: str = ""
    state: Wish | None = None
    level: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows of a listing; `cursor` is what to ask for the next ones with, "" at the end."""

    rows: tuple[Listed, ...]
    cursor: str = ""


class Connector(Protocol):
    """Five methods, all idempotent, and one pure `plan`. Every failure is a `ConnectorError`.

    They are called on an event loop of the connector's own, several at a time. Each has a time limit.
    """

    declares: Declaration
    """What is kept, compared and possible: what is missing is planned as blocked (unsupported) instead of
    failing half-way.
    """

    async def check(self) -> Health:
        """Reach the back end and log in; changes nothing."""

    async def observe(self, desired: DesiredState) -> ObservedState:
        """Return the live state of the object `desired.name` of `desired.service`; changes nothing."""

    def plan(self, desired: DesiredState, observed: ObservedState) -> ChangePlan:
        """Return what `apply` would do: pure, no clock, no I/O. Most use `plan_difference`."""

    async def apply(self, desired: DesiredState, plan: ChangePlan, step: Step) -> Applied | None:
        """Do one step of `plan`; return what was learned.

        Doing a step that is done already changes nothing. An older fence than the stored one is
        refused with kind stale. A step records the fence of `desired` with what it changes.
        """

    async def list(self, cursor: str, marked_only: bool) -> Page:
        """Return the next rows of all objects with this installation's mark, or of all there are.

        `cursor` is "" for the first ones. One page is one call, or a few.
        """

    async def aclose(self) -> None:
        """Let go of connections and files; calling it again is harmless."""


ConnectorFactory = Callable[[Context], Awaitable[Connector]]
"""What an entry point of the group `mission_control_tui.connectors` refers to; it connects to nothing yet."""
