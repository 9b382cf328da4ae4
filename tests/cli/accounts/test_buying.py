"""`services`, `buy`, `remove`, `orders`."""

from __future__ import annotations

import pytest

from tests.cli.inprocess import answer, call, ok

REGISTRANT = (
    *("--set", "registrant-name=Acme Pty Ltd", "--set", "registrant-email=dns@acme.example"),
    *("--set", "registrant-country=AU"),
)
"""What every domain name asks for."""


@pytest.fixture(autouse=True)
def _account(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MISSION_CONTROL_NO_WORKER", "1")
    ok("init", "--name", "Acme", "--code", "acme", "--domain", "acme.example")


def seats() -> dict[str, tuple[int, int, int, int]]:
    return {
        one["level_id"]: (one["owned"], one["used"], one["queued"], one["free"])
        for one in answer("services", "list")["seats"]
    }


def test_dry_run_prints_money_and_seats_and_changes_nothing() -> None:
    call_ = ("buy", "Email", "--level", "Standard Mail (POPX)", "--quantity", "5", "--dry-run")
    text = ok(*call_).out
    assert "net        AUD 15.00" in text
    assert "tax        AUD 1.50" in text
    assert "total      AUD 16.50" in text
    assert "managed-exchange popx: owned 0 -> 5, free 0 -> 5" in text
    plan = answer(*call_)
    assert plan["applied"] is False
    assert plan["plan"]["total"] == {"minor": 1650, "currency": "AUD"}
    assert seats() == {}
    assert answer("orders", "list")["orders"] == []
    assert len(answer("audit")["entries"]) == 2


def test_buying_twice_adds_up() -> None:
    ok("buy", "email", "--level", "popx", "--quantity", "5", "--term", "12", "--ticket", "T-7")
    ok("buy", "email", "--level", "popx")
    assert seats() == {"popx": (6, 0, 0, 6)}
    orders = answer("orders", "list")["orders"]
    assert [one["id"] for one in orders] == [2, 1]
    assert orders[1]["ticket"] == "T-7"
    assert answer("orders", "show", "1")["order"] == orders[1]
    assert "5 x Email: Standard Mail (POPX), 1 year" in ok("orders", "show", "1").out
    assert call("orders", "show", "99").code == 4


def test_queued_seats_are_counted_apart() -> None:
    ok("buy", "email", "--level", "popx", "--quantity", "3")
    ok(
        *("users", "create", "--upn", "ada@acme.example", "--first-names", "Ada"),
        *("--last-name", "Lovelace", "--password-stdin"),
        stdin="Correct-Horse-7\n",
    )
    ok("provision", "ada@acme.example", "managed-exchange", "--level", "popx")
    assert seats() == {"popx": (3, 0, 1, 2)}
    line = ok("services", "list").out.splitlines()[1]
    assert line.split()[:6] == ["managed-exchange", "popx", "3", "0", "1", "2"]


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("nosuch",), 4, "There are: "),
        (("email",), 3, "level"),
        (("email", "--level", "popx", "--quantity", "0"), 3, "quantity"),
        (("email", "--level", "popx", "--term", "7"), 3, "term"),
        (("email", "--level", "popx", "--set", "colour"), 3, "FIELD=VALUE"),
        (("email", "--level", "popx", "--set", "a=1", "--set", "a=2"), 3, "twice"),
        (("email", "--level", "popx", "--set", "colour=red"), 3, "colour"),
        (("web-hosting", "--level", "starter"), 3, "domain"),
        (("email", "--level", "popx", "--quantity", "many"), 2, "many"),
    ],
)
def test_what_cannot_be_bought(arguments: tuple[str, ...], code: int, words: str) -> None:
    refused = call("buy", *arguments)
    assert refused.code == code
    assert words in refused.err
    assert refused.out == ""
    assert answer("orders", "list")["orders"] == []


def test_all_mistakes_of_a_domain_at_once() -> None:
    refused = call("buy", "domain-names", "--domain", "acme.com.au", "--json")
    assert refused.code == 3
    where = {one["where"] for one in refused.error["problems"]}
    assert {"registrant-name", "registrant-email", "eligibility-type"} <= where


def test_domain_is_bought_and_let_go() -> None:
    bought = answer("buy", "domain-names", "--domain", "acme.com", "--term", "24", *REGISTRANT)
    assert bought["order"]["lines"][0]["domain"] == "acme.com"
    assert bought["order"]["net"]["minor"] == 3500
    assert "acme.com" in answer("account", "show")["account"]["domains"]
    assert call("buy", "domain-names", "--domain", "acme.com", *REGISTRANT).code == 5
    ok("remove", "domain-names", "--domain", "acme.com", "--yes")
    assert "acme.com" not in answer("account", "show")["account"]["domains"]


def test_order_that_waits_is_declined_or_approved() -> None:
    doubtful = (
        *("--set", "eligibility-type=other", "--set", "eligibility-number=51824753556"),
        *REGISTRANT,
    )
    for name in ("one.com.au", "two.com.au"):
        order = answer("buy", "domain-names", "--domain", name, *doubtful)["order"]
        assert order["state"] == "awaiting approval"
    waiting = answer("orders", "list", "--awaiting-approval")["orders"]
    assert [one["id"] for one in waiting] == [2, 1]
    ok("orders", "approve", "1", "--note", "Seen the certificate")
    ok("orders", "decline", "2", "--reason", "No such company")
    assert answer("orders", "list", "--awaiting-approval")["orders"] == []
    assert "one.com.au" in answer("account", "show")["account"]["domains"]
    assert "two.com.au" not in answer("account", "show")["account"]["domains"]
    assert "No such company" in ok("orders", "show", "2").out
    assert call("orders", "approve", "2").code == 5


def test_removing_wants_a_yes_and_is_refused_while_users_hold_seats() -> None:
    ok("buy", "email", "--level", "popx", "--quantity", "2")
    ok(
        *("users", "create", "--upn", "ada@acme.example", "--first-names", "Ada"),
        *("--last-name", "Lovelace", "--password-stdin"),
        stdin="Correct-Horse-7\n",
    )
    ok("provision", "ada@acme.example", "managed-exchange", "--level", "popx")
    one = ("remove", "email", "--level", "popx", "--quantity", "1")
    assert call(*one).code == 7
    assert call(*one, stdin="n\n", terminal=True).code == 7
    refused = call("remove", "email", "--level", "popx", "--yes")
    assert refused.code == 5
    assert "ada@acme.example" in refused.err
    plan = answer("remove", "email", "--level", "popx", "--quantity", "1", "--dry-run")
    assert plan["plan"]["seats"][0]["owned_after"] == 1
    assert seats() == {"popx": (2, 0, 1, 1)}
    ok("remove", "email", "--quantity", "1", "--yes")
    assert seats() == {"popx": (1, 0, 1, 0)}
