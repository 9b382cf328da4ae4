"""The article's journey with every service on a real server: bought, given, changed, stopped, suspended, taken back.

By keys in the real terminal where the article has keys, by commands otherwise. What is given is proven past Mission
Control: by binds, logins, questions to name servers and web servers, and sessions of databases.
"""

from __future__ import annotations

import csv
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pymysql
import pytest

from tests import samba
from tests.mail_server import MailServer
from tests.provisioning.connectors.ad import LARGE, SMALL
from tests.terminal.pty import Terminal
from tests.terminal.test_journey import buy_mailboxes
from tests.whole_site import COMMAND, WholeSite

pytestmark = pytest.mark.proof

PAGE = Path(__file__).parents[2] / "docs" / "real-servers.md"
PEOPLE = ("ann", "ben", "cat", "dan", "eva", "fay")
EXCHANGE = "managed-exchange"
MICROSOFT = (
    "Username,First name,Last name,Display name,Job title,Department,Office number,Office phone,Mobile phone,Fax,"
    "Alternate email address,Address,City,State or province,ZIP or postal code,Country or region"
)
REGISTRANT = (
    *("--set", "registrant-name=Acme Pty Ltd", "--set", "registrant-email=it@acme.example"),
    *("--set", "registrant-country=AU"),
)


def upn(name: str) -> str:
    return f"{name}@acme.example"


@pytest.fixture
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WholeSite]:
    """All servers, the account acme, and the people from a file in Microsoft's format."""
    directory = tmp_path_factory.mktemp("site")
    site = WholeSite.start(directory, samba.shared_directory(tmp_path_factory))
    try:
        site.configure()
        site.sell()
        rows = [
            f"{upn(name)},{name.title()},Lee,{name.title()} Lee,,Sales{',' * 10}Australia"
            for name in PEOPLE
        ]
        (directory / "microsoft.csv").write_text("\n".join([MICROSOFT, *rows]) + "\n")
        passwords = str(directory / "passwords.csv")
        site.run("users", "import", str(directory / "microsoft.csv"), "--passwords-out", passwords)
        yield site
    finally:
        site.end_worker()
        site.close()


def password(site: WholeSite, name: str) -> str:
    return site.password_of("passwords.csv", upn(name))


def mailbox_server(site: WholeSite, name: str) -> MailServer:
    """The mail server that a user's mailbox is on."""
    (light,) = [one for one in site.lights(upn(name)) if one["service"] == EXCHANGE]
    number = str(light["connector"]).removeprefix("exchange-")
    return site.mail[f"mail-{number}"]


def may_log_in(site: WholeSite, name: str) -> tuple[bool, bool, bool]:
    """Whether somebody is let in by the directory, by POP and by IMAP."""
    secret, mail = password(site, name), mailbox_server(site, name)
    return (
        site.domain.can_log_in(upn(name), secret),
        not mail.why_not(upn(name), secret, "pop"),
        not mail.why_not(upn(name), secret),
    )


def groups(site: WholeSite, name: str) -> list[str]:
    entry = site.domain.user(f"acme_{name}") or {}
    return [group.decode() for group in entry.get("memberOf", [])]


@contextmanager
def stopped(server: Any) -> Iterator[None]:
    """A server that is down meanwhile."""
    server.stop()
    try:
        yield
    finally:
        server.resume()


