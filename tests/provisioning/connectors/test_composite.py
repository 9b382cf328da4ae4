"""A connector made of others: it keeps the promises, and what is half done says which half and goes on."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from mission_control_tui.connect import SUSPEND, ConnectorError, Declaration, Wish
from mission_control_tui.model.errors import InvalidInput, UsageError
from mission_control_tui.model.states import ErrorKind, Light, RequestKind
from mission_control_tui.model.store.scope import AccountScope
from mission_control_tui.provisioning import registry
from mission_control_tui.provisioning.backends import Backends
from mission_control_tui.provisioning.composite import Composite, declared_sum
from mission_control_tui.provisioning.connectors.simulator.connector import DECLARES, ledger, login
from mission_control_tui.provisioning.converge import LookOutcome, observe_and_plan
from mission_control_tui.provisioning.drift import survey
from mission_control_tui.provisioning.guard import Guarded
from mission_control_tui.settings.settings import Settings, load
from mission_control_tui.testing.connectors import ConnectorContract
from tests.provisioning.connectors.support import (
    INSTALLATION,
    LIMITS,
    PASSWORD,
    BackEnd,
    MemoryJournal,
    reach,
    wish,
)
from tests.provisioning.support import ACCOUNT, EXCHANGE, LARGE, World, worker
from tests.provisioning.support import PASSWORD as GIVEN

PARTS = ("directory", "mailbox")
DOWN = "".join(
    f'[[rule]]\nid = "{call}"\ncall = "{call}"\nfail = "unreachable"\nsaid = "Connection refused"\n'
    for call in ("check", "observe", "apply")
)
DOWN_FOR_A_WHILE = DOWN.replace("said =", "fail_times = 3\nsaid =")


@dataclass
class Halves(BackEnd):
    """Two simulators, each with a file and rules of its own, and a composite of both."""

    directory: Path
    service = "databases"
    limits = LIMITS
    options = {"color": "red"}  # noqa: RUF012 - the suite only reads it
    other_options = {"color": "blue"}  # noqa: RUF012 - the same
    half = "directory: account"

    def file(self, part: str) -> Path:
        return self.directory / f"{part}.db"

    def rules(self, part: str, text: str = "") -> None:
        (self.directory / f"{part}.toml").write_text(f"seed = 1\n{text}", "utf-8")

    def tables(self, **composite: object) -> dict[str, dict[str, Any]]:
        for part in PARTS:
            if not (self.directory / f"{part}.toml").exists():
                self.rules(part)
        simulators: dict[str, dict[str, Any]] = {
            f"{part}-server": {
                "type": "simulator",
                "path": str(self.file(part)),
                "rules": str(self.directory / f"{part}.toml"),
                "delay_factor": 0,
            }
            for part in PARTS
        }
        parts = {part: {"connector": f"{part}-server"} for part in PARTS}
        return {**simulators, "back_end": {"type": "composite", "parts": parts, **composite}}

    def toml(self) -> list[str]:
        """The tables as text of a settings file."""
        lines = list[str]()
        for name, table in self.tables().items():
            lines.append(f"[connectors.{name}]")
            lines += [f"{key} = {value!r}" for key, value in table.items() if key != "parts"]
        for part in PARTS:
            lines += [f"[connectors.back_end.parts.{part}]", f'connector = "{part}-server"']
        return lines

    async def open(self, installation: str = INSTALLATION, **settings: object) -> Guarded:
        return await registry.load_set_up(
            "back_end", Settings(connectors=self.tables(**settings)), installation
        )

    async def can_log_in(self, name: str, password: str) -> bool:
        return all(login(self.file(part), name, password) for part in PARTS)

    async def written(self, name: str) -> object:
        return [
            effect
            for part in PARTS
            if self.file(part).exists()
            for effect in ledger(self.file(part))
            if effect.name == name
        ]

    @property
    def declares(self) -> Declaration:
        return declared_sum([DECLARES, DECLARES])


@pytest.fixture
def halves(tmp_path: Path) -> Halves:
    return Halves(tmp_path)


class TestComposite(ConnectorContract):
    @pytest.fixture
    def back_end(self, tmp_path: Path) -> Halves:
        return Halves(tmp_path)


async def test_each_part_has_its_object_and_its_steps_by_name(halves: Halves) -> None:
    connector, journal = await halves.open(), MemoryJournal()
    found = await reach(connector, wish("ann"), journal)
    assert found.outcome is LookOutcome.DONE
    assert journal.done() == ["directory: account", "mailbox: account"]
    removed = MemoryJournal()
    await reach(connector, wish("ann", Wish.ABSENT, generation=2), removed)
    assert removed.done() == ["mailbox: account", "directory: account"]


async def test_a_part_that_cannot_suspend_stays_as_it_is_while_the_whole_is_retained(
    halves: Halves,
) -> None:
    connector = await halves.open()
    await reach(connector, wish("ann"))
    composite = connector.connector
    assert isinstance(composite, Composite)
    unable = composite.parts[0].backend.connector
    unable.declares = replace(DECLARES, capabilities=DECLARES.capabilities - {SUSPEND})
    kept = MemoryJournal()
    await reach(connector, wish("ann", Wish.ABSENT, generation=2, retained=True), kept)
    assert kept.done() == ["mailbox: account"]
    over = MemoryJournal()
    await reach(connector, wish("ann", Wish.ABSENT, generation=3), over)
    assert over.done() == ["mailbox: account", "directory: account"]


async def test_a_part_that_is_down_stops_what_comes_after_it_and_says_its_name(
    halves: Halves,
) -> None:
    halves.rules("mailbox", DOWN)
    connector, journal = await halves.open(), MemoryJournal()
    with pytest.raises(ConnectorError) as met:
        await reach(connector, wish("ann"), journal)
    assert met.value.kind is ErrorKind.UNREACHABLE
    assert met.value.said == "mailbox (mailbox-server): Connection refused"
    assert login(halves.file("directory"), "ann", PASSWORD)
    halves.rules("mailbox")
    again = await halves.open()
    await reach(again, wish("ann", attempt=2))
    for part in PARTS:
        effects = [(one.step, one.effect) for one in ledger(halves.file(part))]
        assert len(effects) == len(set(effects)) > 0


async def test_when_the_first_part_is_down_nothing_is_made(halves: Halves) -> None:
    halves.rules("directory", DOWN)
    with pytest.raises(ConnectorError, match=r"directory \(directory-server\)"):
        await reach(await halves.open(), wish("ann"))
    assert await halves.written("ann") == []


async def test_what_somebody_else_has_in_one_part_is_refused_before_the_first_step(
    halves: Halves,
) -> None:
    tables = halves.tables()
    other = await registry.load_set_up(
        "mailbox-server", Settings(connectors=tables), "another-installation"
    )
    await reach(other, wish("ann", installation="another-installation"))
    look = await observe_and_plan(await halves.open(), wish("ann"))
    assert look.outcome is LookOutcome.BLOCKED
    assert look.plan.reason.startswith("mailbox (mailbox-server): ann exists")
    assert not login(halves.file("directory"), "ann", PASSWORD)


async def test_a_part_that_only_observes_is_shown_with_the_steps_of_all(halves: Halves) -> None:
    tables = halves.tables()
    tables["directory-server"]["mode"] = "observe"
    connector = await registry.load_set_up("back_end", Settings(connectors=tables), INSTALLATION)
    look = await observe_and_plan(connector, wish("ann"))
    assert look.plan.observe_only
    assert "connectors.directory-server.mode" in look.plan.remedy
    assert [step.name for step in look.plan.steps] == ["directory: account", "mailbox: account"]


async def test_somebody_may_allow_it_all_the_same(halves: Halves) -> None:
    tables = halves.tables()
    tables["directory-server"]["mode"] = "observe"
    connector = await registry.load_set_up("back_end", Settings(connectors=tables), INSTALLATION)
    found = await reach(connector.allowed(), wish("ann"))
    assert found.outcome is LookOutcome.DONE
    assert await halves.can_log_in("ann", PASSWORD)


async def test_settings_that_make_no_composite_are_told(halves: Halves) -> None:
    with pytest.raises(InvalidInput, match="cannot be used") as told:
        await halves.open(parts={"a": {"connector": "back_end"}, "b c": {}, "d": 1})
    assert {problem.where for problem in told.value.problems} >= {
        "connectors.back_end.parts.a.connector",
        "connectors.back_end.parts.b c.connector",
        "connectors.back_end.parts.d.connector",
    }
    with pytest.raises(InvalidInput):
        await halves.open(parts={})
    with pytest.raises(UsageError, match="no connector named 'nowhere'"):
        await halves.open(parts={"a": {"connector": "nowhere"}})
    nested = {
        **halves.tables(),
        "more": {"type": "composite", "parts": {"a": {"connector": "back_end"}}},
    }
    with pytest.raises(UsageError, match="cannot be a composite"):
        await registry.load_set_up("more", Settings(connectors=nested), INSTALLATION)


async def test_one_light_says_which_half_is_missing_and_goes_on_by_itself(
    sqlite_world: World, tmp_path: Path
) -> None:
    world, halves = sqlite_world, Halves(tmp_path)
    halves.rules("mailbox", DOWN_FOR_A_WHILE)
    world.configure(
        more=[
            *halves.toml(),
            f'[services]\n{EXCHANGE} = "back_end"',
        ]
    )
    world.store.connectors = {EXCHANGE: "back_end"}
    (upn,) = await world.people("ann")
    with worker(world):
        given = await world.give(upn)

        async def says_so() -> bool:
            return "mailbox (mailbox-server)" in (await world.assignment(given.assignment_id)).step

        await world.until(says_so)
        row = await world.assignment(given.assignment_id)
        assert (row.light, row.connector) == (Light.ORANGE, "back_end")
        assert login(halves.file("directory"), row.backend_name, GIVEN)
        await world.settled()
        assert await world.light(given.assignment_id) == Light.GREEN, await world.story()
        backends = Backends(load(), world.store.installation)
        try:
            scope = AccountScope(world.store, world.caller, ACCOUNT)
            report = await survey(scope, backends, orphans=True, dry_run=True)
        finally:
            await backends.close()
        assert (report.looked, report.differing, report.orphans) == (1, (), ())
        await world.give(upn, LARGE)
        await world.turn(upn, RequestKind.SUSPEND)
        await world.settled()
        row = await world.assignment(given.assignment_id)
        assert row.observed_wish == Wish.SUSPENDED
        await world.turn(upn, RequestKind.DEPROVISION)
        await world.settled()
        assert await world.light(given.assignment_id) == Light.GREY
    for part in PARTS:
        effects = [
            (one.key, one.generation, one.step, one.effect) for one in ledger(halves.file(part))
        ]
        assert len(effects) == len(set(effects))


async def test_a_part_that_may_write_from_now_on_lets_what_waits_go_on_at_once(
    sqlite_world: World, tmp_path: Path
) -> None:
    world, halves = sqlite_world, Halves(tmp_path)
    served = f'[services]\n{EXCHANGE} = "back_end"'
    watching = [
        line
        for written in halves.toml()
        for line in (written, 'mode = "observe"' * (written == "[connectors.mailbox-server]"))
    ]
    # So long is it until the next look by itself.
    world.configure(retry_first_seconds=600, more=[*watching, served])
    world.store.connectors = {EXCHANGE: "back_end"}
    (upn,) = await world.people("ann")
    with worker(world):
        given = await world.give(upn)

        async def only_observes() -> bool:
            return "only observes" in (await world.assignment(given.assignment_id)).step

        await world.until(only_observes)
        assert not halves.file("mailbox").exists()
        world.configure(retry_first_seconds=600, more=[*halves.toml(), served])
        await world.settled()
    assert await world.light(given.assignment_id) == Light.GREEN
