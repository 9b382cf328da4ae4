"""What the tests of connectors share: wishes, a journal in memory, and back ends that can be looked into."""

from __future__ import annotations

import os
import secrets
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, TypeVar

import asyncpg
import pytest

from mission_control_tui.connect import (
    Applied,
    ConnectorError,
    DesiredState,
    Health,
    Listed,
    Mark,
    Step,
)
from mission_control_tui.model.states import ErrorKind, StepState, Wish
from mission_control_tui.provisioning.connectors.simulator.connector import ledger, login
from mission_control_tui.provisioning.converge import Look, converge, observe_and_plan
from mission_control_tui.provisioning.guard import Guarded
from mission_control_tui.provisioning.registry import load
from tests.postgres import PostgresServer

T = TypeVar("T")

INSTALLATION = "test-installation"
PASSWORD = "Correct-Horse-7é"
LIMITS: Mapping[str, Mapping[str, object]] = {
    "small": {"connection_limit": 5},
    "large": {"connection_limit": 20},
}


def wish(
    name: str,
    state: Wish = Wish.PRESENT,
    level: str = "small",
    *,
    generation: int = 1,
    attempt: int = 1,
    key: str = "",
    service: str = "databases",
    installation: str = INSTALLATION,
    secret: str | None = PASSWORD,
    epoch: int = 1,
    **more: object,
) -> DesiredState:
    """A wish for `name`; its key is made from the name unless given."""
    mark = Mark(installation, key or f"key-of-{name}", generation, attempt, epoch)
    more = {
        "limits": LIMITS.get(level, {}),
        "secret": secret,
        "secret_id": f"{zlib.crc32(str(secret).encode())}",
        **more,
    }
    return DesiredState(mark, service, name, state, level, **more)  # type: ignore[arg-type]


def new_name(prefix: str = "acme") -> str:
    """A back-end name that no other test uses."""
    return f"{prefix}_{secrets.token_hex(5)}"


ROUNDS = 3
"""Attempts that `reach` makes at most, as the queue would."""


class Stopped(Exception):
    """The loop was told to stop between two steps."""


@dataclass
class MemoryJournal:
    """Keeps what `converge` notes; stops it once the step `stop_after` is done."""

    stop_after: str = ""
    entries: list[tuple[str, StepState]] = field(default_factory=list)
    looks: list[Look] = field(default_factory=list)
    errors: list[ConnectorError] = field(default_factory=list)

    async def begin(self, name: str, shown: str) -> None:
        if self.stop_after in self.done():
            raise Stopped
        self.note(name, StepState.RUNNING)

    async def look(self, name: str, call: Callable[[], Awaitable[Look]]) -> Look:
        self.looks.append(await self._noted(name, call()))
        return self.looks[-1]

    async def apply(
        self, step: Step, desired: DesiredState, call: Callable[[DesiredState], Awaitable[Applied]]
    ) -> Applied:
        return await self._noted(step.name, call(desired))

    def note(self, name: str, state: StepState, error: ConnectorError | None = None) -> None:
        """Keep one entry."""
        self.entries.append((name, state))
        if error is not None:
            self.errors.append(error)

    @property
    def steps(self) -> list[tuple[str, StepState]]:
        """The entries without the looks."""
        return [entry for entry in self.entries if entry[0] not in ("observe", "verify")]

    def done(self) -> list[str]:
        """The names of the steps that were done, in order."""
        return [name for name, state in self.steps if state is StepState.DONE]

    async def _noted(self, name: str, call: Awaitable[T]) -> T:
        try:
            result = await call
        except ConnectorError as error:
            self.note(name, StepState.FAILED, error)
            raise
        self.note(name, StepState.DONE)
        return result


async def reach(
    connector: Guarded,
    desired: DesiredState,
    journal: MemoryJournal | None = None,
) -> Look:
    """Converge as the worker does; after a stale or a lost answer again, as the queue would, `ROUNDS` times at most."""
    journal = journal or MemoryJournal()
    rounds_left = ROUNDS
    while True:
        rounds_left -= 1
        try:
            return await converge(connector, desired, journal)
        except ConnectorError as error:
            if not rounds_left or not (error.outcome_unknown or error.kind is ErrorKind.STALE):
                raise


