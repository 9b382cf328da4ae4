"""The connector protocol: what a back end must offer, and the plain data that crosses it.

A connector states what *is* (`observe`), says what it would do (`plan`, pure) and does one named
part of it (`apply`). Provision, change level, suspend, resume and deprovision are not five
operations but five desired states. Every value that crosses is JSON-like (str, int, float, bool,
None, list, dict) except secrets, which are never compared, never shown, and travel only in
`DesiredState.secret`.

`Change.what` is one of `CHANGE_WORDS`, with ".KEY" after the last three, or the name of a step: the
part of the object that the step makes or removes.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from mission_control_tui.model.states import ErrorKind, PlanAction, Wish

LEVELS = "levels"  # the level of an existing object can be changed
SUSPEND = "suspend"  # an object can be suspended and resumed with its data kept
LIST = "list"  # all objects with this installation's mark can be listed
OWNER_MARK = "owner_mark"  # objects carry a Mark; without it all objects of a name count as ours
LASTING_FENCE = "lasting_fence"  # the fence outlives its object: observe reports it afterwards
PASSWORD = "password"  # `DesiredState.secret` can be set
VERSION = "version"  # `check` knows the back end's version
AVAILABILITY = "availability"  # whether a name is free can be asked before it is bought
STEPS = "steps"  # a plan may have more than one step
MEMBERS = "members"  # objects such as groups keep the members that `attributes` names
CAPABILITIES = frozenset(
    {
        LEVELS,
        SUSPEND,
        LIST,
        OWNER_MARK,
        LASTING_FENCE,
        PASSWORD,
        VERSION,
        AVAILABILITY,
        STEPS,
        MEMBERS,
    }
)

CHANGE_WORDS = frozenset(
    {"owner", "state", "level", "password", "generation", "limits", "settings", "attributes"}
)


@dataclass(frozen=True, slots=True)
class Mark:
    """The owner of an object at the back end: written there, read back by `observe`.

    `installation` and `key` (the assignment's immutable id) say who owns it. `epoch`, `generation`
    and `attempt` are the fence: a connector refuses (kind stale) to apply a desired state whose
    fence is older than the one that it finds. An installation that was restored from a backup, and
    so counts generations again, goes on in a higher epoch; marks that carry none are of the first.
    """

    installation: str
    key: str
    generation: int = 0
    attempt: int = 0
    epoch: int = 1

    @property
    def fence(self) -> tuple[int, int, int]:
        """(epoch, generation, attempt): of two desired states of one object the greater is the newer."""
        return (self.epoch, self.generation, self.attempt)

    def is_ahead_of(self, other: Mark) -> bool:
        """Return True when this is a newer mark of the owner that `other` names."""
        return self.same_owner(other) and self.fence > other.fence

    def same_owner(self, other: Mark | None) -> bool:
        """Return True when `other` is this very assignment of this very installation."""
        return other is not None and (self.installation, self.key) == (
            other.installation,
            other.key,
        )


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
    - `secret`: the password to set, or None to leave the present one alone; `secret_id` is what
      tells it from every other password. It is written beside the password, in the same act, and
      the password is not set where the same id is found.
    - `adopt`: an unmarked or foreign object may be taken over.
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
    limits: Mapping[str, object] = field(default_factory=dict)
    disabled: bool = False

    @property
    def state(self) -> Wish:
        """The state to reach: the wish, suspended instead of present while the user is disabled."""
        return Wish.SUSPENDED if self.disabled and self.wish is Wish.PRESENT else self.wish


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
    """

    exists: bool
    mark: Mark | None = None
    wish: Wish = Wish.ABSENT
    level: str = ""
    settings: Mapping[str, object] = field(default_factory=dict)
    attributes: Mapping[str, object] = field(default_factory=dict)
    external_id: str = ""
    complete: bool = True
    pending: bool = False
    limits: Mapping[str, object] = field(default_factory=dict)
    missing: tuple[str, ...] = ()
    secret_generation: int = 0
    secret_id: str = ""


@dataclass(frozen=True, slots=True)
class Change:
    """One difference; JSON values, never secrets. `takes_away` warns that something is lost."""

    what: str
    before: object
    after: object
    takes_away: bool = False


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


class ConnectorError(Exception):
    """The one exception of a connector.

    `said` is the back end's own words (harmless text, no secrets), `code` its own code (SQLSTATE,
    HTTP status), `retry_after` seconds that it asked for. `outcome_unknown` means that the call may
    have taken effect: observe before anything else. `field` is what a person can correct: the id of an
    option of the service, "level", or the name of a field of the user such as "upn" or "password".
    """

    def __init__(
        self,
        kind: ErrorKind,
        said: str,
        *,
        remedy: str = "",
        code: str = "",
        retry_after: float | None = None,
        outcome_unknown: bool = False,
        field: str = "",
    ) -> None:
        super().__init__(said)
        self.kind = kind
        self.said = said
        self.remedy = remedy
        self.code = code
        self.retry_after = retry_after
        self.outcome_unknown = outcome_unknown
        self.field = field


@dataclass(frozen=True, slots=True)
class Health:
    """The answer of `check`: the back end's version, and what else an administrator may want."""

    version: str
    detail: str = ""


class Connector(Protocol):
    """Five methods, all idempotent, and one pure `plan`. Every failure is a `ConnectorError`."""

    capabilities: frozenset[str]
    """A subset of `CAPABILITIES`: what is missing is planned as blocked (unsupported) instead of
    failing half-way.
    """

    needs_password: bool
    """Whether a secret must be delivered when the object is created."""

    async def check(self) -> Health:
        """Reach the back end and log in; changes nothing."""

    async def observe(self, desired: DesiredState) -> ObservedState:
        """Return the live state of the object `desired.name` of `desired.service`; changes nothing."""

    def plan(self, desired: DesiredState, observed: ObservedState) -> ChangePlan:
        """Return what `apply` would do: pure, no clock. Most use `planning.plan_difference`."""

    async def apply(self, desired: DesiredState, plan: ChangePlan, step: Step) -> None:
        """Do one step of `plan`.

        Doing a step that is done already changes nothing. An older fence than the stored one is
        refused with kind stale. A step records the fence of `desired` with what it changes.
        """

    def list(self) -> AsyncIterator[tuple[str, ObservedState]]:
        """Yield (back-end name, observed) of every object that carries this installation's mark."""

    async def aclose(self) -> None:
        """Let go of connections and files; calling it again is harmless."""


ConnectorFactory = Callable[[str, Mapping[str, object], str], Awaitable[Connector]]
"""(connector name, its settings table, installation id) -> connector; what an entry point of the
group `mission_control_tui.connectors` refers to."""
