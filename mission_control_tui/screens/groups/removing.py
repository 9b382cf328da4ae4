"""Removing an object: what is lost is asked in place, from the plan itself."""

from __future__ import annotations

from mission_control_tui.model.groups.editing import remove_object
from mission_control_tui.model.groups.queries import ObjectView
from mission_control_tui.screens.base.mission_screen import MissionScreen
from mission_control_tui.screens.forms.member_fields import MemberFields


class ObjectRemovingScreen(MissionScreen):
    """A screen about an object that it can remove."""

    def __init__(self) -> None:
        super().__init__()
        self._view: ObjectView | None = None
        self._version = 0

    async def ask_remove(self) -> None:
        view, context = self._view, self.context
        if view is None:
            return
        at = (context.scope, view.id)
        tried = await remove_object(*at, dry_run=True)
        if not tried.plan.changes_anything:
            self.announce("It is being removed, or was")
            return
        self.prompts.confirm(
            [
                f"{context.account.name}: remove {view.name} ({view.kind_name})?",
                *(f"Lost: {warning}" for warning in tried.plan.warnings),
                "Seats and money: nothing changes.",
            ],
            self._remove,
            yes="Remove",
        )

    async def _remove(self) -> None:
        context, view = self.context, self._view
        if view is None:
            return
        await remove_object(context.scope, view.id, expected_version=self._version)
        self.query_one(MemberFields).forget()
        self.announce(f"{view.name} is being removed; the light follows")
        await self.queue_changed()
        self._view = None
        await self.load()
