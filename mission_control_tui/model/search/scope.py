"""What the parts of finding anyone share: how good a match is, who was found, and which accounts are looked through."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import IntEnum

from sqlalchemy import ColumnElement, Row, any_, func, select, true
from sqlalchemy.orm import InstrumentedAttribute

from mission_control_tui.model.caller import Caller
from mission_control_tui.model.store.tables.accounts import AccountRow
from mission_control_tui.model.store.tables.users import UserRow

CANDIDATES = 250
"""Terms that are looked at for one answer; where more begin so, the best ranks are asked for by themselves."""

COLUMNS = (UserRow.id, UserRow.account_id, UserRow.sort_key, UserRow.in_bin)


class Rank(IntEnum):
    """How good a match is, the best first."""

    EXACT = 0
    """The whole of a UPN, an alias or a username."""
    BEGINS = 1
    """The whole name or a whole address begins so."""
    WORDS = 2
    """Words of it begin so."""
    INSIDE = 3
    """It stands in the middle."""


@dataclass(slots=True)
class SearchCandidate:
    """A user who may be in the answer."""

    rank: Rank
    account_id: int
    sort_key: str
    in_bin: bool


@dataclass(frozen=True, slots=True)
class Scope:
    """The accounts that are looked through: one of them first, where the caller is in one."""

    caller: Caller
    current: int | None
    is_sqlite: bool

    def others(self, account_id: InstrumentedAttribute[int]) -> ColumnElement[bool]:
        """Return the condition for any account that may be seen, but the current one."""
        if self.caller.accounts is None:
            # Whoever sees all of them reads one range of an index over all accounts.
            return true() if self.current is None else account_id != self.current
        accounts = select(AccountRow.id).where(AccountRow.id.in_(self.caller.accounts))
        if self.current is not None:
            accounts = accounts.where(AccountRow.id != self.current)
        # A list of values is as many seeks in an index to both; a join they would start at the wrong end.
        if self.is_sqlite:
            return account_id.in_(accounts)
        return account_id == any_(func.array(accounts.scalar_subquery()))

    def everywhere(self, account_id: InstrumentedAttribute[int]) -> ColumnElement[bool]:
        """Return the condition for any account that may be seen."""
        return replace(self, current=None).others(account_id)

    def has(self, column: InstrumentedAttribute[str], piece: str) -> ColumnElement[bool]:
        """Tell whether the piece stands anywhere in the column."""
        place = func.instr if self.is_sqlite else func.strpos
        return place(column, piece) > 0

    def parts(self, account_id: InstrumentedAttribute[int]) -> list[ColumnElement[bool]]:
        """Return conditions to ask one after the other: the current account first."""
        first = [account_id == self.current] if self.current is not None else []
        return [*first, self.others(account_id)]


def put(found: dict[str, SearchCandidate], user_id: str, candidate: SearchCandidate) -> None:
    """Note that somebody was found, perhaps not for the first time: the best rank counts."""
    known = found.setdefault(user_id, candidate)
    known.rank = min(known.rank, candidate.rank)


def put_seen(
    found: dict[str, SearchCandidate],
    rank: Rank,
    rows: Iterable[Row[str, int, str, bool]],
    scope: Scope,
) -> None:
    """Note of these rows (of `COLUMNS`) whom the caller may see."""
    for user_id, account_id, sort_key, in_bin in rows:
        if scope.caller.may_see(account_id):
            put(found, user_id, SearchCandidate(rank, account_id, sort_key, in_bin))
