"""PostgreSQL: between two steps, what several runs write at the same moment is one statement, committed by itself.

The step that is over, its event, the next one with what stands beside the light, each behind its run's own fence.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial

from sqlalchemy import text

from mission_control_tui.model.requests import run_batch
from mission_control_tui.model.requests.attempts import RunLost, StepStart, reason_to_stop
from mission_control_tui.model.requests.run_batch import NAME_LIMIT, RunWrite
from mission_control_tui.model.states import StepState, Word
from mission_control_tui.model.store.database import Store
from mission_control_tui.model.store.engine import CHANNEL
from mission_control_tui.model.store.retry import retry_on_conflict

_STEPS = text(
    """
WITH given AS (
    SELECT * FROM unnest(
        CAST(:requests AS integer[]), CAST(:attempts AS integer[]), CAST(:workers AS text[]),
        CAST(:ended AS integer[]), CAST(:states AS text[]), CAST(:kinds AS text[]),
        CAST(:ended_names AS text[]), CAST(:said AS text[]), CAST(:remedies AS text[]),
        CAST(:durations AS integer[]), CAST(:details AS text[]),
        CAST(:begun AS integer[]), CAST(:begun_names AS text[]), CAST(:shown AS text[])
    ) AS given(
        id, attempt, worker, ended, state, kind, ended_name, said, remedy, duration, detail,
        begun, begun_name, shown
    )
), fenced AS (
    SELECT given.*, requests.account_id, assignments.id AS assignment_id,
        assignments.generation > requests.generation AS superseded, requests.cancel_requested AS cancelled
    FROM given
    JOIN requests ON requests.id = given.id AND requests.attempt = given.attempt
        AND requests.worker_id = given.worker AND requests.state = 'running'
    JOIN assignments ON assignments.id = requests.assignment_id
    ORDER BY assignments.id FOR UPDATE OF requests, assignments
), closed AS (
    UPDATE request_steps SET state = fenced.state, ended_at = :now FROM fenced
    WHERE request_steps.request_id = fenced.id AND request_steps.attempt = fenced.attempt
        AND request_steps.number = fenced.ended
), told AS (
    INSERT INTO request_events
        (account_id, request_id, at, attempt, kind, step, said, remedy, duration_ms, detail)
    SELECT account_id, id, :now, attempt, kind, ended_name, said, remedy, duration, CAST(detail AS jsonb)
    FROM fenced WHERE ended IS NOT NULL
), opened AS (
    INSERT INTO request_steps (request_id, attempt, number, name, state, started_at)
    SELECT id, attempt, begun, begun_name, :running, :now
    FROM fenced WHERE NOT superseded AND NOT cancelled
), shown AS (
    UPDATE assignments SET word = :word, step = fenced.shown FROM fenced
    WHERE assignments.id = fenced.assignment_id AND NOT superseded AND NOT cancelled
)
SELECT id, superseded, cancelled, pg_notify(:channel, CAST(account_id AS text)) FROM fenced
"""
)


async def begin_steps(store: Store, writes: Sequence[RunWrite]) -> list[object]:
    """Begin the next step of each run and close the one before, as `run_batch.write` does; only for steps alone."""
    try:
        return await retry_on_conflict(partial(_begin_steps, store, writes))
    except Exception as error:
        if run_batch.is_away(error):
            raise
    return await run_batch.write(store, writes)


async def _begin_steps(store: Store, writes: Sequence[RunWrite]) -> list[object]:
    starts = [single.work for single in writes if isinstance(single.work, StepStart)]
    runs = [single.run for single in writes]
    results = [single.result for single in writes]
    parameters = {
        "requests": [run.request_id for run in runs],
        "attempts": [run.attempt for run in runs],
        "workers": [run.worker_id for run in runs],
        "ended": [one and one.number for one in results],
        "states": [one and str(one.state) for one in results],
        "kinds": [
            one and ("step" if one.state is StepState.DONE else "step failed") for one in results
        ],
        "ended_names": [one and one.name[:NAME_LIMIT] for one in results],
        "said": [one and one.said for one in results],
        "remedies": [one and one.remedy for one in results],
        "durations": [one and one.duration_ms for one in results],
        "details": [one and json.dumps(dict(one.detail)) for one in results],
        "begun": [start.number for start in starts],
        "begun_names": [start.name[:NAME_LIMIT] for start in starts],
        "shown": [start.shown[:NAME_LIMIT] for start in starts],
        "now": datetime.now(UTC),
        "running": str(StepState.RUNNING),
        "word": str(Word.PROVISIONING),
        "channel": CHANNEL,
    }
    async with store.committing() as connection:
        found = {
            row.id: reason_to_stop(superseded=row.superseded, cancelled=row.cancelled)
            for row in await connection.execute(_STEPS, parameters)
        }
    return [
        found[run.request_id]
        if run.request_id in found
        else RunLost(f"request {run.request_id}, attempt {run.attempt}")
        for run in runs
    ]
