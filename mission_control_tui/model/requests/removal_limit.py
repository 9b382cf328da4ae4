"""Mass removals: more than so many of one account within so long wait until somebody allows them.

What counts is a removal's first start at its connector; tries after that do not count again, and neither does what was
allowed. Of the removals in the queue only as many stay there as the limit has room for, so that a slow back end does
not hide that there are too many. The others wait, whatever becomes of the window, until `allow_removals`.

At a composite a removal counts for each connector that it is made of, so that several with one directory have one
limit there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import ColumnElement, Row, Select, and_, func, insert, select, union_all, update

from mission_control_tui.model.audit_actions import AuditAction
from mission_control_tui.model.plan import Outcome
from mission_control_tui.model.requests.control import record_request
from mission_control_tui.model.requests.dependencies import settle_waiting
from mission_control_tui.model.services.wishes import add_event
from mission_control_tui.model.states import Hold, RequestState, Word
from mission_control_tui.model.store.batches import batches
from mission_control_tui.model.store.scope import AccountScope
from mission_control_tui.model.store.subject_names import SUBJECT
from mission_control_tui.model.store.tables.requests import REMOVALS, RequestEventRow, RequestRow
from mission_control_tui.model.store.tables.services import AssignmentRow
from mission_control_tui.model.store.transaction import Transaction
from mission_control_tui.model.text.counting import counted

COMMAND = "mission-control requests allow"


def _alone(connector: str) -> Collection[str]:
    return (connector,)


@dataclass(frozen=True, slots=True)
class RemovalLimit:
    """How many removals of one account may start at one connector within so many seconds.

    `parts` returns the connectors at whose back ends something is removed: those that a composite is made of.
    """

    count: int
    seconds: float
    parts: Callable[[str], Collection[str]] = _alone

    @property
    def words(self) -> str:
        """Say what is too much: more than 20 removals within 1 minute."""
        minutes, seconds = divmod(round(self.seconds), 60)
        whole = counted(minutes, "minute")
        return f"more than {counted(self.count, 'removal')} within " + (
            whole if minutes and not seconds else f"{self.seconds:g} seconds"
        )


UNCOUNTED = and_(
    REMOVALS,
    RequestRow.started_at.is_(None),
    RequestRow.state == RequestState.QUEUED,
    RequestRow.hold == Hold.NONE,
)
"""Removals in the queue that were not started, held or allowed yet."""
_QUEUED = (
    select(
        RequestRow.id,
        RequestRow.account_id,
        AssignmentRow.id.label("assignment_id"),
        AssignmentRow.connector,
    )
    .join(AssignmentRow, AssignmentRow.id == RequestRow.assignment_id)
    .where(UNCOUNTED)
    .order_by(RequestRow.priority, RequestRow.id)
    .with_for_update(of=AssignmentRow, skip_locked=True)
)


@dataclass(frozen=True, slots=True)
class CountedRemovals:
    """The queued removals that may start, by their requests' ids, and how many must wait."""

    going: frozenset[int] = frozenset()
    held: int = 0


async def hold_excess(tx: Transaction, limit: RemovalLimit) -> CountedRemovals:
    """Let the queued removals wait that the limit has no room for, the last ones first."""
    queued = (await tx.session.execute(_QUEUED)).all()
    if not queued:
        return CountedRemovals()
    used = await _used(tx, limit, queued)
    excess: list[Row[int, int, str, str]] = []
    for row in queued:
        places = [(part, row.account_id) for part in limit.parts(row.connector)]
        if any(used[place] >= limit.count for place in places):
            excess.append(row)
        else:
            used.update(places)
    for batch in batches(excess):
        await _hold(tx, limit, batch)
    going = {row.id for row in queued} - {row.id for row in excess}
    return CountedRemovals(frozenset(going), len(excess))


