"""Orders that wait for a person: approve, decline and cancel them, and the limit above which they wait."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from mission_control_tui.model.audit_actions import AuditAction
from mission_control_tui.model.catalogue.in_force import in_force
from mission_control_tui.model.catalogue.types import Catalogue, PurchaseKind
from mission_control_tui.model.dates import months_later, zone_of
from mission_control_tui.model.domains.names import eligibility_doubts
from mission_control_tui.model.domains.ownership import locked_account, refuse_taken
from mission_control_tui.model.domains.registrar import AskRegistrar, RegistrarAnswer
from mission_control_tui.model.errors import Conflict, InvalidInput, NotFound, Problem
from mission_control_tui.model.money import Money
from mission_control_tui.model.orders import removing, renewal_returns, renewing
from mission_control_tui.model.orders.buying import (
    REASON_LIMIT,
    Availability,
    Purchase,
    add_costs,
    availability_of,
    checked,
    fulfil,
    lines_of,
)
from mission_control_tui.model.orders.queries import OrderView, views
from mission_control_tui.model.plan import Outcome, PlanVerb
from mission_control_tui.model.states import OrderKind, OrderState
from mission_control_tui.model.store.lookups import numbered_row
from mission_control_tui.model.store.retry import retries_on_conflict
from mission_control_tui.model.store.row_versions import require_account_version
from mission_control_tui.model.store.scope import AccountScope
from mission_control_tui.model.store.tables.accounts import AccountRow
from mission_control_tui.model.store.tables.orders import OrderLineRow, OrderRow
from mission_control_tui.model.store.transaction import Transaction
from mission_control_tui.model.text import limits
from mission_control_tui.model.text.clean import harmless

_WORDS = {
    OrderState.COMPLETE: "approve",
    OrderState.DECLINED: "decline",
    OrderState.CANCELLED: "cancel",
}


class PriceChanged(Conflict):
    """What was agreed is no longer what it costs: the approval has to say that the agreed price holds."""

    code = "price-changed"


class NotChecked(Conflict):
    """The registrar does not say whether a name is free: the approval has to say that it holds all the same."""

    code = "not-checked"


async def approval_limit(scope: AccountScope) -> Money | None:
    """Return the total above which the account's orders wait for approval; None where none does."""
    async with scope.store.read() as session:
        row = await scope.row(session)
        return _limit(row, (await in_force(session)).catalogue)


async def set_approval_limit(
    scope: AccountScope, above: Money | None, *, version: int | None = None, dry_run: bool = False
) -> Outcome[Money | None]:
    """Let orders of more than `above` (with tax, in the catalogue's currency) wait for approval; None for none.

    Raises InvalidInput, and StaleVersion when the account is past `version`.
    """
    async with scope.change(dry_run=dry_run) as (tx, account_id):
        owner = await locked_account(tx, account_id)
        catalogue = (await in_force(tx.session)).catalogue
        most = Money(limits.NUMBER, catalogue.currency)
        if above is not None and (
            above.currency != most.currency or not 0 <= above.minor <= most.minor
        ):
            wrong = Problem("above", f"{above} is not an amount from 0 to {most}")
            raise InvalidInput("This limit cannot be set.", problems=[wrong])
        before = _limit(owner, catalogue)
        changes = before != above
        if changes:
            await require_account_version(tx, owner, version)
            owner.approval_above_minor = None if above is None else above.minor
            owner.version += 1
            await tx.session.flush()
            amount = ("--never",) if above is None else ("--above", above.format(code=False))
            tx.command("account", "approval", *(word.replace(",", "") for word in amount))
        tx.record(
            PlanVerb.CHANGED if changes else PlanVerb.UNCHANGED,
            "account",
            owner.code,
            before={"approval above": _said(before)} if changes else {},
            after={"approval above": _said(above)} if changes else {},
            action=AuditAction.EDIT_ACCOUNT,
            version=owner.version,
        )
    return tx.outcome(above)


async def ask_again(
    scope: AccountScope, order_id: int, ask: AskRegistrar | None
) -> RegistrarAnswer | None:
    """Return what the registrar says by now of the name that an order is for; None where nobody is to be asked.

    Raises NotFound.
    """
    async with scope.read() as (session, account_id):
        order = await numbered_row(session, OrderRow, account_id, order_id)
        waits = order.state == OrderState.AWAITING_APPROVAL
        catalogue = (await in_force(session)).catalogue
        names = [
            line.domain
            for line in await lines_of(session, order)
            if waits and _registers(catalogue, order, line)
        ]
    return await ask(names[0]) if ask is not None and names else None


