"""One user: User Functions and Account Status, when it was opened by itself and not from the list."""

from __future__ import annotations

from collections.abc import Iterable

from textual.widget import Widget

from mission_control_tui.screens.users.card import UserCard
from mission_control_tui.screens.users.functions import UserFunctionsScreen


class UserScreen(UserFunctionsScreen):
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

    @property
    def memory_key(self) -> str:
        return f"{self.MEMORY_NAME} {self.user_id}"

    def body(self) -> Iterable[Widget]:
        yield UserCard(id="card")

    async def load(self) -> None:
        await self.show_user(self.user_id)
        self.refresh_keys()

    def about_user(self) -> str | None:
        return self.user_id

    def verb_copy(self) -> None:
        if self.card.user is not None:
            self.copy(self.card.user.upn)
