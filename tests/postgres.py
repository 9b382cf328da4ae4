"""A throw-away PostgreSQL of the tests' own: started on loopback, stopped by its pid, nothing left behind.

Each pytest worker starts its own server when a test first asks for one: initdb takes half a second, two side by
side on two cores hardly longer, and no worker waits for another's lock or counts its users.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import re
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import psutil
import psycopg
from psycopg import sql

from tests.support import LOOPBACK, free_port, missing

INSTALL_LINE = "apt-get install -y postgresql"
SUPERUSER = "postgres"

_PREFIX = "mcpg-"
_SOCKET_LIMIT = 107  # bytes of a unix socket's path
_START_SECONDS = 60.0
_STOP_SECONDS = 20.0
_SETTINGS = {
    "listen_addresses": LOOPBACK,
    "max_connections": "200",
    "shared_buffers": "32MB",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "checkpoint_timeout": "1h",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "lc_messages": "C",
}
_CARELESS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


class PostgresFailed(RuntimeError):
    """The server did not start or stop; the message ends with the tail of its log."""


def find_binaries() -> Path | None:
    """The directory with `initdb` and `postgres` (newest Debian version first, then PATH), or None."""
    versions = sorted(
        Path("/usr/lib/postgresql").glob("*/bin"),
        key=lambda path: int(re.sub(r"\D", "", path.parent.name) or 0),
        reverse=True,
    )
    on_path = shutil.which("initdb")
    candidates = [*versions, *([Path(on_path).resolve().parent] if on_path else [])]
    for directory in candidates:
        if (directory / "initdb").exists() and (directory / "postgres").exists():
            return directory
    return None


class PostgresServer:
    """One running (or stopped) server with a data directory of its own; use `start` to make one."""

    def __init__(
        self, binaries: Path, directory: Path, account: str | None, settings: Mapping[str, str]
    ) -> None:
        self.host = LOOPBACK
        self.port = 0
        self.user = SUPERUSER
        self.password = secrets.token_urlsafe(18)
        self.directory = directory
        self._binaries = binaries
        self._account = account
        self._settings = dict(settings)
        self._process: subprocess.Popen[bytes] | None = None

    @classmethod
    def start(
        cls, *, durable: bool = False, settings: Mapping[str, str] | None = None
    ) -> PostgresServer:
        """Make a cluster and start its server; returns when it accepts connections.

        `durable` keeps fsync, synchronous commits and full page writes on, for tests that kill the server;
        `settings` are further lines of postgresql.conf. Skips the test (or fails it where MC_REQUIRE_REAL=1)
        when PostgreSQL is not installed; raises PostgresFailed when it does not come up.
        """
        binaries = find_binaries()
        if binaries is None:
            missing("PostgreSQL's server", INSTALL_LINE)
        _sweep_abandoned()
        directory = _short_directory()
        account = _server_account()
        server = cls(
            binaries, directory, account, {**({} if durable else _CARELESS), **(settings or {})}
        )
        try:
            server._make_cluster()
            for attempt in range(5):
                server.port = free_port()
                try:
                    server.resume()
                except PostgresFailed as error:
                    if "Address already in use" not in str(error) or attempt == 4:
                        raise
                else:
                    break
        except BaseException:
            server.close()
            raise
        return server

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"PostgresServer({self.host}:{self.port}, {'up' if self.running else 'down'})"

    @property
    def running(self) -> bool:
        """Whether the server process that `start`, `resume` or `restart` made is alive."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        """The postmaster's process id, 0 when the server is down."""
        with contextlib.suppress(FileNotFoundError, IndexError, ValueError):
            return int((self._data / "postmaster.pid").read_text().splitlines()[0])
        return 0

    @property
    def socket_directory(self) -> Path:
        """Where the server's unix socket lies."""
        return self.directory

    def dsn(
        self, database: str = "postgres", *, user: str | None = None, password: str | None = None
    ) -> str:
        """A libpq and asyncpg address (postgresql://...) of `database`, as the superuser unless told."""
        return self._address("postgresql", database, user, password)

    def url(
        self, database: str = "postgres", *, user: str | None = None, password: str | None = None
    ) -> str:
        """SQLAlchemy's address (postgresql+asyncpg://...) of `database`, as the superuser unless told."""
        return self._address("postgresql+asyncpg", database, user, password)

    def execute(
        self, statement: str, parameters: Sequence[object] = (), *, database: str = "postgres"
    ) -> list[tuple[Any, ...]]:
        """Run one statement (parameters as %s) outside a transaction, as the superuser; returns its rows."""
        return self._run(statement.encode(), parameters, database)

    def create_database(self, name: str | None = None, *, template: str | None = None) -> str:
        """Create an empty database, or a copy of `template` (which nobody may be connected to); returns its name.

        One without a name is for a store: nobody but the superuser may connect to it.
        """
        is_of_a_store = name is None
        name = name or f"t_{secrets.token_hex(6)}"
        statement = sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(
            sql.Identifier(name), sql.Identifier(template or "template1")
        )
        self._run(statement, (), "postgres")
        if is_of_a_store:
            # Tests of tenants look at every database of the server, those of other tests included.
            closed = sql.SQL("REVOKE CONNECT ON DATABASE {} FROM PUBLIC")
            self._run(closed.format(sql.Identifier(name)), (), "postgres")
        return name

    def drop_database(self, name: str) -> None:
        """Drop the database `name` with whoever is connected to it; a missing one is fine."""
        statement = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
        self._run(statement, (), "postgres")

    def stop(self, *, immediate: bool = False) -> None:
        """Stop the server and keep its data: SIGINT (fast), or SIGQUIT (as a crash) when `immediate`.

        SIGINT that has no effect for twenty seconds is followed by SIGQUIT, and that by SIGKILL.
        """
        process, self._process = self._process, None
        if process is None:
            return
        escalation = [signal.SIGQUIT, signal.SIGKILL]
        if not immediate:
            escalation.insert(0, signal.SIGINT)
        for signum in escalation:
            if process.poll() is not None:
                return
            os.kill(self.pid or process.pid, signum)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(_STOP_SECONDS)
        if process.poll() is None:
            raise PostgresFailed(f"PostgreSQL does not stop.\n{self.log_tail()}")

    def resume(self) -> None:
        """Start a stopped server again, on the same port with the same data."""
        if self.running:
            return
        arguments = [str(self._binaries / "postgres"), "-D", str(self._data)]
        arguments += ["-p", str(self.port), "-k", str(self.socket_directory)]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                arguments, stdin=subprocess.DEVNULL, stdout=log, stderr=log, **self._spawn_options()
            )
        deadline = time.monotonic() + _START_SECONDS
        while not self._ready():
            died = self._process.poll() is not None
            if died or time.monotonic() > deadline:
                self.stop(immediate=True)
                what = "ended at once" if died else f"is not ready after {_START_SECONDS:.0f} s"
                raise PostgresFailed(f"PostgreSQL {what}.\n{self.log_tail()}")
            time.sleep(0.02)

    def restart(self, *, immediate: bool = False) -> None:
        """`stop` and `resume`: the port, the data and the passwords stay."""
        self.stop(immediate=immediate)
        self.resume()

    def close(self) -> None:
        """Stop the server and remove everything it wrote."""
        try:
            self.stop(immediate=True)
        finally:
            shutil.rmtree(self.directory, ignore_errors=True)

    def log_tail(self, lines: int = 30) -> str:
        """The last lines that the server logged."""
        try:
            text = self._log.read_text(errors="replace")
        except FileNotFoundError:
            return "(no log)"
        return "\n".join(text.splitlines()[-lines:])

    @property
    def _data(self) -> Path:
        return self.directory / "data"

    @property
    def _log(self) -> Path:
        return self.directory / "server.log"

    def _address(self, scheme: str, database: str, user: str | None, password: str | None) -> str:
        name = quote(user or self.user, safe="")
        secret = quote(self.password if password is None else password, safe="")
        return f"{scheme}://{name}:{secret}@{self.host}:{self.port}/{quote(database, safe='')}"

    def _run(
        self, statement: bytes | sql.Composed, parameters: Sequence[object], database: str
    ) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.dsn(database), autocommit=True) as connection:
            cursor = connection.execute(statement, parameters or None)
            return cursor.fetchall() if cursor.description else []

    def _spawn_options(self) -> dict[str, Any]:
        environment = {
            "PATH": f"{self._binaries}:/usr/bin:/bin",
            "HOME": str(self.directory),
            "LC_ALL": "C",
            "TZ": "UTC",
        }
        options: dict[str, Any] = {
            "cwd": self.directory,
            "env": environment,
            "start_new_session": True,
        }
        if self._account is not None:
            account = pwd.getpwnam(self._account)
            options |= {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
        return options

    def _make_cluster(self) -> None:
        secret = self.directory / "secret"
        secret.touch(0o600)
        secret.write_text(self.password)
        if self._account is not None:
            for path in (self.directory, secret):
                shutil.chown(path, self._account)
        arguments = [str(self._binaries / "initdb"), "-D", str(self._data), "-U", self.user]
        arguments += ["--pwfile", str(secret), "-A", "scram-sha-256", "-E", "UTF8"]
        arguments += ["--locale=C.UTF-8", "--no-sync"]
        done = subprocess.run(
            arguments,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            **self._spawn_options(),
        )
        secret.unlink()
        if done.returncode:
            raise PostgresFailed(f"initdb failed.\n{done.stdout}\n{done.stderr}")
        lines = [f"{name} = '{value}'" for name, value in {**_SETTINGS, **self._settings}.items()]
        with (self._data / "postgresql.conf").open("a") as configuration:
            configuration.write("\n".join(["", *lines, ""]))

    def _ready(self) -> bool:
        with contextlib.suppress(FileNotFoundError):
            lines = (self._data / "postmaster.pid").read_text().splitlines()
            return len(lines) > 7 and lines[7].strip() == "ready"
        return False


def _server_account() -> str | None:
    """Who runs the server: nobody else, except for root, whom PostgreSQL refuses."""
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam("postgres").pw_name
    except KeyError:
        missing("the user that PostgreSQL's package makes", INSTALL_LINE)


def _short_directory() -> Path:
    """A new directory whose path leaves room for a socket's name, readable by the server's account."""
    base = Path(tempfile.gettempdir())
    if len(str(base)) + len(_PREFIX) + len("12345678/.s.PGSQL.65535.lock") > _SOCKET_LIMIT:
        base = Path("/tmp")
    directory = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-", dir=base))
    directory.chmod(0o755)
    return directory


def _sweep_abandoned() -> None:
    """Stop and remove servers whose test run was killed before it could do so itself."""
    for directory in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*-*"):
        owner = directory.name.removeprefix(_PREFIX).partition("-")[0]
        if not owner.isdigit() or psutil.pid_exists(int(owner)):
            continue
        with contextlib.suppress(OSError, ValueError, IndexError, psutil.Error):
            pid_file = directory / "data" / "postmaster.pid"
            if pid_file.exists():
                process = psutil.Process(int(pid_file.read_text().splitlines()[0]))
                if str(directory / "data") in process.cmdline():
                    process.send_signal(signal.SIGQUIT)
                    process.wait(_STOP_SECONDS)
        shutil.rmtree(directory, ignore_errors=True)
