"""A throw-away mail server of the tests' own: Dovecot, and Postfix before it, on loopback with the shipped examples."""

from __future__ import annotations

import contextlib
import imaplib
import os
import poplib
import pwd
import shutil
import signal
import smtplib
import socket
import sqlite3
import subprocess
import tempfile
import time
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from mission_control_tui.provisioning.connectors.mail_sql.setup_files import (
    PORTS,
    PostgresLogin,
    write_setup,
)
from mission_control_tui.provisioning.connectors.mail_sql.tables import schema
from tests.support import LOOPBACK, free_port, missing, require

DOVECOT_LINE = (
    "apt-get install -y dovecot-imapd dovecot-pop3d dovecot-lmtpd dovecot-sqlite dovecot-pgsql"
)
POSTFIX_LINE = (
    "DEBIAN_FRONTEND=noninteractive apt-get install -y postfix postfix-sqlite postfix-pgsql"
)
MAIL_USER = "mail"
_WAIT_SECONDS = 20.0
_FOR_TESTS = """
auth_failure_delay = 0
service anvil {
  unix_listener anvil-auth-penalty {
    mode = 0
  }
}
"""


def mail_database(path: Path) -> Path:
    """A SQLite file with the mail tables."""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.executescript(schema("sqlite"))
    return path


