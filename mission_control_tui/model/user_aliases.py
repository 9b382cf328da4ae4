"""A user's addresses beside the UPN, and which of all is the primary one. Services are told as of an edit."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from sqlalchemy import delete

from mission_control_tui.model import phrasing
from mission_control_tui.model.addresses import AddressKind, domains_of
from mission_control_tui.model.context import Caller
from mission_control_tui.model.database import Store
from mission_control_tui.model.errors import Conflict, NotFound
from mission_control_tui.model.fanout import fan_out
from mission_control_tui.model.lookups import account_row, user_row
from mission_control_tui.model.people.addresses import lookup_key, upn_key, upn_problems
from mission_control_tui.model.plan import Outcome, Verb
from mission_control_tui.model.racing import raced
from mission_control_tui.model.stale import require_version
from mission_control_tui.model.states import Priority, RequestKind
from mission_control_tui.model.tables import AddressRow, UserRow
from mission_control_tui.model.text import harmless
from mission_control_tui.model.transaction import Transaction
from mission_control_tui.model.user_rows import addresses_of, reindex, to_view
from mission_control_tui.model.user_rules import refusal, upn_taken
from mission_control_tui.model.views import UserView

Change = Callable[[Transaction, UserRow, Sequence[AddressRow]], Awaitable[None]]


async def add_alias(
    store: Store,
    caller: Caller,
    account: int | str,
    user: str,
    alias: str,
    *,
    expected_version: int | None = None,
    priority: int = Priority.INTERACTIVE,
    dry_run: bool = False,
) -> Outcome[UserView]:
    """Give a user a further address. One that the user has already: unchanged.

    Raises InvalidInput (not an address, not a domain of the account), Conflict (taken), StaleVersion.
    """
    address = alias.strip()

    async def change(tx: Transaction, row: UserRow, present: Sequence[AddressRow]) -> None:
        problems = upn_problems(
            address, where="alias", domains=await domains_of(tx.session, row.account_id)
        )
        if not problems:
            problems += await upn_taken(
                tx.session, row.account_id, address, by_other_than=row.id, where="alias"
            )
        if problems:
            raise refusal(f"{row.upn} cannot have this alias.", problems)
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

    return await _change(
        store, caller, account, user, change, "add alias", expected_version, priority, dry_run
    )


async def remove_alias(
    store: Store,
    caller: Caller,
    account: int | str,
    user: str,
    alias: str,
    *,
    expected_version: int | None = None,
    priority: int = Priority.INTERACTIVE,
    dry_run: bool = False,
) -> Outcome[UserView]:
    """Take an alias or a former UPN away, which frees it. A primary address goes back to the UPN.

    Raises NotFound, Conflict for the UPN itself, StaleVersion.
    """

    async def change(tx: Transaction, row: UserRow, present: Sequence[AddressRow]) -> None:
        one = _of_user(row, present, alias)
        if one.kind == AddressKind.UPN:
            raise Conflict(f"{row.upn} is the UPN itself.", hint="Change the UPN instead.")
        if one.is_primary:
            next(own for own in present if own.kind == AddressKind.UPN).is_primary = True
        await tx.session.execute(delete(AddressRow).where(AddressRow.id == one.id))

    return await _change(
        store, caller, account, user, change, "remove alias", expected_version, priority, dry_run
    )


async def set_primary(
    store: Store,
    caller: Caller,
    account: int | str,
    user: str,
    address: str,
    *,
    expected_version: int | None = None,
    priority: int = Priority.INTERACTIVE,
    dry_run: bool = False,
) -> Outcome[UserView]:
    """Make one of the user's addresses the one that recipients see. Raises NotFound, StaleVersion."""

    async def change(_tx: Transaction, row: UserRow, present: Sequence[AddressRow]) -> None:
        chosen = _of_user(row, present, address)
        for one in present:
            one.is_primary = one is chosen

    return await _change(
        store,
        caller,
        account,
        user,
        change,
        "set primary address",
        expected_version,
        priority,
        dry_run,
    )


async def _change(
    store: Store,
    caller: Caller,
    account: int | str,
    user: str,
    change: Change,
    action: str,
    expected_version: int | None,
    priority: int,
    dry_run: bool,
) -> Outcome[UserView]:
    async with store.read() as session:
        account_id = (await account_row(session, caller, account)).id

    async def work() -> Outcome[UserView]:
        async with store.write(caller, account_id, dry_run=dry_run) as tx:
            row = await user_row(tx.session, account_id, user, lock=True)
            await require_version(tx, row, expected_version)
            present = await addresses_of(tx.session, row.id)
            before = _stated(row, present)
            await change(tx, row, present)
            await tx.session.flush()
            now = await addresses_of(tx.session, row.id)
            await _conclude(tx, row, before, now, action, priority)
            view = await to_view(tx.session, row)
        return Outcome(view, tx.plan, not dry_run)

    return await raced(work)


async def _conclude(
    tx: Transaction,
    row: UserRow,
    before: dict[str, object],
    present: Sequence[AddressRow],
    action: str,
    priority: int,
) -> None:
    after = _stated(row, present)
    changed = [name for name in after if before[name] != after[name]]
    if not changed:
        tx.record(Verb.UNCHANGED, "user", row.upn)
        return
    row.version += 1
    row.updated_at = tx.now
    await tx.session.flush()
    await reindex(tx.session, row, present)
    parent = await fan_out(tx, row, RequestKind.EDIT, priority=priority)
    for words in phrasing.addresses(row.upn, before, {name: after[name] for name in changed}):
        tx.command(*words)
    tx.record(
        Verb.CHANGED,
        "user",
        row.upn,
        before={name: before[name] for name in changed},
        after={name: after[name] for name in changed},
        action=action,
        user_id=row.id,
        request_id=parent.id,
        version=row.version,
    )


def _stated(row: UserRow, addresses: Sequence[AddressRow]) -> dict[str, object]:
    return {
        "aliases": [one.address for one in addresses if one.kind != AddressKind.UPN],
        "primary_address": next((one.address for one in addresses if one.is_primary), row.upn),
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
