"""Removing what was bought: fewer seats, or a domain let go; refused while anybody needs it."""

from __future__ import annotations

from sqlalchemy import select

from mission_control_tui.model import command_words
from mission_control_tui.model.audit_actions import AuditAction
from mission_control_tui.model.catalogue.in_force import InForce, in_force
from mission_control_tui.model.catalogue.types import Product, ProductLevel, PurchaseKind, Service
from mission_control_tui.model.domains.ownership import locked_account, release, required_domain
from mission_control_tui.model.errors import Conflict, InvalidInput, NotFound, Problem
from mission_control_tui.model.groups.rules import refuse_last
from mission_control_tui.model.money import Money
from mission_control_tui.model.orders.buying import insert_order
from mission_control_tui.model.orders.idempotency import placed_before
from mission_control_tui.model.orders.queries import OrderView, views
from mission_control_tui.model.orders.renewal_returns import refuse_renewed, take_back_renewal
from mission_control_tui.model.orders.subscriptions import (
    change_quantity,
    locked_subscription,
    subscribed_level,
)
from mission_control_tui.model.plan import Outcome, PlanVerb
from mission_control_tui.model.services import seats
from mission_control_tui.model.services.subjects import account_subject
from mission_control_tui.model.states import OrderKind, SubjectKind, Wish
from mission_control_tui.model.store.retry import retries_on_conflict
from mission_control_tui.model.store.scope import AccountScope
from mission_control_tui.model.store.tables.accounts import AccountRow, DomainRow
from mission_control_tui.model.store.tables.orders import OrderLineRow, OrderRow
from mission_control_tui.model.store.tables.services import AssignmentRow, SeatHoldRow
from mission_control_tui.model.store.transaction import Transaction
from mission_control_tui.model.text.instances import with_instance
from mission_control_tui.model.users.actions.wish import Deprovision


@retries_on_conflict
async def remove(
    scope: AccountScope,
    product: str,
    *,
    level: str | None = None,
    quantity: int | None = None,
    domain: str | None = None,
    idempotency_key: str = "",
    dry_run: bool = False,
) -> Outcome[OrderView]:
    """Remove `quantity` (all where None) of a product's level, or one bought domain; nothing is paid back.

    With an `idempotency_key` that a removal of the account has already, that one is returned and nothing is removed.
    Raises NotFound (the account has none), InvalidInput, and Conflict naming the users who hold it.

    The account's own service is deprovisioned with its last seats.
    """
    async with scope.change(dry_run=dry_run) as (tx, account_id):
        owner = await locked_account(tx, account_id)
        force = await in_force(tx.session)
        sold = force.catalogue.product(product)
        level_id = sold.level(level).id if level is not None else None
        order = await placed_before(
            *(tx, owner.id, idempotency_key, OrderKind.REMOVAL),
            product_id=sold.id,
            level_id=level_id,
            quantity=quantity,
            domain=domain,
        )
        if order is None:
            if level_id is None:
                level_id = await subscribed_level(tx.session, force.catalogue, owner, sold)
            named = sold.level(level_id)
            order = await _remove(tx, owner, force, sold, named, quantity, domain, said=True)
            order.idempotency_key = idempotency_key or None
        (view,) = await views(tx.session, [order])
    return tx.outcome(view)


async def take_back(
    tx: Transaction,
    account: AccountRow,
    line: OrderLineRow,
    *,
    credited: bool,
    renewal: bool = False,
) -> OrderRow:
    """Remove all that one line of an order brought, inside the caller's transaction, which has locked the account.

    Where it is `credited`, the removal's sums are those of the line, below zero. Raises as `remove` does, and Conflict
    where a domain's renewal stands.
    """
    force = await in_force(tx.session)
    sold = force.catalogue.product(line.product_id)
    credit = line if credited else None
    if renewal:
        await take_back_renewal(tx, account, line)
        what = f"the renewal of {line.domain}"
        return await _insert(tx, account, force, sold, line.level_id, what, 1, line.domain, credit)
    of_domain = sold.buys is PurchaseKind.DOMAIN
    if of_domain:
        await refuse_renewed(tx.session, account, line)
    quantity, domain = (None, line.domain) if of_domain else (line.quantity, None)
    level = sold.level(line.level_id)
    return await _remove(tx, account, force, sold, level, quantity, domain, credit)


