"""`renew`, `account auto-renew`, and where the end of a term is said; a mistaken order is credited by command."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mission_control_tui.settings.settings import locations
from tests.cli.accounts.test_buying import REGISTRANT
from tests.cli.inprocess import answer, call, ok


@pytest.fixture(autouse=True)
def _account(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MISSION_CONTROL_NO_WORKER", "1")
    monkeypatch.chdir(tmp_path)
    ok("init", "--name", "Acme Pty Ltd", "--code", "acme", "--domain", "acme.example")


def age(days: int) -> None:
    """The bought domain is registered, and so many days old."""
    at = datetime.now(UTC).replace(tzinfo=None) - timedelta(days=days)
    with closing(sqlite3.connect(locations().database)) as database:
        database.execute("UPDATE domains SET added_at = ? WHERE bought", (f"{at}",))
        database.execute("UPDATE assignments SET light = 'green', word = 'Provisioned'")
        database.commit()


def doctor() -> list[dict[str, str]]:
    checks = call("doctor", "--json").json["checks"]
    return [check for check in checks if check["check"] == "domains"]


def test_a_domain_is_renewed_and_its_end_is_said_everywhere() -> None:
    ok("buy", "domain-names", "--domain", "acme.com", *REGISTRANT)
    age(10)
    assert [check["level"] for check in doctor()] == ["ok"]
    age(365 - 20)
    (found,) = doctor()
    assert "acme.com: its term ends on" in found["said"]
    assert "renews itself" in found["said"]
    assert "its term ends on" in ok("account", "show").err
    ok("account", "auto-renew", "acme.com", "off")
    assert "by hand" in ok("account", "domains").out
    age(365 + 3)
    (found,) = doctor()
    assert found["level"] == "warning"
    assert found["remedy"].endswith("mission-control --account acme renew acme.com")
    assert "Term is over" in ok("account", "show").out
    status = answer("status")["services"]
    assert [one["light"] for one in status if one["subject"] == "acme.com"] == ["red"]
    assert answer("account", "show")["expiring"][0]["urgency"] == "over"
    assert answer("account", "show")["lights"]["red"] == 1
    retried = ok("requests", "retry", "--all-red", "--dry-run").out
    assert "0 would be queued again." in retried
    assert "acme.com is past its term, which no retry mends" in retried
    assert "mission-control renew acme.com" in retried
    assert answer("requests", "retry", "--all-red")["past_term"] == ["acme.com"]

    tried = answer("renew", "acme.com", "--term", "24", "--dry-run")
    assert (tried["applied"], tried["plan"]["total"]["minor"]) == (False, 3850)
    order = answer("renew", "acme.com", "--term", "24")["order"]
    assert (order["kind"], order["state"]) == ("renewal", "complete")
    assert [check["level"] for check in doctor()] == ["ok"]
    assert call("renew", "acme.example").code == 5
    assert call("renew", "acme.com", "--term", "7").code == 3
    assert call("renew", "nosuch.com").code == 4


def test_a_mistaken_order_is_credited_and_needs_a_reason() -> None:
    ok("buy", "email", "--level", "popx", "--quantity", "200")
    refused = call("orders", "cancel", "1", "--yes")
    assert refused.code == 3
    assert "--no-credit" in refused.err
    tried = answer("orders", "cancel", "1", "--yes", "--reason", "200 for 20", "--dry-run")
    assert tried["plan"]["total"]["minor"] == -66000
    ok("orders", "cancel", "1", "--yes", "--reason", "200 for 20")
    statement = answer("account", "statement")
    text = ok("account", "statement").out
    assert "taken back (200 for 20)" in text
    assert "AUD 0.00" in text
    assert "credit" in str(statement)


def test_a_downgrade_asks_and_yes_answers() -> None:
    for level in ("popx", "pc-web"):
        ok("buy", "email", "--level", level)
    secret = "Kp7m-xR4w-9fTc\n"
    names = ("--first-names", "Ada", "--last-name", "L", "--password-stdin")
    ok("users", "create", "--upn", "ada@acme.example", *names, stdin=secret)
    give = ("provision", "ada@acme.example", "managed-exchange", "--level")
    ok(*give, "pc-web")
    refused = call(*give, "popx")
    assert refused.code == 7
    assert "Mailbox quota: 51200 MB -> 5120 MB" in refused.err
    assert "--yes" in refused.err
    assert answer(*give, "popx", "--dry-run")["plan"]["lost"]
    Path("l.txt").write_text("ada@acme.example\n")
    many = ("provision", "managed-exchange", "--level", "popx", "--users-from", "l.txt")
    assert call(*many).code == 7
    later = ("schedule", "add", "ada@acme.example", "+2h", "provision", "managed-exchange")
    assert call(*later, "--level", "popx").code == 7
    ok(*later, "--level", "popx", "--yes")
    assert call(*give, "popx", stdin="n\n", terminal=True).code == 7
    ok(*give, "popx", stdin="y\n", terminal=True)
    ok(*give, "pc-web")
