"""Bulks, stops, undos, other operators and a worker in any order: the plan is what happens, and only what it says."""

from __future__ import annotations

from collections.abc import Awaitable
from pathlib import Path
from typing import TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import (
    initialize,
    invariant,
    precondition,
    rule,
)
from sqlalchemy import func, select

from mission_control_tui.model.bulk import control as bulks
from mission_control_tui.model.bulk import planning, queries
from mission_control_tui.model.bulk.slices import next_bulk, work_slice
from mission_control_tui.model.bulk.views import BulkAction, BulkPlan, BulkView, ItemOutcome
from mission_control_tui.model.caller import Caller
from mission_control_tui.model.catalogue.types import Catalogue
from mission_control_tui.model.errors import Conflict, MissionControlError
from mission_control_tui.model.history import undo as undoing
from mission_control_tui.model.services import seats
from mission_control_tui.model.states import BulkState, RequestKind, Wish
from mission_control_tui.model.store.scope import AccountScope
from mission_control_tui.model.store.tables.requests import RequestRow
from mission_control_tui.model.store.tables.services import AssignmentRow, SeatHoldRow, SeatPoolRow
from mission_control_tui.model.store.tables.users import UserRow
from mission_control_tui.model.users import editing
from mission_control_tui.model.users import provisioning as provision
from mission_control_tui.model.users.actions.params import ActionParams
from tests.model.conftest import DOMAIN, make_account
from tests.model.helpers import create, finish, named, own_seats
from tests.model.store_machine import StoreMachine, walk

T = TypeVar("T")
State = dict[str, tuple[str, str, bool]]

SERVICE = "managed-exchange"
LEVELS = ("popx", "pc-web")
NAMES = ("ann", "bob", "cem", "dee")
ANNA = Caller(operator="anna", ticket="T-1")
BOB = Caller(operator="bob", ticket="T-2")
SERVICE_ACTIONS = (
    "provision",
    "change",
    "suspend",
    "resume",
    "deprovision",
)
WISHES: dict[BulkAction, Wish] = {
    "suspend": Wish.SUSPENDED,
    "resume": Wish.PRESENT,
    "deprovision": Wish.ABSENT,
}


