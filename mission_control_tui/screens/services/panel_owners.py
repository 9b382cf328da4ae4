"""Whose service panels are shown: what the screen calls the subject, and what has to be known of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from mission_control_tui.model.accounts.domain_overview import account_domains
from mission_control_tui.model.services.subjects import SubjectKey
from mission_control_tui.model.states import SubjectKind
from mission_control_tui.model.users.queries import details
from mission_control_tui.model.views import AssignmentView, UserView
from mission_control_tui.screens.base.context import Context

NO_SERVICES = {
    SubjectKind.USER: (
        "The account has bought no service for users yet. g goes to Home, where the quadrant Services sells them."
    ),
    SubjectKind.DOMAIN: "This domain has no services, and none are offered for it.",
    SubjectKind.ACCOUNT: "The account itself has no services, and has bought none.",
}


class PanelOwner(Protocol):
    """A subject of services, as the screen of their panels needs it."""

    @property
    def whose(self) -> str | SubjectKey:
        """Return the user's id, or the key of another subject."""

    @property
    def user(self) -> UserView | None:
        """Return the user, once looked at; None for other subjects."""

    @property
    def called(self) -> str:
        """Return what the subject is called for people."""

    async def look(self, context: Context) -> str:
        """Read who it is; returns the screen's title."""

    def notices(self, views: Sequence[AssignmentView]) -> list[str]:
        """Return what has to be known before anything is done here."""


class UserOwner:
    """A user, by id."""

    def __init__(self, user_id: str) -> None:
        self.whose = user_id
        self.user: UserView | None = None

    @property
    def called(self) -> str:
        return self.user.details.display_name if self.user is not None else "the user"

    async def look(self, context: Context) -> str:
        self.user = user = await details(context.scope, self.whose)
        return f"{user.details.display_name}  {user.upn}  ({user.details.username})"

    def notices(self, views: Sequence[AssignmentView]) -> list[str]:
        words: list[str] = []
        if self.user is not None and self.user.in_bin:
            words.append("This user is in the recycling bin: restore it first.")
        elif self.user is not None and self.user.details.disabled:
            words.append("This user is disabled: services stay suspended.")
        return words if views else [*words, NO_SERVICES[SubjectKind.USER]]


class OtherOwner:
    """A domain by its name, or the account itself."""

    user = None

    def __init__(self, key: SubjectKey) -> None:
        self.whose = key
        self._account = ""

    @property
    def called(self) -> str:
        return self.whose.name or self._account

    async def look(self, context: Context) -> str:
        self._account = context.account.code
        if self.whose.kind is SubjectKind.ACCOUNT:
            return f"{context.account.name}  the account itself"
        found = [row for row in await account_domains(context.scope) if row.name == self.called]
        said = "".join(
            f"  {row.state}{f', until {row.ends_on}' if row.ends_on else ''}" for row in found
        )
        return f"{self.called}{said}"

    def notices(self, views: Sequence[AssignmentView]) -> list[str]:
        return [] if views else [NO_SERVICES[self.whose.kind]]
