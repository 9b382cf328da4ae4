"""Renewing a bought domain: an order for a further term, by hand or by the worker where the registration says so."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from mission_control_tui.model import command_words
from mission_control_tui.model.audit_actions import AuditAction
from mission_control_tui.model.caller import WORKER
from mission_control_tui.model.catalogue.in_force import InForce, in_force
from mission_control_tui.model.catalogue.prices import term_words
from mission_control_tui.model.catalogue.types import Catalogue, Product, PurchaseKind
from mission_control_tui.model.dates import months_later, today_of, zone_of
from mission_control_tui.model.domains.ownership import locked_account, required_domain
from mission_control_tui.model.errors import Conflict, InvalidInput, NotFound, Problem
from mission_control_tui.model.money import Money
from mission_control_tui.model.orders.buying import WAITS, above_limit, insert_order, refuse_waiting
from mission_control_tui.model.orders.due_renewals import FROM, DueRenewal, was_ordered
from mission_control_tui.model.orders.idempotency import placed_before
from mission_control_tui.model.orders.queries import OrderView, views
from mission_control_tui.model.plan import Outcome, PlanVerb
from mission_control_tui.model.services.domain_terms import (
    AUTO_RENEW,
    ends_on,
    renews_itself,
    term_end,
)
from mission_control_tui.model.services.wishes import enqueue
from mission_control_tui.model.states import OrderKind, OrderState, RequestKind, Wish
from mission_control_tui.model.store.database import Store
from mission_control_tui.model.store.retry import retries_on_conflict
from mission_control_tui.model.store.scope import AccountScope
from mission_control_tui.model.store.tables.accounts import AccountRow, DomainRow
from mission_control_tui.model.store.tables.orders import OrderLineRow, OrderRow
from mission_control_tui.model.store.tables.services import AssignmentRow
from mission_control_tui.model.store.transaction import Transaction
from mission_control_tui.model.text.counting import counted

MOST_MONTHS = 120
"""No registry takes a domain for longer than ten years ahead."""


@dataclass(frozen=True, slots=True)
class RenewalOffer:
    """What a further term of a domain costs, and when it would end."""

    months: int
    net: Money
    tax: Money
    ends_on: date

    @property
    def total(self) -> Money:
        """Net and tax."""
        return self.net + self.tax


async def offers(scope: AccountScope, name: str) -> tuple[RenewalOffer, ...]:
    """Return the terms for which a domain can be renewed. Raises NotFound, Conflict (not bought here)."""
    async with scope.store.read() as session:
        owner = await scope.row(session)
        catalogue = (await in_force(session)).catalogue
        row = await _bought(session, owner, name)
        _, prices = _priced(catalogue, row)
        return tuple(_offer(catalogue, prices, months, owner, row) for months in sorted(prices))


@retries_on_conflict
async def renew(
    scope: AccountScope,
    name: str,
    *,
    term: int | None = None,
    idempotency_key: str = "",
    dry_run: bool = False,
) -> Outcome[OrderView]:
    """Order a further term of a bought domain, of `term` months or as long as its first one.

    With an `idempotency_key` that a renewal of the account has already, that one is returned and nothing is ordered.
    It begins where the present one ends. An order above the account's limit waits for approval.
    Raises NotFound, InvalidInput (the term), Conflict (not bought here, a renewal waits, ten years ahead).
    """
    async with scope.change(dry_run=dry_run) as (tx, account_id):
        owner = await locked_account(tx, account_id)
        order = await placed_before(
            *(tx, owner.id, idempotency_key, OrderKind.RENEWAL),
            domain=name,
            term_months=term,
        )
        if order is None:
            order = await _place(tx, owner, await _bought(tx.session, owner, name), term)
            order.idempotency_key = idempotency_key or None
        (view,) = await views(tx.session, [order])
    return tx.outcome(view)


@retries_on_conflict
async def set_auto_renew(
    scope: AccountScope, name: str, on: bool, *, dry_run: bool = False
) -> Outcome[bool]:
    """Let the worker renew a bought domain before its term ends, or not. Raises NotFound, Conflict."""
    async with scope.change(dry_run=dry_run) as (tx, account_id):
        owner = await locked_account(tx, account_id)
        row = await _bought(tx.session, owner, name)
        held = await tx.session.scalar(
            select(AssignmentRow)
            .where(AssignmentRow.domain_id == row.id, AssignmentRow.wish != Wish.ABSENT)
            .order_by(AssignmentRow.id)
            .with_for_update()
        )
        service = (await in_force(tx.session)).catalogue.service(held.service_id) if held else None
        if held is None or service is None or AUTO_RENEW not in {o.id for o in service.options}:
            raise Conflict(f"{row.name} cannot renew itself: its registration has no such option.")
        before = renews_itself(held.settings)
        if before == on:
            tx.record(PlanVerb.UNCHANGED, "service", f"{row.name} {service.name}")
        else:
            settings = {**held.settings, AUTO_RENEW: on}
            stated = {*(held.stated or ()), AUTO_RENEW}
            request = await enqueue(tx, held, RequestKind.CHANGE, settings=settings, stated=stated)
            tx.command("account", "auto-renew", row.name, "on" if on else "off")
            tx.record(
                PlanVerb.CHANGED,
                "service",
                f"{row.name} {service.name}",
                before={AUTO_RENEW: before},
                after={AUTO_RENEW: on},
                action=AuditAction.CHANGE,
                of=service.id,
                request_id=request.id,
                assignment_id=held.id,
            )
    return tx.outcome(on)


@retries_on_conflict
async def renew_due(store: Store, due: DueRenewal) -> OrderState | None:
    """Order the renewal of a domain as the worker, once for each end of a term; None where that is done already.

    Also one that waits for approval, was declined or cancelled is not ordered again. Raises as `renew` does.
    """
    async with store.write(WORKER, due.account_id) as tx:
        owner = await locked_account(tx, due.account_id)
        row = await tx.session.scalar(
            select(DomainRow)
            .where(DomainRow.id == due.domain_id, DomainRow.removed_at.is_(None))
            .with_for_update()
            .execution_options(populate_existing=True)
        )
        if row is None or end_of(owner, row) != due.ends_on:
            return None
        if await was_ordered(tx.session, row, due.ends_on):
            return None
        order = await _place(tx, owner, row, None)
        return OrderState(order.state)


async def fulfil_renewal(tx: Transaction, account: AccountRow, line: OrderLineRow) -> None:
    """Make the domain's term longer by what was ordered."""
    await lengthen(tx, await _bought(tx.session, account, line.domain), account, line.term_months)


