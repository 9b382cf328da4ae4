"""One service instance of a user as a panel: light, why it is red, levels with seats, settings, what can be done."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import cast

from textual.containers import Horizontal
from textual.widget import Widget

from mission_control_tui.model.catalogue.types import Option, OptionGroup, Service
from mission_control_tui.model.catalogue.values import Value
from mission_control_tui.model.errors import InvalidInput, NotFound
from mission_control_tui.model.requests.connector_pauses import Pause
from mission_control_tui.model.requests.request_plans import RequestPlan
from mission_control_tui.model.services.failures import LastFailure
from mission_control_tui.model.services.kept_settings import not_kept
from mission_control_tui.model.services.usage import NEAR, fullness
from mission_control_tui.model.states import ErrorKind, Light, Wish, Word
from mission_control_tui.model.text.instances import with_instance
from mission_control_tui.model.text.limits import INSTANCE
from mission_control_tui.model.users.actions.params import ActionParams
from mission_control_tui.model.views import AssignmentView, Seats
from mission_control_tui.screens.forms.known_lines import kept_line, usage_line
from mission_control_tui.screens.forms.option_fields import option_widget, shown
from mission_control_tui.screens.forms.password_fields import RevealButton
from mission_control_tui.screens.services.panel_places import (
    NO_PLACE,
    PanelPlace,
    place_field,
    show_place,
)
from mission_control_tui.widgets.action_button import ActionButton
from mission_control_tui.widgets.cells import age
from mission_control_tui.widgets.field import AnyField, ChoiceField, Field
from mission_control_tui.widgets.fold import Fold, ServicePanel
from mission_control_tui.widgets.level_picker import LevelChoice, LevelPicker
from mission_control_tui.widgets.seat_bar import SeatCounts as SeatBar
from mission_control_tui.widgets.text_lines import TextLines

LEVEL, PASSWORD = "level", "password"
"""What an error may name beside options and fields of the user."""

USER_WORDS = (
    ("password", PASSWORD),
    ("display name", "display_name"),
    ("upn", "upn"),
    ("address", "upn"),
    ("name", "display_name"),
)
"""Words of an error that point at the user, and which field they mean."""

AGAIN = "again; this often mends one-off errors."

GROUPS = ((OptionGroup.SETTINGS, "Service Settings"), (OptionGroup.ADVANCED, "Advanced Options"))


def light_note(view: AssignmentView) -> str:
    """Return what stands beside the word: step and age while it is on its way."""
    if view.light is Light.ORANGE:
        return ", ".join(filter(None, (view.step, age(view.since))))
    if view.light is Light.GREEN and view.suspended:
        return "(suspended)"
    if view.light is Light.GREEN and view.drift:
        return "(not as wished)"
    if view.light is Light.GREEN and (full := fullness(view.usage)) >= NEAR:
        return f"({full:.0%} full)".replace("%", " %")
    if view.light is Light.GREY and view.kept_until is not None:
        return f"(kept until {view.kept_until:%Y-%m-%d})"
    return ""


BUTTONS = {
    "give": ("Provision", "Sends the wish to the worker; the light shows how it goes."),
    "again": ("Deprovision again", "Asks once more for what failed; it looks first what is left."),
    "adopt": ("Take over", "Takes over what exists at the back end already and nobody here owns."),
    "suspend": ("Suspend", "Takes the access away and keeps the data and the seat."),
    "resume": ("Resume", "Gives the access back."),
    "deprovision": (
        "Deprovision",
        "Takes the service away: its data is lost, its seat free again.",
    ),
    "move": ("Move", "Brings the service to the connector that is chosen above."),
    "remove": (
        "Remove now",
        "Removes what a move has left at its former connector, with its data.",
    ),
    "secret": ("New password", "Makes a new password for this service alone."),
}
"""What can be done with a service, by the button's id: its label and what help says."""


