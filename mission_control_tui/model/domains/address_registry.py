"""Who has an address: UPNs, aliases and former UPNs are unique together, over the whole installation."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from mission_control_tui.model.catalogue.in_force import in_force
from mission_control_tui.model.errors import (
    Conflict,
    InvalidInput,
    MissionControlError,
    Problem,
    ProblemCode,
)
from mission_control_tui.model.people.address_syntax import (
    SPECIAL,
    lookup_key,
    normal_address,
    upn_key,
    upn_problems,
)
from mission_control_tui.model.people.names import alternatives
from mission_control_tui.model.store.batches import batches
from mission_control_tui.model.store.scope import AccountScope
from mission_control_tui.model.store.tables.accounts import DomainRow
from mission_control_tui.model.store.tables.groups import ObjectRow
from mission_control_tui.model.store.tables.users import AddressRow, UserRow
from mission_control_tui.model.text.clean import harmless

KEYS_AT_ONCE = 500
_OFFERS_AT_ONCE = (8, 64, 1000)
_USERS_ASKED = 300


class AddressKind(StrEnum):
    """Why a user has an address, or that an object has it."""

    UPN = "upn"
    ALIAS = "alias"
    FORMER = "former"
    OBJECT = "object"


_HOW = {
    AddressKind.UPN: "is taken by",
    AddressKind.ALIAS: "is an alias of",
    AddressKind.FORMER: "is a former UPN of",
}


def user_address(
    row: UserRow, address: str, kind: AddressKind, *, is_primary: bool = False
) -> AddressRow:
    """Return the row of an address that a user gets."""
    return AddressRow(
        account_id=row.account_id,
        user_id=row.id,
        address=normal_address(address),
        key=upn_key(address),
        kind=kind,
        is_primary=is_primary,
    )


@dataclass(frozen=True, slots=True)
class Holder:
    """Who has an address, and what it is to that user.

    Of an object `user_id` is the object's id, `upn` its address, and `in_bin` says that it is being removed.
    """

    user_id: str
    account_id: int
    upn: str
    display_name: str
    in_bin: bool
    kind: AddressKind


@dataclass(frozen=True, slots=True)
class UpnStatus:
    """Whether a UPN can be had. `problem` says why not, naming the holder only within the account.

    `alternative` is a free one to offer when it is taken, or "". `held` says how it is taken, to follow the UPN.
    """

    upn: str
    free: bool
    problem: Problem | None = None
    alternative: str = ""
    holder: Holder | None = None
    held: str = ""


@dataclass(frozen=True, slots=True)
class AddressRules:
    """What a new address of an account may be: in one of its `domains`, with those `special` characters."""

    domains: tuple[str, ...]
    special: str

    def problems(self, address: str, where: str) -> list[Problem]:
        """Return everything that is wrong with the address, whoever has it."""
        return upn_problems(address, where=where, domains=self.domains, special=self.special)


async def address_rules(session: AsyncSession, account_id: int) -> AddressRules:
    """Return the account's domains, and what the catalogue allows in front of the @."""
    return AddressRules(await domains_of(session, account_id), await special_characters(session))


async def special_characters(session: AsyncSession) -> str:
    """Return which characters the catalogue allows in addresses beside those that are safe everywhere."""
    return (await in_force(session)).catalogue.address_characters


async def usual_domain(scope: AccountScope) -> str:
    """Return the domain to propose for a new user: what most users have, else the oldest; "" where there is none.

    "Most" is judged by the first users in the list's order, which are found by its index however many there are.
    """
    async with scope.read() as (session, account_id):
        domains = (
            await session.scalars(
                select(DomainRow.name)
                .where(DomainRow.account_id == account_id, DomainRow.removed_at.is_(None))
                .order_by(DomainRow.id)
            )
        ).all()
        if len(domains) < 2:
            return next(iter(domains), "")
        upns = await session.scalars(
            select(UserRow.upn)
            .where(UserRow.account_id == account_id, ~UserRow.in_bin)
            .order_by(UserRow.sort_key, UserRow.id)
            .limit(_USERS_ASKED)
        )
        used = Counter(upn_key(upn).rpartition("@")[2] for upn in upns)
    return max(domains, key=lambda name: used[name])


