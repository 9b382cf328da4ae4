"""Removing orphans: objects at a back end that carry this installation's mark and that no service here knows.

The removal is a request like any other, of the account that asks for it: it waits in observe mode, counts against the
limit of removals, is tried again, cancelled and audited. It acts under the very mark that the object had when it was
asked for, one attempt later: whatever was given again or taken over since carries a newer mark, or another's.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b

from sqlalchemy import Row, select
from sqlalchemy.ext.asyncio import AsyncSession

from mission_control_tui.model.audit_actions import AuditAction
from mission_control_tui.model.catalogue.in_force import in_force
from mission_control_tui.model.errors import Denied, NotFound
from mission_control_tui.model.plan import Outcome, PlanVerb
from mission_control_tui.model.requests.drift import known_keys, may_be_there
from mission_control_tui.model.services.wishes import enqueue
from mission_control_tui.model.states import (
    ACTIVE_STATES,
    ORPHAN,
    Light,
    RequestKind,
    SubjectKind,
    Wish,
    Word,
)
from mission_control_tui.model.store.retry import retries_on_conflict
from mission_control_tui.model.store.scope import AccountScope
from mission_control_tui.model.store.tables.requests import RequestRow
from mission_control_tui.model.store.tables.services import LEFT, AssignmentRow
from mission_control_tui.model.store.transaction import Transaction

SLICE = 50
"""Orphans of one transaction."""
_NAME_SHOWN = 40


@dataclass(frozen=True, slots=True)
class LostObject:
    """An orphan: where it is, the `key` and the fence (epoch, generation, attempt) in its mark.

    `holders`: the connector and what it is a part of; `settled`: all connectors that the settings have.
    """

    connector: str
    service: str
    name: str
    key: str
    external_id: str = ""
    fence: tuple[int, int, int] = (1, 0, 0)
    holders: tuple[str, ...] = ()
    settled: tuple[str, ...] = ()

    @property
    def stored_name(self) -> str:
        """What stands for its back-end name here, so that a service may have that name meanwhile."""
        return f"{ORPHAN}{self.key}"

    @property
    def instance(self) -> str:
        """What tells its removal from others of the account."""
        told = blake2b(f"{self.connector} {self.key}".encode(), digest_size=8).hexdigest()
        return f"{self.name[:_NAME_SHOWN]} {told}"


@dataclass(slots=True)
class OrphanRemovals:
    """What became of orphans, by their names: `under_way` was asked for before, `refused` says why."""

    asked: list[str] = field(default_factory=list)
    under_way: list[str] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)
    assignments: list[str] = field(default_factory=list)


async def remove_orphans(
    scope: AccountScope, orphans: Sequence[LostObject], *, dry_run: bool = False
) -> Outcome[OrphanRemovals]:
    """Ask for the removal of one slice of orphans, at most SLICE of them, as requests of the scope's account.

    What is on its way already is left alone. Raises Denied to a caller who may see only some accounts: orphans are of
    the whole installation.
    """
    if scope.caller.accounts is not None:
        raise Denied("Orphans belong to no account, and you may see only some accounts.")
    return await _remove(scope, orphans, dry_run=dry_run)


@retries_on_conflict
async def _remove(
    scope: AccountScope, orphans: Sequence[LostObject], *, dry_run: bool
) -> Outcome[OrphanRemovals]:
    result = OrphanRemovals()
    async with scope.change(dry_run=dry_run) as (tx, account_id):
        catalogue = (await in_force(tx.session)).catalogue
        for orphan in orphans:
            try:
                catalogue.service(orphan.service)
            except NotFound:
                result.refused[orphan.name] = (
                    f"its service {orphan.service or 'is not known'} is not in the catalogue"
                )
                continue
            if why := await known_by_now(
                *(tx.session, orphan.service, orphan.name, orphan.key),
                *(orphan.holders, orphan.settled),
            ):
                result.refused[orphan.name] = why
                continue
            await _ask(tx, account_id, orphan, result)
    return tx.outcome(result)


async def known_by_now(
    session: AsyncSession,
    service: str,
    name: str,
    key: str,
    holders: Collection[str],
    settled: Collection[str],
) -> str:
    """Return why an object is no orphan, "" where it is one: a service knows its mark, or is about to take it over."""
    if await known_keys(session, holders, [key], settled):
        return "a service here knows it by now"
    asked = await session.scalars(
        select(RequestRow.previous)
        .join(AssignmentRow, AssignmentRow.id == RequestRow.assignment_id)
        .where(
            AssignmentRow.connector.in_(list(holders)),
            AssignmentRow.service_id == service,
            AssignmentRow.backend_name == name,
            RequestRow.state.in_(ACTIVE_STATES),
        )
    )
    if any(previous.get("adopt") for previous in asked):
        return "a service here is taking it over"
    return ""


async def places_of(session: AsyncSession, key: str) -> Sequence[Row[str, str, str, str]]:
    """Return connector, service, back-end name and own id of all that a service with this key has, or wishes for."""
    rows = await session.execute(
        select(
            AssignmentRow.connector,
            AssignmentRow.service_id,
            AssignmentRow.backend_name,
            AssignmentRow.external_id,
        )
        .where((AssignmentRow.id == key) | (LEFT & (AssignmentRow.marked == key)), may_be_there())
        .order_by(AssignmentRow.id)
    )
    return rows.all()


async def _ask(
    tx: Transaction, account_id: int, orphan: LostObject, result: OrphanRemovals
) -> None:
    row = await _row(tx, account_id, orphan)
    if row.account_id != account_id:
        result.refused[orphan.name] = "its removal was asked for in another account"
        return
    if row.light == Light.ORANGE:
        result.under_way.append(orphan.name)
        tx.record(PlanVerb.UNCHANGED, "orphan", f"{orphan.name} at {orphan.connector}")
        return
    row.external_id = orphan.external_id
    request = await enqueue(tx, row, RequestKind.DEPROVISION, wish=Wish.ABSENT, at_once=True)
    request.previous = {
        **request.previous,
        "orphan": orphan.key,
        "orphan_name": orphan.name,
        "orphan_fence": list(orphan.fence),
    }
    tx.record(
        PlanVerb.REMOVED,
        "orphan",
        f"{orphan.name} at {orphan.connector}",
        before={"service": orphan.service, "mark": orphan.key},
        after={"wish": str(Wish.ABSENT)},
        action=AuditAction.REMOVE_ORPHAN,
        request_id=request.id,
        assignment_id=row.id,
    )
    result.asked.append(orphan.name)
    result.assignments.append(row.id)


async def _row(tx: Transaction, account_id: int, orphan: LostObject) -> AssignmentRow:
    """Return what stands for the orphan, locked: of whichever account asked first."""
    found = await tx.session.scalar(
        select(AssignmentRow)
        .where(
            AssignmentRow.connector == orphan.connector,
            AssignmentRow.service_id == orphan.service,
            AssignmentRow.backend_name == orphan.stored_name,
        )
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if found is not None:
        return found
    row = AssignmentRow(
        id=uuid.uuid4().hex,
        account_id=account_id,
        subject_kind=SubjectKind.ACCOUNT,
        subject_id=str(account_id),
        service_id=orphan.service,
        instance=orphan.instance,
        connector=orphan.connector,
        backend_name=orphan.stored_name,
        wish=Wish.ABSENT,
        level_id="",
        settings={},
        generation=0,
        light=Light.GREY,
        word=Word.NOT_PROVISIONED,
        since=tx.now,
        observed_wish=Wish.ABSENT,
    )
    tx.session.add(row)
    await tx.session.flush()
    return row
