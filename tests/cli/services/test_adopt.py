"""Bringing in what exists: scanned, edited, loaded, and managed from then on, with real mail and DNS servers."""

from __future__ import annotations

import contextlib
import csv
import io
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from mission_control_tui.provisioning.connectors.mail_sql.passwords import argon2id
from tests.cli.command import Command
from tests.mail_server import MailServer
from tests.powerdns import API_KEY, PowerDNSServer
from tests.support import proof_factor

EXCHANGE = "managed-exchange"
EXIT_INCOMPLETE = 11


def _rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def _file(path: Path, rows: list[dict[str, str]]) -> str:
    with path.open("w", newline="", encoding="utf-8-sig") as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)
    return str(path)


@pytest.fixture(scope="module")
def mail() -> Iterator[MailServer]:
    server = MailServer.start()
    yield server
    server.close()


@pytest.fixture(scope="module")
def dns() -> Iterator[PowerDNSServer]:
    server = PowerDNSServer.start()
    yield server
    server.close()


def _mailboxes(server: MailServer, count: int) -> None:
    """Mailboxes as somebody else made them: own passwords, 7000 MB, POP and webmail, an alias each."""
    with contextlib.closing(sqlite3.connect(server.file, timeout=20)) as file, file:
        file.execute("DELETE FROM mail_address")
        file.execute("DELETE FROM mail_object")
        password = argon2id("Old-Secret-1")
        for number in range(count):
            name = f"old{number:03}"
            file.execute(
                "INSERT INTO mail_object (name, login, password, quota_mb, home, protocols, display_name)"
                " VALUES (?, ?, ?, 7000, ?, 'pop,smtp,web', ?)",
                (name, f"{name}@acme.example", password, f"old/{name}", f"Old {number}"),
            )
            file.executemany(
                "INSERT INTO mail_address (address, domain, object_id, is_primary)"
                " SELECT ?, 'acme.example', id, ? FROM mail_object WHERE name = ?",
                [(f"{name}@acme.example", 1, name), (f"info{number}@acme.example", 0, name)],
            )
        file.execute(
            "INSERT INTO mail_object (name, login, password, protocols)"
            " VALUES ('stranger', 'stranger@evil.example', 'x', 'pop')"
        )


def _kept(server: MailServer) -> list[tuple[object, ...]]:
    with contextlib.closing(sqlite3.connect(server.file, timeout=20)) as file:
        return file.execute(
            "SELECT name, password, quota_mb, home, login FROM mail_object ORDER BY name"
        ).fetchall()


