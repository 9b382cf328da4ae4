"""The simulator: every kind of rule, the ledger of effects, logging in, and its file."""

from __future__ import annotations

import asyncio
import hashlib
import sqlite3
import stat
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mission_control_tui.connect import ConnectorError, DesiredState
from mission_control_tui.model.errors import InvalidInput
from mission_control_tui.model.states import ErrorKind, PlanAction, StepState, Wish
from mission_control_tui.provisioning.connectors.simulator.connector import ledger, login
from mission_control_tui.provisioning.connectors.simulator.rules import (
    Ruleset,
    Situation,
    read_rules,
)
from mission_control_tui.provisioning.converge import LookOutcome, apply_step, observe_and_plan
from mission_control_tui.provisioning.guard import Guarded
from tests.provisioning.connectors.support import (
    PASSWORD,
    MemoryJournal,
    SimulatorBackEnd,
    check,
    list_marked,
    new_name,
    reach,
    wish,
)


def mailbox(upn: str = "ann@acme.example", state: Wish = Wish.PRESENT, **more: Any) -> DesiredState:
    """A wish for a mailbox of `upn`."""
    addresses = more.pop("addresses", [upn])
    return wish(
        upn,
        state,
        service="managed-exchange",
        attributes={"upn": upn, "addresses": addresses, "primary_address": addresses[0]},
        **more,
    )


@pytest.fixture
def rules(tmp_path: Path) -> Callable[[str], Path]:
    """Writes a rules file."""

    def write(text: str) -> Path:
        file = tmp_path / "rules.toml"
        file.write_text(text)
        return file

    return write


async def opened(simulator: SimulatorBackEnd, file: Path) -> Guarded:
    return await simulator.open(rules=str(file))


def effects(simulator: SimulatorBackEnd) -> list[tuple[str, str]]:
    return [(effect.step, effect.effect) for effect in ledger(simulator.file)]


STEPS = {
    "managed-exchange": ["directory account", "mailbox", "addresses"],
    "databases": ["role", "database"],
    "databases-postgresql": ["role", "database"],
    "web-hosting": ["site", "domain binding"],
    "domain-registration": ["registry", "name servers"],
    "domain-names": ["registry", "name servers"],
    "anything else": ["account"],
}


@pytest.mark.parametrize("service", STEPS)
async def test_the_shipped_steps_of_each_service(simulator: SimulatorBackEnd, service: str) -> None:
    connector, journal = await simulator.open(), MemoryJournal()
    desired = wish("a", service=service, attributes={"upn": "a@acme.example"})
    assert (await reach(connector, desired, journal)).outcome is LookOutcome.DONE
    assert journal.done() == STEPS[service]


async def test_each_difference_is_carried_by_its_step(simulator: SimulatorBackEnd) -> None:
    connector = await simulator.open()
    await reach(connector, mailbox())
    journal = MemoryJournal()
    changed = mailbox(generation=2, secret=None, addresses=["ann@acme.example", "a@acme.example"])
    await reach(connector, changed, journal)
    assert journal.done() == ["addresses"]
    journal = MemoryJournal()
    await reach(connector, replace(changed, level="large", settings={"quota": 5}), journal)
    assert journal.done() == ["mailbox"]


async def test_the_ledger_counts_every_effect_once(simulator: SimulatorBackEnd) -> None:
    connector = await simulator.open()
    for _ in range(3):
        await reach(connector, mailbox())
    assert effects(simulator) == [
        ("directory account", "created"),
        ("directory account", "password set"),
        ("mailbox", "created"),
        ("addresses", "created"),
    ]
    await reach(connector, mailbox(level="large", generation=2, attempt=3, secret=None))
    change = ledger(simulator.file)[-1]
    assert (change.effect, change.step, change.service) == (
        "changed",
        "mailbox",
        "managed-exchange",
    )
    assert (change.key, change.generation, change.attempt) == ("key-of-ann@acme.example", 2, 3)
    assert ("level", "small", "large") in change.detail
    await reach(connector, mailbox(state=Wish.ABSENT, generation=3, secret=None))
    assert effects(simulator)[-3:] == [
        ("addresses", "removed"),
        ("mailbox", "removed"),
        ("directory account", "removed"),
    ]


