"""What the database refers to in the catalogue, and who has it."""

from __future__ import annotations

from sqlalchemy import ColumnElement, Select, false, func, or_, select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from mission_control_tui.model.catalogue.compatibility import UsedIds
from mission_control_tui.model.catalogue.diff import Touches
from mission_control_tui.model.catalogue.types import Catalogue, PurchaseKind
from mission_control_tui.model.errors import NotFound
from mission_control_tui.model.states import OrderState, Wish
from mission_control_tui.model.store.tables.accounts import DomainRow
from mission_control_tui.model.store.tables.groups import MemberRow, ObjectRow
from mission_control_tui.model.store.tables.orders import OrderLineRow, OrderRow, SubscriptionRow
from mission_control_tui.model.store.tables.services import AssignmentRow, SeatPoolRow
from mission_control_tui.model.store.tables.users import UserRow

Pairs = frozenset[tuple[str, str]]

_WISHED = AssignmentRow.wish != Wish.ABSENT
_OBSERVED = AssignmentRow.observed_wish != Wish.ABSENT
_WAITS = OrderRow.state == OrderState.AWAITING_APPROVAL
_OPTION_IDS = {
    "sqlite": """
        SELECT DISTINCT service_id, entry.key
        FROM assignments, json_each(assignments.settings) AS entry
        WHERE wish <> 'absent' OR observed_wish <> 'absent'
    """,
    "postgresql": """
        SELECT DISTINCT service_id, jsonb_object_keys(settings)
        FROM assignments
        WHERE wish <> 'absent' OR observed_wish <> 'absent'
    """,
}


async def ids_in_use(session: AsyncSession, catalogue: Catalogue) -> UsedIds:
    """Return every id of `catalogue` that the database refers to.

    By seats, wishes, observed states, their settings, subscriptions, bought domains, and orders that wait for approval.
    """
    options = await session.execute(text(_OPTION_IDS[session.get_bind().dialect.name]))
    roles = select(ObjectRow.service_id, MemberRow.role).join(
        MemberRow, MemberRow.object_id == ObjectRow.id
    )
    return UsedIds(
        levels=await _pairs(
            session,
            select(AssignmentRow.service_id, AssignmentRow.level_id).where(_WISHED),
            select(AssignmentRow.service_id, AssignmentRow.observed_level).where(
                _OBSERVED, AssignmentRow.observed_level != ""
            ),
            select(SeatPoolRow.service_id, SeatPoolRow.level_id).where(SeatPoolRow.owned > 0),
        ),
        roles=await _pairs(session, roles),
        options=frozenset((str(service), str(option)) for service, option in options),
        product_levels=await _pairs(
            session,
            select(SubscriptionRow.product_id, SubscriptionRow.level_id).where(
                SubscriptionRow.quantity > 0
            ),
            _of_waiting_orders(OrderLineRow.level_id),
        ),
        extensions=await _extensions(session, catalogue),
    )


async def users_of(
    session: AsyncSession, touches: Touches, limit: int
) -> tuple[int, tuple[str, ...]]:
    """Return how many users (or domains) have one of these levels, wished or observed, and the first few by name."""
    if not touches:
        return 0, ()
    have = or_(false(), *(_has(service, level) for service, level in touches))
    subjects = select(AssignmentRow.subject_kind, AssignmentRow.subject_id).where(have).distinct()
    count = await session.scalar(select(func.count()).select_from(subjects.subquery()))
    name = func.coalesce(UserRow.upn, DomainRow.name, ObjectRow.name)
    names = await session.scalars(
        select(name)
        .select_from(AssignmentRow)
        .outerjoin(UserRow, UserRow.id == AssignmentRow.user_id)
        .outerjoin(DomainRow, DomainRow.id == AssignmentRow.domain_id)
        .outerjoin(ObjectRow, ObjectRow.id == AssignmentRow.object_id)
        .where(have, name.is_not(None))
        .distinct()
        .order_by(name)
        .limit(limit)
    )
    return int(count or 0), tuple(names)


def _has(service: str, level: str) -> ColumnElement[bool]:
    wished = _WISHED & (AssignmentRow.level_id == level)
    observed = _OBSERVED & (AssignmentRow.observed_level == level)
    return (AssignmentRow.service_id == service) & (wished | observed)


def _of_waiting_orders(column: InstrumentedAttribute[str]) -> Select[str, str]:
    return (
        select(OrderLineRow.product_id, column)
        .join(OrderRow, OrderRow.id == OrderLineRow.order_id)
        .where(_WAITS)
    )


async def _extensions(session: AsyncSession, catalogue: Catalogue) -> Pairs:
    """(product, extension) of the domains that were bought here and of those that wait for approval."""
    names = set(
        await session.scalars(
            select(DomainRow.name).where(DomainRow.bought, DomainRow.removed_at.is_(None))
        )
    )
    waiting = await session.execute(_of_waiting_orders(OrderLineRow.domain))
    names |= {domain for _, domain in waiting if domain}
    found: set[tuple[str, str]] = set()
    for product in catalogue.products:
        if product.buys is not PurchaseKind.DOMAIN:
            continue
        for name in names:
            try:
                found.add((product.id, product.extension_of(name).id))
            except NotFound:
                continue
    return frozenset(found)


async def _pairs(session: AsyncSession, *statements: Select[str, str]) -> Pairs:
    found: set[tuple[str, str]] = set()
    for statement in statements:
        found |= {(owner, part) for owner, part in await session.execute(statement.distinct())}
    return frozenset(found)
