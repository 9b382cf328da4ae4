"""Pasting a list: its people become users, and one bulk gives them their services, all in one transaction.

API for screens and commands:

    pasted_list.read_list(text) -> PastedList                    pure, fast, never fails on content
    preview(scope, pasted, choices) -> tuple[UpnProposal, ...]   who would get which UPN; reads only
    paste(scope, pasted, choices, keep=None, allow_short=False, dry_run=False) -> Outcome[PasteResult]

The people who can be created are; all others are in `PasteResult.refused`, each with everything that is wrong, at its
line.
The worker goes on with the bulk: afterwards wake it, and where `bulk.attended` go on with `control.attend` of bulks.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from mission_control_tui.model.bulk import control as bulks
from mission_control_tui.model.bulk.item_storage import pack
from mission_control_tui.model.bulk.targets import BulkTarget, order_of
from mission_control_tui.model.bulk.views import BulkOnlyAction, BulkView
from mission_control_tui.model.catalogue.in_force import in_force
from mission_control_tui.model.catalogue.types import Catalogue, Level, Service
from mission_control_tui.model.domains.address_registry import domains_of
from mission_control_tui.model.errors import InvalidInput, NoSeats, Problem
from mission_control_tui.model.onboarding.files.check import check_rows
from mission_control_tui.model.onboarding.files.formats import OWN_CSV
from mission_control_tui.model.onboarding.files.layout import Layout
from mission_control_tui.model.onboarding.files.read import ImportFile, ImportRow
from mission_control_tui.model.onboarding.import_slices import locked_policy
from mission_control_tui.model.onboarding.pasted_list import PastedList
from mission_control_tui.model.onboarding.row_checks import NewUser, RowChecker
from mission_control_tui.model.onboarding.template_content import TemplateContent, checked
from mission_control_tui.model.onboarding.upn_proposals import Pattern, UpnProposal, propose
from mission_control_tui.model.onboarding.user_insert import write_users
from mission_control_tui.model.people.address_syntax import domain_key
from mission_control_tui.model.people.fields import FIELD_BY_NAME, Value
from mission_control_tui.model.plan import Outcome
from mission_control_tui.model.services.seats import overview
from mission_control_tui.model.store.batches import batches
from mission_control_tui.model.store.retry import retry_on_conflict
from mission_control_tui.model.store.scope import AccountScope
from mission_control_tui.model.store.tables.documents import StoredParams
from mission_control_tui.model.store.tables.users import AddressRow
from mission_control_tui.model.store.transaction import Transaction
from mission_control_tui.model.users.actions.params import ActionParams
from mission_control_tui.model.views import KeepPasswords, RevealedPassword


@dataclass(frozen=True, slots=True)
class PasteChoices:
    """What holds for the whole list: where UPNs are, how they are made, what everybody gets."""

    domain: str
    pattern: Pattern = Pattern.FIRST_LAST
    content: TemplateContent = field(default_factory=TemplateContent)


@dataclass(frozen=True, slots=True)
class SeatNeed:
    """Seats of one level: free now, and how many the list needs."""

    service_id: str
    service: str
    level_id: str
    level: str
    free: int
    needed: int

    @property
    def short(self) -> int:
        """How many are missing."""
        return max(self.needed - self.free, 0)


@dataclass(frozen=True, slots=True)
class PasteResult:
    """What became of a list, or would. `people` are all, in order; those with problems were refused.

    `passwords` were generated, revealed here and never again.
    """

    people: tuple[UpnProposal, ...]
    seats: tuple[SeatNeed, ...] = ()
    bulk: BulkView | None = None
    passwords: tuple[RevealedPassword, ...] = field(default=(), repr=False)

    @property
    def created(self) -> tuple[UpnProposal, ...]:
        """Who was created, or would be."""
        return tuple(made for made in self.people if not made.problems)

    @property
    def refused(self) -> tuple[UpnProposal, ...]:
        """Who was not."""
        return tuple(made for made in self.people if made.problems)

    @property
    def short(self) -> tuple[SeatNeed, ...]:
        """The levels with too few seats."""
        return tuple(seat for seat in self.seats if seat.short)


class _PastedFile(ImportFile):
    """The list as an import sees it: its rows are named by the lines they stand in."""

    def located(self, row: ImportRow, problem: Problem) -> Problem:
        label = FIELD_BY_NAME[problem.where].label if problem.where in FIELD_BY_NAME else ""
        where = f"line {row.line}, {label}" if label else f"line {row.line}"
        return replace(problem, where=where)


async def preview(
    scope: AccountScope, pasted: PastedList, choices: PasteChoices
) -> tuple[UpnProposal, ...]:
    """Return who would get which UPN. Raises InvalidInput where the domain is not the account's."""
    async with scope.read() as (session, account_id):
        return await _propose(session, account_id, pasted, choices)


async def _propose(
    session: AsyncSession, account_id: int, pasted: PastedList, choices: PasteChoices
) -> tuple[UpnProposal, ...]:
    domains = await domains_of(session, account_id)
    domain = domain_key(choices.domain)
    if domain not in {domain_key(name) for name in domains}:
        what = f"{domain} is not a domain of this account"
        hint = f"one of: {', '.join(domains)}" if domains else "buy or add one first"
        raise InvalidInput(f"{what}.", problems=[Problem("domain", what, hint)])
    return await propose(session, account_id, pasted.people, domains, domain, choices.pattern)


