"""Reading one user, and what a new one would be called."""

from __future__ import annotations

from dataclasses import replace

from mission_control_tui.model.people.names import username_for
from mission_control_tui.model.people.password_policy import PasswordPolicy
from mission_control_tui.model.services.unsettled import unsettled_settings
from mission_control_tui.model.store.lookups import user_row
from mission_control_tui.model.store.scope import AccountScope
from mission_control_tui.model.store.user_rows import to_view
from mission_control_tui.model.users.rules import policy_of, usernames_like
from mission_control_tui.model.views import UserView


async def details(scope: AccountScope, user: str) -> UserView:
    """Return a user by id, UPN, alias, former UPN or username, in the recycling bin too. Raises NotFound."""
    async with scope.read() as (session, account_id):
        row = await user_row(session, account_id, user, binned=True)
        view = await to_view(session, row)
        return replace(view, unsettled=await unsettled_settings(session, user_id=row.id))


async def password_policy(scope: AccountScope) -> PasswordPolicy:
    """Return what the account asks of passwords, for showing the rules while one is typed."""
    async with scope.store.read() as session:
        return policy_of(await scope.row(session))


async def free_username(scope: AccountScope, upn: str) -> str:
    """Return the username to pre-fill for a new user: made from the UPN, and nobody's of the account."""
    async with scope.read() as (session, account_id):
        return username_for(upn, await usernames_like(session, account_id, username_for(upn)))
