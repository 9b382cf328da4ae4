"""What the tests of the engine share: a little world with users and seats, and workers as real processes."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sqlite3
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import func, insert, select, text, update
from sqlalchemy.engine import URL

from mission_control_tui.model.caller import Caller
from mission_control_tui.model.catalogue.in_force import put
from mission_control_tui.model.catalogue.types import Catalogue
from mission_control_tui.model.people.fields import UserDetails
from mission_control_tui.model.requests import engine_jobs
from mission_control_tui.model.services import seats
from mission_control_tui.model.services.subjects import user_subject
from mission_control_tui.model.states import (
    ACTIVE_STATES,
    Light,
    Priority,
    RequestKind,
    RequestState,
)
from mission_control_tui.model.store.database import Store
from mission_control_tui.model.store.engine import ENGINE_SCHEMA
from mission_control_tui.model.store.lookups import account_row, user_row
from mission_control_tui.model.store.scope import AccountScope
from mission_control_tui.model.store.tables.accounts import AccountRow, DomainRow
from mission_control_tui.model.store.tables.requests import RequestEventRow, RequestRow
from mission_control_tui.model.store.tables.services import AssignmentRow, SeatPoolRow
from mission_control_tui.model.store.tables.users import UserRow
from mission_control_tui.model.store.tables.workers import WorkerRow
from mission_control_tui.model.users import provisioning as provision
from mission_control_tui.model.users.actions.base import ActionResult, action_context
from mission_control_tui.model.users.actions.params import ActionParams
from mission_control_tui.model.users.creation import create_user
from mission_control_tui.model.users.giving import provision_in
from mission_control_tui.provisioning.connectors.simulator.connector import ledger
from mission_control_tui.provisioning.connectors.simulator.store import Effect
from mission_control_tui.settings.settings import PREFIX
from tests.forked import ForkedProcess

ACCOUNT = "acme"
DOMAIN = "acme.example"
EXCHANGE = "managed-exchange"
SMALL, LARGE = "popx", "pc-web"
EXCHANGE_STEPS = ("directory account", "mailbox", "addresses")
PASSWORD = "Correct-Horse-7"

RULES = """
seed = 1

[[step]]
service = "managed-exchange"
name = "directory account"

[[step]]
service = "managed-exchange"
name = "mailbox"
carries = ["level", "limits.*", "settings.*"]

