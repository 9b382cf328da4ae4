"""`--wait` of commands that queue requests by the way: it waits for what they queued."""

from __future__ import annotations

import pytest

from mission_control_tui.settings.settings import locations
from tests.cli.command import Command

WAIT = ("--wait", "90")


@pytest.fixture
def quick(acme: Command) -> Command:
    """Without the simulator's delays."""
    file = locations().settings_file
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("[connectors.simulator]\ndelay_factor = 0\n")
    return acme


def waited(mc: Command, *words: str, code: int = 0) -> list[tuple[str, str]]:
    """Whose lights a call waited for, and what they are by then."""
    done = mc.run(*words, *WAIT, "--json")
    assert done.code == code, done.err
    return [(one["subject"], one["light"]) for one in done.json["services"]]


def test_a_new_user_like_another_one_is_waited_for(quick: Command) -> None:
    ada = quick.user("ada")
    quick.ok("provision", ada, "managed-exchange", "--level", "popx", *WAIT)
    bob = ("users", "create", "--upn", "bob@acme.example", "--first-names", "Bob")
    new = (*bob, "--last-name", "Example", "--like", ada, "--passwords-out", "bob.csv")
    assert waited(quick, *new) == [("bob@acme.example", "green")]


def test_an_order_of_a_domain_and_its_end_are_waited_for(quick: Command) -> None:
    name = ("domain-names", "--domain", "acme-shop.com")
    registrant = ("registrant-name=Acme", "registrant-email=it@acme.example")
    answers = [word for one in registrant for word in ("--set", one)]
    bought = waited(quick, "buy", *name, *answers)
    assert bought == [("acme-shop.com", "green")]
    assert waited(quick, "account", "auto-renew", "acme-shop.com", "off") == bought
    assert waited(quick, "remove", *name, "--yes") == [("acme-shop.com", "grey")]


def test_what_is_tried_again_or_cancelled_is_waited_for(quick: Command) -> None:
    once, never = quick.user("fails.once"), quick.user("never.works")
    for user in (once, never):
        give = ("provision", user, "managed-exchange", "--level", "popx")
        assert waited(quick, *give, code=10) == [(user, "red")]
    first = quick.json("requests", "list")["requests"][-1]["id"]
    assert waited(quick, "requests", "retry", str(first)) == [(once, "green")]
    assert waited(quick, "requests", "retry", "--all-red", code=10) == [(never, "red")]
    told = quick.run("requests", "retry", "--all-red", *WAIT)
    assert (told.code, "1 was queued again." in told.out) == (10, True)


def test_the_command_that_is_said_for_what_is_red_takes_an_instance_of_several_words(
    quick: Command,
) -> None:
    ada, rules = quick.user("ada"), quick.directory / "rules.toml"
    rules.write_text('[[rule]]\nid = "full"\ncall = "apply"\nfail = "invalid"\nsaid = "Full"\n')
    with locations().settings_file.open("a") as settings:
        settings.write(f'rules = "{rules}"\n')
    quick.ok("buy", "databases", "--level", "small", "--quantity", "1")
    give = ("provision", ada, "databases", "--level", "small", "--instance", "Old shop")
    said = quick.run(*give, "--passwords-out", "ada.csv", *WAIT).err
    assert f"mission-control provision {ada} databases --instance 'Old shop'" in said


def test_a_file_of_users_and_one_of_groups_are_waited_for(quick: Command) -> None:
    (quick.directory / "users.csv").write_text(
        "UPN,First names,Last name,Display name,Level\ncy@acme.example,Cy,Example,Cy E,popx\n"
    )
    call = ("users", "import", "users.csv", "--passwords-out", "cy.csv")
    assert waited(quick, *call) == [("cy@acme.example", "green")]
    (quick.directory / "groups.csv").write_text(
        "Kind,Name,Address,Member\ndistribution-group,Sales,sales@acme.example,cy@acme.example\n"
    )
    assert waited(quick, "objects", "import", "groups.csv") == [("Sales", "green")]
