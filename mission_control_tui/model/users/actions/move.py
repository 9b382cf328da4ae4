"""Move a service to another of the connectors that serve it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mission_control_tui.model.catalogue.types import Catalogue, PasswordUse
from mission_control_tui.model.errors import UsageError
from mission_control_tui.model.users.actions.base import ActionContext, ActionResult, ServiceAction
from mission_control_tui.model.users.actions.params import ActionParams

if TYPE_CHECKING:
    from mission_control_tui.model.services.subjects import Subject
    from mission_control_tui.model.store.transaction import Transaction


class Move(ServiceAction):
    """Make a service at another connector, and take it away where it is once it is there."""

    verb = "move"
    place = 50
    label = "Move a service to another connector"
    lost = "Lost: what is in it does not come along; it stays where it is until that is removed."
    asked = "Move this service of"
    not_undone = "Move them back: what is still kept there is theirs again."
    takes = frozenset({"service", "instance", "on", "at_once", "new_password"})
    needs_service = True

    def check(self, catalogue: Catalogue, params: ActionParams) -> ActionParams:
        if not params.on:
            raise UsageError("A move needs the connector that it goes to: --on CONNECTOR.")
        return super().check(catalogue, params)

    def reveals(self, catalogue: Catalogue, params: ActionParams) -> bool:
        use = catalogue.service(params.service).password
        return use is PasswordUse.OWN or (params.new_password and use is PasswordUse.USER)

    async def apply_to(
        self, tx: Transaction, context: ActionContext, subject: Subject, params: ActionParams
    ) -> tuple[ActionResult, ...]:
        from mission_control_tui.model.users.moving import move_in

        return (await move_in(tx, context, subject, params),)
