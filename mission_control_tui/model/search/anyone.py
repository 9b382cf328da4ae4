"""Finding anyone: people, orders and the accounts themselves, all that the caller may see, ranked, as one types.

A key costs a range of an index over all accounts, or one for each account of a caller who sees only some. The middle of
a word is looked for only when nothing begins so and nothing else is typed, the last digits of a phone number only when
nothing begins so (`infix.py`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from sqlalchemy import ColumnElement, Select, case, false, select, true
from sqlalchemy.ext.asyncio import AsyncSession

from mission_control_tui.model.caller import Caller
from mission_control_tui.model.people.address_syntax import lookup_key
from mission_control_tui.model.search import index as search
from mission_control_tui.model.search.accounts import AccountRank, KnownAccounts, known_accounts
from mission_control_tui.model.search.infix import inside, may_be_inside
from mission_control_tui.model.search.results import (
    FoundOrder,
    SearchResults,
    load_orders,
    load_users,
)
from mission_control_tui.model.search.scope import (
    CANDIDATES,
    COLUMNS,
    Rank,
    Scope,
    SearchCandidate,
    put,
    put_seen,
)
from mission_control_tui.model.store.database import Store
from mission_control_tui.model.store.tables.users import AddressRow, SearchTermRow, UserRow
from mission_control_tui.model.text.folding import fold
from mission_control_tui.model.views import Account

CANDIDATES_OF_SEVERAL = 100
"""The same for several words: each of these is asked for the other words."""

MANY = 2_000
"""Terms; of a word that begins fewer, each is asked for the other words."""

COUNTED = 20_000
"""Terms of a word that are counted to tell which of several words is the rarest; more make no table for a query."""

ACCOUNTS = 5
"""Accounts of one answer."""

_ORDER = re.compile(r"(?:order\s*(?:no\.?\s*)?|#\s*)?0*(\d{1,9})", re.IGNORECASE)


async def find_anyone(
    store: Store, caller: Caller, query: str, limit: int = 50, *, current: int | None = None
) -> SearchResults:
    """Return people whom every word of `query` finds, the order with that number, and accounts that are called so.

    Exact UPNs, aliases and usernames come first, then whole names and addresses that begin so, then words; users of the
    `current` account first among equals, those in the recycling bin last. Nothing to find: nothing found.
    """
    query = query.strip()
    words = search.words_of(query)
    if current is not None and not caller.may_see(current):
        current = None
    async with store.read() as session:
        orders = await _orders(session, caller, query)
        known = await known_accounts(session)
        accounts = _accounts(known, caller, query) if query else ()
        if not words:
            return SearchResults((), orders, accounts=accounts)
        looking = _Search(session, Scope(caller, current, store.is_sqlite), query, words)
        more = await looking.gather(limit)
        found = looking.found
        ranked = sorted(
            found,
            key=lambda user_id: (
                found[user_id].in_bin,
                found[user_id].rank,
                found[user_id].account_id != current,
                found[user_id].sort_key,
                user_id,
            ),
        )
        users = await load_users(session, ranked[:limit], words, accounts=known)
        return SearchResults(users, orders, more or len(ranked) > limit, accounts)


class _Search:
    """One query on its way: where people are looked for, and who was `found` so far."""

    def __init__(
        self, session: AsyncSession, scope: Scope, query: str, words: Sequence[str]
    ) -> None:
        self._session = session
        self._scope = scope
        self._query = query
        self._folded = fold(query)
        self._words = words
        self._common: set[str] = set()
        self.found: dict[str, SearchCandidate] = {}

    async def gather(self, limit: int) -> bool:
        """Find everybody who matches, up to the limits; return whether there are more."""
        words, scope, found = self._words, self._scope, self.found
        await self._exact_address()
        counted = [await self._rarest_first(form) for form in search.forms(words)]
        more = False
        for by_count in counted:
            more |= await self._outside_the_bin(by_count)
        await self._exact_username(among_found=not more)
        if more:
            await self._begins()
        if len(found) < limit:
            for by_count in counted:
                rarest = [word for word, _count in by_count]
                for part in scope.parts(SearchTermRow.account_id):
                    await self._matches(part, rarest, in_bin=True)
        if not found and may_be_inside(words):
            return await inside(self._session, scope, words, found)
        return more

    async def _outside_the_bin(self, by_count: Sequence[tuple[str, int]]) -> bool:
        """Find those whom every word finds, given with how many terms it begins; return whether there are more."""
        scope = self._scope
        parts = scope.parts(SearchTermRow.account_id)
        look = self._matches
        if len(by_count) > 1 and by_count[0][1] >= MANY:
            look = self._together
            # With the current account once more the index has all that is asked for.
            parts[-1] = scope.everywhere(SearchTermRow.account_id)
        more = False
        if by_count[0][1]:
            rarest = [word for word, _count in by_count]
            for part in parts:
                more |= await look(part, rarest, in_bin=False)
        return more

    async def _exact_address(self) -> None:
        if "@" not in self._query:
            return
        statement = (
            select(*COLUMNS)
            .join(AddressRow, AddressRow.user_id == UserRow.id)
            .where(AddressRow.key == lookup_key(self._query))
        )
        put_seen(self.found, Rank.EXACT, await self._session.execute(statement), self._scope)

    async def _exact_username(self, *, among_found: bool) -> None:
        """Find whoever has it as username: `among_found`, where all whom a word finds were found, else anywhere."""
        key = lookup_key(self._query)
        if " " in key or "@" in key or (among_found and not self.found):
            return
        everywhere = self._scope.everywhere(UserRow.account_id)
        part = UserRow.id.in_(list(self.found)) if among_found else everywhere
        statement = select(*COLUMNS).where(part, UserRow.username_key == key).limit(CANDIDATES)
        put_seen(self.found, Rank.EXACT, await self._session.execute(statement), self._scope)

    async def _rarest_first(self, words: Sequence[str]) -> list[tuple[str, int]]:
        """Return the words and how many terms begin so, rarest first, then longest; one alone counts as many."""
        if len(words) == 1:
            return [(words[0], COUNTED)]
        counts = [
            search.counted(
                select(SearchTermRow.term)
                .where(
                    self._scope.everywhere(SearchTermRow.account_id),
                    SearchTermRow.in_bin == false(),
                    search.begins_with(word),
                )
                .limit(COUNTED)
            )
            for word in words
        ]
        numbers = (await self._session.execute(select(*counts))).one()
        ordered = sorted(
            zip(numbers, words, strict=True), key=lambda pair: (pair[0], -len(pair[1]))
        )
        self._common |= {word for number, word in ordered if number >= COUNTED}
        return [(word, number) for number, word in ordered]

    async def _matches(
        self, part: ColumnElement[bool], words: Sequence[str], *, in_bin: bool
    ) -> bool:
        """Find those whom every word finds; return whether there are more."""
        most = CANDIDATES if len(words) == 1 else CANDIDATES_OF_SEVERAL
        statement = (
            select(
                SearchTermRow.user_id,
                SearchTermRow.account_id,
                SearchTermRow.sort_key,
                SearchTermRow.term,
            )
            .where(
                part,
                SearchTermRow.in_bin == (true() if in_bin else false()),
                search.begins_with(words[0]),
                *(search.begins(SearchTermRow.user_id, word) for word in words[1:]),
            )
            .limit(most)
        )
        rows = (await self._session.execute(statement)).all()
        for user_id, account_id, sort_key, term in rows:
            address = "@" in term and term.startswith(self._folded)
            self._put_words(user_id, account_id, sort_key, in_bin, address)
        return len(rows) >= most

    async def _together(
        self, part: ColumnElement[bool], words: Sequence[str], *, in_bin: bool
    ) -> bool:
        """As `_matches`, for several words that many have each, by tables of who has the other ones."""

        def of(word: str) -> tuple[ColumnElement[bool], ...]:
            return (
                part,
                SearchTermRow.in_bin == (true() if in_bin else false()),
                search.begins_with(word),
            )

        def has(word: str) -> ColumnElement[bool]:
            if word in self._common:
                return search.begins(SearchTermRow.user_id, word)
            ids = select(SearchTermRow.user_id).where(*of(word))
            # In a CASE it is a table made once: of a plain condition both make a join, and guess its size.
            return case((SearchTermRow.user_id.in_(ids), true()), else_=false())

        ids = select(SearchTermRow.user_id).where(*of(words[0]), *map(has, words[1:]))
        some = ids.limit(CANDIDATES_OF_SEVERAL).subquery()
        people = select(*COLUMNS).join(some, some.c.user_id == UserRow.id)
        rows = (await self._session.execute(people)).all()
        for user_id, account_id, sort_key, _in_bin in rows:
            self._put_words(user_id, account_id, sort_key, in_bin, False)
        return len(rows) >= CANDIDATES_OF_SEVERAL

    def _put_words(
        self, user_id: str, account_id: int, sort_key: str, in_bin: bool, address: bool
    ) -> None:
        """Note somebody whom the words find, perhaps by an `address` that begins with all of them."""
        whole = address or sort_key.startswith(self._folded)
        rank = Rank.BEGINS if whole else Rank.WORDS
        put(self.found, user_id, SearchCandidate(rank, account_id, sort_key, in_bin))

    async def _begins(self) -> None:
        """Find names and addresses that begin so, where there were too many words to come upon them."""
        folded, scope = self._folded, self._scope
        statements: list[Select[str, int, str, bool]] = [
            select(*COLUMNS)
            .where(
                part,
                UserRow.in_bin == false(),
                UserRow.sort_key >= folded,
                UserRow.sort_key < folded + search.LAST,
            )
            .limit(CANDIDATES)
            for part in scope.parts(UserRow.account_id)
        ]
        if scope.caller.accounts is None and " " not in folded:
            # For a caller of few accounts this walk might pass everybody else's addresses.
            keys = (
                select(AddressRow.user_id)
                .where(AddressRow.key >= folded, AddressRow.key < folded + search.LAST)
                .order_by(AddressRow.key)
                .limit(CANDIDATES)
            )
            statements.append(select(*COLUMNS).where(UserRow.id.in_(keys)))
        for statement in statements:
            put_seen(self.found, Rank.BEGINS, await self._session.execute(statement), scope)


def _accounts(known: KnownAccounts, caller: Caller, query: str) -> tuple[Account, ...]:
    """Return the accounts that are known by the query, else those of which something begins so, at most ACCOUNTS."""
    ranks = known.ranks(caller, query)
    best = sorted((rank, place) for place, rank in enumerate(ranks.values()))[:ACCOUNTS]
    exact = [place for rank, place in best if rank is AccountRank.EXACT]
    begun = [place for rank, place in best if rank is AccountRank.BEGINS]
    ids = list(ranks)
    chosen = [ids[place] for place in [*exact, *begun] or [place for _rank, place in best]]
    return tuple(known[account_id] for account_id in chosen)


def order_number(query: str) -> int | None:
    """Return the order that is meant by "12", "#12" or "order 12", or None."""
    match = _ORDER.fullmatch(query.strip())
    return int(match[1]) if match else None


async def _orders(session: AsyncSession, caller: Caller, query: str) -> tuple[FoundOrder, ...]:
    number = order_number(query)
    return () if number is None else await load_orders(session, caller, [number])
