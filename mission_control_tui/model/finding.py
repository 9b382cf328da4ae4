"""Finding anyone: people and orders over all accounts that the caller may see, ranked, as one types.

A key costs one range of `search_terms` for each account, so no index over all accounts is kept. The middle of a word
is looked for only when nothing begins so and nothing else is typed, by a walk along two indexes. Likewise the last
digits of a phone number, by a walk along a bounded number of phones, those of the current account first.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import IntEnum

from sqlalchemy import ColumnElement, ScalarSelect, Select, any_, false, func, select, true
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from mission_control_tui.model import search
from mission_control_tui.model.context import Caller
from mission_control_tui.model.database import Store
from mission_control_tui.model.found import Found, FoundOrder, load_orders, load_users
from mission_control_tui.model.people.addresses import lookup_key
from mission_control_tui.model.tables import AccountRow, AddressRow, SearchTermRow, UserRow
from mission_control_tui.model.text import fold

CANDIDATES = 250
"""Terms that are looked at for one answer; where more begin so, the best ranks are asked for by themselves."""

CANDIDATES_OF_SEVERAL = 100
"""The same for several words: each of these is asked for the other words."""

COUNTED = 2_000
"""Terms of a word that are counted to tell which of several words is the rarest."""

FEWEST_INSIDE = 3
"""Characters from which the middle of a word is looked for, where nothing begins so."""

FEWEST_DIGITS = 4
"""Digits from which the rest of a phone number is looked for."""

DIGITS_WALKED = 150_000
"""Terms that begin with a digit, most of them phones in two forms, that one key walks along at most."""

_LAST = "\U0010ffff"
_COLUMNS = (UserRow.id, UserRow.account_id, UserRow.sort_key, UserRow.in_bin)
_ORDER = re.compile(r"(?:order\s*(?:no\.?\s*)?|#\s*)?0*(\d{1,9})", re.IGNORECASE)


class Rank(IntEnum):
    """How good a match is, the best first."""

    EXACT = 0
    """The whole of a UPN, an alias or a username."""
    BEGINS = 1
    """The whole name or a whole address begins so."""
    WORDS = 2
    """Words of it begin so."""
    INSIDE = 3
    """It stands in the middle."""


@dataclass(slots=True)
class _Candidate:
    rank: Rank
    account_id: int
    sort_key: str
    in_bin: bool


@dataclass(frozen=True, slots=True)
class _Scope:
    """The accounts that are looked through: one of them first, where the caller is in one."""

    caller: Caller
    current: int | None
    is_sqlite: bool

    def others(self, account_id: InstrumentedAttribute[int]) -> ColumnElement[bool]:
        """Any account that may be seen, but the current one."""
        accounts = select(AccountRow.id)
        if self.caller.accounts is not None:
            accounts = accounts.where(AccountRow.id.in_(self.caller.accounts))
        if self.current is not None:
            accounts = accounts.where(AccountRow.id != self.current)
        # A list of values is as many seeks in an index to both; a join they would start at the wrong end.
        if self.is_sqlite:
            return account_id.in_(accounts)
        return account_id == any_(func.array(accounts.scalar_subquery()))

    def parts(self, account_id: InstrumentedAttribute[int]) -> list[ColumnElement[bool]]:
        """Conditions to ask one after the other: the current account first."""
        first = [account_id == self.current] if self.current is not None else []
        return [*first, self.others(account_id)]


async def find_anyone(
    store: Store, caller: Caller, query: str, limit: int = 50, *, current: int | None = None
) -> Found:
    """People whom every word of `query` finds, and the order with that number, over all accounts of the caller.

    Exact UPNs, aliases and usernames come first, then whole names and addresses that begin so, then words; users of the
    `current` account first among equals, those in the recycling bin last. Nothing to find: nothing found.
    """
    query = query.strip()
    words = search.words_of(query)
    if current is not None and not caller.may_see(current):
        current = None
    async with store.read() as session:
        scope = _Scope(caller, current, store.is_sqlite)
        orders = await _orders(session, caller, query)
        if not words:
            return Found((), orders, more=False)
        found: dict[str, _Candidate] = {}
        more = await _gather(session, store, scope, query, words, limit, found)
        ranked = sorted(
            found,
            key=lambda one: (
                found[one].in_bin,
                found[one].rank,
                found[one].account_id != current,
                found[one].sort_key,
                one,
            ),
        )
        users = await load_users(session, ranked[:limit], words)
        return Found(users, orders, more=more or len(ranked) > limit)


async def _gather(
    session: AsyncSession,
    store: Store,
    scope: _Scope,
    query: str,
    words: Sequence[str],
    limit: int,
    found: dict[str, _Candidate],
) -> bool:
    """Everybody who matches, up to the limits; whether there are more."""
    folded = fold(query)
    await _exact_address(session, scope, query, found)
    rarest = await _rarest_first(session, scope, words)
    more = False
    for part in scope.parts(SearchTermRow.account_id):
        more |= await _matches(session, part, rarest, folded, found, in_bin=False)
    await _exact_username(session, scope, query, found, among_found=not more)
    if more:
        await _begins(session, scope, folded, found)
    if len(found) < limit:
        for part in scope.parts(SearchTermRow.account_id):
            await _matches(session, part, rarest, folded, found, in_bin=True)
    if found or len(words) > 1:
        return more
    if words[0].isdecimal() and len(words[0]) >= FEWEST_DIGITS:
        return await _digits(session, scope, words[0], found)
    if len(words[0]) >= FEWEST_INSIDE:
        return await _inside(session, store, scope, words[0], found)
    return False


def _put(found: dict[str, _Candidate], user_id: str, one: _Candidate) -> None:
    known = found.setdefault(user_id, one)
    known.rank = min(known.rank, one.rank)


async def _exact_address(
    session: AsyncSession, scope: _Scope, query: str, found: dict[str, _Candidate]
) -> None:
    statement = (
        select(*_COLUMNS)
        .join(AddressRow, AddressRow.user_id == UserRow.id)
        .where(AddressRow.key == lookup_key(query))
    )
    for user_id, account_id, sort_key, in_bin in await session.execute(statement):
        if scope.caller.may_see(account_id):
            _put(found, user_id, _Candidate(Rank.EXACT, account_id, sort_key, in_bin))


async def _exact_username(
    session: AsyncSession,
    scope: _Scope,
    query: str,
    found: dict[str, _Candidate],
    *,
    among_found: bool,
) -> None:
    """Whoever has it as username: `among_found`, where everybody whom a word finds was found, else anywhere."""
    key = lookup_key(query)
    if " " in key or "@" in key:
        return
    parts = [UserRow.id.in_(list(found))] if among_found else scope.parts(UserRow.account_id)
    for part in parts:
        statement = select(*_COLUMNS).where(part, UserRow.username_key == key).limit(CANDIDATES)
        for user_id, account_id, sort_key, in_bin in await session.execute(statement):
            _put(found, user_id, _Candidate(Rank.EXACT, account_id, sort_key, in_bin))


async def _rarest_first(session: AsyncSession, scope: _Scope, words: Sequence[str]) -> list[str]:
    """The words by how many terms begin so; the longest first where many do."""
    if len(words) == 1:
        return list(words)
    counts: list[ScalarSelect[int]] = []
    for word in words:
        inner = (
            select(SearchTermRow.term)
            .where(_visible(scope), SearchTermRow.in_bin == false(), *_range(word))
            .limit(COUNTED)
            .subquery()
        )
        counts.append(select(func.count()).select_from(inner).scalar_subquery())
    numbers = (await session.execute(select(*counts))).one()
    ordered = sorted(zip(numbers, words, strict=True), key=lambda pair: (pair[0], -len(pair[1])))
    return [word for _number, word in ordered]


def _visible(scope: _Scope) -> ColumnElement[bool]:
    return replace(scope, current=None).others(SearchTermRow.account_id)


def _range(word: str) -> tuple[ColumnElement[bool], ...]:
    return SearchTermRow.term >= word, SearchTermRow.term < word + _LAST


async def _matches(
    session: AsyncSession,
    part: ColumnElement[bool],
    words: Sequence[str],
    folded: str,
    found: dict[str, _Candidate],
    *,
    in_bin: bool,
) -> bool:
    """Those whom every word finds; whether there are more."""
    most = CANDIDATES if len(words) == 1 else CANDIDATES_OF_SEVERAL
    statement = (
        select(
            SearchTermRow.user_id,
            SearchTermRow.account_id,
            SearchTermRow.sort_key,
            SearchTermRow.term,
        )
        .where(part, SearchTermRow.in_bin == (true() if in_bin else false()), *_range(words[0]))
        .where(*(search.begins(SearchTermRow.user_id, word) for word in words[1:]))
        .limit(most)
    )
    rows = (await session.execute(statement)).all()
    for user_id, account_id, sort_key, term in rows:
        whole = sort_key.startswith(folded) or ("@" in term and term.startswith(folded))
        rank = Rank.BEGINS if whole else Rank.WORDS
        _put(found, user_id, _Candidate(rank, account_id, sort_key, in_bin))
    return len(rows) >= most


async def _begins(
    session: AsyncSession, scope: _Scope, folded: str, found: dict[str, _Candidate]
) -> None:
    """Names and addresses that begin so, where there were too many words to come upon them."""
    statements: list[Select[str, int, str, bool]] = [
        select(*_COLUMNS)
        .where(
            part,
            UserRow.in_bin == false(),
            UserRow.sort_key >= folded,
            UserRow.sort_key < folded + _LAST,
        )
        .limit(CANDIDATES)
        for part in scope.parts(UserRow.account_id)
    ]
    if scope.caller.accounts is None:
        # For a caller of few accounts this walk might pass everybody else's addresses.
        keys = (
            select(AddressRow.user_id)
            .where(AddressRow.key >= folded, AddressRow.key < folded + _LAST)
            .order_by(AddressRow.key)
            .limit(CANDIDATES)
        )
        statements.append(select(*_COLUMNS).where(UserRow.id.in_(keys)))
    for statement in statements:
        for user_id, account_id, sort_key, in_bin in await session.execute(statement):
            _put(found, user_id, _Candidate(Rank.BEGINS, account_id, sort_key, in_bin))


async def _digits(
    session: AsyncSession, scope: _Scope, digits: str, found: dict[str, _Candidate]
) -> bool:
    """Who has a phone with these digits after its first ones; whether there may be more."""
    for part in scope.parts(SearchTermRow.account_id):
        walked = (
            select(
                SearchTermRow.user_id,
                SearchTermRow.account_id,
                SearchTermRow.sort_key,
                SearchTermRow.term,
            )
            .where(
                part,
                SearchTermRow.in_bin == false(),
                SearchTermRow.term >= "0",
                SearchTermRow.term < ":",
            )
            .limit(DIGITS_WALKED)
            .subquery()
        )
        statement = (
            select(walked.c.user_id, walked.c.account_id, walked.c.sort_key)
            .where(walked.c.term.contains(digits, autoescape=True))
            .limit(CANDIDATES)
        )
        for user_id, account_id, sort_key in await session.execute(statement):
            _put(found, user_id, _Candidate(Rank.INSIDE, account_id, sort_key, in_bin=False))
    return len(found) >= CANDIDATES


async def _inside(
    session: AsyncSession,
    store: Store,
    scope: _Scope,
    word: str,
    found: dict[str, _Candidate],
) -> bool:
    """Who has the word in the middle of the name or of an address; whether there are more."""
    place = func.instr if store.is_sqlite else func.strpos
    named = select(*_COLUMNS).where(place(UserRow.sort_key, word) > 0)
    keys = select(AddressRow.id).where(place(AddressRow.key, word) > 0)
    if scope.caller.accounts is not None:
        # What may not be seen takes nobody's place, and is not counted.
        everything = replace(scope, current=None)
        named = named.where(everything.others(UserRow.account_id))
        keys = keys.where(everything.others(AddressRow.account_id))
    addressed = (
        select(*_COLUMNS)
        .join(AddressRow, AddressRow.user_id == UserRow.id)
        .where(AddressRow.id.in_(keys.limit(CANDIDATES)))
    )
    more = False
    for statement in (named.limit(CANDIDATES), addressed):
        rows = (await session.execute(statement)).all()
        more = more or len(rows) >= CANDIDATES
        for user_id, account_id, sort_key, in_bin in rows:
            if scope.caller.may_see(account_id):
                _put(found, user_id, _Candidate(Rank.INSIDE, account_id, sort_key, in_bin))
    return more


def order_number(query: str) -> int | None:
    """The order that is meant by "12", "#12" or "order 12", or None."""
    match = _ORDER.fullmatch(query.strip())
    return int(match[1]) if match else None


async def _orders(session: AsyncSession, caller: Caller, query: str) -> tuple[FoundOrder, ...]:
    number = order_number(query)
    return () if number is None else await load_orders(session, caller, [number])
