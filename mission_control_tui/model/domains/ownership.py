"""Domain names of accounts: who has which, in what state; taking one in and letting it go."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from mission_control_tui.model.audit_actions import AuditAction
from mission_control_tui.model.caller import Caller
from mission_control_tui.model.catalogue.in_force import in_force
from mission_control_tui.model.catalogue.types import Catalogue
from mission_control_tui.model.catalogue.values import ValueType
from mission_control_tui.model.dates import zone_of
from mission_control_tui.model.domains.consents import require_consent, serialise_claims
from mission_control_tui.model.domains.names import normalise
from mission_control_tui.model.domains.suffixes import require_registrable
from mission_control_tui.model.errors import Conflict, NotFound
from mission_control_tui.model.people.address_syntax import domain_letters
from mission_control_tui.model.plan import Outcome, PlanVerb
from mission_control_tui.model.services.domain_terms import ends_on, over_remedy, over_said
from mission_control_tui.model.services.wishes import enqueue
from mission_control_tui.model.states import Light, RequestKind, Wish, Word
from mission_control_tui.model.store.lookups import domain_row, locked_account_row
from mission_control_tui.model.store.retry import retries_on_conflict
from mission_control_tui.model.store.scope import AccountScope
from mission_control_tui.model.store.tables.accounts import AccountRow, DomainRow
from mission_control_tui.model.store.tables.groups import ObjectRow
from mission_control_tui.model.store.tables.services import AssignmentRow
from mission_control_tui.model.store.tables.users import AddressRow, UserRow
from mission_control_tui.model.store.transaction import Transaction

NAMED = 10
"""How many of those who are in the way are named."""

OWNED_ELSEWHERE = "Owned elsewhere"


@dataclass(frozen=True, slots=True)
class DomainView:
    """A domain of an account. `light` is its registration's, None where it is registered elsewhere.

    One whose term is over (`ends_on` is its last day) is never green, whatever the registration says.
    """

    name: str
    bought: bool
    light: Light | None
    word: str
    step: str
    error_said: str
    term_months: int
    added_at: datetime
    ends_on: date | None = None


async def domain_views(
    session: AsyncSession,
    account: AccountRow,
    catalogue: Catalogue,
    *,
    now: datetime | None = None,
) -> tuple[DomainView, ...]:
    """Return the account's domains by name, with the state of their registration."""
    zone = zone_of(account.time_zone)
    today = (now or datetime.now(UTC)).astimezone(zone).date()
    rows = await session.execute(
        select(DomainRow, AssignmentRow)
        .outerjoin(AssignmentRow, AssignmentRow.domain_id == DomainRow.id)
        .where(DomainRow.account_id == account.id, DomainRow.removed_at.is_(None))
        .order_by(DomainRow.name, AssignmentRow.id)
    )
    registrations = catalogue.registrations
    domains: dict[int, DomainRow] = {}
    registered: dict[int, AssignmentRow] = {}
    for domain, found in rows:
        service: AssignmentRow | None = found
        domains[domain.id] = domain
        if service is None:
            continue
        # One that the catalogue no longer sells is a registration all the same.
        if service.service_id in registrations or domain.id not in registered:
            registered[domain.id] = service
    return tuple(_view(domain, registered.get(key), zone, today) for key, domain in domains.items())


def _view(
    domain: DomainRow, registration: AssignmentRow | None, zone: tzinfo, today: date
) -> DomainView:
    shows = registration if domain.bought else None
    ends = ends_on(domain, zone)
    light = Light(shows.light) if shows else (Light.GREY if domain.bought else None)
    word = shows.word if shows else (Word.NOT_PROVISIONED if domain.bought else OWNED_ELSEWHERE)
    said = shows.error_said if shows else ""
    if light is Light.GREEN and ends is not None and ends < today:
        light, word = Light.RED, Word.TERM_OVER
        said = f"{over_said(domain.name, ends)} {over_remedy(domain.name)}"
    return DomainView(
        name=domain.name,
        bought=domain.bought,
        light=light,
        word=word,
        step=shows.step if shows else "",
        error_said=said,
        term_months=domain.term_months,
        added_at=domain.added_at,
        ends_on=ends,
    )


@retries_on_conflict
async def add_domain(scope: AccountScope, name: str, *, dry_run: bool = False) -> Outcome[str]:
    """Let the account use a domain that is registered elsewhere; the result is its stored form.

    Raises InvalidInput for what is no domain name, Conflict when an account has it already.
    """
    stored = normalise(name)
    async with scope.change(dry_run=dry_run) as (tx, account_id):
        owner = await locked_account(tx, account_id)
        tx.command("account", "add-domain", stored)
        await claim(tx, owner, stored, bought=False)
    return tx.outcome(stored)


