"""The facts that the plan of a bulk reads of each item: those of whom they are the same get the same answer."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from mission_control_tui.model.bulk_targets import Target
from mission_control_tui.model.bulk_views import BulkParams
from mission_control_tui.model.restating import same, state_of
from mission_control_tui.model.states import SubjectKind
from mission_control_tui.model.tables import AssignmentRow, SeatHoldRow, SeatPoolRow, UserRow

Level = tuple[str, str]
"""Ids of a service and of one of its levels."""


@dataclass(slots=True)
class Facts:
    """What an answer depends on, of one item: `key` is the same for all who get the same answer."""

    target: Target
    key: str
    holds: frozenset[Level]
    connector: str = ""


async def facts_of(
    session: AsyncSession, chosen: Sequence[Target], params: BulkParams
) -> list[Facts]:
    """What is known of each of the items, in their order; few enough for one statement (`chunks`)."""
    user_ids = {one.user_id for one in chosen if one.user_id is not None}
    others = {one.assignment_id for one in chosen if one.user_id is None}
    users = {
        row.id: row
        for row in await session.execute(
            select(
                UserRow.id,
                UserRow.upn,
                UserRow.disabled,
                UserRow.in_bin,
                UserRow.secret_id,
                UserRow.details,
            ).where(UserRow.id.in_(user_ids))
        )
    }
    mine = AssignmentRow.user_id.in_(user_ids) | AssignmentRow.id.in_(others)
    services: dict[str | None, list[AssignmentRow]] = defaultdict(list)
    for row in await session.scalars(
        select(AssignmentRow).where(mine).order_by(AssignmentRow.service_id, AssignmentRow.instance)
    ):
        services[row.user_id or row.id].append(row)
    holds: dict[str, set[Level]] = defaultdict(set)
    for assignment_id, service_id, level_id in await session.execute(
        select(SeatHoldRow.assignment_id, SeatPoolRow.service_id, SeatPoolRow.level_id)
        .join(SeatPoolRow, SeatPoolRow.id == SeatHoldRow.pool_id)
        .join(AssignmentRow, AssignmentRow.id == SeatHoldRow.assignment_id)
        .where(mine)
    ):
        holds[assignment_id].add((service_id, level_id))
    found = []
    for one in chosen:
        user = users.get(one.user_id) if one.user_id is not None else None
        rows = services[one.user_id or one.assignment_id]
        concerned = [row for row in rows if _concerns(row, one, params)]
        known = {
            "user": user
            and (
                user.upn.rpartition("@")[2],
                user.disabled,
                user.in_bin,
                user.secret_id is not None,
                bool(user.details.get("must_change_password")),
            ),
            "has": [
                (row.subject_kind, row.service_id, row.instance, row.wish, row.light)
                for row in rows
            ],
            "about": [_about(row, sorted(holds[row.id])) for row in concerned],
            "states": one.previous,
            "changed": [row.id for row in concerned if _was_changed(row, one)],
        }
        found.append(
            Facts(
                one,
                json.dumps(known, sort_keys=True, default=str),
                frozenset(level for row in concerned for level in holds[row.id]),
                next((row.connector for row in concerned), ""),
            )
        )
    return found


def _concerns(row: AssignmentRow, target: Target, params: BulkParams) -> bool:
    if target.assignment_id is not None:
        return row.id == target.assignment_id
    if not params.service:
        return True
    return (row.service_id, row.instance, row.subject_kind) == (
        params.service,
        params.instance,
        SubjectKind.USER,
    )


def _was_changed(row: AssignmentRow, target: Target) -> bool:
    """Whether somebody changed what is to be restated: then it matters who, and each is asked for by itself."""
    expected = target.previous.get("expected")
    return expected is not None and "wish" in expected and not same(state_of(row), expected)


def _about(row: AssignmentRow, holds: list[Level]) -> tuple[object, ...]:
    return (
        state_of(row),
        *(row.light, row.word, row.drift, row.connector, row.password_delivered),
        row.secret_id is not None,
        holds,
    )
