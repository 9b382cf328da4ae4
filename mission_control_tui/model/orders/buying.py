"""Buying: an order with its copied price, the subscription, the seats or the domain that it brings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from mission_control_tui.model import command_words
from mission_control_tui.model.audit_actions import AuditAction
from mission_control_tui.model.catalogue.in_force import InForce, in_force
from mission_control_tui.model.catalogue.prices import Quote, QuoteLine, quote
from mission_control_tui.model.catalogue.types import (
    ApprovalRule,
    Catalogue,
    Product,
    ProductLevel,
    PurchaseKind,
)
from mission_control_tui.model.catalogue.values import Value, ValueType
from mission_control_tui.model.command_words import command_line
from mission_control_tui.model.domains.consents import require_consent
from mission_control_tui.model.domains.names import eligibility_doubts, normalise, reading_question
from mission_control_tui.model.domains.ownership import (
    claim,
    locked_account,
    refuse_taken,
    required_domain,
)
from mission_control_tui.model.domains.registrar import AskRegistrar, RegistrarAnswer, not_asked
from mission_control_tui.model.domains.suffixes import require_registrable
from mission_control_tui.model.errors import Conflict, InvalidInput, NotFound, Problem
from mission_control_tui.model.money import Money
from mission_control_tui.model.orders.idempotency import placed_before
from mission_control_tui.model.orders.queries import OrderView, views
from mission_control_tui.model.orders.subscriptions import change_quantity
from mission_control_tui.model.plan import Outcome, PlanVerb
from mission_control_tui.model.services import seats
from mission_control_tui.model.services.subjects import Subject, account_subject, domain_subject
from mission_control_tui.model.services.wishes import find
from mission_control_tui.model.states import OrderKind, OrderState, SubjectKind, Wish
from mission_control_tui.model.store.retry import retries_on_conflict
from mission_control_tui.model.store.scope import AccountScope
from mission_control_tui.model.store.tables.accounts import AccountRow, DomainRow
from mission_control_tui.model.store.tables.orders import OrderLineRow, OrderRow
from mission_control_tui.model.store.transaction import Transaction
from mission_control_tui.model.users.provisioning import give_bought

REASON_LIMIT = 1000
WAITS = "waits for approval:"
NOT_CHECKED = "Whether {name} is free was not checked: {why}."


@dataclass(frozen=True, slots=True)
class Purchase:
    """What is to be bought. `term` is in months; what is left out is the only or the shortest there is.

    `domain` is the name to buy or, for other products, to attach. `fields` are answers by the fields' ids. `registrar`
    is what the registrar said of the name.
    """

    product: str
    level: str | None = None
    quantity: int = 1
    term: int | None = None
    domain: str | None = None
    fields: Mapping[str, object] = field(default_factory=dict)
    registrar: RegistrarAnswer | None = None


class Availability(StrEnum):
    """What is known of a domain name before it is bought."""

    TAKEN = "taken"
    YOURS = "yours already"
    FREE = "free"
    NOT_CHECKED = "not checked"


@dataclass(frozen=True, slots=True)
class DomainCheck:
    """A name that somebody typed: its stored form, the extension that prices it, and what is known of it.

    `question` is asked before it is bought, "" where nothing is; `registrar` is what the registrar said.
    """

    name: str
    extension_id: str
    availability: Availability
    said: str
    question: str = ""
    registrar: RegistrarAnswer | None = None


async def check_domain(
    scope: AccountScope, product: str, name: str, ask: AskRegistrar | None = None
) -> DomainCheck:
    """Return what is known of a domain name to be bought; `ask` is asked about one that nobody here has.

    Raises InvalidInput, NotFound (no such ending sold).
    """
    stored = normalise(name)
    async with scope.read() as (session, account_id):
        sold = (await in_force(session)).catalogue.product(product)
        extension = sold.extension_of(stored)
        owner = await session.scalar(
            select(DomainRow.account_id).where(
                DomainRow.name == stored, DomainRow.removed_at.is_(None)
            )
        )
        refused = ""
        if owner is None:
            try:
                await require_consent(session, await scope.row(session), stored, scope.caller)
            except Conflict as error:
                refused = str(error)
    answer = None
    if refused:
        known, said = Availability.TAKEN, refused
    elif owner is None:
        answer = await ask(stored) if ask is not None else not_asked(stored)
        known, said = availability_of(stored, answer)
    elif owner == account_id:
        known, said = Availability.YOURS, f"The account has {stored} already."
    else:
        said = f"{stored} belongs to another account of this installation."
        known = Availability.TAKEN
    return DomainCheck(stored, extension.id, known, said, reading_question(name), answer)


def availability_of(name: str, answer: RegistrarAnswer | None) -> tuple[Availability, str]:
    """Return what is known of a name, and in words; an answer about another one is none."""
    if answer is None or answer.name != name:
        answer = not_asked(name)
    if answer.free is None:
        return Availability.NOT_CHECKED, NOT_CHECKED.format(name=answer.name, why=answer.said)
    if answer.free:
        return Availability.FREE, f"{answer.name} is free, says {answer.said}."
    return Availability.TAKEN, f"{answer.name} is taken, says {answer.said}."


@retries_on_conflict
async def buy(
    scope: AccountScope,
    product: str,
    *,
    level: str | None = None,
    quantity: int = 1,
    term: int | None = None,
    domain: str | None = None,
    fields: Mapping[str, object] | None = None,
    registrar: RegistrarAnswer | None = None,
    idempotency_key: str = "",
    dry_run: bool = False,
) -> Outcome[OrderView]:
    """Buy `quantity` of a product's level, or one domain name; see Purchase for the arguments.

    With an `idempotency_key` that an order of the account has already, that order is returned and nothing is bought.

    A domain whose eligibility details do not agree, what the catalogue lets wait, and an order above the account's
    limit, wait for approval and bring nothing until then.
    Raises NotFound (product), InvalidInput with every problem at once, Conflict (domain taken, here or elsewhere).
    """
    wanted = Purchase(product, level, quantity, term, domain, fields or {}, registrar)
    async with scope.change(dry_run=dry_run) as (tx, account_id):
        owner = await locked_account(tx, account_id)
        order = await _with_key(tx, owner, wanted, idempotency_key)
        (view,) = await views(tx.session, [order])
    return tx.outcome(view)


async def _with_key(tx: Transaction, account: AccountRow, wanted: Purchase, key: str) -> OrderRow:
    sold = (await in_force(tx.session)).catalogue.product(wanted.product)
    of_domain = sold.buys is PurchaseKind.DOMAIN
    found = await placed_before(
        *(tx, account.id, key, OrderKind.PURCHASE),
        product_id=sold.id,
        level_id=sold.level(wanted.level).id if wanted.level else None,
        quantity=wanted.quantity,
        term_months=wanted.term,
        domain=wanted.domain if of_domain else None,
    )
    if found is not None:
        return found
    order = await place(tx, account, wanted)
    order.idempotency_key = key or None
    return order


async def place(tx: Transaction, account: AccountRow, wanted: Purchase) -> OrderRow:
    """Place the order inside the caller's transaction, which has locked the account."""
    force = await in_force(tx.session)
    sold = force.catalogue.product(wanted.product)
    quoted, answers = await checked(tx.session, account, force.catalogue, sold, wanted)
    (line,) = quoted.lines
    doubts = above_limit(account, quoted.total)
    if sold.approval is ApprovalRule.ALWAYS:
        doubts += (f"Orders of {sold.name} are approved.",)
    if sold.buys is PurchaseKind.DOMAIN:
        require_registrable(line.domain, tx.private_suffixes, sold=True)
        await refuse_taken(tx.session, account, line.domain, tx.caller)
        await refuse_waiting(tx.session, line.domain)
        doubts += _availability_doubts(tx, sold, line.domain, wanted.registrar)
        doubts += eligibility_doubts(answers)
    row = _line_row(line, answers)
    order = await insert_order(tx, account, force, OrderKind.PURCHASE, row, doubts)
    name = line.domain or wanted.domain or ""
    tx.command(*command_words.buy(sold.id, line.level_id, line.quantity, line.term, name, answers))
    tx.record(
        PlanVerb.CREATED,
        "order",
        str(order.id),
        after={
            "label": line.label,
            "quantity": line.quantity,
            "total": str(quoted.total),
            "state": order.state,
            **({"note": order.note} if order.note else {}),
        },
        action=AuditAction.BUY,
        of=sold.id,
    )
    if doubts:
        tx.warn(f"The order {WAITS} {order.note}")
        return order
    await fulfil(tx, account, force.catalogue, row)
    return order