async def remove_domain(scope: AccountScope, name: str, *, dry_run: bool = False) -> Outcome[str]:
    """Let go of a domain that is registered elsewhere. Raises NotFound, and Conflict while anything needs it.

    One that was bought here is removed by `removing.remove`, with an order.
    """
    async with scope.change(dry_run=dry_run) as (tx, account_id):
        owner = await locked_account(tx, account_id)
        row = await required_domain(tx.session, owner, name)
        if row.bought:
            raise Conflict(
                f"{row.name} was bought here.",
                hint="Remove it as the product that it is: `mission-control remove`.",
            )
        tx.command("account", "remove-domain", row.name, "--yes")
        await release(tx, owner, (await in_force(tx.session)).catalogue, row)
        stored = row.name
    return tx.outcome(stored)


async def locked_account(tx: Transaction, account_id: int) -> AccountRow:
    """Return the account, locked against other changes of what it owns; users and requests go on meanwhile."""
    return await locked_account_row(tx.session, account_id)


async def required_domain(session: AsyncSession, account: AccountRow, name: str) -> DomainRow:
    """Return the account's domain of this name, however it is spelt. Raises NotFound, naming those that there are."""
    stored = normalise(name)
    row = await domain_row(session, account.id, stored)
    if row is None:
        views = await domain_views(session, account, (await in_force(session)).catalogue)
        raise NotFound(
            f"Account {account.code} has no domain {stored}.",
            hint=f"It has: {', '.join(view.name for view in views) or 'none'}.",
        )
    return row


async def claim(
    tx: Transaction,
    account: AccountRow,
    name: str,
    *,
    bought: bool,
    term_months: int = 0,
    details: Mapping[str, object] | None = None,
) -> DomainRow:
    """Make `name` (in its stored form) the account's.

    Raises InvalidInput for what cannot be a domain, Conflict when an account has it already or has to allow it.
    """
    await serialise_claims(tx)
    require_registrable(name, tx.private_suffixes, sold=bought)
    await refuse_taken(tx.session, account, name, tx.caller)
    row = await _own_former(tx, account, name) or DomainRow(account_id=account.id, name=name)
    row.bought, row.term_months, row.details = bought, term_months, dict(details or {})
    row.added_at, row.removed_at, row.renewed_months = tx.now, None, 0
    tx.session.add(row)
    await tx.session.flush()
    tx.record(
        PlanVerb.CREATED,
        "domain",
        name,
        after={"bought": bought, **({"term months": term_months} if term_months else {})},
        action=AuditAction.ADD_DOMAIN,
    )
    if (letters := domain_letters(name)) != name:
        tx.warn(f"{name} reads {letters}.")
    return row


async def refuse_taken(
    session: AsyncSession, account: AccountRow, name: str, caller: Caller
) -> None:
    """Raise Conflict when an account has the domain `name` (in its stored form), or has to allow it and did not."""
    owner = await session.scalar(
        select(DomainRow.account_id).where(DomainRow.name == name, DomainRow.removed_at.is_(None))
    )
    if owner == account.id:
        raise Conflict(f"Account {account.code} has the domain {name} already.")
    if owner is not None:
        raise Conflict(
            f"The domain {name} belongs to another account of this installation.",
            hint="A domain belongs to one account: remove it there first.",
        )
    await require_consent(session, account, name, caller)


async def _own_former(tx: Transaction, account: AccountRow, name: str) -> DomainRow | None:
    """Return the account's own removed row of this name, to be used again; those of others give up what they held."""
    former = (
        await tx.session.scalars(
            select(DomainRow).where(DomainRow.name == name).order_by(DomainRow.id.desc())
        )
    ).all()
    for row in former:
        if row.account_id != account.id:
            await _retire(tx, row)
    own = next((row for row in former if row.account_id == account.id), None)
    if own is not None:
        for held in await _instances(tx, own):
            held.backend_name = held.backend_name.removesuffix(_retired(held))
        await tx.session.flush()
    return own


async def _retire(tx: Transaction, domain: DomainRow) -> None:
    """Free the back-end names that a removed domain's instances still hold, once the back end let go of them."""
    for held in await _instances(tx, domain):
        if (held.wish, held.observed_wish, held.light) != (Wish.ABSENT, Wish.ABSENT, Light.GREY):
            raise Conflict(
                f"The domain {domain.name} is still being taken away from another account.",
                hint="Try again when its light there is grey.",
            )
        held.backend_name = held.backend_name.removesuffix(_retired(held)) + _retired(held)
    await tx.session.flush()


