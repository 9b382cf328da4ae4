"""`account`: which there are, one as a whole, its name and its domains."""

from __future__ import annotations

import pytest

from tests.cli.inprocess import answer, call, ok


@pytest.fixture(autouse=True)
def _accounts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MISSION_CONTROL_NO_WORKER", "1")
    ok("init", "--name", "Acme Pty Ltd", "--code", "acme", "--domain", "acme.example")


def test_several_accounts_and_none_named_is_refused_and_listed() -> None:
    ok("init", "--name", "Beta", "--code", "beta")
    refused = call("services", "list")
    assert refused.code == 2
    assert "acme (Acme Pty Ltd), beta (Beta)" in refused.err
    assert refused.out == ""
    for place in (
        ("--account", "beta", "services", "list"),
        ("services", "list", "--account", "beta"),
    ):
        assert ok(*place).code == 0


def test_account_of_the_settings_is_meant_where_none_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ok("init", "--name", "Beta", "--code", "beta")
    monkeypatch.setenv("MISSION_CONTROL_ACCOUNT", "beta")
    assert answer("account", "show")["account"]["code"] == "beta"
    assert answer("account", "show", "--account", "acme")["account"]["code"] == "acme"


def test_unknown_account_is_not_found() -> None:
    refused = call("services", "list", "--account", "nosuch")
    assert refused.code == 4
    assert "acme" in refused.err
    for number in range(5):
        ok("init", "--name", f"Zeta {number}", "--code", f"zeta{number}")
    said = call("services", "list", "--account", "acmee").err
    assert "Did you mean acme (Acme Pty Ltd)?" in said
    assert "There are 6 accounts." in said
    assert "account list --match" in said
    assert "zeta2 (Zeta 2)" in call("services", "list", "--account", "zeta 2").err
    said = call("services", "list").err
    assert (
        "There are 6 accounts: acme (Acme Pty Ltd), zeta0 (Zeta 0), zeta1 (Zeta 1) and 3 more."
        in said
    )
    assert "account list" in said


def test_show_reads_as_text_and_as_json() -> None:
    ok("buy", "email", "--level", "popx", "--quantity", "2")
    shown = answer("account", "show")
    assert shown["account"]["domains"] == ["acme.example"]
    assert shown["seats"][0]["free"] == 2
    assert shown["this_month"] == [{"minor": 660, "currency": "AUD"}]
    text = ok("account", "show", "acme").out
    assert "Acme Pty Ltd (acme)" in text
    assert "AUD 6.60" in text


def test_a_customer_number_is_kept_found_and_exported() -> None:
    ok("init", "--name", "Beta", "--code", "beta", "--customer-number", "=K-7")
    ok("account", "edit", "acme", "--customer-number", " 2024-0815 ")
    assert "2024-0815" in ok("account", "show", "acme").out
    assert answer("account", "show", "beta")["account"]["customer_number"] == "=K-7"
    (found,) = answer("account", "list", "--match", "0815")["accounts"]
    assert (found["code"], found["customer_number"]) == ("acme", "2024-0815")
    assert [each["code"] for each in answer("find", "2024-0815")["accounts"]] == ["acme"]
    assert "2024-0815" in ok("find", "acme.example").out
    assert ok("account", "list", "--csv").out.splitlines() == [
        "code,name,customer number,domains",
        "acme,Acme Pty Ltd,2024-0815,acme.example",
        "beta,Beta,'=K-7,",
    ]
    refused = call("account", "edit", "acme", "--customer-number", "9" * 65)
    assert (refused.code, "64 characters" in refused.err) == (3, True)
    ok("account", "edit", "acme", "--customer-number", "")
    assert answer("account", "show", "acme")["account"]["customer_number"] == ""
    assert "--customer-number" in ok("--account", "acme", "audit", "--script").out


def test_edit_changes_what_is_given_and_says_so() -> None:
    plan = answer("account", "edit", "--name", "Acme Ltd", "--password-length", "12", "--dry-run")
    assert answer("account", "show")["account"]["name"] == "Acme Pty Ltd"
    (line,) = plan["plan"]["lines"]
    assert line["before"]["name"] == "Acme Pty Ltd"
    assert line["after"]["name"] == "Acme Ltd"
    ok("account", "edit", "--name", "Acme Ltd", "--password-length", "12", "--ticket", "T-9")
    shown = answer("account", "show")
    assert (shown["account"]["name"], shown["policy"]["min_length"]) == ("Acme Ltd", 12)
    assert shown["policy"]["classes"] == 3
    assert "Nothing to do" in ok("account", "edit", "--name", "Acme Ltd").out


def test_domains_come_and_go() -> None:
    ok("account", "add-domain", "ACME-mail.example.")
    assert answer("account", "show")["account"]["domains"] == ["acme-mail.example", "acme.example"]
    assert call("account", "add-domain", "acme-mail.example").code == 5
    assert call("account", "remove-domain", "acme-mail.example").code == 7
    ok("account", "remove-domain", "acme-mail.example", "--yes")
    assert answer("account", "show")["account"]["domains"] == ["acme.example"]
    assert call("account", "remove-domain", "acme-mail.example", "--yes").code == 4
