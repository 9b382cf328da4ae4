"""Every connector in the hands of an operator: wrong credentials, an answer that is lost, a server that is away.

With MC_PROOF=2 the mail server is away for ten minutes: `-k ten_minutes` alone runs that.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests import real_sites
from tests.cli.command import Command
from tests.mail_server import MailServer
from tests.mariadb import PASSWORD as MARIADB_PASSWORD
from tests.mariadb import MariaDBServer
from tests.postgres import PostgresServer
from tests.powerdns import PowerDNSServer
from tests.provisioning.connectors.mail_sql import make_database
from tests.real_sites import (
    NAME,
    UPN,
    MailSite,
    MariaDBSite,
    PostgresSite,
    PowerDNSSite,
    SimulatorSite,
    Site,
    losing,
)
from tests.support import proof_factor

pytestmark = pytest.mark.proof

AWAY_SECONDS = 600.0 if proof_factor() > 1 else 6.0
SITES = ("simulator", "postgresql", "mysql", "powerdns", "mail-sql")


@contextlib.contextmanager
def _mail(server: PostgresServer) -> Iterator[MailServer]:
    login = make_database(server)
    mail = MailServer.start(login)
    try:
        yield mail
    finally:
        mail.close()


@pytest.fixture
def site(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Site]:
    """One back end with its server, and settings that lead to it."""
    found: Site
    with contextlib.ExitStack() as stack:
        match request.param:
            case "simulator":
                found = SimulatorSite(tmp_path)
            case "postgresql":
                found = PostgresSite(tmp_path, stack.enter_context(PostgresServer.start()))
            case "mysql":
                maria = MariaDBServer.start()
                stack.callback(maria.close)
                _let_provision(maria)
                found = MariaDBSite(tmp_path, maria)
            case "powerdns":
                dns = PowerDNSServer.start()
                stack.callback(dns.close)
                found = PowerDNSSite(tmp_path, dns)
            case _:
                postgres = stack.enter_context(PostgresServer.start())
                found = MailSite(tmp_path, stack.enter_context(_mail(postgres)), postgres)
        monkeypatch.setenv("MISSION_CONTROL_SETTINGS", str(found.settings_file))
        monkeypatch.setenv("MISSION_CONTROL_NO_WORKER", "1")
        found.configure()
        found.right()
        yield found


def _let_provision(server: MariaDBServer) -> None:
    grant = "GRANT ALL ON *.* TO %s@'%%' IDENTIFIED BY %s WITH GRANT OPTION"
    server.execute(grant, (server.user, MARIADB_PASSWORD))


class Desk:
    """The command, all that it printed, and a worker in a process of its own."""

    def __init__(self, mc: Command) -> None:
        self.mc = mc
        self.printed = ""
        self.arguments: set[str] = set()

    def run(self, *words: str) -> tuple[int, str]:
        """A call, with all that it printed."""
        done = self.mc.run(*words)
        self.printed += done.out + done.err
        return done.code, done.out + done.err

    def row(self, of: tuple[str, ...], service: str) -> dict[str, Any]:
        """The service of a subject as `status --json` has it."""
        row: dict[str, Any]
        (row,) = [r for r in self.mc.json("status", *of)["services"] if r["service"] == service]
        return row

    def until(self, done: Callable[[], bool], seconds: float = 90.0) -> None:
        """Wait, noting the arguments of every process of this test meanwhile."""
        deadline = time.monotonic() + seconds
        while not done():
            assert time.monotonic() < deadline, self.story()
            self.see()
            time.sleep(0.1)

    def story(self) -> str:
        """What is known, for the message of a failing test."""
        newest = self.mc.json("requests", "list")["requests"][0]["id"]
        return self.run("requests", "show", str(newest))[1]

    def green(self, of: tuple[str, ...], site: Site, seconds: float = 90.0) -> None:
        """Wait for the green light."""
        self.until(lambda: self.row(of, site.service)["light"] == "green", seconds)

    def see(self) -> None:
        for process in psutil.Process().children(recursive=True):
            with contextlib.suppress(psutil.Error):
                words = process.cmdline()
                if words and not words[0].endswith("pdns_server"):  # the test's own server
                    self.arguments.add(" ".join(words))

    @contextlib.contextmanager
    def worker(self) -> Iterator[None]:
        log = self.mc.directory / "worker.log"
        with self.mc.start("worker") as process:
            try:
                yield
            finally:
                process.terminate()
                told, said = process.communicate(timeout=30)
                log.write_bytes(told + said)

    def looks_everywhere(self, of: tuple[str, ...], request: int) -> None:
        """Print whatever an operator can look at."""
        for words in (
            ("status", *of, "--json"),
            ("requests", "show", str(request), "--json"),
            ("requests", "list", "--json"),
            ("audit", "--json"),
            ("connectors", "list"),
            ("connectors", "show", NAME, "--json"),
            ("connectors", "check", "--json"),
            ("doctor", "--json"),
            ("drift", "--orphans", "--json"),
            ("bulk", "list", "--json"),
        ):
            self.run(*words)

    def keeps(self, secrets: tuple[str, ...], site: Site) -> None:
        """Assert that no secret was printed, given as an argument, or written to any file but its own."""
        own = {site.secret_file, self.mc.directory / "made.csv"}
        places = {self.mc.directory.parent, site.directory}
        files = [
            path
            for place in places
            for path in place.rglob("*")
            if path.is_file() and path not in own
        ]
        assert len(files) > 3
        for secret in secrets:
            assert secret not in self.printed
            assert not [words for words in self.arguments if secret in words]
            assert not [path for path in files if secret.encode() in path.read_bytes()]


@pytest.fixture
def desk(inside: Command) -> Desk:
    return Desk(inside)


def paused(desk: Desk, of: tuple[str, ...], site: Site) -> dict[str, Any] | None:
    """The row, once it waits for its connector."""
    row = desk.row(of, site.service)
    assert row["light"] == "orange", row
    return row if f"Waits for connector {NAME}" in (row["step"] or "") else None


@pytest.mark.parametrize("site", SITES, indirect=True)
def test_wrong_credentials_pause_say_what_to_do_and_heal_by_themselves(
    desk: Desk, site: Site
) -> None:
    desk.mc.init(*site.seats)
    site.wrong()
    with desk.worker():
        of = site.give(desk.mc)
        desk.until(lambda: paused(desk, of, site) is not None)
        code, checked = desk.run("connectors", "check", NAME)
        assert (code, NAME in checked) == (1, True)
        code, told = desk.run("doctor")
        assert code == 1
        assert NAME in told
        request = desk.row(of, site.service)["request"]
        shown = desk.run("requests", "show", str(request))[1]
        assert f"Connector {NAME} is paused: " in shown
        assert f"mission-control connectors show {NAME}" in shown
        if not isinstance(site, SimulatorSite):
            assert "What to do: " in shown
        assert f"mission-control connectors show {NAME}" in desk.run("status", *of)[1]
        desk.looks_everywhere(of, request)
        site.right()
        desk.green(of, site)
        desk.looks_everywhere(of, request)
    assert site.works(desk.mc)
    assert site.count(desk.mc) == 1
    desk.keeps(site.secrets(desk.mc), site)


@pytest.mark.parametrize("site", SITES, indirect=True)
def test_an_answer_lost_after_the_act_ends_in_exactly_one_object(desk: Desk, site: Site) -> None:
    desk.mc.init(*site.seats)
    with contextlib.ExitStack() as stack:
        proxy = None
        if isinstance(site, SimulatorSite):
            site.lose_next_answer()
        else:
            proxy = stack.enter_context(losing(site))
            site.configure(proxy.port)
        stack.enter_context(desk.worker())
        of = site.give(desk.mc)
        desk.green(of, site)
        assert proxy is None or proxy.lost == 1
        request = desk.mc.json("requests", "list")["requests"][0]["id"]
        events = desk.mc.json("requests", "show", str(request))["events"]
        assert any(event["kind"] in ("error", "waits", "retry") for event in events), events
    assert site.count(desk.mc) == 1
    assert site.works(desk.mc)


@pytest.mark.parametrize("site", ["mail-sql"], indirect=True)
@pytest.mark.timeout(AWAY_SECONDS + 300)
def test_a_mail_server_away_for_ten_minutes_is_orange_and_then_green_by_itself(
    desk: Desk, site: MailSite
) -> None:
    desk.mc.init(("email", "popx", 2))
    site.configure(more="" if proof_factor() > 1 else real_sites.WORKER)
    with desk.worker():
        of = site.give(desk.mc)
        desk.green(of, site)
        assert site.works(desk.mc)
        site.mail.stop()
        site.postgres.stop()
        bob = desk.mc.user("bob")
        desk.mc.ok("provision", bob, site.service, "--level", "popx")
        desk.mc.ok("suspend", UPN, site.service)
        desk.until(lambda: paused(desk, (bob,), site) is not None)
        until = time.monotonic() + AWAY_SECONDS
        while time.monotonic() < until:
            for who in ((bob,), of):
                row = desk.row(who, site.service)
                assert (row["light"], row["step"][:9]) == ("orange", "Waits for"), row
            time.sleep(min(5.0, AWAY_SECONDS / 4))
        assert f"Connector {NAME} is paused: " in desk.run("status", bob)[1]
        site.postgres.resume()
        site.mail.resume()
        for who in ((bob,), of):
            desk.green(who, site, 180)
    assert "Account suspended" in site.mail.why_not(UPN, real_sites.PASSWORD, "pop")
    assert site.mail.why_not(bob, "Correct-Horse-7", "pop") == ""
    for request in desk.mc.json("requests", "list")["requests"]:
        assert (request["state"], request["failures"]) == ("succeeded", 0)


@pytest.mark.parametrize("site", ["mail-sql", "powerdns"], indirect=True)
def test_drift_by_hand_is_found_shown_and_mended(desk: Desk, site: Site) -> None:
    desk.mc.init(*site.seats)
    with desk.worker():
        of = site.give(desk.mc)
        desk.green(of, site)
        where = of if of[0] == "--domain" else (UPN,)
        assert desk.run("drift", *where)[0] == 0
        if isinstance(site, PowerDNSSite):
            site.server.set(real_sites.DOMAIN, "@", "MX", ["1 mx.evil.example."])
        else:
            assert isinstance(site, MailSite)
            site.by_hand(f"UPDATE mail_object SET protocols = 'imap' WHERE login = '{UPN}'")
        assert not site.works(desk.mc)
        code, told = desk.run("drift", *where)
        assert code == 13
        assert ("mx.evil.example" if isinstance(site, PowerDNSSite) else "imap") in told
        assert desk.row(of, site.service)["drift"] is True
        level = () if of[0] == "--domain" else ("--level", "popx")
        desk.mc.ok("provision", *of, site.service, *level)
        desk.green(of, site)
        assert desk.run("drift", *where)[0] == 0
    assert site.works(desk.mc)