async def test_moving_the_fence_is_no_effect(simulator: SimulatorBackEnd) -> None:
    connector = await simulator.open()
    await reach(connector, mailbox())
    before = ledger(simulator.file)
    assert (await reach(connector, mailbox(generation=2, secret=None))).outcome is LookOutcome.DONE
    assert ledger(simulator.file) == before


async def test_a_fence_outlives_its_object(simulator: SimulatorBackEnd) -> None:
    connector = await simulator.open()
    _, late = await observe_and_plan(connector, mailbox(generation=1))
    await reach(connector, mailbox(state=Wish.ABSENT, generation=2))
    with pytest.raises(ConnectorError) as caught:
        await apply_step(connector, mailbox(generation=1), late, late.steps[0])
    assert caught.value.kind is ErrorKind.STALE
    assert effects(simulator) == []
    assert (await reach(connector, mailbox(generation=3))).outcome is LookOutcome.DONE


async def test_a_new_assignment_may_reuse_a_name(simulator: SimulatorBackEnd) -> None:
    connector = await simulator.open()
    await reach(connector, mailbox(key="first", generation=8))
    await reach(connector, mailbox(key="first", state=Wish.ABSENT, generation=9))
    assert (await reach(connector, mailbox(key="second"))).outcome is LookOutcome.DONE
    stale = await reach(connector, mailbox(key="first", generation=8, level="large"))
    assert stale.outcome is LookOutcome.BLOCKED


async def test_login_is_for_the_present_with_the_right_password(
    simulator: SimulatorBackEnd,
) -> None:
    connector, upn = await simulator.open(), "ann@acme.example"
    await reach(connector, mailbox())
    assert login(simulator.file, upn, PASSWORD)
    assert login(simulator.file, upn, PASSWORD, "managed-exchange")
    assert not login(simulator.file, upn, PASSWORD, "databases")
    assert not login(simulator.file, upn, "wrong")
    assert not login(simulator.file, "nobody@acme.example", PASSWORD)
    await reach(connector, mailbox(disabled=True, generation=2, secret=None))
    assert not login(simulator.file, upn, PASSWORD)


async def test_a_password_of_a_former_version_still_lets_in(simulator: SimulatorBackEnd) -> None:
    connector, upn = await simulator.open(), "ann@acme.example"
    await reach(connector, mailbox())
    salt = bytes(16)
    former = f"{salt.hex()}${hashlib.scrypt(PASSWORD.encode(), salt=salt, n=2**12, r=8, p=1).hex()}"
    with closing(sqlite3.connect(simulator.file)) as database, database:
        database.execute("UPDATE object SET body = json_set(body, '$.password', ?)", [former])
    assert login(simulator.file, upn, PASSWORD)
    assert not login(simulator.file, upn, "wrong")


async def test_a_password_is_not_in_the_file(simulator: SimulatorBackEnd) -> None:
    await reach(await simulator.open(), mailbox(secret="Find-Me-If-You-Can"))
    for file in simulator.directory.iterdir():
        assert b"Find-Me-If-You-Can" not in file.read_bytes()


async def test_fails_once_then_works_and_a_restart_does_not_forget(
    simulator: SimulatorBackEnd,
) -> None:
    desired = mailbox("fails.once@acme.example")
    with pytest.raises(ConnectorError) as caught:
        await reach(await simulator.open(), desired)
    assert caught.value.kind is ErrorKind.QUOTA
    assert "Provision again" in caught.value.remedy
    assert not caught.value.outcome_unknown
    again = await reach(
        await simulator.open(), replace(desired, mark=replace(desired.mark, attempt=2))
    )
    assert again.outcome is LookOutcome.DONE
    assert [effect for _, effect in effects(simulator)].count("created") == 3


async def test_never_works_never_works_and_can_be_deprovisioned(
    simulator: SimulatorBackEnd,
) -> None:
    connector, upn = await simulator.open(), "never.works@acme.example"
    for attempt in (1, 2, 3):
        with pytest.raises(ConnectorError) as caught:
            await reach(connector, mailbox(upn, attempt=attempt))
        assert caught.value.kind is ErrorKind.INVALID
    removed = await reach(connector, mailbox(upn, Wish.ABSENT, generation=2))
    assert removed.outcome is LookOutcome.DONE
    assert not removed.observed.exists


