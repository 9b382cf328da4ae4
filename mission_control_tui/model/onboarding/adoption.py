"""Bringing in what a back end has already: users without a password here, domains, services with native names.

What is there already, by its name at the back end, is left as it is: the same rows again change nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time

from sqlalchemy import select

from mission_control_tui.model.audit_actions import AuditAction
from mission_control_tui.model.catalogue.types import Catalogue, PurchaseKind, Service
from mission_control_tui.model.dates import months_later, today_of, zone_of
from mission_control_tui.model.domains.names import normalise
from mission_control_tui.model.domains.ownership import claim, locked_account
from mission_control_tui.model.errors import (
    Conflict,
    InvalidInput,
    MissionControlError,
    NoSeats,
    NotFound,
    Problem,
)
from mission_control_tui.model.onboarding.files.adoption_rows import AdoptionRow, RowAction
from mission_control_tui.model.people.address_syntax import lookup_key
from mission_control_tui.model.people.fields import IMPORT_COMPULSORY, UserDetails
from mission_control_tui.model.people.names import username_for
from mission_control_tui.model.plan import Outcome, PlanVerb
from mission_control_tui.model.services.subjects import Subject, domain_subject, user_subject
from mission_control_tui.model.services.wishes import ExistingObject, find
from mission_control_tui.model.states import Light, Priority, SubjectKind, Wish
from mission_control_tui.model.store.batches import batches
from mission_control_tui.model.store.database import Store
from mission_control_tui.model.store.lookups import domain_row, user_row
from mission_control_tui.model.store.retry import retries_on_conflict
from mission_control_tui.model.store.scope import AccountScope
from mission_control_tui.model.store.tables.accounts import AccountRow, DomainRow
from mission_control_tui.model.store.tables.services import AssignmentRow, SeatPoolRow
from mission_control_tui.model.store.tables.users import UserRow
from mission_control_tui.model.store.transaction import Transaction
from mission_control_tui.model.store.user_rows import addresses_of
from mission_control_tui.model.users.actions.base import ActionContext, action_context
from mission_control_tui.model.users.actions.params import ActionParams
from mission_control_tui.model.users.aliases import AddressChanges
from mission_control_tui.model.users.creation import create_in
from mission_control_tui.model.users.editing import apply_changes
from mission_control_tui.model.users.giving import provision_in
from mission_control_tui.model.users.rules import usernames_like

TERM_MONTHS = 12
"""The term that a domain which is sold here is noted with: it ends on the day that its row says."""


@dataclass(frozen=True, slots=True)
class KnownObject:
    """A service here that has, or wishes for, an object: `settled` where it needs nobody's second try."""

    assignment_id: str
    account_id: int
    settled: bool


