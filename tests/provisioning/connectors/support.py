"""What the tests of connectors share: wishes, a journal in memory, and back ends that can be looked into."""

from __future__ import annotations

import os
import zlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import asyncpg

from mission_control_tui.connect import (
    DesiredState,
    Health,
    Listed,
    Mark,
)
from mission_control_tui.model.states import Wish
from mission_control_tui.provisioning.connectors.postgresql import PostgreSQL
from mission_control_tui.provisioning.connectors.simulator.connector import (
    DECLARES,
    ledger,
    login,
)
from mission_control_tui.provisioning.connectors.simulator.rules import SHIPPED
from mission_control_tui.provisioning.guard import Guarded
from mission_control_tui.provisioning.registry import load
from mission_control_tui.testing.back_ends import BackEnd
from mission_control_tui.testing.converging import (
    INSTALLATION,
    PASSWORD,
    ROUNDS,
    MemoryJournal,
    Stopped,
    new_name,
    reach,
    stop_after,
)
from tests.postgres import PostgresServer

__all__ = [
    "INSTALLATION",
    "PASSWORD",
    "ROUNDS",
    "BackEnd",
    "MemoryJournal",
    "Stopped",
    "new_name",
    "reach",
    "stop_after",
]

T = TypeVar("T")

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


async def check(connector: Guarded) -> Health:
    """Reach the back end and log in."""
    return await connector.check()


async def list_marked(connector: Guarded) -> AsyncIterator[tuple[str, Listed]]:
    """What the connector lists, by name."""
    async for row in connector.list():
        yield row.name, row


@dataclass
class SimulatorBackEnd(BackEnd):
    """The simulator in a file of the test's own, without delays."""

    directory: Path
    service = "databases"
    limits = LIMITS
    options = {"color": "red", "aliases": ["b", "a"]}  # noqa: RUF012 - the suite only reads it
    other_options = {"color": "blue", "aliases": ["b", "a"]}  # noqa: RUF012 - the same
    half = "role"
    declares = replace(DECLARES, usage=frozenset({"mailbox"}))
    rules: Path = SHIPPED

    @property
    def file(self) -> Path:
        return self.directory / "simulator.db"

    async def open(self, installation: str = INSTALLATION, **settings: object) -> Guarded:
        table = {"type": "simulator", "path": str(self.file), "rules": str(self.rules), **settings}
        table.setdefault("delay_factor", 0)
        return await load("back_end", table, installation)

    async def can_log_in(self, name: str, password: str) -> bool:
        return login(self.file, name, password)

    async def make_unadoptable(self, name: str) -> bool:
        await reach(await self.open(), self.wish(name, key="theirs"))
        rule = {"call": "observe", "name": name, "unadoptable": "its disk is shared"}
        lines = [f'{key} = "{value}"' for key, value in rule.items()]
        self.rules = self.directory / "rules.toml"
        self.rules.write_text("\n".join([SHIPPED.read_text(), "[[rule]]", *lines]))
        return True

    async def written(self, name: str) -> object:
        return [effect for effect in ledger(self.file) if effect.name == name]


@dataclass
class PostgresBackEnd(BackEnd):
    """A real server; `user` and `password` are who the connector is."""

    server: PostgresServer
    user: str = "postgres"
    password: str = ""
    port: int | None = None
    service = "databases"
    limits = LIMITS
    half = "role"
    declares = PostgreSQL.declares

    def table(self, **settings: object) -> dict[str, object]:
        """The connector's table, with the password in the environment."""
        os.environ["TEST_BACK_END_PASSWORD"] = self.password or self.server.password
        return {
            "type": "postgresql",
            "host": self.server.host,
            "port": self.port or self.server.port,
            "user": self.user,
            "password_env": "TEST_BACK_END_PASSWORD",
            "mode": "enabled",
            "adopt": "allow",
            **settings,
        }

    async def open(self, installation: str = INSTALLATION, **settings: object) -> Guarded:
        return await load("back_end", self.table(**settings), installation)

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

    async def make_unadoptable(self, name: str) -> bool:
        self.server.execute(f"""CREATE ROLE "{name}" LOGIN PASSWORD 'theirs'""")
        self.server.create_database(name)
        return True

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
