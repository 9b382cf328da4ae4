"""The services of a domain or of the account itself: light, settings and drift of each, and its verbs."""

from __future__ import annotations

from collections.abc import Sequence

from mission_control_tui.model.accounts.domain_overview import account_domains
from mission_control_tui.model.services.subjects import SubjectKey
from mission_control_tui.model.states import SubjectKind
from mission_control_tui.model.views import AssignmentView
from mission_control_tui.screens.services.provision import ProvisionScreen

NO_SERVICES = {
    SubjectKind.DOMAIN: "This domain has no services, and none are offered for it.",
    SubjectKind.ACCOUNT: "The account itself has no services, and has bought none.",
}


class SubjectServicesScreen(ProvisionScreen):
    """The panels of what is no user's: they work as those of a user's services do."""

    NAME = "subject-services"
    MEMORY_NAME = "SubjectServicesScreen"
    HEADING = "Services"
    ABOUT = (
        "Every service of the domain or of the account itself, with its light. Enter opens a service; p or F2 sends "
        "what you chose and typed, and asks again for what is red, not checked or not as wished. The lights change by "
        "themselves. A red one says why: e goes to what can be changed, Take over adopts what is there already. b buys."
    )
    VERBS = ("provision", "retry", "edit", "buy", "copy")

    def __init__(
        self, kind: str = SubjectKind.ACCOUNT, name: str = "", assignment_id: str | None = None
    ) -> None:
        """`kind` is that of the subject, `name` the domain's; the panel of the assignment is opened."""
        super().__init__("", assignment_id)
        self._key = SubjectKey(SubjectKind(kind), name)

    @property
    def whose(self) -> SubjectKey:
        return self._key

    @property
    def memory_key(self) -> str:
        own = f"{self.MEMORY_NAME} {self._key.kind} {self._key.name}"
        return own if self._bound is None else f"{self._bound.account_id} {own}"

    def about_user(self) -> str | None:
        return None

    async def look(self) -> str:
        scope = self.context.scope
        if self._key.kind is SubjectKind.ACCOUNT:
            return f"{self.context.account.name}  the account itself"
        found = [row for row in await account_domains(scope) if row.name == self._key.name]
        said = "".join(
            f"  {row.state}{f', until {row.ends_on}' if row.ends_on else ''}" for row in found
        )
        return f"{self._key.name}{said}"

    def notices(self, views: Sequence[AssignmentView]) -> list[str]:
        return [] if views else [NO_SERVICES[self._key.kind]]

    @property
    def called(self) -> str:
        return self._key.name or self.context.account.code