async def _instances(tx: Transaction, domain: DomainRow) -> Sequence[AssignmentRow]:
    rows = await tx.session.scalars(
        select(AssignmentRow)
        .where(AssignmentRow.domain_id == domain.id)
        .order_by(AssignmentRow.id)
        .with_for_update()
    )
    return rows.all()


def _retired(held: AssignmentRow) -> str:
    return f"#{held.id}"


async def release(
    tx: Transaction, account: AccountRow, catalogue: Catalogue, row: DomainRow
) -> None:
    """Take the domain from the account; a registration is wished away. Raises Conflict while anything needs it."""
    await _refuse_addresses(tx.session, account, row.name)
    await _refuse_services(tx.session, account, catalogue, row.name)
    row.removed_at = tx.now
    request_id = None
    registrations = await tx.session.scalars(
        select(AssignmentRow)
        .where(AssignmentRow.domain_id == row.id, AssignmentRow.wish != Wish.ABSENT)
        .with_for_update()
    )
    for registration in registrations:
        request = await enqueue(
            tx,
            registration,
            RequestKind.DEPROVISION,
            wish=Wish.ABSENT,
        )
        request_id = request.id
    tx.record(
        PlanVerb.REMOVED,
        "domain",
        row.name,
        before={"bought": row.bought},
        action=AuditAction.REMOVE_DOMAIN,
        request_id=request_id,
    )


async def _refuse_addresses(session: AsyncSession, account: AccountRow, name: str) -> None:
    of_domain = (
        AddressRow.account_id == account.id,
        AddressRow.key.endswith(f"@{name}", autoescape=True),
    )
    rows = await session.execute(
        select(UserRow.upn, UserRow.in_bin)
        .join(AddressRow, AddressRow.user_id == UserRow.id)
        .where(*of_domain)
        .distinct()
        .order_by(UserRow.upn)
        .limit(NAMED + 1)
    )
    objects = await session.execute(
        select(ObjectRow.name, ObjectRow.removed_at)
        .join(AddressRow, AddressRow.object_id == ObjectRow.id)
        .where(*of_domain)
        .order_by(ObjectRow.name)
        .limit(NAMED + 1)
    )
    held = [f"{called} (being removed)" if removed else called for called, removed in objects]
    if held:
        raise Conflict(
            f"Groups and shared mailboxes have addresses in {name}: {_named(held)}.",
            hint="Give them another address or remove them, before.",
        )
    users = [f"{upn} (in the recycling bin)" if binned else upn for upn, binned in rows]
    if users:
        raise Conflict(
            f"Users have addresses in {name}: {_named(users)}.",
            hint="Give them another UPN and take the aliases away, or purge them, before.",
        )


async def _refuse_services(
    session: AsyncSession, account: AccountRow, catalogue: Catalogue, name: str
) -> None:
    """Raise Conflict where settings name the domain, such as a web site's: they would be left without it."""
    options = {
        service.id: [option.id for option in service.options if option.type is ValueType.DOMAIN]
        for service in catalogue.services
    }
    rows = await session.execute(
        select(
            func.coalesce(UserRow.upn, ObjectRow.address),
            AssignmentRow.service_id,
            AssignmentRow.settings,
        )
        .outerjoin(UserRow, UserRow.id == AssignmentRow.user_id)
        .outerjoin(ObjectRow, ObjectRow.id == AssignmentRow.object_id)
        .where(
            AssignmentRow.account_id == account.id,
            AssignmentRow.wish != Wish.ABSENT,
            AssignmentRow.service_id.in_([key for key, value in options.items() if value]),
        )
        .order_by(func.coalesce(UserRow.upn, ObjectRow.address))
    )
    users = [
        f"{upn} ({catalogue.service(service_id).name})"
        for upn, service_id, settings in rows
        if any(
            f".{settings.get(option) or ''}".endswith(f".{name}") for option in options[service_id]
        )
    ]
    if users:
        raise Conflict(
            f"Services use {name}: those of {_named(users)}.",
            hint="Give them another domain, or deprovision them, before.",
        )


def _named(names: Iterable[str]) -> str:
    listed = list(names)
    more = " and others" if len(listed) > NAMED else ""
    return ", ".join(listed[:NAMED]) + more
