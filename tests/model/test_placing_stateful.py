"""Placement and moves in any order of operators and worker: what is there stays, and nothing is lost on the way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
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
from mission_control_tui.model.requests import outcomes
from mission_control_tui.model.requests.dependencies import settle_all
from mission_control_tui.model.requests.outcomes import AttemptFailure, Observation
from mission_control_tui.model.requests.run_batch import RunBatch
from mission_control_tui.model.services import seats
from mission_control_tui.model.services.placing import placed_counts
from mission_control_tui.model.states import ErrorKind, Light, RequestKind, RequestState, Wish
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
NAMES = ("ada", "bob")
ANNA = Caller(operator="anna", ticket="T-9")
PASSWORD = "Kp7m-xR4w-9fTc"
names, mails = st.sampled_from(NAMES), st.sampled_from(MAILS)


class Machine(StoreMachine):
    """Users whose mail is at one of three servers; `objects` is what the servers have, by server and mark."""

    def __init__(self) -> None:
        super().__init__()
        self.objects: set[tuple[str, str]] = set()
        self.at: dict[str, str] = {}
        self.mail: dict[str, str] = {}
        """Where a service's content is: where it was green last."""
        self.given_up: set[str] = set()
        """Those that somebody had removed at once."""
        self.scope = AccountScope(self.store, ANNA, 1)
        self.open = set(MAILS)

    @initialize()
    def furnish(self) -> None:
        async def work() -> None:
            async with self.store.write(ANNA) as tx:
                kept = [
                    replace(service, retention_days=30) if service.id == SERVICE else service
                    for service in self.catalogue.services
                ]
                await in_force.put(tx, replace(self.catalogue, services=tuple(kept)), SHIPPED_NAME)
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
        for name in NAMES:
            self.provision(name, "")
            self.work_one(fails=False)

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

    @rule(name=names, now=st.booleans(), left_at=st.sampled_from(["", "", *MAILS]))
    def deprovision(self, name: str, now: bool, left_at: str) -> None:
        try:
            outcome = self.do(
                services.change_wish(
                    self.scope,
                    f"{name}@acme.example",
                    SERVICE,
                    RequestKind.DEPROVISION,
                    instance=f"left at {left_at}" if left_at else "",
                    at_once=now,
                )
            )
        except NotFound:
            return
        row = next(row for row in self.rows() if row.id == outcome.result[0].assignment_id)
        if now and outcome.result[0].request_id is not None:
            moved = next((each for each in self.rows() if each.id == row.marked), row)
            if moved.wish == Wish.ABSENT:
                self.given_up.add(row.mark_key)

    @rule(index=st.integers(0, 5), again=st.booleans())
    def cancel_or_retry(self, index: int, again: bool) -> None:
        """Cancel, or ask again for, any of the newest requests."""

        async def work() -> None:
            async with self.store.read() as session:
                newest = select(RequestRow.id).order_by(RequestRow.id.desc()).offset(index).limit(1)
                number = await session.scalar(newest)
            if number is not None:
                act = requests.retry if again else requests.cancel
                await act(self.scope, number)

        try:
            self.do(work())
        except MissionControlError:
            return
        self.at |= {row.id: row.connector for row in self.rows() if not row.marked}

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
                request.state = RequestState.RUNNING
                where = (row.connector, row.mark_key)
                batch = RunBatch(tx)
                if fails:
                    failure = AttemptFailure(ErrorKind.INVALID, "No room")
                    await outcomes.fail(failure)(batch, request, row)
                    await batch.finish()
                    return
                kept = row.kept_until > 0 and where in self.objects
                if row.wish != Wish.ABSENT:
                    self.objects.add(where)
                    self.mail[row.id] = row.connector
                    self.given_up.discard(row.id)
                elif not kept:
                    if self.mail.get(row.mark_key) == row.connector and where in self.objects:
                        assert row.mark_key in self.given_up, "what somebody had is lost"
                        del self.mail[row.mark_key]
                    self.objects.discard(where)
                seen = Observation(Wish.SUSPENDED if kept else Wish(row.wish), row.level_id)
                await outcomes.succeed(seen)(batch, request, row)
                await batch.finish()
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
        assert all(row.wish == Wish.ABSENT for row in rows if row.marked)
        for key, mail in self.mail.items():
            assert (mail, key) in self.objects, "what somebody had is lost"
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
