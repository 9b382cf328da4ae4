"""The real command in processes of its own, on a database of the test's own, and what it left behind."""

from __future__ import annotations

import contextlib
import io
import json
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from mission_control_tui.cli.main import main
from mission_control_tui.provisioning.connectors.simulator.connector import ledger
from mission_control_tui.provisioning.connectors.simulator.store import Effect
from mission_control_tui.settings.settings import locations
from tests.forked import ForkedProcess

SAMPLES = Path(__file__).parent.parent / "data" / "imports"
PREFIX = "MISSION_CONTROL_"
ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Result:
    """What one call did."""

    code: int
    out: str
    err: str
    raw: bytes

    @property
    def json(self) -> Any:
        """Its stdout as JSON."""
        return json.loads(self.out)


class Command:
    """`mission-control` in a directory; `ok` expects exit 0."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        directory.mkdir(exist_ok=True)

    def start(self, *arguments: str | Path, **environment: str) -> subprocess.Popen[bytes]:
        """Begin a call; the caller waits for it."""
        return subprocess.Popen(
            [sys.executable, "-m", "mission_control_tui", *map(str, arguments)],
            cwd=self.directory,
            env={**os.environ, **environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def run(
        self,
        *arguments: str | Path,
        stdin: bytes = b"",
        seconds: float = 120.0,
        environment: Mapping[str, str] | None = None,
    ) -> Result:
        """One call to its end; with an `environment` of its own it is a start of the interpreter."""
        if environment:
            with self.start(*arguments, **environment) as started:
                try:
                    told, said = started.communicate(stdin, seconds)
                except subprocess.TimeoutExpired:
                    started.kill()
                    raise
            return Result(started.returncode, told.decode(), said.decode(), told + said)
        with contextlib.ExitStack() as stack:
            given, out, err = (stack.enter_context(tempfile.TemporaryFile()) for _ in range(3))
            given.write(stdin)
            given.seek(0)
            forked = ForkedProcess(
                "mission_control_tui",
                [str(argument) for argument in arguments],
                stdin=given,
                stdout=out,
                stderr=err,
                cwd=self.directory,
            )
            try:
                code = forked.wait(seconds)
            finally:
                forked.kill()
            for stream in (out, err):
                stream.seek(0)  # the process has moved it on
            told, said = out.read(), err.read()
        return Result(code, told.decode(), said.decode(), told + said)

    def ok(self, *arguments: str | Path, stdin: bytes = b"", seconds: float = 120.0) -> Result:
        """One call that succeeds."""
        result = self.run(*arguments, stdin=stdin, seconds=seconds)
        assert result.code == 0, f"{arguments}: exit {result.code}\n{result.out}\n{result.err}"
        return result

    def json(self, *arguments: str | Path) -> Any:
        """What a successful call with --json printed."""
        return self.ok(*arguments, "--json").json

    def init(self, *seats: tuple[str, str, int]) -> None:
        """An account with a domain, and (product, level, quantity) of seats."""
        self.ok("init", "--name", "Acme", "--code", "acme", "--domain", "acme.example")
        for product, level, quantity in seats:
            self.ok("buy", product, "--level", level, "--quantity", str(quantity))

    def user(self, name: str, *options: str) -> str:
        """A user with a password of its own choice; returns the UPN."""
        upn = f"{name}@acme.example"
        names = ("--first-names", name.title(), "--last-name", "Example")
        self.ok(
            *("users", "create", "--upn", upn, *names, "--password-stdin", *options),
            stdin=b"Correct-Horse-7\n",
        )
        return upn

    @property
    def database(self) -> Path:
        return locations().database

    def rows(self, statement: str, *parameters: object) -> list[tuple[Any, ...]]:
        """Read the database from outside."""
        with contextlib.closing(
            sqlite3.connect(f"{self.database.as_uri()}?mode=ro", uri=True, timeout=30)
        ) as connection:
            return connection.execute(statement, parameters).fetchall()

    def contents(self) -> dict[str, list[tuple[Any, ...]]]:
        """Every row of every table; the workers' leases, which go on by themselves, are left out."""
        names = self.rows("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
        return {
            name: sorted(self.rows(f"SELECT * FROM {name}"), key=repr)
            for (name,) in names
            if name != "workers" and not name.startswith("sqlite_")
        }

    def effects(self) -> list[Effect]:
        """The simulator's ledger."""
        path = self.database.with_name("simulator.db")
        return list(ledger(path)) if path.exists() else []

    def effect_counts(self) -> Counter[tuple[str, int, str, str]]:
        """(assignment, generation, step, effect) -> how often it happened."""
        return Counter((one.key, one.generation, one.step, one.effect) for one in self.effects())

    def workers(self) -> list[int]:
        """The process ids of workers that say they are at work."""
        if not self.database.exists():
            return []
        return [pid for (pid,) in self.rows("SELECT pid FROM workers WHERE ended = 0")]

    def end_workers(self, database: Path | None = None) -> None:
        """Let no worker of this database, the default one unless named, outlive the test."""
        for process in psutil.process_iter(["pid", "cmdline"]):
            if str(database or self.database) in (process.info["cmdline"] or []):
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.send_signal(signal.SIGKILL)
                    process.wait(10)


class Inside(Command):
    """The same command called in this process, without a second's import each time; "worker" still is a process."""

    def run(
        self,
        *arguments: str | Path,
        stdin: bytes = b"",
        seconds: float = 120.0,
        environment: Mapping[str, str] | None = None,
    ) -> Result:
        """One call to its end."""
        if environment or "worker" in arguments:
            return super().run(*arguments, stdin=stdin, seconds=seconds, environment=environment)
        out, err = io.BytesIO(), io.BytesIO()
        streams = [io.TextIOWrapper(one, "utf-8", write_through=True) for one in (out, err)]
        before = sys.stdin
        sys.stdin = io.TextIOWrapper(io.BytesIO(stdin), "utf-8")
        try:
            with (
                contextlib.chdir(self.directory),
                contextlib.redirect_stdout(streams[0]),
                contextlib.redirect_stderr(streams[1]),
            ):
                main([str(argument) for argument in arguments])
        except SystemExit as ending:
            code = ending.code
        finally:
            sys.stdin = before
        assert isinstance(code, int)
        told, said = out.getvalue(), err.getvalue()
        return Result(code, told.decode(), said.decode(), told + said)


@contextlib.contextmanager
def command(home: Path, kind: type[Command] = Command) -> Iterator[Command]:
    """The command for as long as the block lasts; workers that it started end with it."""
    os.environ[PREFIX + "WORKER__IDLE_SECONDS"] = "60"
    os.environ["PYTHONPATH"] = str(ROOT)
    one = kind(home / "work")
    try:
        yield one
    finally:
        one.end_workers()
