"""How well accounts match what is typed: their codes, names, customer numbers and domains.

What thousands are known by is folded once and kept as long as no account and no domain changes, of which each key asks
two counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import func, select
from sqlalchemy.engine import Engine
from sqlalchemy.ext.asyncio import AsyncSession

from mission_control_tui.model.caller import Caller
from mission_control_tui.model.store.tables.accounts import AccountRow, DomainRow
from mission_control_tui.model.text.folding import fold, pieces


class AccountRank(IntEnum):
    """How well an account matches, the best first."""

    EXACT = 0
    BEGINS = 1
    INSIDE = 2


@dataclass(frozen=True, slots=True)
class _Known:
    """What an account is known by: `whole` exactly, `begun` by how it begins, `text` is all of it."""

    account_id: int
    whole: tuple[str, ...]
    begun: tuple[str, ...]
    text: str


_known: WeakKeyDictionary[Engine, tuple[tuple[Any, ...], tuple[_Known, ...]]] = WeakKeyDictionary()


async def account_ranks(
    session: AsyncSession, caller: Caller, query: str
) -> dict[int, AccountRank]:
    """Return how well each account matches that has every word of `query`, by id, in the order of the codes."""
    words = fold(query).split()
    return {
        known.account_id: _rank(known, words)
        for known in await _accounts(session)
        if all(word in known.text for word in words) and caller.may_see(known.account_id)
    }


async def _accounts(session: AsyncSession) -> tuple[_Known, ...]:
    """Return what all accounts are known by, in the order of their codes, as this session sees them."""
    engine = session.get_bind().engine
    accounts = select(
        func.count(), func.sum(AccountRow.version), func.max(AccountRow.created_at)
    ).select_from(AccountRow)
    domains = select(
        func.count(), func.count(DomainRow.removed_at), func.max(DomainRow.added_at)
    ).select_from(DomainRow)
    stamp = (
        *(await session.execute(accounts)).one(),
        *(await session.execute(domains)).one(),
    )
    if engine in _known and _known[engine][0] == stamp:
        return _known[engine][1]
    found = await _read(session)
    _known[engine] = stamp, found
    return found


async def _read(session: AsyncSession) -> tuple[_Known, ...]:
    domains: dict[int, list[str]] = {}
    for account_id, name in await session.execute(
        select(DomainRow.account_id, DomainRow.name).where(DomainRow.removed_at.is_(None))
    ):
        domains.setdefault(account_id, []).append(name)
    rows = await session.execute(
        select(
            AccountRow.id, AccountRow.code, AccountRow.name, AccountRow.customer_number
        ).order_by(AccountRow.code)
    )
    found = []
    for account_id, code, called, number in rows:
        name = fold(called)
        whole = (code, fold(number), *domains.get(account_id, ()))
        begun = (*whole, *pieces(name), *name.split())
        found.append(_Known(account_id, whole, begun, "\n".join((*whole, name))))
    return tuple(found)


def _rank(known: _Known, words: Sequence[str]) -> AccountRank:
    """Return how well an account matches that has every word."""
    if len(words) == 1 and words[0] in known.whole:
        return AccountRank.EXACT
    begins = all(any(piece.startswith(word) for piece in known.begun) for word in words)
    return AccountRank.BEGINS if begins else AccountRank.INSIDE
