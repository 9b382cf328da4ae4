"""The facts that the plan of a bulk reads of each item: those of whom they are the same get the same answer."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Text, cast, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from mission_control_tui.model.bulk.targets import BulkTarget
from mission_control_tui.model.catalogue.types import Catalogue
from mission_control_tui.model.people.address_syntax import lookup_key
from mission_control_tui.model.services.forwarding import reached_from
from mission_control_tui.model.store.batches import batches
from mission_control_tui.model.store.tables.services import (
    AssignmentRow,
    SeatHoldRow,
    SeatPoolRow,
)
from mission_control_tui.model.store.tables.users import AddressRow, UserRow
from mission_control_tui.model.users.actions.params import ActionParams
from mission_control_tui.model.users.revert import same

Level = tuple[str, str]
"""Ids of a service and of one of its levels."""

_SERVICE = (
    AssignmentRow.id,
    AssignmentRow.user_id,
    AssignmentRow.domain_id,
    AssignmentRow.subject_kind,
    AssignmentRow.service_id,
    AssignmentRow.instance,
    AssignmentRow.wish,
    AssignmentRow.level_id,
    # As text, which is compared; it is read for few.
    cast(AssignmentRow.settings, Text).label("settings"),
    cast(AssignmentRow.stated, Text).label("stated"),
    AssignmentRow.light,
    AssignmentRow.word,
    AssignmentRow.drift,
    AssignmentRow.connector,
    AssignmentRow.password_delivered,
    AssignmentRow.secret_id.is_not(None).label("has_secret"),
)
_BETWEEN = re.compile(r"[\s,;]+")
_ABOUT = 4
"""From here on they tell what is asked about."""


@dataclass(frozen=True, slots=True)
class ItemKind:
    """Items that get the same answer: one of them, the seats that each of them holds, and their connector."""

    target: BulkTarget
    holds: frozenset[Level]
    connector: str = ""


Kinds = dict[Hashable, ItemKind]
"""By all that the answer depends on."""


async def meant_users(
    session: AsyncSession,
    catalogue: Catalogue,
    account_id: int,
    params: ActionParams,
    chosen: Sequence[BulkTarget],
) -> frozenset[str]:
    """Return the ids of users whom settings name by an address, and to whom these send on: each is a kind of its own.

    An address is theirs already, or mail would come back to them; nobody else is told apart by it.
    """
    documents: list[object] = [params.settings]
    for target in chosen:
        documents += [
            stated.get("settings")
            for stated in (target.previous.get("give"), target.previous.get("target"))
            if stated
        ]
    keys = {lookup_key(text) for document in documents for text in _addresses(document)}
    found: set[str] = set()
    for chunk in batches(sorted(keys)):
        held = await session.execute(
            select(AddressRow.user_id, AddressRow.object_id).where(
                AddressRow.key.in_(chunk), AddressRow.account_id == account_id
            )
        )
        found.update(str(user_id or object_id) for user_id, object_id in held)
    return await reached_from(session, catalogue, found)


def _addresses(value: object) -> Iterator[str]:
    """Yield what may be an address of a settings document, also of a list that is typed as one text."""
    if isinstance(value, str):
        yield from (part for part in _BETWEEN.split(value) if "@" in part)
    elif isinstance(value, Mapping):
        for held in value.values():
            yield from _addresses(held)
    elif isinstance(value, Iterable):
        for held in value:
            yield from _addresses(held)


async def kinds_of(
    session: AsyncSession,
    chosen: Sequence[BulkTarget],
    params: ActionParams,
    kinds: Kinds,
    meant: Collection[str] = frozenset(),
) -> list[ItemKind]:
    """Return the kind of each item, in their order; new ones are put into `kinds`. Few enough for one statement.

    Users who are `meant` by the settings are kinds of their own.
    """
    user_ids = [target.user_id for target in chosen if target.user_id is not None]
    domain_ids = [target.domain_id for target in chosen if target.domain_id is not None]
    others = [target.assignment_id for target in chosen if target.owner is None]
    users = {
        row.id: (
            row.upn.rpartition("@")[2],
            row.disabled,
            row.in_bin,
            row.secret_id is not None,
            bool(row.must_change),
        )
        for row in await session.execute(
            select(
                UserRow.id,
                UserRow.upn,
                UserRow.disabled,
                UserRow.in_bin,
                UserRow.secret_id,
                UserRow.details["must_change_password"].as_boolean().label("must_change"),
            ).where(UserRow.id.in_(user_ids))
        )
    }
    mine = _mine(user_ids, domain_ids, others)
    services: dict[str | int | None, list[Any]] = defaultdict(list)
    for row in await session.execute(
        select(*_SERVICE).where(mine).order_by(AssignmentRow.service_id, AssignmentRow.instance)
    ):
        owner = row.id if row.id in others else row.user_id or row.domain_id
        services[owner].append(row)
    holds: dict[str, list[Level]] = defaultdict(list)
    for assignment_id, service_id, level_id in await session.execute(
        select(SeatHoldRow.assignment_id, SeatPoolRow.service_id, SeatPoolRow.level_id)
        .join(SeatPoolRow, SeatPoolRow.id == SeatHoldRow.pool_id)
        .join(AssignmentRow, AssignmentRow.id == SeatHoldRow.assignment_id)
        .where(mine)
        .order_by(SeatPoolRow.service_id, SeatPoolRow.level_id)
    ):
        holds[assignment_id].append((service_id, level_id))
    found = []
    for target in chosen:
        rows = services.get(target.owner or target.assignment_id, [])
        concerned = [row for row in rows if _concerns(row, target, params)]
        known = (
            # Domains are few, and what is refused of each depends on its own purchase.
            target.domain_id or (target.user_id if target.user_id in meant else None),
            users.get(target.user_id) if target.user_id is not None else None,
            tuple(
                (row.subject_kind, row.service_id, row.instance, row.wish, row.light)
                for row in rows
            ),
            tuple((*row[_ABOUT:], tuple(holds[row.id])) for row in concerned),
            json.dumps(target.previous, sort_keys=True, default=str) if target.previous else "",
            tuple(row.id for row in concerned if _was_changed(row, target)),
        )
        kind = kinds.get(known)
        if kind is None:
            kind = kinds[known] = ItemKind(
                target,
                frozenset(level for row in concerned for level in holds[row.id]),
                next((row.connector for row in concerned), ""),
            )
        found.append(kind)
    return found


def _mine(
    user_ids: Sequence[str], domain_ids: Sequence[int], others: Sequence[str | None]
) -> ColumnElement[bool]:
    """Return the services of these users and domains, and these of nobody."""
    conditions = [AssignmentRow.user_id.in_(user_ids)] if user_ids else []
    if domain_ids:
        conditions.append(AssignmentRow.domain_id.in_(domain_ids))
    if others:
        conditions.append(AssignmentRow.id.in_(others))
    return or_(*conditions)


def _concerns(row: Any, target: BulkTarget, params: ActionParams) -> bool:
    if target.assignment_id is not None:
        return bool(row.id == target.assignment_id)
    if not params.service:
        return True
    return (row.service_id, row.instance) == (params.service, params.instance)


def _was_changed(row: Any, target: BulkTarget) -> bool:
    """Tell whether somebody changed what is to be restated: then it matters who, and each is asked for by itself."""
    expected = target.previous.get("expected")
    if expected is None or "wish" not in expected:
        return False
    settings = json.loads(row.settings)
    return not same({"wish": row.wish, "level": row.level_id, "settings": settings}, expected)