def _availability_doubts(
    tx: Transaction, sold: Product, name: str, answer: RegistrarAnswer | None
) -> tuple[str, ...]:
    """Warn of a name of which nobody knows whether it is free, and return why its order waits for that, if it does.

    Raises Conflict where the registrar says that it is taken.
    """
    known, said = availability_of(name, answer)
    if known is Availability.TAKEN:
        raise Conflict(said, hint="Choose another name.")
    if known is Availability.FREE:
        return ()
    tx.warn(said)
    return (said,) if sold.approval is ApprovalRule.UNCHECKED else ()


def above_limit(account: AccountRow, total: Money) -> tuple[str, ...]:
    """Return why an order of this total waits for approval by the account's limit; empty where it does not."""
    if account.approval_above_minor is None or total.minor <= account.approval_above_minor:
        return ()
    limit = Money(account.approval_above_minor, total.currency)
    return (f"{total} is more than {limit}, above which orders of this account are approved.",)


async def checked(
    session: AsyncSession,
    account: AccountRow,
    catalogue: Catalogue,
    sold: Product,
    wanted: Purchase,
) -> tuple[Quote, dict[str, Value]]:
    """Return the price and the answers of a purchase. Raises InvalidInput with the problems of both at once."""
    problems: list[Problem] = []
    given, to_attach = _given(sold, wanted, problems)
    quoted: Quote | None = None
    answers: dict[str, Value] = {}
    try:
        quoted = quote(
            catalogue,
            sold.id,
            wanted.level,
            quantity=wanted.quantity,
            term=wanted.term,
            domain=wanted.domain if sold.buys is PurchaseKind.DOMAIN else to_attach,
        )
    except InvalidInput as error:
        problems += error.problems
    try:
        answers = sold.validate_fields(given, _extension(sold, wanted))
    except InvalidInput as error:
        # A bad name to attach was named by the quote already.
        problems += [bad for bad in error.problems if bad.where not in {p.where for p in problems}]
    for asked in sold.fields:
        name = answers.get(asked.id)
        problems += asked.outside_problems(name, catalogue.address_characters)
        if asked.type is ValueType.DOMAIN and isinstance(name, str):
            try:
                await required_domain(session, account, name)
            except NotFound as error:
                problems.append(Problem(asked.id, error.what, error.hint))
    if problems or quoted is None:
        raise InvalidInput(f"{sold.name} cannot be bought like this.", problems=problems)
    await _refuse_second(session, account, catalogue, sold.level(quoted.lines[0].level_id))
    return quoted, answers


