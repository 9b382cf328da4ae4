"""What can be typed on the Account screen: contacts, the customer's number, the limit above which orders wait."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict

from textual.app import ComposeResult
from textual.containers import VerticalGroup

from mission_control_tui.model.accounts.contacts import (
    FIELDS,
    NAME_LIMIT,
    PHONE_LIMIT,
    Contact,
    ContactRole,
    in_order,
)
from mission_control_tui.model.accounts.editing import NUMBER_LIMIT
from mission_control_tui.model.errors import Problem
from mission_control_tui.model.money import Money
from mission_control_tui.screens.forms.user_fields import words_of
from mission_control_tui.widgets.action_button import ActionButton
from mission_control_tui.widgets.field import Field
from mission_control_tui.widgets.text_lines import TextLines

ROLES = (ContactRole.PRIMARY, ContactRole.SECONDARY)
_LABELS = {"name": "name", "email": "e-mail", "phone": "phone"}
_LIMITS = {"name": NAME_LIMIT, "email": 320, "phone": PHONE_LIMIT}
_HELP = (
    "Whom of the account to call. Clear all three fields of one to have none. A telephone number begins with + and the "
    "country's code, as in +61 2 9374 4000."
)


class ContactsForm(VerticalGroup):
    """The primary and the secondary contact; contacts with other roles stay as they are."""

    def __init__(self, save: Callable[[], object], *, id: str) -> None:
        super().__init__(id=id)
        self._loaded: tuple[Contact, ...] | None = None
        self.fields = {
            f"{role} {field}": Field(
                f"{role.value.capitalize()} {_LABELS[field]}",
                max_length=_LIMITS[field],
                help_text=_HELP,
            )
            for role in ROLES
            for field in FIELDS
        }
        self.notice = TextLines("", "error")
        """What somebody else changed meanwhile."""
        self._save = ActionButton(
            "Save contacts", reason="nothing is changed", run=save, id="save-contacts"
        )

    def compose(self) -> ComposeResult:
        yield from self.fields.values()
        yield self.notice
        yield self._save

    @property
    def loaded(self) -> tuple[Contact, ...]:
        """The contacts that are being changed."""
        return self._loaded or ()

    @property
    def typed(self) -> dict[str, str]:
        """Return what differs from what was loaded, by "primary name" and so on."""
        shown = _values(self.loaded)
        return {key: field.value for key, field in self.fields.items() if field.value != shown[key]}

    @property
    def is_dirty(self) -> bool:
        return self._loaded is not None and bool(self.typed)

    def show(self, contacts: Sequence[Contact]) -> None:
        """Show what is stored now, unless something is typed that is not saved."""
        if not self.is_dirty:
            self.adopt(contacts)

    def adopt(self, contacts: Sequence[Contact]) -> None:
        """Change these from now on; what was typed and not saved stays."""
        typed = self.typed if self._loaded is not None else {}
        self._loaded = in_order(contacts)
        self._put({**_values(self._loaded), **typed})

    def saved(self, contacts: Sequence[Contact]) -> None:
        """Show what was saved."""
        self._loaded = in_order(contacts)
        self._put(_values(self._loaded))
        self.notice.tell()

    def _put(self, values: Mapping[str, str]) -> None:
        for key, value in values.items():
            if key in self.fields:
                self.fields[key].value = value
        self._judge()

    def _judge(self) -> None:
        self._save.reason = "" if self.typed else "nothing is changed"

    def on_mount(self) -> None:
        self.notice.display = False

    def on_field_changed(self, event: Field.Changed) -> None:
        event.stop()
        event.field.error = ""
        self._judge()

    def wanted(self) -> list[Contact]:
        """Return all contacts as they shall be. A role whose fields are all empty has none."""
        wanted = []
        for role in ROLES:
            said = {name: self.fields[f"{role} {name}"].value.strip() for name in FIELDS}
            if any(said.values()):
                wanted.append(Contact(role, **said))
        # A second one of a role, which only the command line can make, is kept.
        seen: set[ContactRole] = set()
        for contact in self.loaded:
            if contact.role not in ROLES or contact.role in seen:
                wanted.append(contact)
            seen.add(contact.role)
        return wanted

    def point_at(self, problems: Sequence[Problem], wanted: Sequence[Contact]) -> list[str]:
        """Put each problem beside its field and go to the first; returns what has no field here."""
        homeless: list[str] = []
        for problem in problems:
            _contact, number, name = problem.where.split(" ", 2)
            field = self.fields.get(f"{wanted[int(number) - 1].role} {name}")
            if field is None:
                homeless.append(str(problem))
            else:
                field.error = words_of(problem)
        wrong = [field for field in self.fields.values() if field.error]
        if wrong:
            wrong[0].focus()
        return homeless

    def remember(self) -> object:
        if self._loaded is None or not self.typed:
            return None
        return {"typed": self.typed, "loaded": [asdict(contact) for contact in self._loaded]}

    def recall(self, memory: object) -> None:
        if not isinstance(memory, dict):
            return
        typed = {str(key): str(value) for key, value in memory["typed"].items()}
        if self._loaded is None:
            self._loaded = tuple(
                Contact(**{**contact, "role": ContactRole(contact["role"])})
                for contact in memory["loaded"]
            )
        self._put({**_values(self._loaded), **typed})


def _values(contacts: Sequence[Contact]) -> dict[str, str]:
    first = {contact.role: contact for contact in reversed(contacts)}
    return {
        f"{role} {field}": getattr(first.get(role), field, "") for role in ROLES for field in FIELDS
    }


class OneFieldForm(VerticalGroup):
    """A field that belongs to the account itself, and the button that saves it."""

    def __init__(self, field: Field, button: str, save: Callable[[], object], *, id: str) -> None:
        super().__init__(id=id)
        self._shown: str | None = None
        self.version = 0
        self.field = field
        self._save = ActionButton(
            button, reason="nothing is changed", run=save, id=button.lower().replace(" ", "-")
        )

    def compose(self) -> ComposeResult:
        yield self.field
        yield self._save

    @property
    def is_dirty(self) -> bool:
        return self._shown is not None and self.field.value != self._shown

    def show_text(self, text: str, version: int) -> None:
        """Show what is stored, unless something else is typed."""
        if self.is_dirty:
            return
        self.version = version
        self._shown = text
        self.field.value = text
        self._judge()

    def saved(self) -> None:
        self._shown = self.field.value

    def _judge(self) -> None:
        self._save.reason = "" if self.is_dirty else "nothing is changed"

    def on_field_changed(self, event: Field.Changed) -> None:
        event.stop()
        event.field.error = ""
        self._judge()


class CustomerForm(OneFieldForm):
    """The customer's number with the provider."""

    def __init__(self, save: Callable[[], object], *, id: str) -> None:
        field = Field(
            "Customer number",
            max_length=NUMBER_LIMIT,
            help_text="The number that the customer has with you, as on your invoices: Find anyone, Accounts and "
            "`account list` find the account by it. Empty: none.",
        )
        super().__init__(field, "Save number", save, id=id)


class LimitForm(OneFieldForm):
    """The total above which orders wait for approval."""

    def __init__(self, save: Callable[[], object], *, id: str) -> None:
        field = Field(
            "Orders above",
            max_length=20,
            width=14,
            help_text="Orders of more than this total, with tax, bring nothing before somebody approves them. Empty: "
            "no order waits because of its total.",
        )
        super().__init__(field, "Save limit", save, id=id)

    def show(self, limit: Money | None, currency: str, version: int) -> None:
        """Show what is stored, unless something else is typed."""
        self.field.suffix = f" {currency}"
        self.field.note = "wait for approval" if limit is not None else "empty: no order waits"
        self.show_text("" if limit is None else limit.format(code=False).replace(",", ""), version)
