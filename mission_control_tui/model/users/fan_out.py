"""One change of a user told to the user's services: a parent request, and a child for each service."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sqlalchemy import select

from mission_control_tui.model.catalogue.in_force import in_force
from mission_control_tui.model.people.address_syntax import domain_key
from mission_control_tui.model.services.wishes import enqueue, insert_request, last_request
from mission_control_tui.model.states import Light, RequestKind, RequestState, SubjectKind, Wish
from mission_control_tui.model.store.tables.accounts import DomainRow
from mission_control_tui.model.store.tables.requests import RequestRow
from mission_control_tui.model.store.tables.services import AssignmentRow
from mission_control_tui.model.store.tables.users import UserRow
from mission_control_tui.model.store.transaction import Transaction


async def _services_of(tx: Transaction, user: UserRow) -> list[AssignmentRow]:
    """Return the user's services, the directory account's included, locked; what is wished absent is left out."""
    rows = await tx.session.scalars(
        select(AssignmentRow)
        .where(AssignmentRow.user_id == user.id, AssignmentRow.wish != Wish.ABSENT)
        .order_by(AssignmentRow.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return list(rows)


async def fan_out(
    tx: Transaction,
    user: UserRow,
    kind: RequestKind,
    *,
    concerns: Callable[[AssignmentRow], bool] = lambda _row: True,
) -> RequestRow:
    """Queue the change for the services that it `concerns`, those first that others require; returns the parent.

    A service that waited, or requires one that is not green, waits for it (again). Without any service the parent has
    succeeded.
    """
    rows = await _services_of(tx, user)
    concerned = list(filter(concerns, rows))
    parent = await insert_request(
        tx,
        kind,
        account_id=user.account_id,
        user_id=user.id,
        generation=0,
        state=RequestState.RUNNING if concerned else RequestState.SUCCEEDED,
        started_at=tx.now,
        ended_at=None if concerned else tx.now,
        previous={},
    )
    if concerned:
        tx.requests.append(parent.id)
        await _push_all(tx, user, rows, concerned, parent)
    return parent


async def _push_all(
    tx: Transaction,
    user: UserRow,
    rows: Sequence[AssignmentRow],
    concerned: Sequence[AssignmentRow],
    parent: RequestRow,
) -> None:
    catalogue = (await in_force(tx.session)).catalogue
    shared = await _shared_services(tx, user)
    depth = {row.id: len(catalogue.requirements(row.service_id)) for row in concerned}
    for row in sorted(concerned, key=lambda row: (depth[row.id], row.service_id, row.instance)):
        required = set(catalogue.service(row.service_id).requires)
        waits = [
            request
            for other in (*rows, *shared)
            if other.service_id in required and other.light != Light.GREEN
            for request in await last_request(tx, other.id)
        ]
        await enqueue(
            tx,
            row,
            RequestKind(parent.kind),
            parent_id=parent.id,
            depends_on=waits,
        )


async def _shared_services(tx: Transaction, user: UserRow) -> list[AssignmentRow]:
    """Return what the account has for itself and for the domain of the user's UPN: a service may require it."""
    name = domain_key(user.upn.rpartition("@")[2])
    rows = await tx.session.scalars(
        select(AssignmentRow)
        .outerjoin(DomainRow, DomainRow.id == AssignmentRow.domain_id)
        .where(
            AssignmentRow.account_id == user.account_id,
            (AssignmentRow.subject_kind == SubjectKind.ACCOUNT)
            | (
                (AssignmentRow.subject_kind == SubjectKind.DOMAIN)
                & (DomainRow.name == name)
                & DomainRow.removed_at.is_(None)
            ),
            AssignmentRow.wish != Wish.ABSENT,
        )
    )
    return list(rows)