async def _refuse_second(
    session: AsyncSession, account: AccountRow, catalogue: Catalogue, level: ProductLevel
) -> None:
    """Raise Conflict where the account has bought a service of its own, of which it has one, at this level already."""
    service = catalogue.service(level.grants_service)
    if not catalogue.is_one_per_account(level):
        return
    if await seats.is_bought(session, account.id, service, level.grants_level):
        raise Conflict(
            f"Account {account.code} has {service.name} at level {service.level(level.grants_level).name}"
            " already, and one is all that an account has.",
            hint="See what it is given: mission-control status --of-account",
        )


def _given(
    sold: Product, wanted: Purchase, problems: list[Problem]
) -> tuple[dict[str, object], str | None]:
    """Return the answers with the domain among them where the product asks for one to attach, and that domain."""
    given = dict(wanted.fields)
    if sold.buys is PurchaseKind.DOMAIN:
        return given, None
    asks = next((asked.id for asked in sold.fields if asked.type is ValueType.DOMAIN), None)
    if wanted.domain and asks is None:
        problems.append(Problem("domain", f"{sold.name} does not ask for one", "leave it out"))
        return given, None
    if wanted.domain and asks is not None:
        given.setdefault(asks, wanted.domain)
    attached = given.get(asks) if asks is not None else None
    return given, attached if isinstance(attached, str) else None


def _extension(sold: Product, wanted: Purchase) -> str | None:
    if sold.buys is not PurchaseKind.DOMAIN or not wanted.domain:
        return None
    try:
        return sold.extension_of(normalise(wanted.domain)).id
    except (InvalidInput, NotFound):
        # The quote names what is wrong with it; the questions that every name is asked are judged all the same.
        return None


async def refuse_waiting(session: AsyncSession, name: str) -> None:
    """Raise Conflict where an order for this domain waits for approval."""
    waiting = await session.scalar(
        select(OrderRow.id)
        .join(OrderLineRow, OrderLineRow.order_id == OrderRow.id)
        .where(OrderRow.state == OrderState.AWAITING_APPROVAL, OrderLineRow.domain == name)
    )
    if waiting is not None:
        raise Conflict(
            f"Order {waiting} for {name} waits for approval.",
            hint="Approve or decline that one first.",
        )


