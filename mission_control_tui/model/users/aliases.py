"""A user's addresses beside the UPN, and which of all is the primary one. Services are told as of an edit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import delete

from mission_control_tui.model import command_words
from mission_control_tui.model.audit_actions import AuditAction
from mission_control_tui.model.domains.address_registry import (
    AddressKind,
    domains_of,
    refusal,
    upn_taken,
)
from mission_control_tui.model.errors import Conflict, NotFound, Problem
from mission_control_tui.model.groups.members import tell_objects_of
from mission_control_tui.model.people.address_syntax import lookup_key, upn_key, upn_problems
from mission_control_tui.model.plan import Outcome, PlanVerb
from mission_control_tui.model.search.index import reindex
from mission_control_tui.model.states import RequestKind
from mission_control_tui.model.store.lookups import user_row
from mission_control_tui.model.store.retry import retries_on_conflict
from mission_control_tui.model.store.row_versions import require_version
from mission_control_tui.model.store.scope import AccountScope
from mission_control_tui.model.store.tables.users import AddressRow, UserRow
from mission_control_tui.model.store.transaction import Transaction
from mission_control_tui.model.store.user_rows import addresses_of, to_view
from mission_control_tui.model.text.clean import harmless
from mission_control_tui.model.users.fan_out import fan_out
from mission_control_tui.model.views import UserView

ALIASES, PRIMARY = "aliases", "primary_address"
ADDRESSES = frozenset({ALIASES, PRIMARY})
"""What plan and audit call a user's addresses."""


@dataclass(frozen=True, slots=True)
class AddressChanges:
    """What becomes of a user's addresses, in this order: added, the primary one ("" leaves it), removed."""

    add: tuple[str, ...] = ()
    primary: str = ""
    remove: tuple[str, ...] = ()


async def add_alias(
    scope: AccountScope,
    user: str,
    alias: str,
    *,
    expected_version: int | None = None,
    dry_run: bool = False,
) -> Outcome[UserView]:
    """Give a user a further address. One that the user has already: unchanged.

    Raises InvalidInput (not an address, not a domain of the account), Conflict (taken), StaleVersion.
    """
    wished = AddressChanges(add=(alias,))
    return await _change(scope, user, wished, AuditAction.ADD_ALIAS, expected_version, dry_run)


async def remove_alias(
    scope: AccountScope,
    user: str,
    alias: str,
    *,
    expected_version: int | None = None,
    dry_run: bool = False,
) -> Outcome[UserView]:
    """Take an alias or a former UPN away, which frees it. A primary address goes back to the UPN.

    Raises NotFound, Conflict for the UPN itself, StaleVersion.
    """

    wished = AddressChanges(remove=(alias,))
    return await _change(scope, user, wished, AuditAction.REMOVE_ALIAS, expected_version, dry_run)


async def set_primary(
    scope: AccountScope,
    user: str,
    address: str,
    *,
    expected_version: int | None = None,
    dry_run: bool = False,
) -> Outcome[UserView]:
    """Make one of the user's addresses the one that recipients see. Raises NotFound, StaleVersion."""

    wished = AddressChanges(primary=address)
    action = AuditAction.SET_PRIMARY_ADDRESS
    return await _change(scope, user, wished, action, expected_version, dry_run)


async def alias_problems(tx: Transaction, row: UserRow, aliases: Sequence[str]) -> list[Problem]:
    """Return why the user cannot have these aliases: no address, no domain of the account, somebody else's."""
    problems: list[Problem] = []
    domains = await domains_of(tx.session, row.account_id) if aliases else ()
    for address in map(str.strip, aliases):
        wrong = upn_problems(address, where="alias", domains=domains)
        problems += wrong or await upn_taken(
            tx.session, row.account_id, address, by_other_than=row.id, where="alias"
        )
    return problems


