"""Orders whose outcome nobody knows: repeated with the key that they were told, they happen once."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.accounts.test_buying import REGISTRANT
from tests.cli.inprocess import answer, call, ok
from tests.lost_answers import lose_next_answer


@pytest.fixture(autouse=True)
def _account(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MISSION_CONTROL_NO_WORKER", "1")
    monkeypatch.chdir(tmp_path)
    ok("init", "--name", "Acme Pty Ltd", "--code", "acme", "--domain", "acme.example")


def orders() -> list[int]:
    return [order["id"] for order in answer("orders", "list")["orders"]]


def lost(monkeypatch: pytest.MonkeyPatch, *command: str) -> str:
    """The key that a command whose answer got lost has to be repeated with."""
    lose_next_answer(monkeypatch)
    called = call(*command, "--json")
    assert (called.code, called.error["code"]) == (8, "outcome-unknown")
    key = called.error["hint"].rpartition(" ")[2]
    assert f"--idempotency-key {key}" in called.error["hint"]
    return str(key)


def test_every_order_that_is_repeated_with_its_key_happens_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ok("buy", "domain-names", "--domain", "acme.com", *REGISTRANT)
    ok("buy", "email", "--level", "popx", "--quantity", "5")
    keys: dict[tuple[str, ...], str] = {}
    for command in (
        ("buy", "email", "--level", "popx", "--quantity", "2"),
        ("renew", "ACME.com"),
        ("remove", "email", "--level", "popx", "--quantity", "1", "--yes"),
        ("remove", "email", "--yes"),  # all that is left: there is none to find the level by
        ("remove", "domain-names", "--domain", "Acme.COM.", "--yes"),
    ):
        keys[command] = lost(monkeypatch, *command)
        placed = orders()
        again = answer(*command, "--idempotency-key", keys[command])
        assert again["order"]["id"] == placed[0], command
        assert "placed with this key" in str(again["plan"]["warnings"])
        assert orders() == placed, command
    # Another order than the key's is refused, whatever it differs by.
    of_renewal, of_seats = keys["renew", "ACME.com"], [*keys.values()][2]
    for other, key in (
        (("renew", "acme.com", "--term", "24"), of_renewal),
        (("renew", "other.com"), of_renewal),
        (("remove", "email", "--level", "popx", "--quantity", "2", "--yes"), of_seats),
        (("buy", "email", "--level", "popx", "--quantity", "1"), of_seats),
    ):
        refused = call(*other, "--idempotency-key", key, "--json")
        assert (refused.code, refused.error["code"]) == (5, "conflict"), other


def test_another_domain_is_no_repetition_of_the_first() -> None:
    ok("buy", "domain-names", "--domain", "acme.com", *REGISTRANT, "--idempotency-key", "k")
    refused = call(
        *("buy", "domain-names", "--domain", "else.com", *REGISTRANT),
        *("--idempotency-key", "k", "--json"),
    )
    assert (refused.code, refused.error["code"]) == (5, "conflict")


@pytest.mark.parametrize("key", ["", " "])
def test_an_empty_key_orders_nothing(key: str) -> None:
    for command in (
        ("buy", "email", "--level", "popx", "--quantity", "1"),
        ("remove", "email", "--yes"),
        ("renew", "acme.example"),
    ):
        refused = call(*command, "--idempotency-key", key)
        assert refused.code == 2
        assert "empty" in refused.err
    assert orders() == []
