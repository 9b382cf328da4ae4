"""The article's journey by keys in a real terminal, with a domain on PowerDNS and a mailbox on Dovecot for real."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from mission_control_tui.model.accounts.editing import create_account
from mission_control_tui.model.store.database import Store
from tests.mail_server import MailServer
from tests.powerdns import API_KEY, PowerDNSServer
from tests.terminal.test_journey import (
    CALLER,
    PASSWORD,
    _worker_pids,
    buy_mailboxes,
    choose_level,
    console,
    home_from_the_order,
    new_user,
    open_product,
    steps,
)

pytestmark = pytest.mark.proof

DOMAIN = "journey-real.com"
UPN = f"ada@{DOMAIN}"
SETTINGS = """
[connectors.mail]
type = "mail-sql"
path = "{mail}"
mode = "enabled"

[connectors.dns]
type = "powerdns"
url = "{dns}"
api_key_file = "{key}"
name_servers = ["ns1.provider.example", "ns2.provider.example"]
mode = "enabled"

[[connectors.dns.records]]
type = "MX"
content = ["10 mx.provider.example"]

[services]
managed-exchange = "mail"
domain-registration = "dns"
"""


@pytest.fixture
def mail() -> Iterator[MailServer]:
    server = MailServer.start()
    yield server
    server.close()


@pytest.fixture
def dns() -> Iterator[PowerDNSServer]:
    server = PowerDNSServer.start()
    yield server
    server.close()


@pytest.fixture
def database(tmp_path: Path, mail: MailServer, dns: PowerDNSServer) -> Iterator[Path]:
    """An account that has nothing, not even a domain, and settings that lead to both servers."""
    key = tmp_path / "powerdns.secret"
    key.write_text(API_KEY + "\n")
    key.chmod(0o600)
    settings = tmp_path / "config" / "mission-control" / "settings.toml"
    settings.parent.mkdir(parents=True)
    settings.write_text(SETTINGS.format(mail=mail.file, dns=dns.url, key=key))
    path = tmp_path / "journey.db"

    async def make() -> None:
        store = await Store.open(path)
        await create_account(store, CALLER, code="acme", name="Acme Pty Ltd", domains=[])
        await store.close()

    asyncio.run(make())
    yield path
    for pid in asyncio.run(_worker_pids(path)):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
def test_the_whole_journey_ends_in_a_zone_and_a_mailbox(
    database: Path, mail: MailServer, dns: PowerDNSServer, size: tuple[int, int]
) -> None:
    with console(database, size=size) as terminal:
        open_product(terminal, "Domain Names")
        terminal.wait_for(r"\[ BUY \]")
        terminal.press("enter")
        terminal.wait_for("Step 1 of")
        terminal.settle(0.2)
        terminal.press(DOMAIN)
        steps(terminal, "Step 2 of 5: For how long", "Step 3 of 5: Registrant")
        for text in ("Acme Pty Ltd", "rita@acme.example"):
            terminal.press(text, "enter")
        steps(terminal, "Step 4 of 5: Name servers", "Step 5 of 5: Review")
        terminal.press("f7")
        home_from_the_order(terminal, "Order 1")
        buy_mailboxes(terminal)
        new_user(terminal, "ada", DOMAIN)
        assert mail.why_not(UPN, PASSWORD)
        choose_level(terminal, "down")
        terminal.wait_for("» ")
        terminal.wait_for("• Provisioned", 90)
        assert dns.dig(DOMAIN, "NS") == ["ns1.provider.example.", "ns2.provider.example."]
        assert dns.dig(DOMAIN, "MX") == ["10 mx.provider.example."]
        assert mail.why_not(UPN, PASSWORD) == ""
        mail.deliver(UPN, "Welcome")
        assert mail.inbox(UPN, PASSWORD) == ["Welcome"]
        terminal.press("f10")
        assert terminal.wait() == 0
        assert PASSWORD.encode() not in terminal.output
    home = database.parent
    kept = [path for path in home.rglob("*") if path.is_file() and path.suffix != ".secret"]
    for secret in (PASSWORD, API_KEY):
        assert not [path for path in kept if secret.encode() in path.read_bytes()]
