"""A registrar behind a connector: free and taken are its word, everything else was not checked and may wait."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from mission_control_tui.model.catalogue.file.shipped import shipped
from tests.cli.accounts.test_buying import REGISTRANT
from tests.cli.inprocess import answer, call, ok
from tests.provisioning.connectors import json_objects

SETTINGS = """
registrar = "{name}"
[connectors.registrar]
type = "exec"
program = ["{python}", "-IS", "{program}", "{file}"]
[connectors.silent]
type = "exec"
program = ["/bin/false"]
"""

Connect = Callable[[str], None]


@pytest.fixture
def connect(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Connect:
    """Has a connector be the registrar, by name."""
    monkeypatch.setenv("MISSION_CONTROL_NO_WORKER", "1")
    file = tmp_path / "settings.toml"
    monkeypatch.setenv("MISSION_CONTROL_SETTINGS", str(file))

    def be(name: str) -> None:
        program = json_objects.__file__
        told = {"program": program, "python": sys.executable, "file": tmp_path / "objects.json"}
        file.write_text(SETTINGS.format(name=name, **told))

    be("")
    ok("init", "--name", "Acme", "--code", "acme", "--domain", "acme.example")
    return be


def bought(domain: str) -> tuple[str, list[str]]:
    """The state of the order of a name, and what was warned of."""
    told = answer("buy", "domain-names", "--domain", domain, *REGISTRANT)
    return told["order"]["state"], told["plan"]["warnings"]


def let_wait(tmp_path: Path, rule: str) -> None:
    """Let purchases of domain names wait for approval by a rule of the catalogue."""
    file = tmp_path / "catalogue.toml"
    sold = 'id = "domain-names"\n'
    assert sold in shipped()
    file.write_text(shipped().replace(sold, f'{sold}approval = "{rule}"\n'))
    ok("catalogue", "load", str(file))


def test_what_the_registrar_says_is_told_and_what_is_taken_is_not_ordered(connect: Connect) -> None:
    connect("registrar")
    assert bought("free.com") == ("complete", [])
    taken = call("buy", "domain-names", "--domain", json_objects.TAKEN, *REGISTRANT)
    assert taken.code == 5
    assert "taken.com is taken, says registrar (as the registry has it)" in taken.err
    state, warned = bought(json_objects.UNKNOWN)
    assert state == "complete"
    assert warned == [
        "Whether unknown.com is free was not checked: registrar says: as the registry has it."
    ]


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("", "no registrar is connected"),
        ("silent", "silent"),
        ("simulator", "simulator says: This connector is no registrar"),
        ("nobody", "no connector named 'nobody'"),
    ],
)
def test_without_an_answer_a_name_is_not_checked_and_says_why(
    connect: Connect, name: str, why: str
) -> None:
    connect(name)
    state, (warned,) = bought("free.com")
    assert state == "complete"
    assert warned.startswith("Whether free.com is free was not checked: ")
    assert why in warned


def test_where_the_catalogue_says_so_an_unchecked_name_waits_for_a_person(
    connect: Connect, tmp_path: Path
) -> None:
    let_wait(tmp_path, "unchecked")
    state, _ = bought("acme-one.com")
    assert state == "awaiting approval"
    (order,) = answer("orders", "list", "--awaiting-approval")["orders"]
    assert "was not checked: no registrar is connected" in order["note"]
    ok("orders", "approve", str(order["id"]), "--note", "Asked by telephone")
    assert answer("orders", "show", str(order["id"]))["order"]["state"] == "complete"
    entries = answer("audit")["entries"]
    assert any(entry["action"] == "approve order" and entry["operator"] for entry in entries)
    connect("registrar")
    assert bought("acme-two.com") == ("complete", [])


def test_the_registrar_is_asked_again_before_an_order_is_approved(
    connect: Connect, tmp_path: Path
) -> None:
    let_wait(tmp_path, "unchecked")
    names = (json_objects.TAKEN, json_objects.UNKNOWN, "free.com", "silent.com")
    # Nobody could be asked when they were ordered.
    assert {bought(name)[0] for name in names} == {"awaiting approval"}
    waiting = answer("orders", "list", "--awaiting-approval")["orders"]
    orders = {order["lines"][0]["domain"]: str(order["id"]) for order in waiting}
    connect("registrar")

    taken = call("orders", "approve", orders[json_objects.TAKEN], "--unchecked")
    assert taken.code == 5
    assert "cannot be approved any more: taken.com is taken, says registrar" in taken.err
    order = answer("orders", "show", orders[json_objects.TAKEN])["order"]
    assert order["state"] == "awaiting approval"

    unknown = orders[json_objects.UNKNOWN]
    for dry_run in ((), ("--dry-run",)):
        refused = call("orders", "approve", unknown, *dry_run)
        assert refused.code == 5
        assert "Whether unknown.com is free was not checked: registrar says" in refused.err
        assert "--unchecked" in refused.err
    told = answer("orders", "approve", unknown, "--unchecked")
    assert told["order"]["state"] == "complete"
    (warned,) = told["plan"]["warnings"]
    assert warned.startswith(
        "Approved in spite of this: Whether unknown.com is free was not checked"
    )
    assert f"orders approve {unknown} --unchecked" in ok("audit", "--script").out

    told = answer("orders", "approve", orders["free.com"])
    assert (told["order"]["state"], told["plan"]["warnings"]) == ("complete", [])

    connect("silent")
    refused = call("orders", "approve", orders["silent.com"])
    assert (refused.code, "was not checked: " in refused.err) == (5, True)
    connect("")
    told = answer("orders", "approve", orders["silent.com"])
    assert "was not checked: no registrar is connected" in told["plan"]["warnings"][0]


def test_where_the_catalogue_says_so_every_order_waits(connect: Connect, tmp_path: Path) -> None:
    let_wait(tmp_path, "always")
    connect("registrar")
    state, (warned,) = bought("free.com")
    assert state == "awaiting approval"
    assert "Orders of Domain Names are approved" in warned


def test_only_names_can_be_unchecked(connect: Connect, tmp_path: Path) -> None:
    file = tmp_path / "catalogue.toml"
    sold = '\nid = "email"\n'
    file.write_text(shipped().replace(sold, f'{sold}approval = "unchecked"\n', 1))
    refused = call("catalogue", "check", str(file))
    assert refused.code
    assert "only names of domains can be unchecked" in refused.out + refused.err
