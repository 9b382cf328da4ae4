"""Finding the user, the domain or the account itself that an operator names as whose a service is."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from mission_control_tui.model.command_words import command_line
from mission_control_tui.model.errors import NotFound
from mission_control_tui.model.people.address_syntax import domain_key
from mission_control_tui.model.services.subjects import (
    Subject,
    SubjectKey,
    account_subject,
    domain_subject,
    user_subject,
)
from mission_control_tui.model.states import SubjectKind
from mission_control_tui.model.store.lookups import domain_row, locked_account_row, user_row
from mission_control_tui.model.store.tables.accounts import AccountRow, DomainRow


async def locked_subject(session: AsyncSession, account_id: int, key: SubjectKey) -> Subject:
    """Return who is meant, locked; for a domain and for the account itself the account is. Raises NotFound."""
    if key.kind is SubjectKind.USER:
        return user_subject(await user_row(session, account_id, key.name, lock=True))
    # A domain is taken from its account, and seats from both, under this lock.
    await locked_account_row(session, account_id)
    return await seen_subject(session, account_id, key)


async def seen_subject(
    session: AsyncSession, account_id: int, key: SubjectKey, *, binned: bool = False
) -> Subject:
    """Return who is meant, to be looked at; `binned`: also a user in the recycling bin. Raises NotFound."""
    if key.kind is SubjectKind.USER:
        return user_subject(await user_row(session, account_id, key.name, binned=binned))
    if key.kind is SubjectKind.DOMAIN:
        return domain_subject(await _domain(session, account_id, key.name))
    return account_subject(await session.get_one(AccountRow, account_id))


async def _domain(session: AsyncSession, account_id: int, name: str) -> DomainRow:
    stored = domain_key(name)
    row = await domain_row(session, account_id, stored)
    if row is None:
        raise NotFound(
            f"The account has no domain {stored}.",
            hint=f"`{command_line('account', 'domains')}` lists those that it has.",
        )
    return row
