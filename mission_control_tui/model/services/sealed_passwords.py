"""Sealed passwords in the store: kept until the back ends have them, then wiped."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Sequence

from sqlalchemy import insert, select, update

from mission_control_tui.model.store import sealing
from mission_control_tui.model.store.tables.installation import InstallationRow
from mission_control_tui.model.store.tables.users import SecretRow
from mission_control_tui.model.store.transaction import Transaction


async def keep(tx: Transaction, account_id: int, password: str) -> int:
    """Seal `password` into the store and return the secret's id."""
    return (await keep_many(tx, account_id, [password]))[0]


async def keep_many(tx: Transaction, account_id: int, passwords: Sequence[str]) -> list[int]:
    """Seal many at once; return the secrets' ids in the order of `passwords`."""
    public = bytes(await tx.session.scalar(select(InstallationRow.public_key)) or b"")
    sealed = await asyncio.to_thread(
        lambda: [sealing.seal(public, password) for password in passwords]
    )
    rows = [
        {
            "account_id": account_id,
            "sealed": secret,
            "mark": secrets.token_hex(16),
            "created_at": tx.now,
            "wiped_at": None,
        }
        for secret in sealed
    ]
    result = await tx.session.execute(
        insert(SecretRow).returning(SecretRow.id, sort_by_parameter_order=True), rows
    )
    return [int(found) for found in result.scalars()]


async def wipe(tx: Transaction, secret_id: int | None) -> None:
    """Forget a sealed password that is no longer to be delivered, unless it has gone already."""
    if secret_id is not None:
        await tx.session.execute(
            update(SecretRow)
            .where(SecretRow.id == secret_id, SecretRow.wiped_at.is_(None))
            .values(sealed=None, wiped_at=tx.now)
        )
