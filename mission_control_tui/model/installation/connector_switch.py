"""Services that are moved to another connector: what was known of them was true of another back end.

The connector of a service is the settings' or else the catalogue's; assignments carry the one that they were made at.
Where the two differ, assignments go to the new connector and everything observed is forgotten: orange and "Not checked"
until somebody provisions again, never green. A request that waits goes along and looks at the new back end first. One
that runs is left alone, because its attempt belongs to the old back end: its assignment follows at the next start.

What a service that several connectors serve has already stays where it is (`model/services/placing.py`).

The wish, the seats, the back-end name and whether a password was delivered stay. Only a name that another assignment
has at the new connector is chosen anew. What is at the old back end stays there; `drift --orphans` lists it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Result, Select, exists, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from mission_control_tui.model.audit_actions import AuditAction
from mission_control_tui.model.caller import Caller
from mission_control_tui.model.catalogue.in_force import in_force
from mission_control_tui.model.catalogue.types import Catalogue, Service
from mission_control_tui.model.errors import NotFound
from mission_control_tui.model.plan import PlanVerb
from mission_control_tui.model.requests.dependencies import settle_waiting
from mission_control_tui.model.services.moves import unchecked
from mission_control_tui.model.services.placing import (
    connector_of,
    free_name,
    go_to,
    placement_of,
)
from mission_control_tui.model.services.subjects import subject_of
from mission_control_tui.model.services.wishes import show
from mission_control_tui.model.states import (
    ACTIVE_STATES,
    Light,
    RequestState,
    SubjectKind,
    Wish,
    Word,
)
from mission_control_tui.model.store.batches import batches
from mission_control_tui.model.store.database import Store
from mission_control_tui.model.store.subject_names import SUBJECT
from mission_control_tui.model.store.tables.accounts import AccountRow
from mission_control_tui.model.store.tables.installation import InstallationRow
from mission_control_tui.model.store.tables.requests import RequestRow
from mission_control_tui.model.store.tables.services import AssignmentRow
from mission_control_tui.model.store.transaction import Transaction
from mission_control_tui.model.text.instances import with_instance

_STEP = "The connector changed from {before} to {after}: provision again to check"


@dataclass(frozen=True, slots=True)
class ConnectorChange:
    """A service that went from one connector to another: how many assignments, and how many still run at the old."""

    service_id: str
    before: str
    after: str
    moved: int
    running: int


_FREE = (AssignmentRow.kept_until == 0) & (AssignmentRow.marked == "")
"""What is kept for a while after it was taken away is removed, or comes back, where it is; so is what a move left."""


async def follow_settings(store: Store, caller: Caller) -> tuple[ConnectorChange, ...]:
    """`switch_connectors` where an embedded store was opened with other [services] than the last time.

    On PostgreSQL nothing happens: there the settings of the workers count, and a worker calls at its start.
    """
    if not store.is_sqlite or store.connectors == store.followed or not caller.may_write:
        return ()
    return await switch_connectors(store, caller)


async def switch_connectors(store: Store, caller: Caller) -> tuple[ConnectorChange, ...]:
    """Let every assignment go to the connector that settings and catalogue name; one audit row for each.

    Returns what was switched. Calling it again changes nothing.
    """
    if not await _differing(store) and store.connectors == store.followed:
        return ()
    async with store.write(caller) as tx:
        try:
            switched = await switch_in(tx, (await in_force(tx.session)).catalogue)
        except NotFound:
            switched = ()
        followed = not any(change.running for change in switched)
        if followed:
            await tx.session.execute(
                update(InstallationRow).values(connectors=dict(store.connectors))
            )
    if followed:
        store.followed = dict(store.connectors)
    return switched


async def switch_in(tx: Transaction, catalogue: Catalogue) -> tuple[ConnectorChange, ...]:
    """Return the same inside somebody else's transaction, with the catalogue that shall count."""
    moved: Counter[tuple[str, str, str]] = Counter()
    running: Counter[tuple[str, str, str]] = Counter()
    services = {service.id: service for service in catalogue.services}
    for account_id, service_id, before, kind in await _pairs(tx.session):
        account = await tx.session.get_one(AccountRow, account_id)
        service = services.get(service_id)
        if placement_of(tx, account, service_id) is not None:
            continue
        if service is None or _is_of_orphans(service, kind):
            continue
        if (after := connector_of(tx, account, service)) == before:
            continue
        key = (service_id, before, after)
        idle = await tx.session.scalars(
            _at(account_id, service_id, before, kind, running=False)
            .order_by(AssignmentRow.id)
            .with_for_update()
            .execution_options(populate_existing=True)
        )
        for chunk in batches(idle.all()):
            moved[key] += await _move(tx, account, service, after, chunk)
        left = _at(account_id, service_id, before, kind, running=True).with_only_columns(
            func.count()
        )
        running[key] += await tx.session.scalar(left) or 0
    if sum(moved.values()):
        await tx.session.flush()
        await settle_waiting(tx)
    return tuple(
        ConnectorChange(*key, moved[key], running[key])
        for key in sorted(moved.keys() | running.keys())
    )


