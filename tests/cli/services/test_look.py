"""`--look`: what the tables of a real mail server would be changed in, before anything is wished."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from mission_control_tui.provisioning.connectors.mail_sql.tables import schema
from mission_control_tui.settings.settings import locations
from tests.cli.command import Command

MAIL = "managed-exchange"
REGISTRANT = (
    *("--set", "registrant-name=Acme", "--set", "registrant-email=it@acme.example"),
    *("--set", "registrant-country=AU"),
)


@pytest.fixture
def mail(acme: Command) -> Path:
    """The tables of a mail server, in which Ben has a mailbox of somebody's making with 7000 MB."""
    path = acme.directory / "mail.db"
    with sqlite3.connect(path) as tables:
        tables.executescript(schema("sqlite"))
        tables.execute(
            "INSERT INTO mail_object (id, name, login, password, quota_mb, home, protocols)"
            " VALUES (1, 'acme_ben', 'ben@acme.example', '{PLAIN}x', 7000, 'ben', 'pop,web')"
        )
        tables.execute(
            "INSERT INTO mail_address (address, domain, object_id, is_primary)"
            " VALUES ('ben@acme.example', 'acme.example', 1, 1)"
        )
    file = locations().settings_file
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(
        f'[connectors.mail]\ntype = "mail-sql"\npath = "{path}"\nadopt = "allow"\n[services]\n{MAIL} = "mail"\n'
    )
    return path


def content(path: Path) -> list[str]:
    with sqlite3.connect(path) as tables:
        return list(tables.iterdump())


def test_a_look_shows_each_change_and_writes_nothing_here_or_there(
    acme: Command, mail: Path
) -> None:
    ada, ben = acme.user("ada"), acme.user("ben")
    acme.ok("status")
    before, there = acme.contents(), content(mail)

    new = acme.ok("provision", ada, MAIL, "--level", "popx", "--look")
    assert "(acme_ada at mail)" in new.out
    assert "password: set" in new.out
    taken = acme.run("provision", ben, MAIL, "--level", "popx", "--look", "--json")
    assert taken.code == 10
    assert taken.json["services"][0]["refused"]["reason"]

    listed = acme.directory / "upns.txt"
    listed.write_text(f"{ada}\n{ben}\n")
    many = acme.run("provision", MAIL, "--users-from", listed, "--level", "popx", "--look")
    assert many.code == 10
    assert "2 looked at: 1 would be refused" in many.out
    assert "1 x password" in many.out

    adopted = acme.run("provision", ben, MAIL, "--level", "popx", "--adopt", "--look", "--json")
    kinds = [change["words"] for change in adopted.json["summary"]]
    assert "taken over" in kinds
    assert "Correct" not in str(adopted.json)
    assert (acme.contents(), content(mail)) == (before, there)
    mail.unlink()
    gone = acme.run("provision", ada, MAIL, "--level", "popx", "--look")
    assert gone.code == 14
    assert "1 service not looked at" in gone.err
    assert "Correct-Horse" not in new.out + taken.out + many.out + adopted.out


def _looks(mc: Command, *arguments: str | Path, stdin: bytes = b"") -> dict[str, list[str]]:
    """What a look says would change, by login; a look has no other exit code here than 0."""
    seen = mc.ok(*arguments, "--look", "--json", stdin=stdin).json
    assert seen["applied"] is False
    assert seen["not_looked_at"] == []
    return {one["login"]: [change["what"] for change in one["changes"]] for one in seen["services"]}


def test_every_verb_can_be_looked_at_and_none_writes(
    acme: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MISSION_CONTROL_NO_WORKER", "1")
    acme.ok("buy", "domain-names", "--domain", "acme-one.com", "--yes", *REGISTRANT)
    ada, ben = acme.user("ada"), acme.user("ben")
    for upn in (ada, ben):
        acme.ok("provision", upn, MAIL, "--level", "popx")
    file = locations().settings_file
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("[connectors.simulator]\ndelay_factor = 0\n")
    assert acme.run("worker", "--once").code == 0
    people = tmp_path / "people.csv"
    people.write_text(
        "UPN,First Names,Last Name,Display Name,Password,Services\n"
        "cy@acme.example,Cy,Lee,Cy Lee,Correct-Horse-77,managed-exchange=popx\n"
    )
    before, there = acme.contents(), len(acme.effects())
    domain = ("--domain", "acme-one.com", "domain-registration")
    assert _looks(acme, "suspend", ada, MAIL)["acme_ada"] == ["state"]
    assert _looks(acme, "resume", ada, MAIL)["acme_ada"] == []
    assert "mailbox" in _looks(acme, "deprovision", ada, MAIL)["acme_ada"]
    assert "level" in _looks(acme, "provision", ada, MAIL, "--level", "pc-web")["acme_ada"]
    many = _looks(acme, "bulk", "start", "suspend", "--service", MAIL, ada, ben)
    assert many == {"acme_ada": ["state"], "acme_ben": ["state"]}
    servers = ("--set", "name-servers=ns9.acme.example")
    assert any(
        "servers" in said for said in _looks(acme, "provision", *domain, *servers)["acme-one.com"]
    )
    assert _looks(acme, "suspend", *domain)["acme-one.com"] == ["state"]
    assert _looks(acme, "users", "import", people)["acme_cy"]
    assert (acme.contents(), len(acme.effects())) == (before, there)
