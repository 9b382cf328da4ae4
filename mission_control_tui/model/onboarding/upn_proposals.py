"""UPNs for the people of a pasted list: by a pattern at one domain, free ones, and who of them is there already."""

from __future__ import annotations

import asyncio
import unicodedata
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from mission_control_tui.model.domains.address_registry import (
    KEYS_AT_ONCE,
    AddressKind,
    Holder,
    holders,
    taken,
)
from mission_control_tui.model.errors import InvalidInput, Problem
from mission_control_tui.model.onboarding.pasted_list import PastedPerson
from mission_control_tui.model.people.address_syntax import (
    LOCAL_LIMIT,
    domain_key,
    lookup_key,
    upn_problems,
)
from mission_control_tui.model.people.names import alternatives
from mission_control_tui.model.store.batches import batches
from mission_control_tui.model.store.tables.users import UserRow
from mission_control_tui.model.store.user_rows import sort_key
from mission_control_tui.model.text.clean import fold, harmless

AT_ONCE = 250
"""People who are judged before others get the processor."""

ROUNDS = 60
"""How many free names are tried for one person."""

_LETTERS = str.maketrans(
    dict(
        zip(
            "ßæœøłđðþ\u0131ħŋŧ",
            ("ss", "ae", "oe", "o", "l", "d", "d", "th", "i", "h", "n", "t"),
            strict=True,
        )
    )
)
"""Letters that do not come apart into a plain one and an accent."""


class Pattern(StrEnum):
    """How a UPN is made of a name."""

    FIRST_LAST = "first.last"
    F_LAST = "flast"
    FIRST = "first"
    LAST_FIRST = "last.first"
    FIRSTLAST = "firstlast"


@dataclass(frozen=True, slots=True)
class UpnProposal:
    """A person of the list with the UPN that is proposed, "" where there is none.

    `note` is what an operator should look at; with `problems` the person is not created. `namesake` is the UPN of
    somebody of the same name.
    """

    person: PastedPerson
    upn: str = ""
    note: str = ""
    problems: tuple[Problem, ...] = ()
    namesake: str = ""


def local_part(pattern: Pattern, first_names: str, last_name: str, display_name: str = "") -> str:
    """Return the part before the @: ASCII, lower case; "" where the name has no letter that could stand there."""
    words = first_names.split()
    first, last = _plain(words[0]) if words else "", _plain(last_name)
    if not first or not last:
        return (first or last or _plain(display_name))[:LOCAL_LIMIT]
    made = {
        Pattern.FIRST_LAST: f"{first}.{last}",
        Pattern.F_LAST: f"{first[0]}{last}",
        Pattern.FIRST: first,
        Pattern.LAST_FIRST: f"{last}.{first}",
        Pattern.FIRSTLAST: f"{first}{last}",
    }[pattern]
    return made[:LOCAL_LIMIT].rstrip(".-")


def _plain(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text.casefold().translate(_LETTERS))
    kept = "".join(
        char for char in decomposed if char.isascii() and (char.isalnum() or char == "-")
    )
    return kept.strip("-")


