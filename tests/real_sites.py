"""Back ends as an operator's settings name them, each with its real server, for proofs by the real command."""

from __future__ import annotations

import asyncio
import csv
import threading
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar

import psycopg
import pymysql

from mission_control_tui.provisioning.connectors.mail_sql.setup_files import PostgresLogin
from mission_control_tui.provisioning.connectors.simulator.connector import ledger
from tests import mariadb, powerdns
from tests.cli.command import Command
from tests.mail_server import MailServer
from tests.mariadb import MariaDBServer
from tests.postgres import PostgresServer
from tests.powerdns import PowerDNSServer
from tests.provisioning.connectors.mail_sql import WRITER
from tests.provisioning.connectors.proxy import LosingProxy, losing_proxy
from tests.support import LOOPBACK

NAME = "back-end"
"""What the settings call the connector."""
WORKER = """
[worker]
pause_seconds = 0.3
retry_first_seconds = 0.05
retry_cap_seconds = 0.4
retry_limit = 200
idle_seconds = 3600.0
"""
UPN = "ada@acme.example"
PASSWORD = "Correct-Horse-77"
DOMAIN = "acme-real.com"
WRONG = "The-Wrong-One-13"
REGISTRANT = (
    *("--set", "registrant-name=Acme Pty Ltd", "--set", "registrant-email=dns@acme.example"),
    *("--set", "registrant-country=AU"),
)


class Site(ABC):
    """One back end, the settings that lead to it, and what is proven there past Mission Control."""

    service: ClassVar[str]
    seats: ClassVar[tuple[tuple[str, str, int], ...]] = ()
    trigger: ClassVar[bytes] = b""
    """What the client sends when it acts."""
    after: ClassVar[bytes] = b""
    secret: str
    port: int

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    @property
    def secret_file(self) -> Path:
        return self.directory / "secret"

    @property
    def settings_file(self) -> Path:
        return self.directory / "settings.toml"

    @abstractmethod
    def table(self, port: int) -> list[str]:
        """The lines of the connector's table."""

    def configure(self, port: int | None = None, more: str = WORKER) -> None:
        """Write the settings file."""
        table = "\n".join([f"[connectors.{NAME}]", *self.table(port or self.port)])
        served = f'[services]\n{self.service} = "{NAME}"'
        self.settings_file.write_text(f"{more}\n{table}\n{served}\n")

    def know(self, secret: str) -> None:
        """Let the connector know this secret, as an operator rotates it."""
        new = self.secret_file.with_suffix(".new")
        new.write_text(secret + "\n")
        new.chmod(0o600)
        new.replace(self.secret_file)

    def wrong(self) -> None:
        """Let the connector know a wrong secret."""
        self.know(WRONG)

    def right(self) -> None:
        """Let it know the right one."""
        self.know(self.secret)

    def give(self, mc: Command) -> tuple[str, ...]:
        """Wish for the service; returns whose it is, as `status` is told."""
        names = ("--first-names", "Ada", "--last-name", "Love")
        told = ("users", "create", "--upn", UPN, *names, "--password-stdin")
        mc.ok(*told, stdin=PASSWORD.encode() + b"\n")
        level = self.seats[0][1]
        generated = ("--passwords-out", "made.csv") if self.service == "databases" else ()
        mc.ok("provision", UPN, self.service, "--level", level, *generated)
        return (UPN,)

    def made(self, mc: Command) -> tuple[str, str]:
        """Login and password that were generated for a database."""
        with (mc.directory / "made.csv").open(newline="") as file:
            (row,) = csv.DictReader(file)
        return row["login"], row["password"]

    def secrets(self, mc: Command) -> tuple[str, ...]:
        """All secrets of a journey."""
        generated = self.made(mc)[1:] if self.service == "databases" else ()
        return (self.secret, WRONG, PASSWORD, *generated)

    @abstractmethod
    def works(self, mc: Command) -> bool:
        """Whether what was given works at the back end."""

    @abstractmethod
    def count(self, mc: Command) -> int:
        """How many objects there are of what was given."""


class SimulatorSite(Site):
    """The simulator, whose rules play what real servers do."""

    service = "managed-exchange"
    seats = (("email", "popx", 1),)
    secret = "none-of-its-own-5"
    port = 0

    def table(self, port: int) -> list[str]:
        rules = self.directory / "rules.toml"
        if not rules.exists():
            self.play("")
        path = self.directory / "played.db"
        return ['type = "simulator"', f'path = "{path}"', f'rules = "{rules}"', "delay_factor = 0"]

    def play(self, rules: str) -> None:
        """Write the rules, in one step."""
        new = self.directory / "rules.new"
        new.write_text(rules)
        new.replace(self.directory / "rules.toml")

    def wrong(self) -> None:
        rule = '[[rule]]\ncall = "*"\nfail = "auth"\nsaid = "LDAP error 49: invalid credentials"\n'
        self.play(rule)

    def right(self) -> None:
        self.play("")

    def lose_next_answer(self) -> None:
        self.play('[[rule]]\nfail = "transient"\nwhen = "after"\nfail_times = 1\n')

    def works(self, mc: Command) -> bool:
        return self.count(mc) == 1

    def count(self, mc: Command) -> int:
        effects = ledger(self.directory / "played.db")
        return sum(one.effect == "created" for one in effects)


