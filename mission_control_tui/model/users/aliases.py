"""A user's addresses beside the UPN, and which of all is the primary one: a part of an edit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from sqlalchemy import delete

from mission_control_tui.model.domains.address_registry import (
    AddressKind,
    address_rules,
    upn_taken,
    user_address,
)
from mission_control_tui.model.errors import Conflict, NotFound, Problem
from mission_control_tui.model.people.address_syntax import lookup_key, upn_key
from mission_control_tui.model.store.tables.users import AddressRow, UserRow
from mission_control_tui.model.store.transaction import Transaction
from mission_control_tui.model.store.user_rows import addresses_of
from mission_control_tui.model.text.clean import harmless

ALIASES, PRIMARY = "aliases", "primary_address"
ADDRESSES = frozenset({ALIASES, PRIMARY})
"""What plan and audit call a user's addresses."""


@dataclass(frozen=True, slots=True)
class AddressChanges:
    """What becomes of a user's addresses, in this order: added, the primary one ("" leaves it), removed."""

    add: tuple[str, ...] = ()
    primary: str = ""
    remove: tuple[str, ...] = ()

    @classmethod
    def back(cls, before: Mapping[str, object], after: Mapping[str, object]) -> Self:
        """Return what takes a change of addresses back, by what differed before and after it."""
        had, has = _texts(before.get(ALIASES)), _texts(after.get(ALIASES))
        return cls(
            add=tuple(address for address in had if address not in has),
            primary=str(before.get(PRIMARY, "")),
            remove=tuple(address for address in has if address not in had),
        )


def _texts(value: object) -> list[str]:
    return [str(item) for item in value] if isinstance(value, list) else []


async def alias_problems(tx: Transaction, row: UserRow, aliases: Sequence[str]) -> list[Problem]:
    """Return why the user cannot have these aliases: no address, no domain of the account, somebody else's."""
    problems: list[Problem] = []
    if not aliases:
        return problems
    rules = await address_rules(tx.session, row.account_id)
    for address in map(str.strip, aliases):
        wrong = rules.problems(address, "alias")
        problems += wrong or await upn_taken(
            tx.session, row.account_id, address, by_other_than=row.id, where="alias"
        )
    return problems


async def apply_addresses(
    tx: Transaction, row: UserRow, wished: AddressChanges
) -> tuple[dict[str, object], dict[str, object]]:
    """Change the locked user's addresses inside the caller's transaction; returns what differs, before and after.

    Whether there are `alias_problems`, version, search and services are the caller's. Raises NotFound, and Conflict
    where the UPN itself would be removed.
    """
    before = _stated(row, await addresses_of(tx.session, row.id))
    for address in map(str.strip, wished.add):
        _add(tx, row, await addresses_of(tx.session, row.id), address)
        await tx.session.flush()
    if wished.primary:
        present = await addresses_of(tx.session, row.id)
        chosen = _of_user(row, present, wished.primary)
        for held in present:
            held.is_primary = held is chosen
        await tx.session.flush()
    for address in wished.remove:
        await _remove(tx, row, await addresses_of(tx.session, row.id), address)
        await tx.session.flush()
    after = _stated(row, await addresses_of(tx.session, row.id))
    changed = [name for name in after if before[name] != after[name]]
    return {name: before[name] for name in changed}, {name: after[name] for name in changed}


def _add(tx: Transaction, row: UserRow, present: Sequence[AddressRow], address: str) -> None:
    key = upn_key(address)
    mine = next((held for held in present if held.key == key), None)
    if mine is None:
        tx.session.add(user_address(row, address, AddressKind.ALIAS))
    elif mine.kind == AddressKind.FORMER:
        mine.kind = AddressKind.ALIAS


async def _remove(
    tx: Transaction, row: UserRow, present: Sequence[AddressRow], address: str
) -> None:
    held = _of_user(row, present, address)
    if held.kind == AddressKind.UPN:
        raise Conflict(f"{row.upn} is the UPN itself.", hint="Change the UPN instead.")
    if held.is_primary:
        next(own for own in present if own.kind == AddressKind.UPN).is_primary = True
    await tx.session.execute(delete(AddressRow).where(AddressRow.id == held.id))


def _stated(row: UserRow, addresses: Sequence[AddressRow]) -> dict[str, object]:
    return {
        ALIASES: [held.address for held in addresses if held.kind != AddressKind.UPN],
        PRIMARY: next((held.address for held in addresses if held.is_primary), row.upn),
    }


def _of_user(row: UserRow, present: Sequence[AddressRow], address: str) -> AddressRow:
    key = lookup_key(address)
    for held in present:
        if held.key == key:
            return held
    has = ", ".join(held.address for held in present)
    raise NotFound(
        f"{row.upn} has no address {harmless(address.strip())}.", hint=f"There are: {has}."
    )