@pytest.mark.parametrize(
    "count", [3, pytest.param(min(300, 60 * proof_factor()), marks=pytest.mark.proof)]
)
def test_mailboxes_that_exist_are_brought_in_untouched_and_then_managed(
    inside: Command, mail: MailServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    monkeypatch.setenv("MISSION_CONTROL_NO_WORKER", "1")
    inside.init(("email", "popx", count), ("email", "pc-web", 1))
    _mailboxes(mail, count)
    before = _kept(mail)
    lines = ["[connectors.mail]", 'type = "mail-sql"', f'path = "{mail.file}"', 'mode = "enabled"']
    lines.append("rate_per_second = 1000")
    served = ["[services]", f'{EXCHANGE} = "mail"']
    settings = tmp_path / "settings.toml"
    monkeypatch.setenv("MISSION_CONTROL_SETTINGS", str(settings))
    settings.write_text("\n".join([*lines, *served]))

    rows = _rows(inside.ok("adopt", "scan", "mail").out)
    assert len(rows) == count  # the stranger's domain is no account's
    assert {row["Action"] for row in rows} == {"adopt"}, rows[0]
    assert {(row["Whose"], row["Level"], row["Account"]) for row in rows} == {
        ("unmarked", "popx", "acme")
    }
    assert rows[0]["User or Domain"] == "old000@acme.example"
    assert rows[0]["Aliases"] == "info0@acme.example"
    assert "quota=7000" in rows[0]["Settings"]
    assert "password" in rows[0]["Keeps"]
    everything = _rows(inside.ok("adopt", "scan", "mail", "--all-accounts").out)
    (stranger,) = [row for row in everything if row["Native Name"] == "stranger"]
    assert (stranger["Account"], stranger["Action"]) == ("", "leave")
    assert "no account has the domain evil.example" in stranger["Problem"]

    wrong = [{**rows[0], "Level": "pc-mars"}, {**rows[1], "Settings": "quota=lots"}, *rows[2:]]
    refused = inside.run("adopt", "load", _file(tmp_path / "wrong.csv", wrong))
    assert refused.code == EXIT_INCOMPLETE
    assert "row 2, Level" in refused.err
    assert "row 3, Settings" in refused.err
    theirs = [{**stranger, "Action": "adopt", "Account": "acme", "Level": "popx"}]
    theirs[0]["User or Domain"] = "stranger@evil.example"
    assert (
        inside.run("adopt", "load", _file(tmp_path / "theirs.csv", theirs)).code == EXIT_INCOMPLETE
    )

    file = _file(tmp_path / "mailboxes.csv", rows)
    unconsented = inside.run("adopt", "load", file)
    assert unconsented.code == EXIT_INCOMPLETE
    assert 'connectors.mail.adopt = "allow"' in unconsented.err
    settings.write_text("\n".join([*lines, 'adopt = "allow"', *served]))
    looked = inside.ok("adopt", "load", file)
    assert f"{count} would be brought in as they are" in looked.out
    assert inside.json("users", "list")["total"] == 0
    assert _kept(mail) == before

    loaded = inside.ok("adopt", "load", file, "--yes")
    assert f"{count} brought in as they are" in loaded.out
    again = inside.json("adopt", "load", file, "--yes")
    assert again["counts"] == {"unchanged": count}
    inside.ok("worker", "--once")
    assert _kept(mail) == before
    lights = {row["light"] for row in inside.json("status")["services"]}
    assert lights == {"green"}
    assert mail.why_not("old001@acme.example", "Old-Secret-1", "pop") == ""
    (taken,) = [
        entry
        for entry in inside.json("audit", "--user", "old001@acme.example")["entries"]
        if entry["action"] == f"provision {EXCHANGE}"
    ]
    undone = inside.run("undo", "audit", str(taken["id"]), "--yes")
    assert (undone.code, "took over what was there" in undone.err) == (5, True), undone
    assert inside.json("adopt", "scan", "mail")["rows"][0]["whose"] == "ours"

    inside.ok("provision", "old001@acme.example", EXCHANGE, "--level", "pc-web", "--yes")
    inside.ok("worker", "--once")
    assert mail.why_not("old001@acme.example", "Old-Secret-1") == ""
    changed = [row for row in zip(before, _kept(mail), strict=True) if row[0] != row[1]]
    assert all(old[1] == new[1] for old, new in changed)


@pytest.mark.proof
@pytest.mark.parametrize("count", [2, 50])
def test_zones_that_exist_are_brought_in_untouched_and_then_managed(
    inside: Command,
    dns: PowerDNSServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    count: int,
) -> None:
    monkeypatch.setenv("MISSION_CONTROL_NO_WORKER", "1")
    monkeypatch.setenv("TEST_POWERDNS_KEY", API_KEY)
    inside.init()
    names = [f"acme-{count}-{number:02}.com" for number in range(count)]
    for name in names:
        dns.bring(
            name,
            {
                ("@", "SOA"): ["ns1.old.example. host.old.example. 7 10800 3600 604800 300"],
                ("@", "NS"): ["ns1.old.example."],
                ("@", "MX"): ["5 mail.old.example."],
            },
        )
    before = {name: dns.zone(name)["rrsets"] for name in names}
    settings = tmp_path / "settings.toml"
    monkeypatch.setenv("MISSION_CONTROL_SETTINGS", str(settings))
    table = [
        *("[connectors.dns]", 'type = "powerdns"', f'url = "{dns.url}"', 'mode = "enabled"'),
        *('api_key_env = "TEST_POWERDNS_KEY"', 'name_servers = ["ns1.new.example"]'),
        *("rate_per_second = 1000", 'adopt = "allow"', "[services]", 'domain-registration = "dns"'),
    ]
    settings.write_text("\n".join(table))
    found = _rows(inside.ok("adopt", "scan", "dns", "--all-accounts").out)
    rows = [row for row in found if row["Native Name"] in names]
    assert len(rows) == count
    assert {(row["Account"], row["Action"], row["Level"]) for row in rows} == {
        ("", "leave", "registered")
    }
    assert {row["Settings"].split("; ")[-1] for row in rows} == {"auto-renew=no"}
    for row in rows:
        row |= {"Account": "acme", "Action": "adopt", "User or Domain": row["Native Name"]}
        row["Paid Until"] = "2099-01-31"
    rows[0]["Paid Until"] = ""  # registered elsewhere
    file = _file(tmp_path / "zones.csv", rows)
    assert f"{count} would be brought in as they are" in inside.ok("adopt", "load", file).out
    assert dns.metadata(names[0]).get("X-MISSION-CONTROL") is None
    inside.ok("adopt", "load", file, "--yes")
    inside.ok("worker", "--once")
    assert {name: dns.zone(name)["rrsets"] for name in names} == before
    domains = {row["name"]: row for row in inside.json("account", "domains")["domains"]}
    assert (domains[names[0]]["bought"], domains[names[1]]["bought"]) == (False, True)
    assert domains[names[1]]["ends_on"] == "2099-01-31"
    assert inside.json("adopt", "load", file, "--yes")["counts"] == {"unchanged": count}
    for name in names[:2]:
        change = ("--set", "name-servers=ns9.new.example", "--yes")
        inside.ok("provision", "--domain", name, "domain-registration", *change)
    inside.ok("worker", "--once")
    for name in names[:2]:
        assert dns.dig(name, "NS") == ["ns9.new.example."]
        assert dns.dig(name, "MX") == ["5 mail.old.example."]


@pytest.mark.proof
def test_a_load_that_is_killed_goes_on_and_brings_nothing_in_twice(
    mc: Command, mail: MailServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    count = 120
    monkeypatch.setenv("MISSION_CONTROL_NO_WORKER", "1")
    mc.init(("email", "popx", count))
    _mailboxes(mail, count)
    before = _kept(mail)
    settings = tmp_path / "settings.toml"
    monkeypatch.setenv("MISSION_CONTROL_SETTINGS", str(settings))
    settings.write_text(
        f'[connectors.mail]\ntype = "mail-sql"\npath = "{mail.file}"\nmode = "enabled"\n'
        f'adopt = "allow"\n[services]\n{EXCHANGE} = "mail"\n'
    )
    file = _file(tmp_path / "mailboxes.csv", _rows(mc.ok("adopt", "scan", "mail").out))
    kills = 0
    for seen in (1, 40, 80):
        with mc.start("adopt", "load", file, "--yes") as loading:
            while loading.poll() is None:
                if mc.json("users", "list")["total"] >= seen:
                    loading.kill()
                    kills += 1
                    break
    assert kills >= 1
    assert _kept(mail) == before, "only a worker writes there"
    done = mc.json("adopt", "load", file, "--yes")
    assert done["counts"].get("unchanged", 0) >= 1
    assert sum(done["counts"].values()) == count
    assert set(done["counts"]) <= {"unchanged", "adopted"}
    mc.ok("worker", "--once")
    assert _kept(mail) == before
    people = mc.json("users", "list", "--limit", "all")
    assert people["total"] == count
    services = mc.json("status")["services"]
    assert len({one["login"] for one in services if one["login"]}) == count
    assert {one["light"] for one in services if one["login"]} == {"green"}


@pytest.mark.proof
def test_mailboxes_are_brought_in_by_a_product_whose_own_database_is_postgresql(
    mc: Command,
    mail: MailServer,
    postgres_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    count = 25
    monkeypatch.setenv("MISSION_CONTROL_NO_WORKER", "1")
    monkeypatch.setenv("MISSION_CONTROL_DATABASE", postgres_url)
    monkeypatch.setenv("MISSION_CONTROL_WORKER__KEY_FILE", str(tmp_path / "worker.key"))
    mc.ok("upgrade")
    mc.init(("email", "popx", count))
    _mailboxes(mail, count)
    before = _kept(mail)
    settings = tmp_path / "settings.toml"
    monkeypatch.setenv("MISSION_CONTROL_SETTINGS", str(settings))
    settings.write_text(
        f'[connectors.mail]\ntype = "mail-sql"\npath = "{mail.file}"\nmode = "enabled"\n'
        f'adopt = "allow"\n[services]\n{EXCHANGE} = "mail"\n'
    )
    file = _file(tmp_path / "mailboxes.csv", _rows(mc.ok("adopt", "scan", "mail").out))
    assert f"{count} brought in as they are" in mc.ok("adopt", "load", file, "--yes").out
    assert mc.json("adopt", "load", file, "--yes")["counts"] == {"unchanged": count}
    with mc.start("worker") as process:
        try:
            settled = mc.json("status", "--wait", "120")["services"]
        finally:
            process.terminate()
    assert _kept(mail) == before
    assert {row["light"] for row in settled if row["login"]} == {"green"}
    assert "has no orphans" in mc.ok("adopt", "remove", "mail", "--yes").out
