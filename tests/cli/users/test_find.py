"""`find`, `users recent` and `account list --match`: people, orders and accounts wherever they are."""

from __future__ import annotations

import asyncio

import pytest

from mission_control_tui.model.caller import Caller
from mission_control_tui.model.operators import recents
from mission_control_tui.model.store.database import Store
from mission_control_tui.settings.settings import locations
from tests.cli.inprocess import answer, call, ok

PASSWORD = "Kp7m-xR4w-9fTc\n"


@pytest.fixture(autouse=True)
def _accounts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MISSION_CONTROL_NO_WORKER", "1")
    for code, first, last in (("acme", "Ada", "Lovelace"), ("globex", "Adam", "Hopper")):
        ok("init", "--name", f"{code} Pty Ltd", "--code", code, "--domain", f"{code}.example")
        ok(
            *("users", "create", "--account", code, "--upn", f"{first}@{code}.example"),
            *("--first-names", first, "--last-name", last),
            *("--password-stdin", "--office-phone", "+61 2 9000 1234"),
            stdin=PASSWORD,
        )


def test_find_looks_through_all_accounts_and_prefers_the_one_that_is_named() -> None:
    found = answer("find", "ada")
    assert [(one["account"], one["display_name"]) for one in found["users"]] == [
        ("acme", "Ada Lovelace"),
        ("globex", "Adam Hopper"),
    ]
    assert (found["orders"], found["more"]) == ([], False)
    named = answer("--account", "globex", "find", "+61 2 9000")
    assert [one["account"] for one in named["users"]] == ["globex", "acme"]
    assert "9000 1234" in named["users"][0]["matched"]
    text = ok("find", "adam", "hop").out
    assert "globex" in text
    assert "acme" not in text
    nobody = ok("find", "nobody")
    assert (nobody.out, nobody.err) == ("", "Nobody was found.\n")
    assert "there are more" in ok("find", "ada", "--limit", "1").err
    assert call("find", "ada", "--account", "nosuch").code == 4


def test_find_knows_orders_by_their_number() -> None:
    bought = answer("buy", "email", "--level", "popx", "--quantity", "2", "--account", "globex")
    number = bought["order"]["id"]
    for query in ((str(number),), ("order", str(number)), (f"#{number}",)):
        (order,) = answer("find", *query)["orders"]
        assert (order["account"], order["id"]) == ("globex", number)
        assert order["total"] == {"minor": 660, "currency": "AUD"}
    assert "AUD 6.60" in ok("find", "order", str(number)).out


def test_recent_lists_whom_the_operator_looked_at() -> None:
    assert ok("users", "recent").err == "You have not looked at anyone yet.\n"
    person = answer("find", "adam")["users"][0]
    account = answer("account", "show", "globex")["account"]["id"]

    async def look() -> None:
        store = await Store.open(locations().database)
        try:
            caller = Caller.from_operating_system()
            await recents.remember(store, caller, account, person["id"])
        finally:
            await store.close()

    asyncio.run(look())
    (recent,) = answer("users", "recent")["recent"]
    assert (recent["account"], recent["upn"]) == ("globex", person["upn"])
    assert "Adam Hopper" in ok("users", "recent").out


def test_accounts_are_matched_by_code_name_and_domain() -> None:
    for match in ("glob", "GLOBEX PTY", "globex.ex"):
        found = answer("account", "list", "--match", match)["accounts"]
        assert [one["code"] for one in found] == ["globex"], match
    assert [one["code"] for one in answer("account", "list", "--match", "pty")["accounts"]] == [
        "acme",
        "globex",
    ]
    assert answer("account", "list", "--match", "nosuch")["accounts"] == []
