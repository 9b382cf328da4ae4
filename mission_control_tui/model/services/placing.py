"""Where a service instance goes, and what it is called there: the connector, and a name that is free."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from mission_control_tui.model.catalogue.backend_names import back_end_name
from mission_control_tui.model.catalogue.types import Service
from mission_control_tui.model.errors import Conflict, UsageError
from mission_control_tui.model.placement import Placement, PlacementLoad
from mission_control_tui.model.services.subjects import Subject
from mission_control_tui.model.states import Light, Wish
from mission_control_tui.model.store.tables.accounts import AccountRow
from mission_control_tui.model.store.tables.services import WISHED, AssignmentRow
from mission_control_tui.model.store.tables.workers import ConnectorStateRow
from mission_control_tui.model.store.transaction import Transaction

MAX_NAME_TRIES = 1000
SAMPLE_CONNECTOR = "simulator"
_LOCK = 7237266
"""The first half of the keys by which PostgreSQL lets one transaction at a time place something of a service."""


def connector_of(tx: Transaction, account: AccountRow, service: Service) -> str:
    """Return which connector serves this account's instances, of a service that is not placed.

    The sample account's never leave the simulator.
    """
    if account.is_sample:
        return SAMPLE_CONNECTOR
    return tx.connectors.get(service.id, service.connector)


def placement_of(tx: Transaction, account: AccountRow, service_id: str) -> Placement | None:
    """Return how the account's instances of a service are shared out; None where one connector serves them all."""
    return None if account.is_sample else tx.placements.get(service_id)


def connectors_of(tx: Transaction, account: AccountRow, service: Service) -> tuple[str, ...]:
    """Return every connector that may serve the account's instances of a service."""
    placement = placement_of(tx, account, service.id)
    return placement.connectors if placement is not None else (connector_of(tx, account, service),)


async def place(tx: Transaction, account: AccountRow, service: Service, on: str = "") -> str:
    """Return the connector for a new instance: the one that is asked for, or else by the rule of the settings.

    Who names one that is closed or full has decided: the plan says so. Raises UsageError for one that does not serve
    the service, and Conflict where the rule finds none.
    """
    known = connectors_of(tx, account, service)
    if on and on not in known:
        raise UsageError(
            f"Connector {on} does not serve {service.name}.", hint=f"One of: {', '.join(known)}."
        )
    placement = placement_of(tx, account, service.id)
    if placement is None:
        return known[0]
    load = await _load(tx, account, service, placement)
    if on and (said := placement.refusal(on, load)):
        tx.warn(f"{service.name}: connector {on} is {said}, and was asked for by name.")
    found = on or placement.choose(load)
    if found is None:
        said = ", ".join(f"{each} is {placement.refusal(each, load)}" for each in known)
        raise Conflict(
            f"No connector takes anything new of {service.name}: {said}.",
            hint=f"Open one in [placement.{service.id}] of the settings, or name one: --on {known[0]}",
        )
    placed = tx.placed[service.id]
    placed[found, account.id] = placed.get((found, account.id), 0) + 1
    return found


async def _load(
    tx: Transaction, account: AccountRow, service: Service, placement: Placement
) -> PlacementLoad:
    """Return how full the connectors are; nobody else places anything of the service until this transaction ends."""
    placed = tx.placed.get(service.id)
    if placed is None:
        placed = tx.placed[service.id] = await _counted(tx, service.id)
    counts, own = dict[str, int](), dict[str, int]()
    for (connector, of), count in placed.items():
        counts[connector] = counts.get(connector, 0) + count
        if of == account.id:
            own[connector] = own.get(connector, 0) + count
    paused = await tx.session.scalars(
        select(ConnectorStateRow.name).where(
            ConnectorStateRow.name.in_(placement.connectors), ConnectorStateRow.paused
        )
    )
    return PlacementLoad(counts, own, frozenset(paused))


async def _counted(tx: Transaction, service_id: str) -> dict[tuple[str, int], int]:
    """Return how many of a service are wished for at each connector, of each account."""
    if not tx.is_sqlite:
        # Two who choose at the same moment would both find the same one the emptiest.
        await tx.session.execute(
            text("SELECT pg_advisory_xact_lock(:space, hashtext(:service))"),
            {"space": _LOCK, "service": service_id},
        )
    return await placed_counts(tx.session, service_id)


async def placed_counts(session: AsyncSession, service_id: str) -> dict[tuple[str, int], int]:
    """Return how many instances of a service are wished for, by their connector and account."""
    rows = await session.execute(
        select(AssignmentRow.connector, AssignmentRow.account_id, func.count())
        .where(AssignmentRow.service_id == service_id, WISHED)
        .group_by(AssignmentRow.connector, AssignmentRow.account_id)
    )
    return {(connector, account_id): count for connector, account_id, count in rows}


def is_gone(row: AssignmentRow) -> bool:
    """Tell whether nothing of an instance is at its connector, and nothing is wished to be."""
    return row.wish == Wish.ABSENT and row.light == Light.GREY and not row.kept_until


def go_to(row: AssignmentRow, connector: str) -> None:
    """Let an instance be at another connector, with nothing known of it there."""
    row.connector, row.drift = connector, False
    row.external_id, row.token, row.usage, row.fullness = "", "", {}, 0.0
    row.observed_wish, row.observed_level, row.observed_generation = Wish.ABSENT, "", 0


async def is_taken(
    tx: Transaction,
    connectors: Collection[str],
    service: Service,
    name: str,
    *,
    but: AssignmentRow | None = None,
    marked: str = "",
) -> bool:
    """Tell whether an assignment of the service has the back-end name at a back end of one of the connectors.

    Composites are as many back ends as they have parts. `but` one that may have it, and what it has left (`marked`).
    """
    placement = tx.placements.get(service.id)
    if placement is not None:
        connectors = placement.sharing(connectors)
    taken = select(AssignmentRow.id).where(
        AssignmentRow.connector.in_(connectors),
        AssignmentRow.service_id == service.id,
        AssignmentRow.backend_name == name,
    )
    if but is not None:
        taken = taken.where(AssignmentRow.id != but.id)
    if marked:
        taken = taken.where(AssignmentRow.marked != marked)
    return await tx.session.scalar(taken.limit(1)) is not None


async def free_name(
    tx: Transaction,
    connectors: Collection[str],
    service: Service,
    account: AccountRow,
    subject: Subject,
    instance: str,
) -> str:
    """Return a back-end name that no assignment has at these connectors, made from what the subject is called."""
    user, domain = subject.user, subject.domain
    facts = {
        "account": account.code,
        "username": user.username if user else subject.name,
        "upn": user.upn if user else subject.name,
        "domain": domain.name if domain else subject.name.partition("@")[2],
        "instance": instance,
        "name": subject.object.name if subject.object else subject.name,
    }
    for number in range(1, MAX_NAME_TRIES):
        name = back_end_name(service, facts, number)
        if not await is_taken(tx, connectors, service, name):
            return name
    raise Conflict(
        f"No free name for {service.name} at connector {', '.join(connectors)} could be found.",
        hint="Choose another username or instance name.",
    )
