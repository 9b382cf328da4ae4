"""The sample account: what the first start shows, on the simulator, with all four lights once the worker has run.

How each light comes about is the simulator's shipped rules (docs/connectors.md): `fails.once@...` is red until it is
provisioned again, `never.works@...` stays red, and a user of the domain fails-once.example waits, orange, until that
domain's registration is asked for again. The rest turns green; somebody without services is grey.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Table, delete, func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from mission_control_tui.model.audit_actions import AuditAction
from mission_control_tui.model.caller import Caller
from mission_control_tui.model.catalogue import in_force
from mission_control_tui.model.catalogue.lookup import known
from mission_control_tui.model.catalogue.types import Catalogue, PurchaseKind
from mission_control_tui.model.domains.ownership import claim
from mission_control_tui.model.errors import Conflict, InvalidInput, NotFound
from mission_control_tui.model.orders.buying import Purchase, place
from mission_control_tui.model.orders.subscriptions import change_quantity
from mission_control_tui.model.people.fields import UserDetails
from mission_control_tui.model.people.names import display_name_for, username_for
from mission_control_tui.model.plan import Outcome, PlanVerb
from mission_control_tui.model.services.seats import locked_pool
from mission_control_tui.model.services.subjects import domain_subject, user_subject
from mission_control_tui.model.store.account_rows import load_account
from mission_control_tui.model.store.database import Store
from mission_control_tui.model.store.lookups import user_row
from mission_control_tui.model.store.retry import retries_on_conflict
from mission_control_tui.model.store.tables.accounts import AccountRow
from mission_control_tui.model.store.tables.base import Base
from mission_control_tui.model.store.tables.services import AssignmentRow
from mission_control_tui.model.store.transaction import Transaction
from mission_control_tui.model.users.actions.base import ActionContext
from mission_control_tui.model.users.actions.params import ActionParams
from mission_control_tui.model.users.creation import create_in
from mission_control_tui.model.users.giving import provision_in
from mission_control_tui.model.users.provisioning import give_bought
from mission_control_tui.model.views import Account

CODE = "sample"
NAME = "Sample Customer"
DOMAIN = "sample.example"
FAILING_DOMAIN = "fails-once.example"
CALLER = Caller(operator="mission-control", source="sample")

_PURCHASES = (
    Purchase("email", "popx", 5),
    Purchase("email", "pc-web", 10, 12),
    Purchase("email", "pc-web-mobile", 3, 12),
    Purchase("web-hosting", "starter", 2, 12, DOMAIN),
    Purchase("databases", "small", 5),
)


@dataclass(frozen=True, slots=True)
class _Person:
    first_names: str
    last_name: str
    title: str = ""
    department: str = ""
    services: tuple[tuple[str, str, str], ...] = ()
    """(service, level, instance)"""
    domain: str = DOMAIN
    test_user: bool = False

    @property
    def upn(self) -> str:
        return f"{self.first_names.split()[0]}.{self.last_name}@{self.domain}".lower()


_MAIL, _WEB, _DATA = "managed-exchange", "web-hosting", "databases"
_PEOPLE = (
    _Person(
        "Mia",
        "Chen",
        "Managing Director",
        "Management",
        ((_MAIL, "pc-web-mobile", ""), (_WEB, "starter", "shop")),
    ),
    _Person(
        "Liam",
        "Wright",
        "Developer",
        "Engineering",
        ((_MAIL, "pc-web", ""), (_DATA, "small", "orders"), (_DATA, "small", "stock")),
    ),
    _Person("Zoe Anne", "Martin", "Accountant", "Finance", ((_MAIL, "popx", ""),)),
    _Person("Noah", "Patel", "Sales", "Sales", ((_MAIL, "pc-web", ""),)),
    _Person("Fails", "Once", services=((_MAIL, "pc-web", ""),)),
    _Person("Never", "Works", services=((_MAIL, "popx", ""),)),
    _Person("Ella", "Waits", services=((_MAIL, "popx", ""),), domain=FAILING_DOMAIN),
    _Person("Ivy", "Newman", "Trainee", "Sales"),
    _Person("Test", "Person", test_user=True),
)


@dataclass(frozen=True, slots=True)
class ForgottenObject:
    """An object that the sample had at a connector: what a simulator has to forget before the sample is remade."""

    connector: str
    service_id: str
    backend_name: str
    assignment_id: str


@dataclass(frozen=True, slots=True)
class SampleReset:
    """The sample account that is there now, and the objects of the one before."""

    account: Account
    forgotten: tuple[ForgottenObject, ...]


@retries_on_conflict
async def ensure_sample(store: Store) -> Account | None:
    """Make the sample account in a database without any account; None where there is one already.

    Its requests are queued: whoever calls this sees to it that a worker runs.
    """
    async with store.read() as session:
        if await _has_accounts(session):
            return None

    async with store.write(CALLER) as tx:
        await _alone(tx)
        return None if await _has_accounts(tx.session) else await _make(tx)


@retries_on_conflict
async def reset_sample(
    store: Store, caller: Caller, *, dry_run: bool = False
) -> Outcome[SampleReset]:
    """Delete the sample account with all that hangs on it and make it anew; real accounts are never touched.

    Raises Conflict when a real account has the sample's code or one of its domains.
    """
    async with store.write(caller, dry_run=dry_run) as tx:
        await _alone(tx)
        forgotten = await _delete(tx)
        account = await _make(tx)
    return tx.outcome(SampleReset(account, forgotten))


async def sample_objects(store: Store) -> tuple[ForgottenObject, ...]:
    """Return what the sample account has at connectors."""
    async with store.read() as session:
        return await _objects(session)


async def _has_accounts(session: AsyncSession) -> bool:
    return bool(await session.scalar(select(func.count()).select_from(AccountRow)))


async def _alone(tx: Transaction) -> None:
    """Let nobody else make an account meanwhile, as SQLite's write lock does by itself."""
    if not tx.is_sqlite:
        await tx.session.execute(text("LOCK TABLE accounts IN SHARE ROW EXCLUSIVE MODE"))


