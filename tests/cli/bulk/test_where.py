"""`--where` names what was mistyped, whichever key it is of; an expiry in the past is said."""

from __future__ import annotations

import pytest

from tests.cli.command import Command


@pytest.mark.parametrize(
    ("condition", "said"),
    [
        ("level=pc-wep", "Did you mean pc-web"),
        ("level=nosuch", "There is no level 'nosuch'"),
        ("service=databses", "Did you mean Databases"),
        ("light=gren", "Did you mean green"),
        ("domain=acm.example", "Did you mean acme.example"),
        ("domain=nosuch.example", "The account has: acme.example"),
        ("levle=popx", "Did you mean level"),
        ("disabled=perhaps", "takes yes or no"),
    ],
)
def test_a_typo_is_named(acme: Command, condition: str, said: str) -> None:
    refused = acme.run("bulk", "plan", "disable", "--where", condition)
    assert refused.code in (2, 4)
    assert said in refused.err
    assert "Nobody is picked" not in refused.err


def test_a_level_of_any_service_goes_by_its_name_too(acme: Command) -> None:
    refused = acme.run("bulk", "plan", "disable", "--where", "level=Standard Mail (POPX)")
    assert "Nobody is picked" in refused.err, "it is a level that nobody has"


def test_an_expiry_in_the_past_is_said_by_every_door(acme: Command) -> None:
    said = "2020-01-01 is past"
    ada = acme.user("ada")
    assert said in acme.ok("users", "edit", ada, "--expires-on", "2020-01-01", "--dry-run").err
    assert "past" not in acme.ok("users", "edit", ada, "--expires-on", "2099-01-01").err
    assert "past" not in acme.ok("users", "edit", ada, "--city", "Perth").err
    (acme.directory / "new.csv").write_text(
        "UPN,Display Name,Password,expires_on\nbob@acme.example,Bob,Kp7m-xR4w-9fTc,2020-01-01\n"
    )
    assert said in acme.ok("users", "import", "new.csv", "--dry-run").err