async def test_the_shipped_delay_is_about_a_third_of_a_second_a_step() -> None:
    shipped = read_rules(None)
    delays = {
        shipped.delay(Situation.of("apply", mailbox(attempt=attempt), "mailbox"))
        for attempt in range(50)
    }
    assert len(delays) > 40
    assert min(delays) >= 0.2
    assert max(delays) <= 0.4


@pytest.mark.parametrize("kind", list(ErrorKind))
async def test_every_kind_of_error_by_rule(
    simulator: SimulatorBackEnd, rules: Callable[[str], Path], kind: ErrorKind
) -> None:
    file = rules(
        f"""
        [[rule]]
        fail = "{kind}"
        said = "the words"
        code = "E7"
        remedy = "the remedy"
        retry_after = 12.5
        """
    )
    connector = await opened(simulator, file)
    _, plan = await observe_and_plan(connector, mailbox())
    with pytest.raises(ConnectorError) as caught:
        await apply_step(connector, mailbox(), plan, plan.steps[0])
    error = caught.value
    assert (error.kind, error.said, error.code) == (kind, "the words", "E7")
    assert (error.remedy, error.retry_after) == ("the remedy", 12.5)
    assert effects(simulator) == []


@pytest.mark.parametrize("call", ["check", "observe"])
async def test_refused_credentials_by_rule_for_looking_too(
    simulator: SimulatorBackEnd, rules: Callable[[str], Path], call: str
) -> None:
    connector = await opened(
        simulator, rules(f'[[rule]]\ncall = "{call}"\nfail = "auth"\nfail_times = 2')
    )
    for _ in range(2):
        with pytest.raises(ConnectorError) as caught:
            await (check(connector) if call == "check" else reach(connector, mailbox()))
        assert caught.value.kind is ErrorKind.AUTH
    assert "0 objects" in (await check(connector)).detail
    assert (await reach(connector, mailbox())).outcome is LookOutcome.DONE


async def test_an_answer_lost_after_the_act_is_looked_up_and_not_repeated(
    simulator: SimulatorBackEnd, rules: Callable[[str], Path]
) -> None:
    file = rules('[[rule]]\nstep = "account"\nfail = "transient"\nwhen = "after"\nfail_times = 1')
    connector, journal = await opened(simulator, file), MemoryJournal()
    converged = await reach(connector, wish("a", service="x"), journal)
    assert converged.outcome is LookOutcome.DONE
    assert journal.errors[0].outcome_unknown
    assert [entry for entry in journal.entries if entry[1] is not StepState.RUNNING] == [
        ("observe", StepState.DONE),
        ("account", StepState.FAILED),
        ("observe", StepState.DONE),
    ]
    assert effects(simulator) == [("account", "created"), ("account", "password set")]


async def test_an_outcome_may_be_unknown_although_nothing_happened(
    simulator: SimulatorBackEnd, rules: Callable[[str], Path]
) -> None:
    file = rules('[[rule]]\nfail = "transient"\noutcome_unknown = true\nfail_times = 1')
    connector, journal = await opened(simulator, file), MemoryJournal()
    assert (await reach(connector, wish("a", service="x"), journal)).outcome is LookOutcome.DONE
    assert journal.errors[0].outcome_unknown
    assert len(effects(simulator)) == 2


async def test_a_back_end_that_takes_its_time_is_pending_until_it_is_done(
    simulator: SimulatorBackEnd, rules: Callable[[str], Path]
) -> None:
    connector = await opened(simulator, rules('[[rule]]\nstep = "account"\npending = 0.3'))
    desired = wish("a", service="x")
    assert (await reach(connector, desired)).outcome is LookOutcome.PENDING
    for _ in range(100):
        outcome = (await reach(connector, desired)).outcome
        if outcome is LookOutcome.DONE:
            break
        assert outcome is LookOutcome.PENDING
        await asyncio.sleep(0.02)
    assert outcome is LookOutcome.DONE
    assert len(effects(simulator)) == 2