class MailServer:
    """Dovecot, and with `start_postfix` Postfix, that look into one mail database."""

    def __init__(self, directory: Path, database: Path | PostgresLogin) -> None:
        self.directory = directory
        self.ports = {name: free_port() for name in PORTS}
        self.database = database
        self._dovecot: subprocess.Popen[bytes] | None = None
        self._postfix = False
        write_setup(directory, database, user=MAIL_USER, ports=self.ports)
        with (directory / "dovecot.conf").open("a") as configuration:
            configuration.write(_FOR_TESTS)

    @classmethod
    def start(cls, login: PostgresLogin | None = None) -> MailServer:
        """Start Dovecot with a SQLite file of its own, or with the database that `login` names."""
        require("dovecot", DOVECOT_LINE)
        modules = Path("/usr/lib/dovecot/modules")
        if not (modules / f"libdriver_{'pgsql' if login else 'sqlite'}.so").exists():
            missing("Dovecot's SQL driver", DOVECOT_LINE)
        if os.geteuid() != 0:
            pytest.skip(
                "Dovecot and Postfix change users, which only root may: run these tests as root"
            )
        directory = Path(tempfile.mkdtemp(prefix="mcmail-", dir="/tmp"))
        directory.chmod(0o755)
        mail = pwd.getpwnam(MAIL_USER)
        database: Path | PostgresLogin = login or mail_database(directory / "mail.db")
        server = cls(directory, database)
        for name in ("run", "state", "mail"):
            (directory / name).mkdir(mode=0o755)
        for name in (".", "mail", "mail.db"):
            if (directory / name).exists():
                os.chown(directory / name, mail.pw_uid, mail.pw_gid)
        # Who reads SQLite's WAL writes beside it; Postfix has a user of its own.
        directory.chmod(0o777)
        if isinstance(database, Path):
            database.chmod(0o666)
        try:
            server.resume()
        except BaseException:
            server.close()
            raise
        return server

    @property
    def file(self) -> Path:
        """The SQLite file."""
        assert isinstance(self.database, Path)
        return self.database

    def resume(self) -> None:
        """Start Dovecot; returns when it accepts logins."""
        with (self.directory / "out").open("ab") as out:
            self._dovecot = subprocess.Popen(
                ["/usr/sbin/dovecot", "-F", "-c", str(self.directory / "dovecot.conf")],
                stdout=out,
                stderr=out,
                start_new_session=True,
            )
        self._wait_for("IMAP")
        self._wait_for("LMTP")

    def stop(self) -> None:
        """Stop Dovecot, and wait until it has ended."""
        if self._dovecot is not None:
            _end(self._dovecot.pid, self._dovecot.wait)
        self._dovecot = None

    def start_postfix(self) -> None:
        """Start Postfix before Dovecot; returns when it answers."""
        require("postfix", POSTFIX_LINE)
        if not Path("/usr/lib/postfix/postfix-sqlite.so").exists():
            missing("Postfix's SQL maps", POSTFIX_LINE)
        for name in ("queue", "postfix-data"):
            (self.directory / name).mkdir(mode=0o755, exist_ok=True)
        postfix = pwd.getpwnam("postfix")
        os.chown(self.directory / "postfix-data", postfix.pw_uid, postfix.pw_gid)
        self._postfix = True
        self._run_postfix("start")
        self._wait_for("SMTP")

    def close(self) -> None:
        """Stop both servers and remove all that they kept."""
        if self._postfix:
            pid = (self.directory / "queue" / "pid" / "master.pid").read_text().strip()
            master = psutil.Process(int(pid))
            _end(master.pid, master.wait)
        self.stop()
        shutil.rmtree(self.directory, ignore_errors=True)

    def postmap(self, which: str, key: str) -> list[str]:
        """What Postfix finds in one of its maps."""
        require("postmap", POSTFIX_LINE)
        kind = "sqlite" if isinstance(self.database, Path) else "pgsql"
        found = subprocess.run(
            [
                *("/usr/sbin/postmap", "-c", str(self.directory), "-q", key),
                f"{kind}:{self.directory}/postfix-{which}.cf",
            ],
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        assert not found.stderr, found.stderr
        return sorted(filter(None, found.stdout.strip().split(",")))

    def imap(self, login: str, password: str, *, web: bool = False) -> imaplib.IMAP4:
        """Log in by IMAP, or as webmail does; raises imaplib.IMAP4.error with the server's words."""
        client = imaplib.IMAP4(LOOPBACK, self.ports["WEB" if web else "IMAP"], timeout=20)
        words = f"\0{login}\0{password}".encode()
        try:
            client.authenticate("PLAIN", lambda _: words)
        except BaseException:
            client.shutdown()
            raise
        return client

    def why_not(self, login: str, password: str, protocol: str = "imap") -> str:
        """Why a login is refused, in the server's words; "" when it is let in."""
        try:
            if protocol == "pop":
                client = poplib.POP3(LOOPBACK, self.ports["POP"], timeout=20)
                try:
                    client.user(login)
                    client.pass_(password)
                finally:
                    client.close()
            elif protocol == "smtp":
                with smtplib.SMTP(LOOPBACK, self.ports["SMTP"], timeout=20) as smtp:
                    smtp_login(smtp, login, password)
            else:
                self.imap(login, password, web=protocol == "web").logout()
        except (
            imaplib.IMAP4.error,
            poplib.error_proto,
            smtplib.SMTPAuthenticationError,
        ) as refused:
            return str(refused) or "refused"
        return ""

    def deliver(self, recipient: str, subject: str, *, by: str = "LMTP") -> None:
        """Send a message by LMTP to Dovecot, or by SMTP through Postfix; raises SMTPRecipientsRefused."""
        kind: Callable[..., smtplib.SMTP] = smtplib.LMTP if by == "LMTP" else smtplib.SMTP
        with kind(LOOPBACK, self.ports[by]) as client:
            client.sendmail(
                "sender@elsewhere.example",
                [recipient],
                f"From: sender@elsewhere.example\r\nTo: {recipient}\r\nSubject: {subject}\r\n\r\nHello\r\n",
            )

    def inbox(self, login: str, password: str) -> list[str]:
        """The subjects in the inbox."""
        client = self.imap(login, password)
        client.select("INBOX", readonly=True)
        _, numbers = client.search(None, "ALL")
        subjects = []
        for number in numbers[0].split():
            _, parts = client.fetch(number, "(BODY[HEADER.FIELDS (SUBJECT)])")
            subjects.append(parts[0][1].decode().partition(":")[2].strip())  # type: ignore[index,union-attr]
        client.logout()
        return subjects

    def arrived(self, login: str, password: str, subject: str) -> bool:
        """Wait until a message is in the inbox."""
        deadline = time.monotonic() + _WAIT_SECONDS
        while subject not in self.inbox(login, password):
            if time.monotonic() > deadline:
                return False
            time.sleep(0.1)
        return True

    def _run_postfix(self, *words: str) -> None:
        done = subprocess.run(
            ["/usr/sbin/postfix", "-c", str(self.directory), *words],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr

    def _wait_for(self, port: str) -> None:
        deadline = time.monotonic() + _WAIT_SECONDS
        while True:
            with contextlib.suppress(OSError):
                socket.create_connection((LOOPBACK, self.ports[port]), timeout=1).close()
                return
            if time.monotonic() > deadline:
                log = self.directory / ("postfix.log" if port == "SMTP" else "dovecot.log")
                words = log.read_text()[-2000:] if log.exists() else ""
                raise RuntimeError(
                    f"{port} does not answer: {words}{(self.directory / 'out').read_text()}"
                )
            time.sleep(0.05)


def smtp_login(client: smtplib.SMTP, login: str, password: str) -> None:
    """Log in with a password of any letters, which smtplib takes in ASCII only."""
    client.ehlo()
    words = b64encode(f"\0{login}\0{password}".encode()).decode()
    code, said = client.docmd("AUTH", f"PLAIN {words}")
    if code != 235:
        raise smtplib.SMTPAuthenticationError(code, said)


def _end(pid: int, wait: Callable[..., object]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)
    try:
        wait(timeout=5)
    except (subprocess.TimeoutExpired, psutil.TimeoutExpired):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        wait(timeout=5)