async def upn_status(scope: AccountScope, upn: str) -> UpnStatus:
    """Tell whether `upn` is valid and free, asked while it is typed: one indexed query when it is."""
    typed = upn.strip()
    problems = upn_problems(typed, special=SPECIAL)
    if problems:
        return UpnStatus(typed, free=False, problem=problems[0])
    async with scope.read() as (session, account_id):
        if not set(SPECIAL).isdisjoint(typed):
            problems = upn_problems(typed, special=await special_characters(session))
            if problems:
                return UpnStatus(typed, free=False, problem=problems[0])
        key = lookup_key(typed)
        holder = (await holders(session, [key])).get(key)
        if holder is None:
            return UpnStatus(typed, free=True)
        offer = await alternative(session, typed)
    problem = taken("upn", typed, holder, account_id, offer)
    mine = holder if holder.account_id == account_id else None
    held = _held(holder, account_id, known=typed)
    return UpnStatus(typed, free=False, problem=problem, alternative=offer, holder=mine, held=held)


async def holders(session: AsyncSession, keys: Collection[str]) -> dict[str, Holder]:
    """Return who has the addresses with these keys, recycling bin included; free ones are left out."""
    found: dict[str, Holder] = {}
    for chunk in batches(sorted(keys), KEYS_AT_ONCE):
        rows = await session.execute(
            select(
                AddressRow.key,
                AddressRow.kind,
                func.coalesce(UserRow.id, ObjectRow.id),
                AddressRow.account_id,
                func.coalesce(UserRow.upn, ObjectRow.address),
                func.coalesce(UserRow.display_name, ObjectRow.name),
                func.coalesce(UserRow.in_bin, ObjectRow.removed_at.is_not(None)),
            )
            .outerjoin(UserRow, UserRow.id == AddressRow.user_id)
            .outerjoin(ObjectRow, ObjectRow.id == AddressRow.object_id)
            .where(AddressRow.key.in_(chunk))
        )
        for key, kind, user_id, account_id, upn, display_name, in_bin in rows:
            found[key] = Holder(
                user_id, account_id, upn, display_name, bool(in_bin), AddressKind(kind)
            )
    return found


async def alternative(session: AsyncSession, upn: str) -> str:
    """Return a free UPN that resembles `upn`, or "" when a thousand of them are taken."""
    candidates = alternatives(upn, ())
    for size in _OFFERS_AT_ONCE:
        offers = list(islice(candidates, size))
        held = await holders(session, {lookup_key(offer) for offer in offers})
        free = next((offer for offer in offers if lookup_key(offer) not in held), None)
        if free is not None:
            return free
    return ""


def taken(where: str, address: str, holder: Holder, account_id: int, offer: str = "") -> Problem:
    """Return the problem of an address that somebody has; somebody of another account is not named."""
    hint = f"{offer} is free" if offer else ""
    if holder.in_bin and holder.account_id == account_id:
        if holder.kind is AddressKind.OBJECT:
            hint = "try again when its light is grey"
        else:
            what = "restore that user, or purge it to free the name"
            hint = f"{what}; {hint}" if hint else what
    what = f"{harmless(address)} {_held(holder, account_id)}"
    return Problem(where, what, hint, ProblemCode.TAKEN)


def _held(holder: Holder, account_id: int, *, known: str = "") -> str:
    """Return how an address is taken, to follow it in a sentence; a user's own UPN is left out where it is `known`."""
    if holder.account_id != account_id:
        return "is taken in another account"
    name = harmless(holder.display_name)
    if holder.kind is AddressKind.OBJECT:
        how = "is still being taken away from" if holder.in_bin else "is the address of"
        return f"{how} {name}"
    if holder.in_bin:
        return f"is kept for {name} ({holder.upn}), who is in the recycling bin"
    return f"{_HOW[holder.kind]} {name}" + ("" if holder.upn == known else f" ({holder.upn})")


async def domains_of(session: AsyncSession, account_id: int) -> tuple[str, ...]:
    """Return the account's domain names, sorted."""
    rows = await session.scalars(
        select(DomainRow.name)
        .where(DomainRow.account_id == account_id, DomainRow.removed_at.is_(None))
        .order_by(DomainRow.name)
    )
    return tuple(rows)


def refusal(what: str, problems: Sequence[Problem]) -> MissionControlError:
    """Return the error for all `problems` together: Conflict where names are merely taken, else InvalidInput."""
    taken_only = all(problem.code is ProblemCode.TAKEN for problem in problems)
    return (Conflict if taken_only else InvalidInput)(what, problems=problems)


async def upn_taken(
    session: AsyncSession, account_id: int, upn: str, *, by_other_than: str = "", where: str = "upn"
) -> list[Problem]:
    """Tell whether somebody other than the user `by_other_than` has the address, with who and a free one to offer."""
    key = lookup_key(upn)
    holder = (await holders(session, [key])).get(key)
    if holder is None or holder.user_id == by_other_than:
        return []
    return [taken(where, upn, holder, account_id, await alternative(session, upn))]
