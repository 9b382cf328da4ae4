"""Finding an account by part of its code, its name or a domain; those that the operator worked on last come first."""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum

from sqlalchemy import select

from mission_control_tui.model.caller import Caller
from mission_control_tui.model.operators.recents import recent_accounts
from mission_control_tui.model.search.results import load_accounts
from mission_control_tui.model.store.database import Store
from mission_control_tui.model.store.tables.accounts import AccountRow, DomainRow
from mission_control_tui.model.text.clean import fold
from mission_control_tui.model.views import Account


class _Rank(IntEnum):
    EXACT = 0
    BEGINS = 1
    INSIDE = 2


async def find_accounts(
    store: Store, caller: Caller, query: str = "", limit: int = 100
) -> tuple[Account, ...]:
    """Return the accounts that the caller may see of which code, name and domains together have every word of `query`.

    An exact code comes first, then recent ones, then those of which something begins so, then the rest by code. With
    an empty query: all, recent ones first.
    """
    words = fold(query).split()
    recent = [recent_account.id for recent_account in await recent_accounts(store, caller)]
    async with store.read() as session:
        texts: dict[int, list[str]] = {}
        codes: dict[int, str] = {}
        rows = await session.execute(select(AccountRow.id, AccountRow.code, AccountRow.name))
        for account_id, code, name in rows:
            if caller.may_see(account_id):
                codes[account_id] = code
                texts[account_id] = [code, fold(name)]
        domains = select(DomainRow.account_id, DomainRow.name).where(DomainRow.removed_at.is_(None))
        for account_id, name in await session.execute(domains):
            if account_id in texts:
                texts[account_id].append(name)
        ranks = {
            account_id: rank
            for account_id, of_it in texts.items()
            if (rank := _rank(of_it, words)) is not None
        }
        places = {account_id: place for place, account_id in enumerate(recent)}
        chosen = sorted(
            ranks,
            key=lambda one: (
                ranks[one] is not _Rank.EXACT,
                places.get(one, len(places)),
                ranks[one],
                codes[one],
            ),
        )[:limit]
        found = await load_accounts(session, chosen)
        return tuple(found[one] for one in chosen)


def _rank(texts: Iterable[str], words: list[str]) -> _Rank | None:
    """Return how well an account matches; None when a word is nowhere in it. The first text is its code."""
    code, *others = texts
    if not all(any(word in text for text in (code, *others)) for word in words):
        return None
    if words == [code]:
        return _Rank.EXACT
    pieces = [code, *others, *(piece for text in others for piece in text.split())]
    begins = all(any(piece.startswith(word) for piece in pieces) for word in words)
    return _Rank.BEGINS if begins else _Rank.INSIDE