class PostgresSite(Site):
    """Databases on PostgreSQL."""

    service = "databases"
    seats = (("databases", "small", 1),)
    trigger = b"CREATE DATABASE"

    def __init__(self, directory: Path, server: PostgresServer) -> None:
        super().__init__(directory)
        self.server, self.secret, self.port = server, server.password, server.port

    def table(self, port: int) -> list[str]:
        return [
            *('type = "postgresql"', f'host = "{self.server.host}"', f"port = {port}"),
            *('user = "postgres"', f'password_file = "{self.secret_file}"', 'mode = "enabled"'),
        ]

    def works(self, mc: Command) -> bool:
        login, password = self.made(mc)
        psycopg.connect(self.server.dsn(login, user=login, password=password)).close()
        return True

    def count(self, mc: Command) -> int:
        login, _password = self.made(mc)
        counted = (
            "SELECT (SELECT count(*) FROM pg_roles WHERE rolname = %s)"
            " + (SELECT count(*) FROM pg_database WHERE datname = %s) - 1"
        )
        ((found,),) = self.server.execute(counted, (login, login))
        return int(found)


class MariaDBSite(Site):
    """Databases on MariaDB."""

    service = "databases"
    seats = (("databases", "small", 1),)
    trigger = b"CREATE USER"
    secret = mariadb.PASSWORD

    def __init__(self, directory: Path, server: MariaDBServer) -> None:
        super().__init__(directory)
        self.server, self.port = server, server.port

    def table(self, port: int) -> list[str]:
        return [
            *('type = "mysql"', f'host = "{LOOPBACK}"', f"port = {port}"),
            *(f'user = "{self.server.user}"', f'password_file = "{self.secret_file}"'),
            'mode = "enabled"',
        ]

    def works(self, mc: Command) -> bool:
        login, password = self.made(mc)
        try:
            self.server.connect(login, password, database=login).close()
        except pymysql.MySQLError:
            return False
        return True

    def count(self, mc: Command) -> int:
        login, _password = self.made(mc)
        return len(self.server.execute("SELECT 1 FROM mysql.global_priv WHERE User = %s", (login,)))


class PowerDNSSite(Site):
    """Bought domains on PowerDNS."""

    service = "domain-registration"
    trigger = b"POST /"
    secret = powerdns.API_KEY

    def __init__(self, directory: Path, server: PowerDNSServer) -> None:
        super().__init__(directory)
        self.server, self.port = server, server.api_port

    def table(self, port: int) -> list[str]:
        return [
            *('type = "powerdns"', f'url = "http://{LOOPBACK}:{port}"', 'mode = "enabled"'),
            *(f'api_key_file = "{self.secret_file}"', 'name_servers = ["ns1.provider.example"]'),
            "timeout = 2",
            'records = [{ type = "MX", content = ["10 mx.provider.example"] }]',
        ]

    def give(self, mc: Command) -> tuple[str, ...]:
        mc.ok("buy", "domain-names", "--domain", DOMAIN, *REGISTRANT)
        return ("--domain", DOMAIN)

    def works(self, mc: Command) -> bool:
        return self.server.dig(DOMAIN, "MX") == ["10 mx.provider.example."]

    def count(self, mc: Command) -> int:
        return len([one for one in self.server.api("GET", "/zones") if one["name"] == f"{DOMAIN}."])


class MailSite(Site):
    """Mailboxes for Dovecot in a PostgreSQL of their own."""

    service = "managed-exchange"
    seats = (("email", "popx", 1),)
    trigger, after = b"COMMIT", b"INSERT INTO mail_object"
    secret = "Mail-Writers-Own-19"

    def __init__(self, directory: Path, mail: MailServer, postgres: PostgresServer) -> None:
        super().__init__(directory)
        assert isinstance(mail.database, PostgresLogin)
        self.mail, self.postgres, self.login = mail, postgres, mail.database
        self.port = self.login.port
        postgres.execute(f"ALTER ROLE {WRITER} PASSWORD '{self.secret}'")

    def table(self, port: int) -> list[str]:
        return [
            *('type = "mail-sql"', f'host = "{self.login.host}"', f"port = {port}"),
            *(f'user = "{WRITER}"', f'database = "{self.login.database}"'),
            *(f'password_file = "{self.secret_file}"', 'mode = "enabled"'),
        ]

    def works(self, mc: Command) -> bool:
        return not self.mail.why_not(UPN, PASSWORD, "pop")

    def _connected(self) -> psycopg.Connection:
        return psycopg.connect(
            host=self.login.host,
            port=self.login.port,
            dbname=self.login.database,
            user=WRITER,
            password=self.secret,
        )

    def by_hand(self, statement: str) -> None:
        """Change the tables past Mission Control."""
        with self._connected() as connection:
            assert connection.execute(statement.encode()).rowcount

    def count(self, mc: Command) -> int:
        with self._connected() as connection:
            found = connection.execute("SELECT count(*) FROM mail_object WHERE login = %s", (UPN,))
            ((count,),) = found.fetchall()
        return int(count)


@contextmanager
def losing(site: Site) -> Iterator[LosingProxy]:
    """A proxy in front of the site's server that loses the answer to its first act; on a thread of its own."""
    loop, begun = asyncio.new_event_loop(), threading.Event()
    running: list[LosingProxy] = []
    over = asyncio.Event()

    async def run() -> None:
        async with losing_proxy(site.port, site.trigger, after=site.after) as proxy:
            running.append(proxy)
            begun.set()
            await over.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(run(),))
    thread.start()
    assert begun.wait(20)
    try:
        yield running[0]
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join(20)
        loop.close()
