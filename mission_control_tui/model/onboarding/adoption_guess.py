"""Whose an object at a back end is likely to be: a guess by domains and names, in accounts that have them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from mission_control_tui.model.catalogue.backend_names import back_end_name
from mission_control_tui.model.catalogue.types import Service
from mission_control_tui.model.people.address_syntax import lookup_key
from mission_control_tui.model.states import SubjectKind
from mission_control_tui.model.store.account_rows import account_codes
from mission_control_tui.model.store.batches import batches
from mission_control_tui.model.store.scope import Reach, Within
from mission_control_tui.model.store.tables.accounts import AccountRow, DomainRow
from mission_control_tui.model.store.tables.users import AddressRow, UserRow


@dataclass(frozen=True, slots=True)
class SeenObject:
    """What an object says of its subject: its name, and its addresses or domains, the most telling first."""

    name: str
    called: tuple[str, ...] = ()

    @property
    def domains(self) -> tuple[str, ...]:
        """Return the domains that it is called by."""
        return tuple(dict.fromkeys(domain_of(word) for word in self.called))


@dataclass(frozen=True, slots=True)
class KnownPerson:
    """A user of this installation, as far as back ends are told of one."""

    account_id: int
    upn: str
    display_name: str
    username: str
    addresses: tuple[str, ...]
    primary_address: str

    def facts(self) -> dict[str, object]:
        """Return what a connector is told of the user."""
        return {
            "upn": self.upn,
            "display_name": self.display_name,
            "username": self.username,
            "domain": domain_of(self.upn),
            "addresses": [*self.addresses],
            "primary_address": self.primary_address,
        }


@dataclass(frozen=True, slots=True)
class SubjectGuess:
    """Whose an object may be. `elsewhere`: of an account that is not looked at. `problem`: why there is no guess."""

    account: str = ""
    subject: str = ""
    instance: str = ""
    elsewhere: bool = False
    problem: str = ""


def domain_of(word: str) -> str:
    """Return the domain of an address, or the name of a domain, in small letters."""
    return word.rpartition("@")[2].rstrip(".").casefold()


async def owners_of(session: AsyncSession, domains: Collection[str]) -> dict[str, int]:
    """Return the accounts that have these domains."""
    found: dict[str, int] = {}
    for part in batches(sorted(set(domains))):
        rows = await session.execute(
            select(DomainRow.name, DomainRow.account_id).where(
                DomainRow.name.in_(part), DomainRow.removed_at.is_(None)
            )
        )
        found |= dict(rows.all())
    return found


async def people_called(
    session: AsyncSession, addresses: Collection[str]
) -> dict[str, KnownPerson]:
    """Return the users who have these addresses, by the addresses' keys; those in the recycling bin are left out."""
    owners: dict[str, str] = {}
    for part in batches(sorted({lookup_key(address) for address in addresses})):
        rows = await session.execute(
            select(AddressRow.key, AddressRow.user_id).where(
                AddressRow.key.in_(part), AddressRow.user_id.is_not(None)
            )
        )
        owners |= {key: str(user_id) for key, user_id in rows}
    people: dict[str, KnownPerson] = {}
    for ids in batches(sorted(set(owners.values()))):
        held: dict[str, list[tuple[str, bool]]] = {}
        for user_id, address, primary in await session.execute(
            select(AddressRow.user_id, AddressRow.address, AddressRow.is_primary)
            .where(AddressRow.user_id.in_(ids))
            .order_by(AddressRow.key)
        ):
            held.setdefault(str(user_id), []).append((address, primary))
        for user in await session.scalars(
            select(UserRow).where(UserRow.id.in_(ids), UserRow.in_bin.is_(False))
        ):
            people[user.id] = KnownPerson(
                user.account_id,
                user.upn,
                user.display_name,
                user.username,
                tuple(address for address, _ in held[user.id]),
                next((address for address, primary in held[user.id] if primary), user.upn),
            )
    return {key: people[user_id] for key, user_id in owners.items() if user_id in people}


async def guess_subjects(
    reach: Reach, service: Service, seen: Sequence[SeenObject]
) -> list[SubjectGuess]:
    """Return for each object whose it may be: by what it is called, or else by the names that services here get."""
    async with reach.reading() as (session, within):
        owners = await owners_of(session, {name for one in seen for name in one.domains})
        people = await people_called(session, {word for one in seen for word in one.called})
        codes = await account_codes(session, set(owners.values()))
        unclear = {one.name for one in seen if not (set(one.domains) & owners.keys())}
        named = await _by_name(session, within, service, unclear) if unclear else {}
    return [
        _guess(service, one, owners, people, codes, within) or named.get(one.name) or _nobody(one)
        for one in seen
    ]


def _guess(
    service: Service,
    one: SeenObject,
    owners: Mapping[str, int],
    people: Mapping[str, KnownPerson],
    codes: Mapping[int, str],
    within: Within,
) -> SubjectGuess | None:
    accounts = {owners[name] for name in one.domains if name in owners}
    if not accounts:
        return None
    if not any(_is_within(within, account) for account in accounts):
        return SubjectGuess(elsewhere=True)
    if len(accounts) > 1:
        return SubjectGuess(problem="its addresses are in domains of several accounts")
    (account,) = accounts
    foreign = [name for name in one.domains if name not in owners]
    if foreign:
        problem = f"it has addresses in domains that no account has: {', '.join(foreign)}"
        return SubjectGuess(codes[account], problem=problem)
    called = [word for word in one.called if domain_of(word) in owners]
    if service.subject is SubjectKind.DOMAIN:
        return SubjectGuess(codes[account], domain_of(called[0]))
    known = next((people[lookup_key(word)] for word in called if lookup_key(word) in people), None)
    subject = known.upn if known is not None and known.account_id == account else called[0]
    return SubjectGuess(codes[account], subject)


def _nobody(one: SeenObject) -> SubjectGuess:
    if one.domains:
        return SubjectGuess(problem=f"no account has the domain {', '.join(one.domains)}")
    return SubjectGuess(problem="nothing tells whose it is")


def _is_within(within: Within, account_id: int) -> bool:
    if within.account_id is not None:
        return account_id == within.account_id
    return within.accounts is None or account_id in within.accounts


async def _by_name(
    session: AsyncSession, within: Within, service: Service, names: Collection[str]
) -> dict[str, SubjectGuess]:
    """Return whose service would be called so, of users who are here; a name's further part is the instance."""
    found: dict[str, SubjectGuess] = {}
    if service.subject is not SubjectKind.USER:
        return found
    rows = await session.execute(
        select(AccountRow.code, UserRow.upn, UserRow.username)
        .join(AccountRow, AccountRow.id == UserRow.account_id)
        .where(within(UserRow.account_id), UserRow.in_bin.is_(False))
    )
    called: dict[str, list[tuple[str, str]]] = {}
    for code, upn, username in rows:
        facts = {"account": code, "username": username, "upn": upn, "instance": "", "name": upn}
        made = back_end_name(service, {**facts, "domain": domain_of(upn)})
        called.setdefault(made, []).append((code, upn))
    for name in names:
        base, instance = name, ""
        while base and base not in called:
            base, _, more = base.rpartition("_")
            instance = f"{more}_{instance}".strip("_")
        owners = called.get(base, [])
        if len(owners) == 1 and (not instance or service.instances > 1):
            found[name] = SubjectGuess(*owners[0], instance=instance)
    return found