def eventually(found: Callable[[], object], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not found():
        assert time.monotonic() < deadline
        time.sleep(0.3)


def made(site: WholeSite, file: str) -> tuple[str, str]:
    with (site.directory / file).open(newline="") as table:
        (row,) = csv.DictReader(table)
    return row["login"], row["password"]


def follow_the_page(site: WholeSite) -> None:
    """Do what docs/real-servers.md says, word by word."""
    blocks = re.findall(r"<!-- run: real-servers -->\n```sh\n(.*?)```", PAGE.read_text(), re.DOTALL)
    script = "set -e\n" + "".join(blocks).replace("~/try-real", str(site.directory))
    own = site.directory / "page"
    own.mkdir()
    ran = subprocess.run(
        ["bash", "-c", script],
        cwd=own,
        env=site.environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    proofs = ran.stdout[ran.stdout.rindex("10 mx.provider.example.") :]
    assert "INBOX" in proofs
    assert "try.acme.example is being built" in proofs
    assert proofs.endswith("503\n")


def buy_a_domain(site: WholeSite) -> None:
    with stopped(site.dns):
        site.run("buy", "domain-names", "--domain", "acme-real.com", *REGISTRANT, "--yes")
        site.wait_until_told("--domain", "acme-real.com", says="dns")
    site.wait_for("--domain", "acme-real.com", light="green")
    assert site.dns.dig("acme-real.com", "MX") == ["10 mx.provider.example."]


def buy_seats_by_keys(site: WholeSite) -> None:
    with Terminal([sys.executable, "-m", COMMAND], size=(80, 24), env=site.environment) as terminal:
        buy_mailboxes(terminal)
        terminal.press("f10")
        assert terminal.wait() == 0


def give_mailboxes(site: WholeSite) -> None:
    """Two levels, spread over three mail servers by the rule, half of them while their database is down."""
    site.run("buy", "email", "--level", "pc-web", "--quantity", "6", "--yes")
    site.run("buy", "email", "--level", "popx", "--quantity", "6", "--yes")
    for name, level in (("ann", "pc-web"), ("dan", "popx"), ("ben", "pc-web")):
        site.run("provision", upn(name), EXCHANGE, "--level", level, "--wait", "90")
    with stopped(site.mail_database):
        for name, level in (("eva", "popx"), ("cat", "pc-web"), ("fay", "popx")):
            site.run("provision", upn(name), EXCHANGE, "--level", level)
        site.wait_until_told(upn("eva"), says="mailbox (mail-")
        assert groups(site, "eva") == [SMALL]
    for name in ("eva", "cat", "fay"):
        site.wait_for(upn(name), light="green")
    for name in ("ann", "ben", "cat"):
        assert may_log_in(site, name) == (True, False, True)
        assert groups(site, name) == [LARGE]
    for name in ("dan", "eva", "fay"):
        assert may_log_in(site, name) == (True, True, False)
        assert groups(site, name) == [SMALL]
    placed = [mailbox_server(site, name).directory for name in PEOPLE]
    assert sorted(placed.count(each.directory) for each in site.mail.values()) == [2, 2, 2]
    mailbox_server(site, "ann").deliver(upn("ann"), "Welcome")
    assert mailbox_server(site, "ann").inbox(upn("ann"), password(site, "ann")) == ["Welcome"]


def give_a_web_site(site: WholeSite) -> None:
    site.run("buy", "web-hosting", "--level", "starter", "--domain", "acme.example", "--yes")
    told = ("web-hosting", "--level", "starter", "--set", "domain=www.acme.example")
    with stopped(site.web):
        site.run("provision", upn("ann"), *told)
        site.wait_until_told(upn("ann"), says="nginx does not answer")
    site.wait_for(upn("ann"), light="green")
    assert site.web.get("www.acme.example")[0] == 200
    # No password goes with it, so the one for the mailbox stays.
    assert may_log_in(site, "ann") == (True, False, True)


def give_databases(site: WholeSite) -> None:
    for level, service, server in (
        ("small", "databases", site.postgres),
        ("mariadb-small", "mariadb-databases", site.mariadb),
    ):
        site.run("buy", "databases", "--level", level, "--yes")
        out = ("--passwords-out", str(site.directory / f"{service}.csv"))
        with stopped(server):
            site.run("provision", upn("ben"), service, "--level", "small", *out)
            site.wait_until_told(upn("ben"), says="connector")
    site.wait_for(upn("ben"), light="green")
    login, secret = made(site, "databases.csv")
    psycopg.connect(site.postgres.dsn(login, user=login, password=secret)).close()
    login, secret = made(site, "mariadb-databases.csv")
    site.mariadb.connect(login, secret, database=login).close()
    with pytest.raises(pymysql.MySQLError):
        site.mariadb.connect(login, "another", database=login)


def change_a_level(site: WholeSite) -> None:
    """The directory is down meanwhile: the mailbox waits for it, and nothing is done twice afterwards."""
    with stopped(site.domain):
        site.run("provision", upn("dan"), EXCHANGE, "--level", "pc-web")
        site.wait_until_told(upn("dan"), says="directory (directory)")
    site.wait_for(upn("dan"), light="green")
    assert may_log_in(site, "dan") == (True, False, True)
    assert groups(site, "dan") == [LARGE]


def suspend_and_resume(site: WholeSite) -> None:
    site.run("suspend", upn("ann"), EXCHANGE, "--wait", "90")
    site.run("suspend", upn("ann"), "web-hosting", "--wait", "90")
    assert may_log_in(site, "ann") == (False, False, False)
    assert site.web.get("www.acme.example")[0] == 503
    site.run("resume", upn("ann"), EXCHANGE, "--wait", "90")
    site.run("resume", upn("ann"), "web-hosting", "--wait", "90")
    assert may_log_in(site, "ann") == (True, False, True)
    assert site.web.get("www.acme.example")[0] == 200


def move_a_mailbox(site: WholeSite) -> None:
    before = mailbox_server(site, "ben")
    (light,) = [one for one in site.lights(upn("ben")) if one["service"] == EXCHANGE]
    target = next(name for name in ("exchange-1", "exchange-2") if name != light["connector"])
    new = ("--reset-password", "--passwords-out", str(site.directory / "moved.csv"))
    site.run("move", upn("ben"), EXCHANGE, "--to", target, *new, "--yes", "--wait", "90")
    after = mailbox_server(site, "ben")
    assert after is not before
    secret = site.password_of("moved.csv", upn("ben"))
    assert site.domain.can_log_in(upn("ben"), secret)
    assert after.why_not(upn("ben"), secret) == ""
    eventually(lambda: before.why_not(upn("ben"), password(site, "ben")))
    assert site.domain.can_log_in(upn("ben"), secret)


def take_back_and_restore(site: WholeSite) -> None:
    mail = mailbox_server(site, "fay")
    site.run("deprovision", upn("fay"), EXCHANGE, "--yes", "--wait", "90")
    assert not site.domain.can_log_in(upn("fay"), password(site, "fay"))
    assert mail.why_not(upn("fay"), password(site, "fay"), "pop")
    site.run("users", "delete", upn("fay"), "--yes")
    site.run("users", "restore", upn("fay"))
    again = "Once-More-Unto-7"
    site.run("users", "password", upn("fay"), "--password-stdin", stdin=again + "\n")
    site.run("provision", upn("fay"), EXCHANGE, "--level", "popx", "--wait", "90")
    assert site.domain.can_log_in(upn("fay"), again)


def nothing_is_told(site: WholeSite) -> None:
    """No password, no secret of a server in anything that Mission Control has written but what was asked for."""
    secrets = [password(site, name) for name in PEOPLE] + list(site.secrets.values())
    asked = {".csv", ".secret"}
    for file in site.directory.rglob("*"):
        if file.is_file() and file.suffix not in asked:
            content = file.read_bytes()
            for secret in secrets:
                assert len(secret) < 8 or secret.encode() not in content, file


def test_everything_that_is_sold_is_real(site: WholeSite) -> None:
    follow_the_page(site)
    buy_a_domain(site)
    buy_seats_by_keys(site)
    give_mailboxes(site)
    give_a_web_site(site)
    give_databases(site)
    change_a_level(site)
    suspend_and_resume(site)
    move_a_mailbox(site)
    take_back_and_restore(site)
    nothing_is_told(site)