async def apply_addresses(
    tx: Transaction, row: UserRow, wished: AddressChanges
) -> tuple[dict[str, object], dict[str, object]]:
    """Change the locked user's addresses inside the caller's transaction; returns what differs, before and after.

    Version, search and services are the caller's. Raises as the functions for one change do.
    """
    problems = await alias_problems(tx, row, wished.add)
    if problems:
        raise refusal(f"{row.upn} cannot have this alias.", problems)
    before = _stated(row, await addresses_of(tx.session, row.id))
    for address in map(str.strip, wished.add):
        _add(tx, row, await addresses_of(tx.session, row.id), address)
        await tx.session.flush()
    if wished.primary:
        present = await addresses_of(tx.session, row.id)
        chosen = _of_user(row, present, wished.primary)
        for one in present:
            one.is_primary = one is chosen
        await tx.session.flush()
    for address in wished.remove:
        await _remove(tx, row, await addresses_of(tx.session, row.id), address)
        await tx.session.flush()
    after = _stated(row, await addresses_of(tx.session, row.id))
    changed = [name for name in after if before[name] != after[name]]
    return {name: before[name] for name in changed}, {name: after[name] for name in changed}


def _add(tx: Transaction, row: UserRow, present: Sequence[AddressRow], address: str) -> None:
    key = upn_key(address)
    mine = next((one for one in present if one.key == key), None)
    if mine is None:
        tx.session.add(
            AddressRow(
                account_id=row.account_id,
                user_id=row.id,
                address=address,
                key=key,
                kind=AddressKind.ALIAS,
                is_primary=False,
            )
        )
    elif mine.kind == AddressKind.FORMER:
        mine.kind = AddressKind.ALIAS


async def _remove(
    tx: Transaction, row: UserRow, present: Sequence[AddressRow], address: str
) -> None:
    one = _of_user(row, present, address)
    if one.kind == AddressKind.UPN:
        raise Conflict(f"{row.upn} is the UPN itself.", hint="Change the UPN instead.")
    if one.is_primary:
        next(own for own in present if own.kind == AddressKind.UPN).is_primary = True
    await tx.session.execute(delete(AddressRow).where(AddressRow.id == one.id))


@retries_on_conflict
async def _change(
    scope: AccountScope,
    user: str,
    wished: AddressChanges,
    action: AuditAction,
    expected_version: int | None,
    dry_run: bool,
) -> Outcome[UserView]:
    async with scope.change(dry_run=dry_run) as (tx, account_id):
        row = await user_row(tx.session, account_id, user, lock=True)
        await require_version(tx, row, expected_version)
        before, after = await apply_addresses(tx, row, wished)
        await _conclude(tx, row, before, after, action)
        view = await to_view(tx.session, row)
    return tx.outcome(view)


async def _conclude(
    tx: Transaction,
    row: UserRow,
    before: dict[str, object],
    after: dict[str, object],
    action: AuditAction,
) -> None:
    if not after:
        tx.record(PlanVerb.UNCHANGED, "user", row.upn)
        return
    row.version += 1
    row.updated_at = tx.now
    await tx.session.flush()
    await reindex(tx.session, row, await addresses_of(tx.session, row.id))
    parent = await fan_out(tx, row, RequestKind.EDIT)
    if PRIMARY in after:
        await tell_objects_of(tx, user_id=row.id)
    for words in command_words.addresses(row.upn, before, after):
        tx.command(*words)
    tx.record(
        PlanVerb.CHANGED,
        "user",
        row.upn,
        before=before,
        after=after,
        action=action,
        user_id=row.id,
        request_id=parent.id,
        version=row.version,
    )


def _stated(row: UserRow, addresses: Sequence[AddressRow]) -> dict[str, object]:
    return {
        ALIASES: [one.address for one in addresses if one.kind != AddressKind.UPN],
        PRIMARY: next((one.address for one in addresses if one.is_primary), row.upn),
    }


def _of_user(row: UserRow, present: Sequence[AddressRow], address: str) -> AddressRow:
    key = lookup_key(address)
    for one in present:
        if one.key == key:
            return one
    has = ", ".join(one.address for one in present)
    raise NotFound(
        f"{row.upn} has no address {harmless(address.strip())}.", hint=f"There are: {has}."
    )
