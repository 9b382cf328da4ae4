"""How much of a product's level an account has: the running sum of its orders."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from mission_control_tui.model.catalogue.in_force import in_force
from mission_control_tui.model.catalogue.types import Catalogue, Product, ProductLevel
from mission_control_tui.model.errors import Conflict, NotFound
from mission_control_tui.model.plan import PlanVerb
from mission_control_tui.model.store.scope import AccountScope
from mission_control_tui.model.store.tables.accounts import AccountRow
from mission_control_tui.model.store.tables.orders import SubscriptionRow
from mission_control_tui.model.store.transaction import Transaction
from mission_control_tui.model.text import limits


@dataclass(frozen=True, slots=True)
class Subscription:
    """What an account has of one level of a product."""

    product_id: str
    product: str
    level_id: str
    level: str
    quantity: int
    term_months: int


async def list_subscriptions(scope: AccountScope) -> tuple[Subscription, ...]:
    """Return what the account has bought and not removed, in the catalogue's order."""
    async with scope.read() as (session, account_id):
        catalogue = (await in_force(session)).catalogue
        return await _subscriptions(session, catalogue, account_id)


async def _subscriptions(
    session: AsyncSession, catalogue: Catalogue, account_id: int
) -> tuple[Subscription, ...]:
    rows = await session.scalars(
        select(SubscriptionRow).where(
            SubscriptionRow.account_id == account_id, SubscriptionRow.quantity > 0
        )
    )
    by_level = {(row.product_id, row.level_id): row for row in rows}
    return tuple(
        Subscription(product.id, product.name, level.id, level.name, row.quantity, row.term_months)
        for product in catalogue.products
        for level in product.levels
        if (row := by_level.get((product.id, level.id))) is not None
    )


async def change_quantity(
    tx: Transaction,
    account: AccountRow,
    product: Product,
    level: ProductLevel,
    by: int,
    term_months: int | None = None,
) -> None:
    """Add `by` (which may be negative) to what the account has. Raises Conflict when it has less than that.

    The caller has locked the account.
    """
    row = await locked_subscription(tx, account, product.id, level.id)
    before = row.quantity if row is not None else 0
    if before + by < 0:
        raise Conflict(f"The account has {before} of {product.name}: {level.name}, not {-by}.")
    if before + by > limits.NUMBER:
        raise Conflict(
            f"The account has {before} of {product.name}: {level.name}, and cannot have {by} more."
        )
    if row is None:
        row = SubscriptionRow(
            account_id=account.id, product_id=product.id, level_id=level.id, quantity=0
        )
        tx.session.add(row)
    row.quantity = before + by
    row.term_months = term_months if term_months is not None else row.term_months
    row.version = (row.version or 0) + 1
    await tx.session.flush()
    verb = (
        PlanVerb.CREATED if not before else PlanVerb.CHANGED if row.quantity else PlanVerb.REMOVED
    )
    tx.record(
        verb,
        "subscription",
        f"{product.name}: {level.name}",
        before={"quantity": before} if before else {},
        after={"quantity": row.quantity} if row.quantity else {},
    )


async def locked_subscription(
    tx: Transaction, account: AccountRow, product_id: str, level_id: str
) -> SubscriptionRow | None:
    """Return the account's subscription to this level, locked; None where it never had one."""
    return await tx.session.scalar(
        select(SubscriptionRow)
        .where(
            SubscriptionRow.account_id == account.id,
            SubscriptionRow.product_id == product_id,
            SubscriptionRow.level_id == level_id,
        )
        .with_for_update()
        .execution_options(populate_existing=True)
    )


async def subscribed_level(
    session: AsyncSession, catalogue: Catalogue, account: AccountRow, product: Product
) -> str:
    """Return the id of the only level of the product that the account has. Raises NotFound, Conflict (several)."""
    have = [
        subscription
        for subscription in await _subscriptions(session, catalogue, account.id)
        if subscription.product_id == product.id
    ]
    if not have:
        raise NotFound(
            f"Account {account.code} has no {product.name}.",
            hint="`mission-control services list` shows what it has.",
        )
    if len(have) > 1:
        names = ", ".join(f"{level.level_id} ({level.level})" for level in have)
        raise Conflict(
            f"Account {account.code} has several levels of it.", hint=f"Name one: {names}."
        )
    return have[0].level_id