async def _used(
    tx: Transaction, limit: RemovalLimit, queued: Sequence[Row[int, int, str, str]]
) -> Counter[tuple[str, int]]:
    """Return how many began within the window, by connector without parts and account.

    Those in the queue beside `queued`, which are locked, count as well: one that is just being started is locked by
    who starts it. Both are counted in one statement, so that none is missed between the two.
    """
    began = and_(
        REMOVALS,
        RequestRow.started_at > tx.now - timedelta(seconds=limit.seconds),
        RequestRow.hold != Hold.ALLOWED,
    )
    counts = await tx.session.execute(union_all(*map(_counted, (began, UNCOUNTED))))
    used = Counter[tuple[str, int]]()
    for connector, account_id, count in counts:
        used[connector, account_id] += count
    used.subtract((row.connector, row.account_id) for row in queued)
    spread = Counter[tuple[str, int]]()
    for (connector, account_id), count in used.items():
        for part in limit.parts(connector):
            spread[part, account_id] += count
    return spread


def _counted(which: ColumnElement[bool]) -> Select[str, int, int]:
    return (
        select(AssignmentRow.connector, AssignmentRow.account_id, func.count())
        .join(RequestRow, RequestRow.assignment_id == AssignmentRow.id)
        .where(which)
        .group_by(AssignmentRow.connector, AssignmentRow.account_id)
    )


async def _hold(
    tx: Transaction, limit: RemovalLimit, rows: Sequence[Row[int, int, str, str]]
) -> None:
    shown = f"Paused: {limit.words}; allow them with `{COMMAND}`"
    await tx.session.execute(
        update(AssignmentRow)
        .where(AssignmentRow.id.in_([row.assignment_id for row in rows]))
        .values(word=Word.WAITING, step=shown)
        .execution_options(synchronize_session=False)
    )
    await tx.session.execute(
        update(RequestRow)
        .where(RequestRow.id.in_([row.id for row in rows]), RequestRow.state == RequestState.QUEUED)
        .values(
            state=RequestState.WAITING,
            hold=Hold.HELD,
            waiting_for=f"permission: {limit.words} ({COMMAND})",
        )
        .execution_options(synchronize_session=False)
    )
    await tx.session.execute(
        insert(RequestEventRow),
        [
            {
                "account_id": row.account_id,
                "request_id": row.id,
                "at": tx.now,
                "attempt": 0,
                "kind": "held",
                "said": f"Paused: {limit.words}.",
                "remedy": f"If they are all meant, run `{COMMAND}`; if not, cancel them.",
            }
            for row in rows
        ],
    )


async def held_removals(scope: AccountScope) -> tuple[int, ...]:
    """Return the account's requests that wait because there were too many removals, oldest first."""
    async with scope.read() as (session, account_id):
        rows = await session.scalars(
            select(RequestRow.id).where(REMOVALS, *_held(account_id)).order_by(RequestRow.id)
        )
        return tuple(rows)


def _held(account_id: int) -> tuple[ColumnElement[bool], ...]:
    return (
        RequestRow.account_id == account_id,
        RequestRow.state == RequestState.WAITING,
        RequestRow.hold == Hold.HELD,
    )


async def allow_removals(
    scope: AccountScope, requests: Collection[int] | None = None, *, dry_run: bool = False
) -> Outcome[tuple[int, ...]]:
    """Let the account's held removals go, all of them or those in `requests`; returns which went."""
    async with scope.change(dry_run=dry_run) as (tx, account_id):
        found = await tx.session.execute(
            select(AssignmentRow, RequestRow, SUBJECT)
            .join(RequestRow, RequestRow.assignment_id == AssignmentRow.id)
            .where(REMOVALS, *_held(account_id))
            .order_by(AssignmentRow.id, RequestRow.id)
            .with_for_update(of=(AssignmentRow, RequestRow))
        )
        allowed: list[int] = []
        for row, request, subject in found.all():
            if requests is not None and request.id not in requests:
                continue
            request.hold = Hold.ALLOWED
            add_event(tx, request, "allowed", said=f"Allowed by {scope.caller.operator}.")
            before = {"removal": "held"}
            after = {"removal": "allowed", "service": row.service_id, "of": subject}
            if row.instance:
                after["instance"] = row.instance
            record_request(tx, request, AuditAction.ALLOW_REMOVAL, before, after)
            allowed.append(request.id)
        tx.requests.extend(allowed)
        await tx.session.flush()
        if allowed:
            await settle_waiting(tx)
    return tx.outcome(tuple(sorted(allowed)))
