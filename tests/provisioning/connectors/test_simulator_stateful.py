"""The simulator against a model in plain Python: whatever is wished, lost, overtaken or stopped."""

from __future__ import annotations

import asyncio
import tempfile
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from mission_control_tui.connect import ConnectorError, DesiredState
from mission_control_tui.model.states import ErrorKind, Wish
from mission_control_tui.provisioning.connectors.simulator.connector import ledger, login
from mission_control_tui.provisioning.converge import LookOutcome, apply_step, observe_and_plan
from mission_control_tui.provisioning.guard import Guarded
from tests.provisioning.connectors.support import (
    INSTALLATION,
    SimulatorBackEnd,
    list_marked,
    reach,
    wish,
)
from tests.support import share

NAMES = ("ann", "bob")
STEPS = ("role", "database")
RULES = """
[[step]]
name = "role"
[[step]]
name = "database"
carries = ["settings.*"]
[[rule]]
name = "bob"
step = "database"
fail = "transient"
when = "after"
fail_times = 2
"""


@dataclass
class Expected:
    """What the model knows of one object."""

    wished: DesiredState
    password: str | None = None
    passwords_set: int = 0
    created: int = 0
    removed: int = 0
    there: bool = False


class SimulatorMachine(RuleBasedStateMachine):
    """Wishes with rising generations are reached, half reached, repeated and overtaken."""

    @initialize()
    def start(self) -> None:
        self.directory = tempfile.TemporaryDirectory()
        self.back_end = SimulatorBackEnd(Path(self.directory.name))
        rules = Path(self.directory.name) / "rules.toml"
        rules.write_text(RULES)
        self.runner = asyncio.Runner()
        self.connector: Guarded = self.runner.run(self.back_end.open(rules=str(rules)))
        self.expected = {
            name: Expected(wish(name, Wish.ABSENT, generation=0, secret=None)) for name in NAMES
        }

    def teardown(self) -> None:
        if hasattr(self, "runner"):
            self.runner.close()
            self.directory.cleanup()

    @rule(
        name=st.sampled_from(NAMES),
        state=st.sampled_from(Wish),
        level=st.sampled_from(["small", "large"]),
        quota=st.integers(1, 3),
        secret=st.none() | st.sampled_from(["Password-1", "Password-2"]),
    )
    def wish_and_reach(
        self, name: str, state: Wish, level: str, quota: int, secret: str | None
    ) -> None:
        self._wish(name, state, level, quota, secret)
        self._reach(name)

    @rule(name=st.sampled_from(NAMES), state=st.sampled_from(Wish), level=st.just("large"))
    def wish_and_stop_after_a_step(self, name: str, state: Wish, level: str) -> None:
        desired = self._wish(name, state, level, 1, "Password-3")
        _, plan = self._run(observe_and_plan(self.connector, desired))
        for step in plan.steps[:1]:
            self._apply(desired, plan, step)
        # The rest is done by whoever comes next, with whatever is wished then.
        self._reach(name)

    @precondition(lambda self: any(one.wished.mark.generation for one in self.expected.values()))
    @rule(name=st.sampled_from(NAMES))
    def reach_again(self, name: str) -> None:
        if self.expected[name].wished.mark.generation:
            before = ledger(self.back_end.file)
            self._reach(name)
            assert ledger(self.back_end.file) == before

    @rule(name=st.sampled_from(NAMES), state=st.sampled_from(Wish))
    def an_overtaken_worker_wakes_up(self, name: str, state: Wish) -> None:
        newest = self.expected[name].wished
        if newest.mark.generation < 2:
            return
        older = replace(
            wish(name, state, "large", secret="Stale-Password"),
            mark=replace(newest.mark, generation=newest.mark.generation - 1, attempt=99),
        )
        before = ledger(self.back_end.file)
        observed, _ = self._run(observe_and_plan(self.connector, older))
        unaware = replace(observed, mark=older.mark if observed.exists else None)
        plan = self._run(self.connector.plan(older, unaware))
        for step in plan.steps:
            with pytest.raises(ConnectorError) as caught:
                self._run(apply_step(self.connector, older, plan, step))
            assert caught.value.kind is ErrorKind.STALE
        assert ledger(self.back_end.file) == before

    @rule(name=st.sampled_from(NAMES))
    def a_stranger_asks(self, name: str) -> None:
        if not self.expected[name].there:
            return
        blocked = self._run(reach(self.connector, wish(name, key="stranger", generation=50)))
        assert blocked.outcome is LookOutcome.BLOCKED
        assert blocked.plan.kind is ErrorKind.CONFLICT

    @invariant()
    def the_back_end_is_as_the_model_says(self) -> None:
        if not hasattr(self, "expected"):
            return
        for name, expected in self.expected.items():
            observed, _ = self._run(observe_and_plan(self.connector, expected.wished))
            assert observed.exists is expected.there
            if expected.there:
                assert observed.complete
                assert observed.wish is expected.wished.state
                assert observed.level == expected.wished.level
                assert observed.settings == expected.wished.settings
            for password in ("Password-1", "Password-2", "Password-3", "Stale-Password"):
                works = login(self.back_end.file, name, password)
                present = expected.there and expected.wished.state is Wish.PRESENT
                assert works is (present and password == expected.password)

    @invariant()
    def every_effect_happened_once(self) -> None:
        if not hasattr(self, "expected"):
            return
        effects = ledger(self.back_end.file)
        counted = Counter((one.name, one.step, one.effect) for one in effects)
        for name, expected in self.expected.items():
            assert counted[name, "role", "password set"] == expected.passwords_set
            for step in STEPS:
                assert counted[name, step, "created"] == expected.created
                assert counted[name, step, "removed"] == expected.removed
        listed = self._run(self._listed())
        assert listed == {name for name, expected in self.expected.items() if expected.there}

    async def _listed(self) -> set[str]:
        return {
            name
            async for name, one in list_marked(self.connector)
            if one.mark and one.mark.installation == INSTALLATION
        }

    def _wish(
        self, name: str, state: Wish, level: str, quota: int, secret: str | None
    ) -> DesiredState:
        expected = self.expected[name]
        expected.wished = wish(
            name,
            state,
            level,
            generation=expected.wished.mark.generation + 1,
            secret=secret,
            secret_id=f"of {expected.wished.mark.generation + 1}",
            settings={"quota": quota},
        )
        if state is Wish.ABSENT:
            expected.removed += expected.there
            expected.password = None
        else:
            expected.created += not expected.there
            if secret is not None:
                expected.password = secret
                expected.passwords_set += 1
        expected.there = state is not Wish.ABSENT
        return expected.wished

    def _reach(self, name: str) -> None:
        converged = self._run(reach(self.connector, self.expected[name].wished))
        assert converged.outcome is LookOutcome.DONE

    def _apply(self, desired: DesiredState, plan: Any, step: Any) -> None:
        try:
            self._run(apply_step(self.connector, desired, plan, step))
        except ConnectorError as error:
            if not error.outcome_unknown:
                raise

    def _run(self, work: Any) -> Any:
        return self.runner.run(work)


TestSimulator = SimulatorMachine.TestCase
TestSimulator.settings = settings(max_examples=share(25), stateful_step_count=12, deadline=None)
