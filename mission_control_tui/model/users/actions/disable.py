"""Disable and enable: the user's access to everything."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from mission_control_tui.model.plan import PlanVerb
from mission_control_tui.model.users.actions.base import ActionContext, ActionResult, UserAction
from mission_control_tui.model.users.actions.params import ActionParams

if TYPE_CHECKING:
    from mission_control_tui.model.store.tables.users import UserRow
    from mission_control_tui.model.store.transaction import Transaction


class Disable(UserAction):
    """Take the access to everything away, until the user is enabled."""

    verb = "disable"
    place = 50
    label = "Disable"
    lost = "Lost: the access to everything, until enabled; data and seats stay."
    asked = "Disable"
    disabled: ClassVar[bool] = True

    async def apply(
        self, tx: Transaction, context: ActionContext, user: UserRow, _params: ActionParams
    ) -> tuple[ActionResult, ...]:
        from mission_control_tui.model.users.editing import apply_changes

        if user.disabled == self.disabled:
            tx.record(PlanVerb.UNCHANGED, "user", user.upn)
            return (ActionResult.of_user(user, None),)
        queued = len(tx.requests)
        await apply_changes(tx, user, {"disabled": self.disabled})
        return (ActionResult.of_user(user, next(iter(tx.requests[queued:]), None)),)


class Enable(Disable):
    """Give the access to everything back."""

    verb = "enable"
    place = 60
    label = "Enable"
    lost = asked = ""
    disabled = False
