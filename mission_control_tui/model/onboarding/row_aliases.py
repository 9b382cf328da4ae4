"""The aliases that the rows of a file state: valid, free in the installation, and nobody else's in the file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from mission_control_tui.model.domains.address_registry import (
    AddressKind,
    AddressRules,
    Holder,
    taken,
)
from mission_control_tui.model.errors import Problem
from mission_control_tui.model.onboarding.files.read import ImportRow
from mission_control_tui.model.people.address_syntax import lookup_key
from mission_control_tui.model.store.batches import batches
from mission_control_tui.model.store.tables.users import AddressRow
from mission_control_tui.model.text.clean import harmless


@dataclass(slots=True)
class RowAliases:
    """Judges the aliases of rows, one row after the other; `rows_of` has the rows that have an address as their UPN."""

    account_id: int
    rules: AddressRules
    held: Mapping[str, Holder]
    rows_of: Mapping[str, int]
    _stated: dict[str, int] = field(default_factory=dict)

    def problems(self, row: ImportRow, user_id: str = "") -> list[Problem]:
        """Return what is wrong with them; `user_id` may have them already."""
        found: list[Problem] = []
        for address in row.aliases:
            wrong = self.rules.problems(address, "aliases")
            key = lookup_key(address)
            holder = self.held.get(key)
            if holder is not None and holder.user_id == user_id:
                continue
            earlier = self.rows_of.get(key) or self._stated.setdefault(key, row.row)
            if wrong:
                found += wrong
            elif holder is not None:
                found.append(taken("aliases", address, holder, self.account_id))
            elif earlier != row.row:
                what = f"{harmless(address)} stands in row {earlier} already"
                found.append(Problem("aliases", what, "keep one of the two"))
        return found


def new_aliases(row: ImportRow, present: Sequence[str], upn_key: str) -> tuple[str, ...]:
    """Return the aliases that the user does not have; `present` are keys."""
    return tuple(
        address
        for address in row.aliases
        if (key := lookup_key(address)) != upn_key and key not in present
    )


async def aliases_of(session: AsyncSession, user_ids: Sequence[str]) -> dict[str, list[AddressRow]]:
    """Return the aliases of users, by their ids."""
    found: dict[str, list[AddressRow]] = {}
    for some in batches(user_ids):
        rows = await session.scalars(
            select(AddressRow)
            .where(AddressRow.user_id.in_(some), AddressRow.kind == AddressKind.ALIAS)
            .order_by(AddressRow.key)
        )
        for row in rows:
            found.setdefault(str(row.user_id), []).append(row)
    return found
