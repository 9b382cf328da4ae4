"""What the simulator plays of real back ends: usage, jobs that run on, what is there already, throttling, outages."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from mission_control_tui.connect import ConnectorError, ErrorKind, Usage
from mission_control_tui.provisioning.connectors.simulator.connector import login
from mission_control_tui.provisioning.converge import LookOutcome, observe_and_plan
from mission_control_tui.provisioning.guard import Guarded
from tests.provisioning.connectors.support import SimulatorBackEnd, check, reach, wish


class Rules:
    """A simulator whose rules file can be changed while it is open."""

    def __init__(self, simulator: SimulatorBackEnd, directory: Path) -> None:
        self.simulator, self.file = simulator, directory / "rules.toml"

    async def open(self, text: str, **settings: Any) -> Guarded:
        self.file.write_text(text)
        return await self.simulator.open(rules=str(self.file), **settings)


@pytest.fixture
def rules(simulator: SimulatorBackEnd, tmp_path: Path) -> Rules:
    return Rules(simulator, tmp_path)


async def test_usage_is_a_part_of_a_limit_or_of_a_number(rules: Rules) -> None:
    connector = await rules.open(
        '[[usage]]\nid = "mailbox"\npart = 0.94\nof = "quota_mb"\nunit = "MB"\n'
        '[[usage]]\nid = "files"\nname = "ann*"\npart = 0.5\nlimit = 10\n'
    )
    assert connector.declares.usage == {"mailbox", "files"}
    found = await reach(connector, wish("ann", service="x", limits={"quota_mb": 1000}))
    used = {name: (one.value, one.limit, one.unit) for name, one in found.observed.usage.items()}
    assert used == {"mailbox": (940, 1000, "MB"), "files": (5, 10, "")}
    other = await reach(connector, wish("ben", service="x", limits={"quota_mb": 1000}))
    assert set(other.observed.usage) == {"mailbox"}
    assert isinstance(other.observed.usage["mailbox"], Usage)


async def test_a_job_has_words_a_deadline_and_says_when_to_look_again(rules: Rules) -> None:
    connector = await rules.open(
        '[[rule]]\nstep = "account"\npending = 60\npending_words = "waits for the registry"\n'
        "deadline = 120\nlook_again_after = 7\n"
    )
    looked = await reach(connector, wish("a", service="x"))
    pending = looked.observed.pending
    assert looked.outcome is LookOutcome.PENDING
    assert pending is not None
    assert pending.words.startswith("waits for the registry")
    assert pending.look_again_after == 7
    assert pending.deadline is not None
    ahead = pending.deadline - datetime.now(UTC)
    assert timedelta(0) < ahead <= timedelta(seconds=120)


async def test_what_exists_already_has_its_settings_password_and_owner(rules: Rules) -> None:
    connector = await rules.open(
        '[[existing]]\nservice = "x"\nname = "old"\nlevel = "small"\npassword = "Old-Secret-1"\n'
        'settings = { color = "red" }\n'
        '[[existing]]\nservice = "x"\nname = "theirs"\nowner = "elsewhere"\n'
        '[[existing]]\nservice = "x"\nname = "odd"\nunadoptable = "it is two of them"\n'
    )
    rows = {row.name: row.mark async for row in connector.list(marked_only=False)}
    assert (rows["old"], rows["odd"]) == (None, None)
    assert rows["theirs"] is not None
    assert rows["theirs"].installation == "elsewhere"
    assert login(rules.simulator.file, "old", "Old-Secret-1")
    refused = await observe_and_plan(connector, wish("odd", service="x", adopt=True))
    assert refused.outcome is LookOutcome.BLOCKED
    assert "it is two of them" in refused.plan.reason
    taken = wish("old", service="x", adopt=True, secret=None, settings={"color": "red"})
    assert (await reach(connector, taken)).outcome is LookOutcome.DONE
    assert login(rules.simulator.file, "old", "Old-Secret-1")


async def test_a_rule_says_why_an_object_cannot_be_taken_over(rules: Rules) -> None:
    connector = await rules.open(
        '[[existing]]\nservice = "x"\nname = "old"\n'
        '[[rule]]\ncall = "observe"\nname = "old"\nunadoptable = "half of it is Bob\'s"\n'
    )
    look = await observe_and_plan(connector, wish("old", service="x", adopt=True))
    assert (look.plan.kind, look.observed.unadoptable) == (
        ErrorKind.CONFLICT,
        "half of it is Bob's",
    )


async def test_more_calls_a_minute_than_it_takes_are_throttled_with_the_time_to_wait(
    rules: Rules,
) -> None:
    connector = await rules.open("seed = 1", calls_per_minute=3)

    async def asks_often() -> None:
        for number in range(5):
            await observe_and_plan(connector, wish(f"a{number}", service="x"))

    with pytest.raises(ConnectorError) as caught:
        await asks_often()
    assert caught.value.kind is ErrorKind.THROTTLED
    assert caught.value.retry_after is not None
    assert 0 < caught.value.retry_after <= 60


async def test_a_rule_may_throttle_and_say_for_how_long(rules: Rules) -> None:
    connector = await rules.open(
        '[[rule]]\ncall = "observe"\nfail = "throttled"\nretry_after = 42.5\nfail_times = 1\n'
    )
    with pytest.raises(ConnectorError) as caught:
        await observe_and_plan(connector, wish("a", service="x"))
    assert (caught.value.kind, caught.value.retry_after) == (ErrorKind.THROTTLED, 42.5)
    await observe_and_plan(connector, wish("a", service="x"))


async def test_an_outage_ends_when_its_rule_is_taken_out(rules: Rules) -> None:
    connector = await rules.open('[[rule]]\ncall = "*"\nfail = "unreachable"\nsaid = "gone"\n')
    for call in (lambda: check(connector), lambda: observe_and_plan(connector, wish("a"))):
        with pytest.raises(ConnectorError, match="gone") as caught:
            await call()
        assert caught.value.kind is ErrorKind.UNREACHABLE
    rules.file.write_text("seed = 2  # it is back\n")
    await check(connector)
    assert (await reach(connector, wish("a", service="x"))).outcome is LookOutcome.DONE