async def paste(
    scope: AccountScope,
    pasted: PastedList,
    choices: PasteChoices,
    *,
    keep: KeepPasswords | None = None,
    allow_short: bool = False,
    dry_run: bool = False,
) -> Outcome[PasteResult]:
    """Create the people of the list who can be, and start one bulk for their services, in one transaction.

    Raises NoSeats before anything is written where seats are short, unless `allow_short`: then those who come last in
    the list get none. Raises InvalidInput, NotFound for what concerns the list as a whole.
    """
    async with scope.read() as (session, account_id):
        catalogue = (await in_force(session)).catalogue
        content = checked(catalogue, choices.content)
        proposed = await _propose(session, account_id, pasted, choices)
        special = catalogue.address_characters
    file = await asyncio.to_thread(_file, proposed, content)
    rows = await asyncio.to_thread(lambda: list(check_rows(file, domains=None, special=special)))

    async def work() -> Outcome[PasteResult]:
        async with scope.store.write(scope.caller, account_id, dry_run=dry_run, keep=keep) as tx:
            policy = await locked_policy(tx, account_id)
            judged = await RowChecker(tx.session, account_id, file, rows, (), None).judge()
            refused = {number: tuple(found) for number, found in judged.refused.items()}
            for known in judged.known:
                what = f"{known.user.upn} is there already"
                refused[known.row.row] = (Problem(f"line {known.row.line}", what),)
            people = tuple(
                replace(proposal, problems=refused.get(number, ()))
                if not proposal.problems
                else proposal
                for number, proposal in enumerate(proposed, 1)
            )
            seats = await _seats(tx, catalogue, account_id, content, len(judged.new))
            if not dry_run and not allow_short:
                _require(seats)
            await write_users(tx, account_id, judged.new, policy)
            bulk = await _bulk(tx, catalogue, account_id, content, judged.new)
            revealed = () if dry_run else tuple(tx.revealed)
            result = PasteResult(people, seats, None if dry_run else bulk, revealed)
        return tx.outcome(result)

    return await retry_on_conflict(work)


def _file(proposed: Sequence[UpnProposal], content: TemplateContent) -> ImportFile:
    rows = [
        ImportRow(number, proposal.person.line, _fields(proposal, content))
        for number, proposal in enumerate(proposed, 1)
        if not proposal.problems
    ]
    layout = Layout(OWN_CSV, (), (), (), has_reasons=False)
    return _PastedFile("the list", OWN_CSV, "UTF-8", "", layout, rows, (), ())


def _fields(proposal: UpnProposal, content: TemplateContent) -> dict[str, Value]:
    person = proposal.person
    fields: dict[str, Value] = {
        **content.fields,
        **person.fields,
        "upn": proposal.upn,
        "first_names": person.first_names,
        "last_name": person.last_name,
        "display_name": person.display_name,
    }
    if person.address and person.address != proposal.upn:
        fields.setdefault("external_email", person.address)
    return fields


async def _seats(
    tx: Transaction, catalogue: Catalogue, account_id: int, content: TemplateContent, count: int
) -> tuple[SeatNeed, ...]:
    seats = await overview(tx.session, catalogue, account_id)
    free = {(owned.service_id, owned.level_id): owned.free for owned in seats}
    needed: Counter[tuple[Service, Level]] = Counter()
    for given in content.services:
        service = catalogue.service(given.service)
        if service.seats:
            needed[service, service.level(given.level)] += count
    return tuple(
        SeatNeed(
            *(service.id, service.name, level.id, level.name),
            free.get((service.id, level.id), 0),
            count,
        )
        for (service, level), count in needed.items()
    )


def _require(seats: Sequence[SeatNeed]) -> None:
    short = [seat for seat in seats if seat.short]
    if short:
        raise NoSeats(
            "There are too few seats for this list. Nothing was changed.",
            levels=[(seat.service_id, seat.level_id) for seat in short],
            problems=[
                Problem(f"{seat.service}, {seat.level}", f"{seat.needed} needed, {seat.free} free")
                for seat in short
            ],
            hint="Buy more, or let the last ones go without (--allow-short).",
        )


async def _bulk(
    tx: Transaction,
    catalogue: Catalogue,
    account_id: int,
    content: TemplateContent,
    users: Sequence[NewUser],
) -> BulkView | None:
    """Return the bulk that gives the new users their services, user by user."""
    if not content.services or not users:
        return None
    ids: dict[str, str] = {}
    for some in batches([user.key for user in users]):
        found = await tx.session.execute(
            select(AddressRow.key, AddressRow.user_id).where(AddressRow.key.in_(some))
        )
        ids |= {key: user_id for key, user_id in found if user_id is not None}
    gives: list[StoredParams] = content.to_json()["services"]
    targets = [
        BulkTarget(ids[user.key], None, user.details.upn, {"give": give})
        for user in users
        for give in gives
    ]
    order = order_of(catalogue, account_id, BulkOnlyAction.GIVE, ActionParams(), targets)
    return await bulks.create_in(tx, order, await pack(targets))
