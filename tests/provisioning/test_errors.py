"""What heals is tried again, what does not is red at once, and what is our own fault pauses the connector."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from mission_control_tui.connect import DesiredState, Mark
from mission_control_tui.model.requests import control as requests
from mission_control_tui.model.services.failures import failures_of
from mission_control_tui.model.states import ErrorKind, Light, RequestKind, RequestState, Wish, Word
from mission_control_tui.model.store.scope import AccountScope
from mission_control_tui.model.store.tables.requests import RequestRow
from mission_control_tui.model.store.tables.users import SecretRow, UserRow
from mission_control_tui.model.store.tables.workers import ConnectorStateRow
from mission_control_tui.model.users.actions.params import ActionParams
from mission_control_tui.model.users.editing import disable_user, enable_user
from mission_control_tui.model.users.provisioning import provision
from mission_control_tui.provisioning.connectors.simulator.connector import login
from mission_control_tui.provisioning.converge import apply_step, observe_and_plan
from mission_control_tui.provisioning.registry import load
from tests.provisioning.support import (
    ACCOUNT,
    EXCHANGE,
    LARGE,
    PASSWORD,
    SMALL,
    World,
    doubled,
    worker,
)

pytestmark = pytest.mark.any_database


async def test_what_can_heal_is_tried_again_and_turns_green(world: World) -> None:
    world.rules(
        'step = "mailbox"\nfail = "transient"\nfail_times = 2\nsaid = "No answer"',
        'step = "addresses"\nfail = "transient"\nfail_times = 1\nwhen = "after"\nsaid = "Cut off"',
    )
    (upn,) = await world.people("ann")
    with worker(world):
        given = await world.give(upn)
        await world.settled()
    assert await world.light(given.assignment_id) == Light.GREEN
    request = await world.request(given.request_id)
    assert (request.failures, request.attempt) == (3, 4)
    events = await world.events(given.request_id)
    retries = [event.said for event in events if event.kind == "retry"]
    assert [said.partition(" (")[0] for said in retries] == ["No answer", "No answer", "Cut off"]
    assert all(f"tried {number} of" in said for number, said in enumerate(retries, 1))
    assert not doubled(world.effect_counts())


async def test_what_does_not_heal_is_red_after_the_limit(sqlite_world: World) -> None:
    world = sqlite_world
    world.configure(retry_limit=3)
    world.rules('step = "mailbox"\nfail = "transient"\nsaid = "No answer"\nremedy = "Wait"')
    (upn,) = await world.people("ann")
    with worker(world):
        given = await world.give(upn)
        await world.settled()
    row = await world.assignment(given.assignment_id)
    assert (row.light, row.word, row.error_kind) == (Light.RED, Word.ERROR, ErrorKind.TRANSIENT)
    assert (row.error_said, row.error_remedy) == ("No answer", "Wait")
    request = await world.request(given.request_id)
    assert (request.state, request.failures) == (RequestState.FAILED, 3)


async def test_what_can_be_corrected_is_kept_with_the_failure(sqlite_world: World) -> None:
    world = sqlite_world
    world.rules('step = "mailbox"\nfail = "invalid"\nsaid = "Too large"\nfield = "quota"')
    (upn,) = await world.people("ann")
    with worker(world):
        given = await world.give(upn)
        await world.settled()
    failures = await failures_of(AccountScope(world.store, world.caller, ACCOUNT), upn)
    failure = failures[given.assignment_id]
    assert (failure.step, failure.field) == ("mailbox", "quota")


async def test_between_tries_the_light_says_which_and_why(sqlite_world: World) -> None:
    world = sqlite_world
    world.configure(retry_first_seconds=3600.0, retry_cap_seconds=3600.0, retry_limit=5)
    world.rules('step = "mailbox"\nfail = "transient"\nretry_after = 500\nsaid = "Too fast"')
    (upn,) = await world.people("ann")
    with worker(world):
        given = await world.give(upn)

        async def waits() -> bool:
            return (await world.assignment(given.assignment_id)).word == Word.WAITING

        await world.until(waits)
        row = await world.assignment(given.assignment_id)
        request = await world.request(given.request_id)
        assert row.light == Light.ORANGE
        assert row.step == "Try 1 of 5 failed: Too fast"
        assert request.state == RequestState.QUEUED
        wait = request.next_try_at - await world.store.now()
        assert 400 < wait <= 500 + 3600

        world.rules()
        assert given.request_id is not None
        await requests.cancel(AccountScope(world.store, world.caller, ACCOUNT), given.request_id)
        await world.settled()
    assert (await world.request(given.request_id)).state == RequestState.CANCELLED


async def test_red_at_once_with_words_and_remedy_and_again_when_asked(sqlite_world: World) -> None:
    world = sqlite_world
    world.rules(
        'step = "mailbox"\nfail = "quota"\nfail_times = 1\nsaid = "Full"\nremedy = "Buy disks"'
    )
    (upn,) = await world.people("ann")
    with worker(world):
        given = await world.give(upn)
        await world.settled()
        row = await world.assignment(given.assignment_id)
        assert (row.light, row.error_kind) == (Light.RED, ErrorKind.QUOTA)
        assert (row.error_said, row.error_remedy) == ("Full", "Buy disks")
        request = await world.request(given.request_id)
        assert (request.state, request.attempt) == (RequestState.FAILED, 1)
        failed = [one for one in await world.events(given.request_id) if one.kind == "step failed"]
        assert [(one.step, one.said, one.detail["kind"]) for one in failed] == [
            ("mailbox", "Full", "quota")
        ]
        assert failed[0].duration_ms is not None
        assert await world.held() == {SMALL: 1, LARGE: 0}

        assert given.request_id is not None
        await requests.retry(AccountScope(world.store, world.caller, ACCOUNT), given.request_id)
        await world.settled()
    row = await world.assignment(given.assignment_id)
    assert (row.light, row.error_kind, row.error_said) == (Light.GREEN, "", "")


async def test_red_on_a_change_of_level_keeps_both_seats(sqlite_world: World) -> None:
    world = sqlite_world
    world.rules(f'step = "mailbox"\nlevel = "{LARGE}"\nfail = "denied"')
    (upn,) = await world.people("ann")
    with worker(world):
        given = await world.give(upn, SMALL)
        await world.settled()
        await world.give(upn, LARGE)
        await world.settled()
    row = await world.assignment(given.assignment_id)
    assert (row.light, row.level_id, row.observed_level) == (Light.RED, LARGE, SMALL)
    assert await world.held() == {SMALL: 1, LARGE: 1}


async def test_refused_credentials_pause_the_connector_until_a_check_passes(world: World) -> None:
    world.rules(
        'step = "directory account"\nfail = "auth"\nfail_times = 1\nsaid = "Wrong password"'
        '\nupn = "ann@*"',
        'call = "check"\nfail = "auth"\nfail_times = 3\nsaid = "Still wrong"',
    )
    ann, bob, cem = await world.people("ann", "bob", "cem")
    with worker(world):
        refused = await world.give(ann)

        async def paused() -> bool:
            async with world.store.read() as session:
                return bool(await session.scalar(select(ConnectorStateRow.paused)))

        await world.until(paused)
        waiting = [refused, await world.give(bob), await world.give(cem)]

        async def all_wait() -> bool:
            rows = [await world.assignment(one.assignment_id) for one in waiting]
            return all(row.word == Word.WAITING and "connector" in row.step for row in rows)

        await world.until(all_wait)
        assert "simulator" in (await world.request(waiting[0].request_id)).waiting_for
        await world.settled()
        for one in waiting:
            assert await world.light(one.assignment_id) == Light.GREEN
        async with world.store.read() as session:
            assert await session.scalar(select(ConnectorStateRow.paused)) is False
        assert (await world.request(refused.request_id)).failures == 0


async def test_a_connector_that_the_settings_lack_waits_for_the_settings(
    sqlite_world: World,
) -> None:
    world = sqlite_world
    world.configure(simulator={"mode": "no such mode"})
    ann, bob = await world.people("ann", "bob")
    with worker(world):
        first, second = await world.give(ann), await world.give(bob)

        async def both_wait() -> bool:
            rows = [await world.assignment(one.assignment_id) for one in (first, second)]
            return all(row.word == Word.WAITING and "mode" in row.step for row in rows)

        await world.until(both_wait)
        world.configure()
        await world.settled()
        for one in (first, second):
            assert await world.light(one.assignment_id) == Light.GREEN


async def test_what_the_back_end_still_works_on_stays_orange_until_it_is_done(
    sqlite_world: World,
) -> None:
    world = sqlite_world
    world.rules('step = "addresses"\npending = 1.5')
    (upn,) = await world.people("ann")
    with worker(world):
        given = await world.give(upn)

        async def pending() -> bool:
            request = await world.request(given.request_id)
            return request.state == RequestState.QUEUED and request.attempt > 0

        await world.until(pending)
        row = await world.assignment(given.assignment_id)
        assert (row.light, row.word) == (Light.ORANGE, Word.WAITING)
        await world.settled()
    assert await world.light(given.assignment_id) == Light.GREEN
    request = await world.request(given.request_id)
    assert request.failures == 0
    events = [event.kind for event in await world.events(given.request_id)]
    assert events.count("pending") == 1


async def test_a_delivered_password_is_wiped_and_not_before(sqlite_world: World) -> None:
    world = sqlite_world
    world.rules('step = "mailbox"\nfail = "quota"\nfail_times = 1')
    (upn,) = await world.people("ann")
    with worker(world):
        given = await world.give(upn)
        await world.settled()
        async with world.store.read() as session:
            (secret,) = (await session.scalars(select(SecretRow))).all()
        assert secret.sealed is not None
        await world.give(upn)
        await world.settled()
    row = await world.assignment(given.assignment_id)
    assert row.password_delivered
    assert row.secret_id is None
    assert login(world.simulator_path, row.backend_name, PASSWORD)
    async with world.store.read() as session:
        (secret,) = (await session.scalars(select(SecretRow))).all()
        assert secret.sealed is None
        assert secret.wiped_at is not None
        assert await session.scalar(select(UserRow.secret_id)) is None
    for path in world.directory.iterdir():
        assert PASSWORD.encode() not in path.read_bytes(), path
    for event in await world.events(given.request_id):
        assert PASSWORD not in f"{event.said} {event.detail}"


async def test_without_its_key_the_worker_says_so_and_pauses_nothing(sqlite_world: World) -> None:
    world = sqlite_world
    (upn,) = await world.people("ann")
    key = world.directory / "store.db.key"
    kept = key.read_bytes()
    key.write_bytes(bytes(32))
    with worker(world):
        given = await world.give(upn)
        await world.settled()
        row = await world.assignment(given.assignment_id)
        assert row.light == Light.RED
        assert "key" in row.error_said
        assert "reset the passwords" in row.error_remedy
        async with world.store.read() as session:
            assert await session.scalar(select(ConnectorStateRow.name)) is None
        key.write_bytes(kept)
        await world.give(upn)
        await world.settled()
    assert await world.light(given.assignment_id) == Light.GREEN


async def test_an_object_of_somebody_else_is_left_alone_until_adopted(sqlite_world: World) -> None:
    world = sqlite_world
    table = {"path": str(world.simulator_path), "rules": str(world.rules_path)}
    somebody = await load("simulator", table, "somebody else")
    mark = Mark("somebody else", "their key", 1, 1)
    theirs = DesiredState(mark, EXCHANGE, f"{ACCOUNT}_ann", Wish.PRESENT, SMALL)
    _, plan = await observe_and_plan(somebody, theirs)
    for step in plan.steps:
        await apply_step(somebody, theirs, plan, step)
    before = world.effects()
    (upn,) = await world.people("ann")
    with worker(world):
        given = await world.give(upn)
        await world.settled()
        row = await world.assignment(given.assignment_id)
        assert (row.light, row.error_kind) == (Light.RED, ErrorKind.CONFLICT)
        assert "adopt" in row.error_remedy
        assert world.effects() == before
        await provision(
            AccountScope(world.store, world.caller, ACCOUNT),
            upn,
            [ActionParams(EXCHANGE, SMALL, adopt=True)],
        )
        await world.settled()
    assert await world.light(given.assignment_id) == Light.GREEN
    assert "adopted" in {one.effect for one in world.effects()}


async def test_a_disabled_user_is_suspended_and_comes_back(sqlite_world: World) -> None:
    world = sqlite_world
    (upn,) = await world.people("ann")
    with worker(world):
        given = await world.give(upn)
        await world.settled()
        name = (await world.assignment(given.assignment_id)).backend_name
        await disable_user(AccountScope(world.store, world.caller, ACCOUNT), upn)
        await world.settled()
        row = await world.assignment(given.assignment_id)
        assert (row.light, row.wish, row.observed_wish) == (Light.GREEN, "present", "suspended")
        assert not login(world.simulator_path, name, PASSWORD)
        await enable_user(AccountScope(world.store, world.caller, ACCOUNT), upn)
        await world.settled()
        assert login(world.simulator_path, name, PASSWORD)
    parents = [RequestKind.DISABLE, RequestKind.ENABLE]
    async with world.store.read() as session:
        rows = (
            await session.scalars(
                select(RequestRow).where(RequestRow.assignment_id.is_(None)).order_by(RequestRow.id)
            )
        ).all()
    assert [(one.kind, one.state) for one in rows] == [
        (kind, RequestState.SUCCEEDED) for kind in parents
    ]