async def _make(tx: Transaction) -> Account:
    await in_force.put_shipped_where_none(tx)
    catalogue = (await in_force.in_force(tx.session)).catalogue
    if await tx.session.scalar(select(AccountRow.id).where(AccountRow.code == CODE)) is not None:
        raise Conflict(
            f"A real account has the code {CODE}, which the sample account needs.",
            hint="The sample account cannot be made beside it.",
        )
    account = AccountRow(
        code=CODE,
        name=NAME,
        is_sample=True,
        time_zone="UTC",
        password_policy={},
        created_at=tx.now,
    )
    tx.session.add(account)
    await tx.session.flush()
    tx.account_id = account.id
    tx.record(
        PlanVerb.CREATED, "account", CODE, after={"name": NAME}, action=AuditAction.CREATE_ACCOUNT
    )
    await claim(tx, account, DOMAIN, bought=False)
    await _failing_domain(tx, account, catalogue)
    for purchase in _PURCHASES:
        # The catalogue in force need not be the shipped one: what it does not sell is left out.
        with suppress(NotFound, InvalidInput):
            await place(tx, account, purchase)
    for person in _PEOPLE:
        await _person(tx, account, catalogue, person)
    return await load_account(tx.session, account.id)


async def _failing_domain(tx: Transaction, account: AccountRow, catalogue: Catalogue) -> None:
    """Make a domain as if bought: no order, because nobody sells names below .example."""
    product = next(
        (product for product in catalogue.products if product.buys is PurchaseKind.DOMAIN), None
    )
    if product is None:
        await claim(tx, account, FAILING_DOMAIN, bought=False)
        return
    level = product.levels[0]
    months = min(product.terms)
    await change_quantity(tx, account, product, level, 1, months)
    details = {"product": product.id}
    domain = await claim(
        tx, account, FAILING_DOMAIN, bought=True, term_months=months, details=details
    )
    await give_bought(
        tx,
        account,
        catalogue,
        domain_subject(domain),
        level.grants_service,
        level_id=level.grants_level,
    )


async def _person(
    tx: Transaction, account: AccountRow, catalogue: Catalogue, person: _Person
) -> None:
    details = UserDetails(
        upn=person.upn,
        first_names=person.first_names,
        last_name=person.last_name,
        display_name=display_name_for(person.first_names, person.last_name),
        username=username_for(person.upn),
        title=person.title,
        department=person.department,
        test_user=person.test_user,
    )
    created = await create_in(tx, account, details, None, generate=True)
    user = await user_row(tx.session, account.id, created.user.id)
    for service, level, instance in person.services:
        if await _has_seat(tx, account, catalogue, service, level):
            wanted = ActionParams(service, level, instance=instance)
            context = ActionContext(account, catalogue)
            await provision_in(tx, context, user_subject(user), wanted)


async def _has_seat(
    tx: Transaction, account: AccountRow, catalogue: Catalogue, service_id: str, level_id: str
) -> bool:
    """Tell whether the catalogue in force, which need not be the shipped one, let the account buy this."""
    service = known(catalogue.services, service_id)
    if service is None or known(service.levels, level_id) is None:
        return False
    pool = await locked_pool(tx.session, account.id, service_id, level_id)
    return pool is not None and pool.held < pool.owned


async def _objects(session: AsyncSession) -> tuple[ForgottenObject, ...]:
    rows = await session.scalars(
        select(AssignmentRow)
        .join(AccountRow, AccountRow.id == AssignmentRow.account_id)
        .where(AccountRow.is_sample)
        .order_by(AssignmentRow.service_id, AssignmentRow.backend_name)
    )
    return tuple(
        ForgottenObject(row.connector, row.service_id, row.backend_name, row.id) for row in rows
    )


async def _delete(tx: Transaction) -> tuple[ForgottenObject, ...]:
    """Delete every row that belongs to a sample account, what refers to others first."""
    forgotten = await _objects(tx.session)
    accounts = (
        await tx.session.scalars(select(AccountRow).where(AccountRow.is_sample).with_for_update())
    ).all()
    ids = [row.id for row in accounts]
    for row in accounts:
        tx.record(PlanVerb.REMOVED, "account", row.code, before={"name": row.name})
        tx.session.expunge(row)
    for table in reversed(Base.metadata.sorted_tables):
        owned = _owned(table, ids)
        if owned is not None:
            await tx.session.execute(delete(table).where(owned))
    return forgotten


def _owned(table: Table, account_ids: Sequence[int]) -> ColumnElement[bool] | None:
    """Return which rows of `table` are the accounts', directly or through what they refer to; None where none are."""
    if table.name == AccountRow.__tablename__:
        return table.c.id.in_(account_ids)
    if "account_id" in table.c:
        return table.c.account_id.in_(account_ids)
    for key in sorted(table.foreign_keys, key=lambda key: key.parent.name):
        parent = key.column.table
        owned = _owned(parent, account_ids)
        if owned is not None:
            return key.parent.in_(select(key.column).where(owned))
    return None
