"""What a service in several parts has at its back ends: scanned as wholes, brought in at once, removed part by part."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import sqlite3
from collections.abc import Iterable
from pathlib import Path

import pytest

from mission_control_tui.provisioning.connectors.simulator.connector import ledger
from mission_control_tui.settings.settings import locations
from tests.cli.command import Command

EXCHANGE = "managed-exchange"
PARTS = ("people", "mail")
EXIT_USAGE, EXIT_INCOMPLETE = 2, 11


def write_settings(*, adopt: str = "allow", served: str = "exchange") -> None:
    """Simulators for each part and two composites with one directory: one serves it, or both where none is named."""
    here = locations().settings_file.parent
    here.mkdir(parents=True, exist_ok=True)
    lines = []
    for connector in ("people", "mail", "other-mail"):
        file, rules = here / f"{connector}.db", here / f"{connector}.toml"
        lines += [f"[connectors.{connector}]", 'type = "simulator"', "delay_factor = 0"]
        lines += [f'path = "{file}"', f'rules = "{rules}"', f'adopt = "{adopt}"']
        if not rules.exists():
            rules.write_text("seed = 1\n")
    for whole, mail in (("exchange", "mail"), ("other", "other-mail")):
        lines += [f"[connectors.{whole}]", 'type = "composite"']
        lines += [f"[connectors.{whole}.parts.directory]", 'connector = "people"']
        lines += [f"[connectors.{whole}.parts.mailbox]", f'connector = "{mail}"']
    lines += (
        ["[services]", f'{EXCHANGE} = "{served}"']
        if served
        else [f"[placement.{EXCHANGE}]", 'connectors = ["exchange", "other"]']
    )
    locations().settings_file.write_text("\n".join(lines) + "\n")


def file_of(connector: str) -> Path:
    return locations().settings_file.parent / f"{connector}.db"


def copy(file: Path, to: Path) -> None:
    """Copy what a simulator keeps."""
    opened = contextlib.closing
    with opened(sqlite3.connect(file)) as one, opened(sqlite3.connect(to)) as other:
        one.backup(other)


def whose(connector: str, name: str, owner: str | None) -> None:
    """Let an object be nobody's (""), or another installation's, or None: let it not be there."""
    with contextlib.closing(sqlite3.connect(file_of(connector))) as db, db:
        if owner is None:
            db.execute("DELETE FROM object WHERE name = ?", (name,))
            return
        ((body,),) = db.execute("SELECT body FROM object WHERE name = ?", (name,))
        told = json.loads(body) | {"installation": owner, "key": owner}
        db.execute(
            "UPDATE object SET installation = ?, body = ? WHERE name = ?",
            (owner, json.dumps(told), name),
        )


def rows(text: str) -> dict[str, dict[str, str]]:
    return {row["Native Name"]: row for row in csv.DictReader(io.StringIO(text))}


@pytest.fixture
def site(acme: Command, monkeypatch: pytest.MonkeyPatch) -> Command:
    monkeypatch.setenv("MISSION_CONTROL_NO_WORKER", "1")
    write_settings()
    for name in ("ada", "ben", "cy"):
        acme.user(name)
    return acme


def work(mc: Command) -> None:
    done = mc.run("worker", "--idle-exit", "0.2", seconds=90)
    assert done.code == 0, done.err


@pytest.fixture
def left(site: Command) -> Command:
    """Three mailboxes that were taken away here, and came back with a backup of the back ends."""
    names = ("ada", "ben", "cy")
    for name in names:
        site.ok("provision", f"{name}@acme.example", EXCHANGE, "--level", "popx")
    work(site)
    for connector in PARTS:
        copy(file_of(connector), file_of(connector).with_suffix(".backup"))
    for name in names:
        site.ok("deprovision", f"{name}@acme.example", EXCHANGE, "--now", "--yes")
    work(site)
    for connector in PARTS:
        copy(file_of(connector).with_suffix(".backup"), file_of(connector))
    return site


def unmarked(*names: str) -> None:
    for connector in PARTS:
        for name in names:
            whose(connector, name, "")


def saved(path: Path, found: Iterable[dict[str, str]]) -> str:
    found = list(found)
    with path.open("w", newline="", encoding="utf-8-sig") as out:
        writer = csv.DictWriter(out, found[0])
        writer.writeheader()
        writer.writerows(found)
    return str(path)


def test_wholes_are_scanned_and_brought_in_and_halves_are_told(
    left: Command, tmp_path: Path
) -> None:
    unmarked("acme_ada", "acme_ben", "acme_cy")
    whose("mail", "acme_ben", None)
    whose("mail", "acme_cy", "somebody-else")
    found = rows(left.ok("adopt", "scan", "exchange", "--all-accounts").out)
    assert {name: (row["Whose"], row["Action"]) for name, row in found.items()} == {
        "acme_ada": ("unmarked", "adopt"),
        "acme_ben": ("unmarked", "leave"),
        "acme_cy": ("foreign", "leave"),
    }
    assert found["acme_ada"]["User or Domain"] == "ada@acme.example"
    assert found["acme_ben"]["Problem"] == "missing in mailbox"
    half = saved(tmp_path / "half.csv", [{**found["acme_ben"], "Action": "adopt"}])
    assert left.run("adopt", "load", half).code == EXIT_INCOMPLETE
    before = [len(ledger(file_of(connector))) for connector in PARTS]
    loaded = left.ok("adopt", "load", saved(tmp_path / "all.csv", found.values()), "--yes")
    assert "1 brought in as they are" in loaded.out
    work(left)
    light = left.json("status", "ada@acme.example")["services"][0]
    assert (light["light"], light["login"]) == ("green", "acme_ada")
    for connector, count in zip(PARTS, before, strict=True):
        effects = {(one.name, one.effect) for one in ledger(file_of(connector))[count:]}
        assert effects == {("acme_ada", "adopted")}
    again = rows(left.ok("adopt", "scan", "exchange", "--all-accounts").out)
    assert again["acme_ada"]["Whose"] == "ours"

    made = saved(tmp_path / "made.csv", [{**again["acme_ben"], "Action": "change"}])
    assert "1 brought in and changed" in left.ok("adopt", "load", made, "--yes").out
    work(left)
    assert left.json("status", "ben@acme.example")["services"][0]["light"] == "green"
    third = rows(left.ok("adopt", "scan", "exchange").out)
    assert (third["acme_ben"]["Whose"], third["acme_ben"]["Problem"]) == ("ours", "")


def test_each_part_is_asked_for_its_consent(left: Command, tmp_path: Path) -> None:
    unmarked("acme_ada", "acme_ben", "acme_cy")
    write_settings(adopt="refuse")
    found = rows(left.ok("adopt", "scan", "exchange").out)
    assert found["acme_ada"]["Action"] == "adopt", found
    refused = left.run("adopt", "load", saved(tmp_path / "all.csv", found.values()), "--yes")
    assert refused.code == EXIT_INCOMPLETE
    assert 'connectors.people.adopt = "allow"' in refused.err


def test_an_orphan_in_parts_is_taken_over_as_a_whole_or_removed_part_by_part(
    left: Command, tmp_path: Path
) -> None:
    found = rows(left.ok("adopt", "scan", "exchange").out)
    assert {row["Whose"] for row in found.values()} == {"orphan"}
    taken = saved(tmp_path / "taken.csv", [{**found["acme_ada"], "Action": "adopt"}])
    left.ok("adopt", "load", taken, "--yes")
    whole = left.run("adopt", "remove", "exchange", "acme_ben", "--yes")
    assert whole.code == EXIT_USAGE
    for connector in PARTS:
        command = ("adopt", "remove", connector, "acme_ben")
        assert f"mission-control {' '.join(command)}" in " ".join(whole.err.split())
        left.ok(*command, "--yes")
    work(left)
    lights = [row["light"] for row in left.json("status", "ada@acme.example")["services"]]
    assert lights[0] == "green"
    rest = rows(left.ok("adopt", "scan", "exchange").out)
    assert {name: row["Whose"] for name, row in rest.items()} == {
        "acme_ada": "ours",
        "acme_cy": "orphan",
    }
    orphans = left.run("drift", "--orphans", "--json").json["orphans"]
    assert {(one["connector"], one["name"]) for one in orphans} == {
        (connector, "acme_cy") for connector in PARTS
    }


def test_a_command_that_is_said_takes_a_name_of_several_words(left: Command) -> None:
    said = left.run("adopt", "remove", "exchange", "Sales & Co", "--yes").err
    assert "mission-control adopt remove mail 'Sales & Co'" in " ".join(said.split())


def test_what_another_whole_has_in_a_shared_part_is_no_orphan(site: Command) -> None:
    write_settings(served="")
    for user, whole in (("ada", "exchange"), ("ben", "other")):
        site.ok("provision", f"{user}@acme.example", EXCHANGE, "--level", "popx", "--on", whole)
    work(site)
    scanned = site.run("adopt", "scan", "other", "--all-accounts", "--json").json
    assert {row["name"]: row["whose"] for row in scanned["rows"]} == {"acme_ben": "ours"}
    assert scanned["others"] == 1


def test_a_part_says_of_what_it_is_one(site: Command) -> None:
    part = site.run("adopt", "scan", "people")
    assert part.code == EXIT_USAGE
    assert "it is a part of exchange, other" in part.err
    assert "mission-control adopt scan exchange" in part.err


def test_what_a_service_of_another_whole_has_is_not_taken_over(
    site: Command, tmp_path: Path
) -> None:
    write_settings(served="")
    site.ok("provision", "ada@acme.example", EXCHANGE, "--level", "popx", "--on", "exchange")
    work(site)
    heads = ("Action", "Account", "User or Domain", "Level", "Connector", "Service", "Native Name")
    values = ("change", "acme", "ben@acme.example", "popx", "other", EXCHANGE, "acme_ada")
    file = saved(tmp_path / "theirs.csv", [dict(zip(heads, values, strict=True))])
    refused = site.run("adopt", "load", file, "--yes")
    assert refused.code == EXIT_INCOMPLETE
    assert "acme_ada is another subject's" in refused.err
    # Once it has another name here nothing but its mark tells whose it is.
    with contextlib.closing(sqlite3.connect(locations().database)) as db, db:
        db.execute("UPDATE assignments SET backend_name = 'as_it_was'")
    site.ok("adopt", "load", file, "--yes")
    work(site)
    (ada,) = (row for row in site.json("status", "ada@acme.example")["services"] if row["login"])
    assert ada["light"] == "green"
    effects = {one.effect for one in ledger(file_of("people"))}
    assert "adopted" not in effects, "the directory account is ada's"
    errors = [row["error"]["said"] for row in site.json("status")["services"] if row["error"]]
    assert errors == ["acme_ada is another service's here: nothing of it is taken over"]
