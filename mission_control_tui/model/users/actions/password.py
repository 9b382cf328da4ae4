"""A new password for the user, generated and revealed once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mission_control_tui.model.catalogue.types import Catalogue
from mission_control_tui.model.users.actions.base import ActionContext, ActionResult, UserAction
from mission_control_tui.model.users.actions.params import ActionParams

if TYPE_CHECKING:
    from mission_control_tui.model.store.tables.users import UserRow
    from mission_control_tui.model.store.transaction import Transaction


class Password(UserAction):
    """Set a generated password for all services that use the user's."""

    verb = "password"
    place = 80
    label = "Reset the passwords"
    heading = "Reset passwords"
    lost = "Lost: the passwords that hold now, at every service; this cannot be undone."
    asked = "Reset the passwords of"
    warning = "A password reset cannot be undone."
    not_undone = "The password before is not kept. Set another one."
    takes_in_bulk = frozenset({"must_change"})
    schedulable = False

    def reveals(self, _catalogue: Catalogue, _params: ActionParams) -> bool:
        return True

    async def apply(
        self, tx: Transaction, context: ActionContext, user: UserRow, params: ActionParams
    ) -> tuple[ActionResult, ...]:
        from mission_control_tui.model.users.passwords import set_in

        fresh = await set_in(tx, user, context.owner, None, params.must_change)
        return (ActionResult.of_user(user, fresh.request_id, fresh.password),)
