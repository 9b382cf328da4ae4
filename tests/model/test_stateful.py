"""Users, seats, requests and generations against a plain-Python model, in any order of operators and worker."""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import (
    initialize,
    invariant,
    precondition,
    rule,
)
from sqlalchemy import func, select

from mission_control_tui.model.caller import Caller
from mission_control_tui.model.catalogue import in_force
from mission_control_tui.model.catalogue.file.shipped import SHIPPED_NAME
from mission_control_tui.model.catalogue.types import Catalogue
from mission_control_tui.model.errors import Conflict, MissionControlError, NoSeats, NotFound
from mission_control_tui.model.people.fields import UserDetails
from mission_control_tui.model.recycle_bin import deletion
from mission_control_tui.model.requests import claims, outcomes, workers
from mission_control_tui.model.requests import control as requests
from mission_control_tui.model.requests.attempts import Run, RunLost
from mission_control_tui.model.requests.run_batch import write_one
from mission_control_tui.model.services import seats
from mission_control_tui.model.states import ErrorKind, RequestKind, Wish
from mission_control_tui.model.store.scope import AccountScope
from mission_control_tui.model.store.tables.accounts import AccountRow, DomainRow
from mission_control_tui.model.store.tables.audit import AuditRow
from mission_control_tui.model.store.tables.requests import RequestRow
from mission_control_tui.model.store.tables.services import AssignmentRow, SeatHoldRow, SeatPoolRow
from mission_control_tui.model.store.tables.users import UserRow
from mission_control_tui.model.users import creation, passwords
from mission_control_tui.model.users import provisioning as provision
from mission_control_tui.model.users.actions.params import ActionParams
from tests.model.store_machine import StoreMachine, walk

T = TypeVar("T")
SERVICE = "managed-exchange"
LEVELS = ("popx", "pc-web")
NAMES = ("ada", "bob", "cyd")
ANNA = Caller(operator="anna", ticket="T-9")
PASSWORD = "Kp7m-xR4w-9fTc"
ACTIVE = ("queued", "running")


@dataclass
class Request:
    """A request as the model believes it to be."""

    kind: str
    generation: int
    state: str
    previous: tuple[str, str, str]
    touched: bool = False
    begun: bool = False
    cancel: bool = False


@dataclass
class Service:
    """One user's mailbox as the model believes it to be."""

    wish: str = "absent"
    level: str = ""
    light: str = "grey"
    generation: int = 0
    seen: tuple[str, str] = ("absent", "")
    holds: set[str] = field(default_factory=set)
    queue: list[int] = field(default_factory=list)


@dataclass
class User:
    """A user as the model believes it to be."""

    in_bin: bool = False
    service: Service | None = None


class Limits:
    """No limits: what is tested here is order and serialisation."""

    def concurrency(self, connector: str, *, bulk: bool) -> int:
        return 100

    def starts_left(self, connector: str) -> int:
        return 100


