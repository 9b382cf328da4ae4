"""UPNs for the people of a pasted list: by a pattern at one domain, free ones, and who of them is there already."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import chain

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from mission_control_tui.model.domains.address_registry import (
    KEYS_AT_ONCE,
    AddressKind,
    Holder,
    holders,
    special_characters,
    taken,
)
from mission_control_tui.model.errors import Problem
from mission_control_tui.model.onboarding.pasted_list import PastedPerson
from mission_control_tui.model.people.address_syntax import (
    LOCAL_LIMIT,
    domain_key,
    domain_of,
    lookup_key,
    normal_address,
    upn_problems,
)
from mission_control_tui.model.people.names import alternatives
from mission_control_tui.model.store.batches import batches
from mission_control_tui.model.store.tables.users import UserRow
from mission_control_tui.model.store.user_rows import sort_key
from mission_control_tui.model.text.clean import harmless
from mission_control_tui.model.text.folding import fold

AT_ONCE = 250
"""People who are judged before others get the processor."""

ROUNDS = 60
"""How many free names are tried for one person."""


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
    kept = "".join(
        char for char in fold(text) if char.isascii() and (char.isalnum() or char == "-")
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
    special = await special_characters(session)
    people = [_with_normal_address(person) for person in people]
    found: dict[int, UpnProposal] = {}
    open_: dict[int, Iterator[str]] = {}
    used: dict[str, int] = {}
    for index, person in enumerate(people):
        if index % AT_ONCE == 0:
            await asyncio.sleep(0)
        if person.problems:
            found[index] = UpnProposal(person, problems=person.problems)
        elif person.address and domain_of(person.address) in own:
            open_[index] = iter((person.address,))
        elif local := local_part(
            pattern, person.first_names, person.last_name, person.display_name
        ):
            upn = f"{local}@{domain}"
            open_[index] = chain((upn,), alternatives(upn, ()))
        else:
            what = f"no UPN can be made of {harmless(person.display_name)}"
            hint = f"write the address behind the name, as in name <name@{domain}>"
            found[index] = _refused(person, what, hint)
    held: dict[str, Holder] = {}
    asked: dict[int, str] = {}
    for _round in range(ROUNDS):
        if not open_:
            break
        for index, candidates in open_.items():
            if index not in asked:
                asked[index] = next(candidates, "")
        held |= await holders(session, {lookup_key(upn) for upn in asked.values() if upn})
        for count, index in enumerate(list(open_)):
            if count % AT_ONCE == 0:
                await asyncio.sleep(0)
            done = _judge(people[index], asked.pop(index), held, used, account_id, special)
            if done is not None:
                found[index] = done
                del open_[index]
    found |= {index: _none_free(people[index]) for index in open_}
    return await _namesakes(session, account_id, [found[index] for index in sorted(found)])


async def _namesakes(
    session: AsyncSession, account_id: int, proposed: Sequence[UpnProposal]
) -> tuple[UpnProposal, ...]:
    """Return the same, with a note on those whose name somebody of the account has already."""
    keys = {sort_key(made.person.display_name) for made in proposed if not made.problems}
    known: dict[str, str] = {}
    for some in batches(sorted(keys), KEYS_AT_ONCE):
        rows = await session.execute(
            select(UserRow.sort_key, UserRow.upn).where(
                UserRow.account_id == account_id, ~UserRow.in_bin, UserRow.sort_key.in_(some)
            )
        )
        known.update((key, upn) for key, upn in rows)

    def noted(made: UpnProposal) -> UpnProposal:
        upn = "" if made.problems else known.get(sort_key(made.person.display_name), "")
        if not upn:
            return made
        notes = filter(None, (f"{upn} has the same name", made.note))
        return replace(made, namesake=upn, note="; ".join(notes))

    return tuple(map(noted, proposed))


def _with_normal_address(person: PastedPerson) -> PastedPerson:
    known = bool(person.address) and bool(domain_of(person.address))
    return replace(person, address=normal_address(person.address)) if known else person


def _refused(person: PastedPerson, what: str, hint: str, upn: str = "") -> UpnProposal:
    return UpnProposal(person, upn, problems=(Problem(f"line {person.line}", what, hint),))


def _none_free(person: PastedPerson) -> UpnProposal:
    what = f"no free UPN was found for {harmless(person.display_name)}"
    return _refused(person, what, "write the address behind the name")


def _judge(
    person: PastedPerson,
    upn: str,
    held: dict[str, Holder],
    used: dict[str, int],
    account_id: int,
    special: str,
) -> UpnProposal | None:
    """Return what becomes of the person with this UPN; None where the next one is to be tried."""
    if not upn:
        return _none_free(person)
    where = f"line {person.line}"
    given = bool(person.address) and upn == person.address
    problems = tuple(
        replace(problem, where=where) for problem in upn_problems(upn, special=special)
    )
    if problems:
        return UpnProposal(person, upn, problems=problems)
    key = lookup_key(upn)
    holder = held.get(key)
    if holder is not None:
        mine = holder.account_id == account_id and holder.kind is not AddressKind.OBJECT
        if mine and not holder.in_bin and fold(holder.display_name) == fold(person.display_name):
            what = f"{harmless(person.display_name)} is there already, as {holder.upn}"
            hint = "take the line out; for another person of that name write another address"
            return _refused(person, what, hint, upn)
        if given:
            return UpnProposal(person, upn, problems=(taken(where, upn, holder, account_id),))
        return None
    if key in used:
        what = f"{harmless(upn)} stands in line {used[key]} already"
        return _refused(person, what, "change one of the two", upn) if given else None
    used[key] = person.line
    outside = person.address and not given
    note = f"{harmless(person.address)} becomes the External Email" if outside else ""
    return UpnProposal(person, upn, note)
