"""Writing new users many at a time, inside the import's transaction."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Mapping, Sequence
from typing import Any, cast

from sqlalchemy import Table, bindparam, insert, update

from mission_control_tui.model.domains.address_registry import AddressKind
from mission_control_tui.model.onboarding.row_checks import NewUser
from mission_control_tui.model.people.address_syntax import upn_key
from mission_control_tui.model.people.password_policy import PasswordPolicy, generate
from mission_control_tui.model.search import index as search
from mission_control_tui.model.services import sealed_passwords
from mission_control_tui.model.store.batches import batches
from mission_control_tui.model.store.tables.base import Base
from mission_control_tui.model.store.tables.users import (
    AddressRow,
    SearchTermRow,
    SearchTextRow,
    UserRow,
)
from mission_control_tui.model.store.transaction import Transaction
from mission_control_tui.model.users.creation import new_rows, note_created
from mission_control_tui.model.views import RevealedPassword

USERS_AT_ONCE = 500

Rows = list[dict[str, Any]]


async def write_users(
    tx: Transaction,
    account_id: int,
    users: Sequence[NewUser],
    policy: PasswordPolicy,
    *,
    ids: Mapping[str, str] | None = None,
) -> None:
    """Insert the users with addresses, search terms, sealed passwords and audit; the passwords made here are revealed.

    Who states no password gets a generated one, the same one if it is written again. `ids` has the ids of the users,
    and of others who are there already, by their keys.
    """
    if ids is None:
        ids = {user.key: uuid.uuid4().hex for user in users}
    for chunk in batches(users, USERS_AT_ONCE):
        passwords = await asyncio.to_thread(_passwords, chunk, policy)
        tx.revealed += [
            RevealedPassword(user.details.upn, password)
            for user, password in zip(chunk, passwords, strict=True)
            if user.password is None
        ]
        kept = await sealed_passwords.keep_many(tx, account_id, passwords)
        rows = await asyncio.to_thread(_rows, tx, account_id, chunk, ids, kept)
        for table, found in rows.items():
            await tx.session.execute(insert(table), found)
        tx.known_subjects |= {ids[user.key] for user in chunk}
        await tx.flush_audit()
    await set_managers(tx, users, ids)


def _passwords(users: Sequence[NewUser], policy: PasswordPolicy) -> list[str]:
    for user in users:
        if user.password is None and user.generated is None:
            user.generated = generate(policy, user.details.username)
    return [user.password or user.generated or "" for user in users]


def _rows(
    tx: Transaction,
    account_id: int,
    users: Sequence[NewUser],
    ids: Mapping[str, str],
    kept: Sequence[int],
) -> dict[Table, Rows]:
    """Return the rows of these users by table, in the order in which they have to be inserted; notes plan and audit."""
    people: Rows = []
    addresses: Rows = []
    terms: Rows = []
    texts: Rows = []
    for user, secret_id in zip(users, kept, strict=True):
        user_id, details = ids[user.key], user.details
        row, address = new_rows(account_id, user_id, details, user.manager_id, secret_id, tx.now)
        people.append(row)
        addresses.append(address)
        addresses += [
            {
                **address,
                "address": alias,
                "key": upn_key(alias),
                "kind": AddressKind.ALIAS,
                "is_primary": False,
            }
            for alias in user.aliases
        ]
        found_by = search.terms_of(details, user.aliases)
        terms += search.term_rows(account_id, user_id, row["sort_key"], False, found_by)
        texts.append(search.text_row(account_id, user_id, found_by))
        word = "generated" if user.password is None else "given"
        noted: dict[str, Any] = {"password": word}
        if user.aliases:
            noted["aliases"] = list(user.aliases)
        note_created(tx, details, user_id, noted)
    terms.sort(key=lambda row: (row["term"], row["user_id"]))
    return {
        _table(UserRow): people,
        _table(AddressRow): addresses,
        _table(SearchTermRow): terms,
        _table(SearchTextRow): texts,
    }


async def set_managers(tx: Transaction, users: Sequence[NewUser], ids: Mapping[str, str]) -> None:
    """Name the managers who are new users themselves, as far as they have `ids`: both have to be there."""
    managed = [
        {"of": ids[user.key], "manager": ids[user.manager_key]}
        for user in users
        if user.manager_key in ids
    ]
    table = _table(UserRow)
    statement = (
        update(table).where(table.c.id == bindparam("of")).values(manager_id=bindparam("manager"))
    )
    for part in batches(managed, USERS_AT_ONCE):
        await tx.session.execute(statement, list(part))


def _table(row: type[Base]) -> Table:
    return cast("Table", row.__table__)
