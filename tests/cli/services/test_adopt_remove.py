"""`adopt remove`: orphans are removed as requests, within the limit, once, and nothing but the listed objects."""

from __future__ import annotations

import csv
import subprocess
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from mission_control_tui.provisioning.connectors.simulator.connector import ledger
from mission_control_tui.settings.settings import locations
from tests.cli.command import Command

EXCHANGE = "managed-exchange"


class Orphaned:
    """Mailboxes at `simulator` that were left behind when `second` became the connector of the service."""

    def __init__(self, mc: Command) -> None:
        self.mc = mc

    def settings(
        self, *worker: str, mode: str = "enabled", delay: float = 0, second: str = "second.db"
    ) -> None:
        file = self.mc.database.with_name(second)
        lines = [
            *("[worker]", *worker, "[connectors.simulator]", f'mode = "{mode}"'),
            *(f"delay_factor = {delay}", "[connectors.second]", 'type = "simulator"'),
            *(f'path = "{file}"', "delay_factor = 0", "[services]", f'{EXCHANGE} = "second"'),
        ]
        locations().settings_file.write_text("\n".join(lines) + "\n")

    def work(self) -> None:
        done = self.mc.run("worker", "--idle-exit", "0.2", seconds=90)
        assert done.code == 0, done.err

    def work_until(self, done: Callable[[], bool]) -> None:
        """Have a worker at work that does not end by itself, until something is so."""
        deadline = time.monotonic() + 60
        with self.mc.start("worker") as process:
            try:
                while not done():
                    assert time.monotonic() < deadline
                    time.sleep(0.1)
            finally:
                process.terminate()

    def names(self) -> list[str]:
        found = self.mc.run("drift", "--orphans", "--json").json["orphans"]
        return sorted(one["name"] for one in found)

    def removals(self) -> Counter[tuple[str, str]]:
        """How often each part of each object was removed at the first back end."""
        effects = ledger(self.mc.database.with_name("simulator.db"))
        return Counter((one.name, one.step) for one in effects if one.effect == "removed")


@pytest.fixture
def orphaned(acme: Command, monkeypatch: pytest.MonkeyPatch) -> Orphaned:
    monkeypatch.setenv("MISSION_CONTROL_NO_WORKER", "1")
    file = locations().settings_file
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("[connectors.simulator]\ndelay_factor = 0\n")
    made = Orphaned(acme)
    for name in ("ada", "ben", "cy"):
        acme.ok("provision", acme.user(name), EXCHANGE, "--level", "popx")
    made.work()
    made.settings()
    acme.ok("provision", "ada@acme.example", EXCHANGE, "--level", "popx")
    made.work()
    return made


