"""Services whose users sign in with their directory account, by the real command: no reset, and everybody is told."""

from __future__ import annotations

import pytest

from mission_control_tui.model.catalogue.file.shipped import shipped
from tests.cli.command import Command
from tests.cli.services.test_operation import settings, work
from tests.directory_catalogue import directory_catalogue

TOLD = "Web Hosting: users sign in with their directory account."
MAIL = "Managed Exchange: users sign in with their directory account."


@pytest.fixture
def sold(inside: Command, monkeypatch: pytest.MonkeyPatch) -> Command:
    """Mail and web sites for sale that ask the directory; no worker of its own."""
    settings()
    monkeypatch.setenv("MISSION_CONTROL_NO_WORKER", "1")
    file = inside.directory / "with-directory.toml"
    file.write_text(directory_catalogue())
    inside.init(("email", "popx", 5))
    inside.ok("catalogue", "load", file)
    return inside


def test_a_web_site_after_mail_needs_no_reset(sold: Command) -> None:
    ada = sold.user("ada")
    given = sold.ok("provision", ada, "managed-exchange", "--level", "popx")
    assert MAIL in given.err
    work(sold)
    domain = ("--set", "domain=acme.example")
    sold.ok("buy", "web-hosting", "--level", "starter", "--quantity", "3", *domain)
    site = ("provision", ada, "web-hosting", "--level", "starter", "--instance", "www")
    tried = sold.json(*site, "--dry-run")
    assert tried["plan"]["warnings"] == [TOLD]
    assert TOLD in sold.ok(*site).err
    work(sold)
    lights = {row["service"]: row["light"] for row in sold.json("status", ada)["services"]}
    assert {lights[service] for service in ("managed-exchange", "web-hosting")} == {"green"}
    assert TOLD not in sold.ok(*site).err, "it is said of what is new"
    own = ("users", "password", ada, "--service", "web-hosting", "--instance", "www")
    refused = sold.run(*own, "--password-stdin", stdin=b"Reset-Horse-7\n")
    assert refused.code == 5
    assert TOLD in refused.err
    sold.ok("users", "password", ada, "--password-stdin", stdin=b"Reset-Horse-7\n")
    work(sold)
    reset = sold.rows(
        "SELECT service_id FROM requests JOIN assignments ON assignments.id = assignment_id"
        " WHERE kind = 'password'"
    )
    assert reset == [("directory-account",)]


def test_many_at_once_are_told_too(sold: Command) -> None:
    ada, ben = sold.user("ada"), sold.user("ben")
    file = sold.directory / "upns"
    file.write_text(f"{ada}\n{ben}\n")
    bulk = sold.ok(
        "provision", "--users-from", file, "managed-exchange", "--level", "popx", "--dry-run"
    )
    assert MAIL in bulk.out + bulk.err
    people = sold.directory / "people.csv"
    people.write_text(
        "UPN,Display Name,Services\ncarl@acme.example,Carl Example,managed-exchange=popx\n"
    )
    read = sold.ok(
        *("users", "import", people, "--dry-run"), "--passwords-out", sold.directory / "p.csv"
    )
    assert MAIL in read.out + read.err


def test_a_catalogue_is_checked_against_connectors_that_keep_passwords(sold: Command) -> None:
    checked = sold.ok("catalogue", "check", sold.directory / "with-directory.toml")
    assert "Web Hosting: connector simulator keeps passwords itself" in checked.out
    shipped_file = sold.directory / "shipped.toml"
    shipped_file.write_text(shipped())
    assert "keeps passwords itself" not in sold.ok("catalogue", "check", shipped_file).out