async def _remove(
    tx: Transaction,
    account: AccountRow,
    force: InForce,
    sold: Product,
    level: ProductLevel,
    quantity: int | None,
    domain: str | None,
    credit: OrderLineRow | None = None,
    *,
    said: bool = False,
) -> OrderRow:
    """Remove it with an order of its own; where it is `said`, that is what the command was."""
    if sold.buys is PurchaseKind.DOMAIN:
        row = await _bought_domain(tx, account, sold, quantity, domain)
        count, name, about = 1, row.name, f" for {row.name}"
        await change_quantity(tx, account, sold, level, -1)
        await release(tx, account, force.catalogue, row)
    else:
        count, name, about = await _seats(tx, account, sold, level, quantity, domain), "", ""
        await change_quantity(tx, account, sold, level, -count)
        service = force.catalogue.service(level.grants_service)
        await _take_from_account(tx, account, service, level.grants_level, count)
        await seats.take(tx, account.id, service, level.grants_level, count)
        await refuse_last(tx, force.catalogue, account, service)
    if said:
        tx.command(*command_words.remove(sold.id, level.id, count, name))
    what = f"{level.name}{about}"
    return await _insert(tx, account, force, sold, level.id, what, count, name, credit)


async def _take_from_account(
    tx: Transaction, account: AccountRow, service: Service, level_id: str, count: int
) -> None:
    """Deprovision the account's own service where it holds the seats that go, and let go of its seat at once.

    With several instances only all of them go: which one, nobody said.
    """
    if service.subject is not SubjectKind.ACCOUNT:
        return
    # Services before their seats: so do workers.
    found = await tx.session.scalars(
        select(AssignmentRow)
        .where(
            AssignmentRow.account_id == account.id,
            AssignmentRow.subject_kind == SubjectKind.ACCOUNT,
            AssignmentRow.service_id == service.id,
        )
        .order_by(AssignmentRow.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    own = found.all()
    pool = await seats.locked_pool(tx.session, account.id, service.id, level_id)
    missing = 0 if pool is None else count - (pool.owned - pool.held)
    if pool is None or missing <= 0:
        return
    holding = set(
        await tx.session.scalars(
            select(SeatHoldRow.assignment_id).where(SeatHoldRow.pool_id == pool.id)
        )
    )
    rows = [row for row in own if row.id in holding]
    if missing < len(rows):
        return
    for row in rows:
        if row.wish != Wish.ABSENT and row.level_id == level_id:
            await Deprovision().turn(tx, account_subject(account), service, row, said=False)
            tx.lost.append(
                f"{with_instance(service.name, row.instance)} of the account, with its data"
            )
        keep = {row.level_id} - {level_id}
        await seats.release(tx.session, row.id, keep=keep)


async def _insert(
    tx: Transaction,
    account: AccountRow,
    force: InForce,
    sold: Product,
    level_id: str,
    what: str,
    count: int,
    domain: str,
    credit: OrderLineRow | None,
) -> OrderRow:
    """Insert the order that says what was removed; its sums are those of `credit`, below zero."""
    label = f"Removed {sold.name}: {what}"
    line = OrderLineRow(
        product_id=sold.id,
        level_id=level_id,
        label=label,
        quantity=count,
        term_months=0,
        unit_minor=credit.unit_minor if credit is not None else 0,
        net_minor=-credit.net_minor if credit is not None else 0,
        tax_minor=-credit.tax_minor if credit is not None else 0,
        domain=domain,
        details={},
    )
    order = await insert_order(tx, account, force, OrderKind.REMOVAL, line)
    tx.record(
        PlanVerb.CREATED,
        "order",
        str(order.id),
        after={
            "label": label,
            "quantity": count,
            "total": str(Money(order.total_minor, order.currency)),
        },
        action=AuditAction.REMOVE,
        of=sold.id,
    )
    return order


async def _seats(
    tx: Transaction,
    account: AccountRow,
    sold: Product,
    level: ProductLevel,
    quantity: int | None,
    domain: str | None,
) -> int:
    """Return how many seats are to be removed."""
    if domain:
        raise _wrong(sold, "domain", f"{sold.name} is not removed by domain", "leave it out")
    row = await locked_subscription(tx, account, sold.id, level.id)
    have = row.quantity if row is not None else 0
    if not have:
        raise NotFound(f"Account {account.code} has no {sold.name}: {level.name}.")
    count = have if quantity is None else quantity
    if count < 1:
        raise _wrong(sold, "quantity", f"{count} is below 1", f"give 1 to {have}")
    return count


async def _bought_domain(
    tx: Transaction, account: AccountRow, sold: Product, quantity: int | None, domain: str | None
) -> DomainRow:
    """Return the domain that is to be removed."""
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
    return row


def _wrong(sold: Product, where: str, what: str, hint: str) -> InvalidInput:
    return InvalidInput(
        f"{sold.name} cannot be removed like this.", problems=[Problem(where, what, hint)]
    )
