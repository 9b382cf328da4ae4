"""The connector protocol: what a back end must offer, and the plain data that crosses it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from mission_control_tui.model.states import ErrorKind, PlanAction, Wish


@dataclass(frozen=True, slots=True)
class Mark:
    """Whose an object is at the back end: written there, read back by observe.

    `installation` and `key` (the assignment's immutable id) say who owns it; `generation` and `attempt` are the
    fence: a connector refuses (kind stale) to apply a desired state whose fence is older than the one it finds.
    """

    installation: str
    key: str
    generation: int = 0
    attempt: int = 0


@dataclass(frozen=True, slots=True)
class Desired:
    """What should be true of one service instance.

    `name` is the back-end name (chosen once by the model). `level` is the catalogue's level id. `settings` are option id -> value.
    `attributes` are facts about the subject: upn, display_name, username, addresses (list), primary_address, domain.
    `disabled` is true when the user is disabled: the connector treats it as suspended.
    `secret` is the password to set, or None to leave the present one alone. `adopt` allows taking over an unmarked or foreign object.
    """

    mark: Mark
    service: str
    name: str
    wish: Wish
    level: str
    settings: Mapping[str, object] = field(default_factory=dict)
    attributes: Mapping[str, object] = field(default_factory=dict)
    secret: str | None = field(default=None, repr=False)
    adopt: bool = False


@dataclass(frozen=True, slots=True)
class Observed:
    """What is true of one object at the back end. `state` is None when the object does not exist at all."""

    exists: bool
    mark: Mark | None = None
    wish: Wish = Wish.ABSENT  # what it looks like: present, suspended, absent
    level: str = ""
    settings: Mapping[str, object] = field(default_factory=dict)
    attributes: Mapping[str, object] = field(default_factory=dict)
    external_id: str = ""
    complete: bool = True  # False: half made, or the back end is still working on it
    pending: bool = False  # True: the back end accepted and works on it: stay orange, observe again


@dataclass(frozen=True, slots=True)
class Change:
    """One difference. Values are plain JSON values, never secrets."""

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
class Plan:
    """The difference between desired and observed. BLOCKED carries the reason and the remedy, and has no steps."""

    action: PlanAction  # none, create, update, delete, blocked
    steps: tuple[Step, ...] = ()
    reason: str = ""
    remedy: str = ""
    kind: ErrorKind | None = None  # of a blocked plan

    @property
    def changes(self) -> tuple[Change, ...]:
        """All changes of all steps, in order."""
        return tuple(change for step in self.steps for change in step.changes)


class ConnectorError(Exception):
    """The one exception of a connector. `said` is the back end's own words (harmless text, no secrets)."""

    def __init__(
        self,
        kind: ErrorKind,
        said: str,
        *,
        remedy: str = "",
        code: str = "",
        retry_after: float | None = None,
        outcome_unknown: bool = False,
    ) -> None:
        super().__init__(said)
        self.kind = kind
        self.said = said
        self.remedy = remedy
        self.code = code
        self.retry_after = retry_after
        self.outcome_unknown = outcome_unknown


@dataclass(frozen=True, slots=True)
class Health:
    version: str
    detail: str = ""


class Connector(Protocol):
    """Five methods; all idempotent. `plan` is pure and synchronous."""

    capabilities: frozenset[
        str
    ]  # of: levels, suspend, list, owner_mark, password, version, availability, steps
    needs_password: bool  # a secret must be delivered when the object is created

    async def check(self) -> Health: ...
    async def observe(self, desired: Desired) -> Observed: ...
    def plan(self, desired: Desired, observed: Observed) -> Plan: ...
    async def apply(self, desired: Desired, plan: Plan, step: Step) -> None: ...
    def list(self) -> AsyncIterator[tuple[str, Observed]]:
        """Yield (name, observed) of every object that carries this installation's mark."""
        ...

    async def aclose(self) -> None: ...


ConnectorFactory = Callable[[str, Mapping[str, object], str], Awaitable[Connector]]
# (connector name, its settings table, installation id) -> connector; entry-point group "mission_control_tui.connectors"