async def insert_order(
    tx: Transaction,
    account: AccountRow,
    force: InForce,
    kind: OrderKind,
    line: OrderLineRow,
    doubts: tuple[str, ...] = (),
) -> OrderRow:
    """Insert an order of one line, and add what it costs to the plan; with `doubts` it waits for approval."""
    order = OrderRow(
        account_id=account.id,
        kind=kind,
        state=OrderState.AWAITING_APPROVAL if doubts else OrderState.COMPLETE,
        operator=tx.caller.operator,
        ticket=tx.caller.ticket,
        placed_at=tx.now,
        catalogue_number=force.number,
        currency=force.catalogue.currency,
        net_minor=line.net_minor,
        tax_minor=line.tax_minor,
        total_minor=line.net_minor + line.tax_minor,
        note=" ".join(doubts)[:REASON_LIMIT],
    )
    tx.session.add(order)
    await tx.session.flush()
    line.order_id = order.id
    tx.session.add(line)
    await tx.session.flush()
    add_costs(tx, order)
    return order


def add_costs(tx: Transaction, order: OrderRow) -> None:
    """Add what the order costs to the plan."""
    tx.money(
        *(
            Money(minor, order.currency)
            for minor in (order.net_minor, order.tax_minor, order.total_minor)
        )
    )


def _line_row(line: QuoteLine, answers: Mapping[str, Value]) -> OrderLineRow:
    return OrderLineRow(
        product_id=line.product_id,
        level_id=line.level_id,
        label=line.label,
        quantity=line.quantity,
        term_months=line.term,
        unit_minor=line.unit.minor,
        net_minor=line.net.minor,
        tax_minor=line.tax.minor,
        domain=line.domain,
        details=dict(answers),
    )


async def fulfil(
    tx: Transaction, account: AccountRow, catalogue: Catalogue, line: OrderLineRow
) -> None:
    """Give the account what the line is about: seats, or the domain and its registration."""
    product = catalogue.product(line.product_id)
    level = product.level(line.level_id)
    await change_quantity(tx, account, product, level, line.quantity, line.term_months)
    if product.buys is PurchaseKind.SEATS:
        await seats.add(tx, account.id, level.grants_service, level.grants_level, line.quantity)
        await _give_account(tx, account, catalogue, level, line)
        return
    domain = await claim(
        tx,
        account,
        line.domain,
        bought=True,
        term_months=line.term_months,
        details={**line.details, "product": product.id, "order": line.order_id},
    )
    await _give(tx, account, catalogue, domain_subject(domain), level, line)


async def _give_account(
    tx: Transaction,
    account: AccountRow,
    catalogue: Catalogue,
    level: ProductLevel,
    line: OrderLineRow,
) -> None:
    """Give the account itself what it bought the first seat of; one that it has already stays at its level."""
    service = catalogue.service(level.grants_service)
    if service.subject is not SubjectKind.ACCOUNT:
        return
    subject = account_subject(account)
    row = await find(tx, subject, service.id)
    if row is None or row.wish == Wish.ABSENT:
        await _give(tx, account, catalogue, subject, level, line)
    elif row.level_id != level.grants_level:
        change = ("provision", *subject.words, service.id, "--level", level.grants_level)
        tx.warn(
            f"The account has {service.name} at level {service.level(row.level_id).name} and keeps it:"
            f" {command_line(*change)}"
        )


async def _give(
    tx: Transaction,
    account: AccountRow,
    catalogue: Catalogue,
    subject: Subject,
    level: ProductLevel,
    line: OrderLineRow,
) -> None:
    """Give what was bought, with those answers of the order that are its settings."""
    options = catalogue.service(level.grants_service).options_for(level.grants_level)
    settings = {
        option.id: line.details[option.id] for option in options if line.details.get(option.id)
    }
    await give_bought(
        *(tx, account, catalogue, subject, level.grants_service),
        level_id=level.grants_level,
        settings=settings,
    )


async def lines_of(session: AsyncSession, order: OrderRow) -> list[OrderLineRow]:
    """Return the order's lines."""
    rows = await session.scalars(
        select(OrderLineRow).where(OrderLineRow.order_id == order.id).order_by(OrderLineRow.id)
    )
    return list(rows)
