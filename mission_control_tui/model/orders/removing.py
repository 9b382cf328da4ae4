"""Removing what was bought: fewer seats, or a domain let go; refused while anybody needs it."""

from __future__ import annotations

from mission_control_tui.model import command_words
from mission_control_tui.model.audit_actions import AuditAction
from mission_control_tui.model.catalogue.in_force import InForce, in_force
from mission_control_tui.model.catalogue.types import Product, ProductLevel, PurchaseKind
from mission_control_tui.model.domains.ownership import locked_account, release, required_domain
from mission_control_tui.model.errors import Conflict, InvalidInput, NotFound, Problem
from mission_control_tui.model.groups.rules import refuse_last
from mission_control_tui.model.orders.queries import OrderView, views
from mission_control_tui.model.orders.subscriptions import (
    change_quantity,
    locked_subscription,
    subscribed_level,
)
from mission_control_tui.model.plan import Outcome, PlanVerb
from mission_control_tui.model.services import seats
from mission_control_tui.model.states import OrderKind, OrderState
from mission_control_tui.model.store.retry import retries_on_conflict
from mission_control_tui.model.store.scope import AccountScope
from mission_control_tui.model.store.tables.accounts import AccountRow
from mission_control_tui.model.store.tables.orders import OrderLineRow, OrderRow
from mission_control_tui.model.store.transaction import Transaction


@retries_on_conflict
async def remove(
    scope: AccountScope,
    product: str,
    *,
    level: str | None = None,
    quantity: int | None = None,
    domain: str | None = None,
    dry_run: bool = False,
) -> Outcome[OrderView]:
    """Remove `quantity` (all where None) of a product's level, or one bought domain; nothing is paid back.

    Raises NotFound (the account has none), InvalidInput, and Conflict naming the users who hold it.
    """
    async with scope.change(dry_run=dry_run) as (tx, account_id):
        owner = await locked_account(tx, account_id)
        force = await in_force(tx.session)
        sold = force.catalogue.product(product)
        level_id = (
            sold.level(level).id
            if level is not None
            else await subscribed_level(tx.session, force.catalogue, owner, sold)
        )
        bought = sold.level(level_id)
        if sold.buys is PurchaseKind.DOMAIN:
            order = await _remove_domain(tx, owner, force, sold, bought, quantity, domain)
        else:
            order = await _remove_seats(tx, owner, force, sold, bought, quantity, domain)
        (view,) = await views(tx.session, [order])
    return tx.outcome(view)


async def take_back(tx: Transaction, account: AccountRow, line: OrderLineRow) -> OrderRow:
    """Remove all that one line of an order brought, inside the caller's transaction, which has locked the account.

    Raises as `remove` does.
    """
    force = await in_force(tx.session)
    sold = force.catalogue.product(line.product_id)
    level = sold.level(line.level_id)
    if sold.buys is PurchaseKind.DOMAIN:
        return await _remove_domain(tx, account, force, sold, level, None, line.domain)
    return await _remove_seats(tx, account, force, sold, level, line.quantity, None)


async def _remove_seats(
    tx: Transaction,
    account: AccountRow,
    force: InForce,
    sold: Product,
    level: ProductLevel,
    quantity: int | None,
    domain: str | None,
) -> OrderRow:
    if domain:
        raise _wrong(sold, "domain", f"{sold.name} is not removed by domain", "leave it out")
    row = await locked_subscription(tx, account, sold.id, level.id)
    have = row.quantity if row is not None else 0
    if not have:
        raise NotFound(f"Account {account.code} has no {sold.name}: {level.name}.")
    count = have if quantity is None else quantity
    if count < 1:
        raise _wrong(sold, "quantity", f"{count} is below 1", f"give 1 to {have}")
    await change_quantity(tx, account, sold, level, -count)
    service = force.catalogue.service(level.grants_service)
    await seats.take(tx, account.id, service, level.grants_level, count)
    await refuse_last(tx, force.catalogue, account, service)
    return await _insert(tx, account, force, sold, level, count, "")


async def _remove_domain(
    tx: Transaction,
    account: AccountRow,
    force: InForce,
    sold: Product,
    level: ProductLevel,
    quantity: int | None,
    domain: str | None,
) -> OrderRow:
    if not domain:
        raise _wrong(sold, "domain", "a domain name is needed", "name the domain to remove")
    if quantity not in (None, 1):
        raise _wrong(sold, "quantity", "one domain is removed at a time", "leave it out")
    row = await required_domain(tx.session, account, domain)
    if not row.bought:
        raise Conflict(
            f"{row.name} was not bought here.",
            hint="It is registered elsewhere: remove it from the account's domains.",
        )
    await change_quantity(tx, account, sold, level, -1)
    await release(tx, account, force.catalogue, row)
    return await _insert(tx, account, force, sold, level, 1, row.name)


def _wrong(sold: Product, where: str, what: str, hint: str) -> InvalidInput:
    return InvalidInput(
        f"{sold.name} cannot be removed like this.", problems=[Problem(where, what, hint)]
    )


async def _insert(
    tx: Transaction,
    account: AccountRow,
    force: InForce,
    sold: Product,
    level: ProductLevel,
    quantity: int,
    domain: str,
) -> OrderRow:
    order = OrderRow(
        account_id=account.id,
        kind=OrderKind.REMOVAL,
        state=OrderState.COMPLETE,
        operator=tx.caller.operator,
        ticket=tx.caller.ticket,
        placed_at=tx.now,
        catalogue_number=force.number,
        currency=force.catalogue.currency,
        net_minor=0,
        tax_minor=0,
        total_minor=0,
    )
    tx.session.add(order)
    await tx.session.flush()
    about = f" for {domain}" if domain else ""
    label = f"Removed {sold.name}: {level.name}{about}"
    tx.session.add(
        OrderLineRow(
            order_id=order.id,
            product_id=sold.id,
            level_id=level.id,
            label=label,
            quantity=quantity,
            term_months=0,
            unit_minor=0,
            net_minor=0,
            tax_minor=0,
            domain=domain,
            details={},
        )
    )
    await tx.session.flush()
    nothing = force.catalogue.money(0)
    tx.money(nothing, nothing, nothing)
    tx.command(*command_words.remove(sold.id, level.id, quantity, domain))
    tx.record(
        PlanVerb.CREATED,
        "order",
        str(order.id),
        after={"label": label, "quantity": quantity, "total": str(nothing)},
        action=AuditAction.REMOVE,
        of=sold.id,
    )
    return order
