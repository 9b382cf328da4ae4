"""How well accounts match what is typed: their codes, names, customer numbers and domains, read in two statements."""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum

from sqlalchemy import select, true
from sqlalchemy.ext.asyncio import AsyncSession

from mission_control_tui.model.caller import Caller
from mission_control_tui.model.store.tables.accounts import AccountRow, DomainRow
from mission_control_tui.model.text.folding import fold, pieces


class AccountRank(IntEnum):
    """How well an account matches, the best first."""

    EXACT = 0
    BEGINS = 1
    INSIDE = 2


async def account_ranks(
    session: AsyncSession, caller: Caller, query: str
) -> dict[int, AccountRank]:
    """Return how well each account matches that has every word of `query`, by id, in the order of the codes."""
    words = fold(query).split()
    domains: dict[int, list[str]] = {}
    for account_id, name in await session.execute(
        select(DomainRow.account_id, DomainRow.name).where(DomainRow.removed_at.is_(None))
    ):
        domains.setdefault(account_id, []).append(name)
    ranks = {}
    for account_id, code, name, number in await session.execute(
        select(AccountRow.id, AccountRow.code, AccountRow.name, AccountRow.customer_number)
        .where(true() if caller.accounts is None else AccountRow.id.in_(caller.accounts))
        .order_by(AccountRow.code)
    ):
        whole = (code, fold(number), *domains.get(account_id, ()))
        if (rank := _rank(whole, fold(name), words)) is not None:
            ranks[account_id] = rank
    return ranks


def _rank(whole: Sequence[str], name: str, words: list[str]) -> AccountRank | None:
    """Return how well an account matches; None when a word is nowhere. `whole` is what it is known by exactly."""
    texts = (*whole, name)
    if not all(any(word in text for text in texts) for word in words):
        return None
    if len(words) == 1 and words[0] in whole:
        return AccountRank.EXACT
    begun = [*whole, *pieces(name), *name.split()]
    begins = all(any(piece.startswith(word) for piece in begun) for word in words)
    return AccountRank.BEGINS if begins else AccountRank.INSIDE