@dataclass(slots=True)
class BroughtIn:
    """What became of rows, by their numbers."""

    adopted: list[int] = field(default_factory=list)
    unchanged: list[int] = field(default_factory=list)
    refused: dict[int, tuple[Problem, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Bringing:
    """A row that was looked at, ready to be written: with the service's and level's ids, and what was seen.

    `primary` is the primary address at the back end, "" where it has none.
    """

    row: AdoptionRow
    service: Service
    level: str
    suspended: bool = False
    primary: str = ""
    external_id: str = ""


async def known_objects(
    store: Store, connector: str, service: str, names: Collection[str]
) -> dict[str, KnownObject]:
    """Return the services here that stand for objects of these names at a connector."""
    found: dict[str, KnownObject] = {}
    async with store.read() as session:
        for part in batches(sorted(names)):
            rows = await session.scalars(
                select(AssignmentRow).where(
                    AssignmentRow.connector == connector,
                    AssignmentRow.service_id == service,
                    AssignmentRow.backend_name.in_(part),
                    (AssignmentRow.wish != Wish.ABSENT) | (AssignmentRow.light != Light.GREY),
                )
            )
            for row in rows:
                settled = row.wish != Wish.ABSENT and row.light != Light.RED
                found[row.backend_name] = KnownObject(row.id, row.account_id, settled)
    return found


async def require_seats(scope: AccountScope, rows: Sequence[Bringing]) -> None:
    """Raise NoSeats where the account has fewer free seats than these rows need: nothing was written then."""
    needed = Counter((one.service.id, one.level) for one in rows if one.service.seats)
    if not needed:
        return
    async with scope.read() as (session, account_id):
        pools = await session.scalars(
            select(SeatPoolRow).where(SeatPoolRow.account_id == account_id)
        )
        free = {(pool.service_id, pool.level_id): pool.owned - pool.held for pool in pools}
        code = (await scope.row(session)).code
    missing = {key: count - free.get(key, 0) for key, count in needed.items()}
    short = {key: count for key, count in missing.items() if count > 0}
    if short:
        words = ", ".join(f"{count} of {name} {level}" for (name, level), count in short.items())
        raise NoSeats(
            f"Account {code} lacks seats for what is to be brought in: {words}. Nothing was brought in.",
            levels=list(short),
            hint="Buy them first, or leave some of the rows.",
        )


@retries_on_conflict
async def bring_in(
    scope: AccountScope, rows: Sequence[Bringing], *, dry_run: bool = False
) -> Outcome[BroughtIn]:
    """Write some rows of one account in one transaction: all of a row, or nothing of it."""
    result = BroughtIn()
    async with scope.change(dry_run=dry_run) as (tx, account_id):
        tx.priority = Priority.BULK
        if any(one.service.subject is SubjectKind.DOMAIN for one in rows):
            await locked_account(tx, account_id)
        context = await action_context(tx, account_id)
        for one in rows:
            number = one.row.row
            try:
                async with tx.attempt():
                    done = await _bring(tx, context, one)
            except MissionControlError as error:
                result.refused[number] = tuple(_located(one.row, error))
            else:
                (result.adopted if done else result.unchanged).append(number)
    return tx.outcome(result)


_CELLS = {
    "upn": "User or Domain",
    "display_name": "Display Name",
    "alias": "Aliases",
    "level": "Level",
    "username": "User or Domain",
}


def _located(row: AdoptionRow, error: MissionControlError) -> list[Problem]:
    said = [
        row.at(
            _CELLS.get(problem.where, "Settings" if problem.where else ""),
            problem.what,
            problem.hint,
        )
        for problem in error.problems
    ]
    return said or [row.at("", error.what, error.hint)]


async def _bring(tx: Transaction, context: ActionContext, one: Bringing) -> bool:
    """Bring in one object; False where it is there already."""
    row = one.row
    subject = await _subject(tx, context, one)
    held = await find(tx, subject, one.service.id, row.instance)
    if (
        held is not None
        and held.wish != Wish.ABSENT
        and held.backend_name == row.name
        and held.light != Light.RED
    ):
        tx.record(PlanVerb.UNCHANGED, "service", f"{subject.name} {one.service.name}")
        return False
    existing = ExistingObject(row.name, one.external_id, row.action is RowAction.ADOPT)
    await provision_in(
        tx,
        context,
        subject,
        ActionParams(
            one.service.id,
            one.level,
            row.settings,
            row.instance,
            adopt=True,
            on=row.connector if one.service.id in tx.placements else "",
        ),
        suspended=one.suspended,
        said=False,
        existing=existing,
    )
    return True


async def _subject(tx: Transaction, context: ActionContext, one: Bringing) -> Subject:
    if one.service.subject is SubjectKind.DOMAIN:
        return domain_subject(await _domain(tx, context, one.row))
    return user_subject(await _user(tx, context.owner, one))


async def _user(tx: Transaction, account: AccountRow, one: Bringing) -> UserRow:
    row = one.row
    try:
        user = await user_row(tx.session, account.id, row.subject, lock=True)
    except NotFound:
        taken = await usernames_like(tx.session, account.id, row.subject)
        name = row.display_name or row.subject.partition("@")[0]
        details = UserDetails(
            upn=row.subject, display_name=name, username=username_for(row.subject, taken)
        )
        await create_in(tx, account, details, None, generate=False, compulsory=IMPORT_COMPULSORY)
        user = await user_row(tx.session, account.id, row.subject, lock=True)
        primary = one.primary
    else:
        primary = ""
    held = {address.key for address in await addresses_of(tx.session, user.id)}
    add = tuple(alias for alias in row.aliases if lookup_key(alias) not in held)
    if lookup_key(primary or user.upn) == lookup_key(user.upn):
        primary = ""
    if add or primary:
        await apply_changes(tx, user, {}, addresses=AddressChanges(add=add, primary=primary))
    return user


async def _domain(tx: Transaction, context: ActionContext, row: AdoptionRow) -> DomainRow:
    account, name = context.owner, normalise(row.subject)
    domain = await domain_row(tx.session, account.id, name)
    until = row.paid_until
    if domain is not None and (domain.bought or until is None):
        return domain
    details: Mapping[str, object] = {}
    if until is not None:
        details = {"product": _sold_by(context.catalogue, name)}
        _require_ahead(account, until, tx.now)
    if domain is None:
        domain = await claim(
            tx,
            account,
            name,
            bought=until is not None,
            term_months=0 if until is None else TERM_MONTHS,
            details=details,
        )
    else:
        tx.record(
            PlanVerb.CHANGED,
            "domain",
            name,
            before={"bought": False},
            after={"bought": True, "term months": TERM_MONTHS},
            action=AuditAction.ADD_DOMAIN,
        )
    if until is not None:
        domain.bought, domain.term_months, domain.details = True, TERM_MONTHS, dict(details)
        began = months_later(until, -TERM_MONTHS)
        domain.added_at = datetime.combine(began, time(12), zone_of(account.time_zone))
    await tx.session.flush()
    tx.read_again()
    return domain


def _require_ahead(account: AccountRow, until: date, now: datetime) -> None:
    if until < today_of(account.time_zone, now):
        raise InvalidInput(
            f"{until} is over.",
            problems=[
                Problem("Paid Until", f"{until} is over", "give the last day that is paid for")
            ],
        )


def _sold_by(catalogue: Catalogue, name: str) -> str:
    for product in catalogue.products:
        if product.buys is PurchaseKind.DOMAIN:
            try:
                product.extension_of(name)
            except NotFound:
                continue
            return product.id
    raise Conflict(
        f"No product of the catalogue sells names like {name}: it could not be renewed.",
        hint="Leave Paid Until empty: the domain is then one that is registered elsewhere.",
    )