class Machine(StoreMachine):
    """Operators and a worker do what they like; the store must agree with the model after every step."""

    def __init__(self) -> None:
        super().__init__()
        self.users: dict[str, User] = {}
        self.owned = dict.fromkeys(LEVELS, 0)
        self.requests: dict[int, Request] = {}
        self.runs: dict[int, Run] = {}
        self.audited = 0

    @initialize(popx=st.integers(0, 2), pc_web=st.integers(0, 2))
    def an_account(self, popx: int, pc_web: int) -> None:
        async def make() -> None:
            async with self.store.write(ANNA) as tx:
                await in_force.put(tx, self.catalogue, SHIPPED_NAME)
                row = AccountRow(
                    id=1,
                    code="acme",
                    name="Acme",
                    is_sample=False,
                    time_zone="UTC",
                    password_policy={},
                    created_at=tx.now,
                )
                tx.session.add(row)
                await tx.session.flush()
                tx.session.add(
                    DomainRow(
                        account_id=1,
                        name="acme.example",
                        bought=False,
                        details={},
                        added_at=tx.now,
                    )
                )
            self.worker = workers.Identity.of_this_process("1")
            await workers.acquire(self.store, self.worker, 3600)

        self.do(make())
        for level, count in zip(LEVELS, (popx, pc_web), strict=True):
            if count:
                self.buy(level, count)
        self.create(NAMES[0], upper=True)

    def buy(self, level: str, count: int) -> None:
        async def work() -> None:
            async with self.store.write(ANNA, 1) as tx:
                await seats.add(tx, 1, SERVICE, level, count)

        self.do(work())
        self.owned[level] += count

    @rule(level=st.sampled_from(LEVELS))
    def buy_one(self, level: str) -> None:
        self.buy(level, 1)

    @rule(level=st.sampled_from(LEVELS))
    def remove_one(self, level: str) -> None:
        service = self.catalogue.service(SERVICE)

        async def work() -> None:
            async with self.store.write(ANNA, 1) as tx:
                await seats.take(tx, 1, service, level, 1)

        if self.free(level) > 0:
            self.do(work())
            self.owned[level] -= 1
        else:
            with pytest.raises(Conflict):
                self.do(work())

    def free(self, level: str) -> int:
        held = sum(level in user.service.holds for user in self.users.values() if user.service)
        return self.owned[level] - held

    @rule(name=st.sampled_from(NAMES), upper=st.booleans())
    def create_any(self, name: str, upper: bool) -> None:
        self.create(name, upper=upper)

    def create(self, name: str, *, upper: bool) -> None:
        upn = f"{name.upper() if upper else name}@acme.example"
        details = UserDetails(
            upn=upn, first_names=name, last_name="X", display_name=name, username=name
        )
        if name in self.users:
            with pytest.raises(MissionControlError):
                self.do(creation.create_user(AccountScope(self.store, ANNA, 1), details, PASSWORD))
        else:
            self.do(creation.create_user(AccountScope(self.store, ANNA, 1), details, PASSWORD))
            self.users[name] = User()

    def user_or_refusal(self, name: str) -> User | None:
        """The live user, or None after seeing that the store refuses to work on it."""
        user = self.users.get(name)
        if user is not None and not user.in_bin:
            return user
        with pytest.raises(NotFound):
            self.do(self.ask(name, "popx"))
        return None

    def ask(self, name: str, level: str) -> Awaitable[Any]:
        wanted = [ActionParams(SERVICE, level)]
        return provision.provision(
            AccountScope(self.store, ANNA, 1), f"{name}@acme.example", wanted
        )

    @rule(name=st.sampled_from(NAMES), level=st.sampled_from(LEVELS), dry=st.booleans())
    def provision(self, name: str, level: str, dry: bool) -> None:
        user = self.user_or_refusal(name)
        if user is None:
            return
        service = user.service or Service()
        if not any(self.owned.values()):
            with pytest.raises(Conflict):
                self.do(self.ask(name, level))
            return
        if service.wish != "absent" and service.level == level and service.light != "red":
            assert self.do(self.ask(name, level)).result[0].request_id is None
            return
        if level not in service.holds and self.free(level) <= 0:
            with pytest.raises(NoSeats):
                self.do(self.ask(name, level))
            return
        if dry:
            wanted = [ActionParams(SERVICE, level)]
            upn = f"{name}@acme.example"
            self.do(
                provision.provision(AccountScope(self.store, ANNA, 1), upn, wanted, dry_run=True)
            )
            return
        try:
            given = self.do(self.ask(name, level)).result[0]
        except Conflict:
            # The password was delivered and wiped: a mailbox that comes back needs a reset.
            assert service.wish == "absent"
            assert service.generation > 0
            self.do(
                passwords.set_password(
                    AccountScope(self.store, ANNA, 1), f"{name}@acme.example", PASSWORD
                )
            )
            given = self.do(self.ask(name, level)).result[0]
        user.service = service
        wish = "suspended" if service.wish == "suspended" else "present"
        kind = "change" if service.wish != "absent" else "provision"
        service.holds.add(level)
        self.pushed(service, given.request_id, kind, wish, level)

    def pushed(
        self, service: Service, request_id: int | None, kind: str, wish: str, level: str
    ) -> None:
        assert request_id is not None
        previous, touched = (service.wish, service.level, service.light), False
        for other_id in reversed(service.queue):
            other = self.requests[other_id]
            if other.state in ACTIVE:
                previous = other.previous
                touched = touched or other.begun or other.touched
                if other.state == "queued":
                    other.state = "superseded"
        service.wish, service.level, service.light = wish, level, "orange"
        service.generation += 1
        service.queue.append(request_id)
        self.requests[request_id] = Request(kind, service.generation, "queued", previous, touched)

    @rule(
        name=st.sampled_from(NAMES),
        kind=st.sampled_from([RequestKind.SUSPEND, RequestKind.RESUME, RequestKind.DEPROVISION]),
    )
    def turn(self, name: str, kind: RequestKind) -> None:
        user = self.user_or_refusal(name)
        if user is None:
            return
        upn = f"{name}@acme.example"
        work = provision.change_wish(AccountScope(self.store, ANNA, 1), upn, SERVICE, kind)
        service = user.service
        if service is None or (service.wish == "absent" and kind is not RequestKind.DEPROVISION):
            with pytest.raises(NotFound):
                self.do(work)
            return
        given = self.do(work).result[0]
        wish = {"suspend": "suspended", "resume": "present", "deprovision": "absent"}[kind]
        came_from = {
            "suspend": ("present",),
            "resume": ("suspended",),
            "deprovision": ("present", "suspended"),
        }[kind]
        if service.light != "red" and (service.wish == wish or service.wish not in came_from):
            assert given.request_id is None
            return
        self.pushed(service, given.request_id, kind, wish, service.level)

    @rule()
    def claim(self) -> None:
        """The worker takes the oldest request of every mailbox on which nothing runs."""
        taken = self.do(claims.claim(self.store, self.worker.id, claims.Slots(100, 100), Limits()))
        expected: set[int] = set()
        for user in self.users.values():
            queue = user.service.queue if user.service else []
            states = {self.requests[one].state for one in queue}
            queued = [one for one in queue if self.requests[one].state == "queued"]
            if queued and "running" not in states:
                expected.add(queued[0])
        assert {one.run.request_id for one in taken} == expected
        for one in taken:
            self.runs[one.run.request_id] = one.run
            request = self.requests[one.run.request_id]
            request.state, request.begun = "running", True
            self.service_of(one.run.request_id).light = "orange"

    def service_of(self, request_id: int) -> Service:
        for user in self.users.values():
            if user.service and request_id in user.service.queue:
                return user.service
        raise AssertionError(f"nobody has request {request_id}")

    def running(self) -> list[int]:
        return [key for key, one in self.requests.items() if one.state == "running"]

    @precondition(lambda self: self.running())
    @rule(data=st.data(), result=st.sampled_from(["succeed", "fail"]))
    def finish(self, data: st.DataObject, result: str) -> None:
        request_id = data.draw(st.sampled_from(self.running()))
        request, service = self.requests[request_id], self.service_of(request_id)
        stale = service.generation > request.generation
        run = self.runs[request_id]
        wish, level = (service.wish, service.level) if not stale else service.seen
        seen = outcomes.Observation(Wish(wish), level if wish != "absent" else "")
        if result == "succeed":
            self.do(write_one(self.store, run, None, outcomes.succeed(seen)))
            service.seen = (seen.wish, seen.level_id)
        else:
            failure = outcomes.AttemptFailure(ErrorKind.INVALID, "no", "mend it")
            self.do(write_one(self.store, run, None, outcomes.fail(failure)))
        if stale:
            request.state = "superseded"
        elif result == "fail":
            request.state, service.light = "failed", "red"
        else:
            request.state = "succeeded"
            gone = service.wish == "absent"
            service.light = "grey" if gone else "green"
            service.holds = set() if gone else service.holds & {service.level}

    def lost(self) -> list[int]:
        return [key for key in self.runs if self.requests[key].state not in ACTIVE]

    @precondition(lambda self: self.lost())
    @rule(data=st.data())
    def finish_late(self, data: st.DataObject) -> None:
        """A worker that was away reports a result that no longer counts."""
        run = self.runs[data.draw(st.sampled_from(self.lost()))]
        with pytest.raises(RunLost):
            self.do(
                write_one(
                    *(self.store, run, None),
                    outcomes.succeed(outcomes.Observation(Wish.PRESENT, LEVELS[0])),
                )
            )

    def active(self) -> list[int]:
        return [key for key, one in self.requests.items() if one.state in ACTIVE]

    @precondition(lambda self: self.active())
    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        request_id = data.draw(st.sampled_from(self.active()))
        request, service = self.requests[request_id], self.service_of(request_id)
        state = self.do(requests.cancel(AccountScope(self.store, ANNA, 1), request_id)).result
        if request.begun or request.touched:
            request.cancel = True
            assert state == request.state
            return
        request.state = "cancelled"
        assert state == "cancelled"
        service.wish, service.level, service.light = request.previous
        service.generation += 1
        keep = {service.seen[1]} if service.seen[0] != "absent" else set()
        service.holds &= keep | ({service.level} if service.wish != "absent" else set())

    @precondition(lambda self: self.active())
    @rule(data=st.data())
    def reset(self, data: st.DataObject) -> None:
        request_id = data.draw(st.sampled_from(self.active()))
        self.do(requests.reset(AccountScope(self.store, ANNA, 1), request_id))
        self.requests[request_id].state = "cancelled"
        self.service_of(request_id).light = "red"

    @precondition(lambda self: self.requests)
    @rule(data=st.data())
    def retry(self, data: st.DataObject) -> None:
        request_id = data.draw(st.sampled_from(sorted(self.requests)))
        service = self.service_of(request_id)
        work = requests.retry(AccountScope(self.store, ANNA, 1), request_id)
        if service.light != "red":
            with pytest.raises(Conflict):
                self.do(work)
            return
        (fresh,) = self.do(work).result
        kind = self.requests[request_id].kind
        self.pushed(service, fresh, kind, service.wish, service.level)

    @rule(name=st.sampled_from(NAMES))
    def delete(self, name: str) -> None:
        user = self.user_or_refusal(name)
        if user is None:
            return
        work = deletion.delete_user(AccountScope(self.store, ANNA, 1), f"{name}@acme.example")
        service = user.service
        if service and (service.wish != "absent" or service.light != "grey"):
            with pytest.raises(Conflict):
                self.do(work)
        else:
            self.do(work)
            user.in_bin = True

    @precondition(lambda self: any(user.in_bin for user in self.users.values()))
    @rule(data=st.data())
    def restore(self, data: st.DataObject) -> None:
        binned = sorted(name for name, user in self.users.items() if user.in_bin)
        name = data.draw(st.sampled_from(binned))
        self.do(deletion.restore_user(AccountScope(self.store, ANNA, 1), f"{name}@acme.example"))
        self.users[name].in_bin = False
        # A deleted user's password is wiped with the deletion.
        self.do(
            passwords.set_password(
                AccountScope(self.store, ANNA, 1), f"{name}@acme.example", PASSWORD
            )
        )

    @invariant()
    def store_agrees(self) -> None:
        self.do(self.compare())

    async def compare(self) -> None:
        async with self.store.read() as session:
            rows = await session.execute(
                select(AssignmentRow, UserRow.username).join(
                    UserRow, UserRow.id == AssignmentRow.user_id
                )
            )
            found = {
                name: (row.wish, row.level_id, row.light, row.generation) for row, name in rows
            }
            assert found == {
                name: (one.wish, one.level, one.light, one.generation)
                for name, user in self.users.items()
                if (one := user.service) is not None
            }
            holds = await session.execute(
                select(UserRow.username, SeatPoolRow.level_id)
                .join(AssignmentRow, AssignmentRow.user_id == UserRow.id)
                .join(SeatHoldRow, SeatHoldRow.assignment_id == AssignmentRow.id)
                .join(SeatPoolRow, SeatPoolRow.id == SeatHoldRow.pool_id)
            )
            assert sorted((name, level) for name, level in holds) == sorted(
                (name, level)
                for name, user in self.users.items()
                if user.service
                for level in user.service.holds
            )
            pools = {
                pool.level_id: (pool.owned, pool.held)
                for pool in await session.scalars(select(SeatPoolRow))
            }
            for level in LEVELS:
                owned, held = pools.get(level, (0, 0))
                assert (owned, owned - held) == (self.owned[level], self.free(level))
                assert 0 <= held <= owned
            states = await session.execute(
                select(RequestRow.id, RequestRow.state, RequestRow.generation).where(
                    RequestRow.assignment_id.is_not(None)
                )
            )
            assert {row[0]: (row[1], row[2]) for row in states} == {
                key: (one.state, one.generation) for key, one in self.requests.items()
            }
            audited = await session.scalar(select(func.count()).select_from(AuditRow)) or 0
            assert audited >= self.audited
            self.audited = audited


def test_any_order_of_operators_and_worker(sqlite_template: Path, catalogue: Catalogue) -> None:
    walk(Machine, sqlite_template, catalogue, examples=50, steps=30)
