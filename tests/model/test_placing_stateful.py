"""Placement and moves in any order of operators and worker: what is there stays, and nothing is lost on the way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, rule
from sqlalchemy import select

from mission_control_tui.model.caller import Caller
from mission_control_tui.model.catalogue import in_force
from mission_control_tui.model.catalogue.file.shipped import SHIPPED_NAME
from mission_control_tui.model.catalogue.types import Catalogue
from mission_control_tui.model.errors import Conflict, MissionControlError, NotFound
from mission_control_tui.model.history.undo import undo
from mission_control_tui.model.people.fields import UserDetails
from mission_control_tui.model.placement import Placement
from mission_control_tui.model.requests import control as requests
from mission_control_tui.model.requests.dependencies import settle_all
from mission_control_tui.model.services import seats
from mission_control_tui.model.services.placing import placed_counts
from mission_control_tui.model.states import Light, RequestKind, RequestState, Wish, Word
from mission_control_tui.model.store.scope import AccountScope
from mission_control_tui.model.store.tables.accounts import AccountRow, DomainRow
from mission_control_tui.model.store.tables.requests import RequestRow
from mission_control_tui.model.store.tables.services import AssignmentRow
from mission_control_tui.model.users import creation
from mission_control_tui.model.users import provisioning as services
from mission_control_tui.model.users.actions.params import ActionParams
from tests.model.store_machine import StoreMachine, walk

SERVICE = "managed-exchange"
MAILS = ("mail-1", "mail-2", "mail-3")
NAMES = ("ada", "bob", "cyd")
ANNA = Caller(operator="anna", ticket="T-9")
PASSWORD = "Kp7m-xR4w-9fTc"
names, mails = st.sampled_from(NAMES), st.sampled_from(MAILS)


class Machine(StoreMachine):
    """Users whose mail is at one of three servers; `objects` is what the servers have, by server and mark."""

    def __init__(self) -> None:
        super().__init__()
        self.objects: set[tuple[str, str]] = set()
        self.at: dict[str, str] = {}
        self.scope = AccountScope(self.store, ANNA, 1)
        self.open = set(MAILS)

    @initialize()
    def furnish(self) -> None:
        async def work() -> None:
            async with self.store.write(ANNA) as tx:
                await in_force.put(tx, self.catalogue, SHIPPED_NAME)
                owner = AccountRow(
                    id=1,
                    code="acme",
                    name="Acme",
                    is_sample=False,
                    time_zone="UTC",
                    password_policy={},
                    created_at=tx.now,
                )
                tx.session.add(owner)
                await tx.session.flush()
                tx.session.add(
                    DomainRow(
                        account_id=1, name="acme.example", bought=False, details={}, added_at=tx.now
                    )
                )
                await seats.add(tx, 1, SERVICE, "popx", 10)
            for name in NAMES:
                details = UserDetails(
                    upn=f"{name}@acme.example",
                    first_names=name,
                    last_name="X",
                    display_name=name,
                    username=name,
                )
                await creation.create_user(self.scope, details, PASSWORD)

        self.do(work())
        self.place()

    def place(self) -> None:
        closed = frozenset(MAILS) - self.open
        self.store.placements = {SERVICE: Placement(MAILS, closed=closed)}

    def rows(self) -> Sequence[AssignmentRow]:
        async def work() -> Sequence[AssignmentRow]:
            async with self.store.read() as session:
                return (await session.scalars(select(AssignmentRow))).all()

        return self.do(work())

    @rule(mail=mails)
    def open_or_close(self, mail: str) -> None:
        self.open ^= {mail}
        self.place()

    @rule(name=names, on=st.sampled_from(["", *MAILS]))
    def provision(self, name: str, on: str) -> None:
        counts = Counter(row.connector for row in self.rows() if row.wish != Wish.ABSENT)
        wanted = ActionParams(SERVICE, "popx", on=on)
        try:
            outcome = self.do(services.provision(self.scope, f"{name}@acme.example", [wanted]))
        except Conflict:
            return
        (given,) = outcome.result
        row = next(row for row in self.rows() if row.id == given.assignment_id)
        if self.at.get(row.id) is None and not on:
            assert counts[row.connector] == min(counts[mail] for mail in self.open)
        self.at.setdefault(row.id, row.connector)

    @rule(name=names, to=mails, now=st.booleans())
    def move(self, name: str, to: str, now: bool) -> None:
        wanted = ActionParams(SERVICE, on=to, at_once=now, new_password=True)
        try:
            outcome = self.do(services.move(self.scope, f"{name}@acme.example", wanted))
        except (Conflict, NotFound):
            return
        self.at[outcome.result[0].assignment_id] = to

    @rule(name=names)
    def deprovision(self, name: str) -> None:
        try:
            self.do(
                services.change_wish(
                    self.scope, f"{name}@acme.example", SERVICE, RequestKind.DEPROVISION
                )
            )
        except NotFound:
            return

    @rule(index=st.integers(0, 3), undone=st.booleans())
    def cancel_or_undo(self, index: int, undone: bool) -> None:
        async def work() -> None:
            async with self.store.read() as session:
                found = list(
                    await session.scalars(
                        select(RequestRow.id).where(RequestRow.kind == RequestKind.MOVE)
                    )
                )
            if len(found) <= index:
                return
            number = found[-1 - index]
            if undone:
                await undo(self.scope, request=number)
            else:
                await requests.cancel(self.scope, number)

        try:
            self.do(work())
        except MissionControlError:
            return
        self.at |= {row.id: row.connector for row in self.rows() if not row.marked}

    @rule(fails=st.booleans())
    def work_one(self, fails: bool) -> None:
        """Let the worker do what is due first, or fail at it."""

        async def work() -> None:
            async with self.store.write(ANNA) as tx:
                request = await tx.session.scalar(
                    select(RequestRow)
                    .where(
                        RequestRow.state == RequestState.QUEUED,
                        RequestRow.assignment_id.is_not(None),
                    )
                    .order_by(RequestRow.id)
                    .limit(1)
                )
                if request is None:
                    return
                row = await tx.session.get_one(AssignmentRow, request.assignment_id)
                request.attempt += 1
                request.ended_at = tx.now
                where = (row.connector, row.mark_key)
                if fails:
                    request.state = RequestState.FAILED
                    row.light, row.word = Light.RED, Word.ERROR
                else:
                    request.state = RequestState.SUCCEEDED
                    there = row.wish != Wish.ABSENT or row.kept_until > 0
                    (self.objects.add if there else self.objects.discard)(where)
                    gone = row.wish == Wish.ABSENT
                    row.light = Light.GREY if gone else Light.GREEN
                    row.word = Word.NOT_PROVISIONED if gone else Word.PROVISIONED
                    row.observed_wish, row.observed_generation = row.wish, row.generation
                    row.password_delivered, row.secret_id = not gone, None
            await settle_all(self.store)

        self.do(work())

    @invariant()
    def what_is_there_stays_and_nothing_is_lost(self) -> None:
        rows = self.rows()
        own = [row for row in rows if not row.marked]
        for row in own:
            gone = row.wish == Wish.ABSENT and row.light == Light.GREY and not row.kept_until
            if gone:
                self.at.pop(row.id, None)
            else:
                assert self.at.get(row.id, row.connector) == row.connector
            if row.light == Light.GREEN:
                assert (row.connector, row.id) in self.objects
            elsewhere = [left for left in rows if left.marked == row.id]
            assert len({row.connector, *(left.connector for left in elsewhere)}) == 1 + len(
                elsewhere
            )
            was_there = [key for mail, key in self.objects if key == row.id]
            if row.wish != Wish.ABSENT and row.observed_generation and row.light != Light.RED:
                assert was_there, "what a user had was removed before it was made elsewhere"
        assert all(row.wish == Wish.ABSENT for row in rows if row.marked)
        for mail, key in self.objects:
            assert any(
                row.mark_key == key
                and row.connector == mail
                and not (row.wish == Wish.ABSENT and row.light == Light.GREY and not row.kept_until)
                for row in rows
            ), f"nobody knows of what is at {mail}"

    @invariant()
    def counts_are_what_is_wished(self) -> None:
        async def work() -> Counter[str]:
            async with self.store.read() as session:
                found = Counter[str]()
                for (connector, _), count in (await placed_counts(session, SERVICE)).items():
                    found[connector] += count
                return found

        wished = Counter(row.connector for row in self.rows() if row.wish != Wish.ABSENT)
        assert self.do(work()) == wished


def test_any_order_of_placing_moving_and_working(
    sqlite_template: Path, catalogue: Catalogue
) -> None:
    walk(Machine, sqlite_template, catalogue, examples=30, steps=25)