async def test_a_rule_counts_for_each_service_of_each_assignment(
    simulator: SimulatorBackEnd, rules: Callable[[str], Path]
) -> None:
    connector = await opened(simulator, rules('[[rule]]\nfail = "denied"\nfail_times = 1'))
    for desired in (wish("a"), wish("b"), wish("a", service="x")):
        with pytest.raises(ConnectorError):
            await reach(connector, desired)
        assert (await reach(connector, desired)).outcome is LookOutcome.DONE


async def test_rules_that_are_used_up_make_room_for_the_next(
    simulator: SimulatorBackEnd, rules: Callable[[str], Path]
) -> None:
    file = rules(
        '[[rule]]\nfail = "throttled"\nfail_times = 1\n[[rule]]\nfail = "quota"\nfail_times = 1'
    )
    connector = await opened(simulator, file)
    kinds = []
    for _ in range(2):
        with pytest.raises(ConnectorError) as caught:
            await reach(connector, wish("a"))
        kinds.append(caught.value.kind)
    assert kinds == [ErrorKind.THROTTLED, ErrorKind.QUOTA]
    assert (await reach(connector, wish("a"))).outcome is LookOutcome.DONE


@pytest.mark.parametrize(
    ("pattern", "matches"),
    [
        ('service = "managed-*"', True),
        ('service = "databases"', False),
        ('name = "ANN@*"', True),
        ('name = "bob@*"', False),
        ('upn = "ann@acme.example"', True),
        ('upn = "?nn@*"', True),
        ('upn = "ann"', False),
        ('step = "mail*"', True),
        ('step = "addresses"', False),
        ('level = "small"', True),
        ('level = "large"', False),
        ('state = "present"', True),
        ('state = "absent"', False),
        ('service = "managed-*"\nupn = "bob@*"', False),
        ('call = "observe"', False),
        ("", True),
    ],
)
def test_a_rule_matches_when_all_its_patterns_do(
    rules: Callable[[str], Path], pattern: str, matches: bool
) -> None:
    read = read_rules(rules(f'[[rule]]\n{pattern}\nfail = "denied"'))
    assert bool(read.failures(Situation.of("apply", mailbox(), "mailbox"))) is matches


def test_the_jitter_is_the_same_for_the_same_seed(rules: Callable[[str], Path]) -> None:
    def delays(seed: int) -> list[float]:
        read: Ruleset = read_rules(rules(f"seed = {seed}\n[[rule]]\ndelay = 1\njitter = 2"))
        return [
            read.delay(Situation.of("apply", mailbox(attempt=attempt), "mailbox"))
            for attempt in range(20)
        ]

    assert delays(1) == delays(1)
    assert delays(1) != delays(2)
    assert all(1 <= delay <= 3 for delay in delays(1))


def test_every_problem_of_a_rules_file_comes_at_once(rules: Callable[[str], Path]) -> None:
    file = rules(
        """
        sead = 1
        [[step]]
        service = "x"
        [[step]]
        name = "level"
        [[rule]]
        id = "same"
        fail = "sometimes"
        fail_times = 0
        [[rule]]
        id = "same"
        delay = -1
        when = "later"
        state = "gone"
        [[rule]]
        upn = "nobody@*"
        sed = "typing"
        """
    )
    with pytest.raises(InvalidInput) as caught:
        read_rules(file)
    assert str(file) in caught.value.what
    assert {problem.where for problem in caught.value.problems} == {
        "sead",
        "step 1.name",
        "step 2.name",
        "rule same.fail",
        "rule same.fail_times",
        "rule same.delay",
        "rule same.when",
        "rule same.state",
        "rule 3.fail",
        "rule 3.sed",
        "rule same",
    }


@pytest.mark.parametrize("content", ["[[rule", b"\xff\xfe"])
def test_a_rules_file_that_is_no_toml(tmp_path: Path, content: str | bytes) -> None:
    file = tmp_path / "rules.toml"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(InvalidInput, match="TOML"):
        read_rules(file)