def test_orphans_are_shown_then_removed_once_and_what_a_service_has_stays(
    orphaned: Orphaned, tmp_path: Path
) -> None:
    mc = orphaned.mc
    names = orphaned.names()
    assert len(names) == 3
    refused = mc.run("adopt", "remove", "simulator")
    assert (refused.code, "Remove 3 orphans at simulator" in refused.err) == (7, True), refused
    tried = mc.json("adopt", "remove", "simulator", "--dry-run")
    assert (tried["applied"], len(tried["orphans"])) == (False, 3)
    assert {one["verdict"] for one in tried["orphans"]} == {"asked"}
    assert mc.run("adopt", "remove", "simulator", "nobody", "--yes").code == 4
    assert mc.run("--read-only", "adopt", "remove", "simulator", "--yes").code != 0
    assert "has no orphans" in mc.ok("adopt", "remove", "second", "--yes").out

    heads = ("Action", "Account", "User or Domain", "Level", "Connector", "Service", "Native Name")
    file = tmp_path / "orphans.csv"
    with file.open("w", newline="") as out:
        writer = csv.writer(out)
        writer.writerow((*heads, "Whose"))
        for name, action in zip(names, ("remove", "leave", "leave"), strict=True):
            writer.writerow((action, "", "", "", "simulator", EXCHANGE, name, "orphan"))
    assert mc.json("adopt", "load", str(file))["counts"] == {"left": 3}
    one = mc.ok("adopt", "remove", "simulator", "--from", str(file), "--yes", "--ticket", "T-9")
    assert "1 removal asked for" in one.err
    orphaned.settings(mode="observe")
    number = str(mc.json("requests", "list")["requests"][0]["id"])
    orphaned.work_until(lambda: "planned" in mc.ok("requests", "show", number).out)
    orphaned.settings()
    mc.ok("requests", "retry", number)
    assert mc.json("adopt", "remove", "simulator", names[0], "--yes")["requests"] == []
    orphaned.work()
    assert orphaned.names() == names[1:]
    entry = next(e for e in mc.json("audit")["entries"] if e["action"] == "remove orphan")
    assert (entry["ticket"], names[0] in entry["target"]) == ("T-9", True)
    assert mc.run("undo", "audit", str(entry["id"]), "--yes").code == 5

    mc.ok("adopt", "remove", "simulator", "--yes")
    orphaned.work()
    assert orphaned.names() == []
    assert set(orphaned.removals().values()) == {1}
    lights = {(one["subject"], one["light"]) for one in mc.json("status")["services"]}
    assert ("ada@acme.example", "green") in lights
    assert "acme" not in {subject for subject, _ in lights}, "what is over is not shown"


def test_more_than_the_limit_wait_until_they_are_allowed(orphaned: Orphaned) -> None:
    mc = orphaned.mc
    orphaned.settings("removal_limit = 2")
    mc.ok("adopt", "remove", "simulator", "--yes")
    orphaned.work()
    assert len(orphaned.names()) == 1
    assert "Paused: more than 2 removals" in mc.ok("status").out
    mc.ok("requests", "allow", "--yes")
    orphaned.work()
    assert orphaned.names() == []


def test_what_a_service_knows_again_is_not_removed(orphaned: Orphaned) -> None:
    mc = orphaned.mc
    mc.ok("adopt", "remove", "simulator", "--yes")
    # Back to where it was: the service of each finds its object again before a worker removes it.
    locations().settings_file.write_text("[connectors.simulator]\ndelay_factor = 0\n")
    orphaned.work()
    assert orphaned.removals() == Counter()
    errors = [one["error"]["said"] for one in mc.json("status")["services"] if one["error"]]
    assert len(errors) == 3
    assert "is no orphan any more" in errors[0]


def test_what_a_service_has_there_by_another_connector_is_not_removed(orphaned: Orphaned) -> None:
    mc = orphaned.mc
    mc.ok("adopt", "remove", "simulator", "--yes")
    # Two connectors of one back end: what is lost to the one is what the services of the other have.
    orphaned.settings(second="simulator.db")
    orphaned.work()
    errors = [one["error"]["said"] for one in mc.json("status")["services"] if one["error"]]
    assert [error.partition(": ")[2] for error in errors] == [
        "connector second has the very same object for a service here"
    ] * 3
    found = mc.json("adopt", "remove", "simulator", "--yes")
    assert {one["verdict"] for one in found["orphans"]} == {"left"}
    assert "second has the very same object" in found["orphans"][0]["reason"]
    assert orphaned.removals() == Counter()


@pytest.mark.proof
def test_a_worker_that_is_killed_while_it_removes_goes_on_and_removes_each_once(
    orphaned: Orphaned,
) -> None:
    mc = orphaned.mc
    orphaned.settings(delay=1.5)
    mc.ok("adopt", "remove", "simulator", "--yes")
    for _ in range(3):
        with mc.start("worker", "--idle-exit", "0.2") as begun:
            if not _ended(begun, 2.5):
                begun.kill()
    orphaned.settings("lease_seconds = 2")
    orphaned.work()
    assert orphaned.names() == []
    assert set(orphaned.removals().values()) == {1}


def _ended(process: subprocess.Popen[bytes], seconds: float) -> bool:
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        return False
    return True
