"""Marks, whatever is pressed: by Space, v and *, with other words in Find, with users created and deleted meanwhile.

The screen's own functions decide what is marked; a plain model says what should be.
"""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from mission_control_tui.model.recycle_bin import deletion
from mission_control_tui.model.search import light_matrix
from mission_control_tui.model.search.filters import UserFilter
from mission_control_tui.model.store.database import Store
from mission_control_tui.model.store.scope import AccountScope
from mission_control_tui.widgets.marks import with_all, with_range, words
from tests.model.helpers import create, named
from tests.screens import world
from tests.support import share

FIRST = ("Ada", "Bob", "Cyd")
LAST = ("Adams", "Brown", "Clark", "Dean")
SIGHTS = (
    UserFilter(),
    UserFilter(text="ada"),
    UserFilter(text="bob c"),
    UserFilter(disabled=True),
    UserFilter(disabled=False, text="a"),
)
_template: list[Path] = []


def template() -> Path:
    """An empty account, made once."""
    if not _template:
        path = Path(tempfile.mkdtemp()) / "marks.db"
        asyncio.run(world.make(path, empty=True))
        _template.append(path)
    return _template[0]


class Marking(RuleBasedStateMachine):
    """One list of users with marks."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.directory = tempfile.TemporaryDirectory()
        self.store: Any = None

    def run(self, work: Any) -> Any:
        return self.runner.run(work)

    @property
    def scope(self) -> AccountScope:
        return AccountScope(self.store, world.CALLER, self.account.id)

    @initialize()
    def begin(self) -> None:
        path = Path(self.directory.name) / "marks.db"
        shutil.copy(template(), path)
        shutil.copy(f"{template()}.key", f"{path}.key")
        self.store = self.run(Store.open(path))
        self.account = self.run(self._account())
        self.people: dict[str, tuple[str, bool]] = {}
        self.marks: set[Any] = set()
        self.expected: set[str] = set()
        self.last: str | None = None
        self.sight = UserFilter()
        self.made = 0
        for number in range(6):
            self.add(FIRST[number % 3], LAST[number % 4], number % 2 == 0)

    async def _account(self) -> Any:
        from mission_control_tui.model.accounts.editing import resolve_account

        return await resolve_account(self.store, world.CALLER, None)

    def shown(self) -> list[str]:
        """Who is in view, by the model: in order of names, then of ids."""
        found = []
        for ident, (name, disabled) in self.people.items():
            parts = name.casefold().split()
            text = all(
                any(part.startswith(word) for part in parts) for word in self.sight.text.split()
            )
            if text and self.sight.disabled in (None, disabled):
                found.append((name.casefold(), ident))
        return [ident for _name, ident in sorted(found)]

    @rule(first=st.sampled_from(FIRST), last=st.sampled_from(LAST), disabled=st.booleans())
    def add(self, first: str, last: str, disabled: bool) -> None:
        self.made += 1
        # Who has the same name comes in the order of random ids: a walk could not be walked again.
        last = f"{last}{self.made:02}"
        details = named(
            f"u{self.made}",
            display_name=f"{first} {last}",
            first_names=first,
            last_name=last,
            disabled=disabled,
        )
        made = self.run(create(self.store, world.CALLER, self.account, details))
        self.people[made.id] = (f"{first} {last}", disabled)

    @precondition(lambda self: self.people)
    @rule(data=st.data())
    def delete(self, data: st.DataObject) -> None:
        gone = data.draw(st.sampled_from(list(self.people)))
        self.run(deletion.delete_user(self.scope, gone))
        del self.people[gone]
        there = self.run(light_matrix.among(self.scope, self.marks))
        self.marks &= there
        self.expected.discard(gone)

    @rule(sight=st.sampled_from(SIGHTS))
    def look(self, sight: UserFilter) -> None:
        self.sight = sight

    @precondition(lambda self: self.shown())
    @rule(data=st.data())
    def space(self, data: st.DataObject) -> None:
        one = data.draw(st.sampled_from(self.shown()))
        self.marks ^= {one}
        self.expected ^= {one}
        self.last = one if one in self.marks else None

    @precondition(lambda self: self.shown() and self.last in self.shown())
    @rule(data=st.data())
    def range(self, data: st.DataObject) -> None:
        here = data.draw(st.sampled_from(self.shown()))
        between = self.run(light_matrix.ids(self.scope, self.sight, first=self.last, last=here))
        self.marks = with_range(self.marks, between)
        shown = self.shown()
        low, high = sorted((shown.index(self.last or ""), shown.index(here)))
        self.expected |= set(shown[low : high + 1])

    @rule()
    def all(self) -> None:
        self.marks = with_all(self.marks, self.run(light_matrix.ids(self.scope, self.sight)))
        shown = set(self.shown())
        if shown and shown <= self.expected:
            self.expected -= shown
        else:
            self.expected |= shown

    @invariant()
    def agrees(self) -> None:
        if self.store is None:
            return
        assert self.marks == self.expected
        assert list(self.run(light_matrix.ids(self.scope, self.sight))) == self.shown()
        hidden = len(self.marks) - len(
            self.run(light_matrix.among(self.scope, self.marks, self.sight))
        )
        assert hidden == len(self.expected - set(self.shown()))
        said = words(len(self.marks), hidden)
        assert ("not shown" in said) == bool(hidden)

    def teardown(self) -> None:
        if self.store is not None:
            self.run(self.store.close())
        self.runner.close()
        self.directory.cleanup()


TestMarking = Marking.TestCase
TestMarking.settings = settings(
    max_examples=share(12),
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
