"""Domain names: what is one, whose it is, and in which form it is kept and found."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.cli.inprocess import answer, call, ok

REGISTRANT = ("--set", "registrant-name=Evil", "--set", "registrant-email=owner@evil.com")


@pytest.fixture(autouse=True)
def _accounts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MISSION_CONTROL_NO_WORKER", "1")
    ok("init", "--name", "Contoso", "--code", "contoso", "--domain", "contoso.com")
    ok("init", "--name", "Evil", "--code", "evil", "--domain", "evil.com")


def user(upn: str, account: str = "contoso") -> None:
    name = ("--first-names", "F", "--last-name", "L")
    where = ("--account", account, "users", "create", "--upn", upn)
    ok(*where, *name, "--password-stdin", stdin="Sup3rS3cret!!x\n")


def test_what_nobody_can_register_is_no_domain(monkeypatch: pytest.MonkeyPatch) -> None:
    for wrong in ("co.uk", "com.au", "foo.c", "a.corp", "xn--99999.com", "a..com", "com"):
        refused = call("--account", "evil", "account", "add-domain", wrong)
        assert (refused.code, refused.out) == (3, ""), wrong
    assert call("init", "--name", "X", "--code", "x", "--domain", "co.uk").code == 3
    bought = ("--account", "evil", "buy", "domain-names", "--domain", "foo.c")
    assert call(*bought).code != 0
    monkeypatch.setenv("MISSION_CONTROL_PRIVATE_SUFFIXES", ".corp, lan")
    for name in ("a.corp", "b.lan", "c.example", "d.test", "e.github.io", "f.co.uk"):
        ok("--account", "evil", "account", "add-domain", name)
    unseen = call("--account", "evil", "account", "add-domain", "xn--zzzzzzz.com")
    assert unseen.code != 0
    assert "reads" in unseen.err
    read = ok("--account", "evil", "account", "add-domain", "xn--bcher-kva.com", "--yes")
    assert "bücher.com" in read.err
    for door in (
        ("--account", "evil", "buy", "domain-names", "--domain", "xn--zzzzzzz.com"),
        ("init", "--name", "Y", "--code", "yy", "--domain", "xn--zzzzzzz.com"),
    ):
        refused = call(*door)
        assert (refused.code, "is that meant?" in refused.err) == (7, True), door
        assert call(*door, stdin="n\n", terminal=True).code == 7
    made = ok("init", "--name", "Y", "--code", "yy", "--domain", "xn--zzzzzzz.com", "--yes")
    assert "xn--zzzzzzz.com reads" in made.err
    ok("--account", "evil", "buy", "domain-names", "--domain", "bücher.net", *REGISTRANT)


def test_name_below_or_above_anothers_needs_a_yes() -> None:
    add = ("account", "add-domain")
    refused = call("--account", "evil", *add, "mail.contoso.com")
    assert refused.code == 5
    assert "account allow-domain mail.contoso.com --to evil" in refused.err
    allow = ("account", "allow-domain", "mail.contoso.com", "--to")
    assert call("--account", "evil", *allow, "contoso").code == 2
    ok("--account", "contoso", *allow, "evil", "--dry-run")
    assert call("--account", "evil", *add, "mail.contoso.com").code == 5
    ok("--account", "contoso", *allow, "evil")
    assert "Nothing to do" in ok("--account", "contoso", *allow, "evil").out
    assert call("--account", "evil", *add, "www.contoso.com").code == 5
    ok("--account", "evil", *add, "mail.contoso.com")
    told = ok("--account", "contoso", "audit").out
    assert "allow domain" in told
    ok("--account", "contoso", *add, "own.contoso.com")

    ok("--account", "evil", *add, "shop.big.com")
    above = call("--account", "contoso", *add, "big.com")
    assert above.code == 5
    ok("--account", "evil", "account", "allow-domain", "big.com", "--to", "contoso")
    ok("--account", "evil", "account", "disallow-domain", "big.com", "--to", "contoso")
    assert call("--account", "contoso", *add, "big.com").code == 5


def test_the_provider_says_yes_for_a_new_account() -> None:
    new = ("init", "--name", "Sub", "--code", "sub", "--domain", "mail.contoso.com")
    refused = call(*new, "--domain", "sub.example")
    assert refused.code == 7
    assert "mail.contoso.com touches contoso.com of account contoso" in refused.err
    assert call(*new, stdin="n\n", terminal=True).code == 7
    ok(*new, "--dry-run")
    assert "allow domain" not in ok("--account", "contoso", "audit").out
    ok(*new, "--domain", "sub.example", "--yes")
    (allowed,) = [
        entry
        for entry in answer("--account", "contoso", "audit")["entries"]
        if entry["action"] == "allow domain"
    ]
    assert allowed["after"] == {"account": "sub"}
    assert call("--account", "sub", "account", "add-domain", "www.contoso.com").code == 5
    refused = call("--account", "evil", "account", "add-domain", "www.contoso.com")
    assert "--account contoso account allow-domain www.contoso.com --to evil" in refused.err
    ok("--account", "evil", "account", "add-domain", "shop.big.com")
    bought = call("--account", "contoso", "buy", "domain-names", "--domain", "big.com", *REGISTRANT)
    assert "--account evil account allow-domain big.com --to contoso" in bought.err


def test_address_has_one_form_by_every_door_and_is_found_by_each_spelling() -> None:
    ok("--account", "contoso", "account", "add-domain", "bücher.com")
    user("ann@CONTOSO.com.")
    user("b@bücher.com")
    on = ("--account", "contoso")
    ok(*on, "users", "alias", "add", "ann@contoso.com", "info@Contoso.COM.")
    ok(*on, "users", "edit", "b@bücher.com", "--upn", "c@XN--BCHER-KVA.com.")
    shown = answer(*on, "users", "show", "ann@contoso.com")
    assert (shown["upn"], shown["aliases"]) == ("ann@contoso.com", ["info@contoso.com"])
    for query in ("bücher", "xn--bcher", "c@bücher.com", "c@xn--bcher-kva.com", "c@buch"):
        assert "c@xn--bcher-kva.com" in ok("find", query).out, query
    for query in ("bücher", "xn--bcher"):
        assert "c@xn--bcher-kva.com" in ok(*on, "users", "list", query).out, query


def test_copied_commands_quote_what_they_hold_and_old_addresses_stay(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from mission_control_tui.model.people import address_syntax

    refused = call("--account", "contoso", "users", "create", "--upn", "a`id`@contoso.com")
    assert refused.code != 0
    with monkeypatch.context() as before:
        before.setattr(address_syntax, "_PLAIN", re.compile("."))
        user("a$b|c@contoso.com")
    on = ("--account", "contoso")
    ok(*on, "users", "edit", "a$b|c@contoso.com", "--display-name", "Other")
    ok(*on, "users", "delete", "a$b|c@contoso.com", "--yes")
    binned = call(*on, "users", "edit", "a$b|c@contoso.com", "--display-name", "Third")
    assert "mission-control --account contoso users restore 'a$b|c@contoso.com'" in binned.err
    ok(*on, "users", "restore", "a$b|c@contoso.com")


def test_addresses_elsewhere_take_no_shell_characters_but_stored_ones_stay(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from mission_control_tui.model.people import address_syntax

    user("a@contoso.com")
    on = ("--account", "contoso")
    ok(*on, "buy", "email", "--level", "pc-web", "--quantity", "1")
    give = (*on, "provision", "a@contoso.com", "managed-exchange", "--level", "pc-web", "--set")
    edit = (*on, "users", "edit", "a@contoso.com")
    call_set = (*on, "account", "contacts", "set", "primary")

    def doors(address: str) -> list[tuple[str, ...]]:
        return [
            (*give, f"forward-to={address}"),
            (*edit, "--external-email", address),
            (*call_set, "--name", "Rita", "--email", address),
            (*on, "objects", "create", "mail-contact", "PC", address),
        ]

    for address in ("|sh@else.com", "`id`@else.com", "*@else.com", "a$b@else.com"):
        for door in doors(address):
            refused = call(*door)
            assert refused.code == 3, door
            assert "the part before the @ cannot have" in refused.err, door
    with monkeypatch.context() as before:
        before.setattr(address_syntax, "SPECIAL", "")
        for door in doors("r&d@else.com"):
            ok(*door)
    ok(*give, "forward-to=r&d@else.com")
    ok(*give, "keep-copy=yes")
    ok(*edit, "--department", "Sales")
    ok(*edit, "--external-email", "r&d@else.com")
    ok(*call_set, "--phone", "+61 2 9374 4000")
    ok(*on, "objects", "edit", "r&d@else.com", "--name", "Press")
    file = tmp_path / "users.csv"
    head = "UPN,Display Name,External Email,Department\n"
    file.write_text(f"{head}a@contoso.com,F L,r&d@else.com,Ops\n")
    ok(*on, "users", "import", str(file), "--update")
    assert "Ops" in ok(*on, "users", "show", "a@contoso.com").out
    file.write_text(f"{head}a@contoso.com,F L,x&d@else.com,Law\n")
    assert "cannot have &" in call(*on, "users", "import", str(file)).err
