"""A renewal that was a mistake is taken back: what its term was, and what the domain has without it."""

from __future__ import annotations

from datetime import date

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from mission_control_tui.model.dates import months_later
from mission_control_tui.model.domains.ownership import required_domain
from mission_control_tui.model.errors import Conflict
from mission_control_tui.model.orders.due_renewals import FROM
from mission_control_tui.model.orders.renewing import end_of, lengthen
from mission_control_tui.model.states import OrderKind, OrderState
from mission_control_tui.model.store.lookups import domain_row
from mission_control_tui.model.store.tables.accounts import AccountRow, DomainRow
from mission_control_tui.model.store.tables.orders import OrderLineRow, OrderRow
from mission_control_tui.model.store.transaction import Transaction


async def take_back_renewal(tx: Transaction, account: AccountRow, line: OrderLineRow) -> None:
    """Make the domain's term shorter by what was ordered; one that is gone or bought again has none such."""
    row = await _renewed(tx.session, account, line)
    if row is not None:
        await lengthen(tx, row, account, -line.term_months)


async def paid_until(session: AsyncSession, account: AccountRow, line: OrderLineRow) -> date:
    """Return where the term ends that taking this renewal back would shorten; of a domain that is gone, its own end."""
    row = await _renewed(session, account, line)
    if row is not None:
        return end_of(account, row)
    return months_later(date.fromisoformat(str(line.details[FROM])), line.term_months)


async def refuse_renewed(session: AsyncSession, account: AccountRow, line: OrderLineRow) -> None:
    """Raise Conflict where the registration that the line brought has renewals that stand, or is another's now."""
    row = await required_domain(session, account, line.domain)
    if row.bought and _registered_by(row) != line.order_id:
        raise Conflict(
            f"Order {line.order_id} cannot be cancelled: "
            f"{row.name} was removed, and bought again by order {_registered_by(row)}.",
            hint="What was removed is not paid back; cancel that order where it was a mistake.",
        )
    renewals = await session.scalars(
        select(OrderRow.id)
        .join(OrderLineRow, OrderLineRow.order_id == OrderRow.id)
        .where(
            OrderRow.account_id == account.id,
            OrderRow.kind == OrderKind.RENEWAL,
            OrderRow.state.in_((OrderState.COMPLETE, OrderState.AWAITING_APPROVAL)),
            OrderRow.id > line.order_id,
            OrderLineRow.domain == row.name,
        )
        .order_by(OrderRow.id.desc())
    )
    numbers = [str(number) for number in renewals]
    if numbers:
        what = "order {}, its renewal," if len(numbers) == 1 else "orders {}, its renewals,"
        raise Conflict(
            f"Order {line.order_id} cannot be cancelled: a renewal of {row.name} stands.",
            hint=f"Cancel {what.format(' and '.join(numbers))} first.",
        )


async def _renewed(
    session: AsyncSession, account: AccountRow, line: OrderLineRow
) -> DomainRow | None:
    """Return the domain that the renewal was of, if the account still has it."""
    row = await domain_row(session, account.id, line.domain)
    return row if row is not None and row.bought and _registered_by(row) < line.order_id else None


def _registered_by(row: DomainRow) -> int:
    """Return the order that the bought domain's registration comes from; 0 for a sample's, which nobody ordered."""
    return int(row.details.get("order", 0))
