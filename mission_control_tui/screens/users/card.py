"""User Functions and Account Status of one user, side by side; Reset Password opens in their place."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from textual.app import ComposeResult
from textual.containers import Horizontal, HorizontalGroup, VerticalGroup

from mission_control_tui.model.people.password_policy import PasswordPolicy
from mission_control_tui.model.states import Light
from mission_control_tui.model.text.instances import with_instance
from mission_control_tui.model.views import AssignmentView, UserView
from mission_control_tui.screens.forms.password_fields import PasswordFields, RevealButton
from mission_control_tui.screens.services.service_panel import light_note
from mission_control_tui.widgets.action_button import ActionButton
from mission_control_tui.widgets.field import CheckField
from mission_control_tui.widgets.light import light_parts
from mission_control_tui.widgets.lines import LineWidget, Part
from mission_control_tui.widgets.rows import Column, HeldRows, Row
from mission_control_tui.widgets.text_lines import TextLines

FUNCTIONS = (
    ("services", "Services"),
    ("edit", "Edit User"),
    ("password", "Reset Password"),
    ("deprovision", "Deprovision"),
    ("delete", "Delete"),
)
BIN_FUNCTIONS = (("restore", "Restore"),)


class FunctionList(HeldRows):
    """User Functions."""

    help_text = (
        "Services: give, change, suspend, deprovision. Disable keeps everything and locks out; Deprovision takes all "
        "services away with their data; Delete puts the user into the recycling bin, after Deprovision. "
        "d does Disable or Deprovision at a date and time."
    )
    title = "User Functions"

    def __init__(self) -> None:
        super().__init__(columns=(Column("User Functions"),), id="functions")
        self._rows = ()


class StatusLines(LineWidget):
    """Account Status: what holds for the user and each service's light; only cells that differ are painted."""

    DEFAULT_CSS = """
    StatusLines { height: 1fr; }
    """

    def __init__(self) -> None:
        super().__init__(id="account-status")
        self._lines: list[list[Part]] = []

    def set(self, user: UserView, views: Sequence[AssignmentView]) -> None:
        self._lines = [[("Account Status", "dim")], *self._facts(user), *map(_service, views)]
        self.repaint()

    def _facts(self, user: UserView) -> Iterable[list[Part]]:
        details = user.details
        if user.in_bin:
            yield [("In the recycling bin", "error")]
        enabled = [("Disabled", "error")] if details.disabled else [("Enabled", "")]
        locked = [("Locked", "error")] if user.locked else [("not locked", "")]
        expires = f"expires {details.expires_on}" if details.expires_on else "never expires"
        yield [*enabled, (", ", ""), *locked, (f", {expires}", "")]
        if user.password_waiting:
            yield [("A password waits to be delivered", "dim")]

    def line(self, y: int, width: int) -> Iterable[Part]:
        if y == self.content_size.height - 1 and len(self._lines) > self.content_size.height:
            return [(f"+{len(self._lines) - y} more: Services shows all", "dim")]
        return self._lines[y] if y < len(self._lines) else ()


def _service(view: AssignmentView) -> list[Part]:
    name = with_instance(view.service, view.instance)
    return [*light_parts(view.light, f"{view.word:<16}"), (name, ""), (f"  {light_note(view)}", "")]