@retries_on_conflict
async def approve_order(
    scope: AccountScope,
    order_id: int,
    *,
    note: str = "",
    agreed_price: bool = False,
    registrar: RegistrarAnswer | None = None,
    unchecked: bool = False,
    dry_run: bool = False,
) -> Outcome[OrderView]:
    """Let an order that waits for approval bring what was ordered, once.

    Price, answers and availability are looked at again; `registrar` is what `ask_again` returned. Raises NotFound;
    Conflict where it does not wait, cannot be bought any more or the domain was taken; PriceChanged where it costs
    something else now and not `agreed_price`; NotChecked where the registrar does not know and not `unchecked`.
    """
    async with scope.change(dry_run=dry_run) as (tx, account_id):
        owner = await locked_account(tx, account_id)
        order = await _waiting(tx.session, owner, order_id)
        catalogue = (await in_force(tx.session)).catalogue
        lines = await lines_of(tx.session, order)
        for line in lines:
            total = await _look_again(tx, owner, catalogue, order, line)
            _judge_price(tx, order, line, total, agreed_price=agreed_price)
            if _registers(catalogue, order, line):
                _judge_availability(tx, order, line, registrar, unchecked=unchecked)
        stated = {"--agreed-price": agreed_price, "--unchecked": unchecked}
        flags = [flag for flag, is_stated in stated.items() if is_stated]
        _decide(tx, order, OrderState.COMPLETE, note, "--note", *flags)
        for line in lines:
            if order.kind == OrderKind.RENEWAL:
                await renewing.fulfil_renewal(tx, owner, line)
            else:
                await fulfil(tx, owner, catalogue, line)
        add_costs(tx, order)
        (view,) = await views(tx.session, [order])
    return tx.outcome(view)


async def decline_order(
    scope: AccountScope, order_id: int, reason: str, *, dry_run: bool = False
) -> Outcome[OrderView]:
    """Refuse an order that waits for approval, saying why. Raises NotFound, Conflict, InvalidInput (no reason)."""
    if not reason.strip():
        raise InvalidInput(
            "An order is declined with a reason.", problems=[Problem("reason", "it is empty")]
        )
    async with scope.change(dry_run=dry_run) as (tx, account_id):
        owner = await locked_account(tx, account_id)
        order = await _waiting(tx.session, owner, order_id)
        _decide(tx, order, OrderState.DECLINED, reason, "--reason")
        (view,) = await views(tx.session, [order])
    return tx.outcome(view)


@retries_on_conflict
async def cancel_order(
    scope: AccountScope,
    order_id: int,
    reason: str = "",
    *,
    credit: bool = True,
    dry_run: bool = False,
) -> Outcome[OrderView]:
    """Take an order back: one that waits ends; what a complete one brought is removed.

    What a complete one cost is credited in the month of today, with the `reason`, while the term that it paid for runs
    and unless `credit` is False; a month that is closed stays as it is.
    The result is the order itself, "cancelled" or "returned"; a return makes a removal order too. Raises NotFound,
    InvalidInput (a credit without a reason), and Conflict where it is over already, is itself a removal, where users
    still hold what it brought, or where a renewal of the domain that it brought stands.
    """
    async with scope.change(dry_run=dry_run) as (tx, account_id):
        owner = await locked_account(tx, account_id)
        order = await numbered_row(tx.session, OrderRow, account_id, order_id, lock=True)
        if order.state == OrderState.AWAITING_APPROVAL:
            _decide(tx, order, OrderState.CANCELLED, reason, "--reason", "--yes")
        elif order.state == OrderState.COMPLETE and order.kind != OrderKind.REMOVAL:
            await _return(tx, owner, order, reason, credit=credit)
        else:
            what = "a removal" if order.kind == OrderKind.REMOVAL else order.state
            raise Conflict(
                f"Order {order.id} cannot be cancelled: it is {what}.",
                hint="Only a purchase that is complete or awaiting approval can be.",
            )
        await tx.session.flush()
        (view,) = await views(tx.session, [order])
    return tx.outcome(view)


async def _waiting(session: AsyncSession, account: AccountRow, order_id: int) -> OrderRow:
    """Return the order, locked. Raises NotFound, Conflict where it does not wait."""
    order = await numbered_row(session, OrderRow, account.id, order_id, lock=True)
    if order.state != OrderState.AWAITING_APPROVAL:
        who = f" by {order.decided_by}" if order.decided_by else ""
        raise Conflict(f"Order {order.id} does not wait for approval: it is {order.state}{who}.")
    return order


def _registers(catalogue: Catalogue, order: OrderRow, line: OrderLineRow) -> bool:
    """Tell whether the line, once it is fulfilled, registers a name that nobody here has."""
    sold = next((each for each in catalogue.products if each.id == line.product_id), None)
    return (
        order.kind == OrderKind.PURCHASE and sold is not None and sold.buys is PurchaseKind.DOMAIN
    )


