"""Any order of buying, giving, taking away and removing: never more seats given than owned, and sums that are right."""

from __future__ import annotations

from collections import Counter
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, rule

from mission_control_tui.model.accounts.editing import create_account
from mission_control_tui.model.accounts.overview import list_seats, show
from mission_control_tui.model.caller import Caller
from mission_control_tui.model.catalogue.types import Catalogue
from mission_control_tui.model.errors import Conflict, NoSeats, NotFound
from mission_control_tui.model.orders.buying import buy
from mission_control_tui.model.orders.queries import list_orders
from mission_control_tui.model.orders.removing import remove
from mission_control_tui.model.orders.subscriptions import list_subscriptions
from mission_control_tui.model.states import OrderKind, RequestKind
from mission_control_tui.model.store.scope import AccountScope
from mission_control_tui.model.users.actions.params import ActionParams
from mission_control_tui.model.users.provisioning import change_wish, provision
from mission_control_tui.model.views import Account
from tests.model.helpers import create, finish, named
from tests.model.store_machine import StoreMachine, walk

T = TypeVar("T")

CALLER = Caller(operator="anna")
LEVELS = {"popx": 300, "pc-web": 900}
USERS = ("u1", "u2", "u3")
SERVICE = "managed-exchange"
levels = st.sampled_from(sorted(LEVELS))
users = st.sampled_from(USERS)
counts = st.integers(1, 3)


class Buying(StoreMachine):
    """The store beside a dictionary of what it should hold."""

    @initialize()
    def begin(self) -> None:
        self.account: Account = self.do(
            create_account(self.store, CALLER, name="Acme", code="acme", domains=["acme.example"])
        ).result
        for local in USERS:
            self.do(create(self.store, CALLER, self.account, named(local)))
        self.owned: Counter[str] = Counter()
        self.spent = 0
        self.purchases = 0
        self.level: dict[str, str] = {}
        self.holds: dict[str, set[str]] = {local: set() for local in USERS}
        self.settled: dict[str, str] = {}

    def held(self, level: str) -> int:
        return sum(level in levels for levels in self.holds.values())

    @rule(level=levels, count=counts, dry_run=st.booleans())
    def buy(self, level: str, count: int, dry_run: bool) -> None:
        done = self.do(
            buy(
                AccountScope(self.store, CALLER, self.account.id),
                "email",
                level=level,
                quantity=count,
                dry_run=dry_run,
            )
        )
        price = LEVELS[level] * count
        assert done.result.total.minor == price + price // 10
        if not dry_run:
            self.owned[level] += count
            self.spent += done.result.total.minor
            self.purchases += 1

    @rule(level=levels, count=counts)
    def remove(self, level: str, count: int) -> None:
        work = remove(
            AccountScope(self.store, CALLER, self.account.id), "email", level=level, quantity=count
        )
        if not self.owned[level]:
            self.refused(NotFound, work)
        elif self.owned[level] - self.held(level) < count:
            self.refused(Conflict, work)
        else:
            self.do(work)
            self.owned[level] -= count

    @rule(local=users, level=levels)
    def give(self, local: str, level: str) -> None:
        work = provision(
            AccountScope(self.store, CALLER, self.account.id), local, [ActionParams(SERVICE, level)]
        )
        if not any(self.owned.values()):
            self.refused(Conflict, work)
        elif (
            self.level.get(local) != level
            and level not in self.holds[local]
            and self.held(level) >= self.owned[level]
        ):
            self.refused(NoSeats, work)
        else:
            self.do(work)
            self.holds[local].add(level)
            self.level[local] = level

    @rule(local=users)
    def take_away(self, local: str) -> None:
        if local in self.level:
            self.do(
                change_wish(
                    AccountScope(self.store, CALLER, self.account.id),
                    local,
                    SERVICE,
                    RequestKind.DEPROVISION,
                )
            )
            self.level.pop(local)

    @rule()
    def worker_ends_everything(self) -> None:
        self.do(finish(self.store, CALLER, self.account))
        self.do(self.release())
        for local in USERS:
            self.holds[local] = {self.level[local]} if local in self.level else set()

    async def release(self) -> None:
        from sqlalchemy import select

        from mission_control_tui.model.services import seats
        from mission_control_tui.model.store.tables.services import AssignmentRow

        async with self.store.write(CALLER, self.account.id) as tx:
            for row in await tx.session.scalars(select(AssignmentRow)):
                keep = () if row.wish == "absent" else (row.level_id,)
                await seats.release(tx.session, row.id, keep=keep)

    def refused(self, kind: type[Exception], work: Coroutine[Any, Any, object]) -> None:
        with pytest.raises(kind):
            self.do(work)

    @invariant()
    def sums_are_right(self) -> None:
        seats = self.do(list_seats(AccountScope(self.store, CALLER, self.account.id)))
        for one in seats:
            assert 0 <= one.used + one.queued <= one.owned
        assert {one.level_id: one.owned for one in seats if one.owned} == +self.owned
        assert {one.level_id: one.used + one.queued for one in seats} == {
            one.level_id: self.held(one.level_id) for one in seats
        }
        bought = self.do(list_subscriptions(AccountScope(self.store, CALLER, self.account.id)))
        assert {one.level_id: one.quantity for one in bought} == +self.owned
        (month,) = self.do(show(AccountScope(self.store, CALLER, self.account.id))).this_month
        assert month.minor == self.spent
        orders = self.do(list_orders(AccountScope(self.store, CALLER, self.account.id)))
        assert sum(order.kind is OrderKind.PURCHASE for order in orders) == self.purchases
        assert sum(order.total.minor for order in orders) == self.spent
        for order in orders:
            assert order.total == order.net + order.tax
            assert order.total.minor == sum(line.total.minor for line in order.lines)


def test_seats_and_sums_in_any_order(sqlite_template: Path, catalogue: Catalogue) -> None:
    walk(Buying, sqlite_template, catalogue, examples=15, steps=20)
