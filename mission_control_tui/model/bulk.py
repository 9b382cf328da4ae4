"""Changes of many users' services at once, each in one transaction: all of it, or nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select

from mission_control_tui.model.catalogue_store import in_force
from mission_control_tui.model.context import Caller
from mission_control_tui.model.database import Store
from mission_control_tui.model.lookups import account_row, user_row
from mission_control_tui.model.plan import Outcome, Verb
from mission_control_tui.model.provision import Given, Wanted, give
from mission_control_tui.model.racing import retried
from mission_control_tui.model.states import Light, Priority, RequestKind
from mission_control_tui.model.tables import AssignmentRow, DomainRow, RequestRow, UserRow
from mission_control_tui.model.wishing import push


@dataclass(frozen=True, slots=True)
class GivenTo:
    """What became of a wanted service of one user."""

    upn: str
    given: Given


@retried
async def provision_many(
    store: Store,
    caller: Caller,
    account: int | str,
    users: Sequence[str],
    wanted: Wanted,
    *,
    priority: int = Priority.BULK,
    dry_run: bool = False,
) -> Outcome[tuple[GivenTo, ...]]:
    """Give one service to each of `users`, as `provision` does; raises as it does, and then nobody got it."""
    async with store.read() as session:
        account_id = (await account_row(session, caller, account)).id
    async with store.write(caller, account_id, dry_run=dry_run) as tx:
        owner = await account_row(tx.session, caller, account_id)
        catalogue = (await in_force(tx.session)).catalogue
        result = []
        for user in users:
            target = await user_row(tx.session, account_id, user, lock=True)
            given = await give(tx, owner, catalogue, target, wanted, priority=priority)
            result.append(GivenTo(target.upn, given))
    return Outcome(tuple(result), tx.plan, not dry_run)


@retried
async def retry_all_red(
    store: Store,
    caller: Caller,
    account: int | str,
    *,
    priority: int = Priority.BULK,
    dry_run: bool = False,
) -> Outcome[tuple[int, ...]]:
    """Ask again for every service of the account whose light is red; returns the new requests' ids."""
    async with store.read() as session:
        account_id = (await account_row(session, caller, account)).id
    async with store.write(caller, account_id, dry_run=dry_run) as tx:
        rows = await tx.session.execute(
            select(AssignmentRow, UserRow.upn, DomainRow.name)
            .outerjoin(UserRow, UserRow.id == AssignmentRow.user_id)
            .outerjoin(DomainRow, DomainRow.id == AssignmentRow.domain_id)
            .where(AssignmentRow.account_id == account_id, AssignmentRow.light == Light.RED)
            .order_by(AssignmentRow.id)
            .with_for_update(of=AssignmentRow)
        )
        red = rows.all()
        last = select(func.max(RequestRow.id)).join(
            AssignmentRow, AssignmentRow.id == RequestRow.assignment_id
        )
        last = last.where(
            AssignmentRow.account_id == account_id, AssignmentRow.light == Light.RED
        ).group_by(RequestRow.assignment_id)
        kinds = {
            row.assignment_id: (row.id, RequestKind(row.kind))
            for row in await tx.session.scalars(select(RequestRow).where(RequestRow.id.in_(last)))
        }
        fresh = []
        for row, upn, domain in red:
            before, kind = kinds[row.id]
            request = await push(tx, row, kind, priority=priority)
            fresh.append(request.id)
            tx.record(
                Verb.CHANGED,
                "service",
                f"{upn or domain or ''} {row.service_id}"
                + f" ({row.instance})" * bool(row.instance),
                before={"light": str(Light.RED)},
                after={"light": str(Light.ORANGE), "retries request": before},
                action="retry request",
                user_id=row.user_id,
                request_id=request.id,
            )
    return Outcome(tuple(fresh), tx.plan, not dry_run)