async def _look_again(
    tx: Transaction,
    account: AccountRow,
    catalogue: Catalogue,
    order: OrderRow,
    line: OrderLineRow,
) -> Money:
    """Return what the line costs now, if it can be had as it was ordered; doubts of a person's concern are warnings."""
    again = Purchase(
        line.product_id,
        line.level_id,
        line.quantity,
        line.term_months,
        line.domain or None,
        {key: value for key, value in line.details.items() if value is not None},
    )
    try:
        if order.kind == OrderKind.RENEWAL:
            return await renewing.price_now(tx, account, line)
        sold = catalogue.product(line.product_id)
        quoted, answers = await checked(tx.session, account, catalogue, sold, again)
    except (InvalidInput, NotFound) as error:
        raise Conflict(
            f"Order {order.id} cannot be approved any more: {error.what}",
            hint="Decline it, and order again what can be bought.",
            problems=error.problems,
        ) from error
    if sold.buys is PurchaseKind.DOMAIN:
        await refuse_taken(tx.session, account, line.domain, tx.caller)
        for doubt in eligibility_doubts(answers):
            tx.warn(f"Approved in spite of this: {doubt}")
    return quoted.total


def _judge_price(
    tx: Transaction, order: OrderRow, line: OrderLineRow, now: Money, *, agreed_price: bool
) -> None:
    """Raise PriceChanged where the line costs something else now, unless the agreed price holds."""
    agreed = Money(line.net_minor + line.tax_minor, order.currency)
    if now == agreed:
        return
    if not agreed_price:
        raise PriceChanged(
            f"Order {order.id} was agreed at {agreed}, and it costs {now} now.",
            hint="Approve it at the agreed price (--agreed-price), or decline it.",
        )
    tx.warn(f"Approved at the agreed {agreed}; it costs {now} now.")


def _judge_availability(
    tx: Transaction,
    order: OrderRow,
    line: OrderLineRow,
    answer: RegistrarAnswer | None,
    *,
    unchecked: bool,
) -> None:
    """Raise Conflict where the name is taken by now, and NotChecked where a registrar was asked and does not know."""
    known, said = availability_of(line.domain, answer)
    if known is Availability.TAKEN:
        raise Conflict(
            f"Order {order.id} cannot be approved any more: {said}",
            hint="Decline it, and order another name.",
        )
    if known is Availability.FREE:
        return
    if answer is not None and not unchecked:
        raise NotChecked(said, hint="Approve it all the same (--unchecked), or try again later.")
    tx.warn(f"Approved in spite of this: {said}")


def _decide(
    tx: Transaction, order: OrderRow, state: OrderState, reason: str, option: str, *flags: str
) -> None:
    order.decided_at, order.decided_by = tx.now, tx.caller.operator
    order.reason = harmless(reason.strip())[:REASON_LIMIT]
    said = (option, order.reason) if order.reason else ()
    tx.command("orders", _WORDS[state], str(order.id), *said, *flags)
    _turn(tx, order, state, order.reason, AuditAction(f"{_WORDS[state]} order"))


def _turn(
    tx: Transaction, order: OrderRow, state: OrderState, reason: str, action: AuditAction
) -> None:
    before, order.state = order.state, state
    tx.record(
        PlanVerb.CHANGED,
        "order",
        str(order.id),
        before={"state": before},
        after={"state": state, **({"reason": reason} if reason else {})},
        action=action,
    )


async def _return(
    tx: Transaction, account: AccountRow, order: OrderRow, reason: str, *, credit: bool
) -> None:
    why = harmless(reason.strip())[:REASON_LIMIT]
    total = Money(order.total_minor, order.currency)
    said = ("--reason", why) if why else ()
    without = () if credit else ("--no-credit",)
    tx.command("orders", "cancel", str(order.id), *said, *without, "--yes")
    for line in await lines_of(tx.session, order):
        credited = credit and await _is_running(tx, account, order, line)
        if credited and not why:
            raise InvalidInput(
                "What an order cost is credited with a reason.",
                problems=[
                    Problem("reason", "it is empty", "say why, or take it back without a credit")
                ],
                hint="Give a reason, or --no-credit.",
            )
        if credited:
            tx.warn(f"{total} of order {order.id} is credited this month.")
        elif credit:
            tx.warn(f"Nothing is credited: the term that order {order.id} paid for is over.")
        removal = await removing.take_back(
            tx, account, line, credited=credited, renewal=order.kind == OrderKind.RENEWAL
        )
        removal.returns_id = order.id
        removal.note = f"Takes back order {order.id}"
        removal.reason = why
        order.note = " ".join(filter(None, (order.note, f"Taken back by order {removal.id}.")))
    _turn(tx, order, OrderState.RETURNED, why, AuditAction.RETURN_ORDER)


async def _is_running(
    tx: Transaction, account: AccountRow, order: OrderRow, line: OrderLineRow
) -> bool:
    """Tell whether the term that the order paid for is not over yet; a renewal's begins where the one before ends."""
    zone = zone_of(account.time_zone)
    if order.kind == OrderKind.RENEWAL:
        ends = await renewal_returns.paid_until(tx.session, account, line)
    else:
        began = (order.decided_at or order.placed_at).astimezone(zone).date()
        ends = months_later(began, line.term_months)
    return tx.now.astimezone(zone).date() < ends


def _limit(row: AccountRow, catalogue: Catalogue) -> Money | None:
    minor = row.approval_above_minor
    return None if minor is None else catalogue.money(minor)


def _said(limit: Money | None) -> str:
    return "never" if limit is None else str(limit)