async def price_now(tx: Transaction, account: AccountRow, line: OrderLineRow) -> Money:
    """Return what a renewal that waits costs now. Raises NotFound, InvalidInput, Conflict where it cannot be had."""
    catalogue = (await in_force(tx.session)).catalogue
    row = await _bought(tx.session, account, line.domain)
    _, prices = _priced(catalogue, row)
    months = _term(row, prices, line.term_months)
    return _offer(catalogue, prices, months, account, row).total


async def _place(
    tx: Transaction, account: AccountRow, row: DomainRow, term: int | None
) -> OrderRow:
    force = await in_force(tx.session)
    await refuse_waiting(tx.session, row.name)
    sold, prices = _priced(force.catalogue, row)
    months = _term(row, prices, term)
    end = end_of(account, row)
    offer = _offer(force.catalogue, prices, months, account, row)
    today = today_of(account.time_zone, tx.now)
    if offer.ends_on > months_later(today, MOST_MONTHS):
        raise Conflict(
            f"{row.name} is paid for until {end} already.",
            hint=f"Nobody takes a domain for more than {MOST_MONTHS // 12} years ahead.",
        )
    doubts = above_limit(account, offer.total)
    level = next((level for level in sold.levels if not level.withdrawn), sold.levels[0])
    line = OrderLineRow(
        product_id=sold.id,
        level_id=level.id,
        label=f"{sold.name}: {row.name}, renewed for {term_words(months)} until {offer.ends_on}",
        quantity=1,
        term_months=months,
        unit_minor=offer.net.minor,
        net_minor=offer.net.minor,
        tax_minor=offer.tax.minor,
        domain=row.name,
        details={FROM: end.isoformat()},
    )
    order = await _insert(tx, account, force, line, doubts)
    if doubts:
        tx.warn(f"The order {WAITS} {order.note}")
    else:
        await lengthen(tx, row, account, months)
    return order


