"""The main job on real input: a Microsoft 365 file, a real PostgreSQL, the simulator, the real command.

Every light ends green, each role can log in to its own database and to no other, and doing it again changes nothing
and says so, with a worker that was killed half-way too.
"""

from __future__ import annotations

import asyncio
import csv
import os
import shutil
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import asyncpg
import pytest

from mission_control_tui.settings.settings import locations
from tests.cli.command import SAMPLES, Command
from tests.postgres import PostgresServer

USERS = 12
SETTINGS = """
[services]
databases = "customer-databases"

[connectors.customer-databases]
type = "postgresql"
host = "{host}"
port = {port}
user = "{user}"
password_file = "{secret}"
tls = "disable"
mode = "enabled"

[connectors.simulator]
delay_factor = {delay}
"""


@dataclass
class Job:
    """The command, the server that its databases are on, and the files of the job."""

    mc: Command
    server: PostgresServer

    def configure(self, delay: float) -> None:
        secret = self.mc.directory / "postgresql.secret"
        secret.touch(0o600)
        secret.write_text(f"{self.server.password}\n")
        settings = locations().settings_file
        settings.parent.mkdir(parents=True, exist_ok=True)
        settings.write_text(
            SETTINGS.format(
                host=self.server.host,
                port=self.server.port,
                user=self.server.user,
                secret=secret,
                delay=delay,
            )
        )
        shutil.copy(SAMPLES / "microsoft365.csv", self.mc.directory / "users.csv")

    def set_up(self) -> None:
        self.mc.init(("email", "pc-web", USERS), ("databases", "small", USERS))

    def do(self, wait: str = "120") -> list[str]:
        """Import and provision; returns what the commands printed."""
        waiting = ("--wait", wait) if wait else ()
        people = ("--users-from", "users.csv")
        level = ("--level", "Managed Exchange - PC & Web Access")
        return [
            self.mc.ok("users", "import", "users.csv", "--passwords-out", "passwords.csv").out,
            self.mc.ok(
                *("provision", "databases", *people, "--level", "small", *waiting),
                *("--passwords-out", "databases.csv"),
            ).out,
            self.mc.ok("provision", "Managed Exchange", *people, *level, *waiting).out,
        ]

    def logins(self) -> dict[str, str]:
        """Role, which is also the database's name -> password."""
        path = self.mc.directory / "databases.csv"
        assert path.stat().st_mode & 0o777 == 0o600
        with path.open(newline="") as file:
            return {row["login"]: row["password"] for row in csv.DictReader(file)}

    def lights(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.mc.json("status")["services"]
        return found

    def on_server(self) -> list[tuple[Any, ...]]:
        """What the server has of ours, with the transactions that wrote it last."""
        return self.server.execute(
            "SELECT 'role', rolname, xmin::text, rolconnlimit FROM pg_authid WHERE rolname LIKE 'acme%' UNION ALL "
            "SELECT 'database', datname, xmin::text, datconnlimit FROM pg_database WHERE datname LIKE 'acme%' "
            "ORDER BY 1, 2"
        )


@pytest.fixture
def job(mc: Command) -> Iterator[Job]:
    with PostgresServer.start() as server:
        yield Job(mc, server)
        mc.end_workers()


async def _may_log_in(server: PostgresServer, role: str, password: str, database: str) -> bool:
    try:
        connection = await asyncpg.connect(
            server.dsn(database, user=role, password=password), ssl=False
        )
    except (asyncpg.InsufficientPrivilegeError, asyncpg.InvalidPasswordError):
        return False
    try:
        return bool(await connection.fetchval("SELECT current_user") == role)
    finally:
        await connection.close()


async def each_role_reaches_its_own_database_alone(job: Job) -> None:
    logins = job.logins()
    assert len(logins) == USERS
    places = [*logins, "postgres", "template1"]
    for role, password in logins.items():
        assert not await _may_log_in(job.server, role, password + "x", role)
        reached = [
            place for place in places if await _may_log_in(job.server, role, password, place)
        ]
        assert reached == [role]


def everything_is_green(job: Job) -> None:
    lights = job.lights()
    assert len(lights) == 2 * USERS
    assert {(one["light"], one["word"]) for one in lights} == {("green", "Provisioned")}
    assert {(one["service"], one["level"]) for one in lights} == {
        ("databases", "small"),
        ("managed-exchange", "pc-web"),
    }
    assert all(one["error"] is None and one["since"].endswith("Z") for one in lights)
    people = {one["upn"] for one in job.mc.json("users", "list")["users"]}
    assert {one["subject"] for one in lights} == people


def every_effect_happened_once(job: Job) -> None:
    counts = job.mc.effect_counts()
    assert len({key for key, *_ in counts}) == USERS
    assert set(counts.values()) == {1}


@pytest.mark.slow
async def test_the_main_job_ends_green_and_again_changes_nothing(job: Job) -> None:
    job.configure(delay=0.1)
    job.set_up()
    imported, *_ = job.do()
    assert f"{USERS} created, 0 changed, 0 unchanged." in imported
    everything_is_green(job)
    await each_role_reaches_its_own_database_alone(job)
    every_effect_happened_once(job)

    before = job.mc.contents(), job.on_server(), job.mc.effects()
    again = job.do()
    assert f"0 created, 0 changed, {USERS} unchanged." in again[0]
    for said in again:
        assert "Nothing to do: everything is so already." in said
    assert (job.mc.contents(), job.on_server(), job.mc.effects()) == before
    everything_is_green(job)


@pytest.mark.slow
@pytest.mark.kill
@pytest.mark.proof
async def test_a_worker_killed_half_way_loses_nothing_and_does_nothing_twice(job: Job) -> None:
    job.configure(delay=1)
    job.set_up()
    job.do(wait="")
    killed = await asyncio.to_thread(_kill_half_way, job)
    assert killed
    left = [one for one in job.lights() if one["light"] == "orange"]
    assert left, "the worker was killed after its work"

    job.mc.ok("status", "--wait", "120")
    everything_is_green(job)
    await each_role_reaches_its_own_database_alone(job)
    every_effect_happened_once(job)

    before = job.mc.contents(), job.on_server(), job.mc.effects()
    for said in job.do():
        assert "Nothing to do: everything is so already." in said
    assert (job.mc.contents(), job.on_server(), job.mc.effects()) == before


def _kill_half_way(job: Job) -> list[int]:
    """Kill the worker when it has done some and not all, in the middle of several steps."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        workers = job.mc.workers()
        if workers and len(job.mc.effects()) >= USERS // 2 and job.on_server():
            for pid in workers:
                os.kill(pid, signal.SIGKILL)
            return workers
        time.sleep(0.01)
    return []
