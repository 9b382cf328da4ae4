"""What the account allowed to others: names above or below its domains, given and taken back on the Account screen."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from textual.app import ComposeResult
from textual.containers import VerticalGroup

from mission_control_tui.model.domains.consents import (
    DomainConsent,
    allow_domain,
    withdraw_domain,
)
from mission_control_tui.model.errors import InvalidInput, MissionControlError
from mission_control_tui.screens.base.mission_screen import MissionScreen
from mission_control_tui.screens.forms.user_fields import words_of
from mission_control_tui.widgets.action_button import ActionButton
from mission_control_tui.widgets.field import Field
from mission_control_tui.widgets.row_list import RowList
from mission_control_tui.widgets.rows import Column, Row

_HELP = "Another account needs this one's yes for a name above or below its domains, as mail.acme.com below acme.com."


class ConsentForm(VerticalGroup):
    """A name and the account that may have it, the button that allows it, and what was allowed."""

    def __init__(self, allow: Callable[[], object], *, id: str) -> None:
        super().__init__(id=id)
        self.name_field = Field("Allow name", max_length=253, help_text=_HELP, id="allow-name")
        self.to_field = Field(
            "To account", max_length=16, help_text=f"Its code. {_HELP}", id="allow-to"
        )
        self._button = ActionButton(
            "Allow", reason="type a name and an account", run=allow, id="allow-domain"
        )
        self._list = RowList(
            columns=(Column("Allowed"), Column("To", 16), Column("Since", 10)),
            empty="Nothing is allowed to other accounts",
            help_text="Enter takes it back; what the other account has by now it keeps.",
            title="Allowed names",
            id="consent-list",
        )

    def compose(self) -> ComposeResult:
        yield self.name_field
        yield self.to_field
        yield self._button
        yield self._list

    def show(self, consents: Sequence[DomainConsent]) -> None:
        """Show what is allowed now."""
        self._list.set_rows(
            [
                Row(
                    f"{given.name} {given.account}",
                    (given.name, given.account, f"{given.given_at:%Y-%m-%d}"),
                    given,
                )
                for given in consents
            ]
        )

    def clear(self) -> None:
        self.name_field.value = self.to_field.value = ""
        self._judge()

    def _judge(self) -> None:
        typed = self.name_field.value.strip() and self.to_field.value.strip()
        self._button.reason = "" if typed else "type a name and an account"

    def on_field_changed(self, event: Field.Changed) -> None:
        event.stop()
        event.field.error = ""
        self._judge()


async def allow(screen: MissionScreen, form: ConsentForm) -> None:
    """Give the yes that is typed; what is refused is said beside its field."""
    name, to = form.name_field.value.strip(), form.to_field.value.strip()
    try:
        await allow_domain(screen.context.scope, name, to)
    except InvalidInput as error:
        form.name_field.error = words_of(error.problems[0])
        form.name_field.focus()
        return
    except MissionControlError as error:
        screen.announce_error(error)
        return
    form.clear()
    screen.announce(f"{name} is allowed to {to}")
    screen.reload()


def ask_withdraw(screen: MissionScreen, consent: DomainConsent) -> None:
    """Take a yes back, after a question."""

    async def withdraw() -> None:
        await withdraw_domain(screen.context.scope, consent.name, consent.account)
        screen.announce(f"{consent.name} is no longer allowed to {consent.account}")
        screen.reload()

    screen.prompts.confirm(
        [
            f"{screen.context.account.name}: take back that {consent.account} may have {consent.name}?",
            "Lost: the yes. What that account has by now it keeps.",
            "Seats and money: nothing changes.",
        ],
        withdraw,
        yes="Take back",
    )