async def test_a_rules_file_that_is_not_there(simulator: SimulatorBackEnd) -> None:
    with pytest.raises(InvalidInput, match="cannot be read"):
        await simulator.open(rules="/nowhere/rules.toml")


async def test_a_step_added_to_the_rules_makes_objects_half_made(
    simulator: SimulatorBackEnd, rules: Callable[[str], Path]
) -> None:
    await reach(await opened(simulator, rules('[[step]]\nname = "one"')), wish("a"))
    two = await opened(simulator, rules('[[step]]\nname = "one"\n[[step]]\nname = "two"'))
    journal = MemoryJournal()
    assert (await reach(two, wish("a"), journal)).outcome is LookOutcome.DONE
    assert journal.done() == ["two"]
    other = await opened(simulator, rules('[[step]]\nname = "three"'))
    assert (await reach(other, wish("a"), MemoryJournal())).outcome is LookOutcome.DONE
    removed = await reach(other, wish("a", Wish.ABSENT, generation=2))
    assert not removed.observed.exists


async def test_the_file_is_private_and_its_directory_is_made(tmp_path: Path) -> None:
    back_end = SimulatorBackEnd(tmp_path / "deep" / "down")
    await reach(await back_end.open(), wish("a"))
    assert stat.S_IMODE(back_end.file.stat().st_mode) == 0o600
    assert stat.S_IMODE(back_end.directory.stat().st_mode) == 0o700


async def test_without_a_path_it_lives_in_the_users_data_directory(hermetic_home: Path) -> None:
    from mission_control_tui.provisioning.registry import load

    connector = await load("simulator", {"delay_factor": 0}, "here")
    await reach(connector, wish("a", installation="here"))
    assert (hermetic_home / ".local/share/mission-control/simulator.db").exists()


async def test_removing_the_file_starts_over_while_the_connector_is_open(
    simulator: SimulatorBackEnd,
) -> None:
    connector = await simulator.open()
    await reach(connector, wish("a"))
    for file in simulator.directory.iterdir():
        file.unlink()
    observed, plan = await observe_and_plan(connector, wish("a"))
    assert not observed.exists
    assert plan.action is PlanAction.CREATE


async def test_a_file_of_something_else_is_a_configuration_error(
    simulator: SimulatorBackEnd,
) -> None:
    simulator.file.write_text("not a database at all, but long enough to be mistaken for one")
    with pytest.raises(ConnectorError) as caught:
        await check(await simulator.open())
    assert caught.value.kind is ErrorKind.CONFIG
    assert str(simulator.file) in caught.value.said


async def test_a_file_of_a_newer_version_is_a_configuration_error(
    simulator: SimulatorBackEnd,
) -> None:
    connection = sqlite3.connect(simulator.file)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(ConnectorError, match="99") as caught:
        await check(await simulator.open())
    assert caught.value.kind is ErrorKind.CONFIG


async def test_a_path_that_cannot_be_made_is_a_configuration_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    back_end = SimulatorBackEnd(tmp_path / "file" / "below")
    with pytest.raises(ConnectorError) as caught:
        await check(await back_end.open())
    assert caught.value.kind is ErrorKind.CONFIG


async def test_a_file_that_somebody_holds_is_transient(
    simulator: SimulatorBackEnd, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mission_control_tui.provisioning.connectors.simulator import store

    connector = await simulator.open()
    await reach(connector, wish("a"))
    monkeypatch.setattr(store, "BUSY_SECONDS", 0.05)
    holder = sqlite3.connect(simulator.file, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    with pytest.raises(ConnectorError) as caught:
        await reach(connector, wish("a", level="large", generation=2))
    holder.close()
    assert caught.value.kind is ErrorKind.TRANSIENT


async def test_one_connector_serves_many_at_once(simulator: SimulatorBackEnd) -> None:
    connector = await simulator.open()
    names = [new_name() for _ in range(40)]
    converged = await asyncio.gather(*(reach(connector, wish(name)) for name in names))
    assert {one.outcome for one in converged} == {LookOutcome.DONE}
    assert len(effects(simulator)) == 40 * 3
    assert {name async for name, _ in list_marked(connector)} == set(names)