async def stop_after(connector: Guarded, desired: DesiredState, step: str) -> Look:
    """Converge until the step is done, as a worker that is told to stop; returns what is true then."""
    with pytest.raises(Stopped):
        await converge(connector, desired, MemoryJournal(stop_after=step))
    return await observe_and_plan(connector, desired)


async def check(connector: Guarded) -> Health:
    """Reach the back end and log in."""
    return await connector.check()


async def list_marked(connector: Guarded) -> AsyncIterator[tuple[str, Listed]]:
    """What the connector lists, by name."""
    async for row in connector.list():
        yield row.name, row


class BackEnd(Protocol):
    """A back end that a test can look into past its connector."""

    name: str

    async def open(self, installation: str = INSTALLATION, **settings: object) -> Guarded: ...
    async def can_log_in(self, name: str, password: str) -> bool: ...
    async def written(self, name: str) -> object:
        """A value that differs after any write to the object `name`."""
        ...


@dataclass
class SimulatorBackEnd:
    """The simulator in a file of the test's own, without delays."""

    directory: Path
    name: str = "simulator"

    @property
    def file(self) -> Path:
        return self.directory / "simulator.db"

    async def open(self, installation: str = INSTALLATION, **settings: object) -> Guarded:
        table = {"type": "simulator", "path": str(self.file), "delay_factor": 0, **settings}
        return await load("back_end", table, installation)

    async def can_log_in(self, name: str, password: str) -> bool:
        return login(self.file, name, password)

    async def written(self, name: str) -> object:
        return [effect for effect in ledger(self.file) if effect.name == name]


@dataclass
class PostgresBackEnd:
    """A real server; `user` and `password` are who the connector is."""

    server: PostgresServer
    user: str = "postgres"
    password: str = ""
    name: str = "postgresql"
    port: int | None = None

    def settings(self, **settings: object) -> dict[str, object]:
        """The connector's table, with the password in the environment."""
        os.environ["TEST_BACK_END_PASSWORD"] = self.password or self.server.password
        return {
            "type": "postgresql",
            "host": self.server.host,
            "port": self.port or self.server.port,
            "user": self.user,
            "password_env": "TEST_BACK_END_PASSWORD",
            "mode": "enabled",
            **settings,
        }

    async def open(self, installation: str = INSTALLATION, **settings: object) -> Guarded:
        return await load("back_end", self.settings(**settings), installation)

    async def can_log_in(self, name: str, password: str, database: str | None = None) -> bool:
        refused = (
            asyncpg.InvalidAuthorizationSpecificationError,
            asyncpg.InsufficientPrivilegeError,
            asyncpg.InvalidCatalogNameError,
            asyncpg.ObjectNotInPrerequisiteStateError,
        )
        try:
            connection = await asyncpg.connect(
                self.server.dsn(database or name, user=name, password=password), ssl=False
            )
        except refused:
            return False
        user = await connection.fetchval("SELECT current_user")
        await connection.close()
        return bool(user == name)

    async def written(self, name: str) -> object:
        return self.server.execute(
            "SELECT a.oid::text, a.xmin::text, d.oid::text, d.xmin::text, ra.xmin::text,"
            " da.xmin::text, a.rolconnlimit, a.rolcanlogin FROM (SELECT %s AS name) AS wanted"
            " LEFT JOIN pg_authid a ON a.rolname = wanted.name"
            " LEFT JOIN pg_database d ON d.datname = wanted.name"
            " LEFT JOIN pg_shdescription ra ON ra.objoid = a.oid"
            " AND ra.classoid = 'pg_authid'::regclass"
            " LEFT JOIN pg_shdescription da ON da.objoid = d.oid"
            " AND da.classoid = 'pg_database'::regclass",
            (name,),
        )