async def propose(
    session: AsyncSession,
    account_id: int,
    people: Sequence[PastedPerson],
    domains: Collection[str],
    domain: str,
    pattern: Pattern,
) -> tuple[UpnProposal, ...]:
    """Return a free UPN for each of the people, in their order.

    An address at one of the account's domains is the UPN itself. Somebody of the same name who has the UPN that would
    be proposed is taken for the same person, and refused: so pasting a list again creates nobody twice.
    """
    own = {domain_key(name) for name in domains}
    found: list[UpnProposal | None] = [None] * len(people)
    open_: dict[int, tuple[PastedPerson, Iterator[str]]] = {}
    used: dict[str, int] = {}
    for index, one in enumerate(people):
        if index % AT_ONCE == 0:
            await asyncio.sleep(0)
        if one.problems:
            found[index] = UpnProposal(one, problems=one.problems)
        elif one.address and _domain_of(one.address) in own:
            open_[index] = (one, iter((one.address,)))
        else:
            local = local_part(pattern, one.first_names, one.last_name, one.display_name)
            if not local:
                what = f"no UPN can be made of {harmless(one.display_name)}"
                hint = f"write the address behind the name, as in name <name@{domain}>"
                found[index] = UpnProposal(one, problems=(Problem(f"line {one.line}", what, hint),))
                continue
            open_[index] = (one, _candidates(f"{local}@{domain}"))
    held: dict[str, Holder] = {}
    asked: dict[int, str] = {}
    for _round in range(ROUNDS):
        if not open_:
            break
        for index, (_one, candidates) in open_.items():
            if index not in asked:
                asked[index] = next(candidates, "")
        held |= await holders(session, {lookup_key(upn) for upn in asked.values() if upn})
        for count, index in enumerate(list(open_)):
            if count % AT_ONCE == 0:
                await asyncio.sleep(0)
            one, _ = open_[index]
            done = _judge(one, asked.pop(index), held, used, account_id)
            if done is not None:
                found[index] = done
                del open_[index]
    for index, (one, _) in open_.items():
        what = f"no free UPN was found for {harmless(one.display_name)}"
        hint = "write the address behind the name"
        found[index] = UpnProposal(one, problems=(Problem(f"line {one.line}", what, hint),))
    return await _namesakes(session, account_id, [one for one in found if one is not None])


async def _namesakes(
    session: AsyncSession, account_id: int, proposed: Sequence[UpnProposal]
) -> tuple[UpnProposal, ...]:
    """Return the same, with a note on those whose name somebody of the account has already."""
    keys = {sort_key(one.person.display_name) for one in proposed if not one.problems}
    known: dict[str, str] = {}
    for some in batches(sorted(keys), KEYS_AT_ONCE):
        rows = await session.execute(
            select(UserRow.sort_key, UserRow.upn).where(
                UserRow.account_id == account_id, ~UserRow.in_bin, UserRow.sort_key.in_(some)
            )
        )
        known.update((key, upn) for key, upn in rows)
    return tuple(
        replace(
            one, namesake=upn, note="; ".join(filter(None, (f"{upn} has the same name", one.note)))
        )
        if not one.problems and (upn := known.get(sort_key(one.person.display_name)))
        else one
        for one in proposed
    )


def _candidates(upn: str) -> Iterator[str]:
    yield upn
    yield from alternatives(upn, ())


def _judge(
    one: PastedPerson,
    upn: str,
    held: dict[str, Holder],
    used: dict[str, int],
    account_id: int,
) -> UpnProposal | None:
    """Return what becomes of the person with this UPN; None where the next one is to be tried."""
    where = f"line {one.line}"
    given = bool(one.address) and upn == one.address
    if not upn:
        what = f"no free UPN was found for {harmless(one.display_name)}"
        return UpnProposal(
            one, problems=(Problem(where, what, "write the address behind the name"),)
        )
    problems = tuple(replace(problem, where=where) for problem in upn_problems(upn))
    if problems:
        return UpnProposal(one, upn, problems=problems)
    key = lookup_key(upn)
    holder = held.get(key)
    if holder is not None:
        mine = holder.account_id == account_id and holder.kind is not AddressKind.OBJECT
        if mine and not holder.in_bin and fold(holder.display_name) == fold(one.display_name):
            what = f"{harmless(one.display_name)} is there already, as {holder.upn}"
            hint = "take the line out; for another person of that name write another address"
            return UpnProposal(one, upn, problems=(Problem(where, what, hint),))
        if given:
            return UpnProposal(one, upn, problems=(taken(where, upn, holder, account_id),))
        return None
    if key in used:
        if given:
            what = f"{harmless(upn)} stands in line {used[key]} already"
            return UpnProposal(one, upn, problems=(Problem(where, what, "change one of the two"),))
        return None
    used[key] = one.line
    outside = one.address and not given
    note = f"{harmless(one.address)} becomes the External Email" if outside else ""
    return UpnProposal(one, upn, note)


def _domain_of(address: str) -> str:
    try:
        return domain_key(address.rpartition("@")[2])
    except InvalidInput:
        return ""
