"""How well accounts match what is typed: their codes, names, customer numbers and domains.

What thousands are known by is folded once and kept as long as no account and no domain changes, of which each key asks
a few counts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import func, select, true
from sqlalchemy.engine import Engine
from sqlalchemy.ext.asyncio import AsyncSession

from mission_control_tui.model.caller import Caller
from mission_control_tui.model.store.account_rows import load_accounts
from mission_control_tui.model.store.tables.accounts import AccountRow, DomainRow
from mission_control_tui.model.text.folding import fold, pieces
from mission_control_tui.model.views import Account


class AccountRank(IntEnum):
    """How well an account matches, the best first."""

    EXACT = 0
    BEGINS = 1
    INSIDE = 2


@dataclass(frozen=True, slots=True)
class _Known:
    """What an account is known by: `whole` exactly, `begun` by how it begins, `text` is all of it."""

    account: Account
    whole: tuple[str, ...]
    begun: tuple[str, ...]
    text: str


@dataclass(frozen=True, slots=True)
class KnownAccounts:
    """All accounts, in the order of their codes, with what they are known by."""

    _by_id: Mapping[int, _Known]

    def ranks(self, caller: Caller, query: str) -> dict[int, AccountRank]:
        """Return how well each account matches that has every word of `query`, by id, in the order of the codes."""
        words = fold(query).split()
        having = list(self._by_id.items())
        for word in words:
            having = [pair for pair in having if word in pair[1].text]
        return {
            account_id: _rank(known, words)
            for account_id, known in having
            if caller.may_see(account_id)
        }

    def __getitem__(self, account_id: int) -> Account:
        return self._by_id[account_id].account


_known: WeakKeyDictionary[Engine, tuple[tuple[Any, ...], KnownAccounts]] = WeakKeyDictionary()

_ACCOUNTS = select(
    func.count().label("accounts"),
    func.sum(AccountRow.version).label("versions"),
    func.max(AccountRow.created_at).label("created"),
).subquery()
_DOMAINS = (
    select(
        func.count().label("domains"),
        func.count(DomainRow.removed_at).label("removed"),
        func.max(DomainRow.added_at).label("added"),
    )
    .select_from(DomainRow)
    .subquery()
)
_STAMP = select(_ACCOUNTS, _DOMAINS).select_from(_ACCOUNTS.join(_DOMAINS, true()))
"""What is another one after any account or domain changed."""


async def known_accounts(session: AsyncSession) -> KnownAccounts:
    """Return all accounts as this session sees them."""
    engine = session.get_bind().engine
    stamp = tuple((await session.execute(_STAMP)).one())
    if engine in _known and _known[engine][0] == stamp:
        return _known[engine][1]
    accounts = await load_accounts(session)
    found = KnownAccounts({ident: _folded(account) for ident, account in accounts.items()})
    _known[engine] = stamp, found
    return found


def _folded(account: Account) -> _Known:
    name = fold(account.name)
    whole = (account.code, fold(account.customer_number), *account.domains)
    begun = (*whole, *pieces(name), *name.split())
    return _Known(account, whole, begun, "\n".join((*whole, name)))


def _rank(known: _Known, words: Sequence[str]) -> AccountRank:
    """Return how well an account matches that has every word."""
    if len(words) == 1 and words[0] in known.whole:
        return AccountRank.EXACT
    begins = all(any(piece.startswith(word) for piece in known.begun) for word in words)
    return AccountRank.BEGINS if begins else AccountRank.INSIDE