[[step]]
service = "managed-exchange"
name = "addresses"
carries = ["attributes.addresses", "attributes.primary_address"]
"""
QUICK = {
    "lease_seconds": 2.0,
    "idle_seconds": 3600.0,
    "retry_first_seconds": 0.05,
    "retry_cap_seconds": 0.2,
    "pause_seconds": 0.3,
    "removal_limit": 100_000,
}


@dataclass
class World:
    """A store with an account, its seats and users; the simulator behind it; its settings in a file."""

    store: Store
    where: str
    directory: Path
    caller: Caller = field(default_factory=lambda: Caller(operator="anna", ticket="T-1"))

    @property
    def simulator_path(self) -> Path:
        return self.directory / "simulator.db"

    @property
    def rules_path(self) -> Path:
        return self.directory / "rules.toml"

    @property
    def settings_path(self) -> Path:
        return self.directory / "settings.toml"

    def rules(self, *rules: str) -> None:
        """Write the simulator's rules: the steps of Managed Exchange, and these [[rule]] tables."""
        written = [f'[[rule]]\nid = "rule-{number}"\n{rule}' for number, rule in enumerate(rules)]
        self.rules_path.write_text("\n\n".join([RULES, *written]), "utf-8")

    def configure(
        self,
        *,
        simulator: Mapping[str, object] | None = None,
        more: Sequence[str] = (),
        **worker: object,
    ) -> None:
        """Write the settings file, at once, as a worker may read it now, and name it in the environment."""
        lines = ["[worker]"]
        key_file = {"key_file": str(self.directory / "worker.key")}
        if self.store.is_sqlite:
            key_file = {}
        for key, value in {**QUICK, **key_file, **worker}.items():
            lines.append(f"{key} = {_toml(value)}")
        lines += ["[connectors.simulator]", 'type = "simulator"']
        table = {"path": str(self.simulator_path), "rules": str(self.rules_path)}
        for key, value in {**table, **(simulator or {})}.items():
            lines.append(f"{key} = {_toml(value)}")
        whole = self.settings_path.with_suffix(".new")
        whole.write_text("\n".join((*lines, *more)) + "\n", "utf-8")
        whole.replace(self.settings_path)
        os.environ[PREFIX + "SETTINGS"] = str(self.settings_path)

    async def people(self, *names: str, password: str | None = PASSWORD) -> list[str]:
        """Create users; returns their UPNs."""
        for name in names:
            details = UserDetails(
                upn=f"{name}@{DOMAIN}",
                first_names=name.title(),
                last_name="Example",
                display_name=f"{name.title()} Example",
                username=name,
            )
            await create_user(AccountScope(self.store, self.caller, ACCOUNT), details, password)
        return [f"{name}@{DOMAIN}" for name in names]

    async def give(self, user: str, level: str = SMALL) -> ActionResult:
        """Wish Managed Exchange for a user."""
        outcome = await provision.provision(
            AccountScope(self.store, self.caller, ACCOUNT),
            user,
            [ActionParams(EXCHANGE, level)],
        )
        return outcome.result[0]

    async def bulk_wish(self, users: Sequence[str], level: str = SMALL) -> None:
        """Wish Managed Exchange for many users in one transaction, with the priority of bulk."""
        async with self.store.write(self.caller) as tx:
            account = await account_row(tx.session, self.caller, ACCOUNT)
            tx.priority = Priority.BULK
            context = await action_context(tx, account.id)
            for user in users:
                row = await user_row(tx.session, account.id, user)
                wanted = ActionParams(EXCHANGE, level)
                await provision_in(tx, context, user_subject(row), wanted)

    async def turn(self, user: str, kind: RequestKind) -> ActionResult:
        """Suspend, resume or deprovision a user's Managed Exchange."""
        outcome = await provision.change_wish(
            AccountScope(self.store, self.caller, ACCOUNT), user, EXCHANGE, kind
        )
        return outcome.result[0]

    async def assignment(self, assignment_id: str) -> AssignmentRow:
        async with self.store.read() as session:
            return (
                await session.scalars(
                    select(AssignmentRow).where(AssignmentRow.id == assignment_id)
                )
            ).one()

    async def services(self) -> dict[str, AssignmentRow]:
        """The assignments of all users, by UPN; each user of these tests has one."""
        async with self.store.read() as session:
            rows = await session.execute(
                select(UserRow.upn, AssignmentRow).join(
                    AssignmentRow, AssignmentRow.user_id == UserRow.id
                )
            )
            return dict(rows.all())

    async def request(self, request_id: int | None) -> RequestRow:
        async with self.store.read() as session:
            return (
                await session.scalars(select(RequestRow).where(RequestRow.id == request_id))
            ).one()

    async def events(self, request_id: int | None) -> list[RequestEventRow]:
        async with self.store.read() as session:
            rows = await session.scalars(
                select(RequestEventRow)
                .where(RequestEventRow.request_id == request_id)
                .order_by(RequestEventRow.id)
            )
            return list(rows)

    async def lights(self) -> Counter[str]:
        async with self.store.read() as session:
            rows = await session.execute(
                select(AssignmentRow.light, func.count()).group_by(AssignmentRow.light)
            )
            return Counter(dict(rows.all()))

    async def active(self) -> int:
        async with self.store.read() as session:
            return int(
                await session.scalar(
                    select(func.count()).where(RequestRow.state.in_(ACTIVE_STATES))
                )
                or 0
            )

    async def held(self) -> dict[str, int]:
        """Seats held, by level."""
        async with self.store.read() as session:
            rows = await session.execute(select(SeatPoolRow.level_id, SeatPoolRow.held))
            return dict(rows.all())

    async def workers(self) -> list[WorkerRow]:
        async with self.store.read() as session:
            rows = await session.scalars(select(WorkerRow).order_by(WorkerRow.started_at))
            return list(rows)

    async def working(self) -> set[int]:
        """The processes that have a worker's place, whether they are alive or not."""
        if self.store.is_sqlite:
            return {row.pid for row in await self.workers() if not row.ended}
        async with self.store.read() as session:
            return {process.pid for process in await engine_jobs.processes(session)}

    async def leases_run_out(self) -> None:
        """Let every worker have been silent for longer than its lease."""
        heartbeats = f"UPDATE {ENGINE_SCHEMA}.procrastinate_workers SET last_heartbeat = 'epoch'"
        async with self.store.write(self.caller) as tx:
            await tx.session.execute(
                update(WorkerRow).values(lease_until=0.0)
                if self.store.is_sqlite
                else text(heartbeats)
            )

    def effects(self) -> list[Effect]:
        return list(ledger(self.simulator_path)) if self.simulator_path.exists() else []

    def effect_counts(self) -> Counter[tuple[str, int, str, str]]:
        """(assignment, generation, step, effect) -> how often; each should be there once."""
        return Counter((one.key, one.generation, one.step, one.effect) for one in self.effects())

    async def light(self, assignment_id: str) -> str:
        return str((await self.assignment(assignment_id)).light)

    async def until(
        self, done: Callable[[], Awaitable[bool]], seconds: float = 60.0, *, pause: float = 0.02
    ) -> None:
        """Wait until `done`, at most so long; looks often and cheaply."""
        deadline = time.monotonic() + seconds
        while not await done():
            if time.monotonic() > deadline:
                raise AssertionError(await self.story())
            await asyncio.sleep(pause)

    async def settled(self, seconds: float = 60.0) -> None:
        """Wait until no request is active."""

        async def nothing() -> bool:
            return await self.active() == 0

        await self.until(nothing, seconds, pause=0.06)

    async def running_step(self, step: str) -> bool:
        """Whether a request is in this step now."""
        async with self.store.read() as session:
            found = await session.scalar(
                select(AssignmentRow.id).where(
                    AssignmentRow.light == Light.ORANGE, AssignmentRow.step.startswith(step)
                )
            )
            return found is not None

    async def story(self) -> str:
        """All that is known, for the message of a failing test."""
        async with self.store.read() as session:
            requests = (await session.scalars(select(RequestRow).order_by(RequestRow.id))).all()
            events = (
                await session.scalars(select(RequestEventRow).order_by(RequestEventRow.id))
            ).all()
            rows = (await session.scalars(select(AssignmentRow))).all()
        lines = ["waited in vain:"]
        lines += [
            f"request {one.id} {one.kind} {one.state} attempt {one.attempt} {one.worker_id} "
            f"failures {one.failures} next {one.next_try_at} waits {one.waiting_for!r}"
            for one in requests[-20:]
        ]
        lines += [f"{row.light} {row.word} {row.step} {row.error_said}" for row in rows[-20:]]
        lines += [f"  {one.request_id}/{one.attempt} {one.kind} {one.said}" for one in events[-40:]]
        lines += [str(one) for one in self.effects()[-20:]]
        lines += [path.read_text("utf-8")[-3000:] for path in self.directory.glob("*.log")]
        return "\n".join(lines)


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if isinstance(value, str) else str(value)


