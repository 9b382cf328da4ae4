"""Schedules made, changed, cancelled, run and run again in any order, against a plain-Python model."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Awaitable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import ClassVar, TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import update

from mission_control_tui.model import audit, schedule_due, users
from mission_control_tui.model.catalogue import Catalogue
from mission_control_tui.model.context import Caller
from mission_control_tui.model.database import Store
from mission_control_tui.model.errors import Conflict, NotFound
from mission_control_tui.model.schedule_running import run
from mission_control_tui.model.schedules import (
    cancel_schedule,
    change_schedule,
    list_schedules,
    schedule,
)
from mission_control_tui.model.tables import ScheduleRow
from tests.model.conftest import make_account
from tests.model.helpers import PASSWORD, named
from tests.support import proof_factor

T = TypeVar("T")
ANNA = Caller(operator="anna", ticket="T-9")
NAMES = ("ada", "bob")
NUMBERS = st.integers(1, 6)


@dataclass
class Planned:
    """A schedule as the model believes it to be."""

    user: str
    disable: bool
    is_due: bool = False
    state: str = "waiting"


class Machine(RuleBasedStateMachine):
    """Operators and workers do what they like; what is disabled, and what ran, must agree with the model."""

    template: ClassVar[Path]
    catalogue: ClassVar[Catalogue]

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.directory = TemporaryDirectory()
        path = Path(self.directory.name) / "store.db"
        shutil.copy(self.template, path)
        shutil.copy(f"{self.template}.key", f"{path}.key")
        self.store = self.do(Store.open(path))
        self.disabled = dict.fromkeys(NAMES, False)
        self.in_bin: set[str] = set()
        self.planned: dict[int, Planned] = {}
        self.order: list[int] = []

    def do(self, work: Awaitable[T]) -> T:
        async def awaited() -> T:
            return await work

        return self.runner.run(awaited())

    def teardown(self) -> None:
        self.do(self.store.close())
        self.runner.close()
        self.directory.cleanup()

    @initialize()
    def begin(self) -> None:
        self.account = self.do(
            make_account(self.store, ANNA, self.catalogue, "acme", "acme.example")
        )
        for name in NAMES:
            self.do(users.create_user(self.store, ANNA, self.account.id, named(name), PASSWORD))

    @rule(name=st.sampled_from(NAMES), disable=st.booleans())
    def make(self, name: str, disable: bool) -> None:
        making = schedule(
            self.store,
            ANNA,
            self.account.id,
            f"{name}@acme.example",
            "disable" if disable else "enable",
            None,
            "+1d",
        )
        if name in self.in_bin:
            with pytest.raises(NotFound):
                self.do(making)
            return
        self.planned[self.do(making).result.id] = Planned(name, disable)

    @precondition(lambda self: self.planned)
    @rule(number=NUMBERS, change=st.booleans())
    def change_or_cancel(self, number: int, change: bool) -> None:
        one = self.planned.get(number)
        doing = (
            change_schedule(self.store, ANNA, self.account.id, number, when="+2d")
            if change
            else cancel_schedule(self.store, ANNA, self.account.id, number)
        )
        if one is None or one.state != "waiting":
            with pytest.raises(NotFound if one is None else Conflict):
                self.do(doing)
            return
        self.do(doing)
        one.is_due = False
        if not change:
            one.state = "cancelled"

    @precondition(lambda self: self.planned)
    @rule(number=NUMBERS)
    def its_moment_comes(self, number: int) -> None:
        one = self.planned.get(number)
        if one is None or one.state != "waiting" or one.is_due:
            return
        one.is_due = True
        self.order.append(number)
        self.do(self._overdue(number, len(self.order)))

    async def _overdue(self, number: int, place: int) -> None:
        async with self.store.write(ANNA) as tx:
            past = datetime.fromtimestamp(await self.store.now(), UTC) - timedelta(days=1)
            await tx.session.execute(
                update(ScheduleRow)
                .where(ScheduleRow.id == number)
                .values(due_at=past + timedelta(seconds=place))
            )

    @rule(workers=st.integers(1, 3))
    def run_what_is_due(self, workers: int) -> None:
        expected = [
            number
            for number in self.order
            if self.planned[number].is_due and self.planned[number].state == "waiting"
        ]
        due = self.do(schedule_due.due(self.store))
        assert [one.id for one in due] == list(dict.fromkeys(reversed(expected)))[::-1]
        for one in due:
            ended = [self.do(run(self.store, one)) for _ in range(workers)]
            assert ended == ["done"] + [None] * (workers - 1)
            planned = self.planned[one.id]
            planned.state, planned.is_due = "done", False
            self.disabled[planned.user] = planned.disable

    @rule(name=st.sampled_from(NAMES))
    def delete_or_restore(self, name: str) -> None:
        upn = f"{name}@acme.example"
        if name in self.in_bin:
            self.do(users.restore_user(self.store, ANNA, self.account.id, upn))
            self.in_bin.discard(name)
            return
        self.do(users.delete_user(self.store, ANNA, self.account.id, upn))
        self.in_bin.add(name)
        for one in self.planned.values():
            if one.user == name and one.state == "waiting":
                one.state, one.is_due = "cancelled", False

    @invariant()
    def the_store_agrees(self) -> None:
        if not hasattr(self, "account"):
            return
        listed = self.do(list_schedules(self.store, ANNA, self.account.id))
        assert {one.id: one.state for one in listed} == {
            number: one.state for number, one in self.planned.items()
        }
        for name in set(NAMES) - self.in_bin:
            found = self.do(
                users.details(self.store, ANNA, self.account.id, f"{name}@acme.example")
            )
            assert found.details.disabled == self.disabled[name]
        ran = self.do(
            audit.entries(self.store, ANNA, self.account.id, action="schedule done", limit=500)
        )
        assert len(ran) == sum(one.state == "done" for one in self.planned.values())


def test_schedules_in_any_order(sqlite_template: Path, catalogue: Catalogue) -> None:
    Machine.template, Machine.catalogue = sqlite_template, catalogue
    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=15 * proof_factor(),
            stateful_step_count=25,
            derandomize=proof_factor() == 1,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