async def _differing(store: Store) -> bool:
    async with store.read() as session:
        try:
            catalogue = (await in_force(session)).catalogue
        except NotFound:
            return False
        services = {service.id: service for service in catalogue.services}
        samples = set(await session.scalars(select(AccountRow.id).where(AccountRow.is_sample)))
        return any(
            service_id in services
            and service_id not in store.placements
            and account_id not in samples
            and not _is_of_orphans(services[service_id], kind)
            and store.connectors.get(service_id, services[service_id].connector) != connector
            for account_id, service_id, connector, kind in await _pairs(session)
        )


def _is_of_orphans(service: Service, subject_kind: str) -> bool:
    """Tell whether instances are removals of orphans, which stay at the connector that has them."""
    return subject_kind == SubjectKind.ACCOUNT and service.subject is not SubjectKind.ACCOUNT


async def _pairs(session: AsyncSession) -> Result[int, str, str, str]:
    """Return (account, service, connector, kind of subject) of all that is assigned."""
    columns = (
        AssignmentRow.account_id,
        AssignmentRow.service_id,
        AssignmentRow.connector,
        AssignmentRow.subject_kind,
    )
    statement = select(*columns).where(_FREE).distinct().order_by(*columns)
    return await session.execute(statement)


def _at(
    account_id: int, service_id: str, connector: str, subject_kind: str, *, running: bool
) -> Select[AssignmentRow]:
    """Return the account's instances of the service at the connector that a request is, or is not, working on."""
    runs = exists().where(
        RequestRow.assignment_id == AssignmentRow.id, RequestRow.state == RequestState.RUNNING
    )
    return select(AssignmentRow).where(
        AssignmentRow.account_id == account_id,
        AssignmentRow.service_id == service_id,
        AssignmentRow.connector == connector,
        AssignmentRow.subject_kind == subject_kind,
        runs if running else ~runs,
        _FREE,
    )


async def _move(
    tx: Transaction,
    account: AccountRow,
    service: Service,
    after: str,
    rows: Sequence[AssignmentRow],
) -> int:
    active: defaultdict[str | None, list[RequestRow]] = defaultdict(list)
    for request in await tx.session.scalars(
        select(RequestRow)
        .where(
            RequestRow.assignment_id.in_([row.id for row in rows]),
            RequestRow.state.in_(ACTIVE_STATES),
        )
        .order_by(RequestRow.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ):
        active[request.assignment_id].append(request)
    # One may have been claimed before it was locked here.
    rows = [
        row
        for row in rows
        if all(request.state != RequestState.RUNNING for request in active.get(row.id, ()))
    ]
    taken = set(
        await tx.session.scalars(
            select(AssignmentRow.backend_name).where(
                AssignmentRow.connector == after,
                AssignmentRow.service_id == service.id,
                AssignmentRow.backend_name.in_([row.backend_name for row in rows]),
            )
        )
    )
    names = await _names(tx, rows)
    for row in rows:
        before = _facts(row)
        if row.backend_name in taken:
            subject = await subject_of(tx, account, row)
            row.backend_name = await free_name(
                tx, (after,), service, account, subject, row.instance
            )
        step = _STEP.format(before=row.connector, after=after)
        go_to(row, after)
        if row.id in active:
            for request in active[row.id]:
                request.previous = unchecked(request.previous, step)
                request.failures, request.next_try_at = 0, 0.0
        elif row.wish != Wish.ABSENT or row.light != Light.GREY:
            show(row, Light.ORANGE, Word.NOT_CHECKED, tx, step)
        row.version += 1
        fresh = _facts(row)
        changed = [key for key in fresh if fresh[key] != before[key]]
        tx.record(
            PlanVerb.CHANGED,
            "service",
            f"{names.get(row.id, '')} {with_instance(service.name, row.instance)}",
            before={key: before[key] for key in changed},
            after={key: fresh[key] for key in changed},
            action=AuditAction.SWITCH_CONNECTOR,
            user_id=row.user_id,
            account_id=row.account_id,
        )
    return len(rows)


def _facts(row: AssignmentRow) -> dict[str, object]:
    return {
        "connector": row.connector,
        "login": row.backend_name,
        "light": str(row.light),
        "word": str(row.word),
    }


async def _names(tx: Transaction, rows: Sequence[AssignmentRow]) -> dict[str, str]:
    found = await tx.session.execute(
        select(AssignmentRow.id, SUBJECT).where(AssignmentRow.id.in_([row.id for row in rows]))
    )
    return dict(found.all())