async def furnish(
    store: Store, where: str, directory: Path, catalogue: Catalogue, seats_owned: int = 1000
) -> World:
    """The world: an account with a domain and seats of two levels, rules without delays, settings."""
    world = World(store, where, directory)
    async with store.write(world.caller) as tx:
        await put(tx, catalogue, "test")
        account = AccountRow(
            code=ACCOUNT,
            name="Acme Pty Ltd",
            is_sample=False,
            time_zone="UTC",
            password_policy={},
            created_at=tx.now,
        )
        tx.session.add(account)
        await tx.session.flush()
        await tx.session.execute(
            insert(DomainRow).values(
                account_id=account.id,
                name=DOMAIN,
                bought=False,
                term_months=0,
                details={},
                added_at=tx.now,
            )
        )
        for level in (SMALL, LARGE):
            await seats.add(tx, account.id, EXCHANGE, level, seats_owned)
    world.rules()
    world.configure()
    return world


async def wish(world: World, upn: str, kind: str) -> int | None:
    """Wish by the name of a kind, "change" being the larger level; returns the request."""
    if kind in {"provision", "change"}:
        return (await world.give(upn, SMALL if kind == "provision" else LARGE)).request_id
    return (await world.turn(upn, RequestKind(kind))).request_id


MODULE = "mission_control_tui.provisioning.worker_main"


