"""Names are unique over everything that happens to them, judged against a plain dictionary."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import ClassVar, TypeVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    invariant,
    rule,
    run_state_machine_as_test,
)

from mission_control_tui.model.caller import Caller
from mission_control_tui.model.catalogue.types import Catalogue
from mission_control_tui.model.domains import address_registry
from mission_control_tui.model.errors import Conflict, NotFound
from mission_control_tui.model.recycle_bin import deletion
from mission_control_tui.model.store.database import Store
from mission_control_tui.model.store.scope import AccountScope
from mission_control_tui.model.users import creation, editing
from mission_control_tui.model.users import queries as users
from mission_control_tui.model.views import Account
from tests.model.conftest import make_account
from tests.model.helpers import PASSWORD, ada
from tests.support import share

pytestmark = pytest.mark.any_database

T = TypeVar("T")

LOCALS = ("ann", "ANN", "Ann", "ben", "BEN", "cy")
USERNAMES = ("x", "X", "y", "Y", "z")


@dataclass
class Known:
    """What the dictionary knows of one user; addresses by their folded local part, as they were spelt."""

    id: str
    upn: str
    username: str
    others: dict[str, str] = field(default_factory=dict)
    primary: str = ""
    in_bin: bool = False

    def has(self, key: str) -> bool:
        return key == self.upn.casefold() or key in self.others


class Names(RuleBasedStateMachine):
    """Creates, renames, aliases, deletes and restores users whose names collide as often as they can."""

    runner: ClassVar[asyncio.Runner]
    store: ClassVar[Store]
    catalogue: ClassVar[Catalogue]
    numbers: ClassVar[Iterator[int]]
    caller = Caller("anna")
    people: Bundle[Known] = Bundle("people")

    def __init__(self) -> None:
        super().__init__()
        number = next(self.numbers)
        self.domain = f"d{number}.example"
        self.account: Account = self.do(
            make_account(self.store, self.caller, self.catalogue, f"a{number}", self.domain)
        )
        self.known: list[Known] = []

    def do(self, work: Awaitable[T]) -> T:
        async def wait() -> T:
            return await work

        return self.runner.run(wait())

    def holder(self, local: str) -> Known | None:
        return next((one for one in self.known if one.has(local.casefold())), None)

    def address(self, local: str) -> str:
        return f"{local}@{self.domain}"

    @rule(target=people, local=st.sampled_from(LOCALS), username=st.sampled_from(USERNAMES))
    def create(self, local: str, username: str) -> Known:
        wanted = ada(upn=self.address(local), username=username)
        work = creation.create_user(
            AccountScope(self.store, self.caller, self.account.id), wanted, PASSWORD
        )
        wrong = [
            *(["upn"] if self.holder(local) else []),
            *(
                ["username"]
                if any(one.username.casefold() == username.casefold() for one in self.known)
                else []
            ),
        ]
        if wrong:
            with pytest.raises(Conflict) as caught:
                self.do(work)
            assert [problem.where for problem in caught.value.problems] == wrong
            return self.known[0]
        made = self.do(work).result.user
        self.known.append(Known(made.id, local, username, primary=local))
        return self.known[-1]

    @rule(one=people, local=st.sampled_from(LOCALS))
    def rename(self, one: Known, local: str) -> None:
        work = editing.edit_user(
            AccountScope(self.store, self.caller, self.account.id),
            one.id,
            {"upn": self.address(local)},
        )
        if self.refused(one, local, work):
            return
        key = local.casefold()
        if key != one.upn.casefold():
            one.others.pop(key, None)
            one.others[one.upn.casefold()] = one.upn
        if one.primary.casefold() in (one.upn.casefold(), key):
            one.primary = local
        one.upn = local

    @rule(one=people, local=st.sampled_from(LOCALS))
    def add_alias(self, one: Known, local: str) -> None:
        work = editing.add_alias(
            AccountScope(self.store, self.caller, self.account.id), one.id, self.address(local)
        )
        if not self.refused(one, local, work) and not one.has(local.casefold()):
            one.others[local.casefold()] = local

    def refused(self, one: Known, local: str, work: Awaitable[object]) -> bool:
        """Do `work`, which is refused to users in the bin and for addresses that others have."""
        if one.in_bin:
            with pytest.raises(NotFound):
                self.do(work)
            return True
        holder = self.holder(local)
        if holder is not None and holder is not one:
            with pytest.raises(Conflict):
                self.do(work)
            return True
        self.do(work)
        return False

    @rule(one=people, local=st.sampled_from(LOCALS))
    def remove_alias(self, one: Known, local: str) -> None:
        key = local.casefold()
        work = editing.remove_alias(
            AccountScope(self.store, self.caller, self.account.id), one.id, self.address(local)
        )
        if one.in_bin or not one.has(key):
            with pytest.raises(NotFound):
                self.do(work)
        elif key == one.upn.casefold():
            with pytest.raises(Conflict):
                self.do(work)
        else:
            self.do(work)
            del one.others[key]
            if one.primary.casefold() == key:
                one.primary = one.upn

    @rule(one=people, local=st.sampled_from(LOCALS))
    def set_primary(self, one: Known, local: str) -> None:
        key = local.casefold()
        work = editing.set_primary(
            AccountScope(self.store, self.caller, self.account.id), one.id, self.address(local)
        )
        if one.in_bin or not one.has(key):
            with pytest.raises(NotFound):
                self.do(work)
        else:
            self.do(work)
            one.primary = one.others.get(key, one.upn)

    @rule(one=people)
    def delete(self, one: Known) -> None:
        work = deletion.delete_user(AccountScope(self.store, self.caller, self.account.id), one.id)
        if one.in_bin:
            with pytest.raises(NotFound):
                self.do(work)
        else:
            self.do(work)
            one.in_bin = True

    @rule(one=people)
    def restore(self, one: Known) -> None:
        self.do(
            deletion.restore_user(AccountScope(self.store, self.caller, self.account.id), one.id)
        )
        one.in_bin = False

    @invariant()
    def store_and_dictionary_agree(self) -> None:
        for one in self.known:
            view = self.do(
                users.details(AccountScope(self.store, self.caller, self.account.id), one.id)
            )
            assert view.upn == self.address(one.upn)
            assert set(view.aliases) == {self.address(local) for local in one.others.values()}
            assert view.primary_address == self.address(one.primary)
            assert view.in_bin == one.in_bin
        for local in ("ann", "ben", "cy"):
            status = self.do(
                address_registry.upn_status(
                    AccountScope(self.store, self.caller, self.account.id), self.address(local)
                )
            )
            holder = self.holder(local)
            assert status.free == (holder is None)
            assert (status.holder.user_id if status.holder else None) == (
                holder.id if holder else None
            )


def test_names_are_unique_whatever_happens(where: str, catalogue: Catalogue) -> None:
    examples = 5 if where.startswith("postgresql") else 12
    with asyncio.Runner() as runner:
        opened = runner.run(Store.open(where))
        try:

            class Machine(Names):
                pass

            Machine.runner, Machine.store, Machine.catalogue = runner, opened, catalogue
            Machine.numbers = count(1)
            run_state_machine_as_test(
                Machine, settings=settings(max_examples=share(examples), stateful_step_count=20)
            )
        finally:
            runner.run(opened.close())
