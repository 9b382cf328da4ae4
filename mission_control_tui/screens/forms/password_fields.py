"""Choosing a password: two hidden fields, the policy's rules as one types, Generate, and revealing once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar, cast

from textual import events
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, VerticalGroup
from textual.geometry import Size
from textual.message import Message

from mission_control_tui.keys import keymap
from mission_control_tui.model.people.password_policy import (
    DEFAULT_POLICY,
    PasswordPolicy,
    check,
    generate,
)
from mission_control_tui.screens.base.host import Host
from mission_control_tui.widgets.action_button import ActionButton
from mission_control_tui.widgets.cells import width_of
from mission_control_tui.widgets.field import Field
from mission_control_tui.widgets.lines import LineWidget, Part

MET, BROKEN, OPEN = "√", "×", "·"  # noqa: RUF001 - the sign of a red light
GAP = "   "
RULES_HELP = "Each rule below shows whether it is met. Generate makes one that meets all."
BROKEN_RULE = "breaks a rule below"
"""What stands beside a password whose rules are shown below it."""


class RuleLines(LineWidget):
    """The rules of the policy, each with whether the password meets it."""

    DEFAULT_CSS = """
    RuleLines { height: auto; }
    """

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.policy = DEFAULT_POLICY
        self._password = ""
        self._username = ""

    def set(self, password: str, username: str, policy: PasswordPolicy) -> None:
        rows = len(self._packed(self.content_size.width))
        self._password, self._username, self.policy = password, username, policy
        if len(self._packed(self.content_size.width)) != rows:
            self.refresh(layout=True)
        else:
            self.repaint()

    def _packed(self, width: int) -> list[list[Part]]:
        rows: list[list[Part]] = [[]]
        used = 0
        results = check(self._password, self._username, self.policy)
        for result in sorted(results, key=lambda rule: len(rule.text)):
            if result.rule == "characters" and result.met:
                continue
            sign = OPEN if not self._password else MET if result.met else BROKEN
            style = "dim" if not self._password or result.met else "error"
            part = (f"{sign} {result.text}", style)
            wide = width_of(part[0])
            if rows[-1] and used + len(GAP) + wide > width:
                rows.append([])
                used = 0
            if rows[-1]:
                rows[-1].append((GAP, ""))
                used += len(GAP)
            rows[-1].append(part)
            used += wide
        return rows

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return len(self._packed(width))

    def line(self, y: int, width: int) -> Iterable[Part]:
        rows = self._packed(width)
        return rows[y] if y < len(rows) else ()


class RevealButton(ActionButton):
    """Shows a generated password once, until the focus goes elsewhere; hidden while there is none.

    While it is shown, the key that copies hands it to the terminal's clipboard, and no line repeats it.
    """

    BINDINGS: ClassVar[list[BindingType]] = [*keymap.bindings("copy", action="copy_secret")]

    DEFAULT_CSS = """
    RevealButton { display: none; }
    """

    class Gone(Message):
        """It was shown, and is forgotten."""

    def __init__(self, label: str = "Reveal once", *, id: str | None = None) -> None:
        super().__init__(
            label,
            help_text="Shows the generated password once, until you go on. It is kept nowhere.",
            id=id,
        )
        self._secret = ""
        self._shows = self._copied = False

    def is_of(self, secret: str) -> bool:
        """Tell whether there is nothing to reveal but `secret`."""
        return self._secret in ("", secret)

    def hold(self, secret: str) -> None:
        """Take a password to reveal; an empty one hides the button."""
        self._secret = secret
        self._shows = self._copied = False
        self.display = bool(secret)
        self.repaint()

    def line(self, y: int, width: int) -> Iterable[Part]:
        if y == 0 and self._shows:
            own = getattr(self.app, "keys", None)
            key = keymap.key_word(keymap.keys_of(keymap.BY_ID["copy"], own)[0])
            said = "copied" if self._copied else f"{key} copies it"
            return [("Password: ", ""), (self._secret, "cursor"), (f"  {said}; shown once", "dim")]
        return super().line(y, width)

    def action_press(self) -> None:
        self._shows = bool(self._secret)
        self.repaint()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return self._shows if action == "copy_secret" else True

    def action_copy_secret(self) -> None:
        cast("Host", self.app).copy_to_clipboard(self._secret, secret=True)
        self._copied = True
        self.repaint()

    def _on_blur(self, event: events.Blur) -> None:
        super()._on_blur(event)
        if self._shows:
            self.hold("")
            self.post_message(self.Gone())


class HiddenPassword:
    """A typed password on its way through a screen's memory; it never prints."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return "<hidden>"