class WorkerProcess:
    """A worker as the launcher starts it: its own process, its own session, its log in a file."""

    def __init__(
        self, world: World, name: str = "worker", *, module: str = MODULE, **environment: str
    ) -> None:
        self.log = world.directory / f"{name}.log"
        with self.log.open("ab") as log:
            self.process = ForkedProcess(
                module,
                ["--database", world.where],
                stdout=log,
                stderr=log,
                env={**os.environ, **environment},
            )

    @property
    def pid(self) -> int:
        return self.process.pid

    def kill(self) -> None:
        """SIGKILL, and wait until it is gone."""
        self.process.kill()
        self.process.wait(10)

    def freeze(self) -> None:
        os.kill(self.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        os.kill(self.pid, signal.SIGCONT)

    def terminate(self) -> None:
        self.process.terminate()

    def wait(self, seconds: float = 60.0) -> int:
        return self.process.wait(seconds)

    @property
    def alive(self) -> bool:
        return self.process.poll() is None

    def end(self) -> None:
        """Whatever state it is in, let nothing of it stay."""
        if self.alive:
            with contextlib.suppress(ProcessLookupError):
                self.thaw()
            self.process.kill()
        self.process.wait(10)


@contextlib.contextmanager
def worker(
    world: World, name: str = "worker", *, module: str = MODULE, **environment: str
) -> Iterator[WorkerProcess]:
    """A worker for as long as the block lasts."""
    process = WorkerProcess(world, name, module=module, **environment)
    try:
        yield process
    finally:
        process.end()


async def freeze_harmlessly(world: World, victim: WorkerProcess) -> None:
    """Freeze it outside of transactions, the simulator's included: others would wait for what it has locked."""
    files = [world.simulator_path]
    if world.store.is_sqlite:
        files.append(Path(world.where))
    while True:
        victim.freeze()
        if all(
            can_write(file) for file in files if file.exists()
        ) and not await is_within_transaction(world):
            return
        victim.thaw()
        await asyncio.sleep(0.01)


async def is_within_transaction(world: World) -> bool:
    """Whether somebody is within a transaction on PostgreSQL, but for who keeps others from the same housekeeping."""
    if world.store.is_sqlite:
        return False
    asked = text(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        " AND xact_start IS NOT NULL AND query NOT LIKE '%pg_try_advisory_xact_lock%'"
    )
    async with world.store.read() as session:
        return bool(await session.scalar(asked))


def can_write(database: Path) -> bool:
    """Whether nobody holds SQLite's write lock, such as a worker that was frozen within a transaction."""
    with contextlib.closing(sqlite3.connect(database, timeout=0.2, isolation_level=None)) as db:
        try:
            db.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            return False
        db.execute("ROLLBACK")
        return True


def doubled(counts: Counter[Any]) -> list[Any]:
    """What happened more than once."""
    return [key for key, count in counts.items() if count > 1]


def states(requests: Sequence[RequestRow]) -> list[RequestState]:
    return [RequestState(one.state) for one in requests]


def engine_files(url: URL) -> tuple[Path, ...]:
    """The engine's files beside a SQLite database; deleting them loses nothing."""
    if url.get_backend_name() != "sqlite":
        return ()
    database = Path(url.database or "")
    return tuple(sorted(database.parent.glob(f"{database.name}.engine-*")))
