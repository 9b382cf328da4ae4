"""Schedules made, changed, cancelled, run and run again in any order, against a plain-Python model."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import (
    initialize,
    invariant,
    precondition,
    rule,
)
from sqlalchemy import update

from mission_control_tui.model.caller import Caller
from mission_control_tui.model.catalogue.types import Catalogue
from mission_control_tui.model.errors import Conflict, NotFound
from mission_control_tui.model.history import audit_log
from mission_control_tui.model.recycle_bin import deletion
from mission_control_tui.model.schedules import due as schedule_due
from mission_control_tui.model.schedules.editing import cancel_schedule, change_schedule, schedule
from mission_control_tui.model.schedules.queries import list_schedules
from mission_control_tui.model.schedules.running import run
from mission_control_tui.model.store.scope import AccountScope
from mission_control_tui.model.store.tables.schedules import ScheduleRow
from mission_control_tui.model.users import creation
from mission_control_tui.model.users import queries as users
from tests.model.conftest import make_account
from tests.model.helpers import PASSWORD, named
from tests.model.store_machine import StoreMachine, walk

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


class Machine(StoreMachine):
    """Operators and workers do what they like; what is disabled, and what ran, must agree with the model."""

    def __init__(self) -> None:
        super().__init__()
        self.disabled = dict.fromkeys(NAMES, False)
        self.in_bin: set[str] = set()
        self.planned: dict[int, Planned] = {}
        self.order: list[int] = []

    @initialize()
    def begin(self) -> None:
        self.account = self.do(
            make_account(self.store, ANNA, self.catalogue, "acme", "acme.example")
        )
        for name in NAMES:
            self.do(
                creation.create_user(
                    AccountScope(self.store, ANNA, self.account.id), named(name), PASSWORD
                )
            )

    @rule(name=st.sampled_from(NAMES), disable=st.booleans())
    def make(self, name: str, disable: bool) -> None:
        making = schedule(
            AccountScope(self.store, ANNA, self.account.id),
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
            change_schedule(AccountScope(self.store, ANNA, self.account.id), number, when="+2d")
            if change
            else cancel_schedule(AccountScope(self.store, ANNA, self.account.id), number)
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
            self.do(deletion.restore_user(AccountScope(self.store, ANNA, self.account.id), upn))
            self.in_bin.discard(name)
            return
        self.do(deletion.delete_user(AccountScope(self.store, ANNA, self.account.id), upn))
        self.in_bin.add(name)
        for one in self.planned.values():
            if one.user == name and one.state == "waiting":
                one.state, one.is_due = "cancelled", False

    @invariant()
    def the_store_agrees(self) -> None:
        if not hasattr(self, "account"):
            return
        listed = self.do(list_schedules(AccountScope(self.store, ANNA, self.account.id)))
        assert {one.id: one.state for one in listed} == {
            number: one.state for number, one in self.planned.items()
        }
        for name in set(NAMES) - self.in_bin:
            found = self.do(
                users.details(
                    AccountScope(self.store, ANNA, self.account.id), f"{name}@acme.example"
                )
            )
            assert found.details.disabled == self.disabled[name]
        ran = self.do(
            audit_log.entries(
                AccountScope(self.store, ANNA, self.account.id), action="schedule done", limit=500
            )
        )
        assert len(ran) == sum(one.state == "done" for one in self.planned.values())


def test_schedules_in_any_order(sqlite_template: Path, catalogue: Catalogue) -> None:
    walk(Machine, sqlite_template, catalogue, examples=15, steps=25)