async def _insert(
    tx: Transaction,
    account: AccountRow,
    force: InForce,
    line: OrderLineRow,
    doubts: tuple[str, ...],
) -> OrderRow:
    order = await insert_order(tx, account, force, OrderKind.RENEWAL, line, doubts)
    tx.command(*command_words.renew(line.domain, line.term_months))
    tx.record(
        PlanVerb.CREATED,
        "order",
        str(order.id),
        after={
            "label": line.label,
            "total": str(Money(order.total_minor, order.currency)),
            "state": order.state,
            **({"note": order.note} if order.note else {}),
        },
        action=AuditAction.RENEW_DOMAIN,
    )
    return order


async def lengthen(tx: Transaction, row: DomainRow, account: AccountRow, months: int) -> None:
    """Make the domain's term so many months longer, or shorter."""
    before = end_of(account, row)
    row.renewed_months += months
    await tx.session.flush()
    tx.record(
        PlanVerb.CHANGED,
        "domain",
        row.name,
        before={"term ends": before.isoformat()},
        after={"term ends": end_of(account, row).isoformat()},
    )


async def _bought(session: AsyncSession, account: AccountRow, name: str) -> DomainRow:
    row = await required_domain(session, account, name)
    if not row.bought:
        raise Conflict(
            f"{row.name} was not bought here.",
            hint="It is registered elsewhere, and renewed there.",
        )
    return row


def end_of(account: AccountRow, row: DomainRow) -> date:
    """Return where the term of a bought domain ends."""
    end = ends_on(row, zone_of(account.time_zone))
    assert end is not None  # noqa: S101 - only bought domains come here
    return end


def _priced(catalogue: Catalogue, row: DomainRow) -> tuple[Product, dict[int, int]]:
    """Return the product that sells names like this one, and what each term costs; also one no longer sold anew."""
    bought = str(row.details.get("product", ""))
    selling = [product for product in catalogue.products if product.buys is PurchaseKind.DOMAIN]
    for product in sorted(selling, key=lambda product: product.id != bought):
        try:
            return product, dict(product.extension_of(row.name).prices)
        except NotFound:
            continue
    raise Conflict(
        f"{row.name} cannot be renewed: the catalogue has no price for names like it.",
        hint="Load a catalogue that sells its ending.",
    )


def _term(row: DomainRow, prices: dict[int, int], term: int | None) -> int:
    if term is None:
        return row.term_months if row.term_months in prices else min(prices)
    if term not in prices:
        choices = ", ".join(map(str, sorted(prices)))
        what = f"{row.name} is not renewed for {counted(term, 'month')}"
        raise InvalidInput(
            f"{row.name} cannot be renewed like this.",
            problems=[Problem("term", what, f"terms in months: {choices}")],
        )
    return term


def _offer(
    catalogue: Catalogue, prices: dict[int, int], months: int, account: AccountRow, row: DomainRow
) -> RenewalOffer:
    net = catalogue.money(prices[months])
    paid = row.term_months + row.renewed_months
    end = term_end(row.added_at, paid + months, zone_of(account.time_zone))
    return RenewalOffer(months, net, net.share(catalogue.tax_basis_points), end)
