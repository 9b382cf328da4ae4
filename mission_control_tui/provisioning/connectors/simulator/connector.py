"""The simulator as a connector: rules decide how long a call takes and how it ends, the store acts."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from mission_control_tui.connect import (
    ADOPT,
    LASTING_FENCE,
    LEVELS,
    LIST,
    LIST_UNMARKED,
    MEMBERS,
    OWNER_MARK,
    PASSWORD,
    SUSPEND,
    Applied,
    ChangePlan,
    ConnectorError,
    Context,
    Declaration,
    DesiredState,
    ErrorKind,
    FenceGrade,
    Health,
    ObservedState,
    Page,
    Step,
    Usage,
    plan_difference,
)
from mission_control_tui.provisioning.connectors.simulator.rules import (
    Ruleset,
    RulesFile,
    Situation,
)
from mission_control_tui.provisioning.connectors.simulator.store import Effect, SimulatorStore

DECLARES = Declaration(
    capabilities=frozenset(
        {
            *(LEVELS, SUSPEND, LIST, LIST_UNMARKED, OWNER_MARK, LASTING_FENCE),
            *(PASSWORD, MEMBERS, ADOPT),
        }
    ),
    fence=FenceGrade.LOCKED,
    options=None,
    limits=None,
    attributes=None,
    starts_enabled=True,
)


_MINUTE = 60.0


class Simulator:
    """A back end that keeps its own state on disk; see docs/connectors.md for its settings.

    A connector has a thread of its own, so that its short calls of SQLite need no other.
    """

    declares: Declaration

    def __init__(
        self,
        store: SimulatorStore,
        rules: RulesFile,
        installation: str,
        *,
        delay_factor: float = 1.0,
        fence: FenceGrade = FenceGrade.LOCKED,
        options: frozenset[str] | None = None,
        calls_per_minute: int | None = None,
    ) -> None:
        self.declares = replace(
            DECLARES,
            fence=fence,
            options=options,
            usage=frozenset(rule.id for rule in rules.now.usage),
        )
        self._store = store
        self._file = rules
        self._installation = installation
        self._delay_factor = delay_factor
        self._most = calls_per_minute
        self._calls: deque[float] = deque()

    @property
    def _rules(self) -> Ruleset:
        return self._file.now

    async def check(self) -> Health:
        """Return the simulator's version and where its file is."""
        await self._meet(Situation("check"))
        count = self._store.count()
        file = self._store.path
        there = f"{count} objects in {file}" if file.exists() else f"no objects, and no {file} yet"
        return Health("simulator 1", there)

    async def observe(self, desired: DesiredState) -> ObservedState:
        """Return what the file holds under this name."""
        situation = Situation.of("observe", desired)
        await self._meet(situation, desired.mark.key)
        rules = self._rules
        observed = self._store.observe(desired, rules.layout(desired.service))
        if not observed.exists:
            return observed
        used = rules.used(situation, observed.settings, observed.limits)
        return replace(
            observed,
            usage=used,
            kept=(*observed.kept, *map(_in_words, used.items())),
            unadoptable=rules.unadoptable(situation) or observed.unadoptable,
        )

    def plan(self, desired: DesiredState, observed: ObservedState) -> ChangePlan:
        """Return the difference, in the steps that the rules file gives the service."""
        return plan_difference(
            desired, observed, self.declares, layout=self._rules.layout(desired.service)
        )

    async def apply(self, desired: DesiredState, plan: ChangePlan, step: Step) -> Applied:
        """Do one step, late or with an error where a rule says so."""
        self._count()
        situation = Situation.of("apply", desired, step.name)
        await asyncio.sleep(self._rules.delay(situation) * self._delay_factor)
        return self._store.apply(
            desired,
            step.name,
            self.plan,
            self._rules.layout(desired.service),
            self._rules.failures(situation),
            self._rules.pending(situation),
        )

    async def list(self, cursor: str, marked_only: bool) -> Page:
        """Return the next objects, of this installation or of all."""
        await self._meet(Situation("list"))
        whose = self._installation if marked_only else ""
        return self._store.list(whose, cursor)

    async def aclose(self) -> None:
        """Close the connections to the file."""
        self._store.close()

    def _count(self) -> None:
        """Refuse more calls within a minute than the settings allow, saying when there is room again."""
        if self._most is None:
            return
        now = time.monotonic()
        while self._calls and self._calls[0] <= now - _MINUTE:
            self._calls.popleft()
        if len(self._calls) >= self._most:
            raise ConnectorError(
                ErrorKind.THROTTLED,
                f"The simulated back end takes {self._most} calls a minute",
                remedy="Nothing to do: it goes on by itself.",
                retry_after=self._calls[0] + _MINUTE - now,
            )
        self._calls.append(now)

    async def _meet(self, situation: Situation, key: str = "") -> None:
        self._count()
        await asyncio.sleep(self._rules.delay(situation) * self._delay_factor)
        failures = self._rules.failures(situation)
        if not failures:
            return
        failure = self._store.spend(failures, situation.service, key)
        if failure is not None:
            raise failure.error()


async def create(context: Context) -> Simulator:
    """Open the simulator as its settings table says; raises InvalidInput with every problem."""
    reader = context.reader()
    path = reader.path("path") or _default_path()
    rules_file = reader.path("rules")
    delay_factor = reader.number("delay_factor", 1.0, 0.0, 1000.0)
    fence = reader.choice("fence", tuple(FenceGrade), FenceGrade.LOCKED)
    options = frozenset(reader.texts("options")) if reader.has("options") else None
    most = (
        reader.integer("calls_per_minute", 0, 1, 10**6) if reader.has("calls_per_minute") else None
    )
    reader.finish()
    rules = RulesFile(rules_file)
    store = SimulatorStore(path, keeps_open=True)
    store.seed(rules.now.existing)
    return Simulator(
        store,
        rules,
        context.installation,
        delay_factor=delay_factor,
        fence=FenceGrade(fence),
        options=options,
        calls_per_minute=most,
    )


def _in_words(used: tuple[str, Usage]) -> str:
    name, usage = used
    return f"{usage.value:g} {usage.unit}".rstrip() + f" of {name}"


def forget(settings: Mapping[str, object], keys: Sequence[str]) -> int:
    """Remove all that the simulator with this settings table holds of these assignments; returns the objects' count."""
    named = settings.get("path")
    path = Path(named).expanduser() if isinstance(named, str) and named else _default_path()
    return SimulatorStore(path).forget(keys)


def ledger(path: Path) -> tuple[Effect, ...]:
    """Return all effects in the simulator's file, in the order in which they happened."""
    return SimulatorStore(path).ledger()


def login(path: Path, name: str, password: str, service: str | None = None) -> bool:
    """Return True when `name` (of `service`, or of any) is present in the file and takes this password."""
    return SimulatorStore(path).login(name, password, service)


def _default_path() -> Path:
    from platformdirs import user_data_path

    return user_data_path("mission-control", appauthor=False) / "simulator.db"
