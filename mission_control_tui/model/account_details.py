"""Everything about one account on one page, and the people of it whom the provider may call."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import TypeVar

from sqlalchemy import ColumnElement, delete, func, insert, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from mission_control_tui.model import seats
from mission_control_tui.model.accounts import zone_of
from mission_control_tui.model.addresses import domains_of
from mission_control_tui.model.catalogue import Rule, ValueType
from mission_control_tui.model.catalogue_store import in_force
from mission_control_tui.model.context import Caller
from mission_control_tui.model.database import Store
from mission_control_tui.model.domains import DomainView, domain_views, locked_account
from mission_control_tui.model.errors import InvalidInput, Problem
from mission_control_tui.model.lookups import account_row
from mission_control_tui.model.money import Money
from mission_control_tui.model.orders import OrderState, month_start, spent_since
from mission_control_tui.model.people.password import PasswordPolicy
from mission_control_tui.model.plan import Outcome, Verb
from mission_control_tui.model.states import Light
from mission_control_tui.model.tables import AssignmentRow, ContactRow, OrderRow, UserRow
from mission_control_tui.model.text import harmless
from mission_control_tui.model.user_rules import policy_of
from mission_control_tui.model.views import Account, LightCounts, Seats

K = TypeVar("K")

_EMAIL = Rule(id="email", name="E-mail", type=ValueType.EMAIL)


class ContactRole(StrEnum):
    """Whom to call first, and for what."""

    PRIMARY = "primary"
    SECONDARY = "secondary"
    BILLING = "billing"
    TECHNICAL = "technical"


@dataclass(frozen=True, slots=True)
class Contact:
    """A person of the account. `phone` is kept as typed."""

    role: ContactRole
    name: str
    email: str = ""
    phone: str = ""


@dataclass(frozen=True, slots=True)
class AccountDetails:
    """One account as a whole.

    `users` are those outside the recycling bin. `this_month` is what complete purchases of this month (in the
    account's time zone) come to, one amount for each currency, at least one.
    """

    account: Account
    created_at: datetime
    policy: PasswordPolicy
    domains: tuple[DomainView, ...]
    contacts: tuple[Contact, ...]
    seats: tuple[Seats, ...]
    lights: LightCounts
    users: int
    users_in_bin: int
    orders: int
    orders_awaiting_approval: int
    this_month: tuple[Money, ...]


async def show(
    store: Store, caller: Caller, account: int | str, *, now: datetime | None = None
) -> AccountDetails:
    """The account with everything that it owns, counted. Raises NotFound, Denied."""
    async with store.read() as session:
        row = await account_row(session, caller, account)
        catalogue = (await in_force(session)).catalogue
        since = month_start(now or datetime.now(UTC), zone_of(row.time_zone))
        spent = await spent_since(session, row.id, since)
        users = await _counted(session, UserRow.in_bin, UserRow.account_id == row.id)
        orders = await _counted(session, OrderRow.state, OrderRow.account_id == row.id)
        names = await domains_of(session, row.id)
        return AccountDetails(
            account=Account(
                row.id, row.code, row.name, row.is_sample, row.time_zone, names, row.version
            ),
            created_at=row.created_at,
            policy=policy_of(row),
            domains=await domain_views(session, row.id),
            contacts=await _contacts(session, row.id),
            seats=await seats.overview(session, catalogue, row.id),
            lights=await light_counts(session, row.id),
            users=users.get(False, 0),
            users_in_bin=users.get(True, 0),
            orders=sum(orders.values()),
            orders_awaiting_approval=orders.get(OrderState.AWAITING_APPROVAL, 0),
            this_month=spent or (catalogue.money(0),),
        )


async def _counted(
    session: AsyncSession, column: InstrumentedAttribute[K], condition: ColumnElement[bool]
) -> dict[K, int]:
    rows = await session.execute(select(column, func.count()).where(condition).group_by(column))
    return {key: int(count) for key, count in rows}


async def light_counts(session: AsyncSession, account_id: int) -> LightCounts:
    """How many service instances of the account show each light."""
    found = await _counted(session, AssignmentRow.light, AssignmentRow.account_id == account_id)
    return LightCounts(**{light.value: found.get(light.value, 0) for light in Light})


async def list_seats(store: Store, caller: Caller, account: int | str) -> tuple[Seats, ...]:
    """Owned, used, queued and free seats of every level that the account bought, in the catalogue's order."""
    async with store.read() as session:
        account_id = (await account_row(session, caller, account)).id
        return await seats.overview(session, (await in_force(session)).catalogue, account_id)


async def list_contacts(store: Store, caller: Caller, account: int | str) -> tuple[Contact, ...]:
    """The account's contacts, the primary ones first."""
    async with store.read() as session:
        return await _contacts(session, (await account_row(session, caller, account)).id)


async def set_contacts(
    store: Store,
    caller: Caller,
    account: int | str,
    contacts: Sequence[Contact],
    *,
    dry_run: bool = False,
) -> Outcome[tuple[Contact, ...]]:
    """Let these be all contacts of the account. Raises InvalidInput with every problem."""
    wanted = _checked(contacts)
    async with store.read() as session:
        account_id = (await account_row(session, caller, account)).id
    async with store.write(caller, account_id, dry_run=dry_run) as tx:
        owner = await locked_account(tx, account_id)
        present = await _contacts(tx.session, account_id)
        if present == wanted:
            tx.record(Verb.UNCHANGED, "contacts", owner.code)
        else:
            await tx.session.execute(delete(ContactRow).where(ContactRow.account_id == account_id))
            for one in wanted:
                await tx.session.execute(
                    insert(ContactRow).values(account_id=account_id, **asdict(one))
                )
            tx.record(
                Verb.CHANGED,
                "contacts",
                owner.code,
                before={"contacts": [asdict(one) for one in present]},
                after={"contacts": [asdict(one) for one in wanted]},
                action="set contacts",
            )
    return Outcome(wanted, tx.plan, not dry_run)


async def _contacts(session: AsyncSession, account_id: int) -> tuple[Contact, ...]:
    rows = await session.scalars(
        select(ContactRow).where(ContactRow.account_id == account_id).order_by(ContactRow.id)
    )
    return _in_order(Contact(ContactRole(row.role), row.name, row.email, row.phone) for row in rows)


def _in_order(contacts: Iterable[Contact]) -> tuple[Contact, ...]:
    order = list(ContactRole)
    return tuple(sorted(contacts, key=lambda one: order.index(one.role)))


def _checked(contacts: Sequence[Contact]) -> tuple[Contact, ...]:
    problems: list[Problem] = []
    checked: list[Contact] = []
    for number, one in enumerate(contacts, 1):
        name, phone, email = one.name.strip(), one.phone.strip(), one.email.strip()
        where = f"contact {number}"
        if not name:
            problems.append(Problem(f"{where} name", "a name is required"))
        for field, text, limit in (("name", name, 200), ("phone", phone, 64)):
            if harmless(text) != text or len(text) > limit:
                what = f"at most {limit} characters, none of them invisible"
                problems.append(Problem(f"{where} {field}", what))
        try:
            email = str(_EMAIL.validate(email) or "")
        except InvalidInput as error:
            problems += [Problem(f"{where} email", bad.what, bad.hint) for bad in error.problems]
        checked.append(Contact(one.role, name, email, phone))
    if problems:
        raise InvalidInput("These contacts cannot be saved.", problems=problems)
    return _in_order(checked)
