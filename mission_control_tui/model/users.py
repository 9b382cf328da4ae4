"""Users in the store: everything that can be done to one. Lists are in `listing`, files in `importing`."""

from __future__ import annotations

from mission_control_tui.model.addresses import Holder, UpnStatus, upn_status, usual_domain
from mission_control_tui.model.bin import delete_user, restore_user
from mission_control_tui.model.context import Caller
from mission_control_tui.model.database import Store
from mission_control_tui.model.lookups import account_row, user_row
from mission_control_tui.model.people.names import username_for
from mission_control_tui.model.people.password import PasswordPolicy
from mission_control_tui.model.user_aliases import (
    AddressChanges,
    add_alias,
    remove_alias,
    set_primary,
)
from mission_control_tui.model.user_changes import (
    disable_user,
    edit_user,
    enable_user,
    unlock_user,
)
from mission_control_tui.model.user_creation import Created, create_user
from mission_control_tui.model.user_passwords import (
    PasswordSet,
    set_password,
    set_service_password,
)
from mission_control_tui.model.user_rows import to_view
from mission_control_tui.model.user_rules import policy_of, usernames_like
from mission_control_tui.model.views import UserView

__all__ = [
    "AddressChanges",
    "Created",
    "Holder",
    "PasswordSet",
    "UpnStatus",
    "add_alias",
    "create_user",
    "delete_user",
    "details",
    "disable_user",
    "edit_user",
    "enable_user",
    "free_username",
    "password_policy",
    "remove_alias",
    "restore_user",
    "set_password",
    "set_primary",
    "set_service_password",
    "unlock_user",
    "upn_status",
    "usual_domain",
]


async def details(store: Store, caller: Caller, account: int | str, user: str) -> UserView:
    """A user by id, UPN, alias, former UPN or username, in the recycling bin too. Raises NotFound."""
    async with store.read() as session:
        account_id = (await account_row(session, caller, account)).id
        row = await user_row(session, account_id, user, binned=True)
        return await to_view(session, row)


async def password_policy(store: Store, caller: Caller, account: int | str) -> PasswordPolicy:
    """What the account asks of passwords, for showing the rules while one is typed."""
    async with store.read() as session:
        return policy_of(await account_row(session, caller, account))


async def free_username(store: Store, caller: Caller, account: int | str, upn: str) -> str:
    """The username to pre-fill for a new user: made from the UPN, and nobody's of the account."""
    async with store.read() as session:
        account_id = (await account_row(session, caller, account)).id
        return username_for(upn, await usernames_like(session, account_id, username_for(upn)))
