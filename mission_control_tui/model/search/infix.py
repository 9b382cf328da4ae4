"""What stands in the middle: of a name or an address, or after the first digits of a phone number.

It is looked for only where nothing begins as it was typed, in one row for each user: on SQLite by an index of three
letters in a row, on PostgreSQL in all of them, which takes it no longer than a few pages of a list.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

from sqlalchemy import column, select, table
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from mission_control_tui.model.search import index as search
from mission_control_tui.model.search.scope import (
    CANDIDATES,
    COLUMNS,
    Rank,
    Scope,
    SearchCandidate,
    put_seen,
)
from mission_control_tui.model.store.tables.users import SearchTextRow, UserRow

FEWEST_LETTERS = 3
"""Characters from which a word is looked for in the middle of others."""

FEWEST_DIGITS = 4
"""Digits from which the rest of a phone number is looked for."""

THREES = 32
"""So many of a query's threes of letters are looked up; whom they find is compared with all of it."""

_INDEX = table("search_inside", column("rowid"), column("search_inside"))

Sought = tuple[InstrumentedAttribute[str], str]
"""A piece of text, and where it has to stand."""


def may_be_inside(words: Sequence[str]) -> bool:
    """Tell whether it makes sense to look in the middle: for a single word, or for digits of a phone."""
    single = len(words) == 1 and len(words[0]) >= FEWEST_LETTERS
    return single or any(_is_of_phone(word) for word in words)


async def inside(
    session: AsyncSession, scope: Scope, words: Sequence[str], found: dict[str, SearchCandidate]
) -> bool:
    """Find who has the word in the middle of a name or an address; return whether there are more.

    Digits are looked for in phone numbers, outside the recycling bin, and words beside them where terms begin.
    """
    single = len(words) == 1
    # The shorter of the two texts is looked at first.
    ordered = sorted(words, key=_is_of_phone, reverse=True)
    sought = [_sought(word, single=single) for word in ordered]
    ids = select(SearchTextRow.user_id).where(*(scope.has(*one) for one in sought))
    if scope.is_sqlite and (threes := _threes(sought)):
        ids = ids.join(_INDEX, _INDEX.c.rowid == SearchTextRow.id)
        ids = ids.where(_INDEX.c.search_inside.op("MATCH")(threes))
    with_bin = single and not _is_of_phone(words[0])
    parts = [scope.everywhere(SearchTextRow.account_id)]
    if scope.current is not None:
        parts.append(SearchTextRow.account_id == scope.current)
    more = False
    for part in parts:
        some = ids.where(part).limit(CANDIDATES)
        rows = (await session.execute(select(*COLUMNS).where(UserRow.id.in_(some)))).all()
        put_seen(found, Rank.INSIDE, [row for row in rows if with_bin or not row.in_bin], scope)
        more = more or len(rows) >= CANDIDATES
        if not more:
            break
    return more


def _is_of_phone(word: str) -> bool:
    """Tell whether the word may be digits of a phone number after its first ones."""
    return word.isdecimal() and len(word) >= FEWEST_DIGITS


def _sought(word: str, *, single: bool) -> Sought:
    if _is_of_phone(word):
        return SearchTextRow.phones, word
    if single:
        return SearchTextRow.names, word
    place = SearchTextRow.phones if word.isdecimal() else SearchTextRow.names
    return place, f"{search.START}{word}"


def _threes(sought: Sequence[Sought]) -> str:
    """Return the query for rows that have all threes of letters; a query cannot have a zero byte."""
    threes = dict.fromkeys(
        piece[start : start + 3] for _place, piece in sought for start in range(len(piece) - 2)
    )
    quoted = (three.replace('"', '""') for three in threes if "\0" not in three)
    return " AND ".join(f'"{three}"' for three in islice(quoted, THREES))
