"""What the store has to say about a user's details: who has the names, who the manager is, the password policy."""

from __future__ import annotations

from dataclasses import fields

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from mission_control_tui.model.errors import Problem, ProblemCode
from mission_control_tui.model.people import password_policy
from mission_control_tui.model.people.address_syntax import lookup_key
from mission_control_tui.model.people.names import username_for
from mission_control_tui.model.people.password_policy import PasswordPolicy
from mission_control_tui.model.store.tables.accounts import AccountRow
from mission_control_tui.model.store.tables.users import AddressRow, UserRow
from mission_control_tui.model.text.clean import harmless


async def username_taken(session: AsyncSession, account_id: int, username: str) -> list[Problem]:
    """Tell whether somebody of the account has the username, with who and a free one to offer."""
    key = username.casefold()
    holder = await session.scalar(
        select(UserRow).where(UserRow.account_id == account_id, UserRow.username_key == key)
    )
    if holder is None:
        return []
    offer = username_for(username, await usernames_like(session, account_id, username))
    bin_note = ", who is in the recycling bin" if holder.in_bin else ""
    who = f"{harmless(holder.display_name)} ({holder.upn}){bin_note}"
    what = f"{harmless(username)} is taken by {who}"
    return [Problem("username", what, f"{offer} is free", ProblemCode.TAKEN)]


async def usernames_like(session: AsyncSession, account_id: int, username: str) -> set[str]:
    """Return the account's usernames, folded, that begin as one made from `username` would."""
    first = username_for(username)[:1]
    near = await session.scalars(
        select(UserRow.username_key).where(
            UserRow.account_id == account_id,
            UserRow.username_key >= first,
            UserRow.username_key < first + "\U0010ffff",
        )
    )
    return set(near)


async def manager_id(
    session: AsyncSession, account_id: int, upn: str, *, of: str = ""
) -> tuple[str | None, list[Problem]]:
    """Return the id of the user whose UPN or alias `upn` is; a manager must exist, and not be the user `of`."""
    if not upn:
        return None, []
    found = await session.scalar(
        select(UserRow)
        .join(AddressRow, AddressRow.user_id == UserRow.id)
        .where(AddressRow.key == lookup_key(upn), UserRow.account_id == account_id)
    )
    shown = harmless(upn)
    if found is None:
        what, hint = f"{shown} is no user of this account", "create the manager first"
    elif found.in_bin:
        what, hint = f"{shown} is in the recycling bin", "restore that user, or name another"
    elif found.id == of:
        what, hint = "a user cannot be their own manager", "name another, or leave it empty"
    else:
        return found.id, []
    return None, [Problem("manager", what, hint)]


def policy_of(account: AccountRow) -> PasswordPolicy:
    """Return the account's password policy; what it does not state is the default."""
    known = {field.name for field in fields(PasswordPolicy)}
    stated = {name: value for name, value in account.password_policy.items() if name in known}
    return PasswordPolicy(**stated)


def chosen_password(
    password: str | None, *, generate: bool, username: str, policy: PasswordPolicy
) -> tuple[str | None, list[Problem]]:
    """Return the password to set, given or generated, and the rules that a given one breaks."""
    if generate:
        return password_policy.generate(policy, username), []
    if password is None:
        return None, []
    return password, list(password_policy.problems_of(password, username, policy))
