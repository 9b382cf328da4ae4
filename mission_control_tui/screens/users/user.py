"""One user: User Functions and Account Status, when it was opened by itself and not from the list."""

from __future__ import annotations

from collections.abc import Iterable

from textual.widget import Widget

from mission_control_tui.screens.base.mission_screen import MissionScreen
from mission_control_tui.screens.users.functions import UserFunctions


class UserScreen(MissionScreen):
    """The card of one user."""

    NAME = "user"
    MEMORY_NAME = "UserScreen"
    HEADING = "User"
    ABOUT = "What can be done with this user, and how account and services are. d does it at a date and time."
    VERBS = ("provision", "edit", "like", "schedule", "copy")
    CSS_PATH = "user.tcss"

    def __init__(self, user_id: str) -> None:
        super().__init__()
        self.user_id = user_id
        self.functions = UserFunctions(self)
        self.parts = (self.functions,)

    @property
    def memory_key(self) -> str:
        return f"{self.MEMORY_NAME} {self.user_id}"

    def body(self) -> Iterable[Widget]:
        yield self.functions.card

    async def load(self) -> None:
        await self.functions.show(self.user_id)
        self.refresh_keys()

    def verb_back(self) -> None:
        if not self.functions.step_out():
            super().verb_back()

    def about_user(self) -> str | None:
        return self.user_id

    def verb_copy(self) -> None:
        if (user := self.functions.card.user) is not None:
            self.copy(user.upn)
