"""Finding the user, the domain or the account itself that an operator names as whose a service is."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from mission_control_tui.model.command_words import command_line
from mission_control_tui.model.errors import Conflict, NotFound
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
from mission_control_tui.model.store.tables.users import UserRow


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


async def locked_owner(
    session: AsyncSession, account_id: int, user_id: str | None, domain_id: int | None
) -> Subject:
    """Return whose a stored wish is, locked as by `locked_subject`, even what is gone; without ids the account."""
    if user_id is not None:
        user = await session.get_one(UserRow, user_id, with_for_update=True, populate_existing=True)
        return user_subject(user)
    account = await locked_account_row(session, account_id)
    if domain_id is not None:
        return domain_subject(await session.get_one(DomainRow, domain_id))
    return account_subject(account)


def refuse_gone(subject: Subject) -> None:
    """Raise Conflict for a user in the recycling bin, and for a domain that the account has no more."""
    if subject.user is not None and subject.user.in_bin:
        raise Conflict(f"{subject.name} is in the recycling bin.")
    if subject.domain is not None and subject.domain.removed_at is not None:
        raise Conflict(f"{subject.name} is no domain of the account any more.")


async def _domain(session: AsyncSession, account_id: int, name: str) -> DomainRow:
    stored = domain_key(name)
    row = await domain_row(session, account_id, stored)
    if row is None:
        raise NotFound(
            f"The account has no domain {stored}.",
            hint=f"`{command_line('account', 'domains')}` lists those that it has.",
        )
    return row