class UserServicePanel(ServicePanel):
    """A panel of Provision Services; `another` is one for a further instance, which needs a name."""

    def __init__(
        self,
        service: Service,
        view: AssignmentView,
        seats: Mapping[str, Seats],
        failure: LastFailure | None = None,
        plan: RequestPlan | None = None,
        kept: frozenset[str] | None = None,
        pause: Pause | None = None,
        place: PanelPlace = NO_PLACE,
        *,
        another: bool = False,
    ) -> None:
        """`kept` are the options that the service's connector keeps; None where it keeps any, or is not known.

        `pause` is that of the connector, while it is paused.
        """
        self.failure = failure
        self.pause = pause
        self.place = place
        self.kept = kept
        self.plan = plan
        self.service = service
        self.view = view
        self.seats = seats
        self.another = another
        self.chosen: str | None = self._level_of(view)
        self.typed: dict[str, str | bool] = {}
        self._shown: dict[str, str | bool] = {}
        title = f"{service.name}: one more" if another else service.name
        # The name of an instance may be made of anything, and an id may not.
        self._prefix = f"another-{service.id}" if another else f"panel-{service.id}"
        if view.instance:
            title = with_instance(title, view.instance)
            self._prefix += f"-{view.instance.encode().hex()}"
        super().__init__(
            title,
            self._build,
            light=view.light,
            word=view.word,
            light_note=light_note(view),
            note=self._note(),
            help_text=service.description
            + " Choose a level, then p or F2 provisions; nothing is sent before.",
            id=self._prefix,
        )
        if another:
            self.light.styles.visibility = "hidden"

    # What it says

    @staticmethod
    def _level_of(view: AssignmentView) -> str | None:
        """Return the level that is chosen at first; what a move left has none to choose."""
        return None if view.marked else view.level_id or None

    def _note(self) -> str:
        if self.view.wish is Wish.ABSENT and self.view.light is Light.GREY:
            return ""
        return self.view.level.removeprefix(f"{self.service.name} - ")

    @property
    def why(self) -> str:
        """Return why the light is red or waits, in the back end's own words, and what to do."""
        view, lines = self.view, self.error_lines
        if view.light is Light.RED:
            again = "provisions" if self.is_given else "deprovisions"
            lines.append(f"p {again} again, e goes to what can be changed, i to its connector.")
        elif view.light is Light.ORANGE and self.pause is not None:
            lines.append(f"i goes to connector {view.connector}.")
        return "\n".join(lines)

    @property
    def error_lines(self) -> list[str]:
        """The step that failed, what was said and what to do, as lines for a ticket; none while nothing is wrong."""
        view = self.view
        if view.light is Light.RED:
            failed = self.failure.step if self.failure else ""
            at = f"at connector {view.connector}"
            step = f"Failed in step: {failed}, {at}" if failed else f"Failed {at}"
            said = f"The back end said: {view.error_said}" if view.error_said else ""
            verb = "Provision" if self.is_given else "Deprovision"
            remedy = view.error_remedy.strip() or f"{verb} {AGAIN}"
            return [*filter(None, (step, said)), f"What to do: {remedy}"]
        if view.light is Light.ORANGE and self.pause is not None:
            return [*self.pause.lines]
        if view.light is Light.ORANGE and self.plan is not None:
            return ["The back end would be changed in:", *self.plan.planned.lines]
        if view.light is Light.ORANGE and view.error_said:
            return [f"Will be tried again. The back end said: {view.error_said}"]
        return []

    def _known(self) -> tuple[str, ...]:
        """Return what is known beside the light: until when kept, its parts, what is used, how users sign in."""
        given = self.is_given
        parts = self.place.line if given or self.view.light is not Light.GREY else ""
        used = usage_line(self.view) if given else ""
        return kept_line(self.view), parts, used, self.service.sign_in

    def _known_style(self) -> str:
        return "warning" if self.is_given and fullness(self.view.usage) >= NEAR else "dim"

    @property
    def wrong_field(self) -> str:
        """What can be corrected of a red light: an option's id, LEVEL, PASSWORD, a field of the user; "" if unknown.

        The connector's error says it; where it does not, its words are searched.
        """
        view = self.view
        if view.light is not Light.RED:
            return ""
        if self.failure is not None and self.failure.field:
            return self.failure.field
        said = f"{view.error_said} {view.error_remedy}".casefold()
        words = [(option.name.casefold(), option.id) for option in self.service.options]
        for word, field in (*words, *USER_WORDS):
            if re.search(rf"\b{re.escape(word)}\b", said):
                return field
        return ""

    @property
    def is_given(self) -> bool:
        """Tell whether the user is to have it."""
        return self.view.wish is not Wish.ABSENT

    def levels(self) -> list[LevelChoice]:
        """Return the levels that can be chosen; a withdrawn one only for its holder."""
        found = []
        for level in self.service.levels:
            if level.withdrawn and level.id != self.view.level_id:
                continue
            seats = self.seats.get(level.id)
            bar = None
            if self.service.seats:
                bar = SeatBar(seats.owned, seats.used, seats.queued) if seats else SeatBar(0, 0)
            note = "now" if self.is_given and level.id == self.view.level_id else ""
            found.append(LevelChoice(level.id, level.name, bar, note))
        return found

    # Content

    def _build(self) -> Iterable[Widget]:
        why = TextLines(self.why, "error" if self.view.light is Light.RED else "", id="why")
        why.display = bool(self.why)
        yield why
        known = TextLines("", id="known")
        known.tell(*self._known(), style=self._known_style())
        yield known
        if self.another:
            yield Field(
                "Name",
                required=True,
                max_length=INSTANCE,
                help_text="Tells this one apart from the user's others; fixed afterwards.",
                id=f"{self._prefix}-name",
            )
        picker = LevelPicker(self.levels(), self.chosen)
        picker.display = not self.view.marked
        yield picker
        yield place_field(self.view, self.place, f"{self._prefix}-on")
        for group, title in GROUPS:
            yield self._fold(group, title)
        yield Horizontal(*self._buttons(), classes="buttons")
        yield RevealButton("Reveal the password once", id="reveal")

    def _fold(self, group: OptionGroup, title: str) -> Fold:
        names = ", ".join(option.name for option in self._options(group))
        fold = Fold(
            title,
            lambda: [self._option_widget(option) for option in self._options(group)],
            note=names,
            help_text=f"What this level has: {names}",
            id=f"{self._prefix}-{group}",
        )
        fold.display = bool(names)
        return fold

    def _options(self, group: OptionGroup) -> Sequence[Option]:
        try:
            options = self.service.options_for(self.chosen) if self.chosen else ()
        except NotFound:
            return ()
        return [option for option in options if option.group is group]

    def _settings(self) -> Mapping[str, Value]:
        """Return what the settings would be at the chosen level if nothing were typed."""
        had: Mapping[str, Value] = self.view.settings if self.is_given else {}  # type: ignore[assignment]
        if self.changes_level:
            had = self.service.stated_settings(self.view.level_id, had, self.view.stated)
        try:
            return self.service.validate_settings(self.chosen or "", {}, had)
        except InvalidInput:
            return had

    def option_id(self, option_id: str) -> str:
        """Return the id of the widget of an option."""
        return f"{self._prefix}-o-{option_id}"

    def _option_widget(self, option: Option) -> Widget:
        value = shown(option, self._settings().get(option.id, option.initial))
        self._shown[option.id] = value
        value = self.typed.get(option.id, value)
        widget = option_widget(option, value, self.option_id(option.id))
        widget.note = self._remark(option)
        return widget

    def _remark(self, option: Option) -> str:
        return "not kept" if not_kept([option.id], self.kept) else ""

    def _buttons(self) -> Iterable[ActionButton]:
        for name, (label, help_text) in BUTTONS.items():
            button = ActionButton(label, help_text=help_text, width=0, id=name)
            button.display = name in self._offered()
            yield button

    def _offered(self) -> set[str]:
        if self.view.marked:
            return {"remove"}
        offered = {"give"}
        if self.is_given:
            offered |= {"deprovision", "resume" if self.view.wish is Wish.SUSPENDED else "suspend"}
            if self.place.choices:
                offered.add("move")
            if self.service.password == "own":
                offered.add("secret")
        elif self.view.light is Light.RED:
            offered.add("again")
        if self.is_given and self.view.error_kind == ErrorKind.CONFLICT:
            offered.add("adopt")
        return offered

    # What was chosen

    def note_typed(self) -> None:
        """Take what the option widgets hold; what is as it was is nothing typed."""
        for option in self.service.options:
            if (widget := self.option_widget(option.id)) is None:
                continue
            held = widget.value
            if held == self._shown.get(option.id):
                self.typed.pop(option.id, None)
            else:
                self.typed[option.id] = held

    def option_widget(self, option_id: str) -> AnyField | None:
        """Return the widget of an option, once its group has been opened."""
        found = self.query("#" + self.option_id(option_id))
        return cast(AnyField, found.first()) if found else None

    @property
    def instance(self) -> str:
        """The name of the instance, typed where it is a further one."""
        if not self.another:
            return self.view.instance
        found = self.query(f"#{self._prefix}-name")
        return found.first(Field).value.strip() if found else ""

    @property
    def is_dirty(self) -> bool:
        """Tell whether something was chosen or typed that has not been sent."""
        if self.is_given:
            return self.changes_level or bool(self.typed)
        return self.chosen is not None and self._picked

    _picked = False

    @property
    def changes_level(self) -> bool:
        """Tell whether what is chosen takes the present level away."""
        return self.is_given and self.chosen is not None and self.chosen != self.view.level_id

    def wanted(self, *, adopt: bool = False) -> ActionParams:
        """Return what to ask the model for."""
        on = "" if self.is_given else self.on
        return ActionParams(
            self.service.id, self.chosen, dict(self.typed), self.instance, adopt, on=on
        )

    @property
    def on(self) -> str:
        """The connector that is chosen; "" while the rule of the settings chooses."""
        found = self.query(f"#{self._prefix}-on")
        return found.first(ChoiceField).value if found else ""

    async def choose(self, level_id: str) -> None:
        """Another level was chosen: show the settings that it has, with what was typed."""
        self.note_typed()
        self.chosen = level_id
        self._picked = True
        have = {option.id for option in self.service.options_for(level_id)}
        self.typed = {name: value for name, value in self.typed.items() if name in have}
        for group, title in GROUPS:
            for fold in self.query(f"#{self._prefix}-{group}").results(Fold):
                self._name_options(fold, group)
                fold.help_text = f"{title} of this level: {fold.note}"
                await fold.rebuild()

    def _name_options(self, fold: Fold, group: OptionGroup) -> None:
        """Say beside the title of a group which options the level has; without any it is not shown."""
        fold.note = ", ".join(option.name for option in self._options(group))
        fold.display = bool(fold.note)

    def sent(self) -> None:
        """What was typed has been sent: it is what is shown from here on, also where the focus keeps it as it is."""
        for option in self.service.options:
            if (widget := self.option_widget(option.id)) is not None:
                self._shown[option.id] = widget.value
        self.typed.clear()
        self._picked = False

    def remember_choice(self) -> object:
        """Return what was chosen and typed and is not sent."""
        return (self.chosen if self._picked else None), dict(self.typed)

    def recall_choice(self, memory: object) -> None:
        """Take what `remember_choice` found; before the content is built."""
        if isinstance(memory, tuple):
            level, typed = memory
            known = {level.id for level in self.service.levels}
            if level in known:
                self.chosen, self._picked = level, True
            self.typed = dict(typed)

    # Live

    async def show(
        self,
        view: AssignmentView,
        seats: Mapping[str, Seats],
        failure: LastFailure | None = None,
        plan: RequestPlan | None = None,
        kept: frozenset[str] | None = None,
        pause: Pause | None = None,
        place: PanelPlace = NO_PLACE,
    ) -> None:
        """Show another state: the light's cell alone, and of the content what differs."""
        before, choices = self.view, self.place.choices
        self.kept, self.pause, self.place = kept, pause, place
        self.view, self.seats, self.failure, self.plan = view, seats, failure, plan
        self.light.set(view.light, view.word, light_note(view))
        self.note = self._note()
        if self.body is None:
            if not self._picked:
                self.chosen = self._level_of(view)
            return
        self.note_typed()
        for option in self.service.options:
            if (widget := self.option_widget(option.id)) is not None:
                widget.note = self._remark(option)
        style = "error" if view.light is Light.RED else ""
        self.query_one("#why", TextLines).tell(self.why, style=style)
        self.query_one("#known", TextLines).tell(*self._known(), style=self._known_style())
        if not self._picked:
            self.chosen = self._level_of(view)
        picker = self.query_one(LevelPicker)
        picker.set_levels(self.levels())
        picker.chosen = self.chosen
        for button in self.query(".buttons ActionButton").results(ActionButton):
            button.display = button.id in self._offered()
        if (before.connector, before.wish, choices) != (view.connector, view.wish, place.choices):
            show_place(self.query_one(f"#{self._prefix}-on", ChoiceField), view, place)
        had, has = ((state.settings, state.level_id, state.wish) for state in (before, view))
        if had != has and not self._picked:
            for group, _title in GROUPS:
                fold = self.query_one(f"#{self._prefix}-{group}", Fold)
                self._name_options(fold, group)
                if not fold.has_focus_within:
                    await fold.rebuild()

    def hold_password(self, password: str) -> None:
        """A password that was made for this service, to be revealed once."""
        reveal = self.query_one("#reveal", RevealButton)
        reveal.hold(password)
        reveal.focus()


def another_view(view: AssignmentView) -> AssignmentView:
    """Return what a further instance of the same service is before it is asked for."""
    return replace(
        view,
        id="",
        instance="",
        level_id="",
        level="",
        wish=Wish.ABSENT,
        settings={},
        light=Light.GREY,
        word=Word.NOT_PROVISIONED,
        step="",
        error_said="",
        error_remedy="",
        request_id=None,
        usage={},
        kept_until=None,
        marked="",
    )
