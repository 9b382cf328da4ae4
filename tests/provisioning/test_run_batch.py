"""What several runs write in one transaction: each behind its own fence, none at another's cost."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select, update

from mission_control_tui.model.errors import OutcomeUnknown
from mission_control_tui.model.requests import jobs, run_batch
from mission_control_tui.model.requests.attempts import (
    Fenced,
    Job,
    Run,
    RunLost,
    StepResult,
    StepStart,
    StopReason,
)
from mission_control_tui.model.requests.outcomes import (
    AttemptFailure,
    Observation,
    fail,
    succeed,
)
from mission_control_tui.model.requests.run_batch import RunBatch, RunWrite, write
from mission_control_tui.model.requests.step_batch import begin_steps
from mission_control_tui.model.states import ErrorKind, Light, RequestState, StepState, Wish
from mission_control_tui.model.store.tables.requests import RequestRow, RequestStepRow
from mission_control_tui.model.store.tables.services import AssignmentRow
from mission_control_tui.model.store.tables.users import SecretRow
from tests.provisioning.support import SMALL, World

GREEN = succeed(Observation(Wish.PRESENT, SMALL))
NEXT = StepStart(2, "mailbox", "mailbox (1 of 1)")
LOOKED = StepResult(1, "observe", StepState.DONE, 5)


async def running(world: World, *names: str) -> list[Run]:
    """Requests of these people that a worker runs, with the first step begun."""
    given = [await world.give(upn) for upn in await world.people(*names)]
    async with world.store.write(world.caller) as tx:
        await tx.session.execute(
            update(RequestRow).values(state=RequestState.RUNNING, attempt=1, worker_id="w")
        )
        for one in given:
            step = RequestStepRow(request_id=one.request_id, attempt=1, number=1, name="observe")
            step.state, step.started_at = StepState.RUNNING, tx.now
            tx.session.add(step)
    return [Run(one.request_id or 0, 1, "w") for one in given]


async def steps(world: World, run: Run) -> list[tuple[int, str]]:
    async with world.store.read() as session:
        rows = await session.execute(
            select(RequestStepRow.number, RequestStepRow.state)
            .where(RequestStepRow.request_id == run.request_id)
            .order_by(RequestStepRow.number)
        )
        return [(row[0], row[1]) for row in rows]


async def test_of_what_is_written_together_each_has_its_own_fence_and_end(world: World) -> None:
    ann, ben, cid, dan = await running(world, "ann", "ben", "cid", "dan")
    stale = Run(dan.request_id, 2, "w")
    failed = fail(AttemptFailure(ErrorKind.INVALID, "no such thing"))
    said = await write(
        world.store,
        [
            RunWrite(ann, LOOKED, GREEN),
            RunWrite(stale, LOOKED, GREEN),
            RunWrite(ben, LOOKED, failed),
            RunWrite(cid, LOOKED, NEXT),
        ],
    )
    assert said[0] is said[2] is said[3] is None
    assert isinstance(said[1], RunLost)
    lights = await world.lights()
    assert (lights[Light.GREEN], lights[Light.RED], lights[Light.ORANGE]) == (1, 1, 2)
    assert await steps(world, ann) == await steps(world, ben) == [(1, StepState.DONE)]
    assert await steps(world, cid) == [(1, StepState.DONE), (2, StepState.RUNNING)]
    assert await steps(world, dan) == [(1, StepState.RUNNING)]
    kinds = [event.kind for event in await world.events(ann.request_id)]
    assert kinds == ["queued", "step", "succeeded"]
    assert "step" not in [event.kind for event in await world.events(dan.request_id)]
    # Each password goes with the end of its own service.
    async with world.store.read() as session:
        kept = await session.scalar(select(func.count()).where(SecretRow.sealed.is_not(None)))
    assert kept == 3
    # What was written is not written again.
    assert isinstance((await write(world.store, [RunWrite(ann, None, GREEN)]))[0], RunLost)


@pytest.mark.any_database
async def test_one_that_cannot_be_written_keeps_none_of_the_others(world: World) -> None:
    ann, ben, cid = await running(world, "ann", "ben", "cid")

    async def breaks(batch: RunBatch, request: RequestRow, row: AssignmentRow) -> None:
        run = Fenced(request.id, request.attempt, request.account_id, row.id, None)
        batch.begin_step(run, StepStart(1, "observe", "the same number again"))

    said = await write(
        world.store,
        [RunWrite(ann, LOOKED, GREEN), RunWrite(ben, None, breaks), RunWrite(cid, LOOKED, NEXT)],
    )
    assert said[0] is said[2] is None
    assert isinstance(said[1], Exception)
    assert (await world.request(ann.request_id)).state == RequestState.SUCCEEDED
    assert (await world.request(ben.request_id)).state == RequestState.RUNNING
    assert [event.kind for event in await world.events(cid.request_id)] == ["queued", "step"]


async def test_a_database_that_is_away_is_told_to_all_and_not_asked_for_each(
    sqlite_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann, ben = await running(sqlite_world, "ann", "ben")
    asked = []

    async def away(_store: object, writes: object) -> list[object]:
        asked.append(writes)
        raise ConnectionRefusedError

    monkeypatch.setattr(run_batch, "_write", away)
    with pytest.raises(ConnectionRefusedError):
        await write(sqlite_world.store, [RunWrite(ann, None, GREEN), RunWrite(ben, None, GREEN)])
    assert len(asked) == 1


@pytest.mark.any_database
async def test_several_jobs_are_read_at_once_and_each_is_its_own(world: World) -> None:
    ann, ben = await running(world, "ann", "ben")
    first, lost, second = await jobs.load(world.store, [ann, Run(ben.request_id, 7, "w"), ben])
    assert isinstance(lost, RunLost)
    assert isinstance(first, Job)
    assert isinstance(second, Job)
    for name, job in (("ann", first), ("ben", second)):
        assert job.attributes["upn"] == f"{name}@acme.example"
        assert job.attributes["addresses"] == [f"{name}@acme.example"]
        assert job.sealed is not None
    assert first.sealed != second.sealed


async def test_a_commit_whose_answer_was_lost_is_told_to_all_and_not_made_again(
    sqlite_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann, ben = await running(sqlite_world, "ann", "ben")
    asked = 0

    async def lost(*_: object) -> list[object]:
        nonlocal asked
        asked += 1
        raise OutcomeUnknown

    monkeypatch.setattr(run_batch, "_write", lost)
    with pytest.raises(OutcomeUnknown):
        await write(
            sqlite_world.store, [RunWrite(ann, LOOKED, GREEN), RunWrite(ben, LOOKED, GREEN)]
        )
    assert asked == 1


async def test_steps_alone_are_one_statement_each_behind_its_own_fence(
    postgres_world: World,
) -> None:
    world = postgres_world
    ann, ben, cid, dan = await running(world, "ann", "ben", "cid", "dan")
    async with world.store.write(world.caller) as tx:
        await tx.session.execute(
            update(RequestRow).where(RequestRow.id == ben.request_id).values(cancel_requested=True)
        )
        await tx.session.execute(
            update(AssignmentRow)
            .where(
                AssignmentRow.id
                == select(RequestRow.assignment_id)
                .where(RequestRow.id == cid.request_id)
                .scalar_subquery()
            )
            .values(generation=AssignmentRow.generation + 1)
        )
    stale = Run(dan.request_id, 2, "w")
    said = await begin_steps(
        world.store, [RunWrite(run, LOOKED, NEXT) for run in (stale, ann, cid, ben)]
    )
    assert isinstance(said[0], RunLost)
    assert said[1:] == [None, StopReason.SUPERSEDED, StopReason.CANCELLED]
    assert await steps(world, ann) == [(1, StepState.DONE), (2, StepState.RUNNING)]
    assert await steps(world, ben) == await steps(world, cid) == [(1, StepState.DONE)]
    assert await steps(world, dan) == [(1, StepState.RUNNING)]
    event = (await world.events(ann.request_id))[-1]
    assert (event.kind, event.step, event.duration_ms, event.detail) == ("step", "observe", 5, {})
    request = await world.request(ann.request_id)
    assert (await world.assignment(request.assignment_id or "")).step == NEXT.shown
    # What one statement cannot write for all is written for each by itself.
    broken = StepResult(2, "mailbox", StepState.DONE, 5, said="\0")
    said = await begin_steps(
        world.store,
        [RunWrite(ann, broken, StepStart(3, "x", "x")), RunWrite(stale, None, NEXT)],
    )
    assert [type(answer) for answer in said][1] is RunLost
    assert isinstance(said[0], Exception)
    assert await steps(world, ann) == [(1, StepState.DONE), (2, StepState.RUNNING)]
