"""Edit User: details, password, account setting and addresses; nothing is sent before Provision."""

from __future__ import annotations

from collections.abc import Iterable

from textual.containers import Vertical
from textual.widget import Widget

from mission_control_tui.model.errors import MissionControlError, StaleVersion
from mission_control_tui.model.people.fields import FIELDS, Group, Value
from mission_control_tui.model.people.fields import UserField as PersonField
from mission_control_tui.model.text.counting import counted
from mission_control_tui.model.text.differences import difference_words
from mission_control_tui.model.users import queries
from mission_control_tui.model.users.aliases import AddressChanges
from mission_control_tui.model.users.editing import edit_user
from mission_control_tui.model.views import UserView
from mission_control_tui.screens.base.mission_screen import MissionScreen
from mission_control_tui.screens.forms.address_fields import AddressEdits, AddressFields
from mission_control_tui.screens.forms.option_fields import put
from mission_control_tui.screens.forms.refused_fields import announced_by, point_out
from mission_control_tui.screens.forms.user_fields import (
    field_name,
    form_widgets,
    make_widget,
    shown_value,
    value_of,
    widget_id,
)
from mission_control_tui.screens.users.card import PasswordReset
from mission_control_tui.screens.users.functions import reset_password
from mission_control_tui.widgets.action_button import ActionButton
from mission_control_tui.widgets.field import CheckField, Field, FormLine
from mission_control_tui.widgets.fold import Fold
from mission_control_tui.widgets.text_lines import TextLines

FIXED = "username"
LABELS = {field.name: field.label for field in FIELDS} | {
    "aliases": "Aliases",
    "primary_address": "Primary address",
    "in_bin": "In the recycling bin",
}
DETAILS = tuple(
    field for field in FIELDS if field.group is not Group.ACCOUNT and field.name != FIXED
)
ACCOUNT = tuple(field for field in FIELDS if field.group is Group.ACCOUNT)


