"""What stands in the middle is what stands in a term: the index finds the same as a look at all terms."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

import pytest
from sqlalchemy import select, text

from mission_control_tui.model.caller import Caller
from mission_control_tui.model.recycle_bin import deletion, purge
from mission_control_tui.model.search.index import ENDING
from mission_control_tui.model.search.infix import FEWEST_DIGITS, FEWEST_LETTERS, inside
from mission_control_tui.model.search.scope import Scope, SearchCandidate
from mission_control_tui.model.store.database import Store
from mission_control_tui.model.store.scope import AccountScope
from mission_control_tui.model.store.tables.users import SearchTermRow, SearchTextRow
from mission_control_tui.model.users import editing
from mission_control_tui.model.views import Account
from tests.model.helpers import create, named

NAMES = (
    "Łukasz Żółć",
    "Sinéad O\u2019Brien",
    "प्रिया शर्मा",
    "Ξένια Παππά",
    "李小龍大師",
    'Ann "the 100%_boss" Smith-Jones',
    "Jo Muñoz <x> \\back' OR 1",
    "محمد الأمين",
)
STRANGE = ('"""', "' OR", "a\0bc", "%_%", "AND NOT", "\\\\\\", "*:*")


@pytest.fixture
async def crowd(store: Store, caller: Caller, account: Account, scope: AccountScope) -> None:
    """Users of many scripts, of whom some were renamed, deleted, restored and purged."""
    ids = [
        (
            await create(
                store,
                caller,
                account,
                named(
                    f"u{n}.some{n}", display_name=name, office_phone=f"+61 2 9000 {4567 + 111 * n}"
                ),
            )
        ).id
        for n, name in enumerate(NAMES)
    ]
    await editing.edit_user(scope, ids[0], {"display_name": "Łucja Wąs-Dębska"})
    await editing.edit_user(scope, ids[1], {"office_phone": "", "mobile_phone": "0412 345 678"})
    await editing.add_alias(scope, ids[2], "captain.amazing@acme.example")
    await editing.add_alias(scope, ids[3], "short.lived@acme.example")
    await editing.remove_alias(scope, ids[3], "short.lived@acme.example")
    for gone in ids[3:6]:
        await deletion.delete_user(scope, gone)
    await deletion.restore_user(scope, ids[4])
    await purge.purge_user(scope, ids[5])


def pieces(terms: Mapping[str, Sequence[str]], fewest: int, *, digits: bool) -> Iterator[str]:
    """Some pieces of the terms that are at least so long, and some that nobody has."""
    for term in sorted({term for found in terms.values() for term in found}):
        for length in {fewest, fewest + 1, max(fewest, len(term))}:
            for start in range(0, len(term) - length + 1, 5):
                if term[start : start + length].isdecimal() is digits:
                    yield term[start : start + length]
    yield from ("99999", "123412") if digits else ("nobody", *STRANGE)


@pytest.mark.usefixtures("crowd")
async def test_the_index_finds_whoever_has_a_term_with_the_piece(
    store: Store, caller: Caller, account: Account
) -> None:
    terms: dict[str, list[str]] = defaultdict(list)
    binned: dict[str, bool] = {}
    async with store.read() as session:
        for row in await session.scalars(select(SearchTermRow)):
            binned[row.user_id] = row.in_bin
            if not row.term.startswith(ENDING):
                terms[row.user_id].append(row.term)
        assert set(await session.scalars(select(SearchTextRow.user_id))) == set(terms)

    async def found(*words: str) -> set[str]:
        candidates: dict[str, SearchCandidate] = {}
        scope = Scope(caller, account.id, store.is_sqlite)
        async with store.read() as session:
            await inside(session, scope, words, candidates)
        return set(candidates)

    def having(piece: str, *, digits: bool) -> set[str]:
        return {
            user
            for user, some in terms.items()
            if any(piece in term and term.isdecimal() is digits for term in some)
        }

    for piece in pieces(terms, FEWEST_LETTERS, digits=False):
        if "\0" in piece and not store.is_sqlite:
            continue  # PostgreSQL's text has none, and what is typed neither
        assert await found(piece) == having(piece, digits=False), piece
    seen = {user for user, gone in binned.items() if not gone}
    for piece in pieces(terms, FEWEST_DIGITS, digits=True):
        assert await found(piece) == having(piece, digits=True) & seen, piece
        beginning = {user for user in seen if any(term.startswith("u") for term in terms[user])}
        assert await found("u", piece) == having(piece, digits=True) & beginning, piece
    if store.is_sqlite:
        async with store.engine.begin() as connection:
            await connection.execute(
                text(
                    "INSERT INTO search_inside (search_inside, rank) VALUES ('integrity-check', 1)"
                )
            )
