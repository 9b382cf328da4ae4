"""Finding an account by part of its code, its name or a domain; those that the operator worked on last come first."""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum

from mission_control_tui.model.caller import Caller
from mission_control_tui.model.operators.recents import recent_accounts
from mission_control_tui.model.store.account_rows import load_accounts
from mission_control_tui.model.store.database import Store
from mission_control_tui.model.text.folding import fold
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
        accounts = await load_accounts(session)
    ranks = {
        account.id: rank
        for account in accounts.values()
        if caller.may_see(account.id)
        and (rank := _rank((account.code, fold(account.name), *account.domains), words)) is not None
    }
    places = {account_id: place for place, account_id in enumerate(recent)}
    chosen = sorted(
        ranks,
        key=lambda account_id: (
            ranks[account_id] is not _Rank.EXACT,
            places.get(account_id, len(places)),
            ranks[account_id],
            accounts[account_id].code,
        ),
    )
    return tuple(accounts[account_id] for account_id in chosen[:limit])


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