class PasswordReset(VerticalGroup):
    """Reset Password in place: Generate is the first thing that Enter does."""

    def __init__(
        self, ask: Callable[[PasswordReset, str | None], object], *, id: str | None = None
    ) -> None:
        """`ask` sets the password, None for a generated one."""
        super().__init__(id=id)
        self._ask = ask
        self.heading = TextLines("Reset Password", "title")
        self.fields = PasswordFields("New password", required=False, id="reset-password")
        self.must_change = CheckField(
            "Change password at next logon",
            help_text="The user has to choose a new password when logging in next.",
        )
        self.make = ActionButton(
            "Generate and set",
            help_text="Makes a password that meets every rule, sets it at all services, and reveals it once.",
            width=0,
            run=lambda: ask(self, None),
            id="reset-generate",
        )
        self.use = ActionButton("Set the typed one", width=0, run=self._typed, id="reset-typed")
        self.reveal = RevealButton("Reveal the password once")

    def compose(self) -> ComposeResult:
        yield self.heading
        with HorizontalGroup():
            yield self.make
            yield self.use
        yield self.reveal
        yield self.must_change
        yield self.fields

    def on_mount(self) -> None:
        self.fields.generate.display = False

    def judge_by(self, upn: str, username: str, policy: PasswordPolicy | None = None) -> None:
        """Whose password it is, and by which policy."""
        self.heading.set(f"Reset Password of {upn}")
        self.fields.judge_by(username, policy)

    def _typed(self) -> object:
        fields = self.fields
        if not fields.password.value:
            fields.password.error = "type one, or generate one above"
        fields.confirm.error = fields.mismatch
        if fields.password.error or fields.confirm.error:
            (fields.password if fields.password.error else fields.confirm).focus()
            return None
        return self._ask(self, fields.password.value)

    def done(self, generated: str | None) -> None:
        """The password is on its way; a generated one can be revealed once."""
        self.fields.clear()
        self.reveal.hold(generated or "")
        if generated:
            self.reveal.focus()


class UserCard(VerticalGroup):
    """What can be done with a user and how the user is. `show` fills it."""

    DEFAULT_CSS = """
    UserCard { border-top: solid ansi_white; }
    UserCard #card-columns { height: 9; }
    UserCard FunctionList { width: 24; }
    """

    def __init__(
        self,
        act: Callable[[Row], object],
        ask: Callable[[PasswordReset, str | None], object],
        *,
        id: str | None = None,
    ) -> None:
        """`act` does what is chosen of User Functions, `ask` sets a password."""
        super().__init__(id=id)
        self.who = TextLines("…", "title")
        self.functions = FunctionList()
        self.functions.then = act
        self.status = StatusLines()
        self.columns = Horizontal(self.functions, self.status, id="card-columns")
        self.reset = PasswordReset(ask, id="reset")
        self.reset.display = False
        self.user: UserView | None = None
        self.views: Sequence[AssignmentView] = ()

    def compose(self) -> ComposeResult:
        yield self.who
        yield self.columns
        yield self.reset

    def show(
        self, user: UserView, views: Sequence[AssignmentView], policy: PasswordPolicy | None = None
    ) -> None:
        """Show this user as it is now."""
        if self.user is None or self.user.id != user.id:
            self.functions.forget()
        self.user, self.views = user, views
        left = "; ".join(f"{setting}" for setting in user.unsettled)
        who = f"{user.details.display_name}  {user.upn}  ({user.details.username})"
        self.who.set(f"{who}\nTo be settled: {left}" if left else who)
        self.functions.hold([Row(name, (label,)) for name, label in self._functions(user)])
        given = [view for view in views if view.id and view.light is not Light.GREY]
        rest = [view for view in views if view not in given]
        self.status.set(user, [*given, *rest])
        self.reset.judge_by(user.upn, user.details.username, policy)

    def _functions(self, user: UserView) -> list[tuple[str, str]]:
        if user.in_bin:
            return list(BIN_FUNCTIONS)
        rows = list(FUNCTIONS)
        rows.insert(3, ("enable", "Enable") if user.details.disabled else ("disable", "Disable"))
        if user.locked:
            rows.insert(4, ("unlock", "Unlock"))
        return rows

    @property
    def resets(self) -> bool:
        """Tell whether Reset Password is open."""
        return bool(self.reset.display)

    def open_reset(self) -> None:
        """Show Reset Password in place of the functions."""
        self.columns.display = self.who.display = False
        self.reset.display = True
        self.reset.make.focus()

    def close_reset(self) -> None:
        """Back to the functions; a password that was not revealed is gone."""
        self.reset.reveal.hold("")
        self.reset.fields.clear()
        self.reset.display = False
        self.columns.display = self.who.display = True
        self.functions.focus()
        self.call_after_refresh(self.functions.rows_changed)