class Machine(StoreMachine):
    """Operators and a worker do what they like."""

    def __init__(self) -> None:
        super().__init__()
        self.befores: dict[int, State] = {}
        self.stopped: list[int] = []

    @initialize(popx=st.integers(1, 4), pc_web=st.integers(1, 4))
    def an_account(self, popx: int, pc_web: int) -> None:
        self.account = self.do(make_account(self.store, ANNA, self.catalogue, "acme", DOMAIN))
        for level, count in zip(LEVELS, (popx, pc_web), strict=True):
            self.do(own_seats(self.store, ANNA, self.account, SERVICE, level, count))
        for name in NAMES:
            self.do(create(self.store, ANNA, self.account, named(name)))

    def state(self) -> State:
        """Username -> (wish, level, disabled)."""

        async def read() -> State:
            async with self.store.read() as session:
                rows = await session.execute(
                    select(
                        UserRow.username,
                        AssignmentRow.wish,
                        AssignmentRow.level_id,
                        UserRow.disabled,
                    ).outerjoin(AssignmentRow, AssignmentRow.user_id == UserRow.id)
                )
                return {
                    name: (wish or Wish.ABSENT, level or "", disabled)
                    for name, wish, level, disabled in rows
                }

        return self.do(read())

    def expand(self, bulk_id: int, items: int | None = None) -> None:
        """Do what the worker does: so many items, or all of them."""

        async def work() -> None:
            done = 0
            while items is None or done < items:
                found = await work_slice(self.store, bulk_id, limit=1)
                done += found.items
                if found.last:
                    return

        self.do(work())

    def outcomes(self, bulk_id: int) -> dict[str, ItemOutcome]:
        rows = self.do(queries.items(AccountScope(self.store, ANNA, self.account.id), bulk_id))
        return {one.name.partition("@")[0]: one.outcome for one in rows}

    def agree(self, plan: BulkPlan, bulk_id: int) -> BulkView:
        """The bulk did what the plan said."""
        shown = self.do(queries.show(AccountScope(self.store, ANNA, self.account.id), bulk_id))
        found = shown.progress
        assert shown.state is BulkState.DONE
        assert (found.unchanged, found.skipped, found.refused) == (
            plan.unchanged,
            plan.skipped,
            plan.refused,
        )
        assert found.orange + found.green == plan.queued
        return shown

    @rule(
        action=st.sampled_from((*SERVICE_ACTIONS, "disable", "enable")),
        level=st.sampled_from(LEVELS),
        names=st.lists(st.sampled_from(NAMES), min_size=1, unique=True),
    )
    def bulk(self, action: BulkAction, level: str, names: list[str]) -> None:
        takes_level = action in {"provision", "change"}
        params = ActionParams(
            SERVICE if action in SERVICE_ACTIONS else "", level if takes_level else None
        )
        before = self.state()
        scope = AccountScope(self.store, ANNA, self.account.id)
        plan = self.do(planning.plan(scope, names, action, params))
        assert self.state() == before, "a plan changes nothing"
        bulk = self.do(bulks.start(scope, names, action, params)).result
        assert self.state() == before, "a start alone wishes nothing"
        self.expand(bulk.id)
        self.agree(plan, bulk.id)
        after = self.state()
        outcomes = self.outcomes(bulk.id)
        for name in NAMES:
            wish, had, disabled = before[name]
            if outcomes.get(name) not in {ItemOutcome.ORANGE, ItemOutcome.GREEN}:
                assert after[name] == before[name]
            elif takes_level:
                assert after[name][1] == level
                assert after[name][0] == (wish if wish != Wish.ABSENT else Wish.PRESENT)
            elif action in WISHES:
                assert after[name] == (WISHES[action], had, disabled)
            else:
                assert after[name] == (wish, had, action == "disable")
        self.befores[bulk.id] = before

    @rule(
        level=st.sampled_from(LEVELS),
        items=st.integers(0, 3),
        cancel=st.booleans(),
    )
    def stopped_on_its_way(self, level: str, items: int, cancel: bool) -> None:
        before = self.state()
        scope = AccountScope(self.store, ANNA, self.account.id)
        params = ActionParams(SERVICE, level)
        bulk = self.do(bulks.start(scope, NAMES, "provision", params)).result
        self.expand(bulk.id, items)
        stopped = self.do(bulks.stop(scope, bulk.id, cancel_queued=cancel)).result
        assert stopped.left == len(NAMES) - items
        assert self.do(work_slice(self.store, bulk.id)).items == 0
        after = self.state()
        for name in NAMES[items:]:
            assert after[name] == before[name]
        self.stopped.append(bulk.id)

    @precondition(lambda self: self.stopped)
    @rule()
    def resume(self) -> None:
        bulk_id = self.stopped.pop()
        self.do(bulks.resume(AccountScope(self.store, ANNA, self.account.id), bulk_id))
        assert self.do(next_bulk(self.store)) == bulk_id
        self.expand(bulk_id)
        shown = self.do(queries.show(AccountScope(self.store, ANNA, self.account.id), bulk_id))
        assert (shown.state, shown.progress.left) == (BulkState.DONE, 0)

    @precondition(lambda self: self.befores)
    @rule(data=st.data(), force=st.booleans())
    def undo(self, data: st.DataObject, force: bool) -> None:
        bulk_id = data.draw(st.sampled_from(sorted(self.befores)))
        before = self.state()
        scope = AccountScope(self.store, ANNA, self.account.id)
        try:
            plan = self.do(undoing.undo_plan(scope, bulk_id, force=force))
        except Conflict:
            assert self.do(queries.show(scope, bulk_id)).progress.orange == 0
            return
        undone = self.do(undoing.undo(scope, bulk=bulk_id, force=force)).result.bulk
        assert undone is not None
        self.expand(undone.id)
        shown = self.agree(plan, undone.id)
        assert shown.undoes_id == bulk_id
        after = self.state()
        outcomes = self.outcomes(undone.id)
        wanted = self.befores[bulk_id]
        service = self.do(queries.show(scope, bulk_id)).params.service
        for name in NAMES:
            if outcomes.get(name) not in {ItemOutcome.ORANGE, ItemOutcome.GREEN}:
                assert after[name] == before[name]
            elif service:
                assert after[name][0] == wanted[name][0]
                assert after[name][0] == Wish.ABSENT or after[name][1] == wanted[name][1]
            else:
                assert after[name][2] == wanted[name][2]
        if not service or plan.refused == 0:
            self.befores[undone.id] = before

    @rule(name=st.sampled_from(NAMES), level=st.sampled_from(LEVELS))
    def somebody_else_gives(self, name: str, level: str) -> None:
        wanted = [ActionParams(SERVICE, level)]
        self.try_it(
            provision.provision(AccountScope(self.store, BOB, self.account.id), name, wanted)
        )

    @rule(
        name=st.sampled_from(NAMES),
        kind=st.sampled_from((RequestKind.SUSPEND, RequestKind.DEPROVISION)),
    )
    def somebody_else_turns(self, name: str, kind: RequestKind) -> None:
        scope = AccountScope(self.store, BOB, self.account.id)
        self.try_it(provision.change_wish(scope, name, SERVICE, kind))

    @rule(name=st.sampled_from(NAMES))
    def somebody_else_disables(self, name: str) -> None:
        self.try_it(editing.disable_user(AccountScope(self.store, BOB, self.account.id), name))

    def try_it(self, work: Awaitable[object]) -> None:
        try:
            self.do(work)
        except MissionControlError:
            return  # no seat, or no such service: then nothing has changed

    @rule()
    def the_worker_does_it_all(self) -> None:
        async def work() -> None:
            await finish(self.store, ANNA, self.account)
            async with self.store.write(ANNA) as tx:
                for row in await tx.session.scalars(select(AssignmentRow)):
                    keep = () if row.wish == Wish.ABSENT else (row.level_id,)
                    await seats.release(tx.session, row.id, keep=keep)

        self.do(work())

    @invariant()
    def seats_and_requests_are_in_order(self) -> None:
        async def look() -> None:
            async with self.store.read() as session:
                pools = (await session.scalars(select(SeatPoolRow))).all()
                holds = dict(
                    (
                        await session.execute(
                            select(SeatHoldRow.pool_id, func.count()).group_by(SeatHoldRow.pool_id)
                        )
                    ).all()
                )
                for pool in pools:
                    assert holds.get(pool.id, 0) == pool.held <= pool.owned
                active = await session.execute(
                    select(RequestRow.assignment_id, func.count())
                    .where(
                        RequestRow.state.in_(["queued", "waiting"]),
                        RequestRow.assignment_id.is_not(None),
                    )
                    .group_by(RequestRow.assignment_id)
                )
                assert {count for _, count in active} <= {1}

        if hasattr(self, "account"):
            self.do(look())


def test_any_order_of_bulks_undos_and_others(sqlite_template: Path, catalogue: Catalogue) -> None:
    walk(Machine, sqlite_template, catalogue, examples=15, steps=15)