class PasswordFields(VerticalGroup):
    """Password and Confirm with the rules below. `password` and `confirm` are the two fields."""

    DEFAULT_CSS = """
    PasswordFields Horizontal { height: 1; }
    """

    def __init__(self, label: str = "Password", *, required: bool, id: str | None = None) -> None:
        super().__init__(id=id)
        self.policy = DEFAULT_POLICY
        self._username = ""
        self.password = Field(
            label,
            required=required,
            password=True,
            max_length=256,
            help_text=RULES_HELP,
            id="f-password",
        )
        self.confirm = Field(
            "Confirm",
            required=required,
            password=True,
            max_length=256,
            help_text="The same password once more.",
            id="f-confirm",
        )
        self.rules = RuleLines()
        self.generate = ActionButton(
            "Generate password",
            help_text="Makes a password that meets every rule and fills in both fields.",
            width=0,
            run=self._make,
            id="generate",
        )
        self.reveal = RevealButton(id="reveal")

    def compose(self) -> ComposeResult:
        yield self.password
        yield self.confirm
        yield self.rules
        with Horizontal():
            yield self.generate
            yield self.reveal

    def used_at(self, services: Sequence[str]) -> None:
        """Tell at which services users sign in with it by their directory account."""
        if services:
            names = ", ".join(services)
            self.password.note = "of the directory account"
            self.password.help_text = (
                f"{RULES_HELP} Users sign in with it by their directory account at {names}."
            )

    def judge_by(self, username: str, policy: PasswordPolicy | None = None) -> None:
        """Whose password it is, and by which policy."""
        self._username = username
        self.policy = policy or self.policy
        self._show_rules()

    def _show_rules(self) -> None:
        self.rules.set(self.password.value, self._username, self.policy)

    @property
    def mismatch(self) -> str:
        """Return what is wrong with Confirm; empty when it is the same password."""
        if self.password.value and self.confirm.value != self.password.value:
            return "is not the same password" if self.confirm.value else "type the password again"
        return ""

    def on_field_changed(self, event: Field.Changed) -> None:
        event.stop()
        if not self.reveal.is_of(self.password.value):
            self.reveal.hold("")
        if event.field is self.password:
            self.password.error = ""
            self._show_rules()
        if self.confirm.error or len(self.confirm.value) >= len(self.password.value) > 0:
            self.confirm.error = self.mismatch

    def on_field_left(self, event: Field.Left) -> None:
        if event.field is self.confirm and self.confirm.value:
            self.confirm.error = self.mismatch

    def _make(self) -> None:
        made = generate(self.policy, self._username)
        self.reveal.hold(made)
        self.password.value = self.confirm.value = made
        self.password.error = self.confirm.error = ""
        self._show_rules()
        self.reveal.focus()

    def clear(self) -> None:
        """Forget what was typed."""
        self.password.value = self.confirm.value = ""
        self.password.error = self.confirm.error = ""

    def remember(self) -> object:
        return HiddenPassword(self.password.value), HiddenPassword(self.confirm.value)

    def recall(self, memory: object) -> None:
        if isinstance(memory, tuple):
            self.password.value, self.confirm.value = (hidden.text for hidden in memory)
            self._show_rules()
