"""What stands in the middle: of a name or an address, or after the first digits of a phone number.

No index serves it, so these are walks along an index, in proportion to how many users there are: two at a time, each on
a connection of its own. They are taken only where nothing begins as it was typed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from sqlalchemy import ColumnElement, Row, Select, false, select
from sqlalchemy.orm import aliased

from mission_control_tui.model.search import index as search
from mission_control_tui.model.search.scope import (
    CANDIDATES,
    COLUMNS,
    Rank,
    Scope,
    SearchCandidate,
    put_seen,
)
from mission_control_tui.model.store.database import Store
from mission_control_tui.model.store.tables.users import AddressRow, SearchTermRow, UserRow

FEWEST_DIGITS = 4
"""Digits from which the rest of a phone number is looked for."""

RARE = 2_000
"""Terms; of a word that begins no more, each user's phones are looked at, for another one all phones are."""

_BEHIND_ENDING = chr(ord(search.ENDING) + 1)
"""What comes after all phones in reverse."""

Statement = Select[str, int, str, bool]


def is_inside(word: str) -> bool:
    """Tell whether the word may be digits of a phone number after its first ones."""
    return word.isdecimal() and len(word) >= FEWEST_DIGITS


async def with_digits(
    store: Store,
    scope: Scope,
    words: Sequence[str],
    rarest: tuple[str, int] | None,
    found: dict[str, SearchCandidate],
) -> bool:
    """Find who has phones with the words that are digits, and terms that begin with the others; whether there are more.

    `rarest` is the rarest of the others and how many terms it begins, None without others.
    """
    digits = [word for word in words if is_inside(word)]
    others = [word for word in words if not is_inside(word)]
    if rarest is not None and rarest[1] < RARE:
        others.remove(rarest[0])
        conditions = [search.begins_with(rarest[0]), *_each(scope, others, digits)]
        halves = [[_terms(part, conditions) for part in scope.parts(SearchTermRow.account_id)]]
    else:
        longest = max(digits, key=len)
        digits.remove(longest)
        # Each phone stands there once in reverse, and in up to three forms in the order of its digits.
        conditions = [
            *(SearchTermRow.term >= search.ENDING, SearchTermRow.term < _BEHIND_ENDING),
            scope.has(SearchTermRow.term, longest[::-1]),
            *_each(scope, others, digits),
        ]
        halves = [[_terms(part, conditions)] for part in scope.parts(SearchTermRow.account_id)]
    return await _walk(store, scope, halves, found)


async def inside(store: Store, scope: Scope, word: str, found: dict[str, SearchCandidate]) -> bool:
    """Return who has the word in the middle of the name or of an address, and whether there are more."""
    named = select(*COLUMNS).where(scope.has(UserRow.sort_key, word))
    keys = select(AddressRow.id).where(scope.has(AddressRow.key, word))
    if scope.caller.accounts is not None:
        # What may not be seen takes nobody's place, and is not counted.
        named = named.where(scope.everywhere(UserRow.account_id))
        keys = keys.where(scope.everywhere(AddressRow.account_id))
    addressed = (
        select(*COLUMNS)
        .join(AddressRow, AddressRow.user_id == UserRow.id)
        .where(AddressRow.id.in_(keys.limit(CANDIDATES)))
    )
    return await _walk(store, scope, [[named.limit(CANDIDATES)], [addressed]], found)


def _each(scope: Scope, others: Sequence[str], digits: Sequence[str]) -> list[ColumnElement[bool]]:
    """Return conditions for a user's term: others of the same user begin so, and a phone has these digits."""
    phone = aliased(SearchTermRow)
    return [
        *(search.begins(SearchTermRow.user_id, word) for word in others),
        *(
            select(phone.user_id)
            .where(
                phone.user_id == SearchTermRow.user_id,
                phone.term >= "0",
                phone.term < ":",
                scope.has(phone.term, word),
            )
            .exists()
            for word in digits
        ),
    ]


def _terms(part: ColumnElement[bool], conditions: Sequence[ColumnElement[bool]]) -> Statement:
    """Return the users of such terms; the walk reads these alone, so that PostgreSQL has all it needs in the index."""
    ids = (
        select(SearchTermRow.user_id)
        .where(part, SearchTermRow.in_bin == false(), *conditions)
        .limit(CANDIDATES)
    )
    return select(*COLUMNS).where(UserRow.id.in_(ids))


async def _walk(
    store: Store,
    scope: Scope,
    halves: Sequence[Sequence[Statement]],
    found: dict[str, SearchCandidate],
) -> bool:
    """Put in whom the statements find, the halves at the same time; whether one of them may have found more."""

    async def rows(statements: Sequence[Statement]) -> list[Sequence[Row[str, int, str, bool]]]:
        async with store.read() as session:
            return [(await session.execute(statement)).all() for statement in statements]

    more = False
    for half in await asyncio.gather(*(rows(statements) for statements in halves)):
        for several in half:
            more = more or len(several) >= CANDIDATES
            put_seen(found, Rank.INSIDE, several, scope)
    return more