class EditUserScreen(MissionScreen):
    """Changes a user."""

    NAME = "edit-user"
    MEMORY_NAME = "EditUserScreen"
    DRAFT = "Edit User"
    HEADING = "Edit User"
    ABOUT = (
        "Change what you like; it is counted above as not yet provisioned until you press F2 or the Provision button. "
        "When somebody else saves the same user meanwhile, you are shown what differs, nothing that you typed is lost, "
        "and Provision once more saves yours over it."
    )
    VERBS = ("provision",)
    MAIN = "provision"
    CSS_PATH = "edit_user.tcss"

    def __init__(self, user_id: str, field: str = "") -> None:
        """The focus goes to `field`."""
        super().__init__()
        self.user_id = user_id
        self._wanted_field = field
        self._user: UserView | None = None
        self._shown: dict[str, Value] = {}
        self._touched: dict[str, Value] = {}
        self._version = 0
        self._kept_version = 0
        self._their_words: list[str] = []
        self._refused_fields = announced_by(self)

    @property
    def memory_key(self) -> str:
        return f"{self.MEMORY_NAME} {self.user_id}"

    def about_user(self) -> str | None:
        return self.user_id

    def body(self) -> Iterable[Widget]:
        yield TextLines("…", "title", id="who")
        yield TextLines("", "orange", id="pending")
        yield TextLines("", "error", id="notice")
        with Vertical(id="form"):
            yield Fold(
                "User Details",
                lambda: map(self._widget, DETAILS),
                note="names, phones, address",
                id="details",
            )
            yield Fold(
                "Password Reset", self._password, note="generate or type a new one", id="password"
            )
            yield Fold(
                "Account Setting",
                lambda: map(self._widget, ACCOUNT),
                note="disabled, expiry, password rules, test user",
                id="account",
            )
            yield Fold(
                "Email addresses", self._addresses, note="aliases, primary address", id="email"
            )
        yield ActionButton(
            "Provision", reason="nothing is changed", verb="provision", id="provision"
        )

    def _widget(self, field: PersonField) -> Widget:
        shown = self._shown.get(field.name, "")
        return make_widget(field, self._touched.get(field.name, shown))

    def _password(self) -> Iterable[Widget]:
        reset = PasswordReset(self._reset_password, id="reset")
        if self._user is not None:
            reset.judge_by(self._user.upn, self._user.details.username)
        return [reset]

    def _addresses(self) -> Iterable[Widget]:
        fields = AddressFields(id="address-fields")
        if self._user is not None:
            fields.show(self._user.upn, self._user.aliases, self._user.primary_address)
        return [fields]

    # Data

    async def load(self) -> None:
        scope = self.context.scope
        user = await queries.details(scope, self.user_id)
        self.looked_at(user.id)
        first = self._user is None
        self._take_typed()
        if first or not self._is_dirty:
            self._adopt(user)
            if self._is_dirty and self._kept_version:
                self._version = self._kept_version
        elif user.version != self._version:
            self._user = user
        for reset in self.query(PasswordReset).results(PasswordReset):
            reset.judge_by(user.upn, user.details.username, await queries.password_policy(scope))
        self._say()
        self.refresh_keys()
        if first:
            self._first_shown()

    def _first_shown(self) -> None:
        details = self.query_one("#details", Fold)
        if self.memory.kept:
            self.go_back()
        if self._wanted_field:
            self.do(self._go_to_field(self._wanted_field))
            return
        if not any(fold.is_open for fold in self.frame.body.query(Fold).results(Fold)):
            self.do(self._open_first(details))

    async def _go_to_field(self, name: str) -> None:
        """Open the panel of a field and go there; "password" is Password Reset."""
        in_account = any(field.name == name for field in ACCOUNT)
        panel = "password" if name == "password" else "account" if in_account else "details"
        await self.query_one(f"#{panel}", Fold).open_now()
        widget = self.query_one(PasswordReset).make if name == "password" else self._find(name)
        if widget is not None:
            widget.focus()
            # Where it is, is known once the panel has been laid out.
            self.call_after_refresh(widget.scroll_visible, animate=False)

    async def _open_first(self, details: Fold) -> None:
        """Open a panel and go to its first field; keys that come meanwhile are for that field."""
        await details.open_now()
        if not details.is_open:
            return  # closed again meanwhile: a field in it would have a focus that nobody sees
        if self.focused is None or not getattr(self.focused, "is_field", False):
            self.set_focus(details.query(Field).first(Field).input)

    def _adopt(self, user: UserView) -> None:
        """Show what is stored now in every field that was not touched."""
        self._user, self._version = user, user.version
        self.query_one("#who", TextLines).set(
            f"{user.details.display_name}  {user.upn}  (username {user.details.username}, fixed)"
        )
        for field in FIELDS:
            value = shown_value(field, getattr(user.details, field.name))
            self._shown[field.name] = value
            if self._touched.get(field.name) == value:
                del self._touched[field.name]
            widget = self._find(field.name)
            if widget is not None and field.name not in self._touched:
                _put(widget, value)
        for fields in self.query(AddressFields).results(AddressFields):
            fields.show(user.upn, user.aliases, user.primary_address)

    def _find(self, name: str) -> Widget | None:
        found = self.query("#" + widget_id(name))
        return found.first() if found else None

    @property
    def _wished(self) -> AddressEdits:
        found = self.query(AddressFields)
        return found.first(AddressFields).wished if found else AddressEdits()

    @property
    def _is_dirty(self) -> bool:
        return bool(self._touched or self._wished.count)

    # What is touched

    def on_field_changed(self, event: Field.Changed) -> None:
        self._changed(event.field)

    def on_form_line_changed(self, event: FormLine.Changed) -> None:
        self._changed(event.field)

    def _changed(self, widget: Field | FormLine) -> None:
        name = field_name(widget.id)
        if name not in self._shown:
            return
        widget.error = ""
        if value_of(widget) == self._shown[name]:
            self._touched.pop(name, None)
        self._take_typed()
        self._say()

    def on_error_changed(self) -> None:
        self._refused_fields.recount()

    def _take_typed(self) -> None:
        """Note what was typed: a key's own message may still be on its way when the user is read again."""
        for field, widget in form_widgets(self.frame.body):
            value = value_of(widget)
            if value != self._shown.get(field.name, value):
                self._touched[field.name] = value

    def on_fold_toggled(self, event: Fold.Toggled) -> None:
        """Who opens Email addresses most often adds an alias: go there, which also brings it into view."""
        fold = event.fold
        if fold.id == "email" and fold.is_open and fold.title_line.has_focus:
            # At once: a focus that is set while this is on its way comes after it.
            self.set_focus(self.query_one(AddressFields).alias.input)

    def on_address_fields_changed(self) -> None:
        self._say()

    def _names(self) -> list[str]:
        """Return what is changed and not yet provisioned."""
        names = [LABELS[name] for name in self._touched]
        return [*names, "Email addresses"] if self._wished.count else names

    def _say(self) -> None:
        """Count what is not yet provisioned."""
        count = len(self._touched) + self._wished.count
        names = self._names()
        changes = counted(count, "change")
        words = f"Not yet provisioned: {changes} ({', '.join(names)})" if count else ""
        self.query_one("#pending", TextLines).set(words)
        self.query_one("#provision", ActionButton).reason = "" if count else "nothing is changed"
        self.query_one("#notice", TextLines).tell(*self._their_words)

    # Provision

    async def verb_provision(self) -> None:
        if not self._is_dirty:
            self.answer("Nothing is changed")
            return
        removed = self._wished.removed
        if not removed or self._user is None:
            await self._save()
            return
        self.prompts.confirm(
            [
                f"{self.context.account.name}: remove {', '.join(removed)} from {self._user.upn}?",
                "Lost: mail to these addresses is no longer delivered, and others may take them.",
                "Seats and money: nothing changes.",
            ],
            self._save,
            yes="Remove",
        )

    async def _save(self) -> None:
        sent, wished = dict(self._touched), self._wished
        addresses = AddressChanges(tuple(wished.added), wished.primary, tuple(wished.removed))
        try:
            outcome = await edit_user(
                self.context.scope,
                self.user_id,
                sent,
                addresses=addresses,
                expected_version=self._version,
            )
        except StaleVersion as error:
            await self._show_theirs(error)
            return
        except MissionControlError as error:
            if not error.problems:
                raise
            await self._refused(error)
            return
        self._their_words = []
        self._take_typed()
        self._touched = {
            name: value for name, value in self._touched.items() if sent.get(name) != value
        }
        self._adopt(outcome.result)
        told = "the services that have to know are told, and their lights follow"
        await self.done(f"Saved; {'; '.join(outcome.plan.warnings) or told}")

    async def _show_theirs(self, error: StaleVersion) -> None:
        user = await queries.details(self.context.scope, self.user_id)
        self._take_typed()
        mine = self._names()
        self._adopt(user)
        self._their_words = [
            error.what,
            *difference_words(error.theirs, LABELS),
            "What you typed is kept"
            + (f": {', '.join(mine)}" if mine else "")
            + ". Provision again saves it over theirs.",
        ]
        self._say()
        self.announce("Nothing was saved, and nothing is lost; see above", error=True)

    async def _refused(self, error: MissionControlError) -> None:
        names = {problem.where for problem in error.problems}
        groups = {"details": DETAILS, "account": ACCOUNT}
        for fold, fields in groups.items():
            if names & {field.name for field in fields}:
                await self.query_one(f"#{fold}", Fold).open_now()
        places: dict[str, Field | FormLine] = {}
        for field in FIELDS:
            widget = self._find(field.name)
            if isinstance(widget, Field | FormLine):
                places[field.name] = widget
        if "alias" in names:
            await self.query_one("#email", Fold).open_now()
        for addresses in self.query(AddressFields).results(AddressFields):
            places["alias"] = addresses.alias
        if homeless := point_out(self._refused_fields, error.problems, places):
            self.announce("; ".join(homeless), error=True)

    async def _reset_password(self, reset: PasswordReset, password: str | None) -> None:
        if self._user is not None:
            await reset_password(self, reset, self._user, password)

    # Leaving

    def may_leave(self) -> bool:
        if self._is_dirty:
            self.announce("What is not yet provisioned is kept; come back to Edit User for it")
        return True

    @property
    def unfinished(self) -> bool:
        return self._is_dirty

    def remember(self) -> dict[str, object]:
        return {
            **super().remember(),
            "touched": dict(self._touched),
            "version": self._version,
        }

    def recall(self, memory: dict[str, object]) -> None:
        for (
            field
        ) in FIELDS:  # what is only shown is read anew, so that nobody saves what was there before
            memory.pop(widget_id(field.name), None)
        touched, version = memory.pop("touched", None), memory.pop("version", None)
        if isinstance(touched, dict) and touched and isinstance(version, int):
            self._touched = {**touched, **self._touched}
            self._kept_version = version
            for name, value in self._touched.items():
                if (widget := self._find(name)) is not None:
                    _put(widget, value)
            if self._user is not None:
                self._version = version
                self._say()


def _put(widget: Widget, value: Value) -> None:
    if isinstance(widget, CheckField | Field):
        with widget.prevent(Field.Changed):
            put(widget, value)
