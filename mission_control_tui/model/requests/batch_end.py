"""PostgreSQL: what the ends of several runs write beside their own rows is one statement of their transaction.

The step that is over, the events, the seats that are given back, the notice to whoever shows the accounts; and what
waits for these services is asked for.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import text

from mission_control_tui.model.store.engine import CHANNEL
from mission_control_tui.model.store.transaction import Transaction

_EVENTS = (
    *("account_id", "request_id", "at", "attempt", "kind", "step"),
    *("said", "remedy", "duration_ms", "detail"),
)
_STEPS = ("of_request", "of_attempt", "of_number", "new_state", "new_ended_at")

_END = text(
    """
WITH over AS (
    SELECT * FROM unnest(
        CAST(:of_request AS integer[]), CAST(:of_attempt AS integer[]), CAST(:of_number AS integer[]),
        CAST(:new_state AS text[]), CAST(:new_ended_at AS timestamptz[])
    ) AS over(request_id, attempt, number, state, ended_at)
), closed AS (
    UPDATE request_steps SET state = over.state, ended_at = over.ended_at FROM over
    WHERE request_steps.request_id = over.request_id AND request_steps.attempt = over.attempt
        AND request_steps.number = over.number
), told AS (
    INSERT INTO request_events
        (account_id, request_id, at, attempt, kind, step, said, remedy, duration_ms, detail)
    SELECT account_id, request_id, at, attempt, kind, step, said, remedy, duration_ms, CAST(detail AS jsonb)
    FROM unnest(
        CAST(:account_id AS integer[]), CAST(:request_id AS integer[]), CAST(:at AS timestamptz[]),
        CAST(:attempt AS integer[]), CAST(:kind AS text[]), CAST(:step AS text[]), CAST(:said AS text[]),
        CAST(:remedy AS text[]), CAST(:duration_ms AS integer[]), CAST(:detail AS text[])
    ) WITH ORDINALITY AS event(
        account_id, request_id, at, attempt, kind, step, said, remedy, duration_ms, detail, place
    )
    ORDER BY place
), gone AS (
    DELETE FROM seat_holds USING seat_pools
    WHERE seat_pools.id = seat_holds.pool_id AND seat_holds.assignment_id = ANY(CAST(:releasing AS text[]))
        AND NOT EXISTS (
            SELECT FROM unnest(CAST(:keeping AS text[]), CAST(:levels AS text[])) AS kept(assignment_id, level_id)
            WHERE kept.assignment_id = seat_holds.assignment_id AND kept.level_id = seat_pools.level_id
        )
    RETURNING pool_id
), given AS (
    SELECT pool_id, count(*) AS count FROM gone GROUP BY pool_id
), locked AS (
    SELECT id FROM seat_pools WHERE id IN (SELECT pool_id FROM given) ORDER BY id FOR UPDATE
), pools AS (
    UPDATE seat_pools SET held = held - given.count FROM given JOIN locked ON locked.id = given.pool_id
    WHERE seat_pools.id = given.pool_id
)
SELECT
    ARRAY(
        SELECT waits.request_id FROM request_dependencies AS waits
        JOIN requests AS needed ON needed.id = waits.depends_on_id
        WHERE needed.assignment_id = ANY(CAST(:ended AS text[]))
    ),
    (SELECT count(pg_notify(:channel, payload)) FROM unnest(CAST(:payloads AS text[])) AS payload)
"""
)


async def end_together(
    tx: Transaction,
    steps: Sequence[Mapping[str, object]],
    kept_seats: Mapping[str, Collection[str]],
    ended: Sequence[str],
) -> list[int]:
    """Write what is told of ends; return the requests that depend on the services in `ended`.

    `steps` that are over, the seats of services to be given back but for those of the levels that each keeps.
    """
    events = tx.take_events()
    kept = [(assignment, level) for assignment, levels in kept_seats.items() for level in levels]
    columns = {name: [event[name] for event in events] for name in _EVENTS}
    columns["detail"] = [json.dumps(detail) for detail in columns["detail"]]
    given = {
        **columns,
        **{name: [step[name] for step in steps] for name in _STEPS},
        "releasing": sorted(kept_seats),
        "keeping": [assignment for assignment, _ in kept],
        "levels": [level for _, level in kept],
        "ended": list(ended),
        "channel": CHANNEL,
        "payloads": tx.payloads,
    }
    dependents, _ = (await tx.session.execute(_END, given)).one()
    tx.silent = True
    return list(dependents)
