"""Accounts as rows and as what crosses the door of the model, with their domains."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from sqlalchemy import select, true
from sqlalchemy.ext.asyncio import AsyncSession

from mission_control_tui.model.store.tables.accounts import AccountRow, DomainRow
from mission_control_tui.model.views import Account, view_of


async def load_accounts(
    session: AsyncSession, ids: Collection[int] | None = None
) -> dict[int, Account]:
    """Return these accounts (all, without `ids`) with their domains, by id, in the order of their codes."""
    names: dict[int, list[str]] = {}
    if ids is not None and not ids:
        return {}
    for account_id, name in await session.execute(
        select(DomainRow.account_id, DomainRow.name)
        .where(DomainRow.removed_at.is_(None))
        .where(true() if ids is None else DomainRow.account_id.in_(ids))
        .order_by(DomainRow.name)
    ):
        names.setdefault(account_id, []).append(name)
    rows = await session.scalars(
        select(AccountRow)
        .where(true() if ids is None else AccountRow.id.in_(ids))
        .order_by(AccountRow.code)
    )
    return {row.id: account_view(row, names.get(row.id, ())) for row in rows}


def account_view(row: AccountRow, domains: Iterable[str]) -> Account:
    """Return an account that was read with the names of its domains."""
    return view_of(Account, row, domains=tuple(domains))


async def account_codes(session: AsyncSession, ids: Collection[int]) -> dict[int, str]:
    """Return the codes of these accounts, by id."""
    if not ids:
        return {}
    rows = await session.execute(
        select(AccountRow.id, AccountRow.code).where(AccountRow.id.in_(ids))
    )
    return {row.id: row.code for row in rows}


async def load_account(session: AsyncSession, account_id: int) -> Account:
    """Return this account, as it stands in this session."""
    return (await load_accounts(session, [account_id]))[account_id]
