"""Finding anyone: people and orders over all accounts that the caller may see, ranked, as one types.

A key costs one range of `search_terms` for each account, so no index over all accounts is kept. The middle of a word
is looked for only when nothing begins so and nothing else is typed, the last digits of a phone number only when nothing
begins so (`finding_walks`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from sqlalchemy import (
    ColumnElement,
    ScalarSelect,
    Select,
    case,
    false,
    func,
    select,
    true,
)
from sqlalchemy.ext.asyncio import AsyncSession

from mission_control_tui.model.caller import Caller
from mission_control_tui.model.people.address_syntax import lookup_key
from mission_control_tui.model.search import index as search
from mission_control_tui.model.search.infix import inside, is_inside, with_digits
from mission_control_tui.model.search.results import (
    FoundOrder,
    SearchResults,
    load_orders,
    load_users,
)
from mission_control_tui.model.search.scope import (
    CANDIDATES,
    COLUMNS,
    LAST,
    Rank,
    Scope,
    SearchCandidate,
    begins_with,
    put,
)
from mission_control_tui.model.store.database import Store
from mission_control_tui.model.store.tables.users import AddressRow, SearchTermRow, UserRow
from mission_control_tui.model.text.clean import fold

CANDIDATES_OF_SEVERAL = 100
"""The same for several words: each of these is asked for the other words."""

COUNTED = 2_000
"""Terms of a word that are counted to tell which of several words is the rarest."""

FEWEST_INSIDE = 3
"""Characters from which the middle of a word is looked for, where nothing begins so."""

_ORDER = re.compile(r"(?:order\s*(?:no\.?\s*)?|#\s*)?0*(\d{1,9})", re.IGNORECASE)


async def find_anyone(
    store: Store, caller: Caller, query: str, limit: int = 50, *, current: int | None = None
) -> SearchResults:
    """People whom every word of `query` finds, and the order with that number, over all accounts of the caller.

    Exact UPNs, aliases and usernames come first, then whole names and addresses that begin so, then words; users of the
    `current` account first among equals, those in the recycling bin last. Nothing to find: nothing found.
    """
    query = query.strip()
    words = search.words_of(query)
    if current is not None and not caller.may_see(current):
        current = None
    async with store.read() as session:
        scope = Scope(caller, current, store.is_sqlite)
        orders = await _orders(session, caller, query)
        if not words:
            return SearchResults((), orders, more=False)
        found: dict[str, SearchCandidate] = {}
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
        return SearchResults(users, orders, more=more or len(ranked) > limit)


async def _gather(
    session: AsyncSession,
    store: Store,
    scope: Scope,
    query: str,
    words: Sequence[str],
    limit: int,
    found: dict[str, SearchCandidate],
) -> bool:
    """Everybody who matches, up to the limits; whether there are more."""
    folded = fold(query)
    await _exact_address(session, scope, query, found)
    counted = await _rarest_first(session, scope, words)
    rarest = [word for word, _count in counted]
    frequent = len(words) > 1 and counted[0][1] >= COUNTED
    # Asking each of thousands for the other words takes PostgreSQL three times as long as SQLite.
    look = _together if frequent and not scope.is_sqlite else _matches
    more = False
    if counted[0][1]:
        for part in scope.parts(SearchTermRow.account_id):
            more |= await look(session, part, rarest, folded, found, in_bin=False)
    await _exact_username(session, scope, query, found, among_found=not more)
    if more:
        await _begins(session, scope, folded, found)
    if len(found) < limit:
        for part in scope.parts(SearchTermRow.account_id):
            await _matches(session, part, rarest, folded, found, in_bin=True)
    if found:
        return more
    if any(is_inside(word) for word in words):
        others = (one for one in counted if not is_inside(one[0]))
        return await with_digits(store, scope, words, next(others, None), found)
    if len(words) == 1 and len(words[0]) >= FEWEST_INSIDE:
        return await inside(store, scope, words[0], found)
    return False


async def _exact_address(
    session: AsyncSession, scope: Scope, query: str, found: dict[str, SearchCandidate]
) -> None:
    statement = (
        select(*COLUMNS)
        .join(AddressRow, AddressRow.user_id == UserRow.id)
        .where(AddressRow.key == lookup_key(query))
    )
    for user_id, account_id, sort_key, in_bin in await session.execute(statement):
        if scope.caller.may_see(account_id):
            put(found, user_id, SearchCandidate(Rank.EXACT, account_id, sort_key, in_bin))


async def _exact_username(
    session: AsyncSession,
    scope: Scope,
    query: str,
    found: dict[str, SearchCandidate],
    *,
    among_found: bool,
) -> None:
    """Whoever has it as username: `among_found`, where everybody whom a word finds was found, else anywhere."""
    key = lookup_key(query)
    if " " in key or "@" in key or (among_found and not found):
        return
    parts = [UserRow.id.in_(list(found))] if among_found else scope.parts(UserRow.account_id)
    for part in parts:
        statement = select(*COLUMNS).where(part, UserRow.username_key == key).limit(CANDIDATES)
        for user_id, account_id, sort_key, in_bin in await session.execute(statement):
            put(found, user_id, SearchCandidate(Rank.EXACT, account_id, sort_key, in_bin))


async def _rarest_first(
    session: AsyncSession, scope: Scope, words: Sequence[str]
) -> list[tuple[str, int]]:
    """Return the words and how many terms begin so, the rarest first, then the longest; one alone counts as many."""
    if len(words) == 1:
        return [(words[0], COUNTED)]
    counts: list[ScalarSelect[int]] = []
    for word in words:
        inner = (
            select(SearchTermRow.term)
            .where(
                scope.everywhere(SearchTermRow.account_id),
                SearchTermRow.in_bin == false(),
                *begins_with(word),
            )
            .limit(COUNTED)
            .subquery()
        )
        counts.append(select(func.count()).select_from(inner).scalar_subquery())
    numbers = (await session.execute(select(*counts))).one()
    ordered = sorted(zip(numbers, words, strict=True), key=lambda pair: (pair[0], -len(pair[1])))
    return [(word, number) for number, word in ordered]


async def _matches(
    session: AsyncSession,
    part: ColumnElement[bool],
    words: Sequence[str],
    folded: str,
    found: dict[str, SearchCandidate],
    *,
    in_bin: bool,
) -> bool:
    """Return those whom every word finds, and whether there are more."""
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
            *begins_with(words[0]),
            *(search.begins(SearchTermRow.user_id, word) for word in words[1:]),
        )
        .limit(most)
    )
    rows = (await session.execute(statement)).all()
    for user_id, account_id, sort_key, term in rows:
        whole = sort_key.startswith(folded) or ("@" in term and term.startswith(folded))
        rank = Rank.BEGINS if whole else Rank.WORDS
        put(found, user_id, SearchCandidate(rank, account_id, sort_key, in_bin))
    return len(rows) >= most


async def _together(
    session: AsyncSession,
    part: ColumnElement[bool],
    words: Sequence[str],
    folded: str,
    found: dict[str, SearchCandidate],
    *,
    in_bin: bool,
) -> bool:
    """As `_matches`, for several words that many have each, by a table of everybody who has the other ones."""

    def of(word: str) -> tuple[ColumnElement[bool], ...]:
        return part, SearchTermRow.in_bin == (true() if in_bin else false()), *begins_with(word)

    others = (
        # In a CASE it is a table made once; as a plain condition PostgreSQL makes a join of it, and guesses its size.
        case(
            (SearchTermRow.user_id.in_(select(SearchTermRow.user_id).where(*of(word))), true()),
            else_=false(),
        )
        for word in words[1:]
    )
    ids = select(SearchTermRow.user_id).where(*of(words[0]), *others).limit(CANDIDATES_OF_SEVERAL)
    rows = (await session.execute(select(*COLUMNS).where(UserRow.id.in_(ids)))).all()
    for user_id, account_id, sort_key, _in_bin in rows:
        rank = Rank.BEGINS if sort_key.startswith(folded) else Rank.WORDS
        put(found, user_id, SearchCandidate(rank, account_id, sort_key, in_bin))
    return len(rows) >= CANDIDATES_OF_SEVERAL


async def _begins(
    session: AsyncSession, scope: Scope, folded: str, found: dict[str, SearchCandidate]
) -> None:
    """Names and addresses that begin so, where there were too many words to come upon them."""
    statements: list[Select[str, int, str, bool]] = [
        select(*COLUMNS)
        .where(
            part,
            UserRow.in_bin == false(),
            UserRow.sort_key >= folded,
            UserRow.sort_key < folded + LAST,
        )
        .limit(CANDIDATES)
        for part in scope.parts(UserRow.account_id)
    ]
    if scope.caller.accounts is None:
        # For a caller of few accounts this walk might pass everybody else's addresses.
        keys = (
            select(AddressRow.user_id)
            .where(AddressRow.key >= folded, AddressRow.key < folded + LAST)
            .order_by(AddressRow.key)
            .limit(CANDIDATES)
        )
        statements.append(select(*COLUMNS).where(UserRow.id.in_(keys)))
    for statement in statements:
        for user_id, account_id, sort_key, in_bin in await session.execute(statement):
            put(found, user_id, SearchCandidate(Rank.BEGINS, account_id, sort_key, in_bin))


def order_number(query: str) -> int | None:
    """Return the order that is meant by "12", "#12" or "order 12", or None."""
    match = _ORDER.fullmatch(query.strip())
    return int(match[1]) if match else None


async def _orders(session: AsyncSession, caller: Caller, query: str) -> tuple[FoundOrder, ...]:
    number = order_number(query)
    return () if number is None else await load_orders(session, caller, [number])
