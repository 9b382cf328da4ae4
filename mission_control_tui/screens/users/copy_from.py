"""Making a new user like another one, or from a template: what that fills in and gives, in a group folded away."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress

from textual.css.query import NoMatches
from textual.widget import Widget

from mission_control_tui.keys import keymap
from mission_control_tui.model.accounts.overview import list_seats
from mission_control_tui.model.catalogue.types import PasswordUse
from mission_control_tui.model.errors import NotFound
from mission_control_tui.model.onboarding.template_content import (
    TEMPLATE_FIELDS,
    TemplateContent,
    TemplateService,
    like,
)
from mission_control_tui.model.onboarding.templates import list_templates
from mission_control_tui.model.people.fields import FIELD_BY_NAME, Value
from mission_control_tui.model.users.queries import details
from mission_control_tui.model.views import Seats
from mission_control_tui.screens.base.mission_screen import MissionScreen
from mission_control_tui.screens.forms.user_fields import defaults, form_widgets, shown_value
from mission_control_tui.widgets.field import CheckField, ChoiceField, Field, FormLine
from mission_control_tui.widgets.fold import Fold
from mission_control_tui.widgets.text_lines import TextLines

NOBODY = ""
USER = "like"
TEMPLATE = "template "


class CopySource:
    """What a form's fields can be filled from: a user (`like`, an id) or a template; none by default."""

    def __init__(self, screen: MissionScreen, like: str, values: dict[str, Value]) -> None:
        """`values` are those of the fields whose groups are not open."""
        self._screen = screen
        self._like = like
        self._values = values
        self._contents: dict[str, TemplateContent] = {NOBODY: TemplateContent()}
        self._labels: dict[str, str] = {NOBODY: "(none)"}
        self._seats: tuple[Seats, ...] = ()
        self._short: TemplateService | None = None
        self._chosen: str | None = None
        self._gives = True

    def body(self) -> Iterable[Widget]:
        """Yield what Provision gives beside the account, and the group, built when it opens, in which it is chosen."""
        line = TextLines("", "dim", id="gets")
        line.display = False
        yield line
        words = "What the new user is made like: a template of the account, or a user."
        yield Fold("Template", self._choosing, note="none", help_text=words, id="group-like")

    def _choosing(self) -> Iterable[Widget]:
        chosen = ChoiceField(
            "Made like",
            list(self._labels.items()),
            self._chosen or NOBODY,
            help_text="Fills the groups below where nothing was typed, never names or password. "
            "Templates are made on the screen Templates.",
            id="made-like",
        )
        gives = CheckField(
            "Give the services too",
            self._gives,
            help_text="With its levels and settings, in one go with the user; seats are needed.",
            id="gives",
        )
        return [chosen, gives]

    # Data

    async def load(self) -> None:
        """Read templates, the user and seats; the first time, fill the form."""
        scope = self._screen.context.scope
        contents, labels = {NOBODY: TemplateContent()}, {NOBODY: "(none)"}
        if self._like:
            contents[USER] = await like(scope, self._like)
            labels[USER] = (await details(scope, self._like)).details.display_name
        for template in await list_templates(scope):
            contents[TEMPLATE + template.name] = template.content
            labels[TEMPLATE + template.name] = template.name
        self._contents, self._labels = contents, labels
        self._seats = await list_seats(scope)
        if self._chosen is None:
            await self._choose(USER if self._like else NOBODY)
        elif self._chosen not in contents:
            self._chosen = NOBODY
        with suppress(NoMatches):
            self._screen.query_one("#made-like", ChoiceField).set_choices(list(labels.items()))
        self._tell_gets()

    @property
    def content(self) -> TemplateContent:
        """Return what is chosen to be made like."""
        return self._contents.get(self._chosen or NOBODY, TemplateContent())

    def services_to_give(self) -> tuple[TemplateService, ...]:
        """Return those that are given in one go: a password of a service's own has to be shown on the next screen."""
        if not self._gives:
            return ()
        return tuple(service for service in self.content.services if self._is_plain(service))

    def _is_plain(self, given: TemplateService) -> bool:
        try:
            service = self._screen.context.catalogue.service(given.service)
            return (
                service.password is not PasswordUse.OWN and not service.level(given.level).withdrawn
            )
        except NotFound:
            return False

    def left_out(self) -> tuple[str, ...]:
        """Return what who is copied has and Provision does not give, each with the reason."""
        if not self._gives:
            return ()
        return tuple(
            self._why_left(given) for given in self.content.services if not self._is_plain(given)
        )

    def _why_left(self, given: TemplateService) -> str:
        instance = f" {given.instance}" if given.instance else ""
        try:
            service = self._screen.context.catalogue.service(given.service)
            withdrawn = service.level(given.level).withdrawn
        except NotFound:
            return f"{given.service}{instance} (no longer in the catalogue)"
        why = "its level is sold no more" if withdrawn else "it has a password of its own"
        return f"{service.name}{instance} ({why})"

    # Choosing

    async def _choose(self, wanted: str) -> None:
        before, self._chosen = self.content, wanted
        self._fill(before.fields, self.content.fields)
        self._tell_gets()

    def _fill(self, before: Mapping[str, Value], after: Mapping[str, Value]) -> None:
        """Put fields where nobody typed anything else than what was put there before."""
        widgets = {field.name: widget for field, widget in form_widgets(self._screen)}
        for name in TEMPLATE_FIELDS:
            field, empty = FIELD_BY_NAME[name], defaults()[name]
            widget = widgets.get(name)
            now = widget.value if isinstance(widget, Field | CheckField) else self._values[name]
            old = shown_value(field, before.get(name, empty))
            if shown_value(field, now) != old:
                continue
            new = after.get(name, empty)
            self._values[name] = new
            if isinstance(widget, Field):
                widget.value = str(shown_value(field, new))
            elif isinstance(widget, CheckField):
                widget.value = bool(new)

    def changed(self, event: FormLine.Changed) -> None:
        """Take another choice of whom to be like, or whether to give services."""
        if event.field.id == "made-like" and isinstance(event.field, ChoiceField):
            self._screen.do(self._choose(event.field.value))
        elif event.field.id == "gives" and isinstance(event.field, CheckField):
            self._gives = event.field.value
            self._tell_gets()

    def _tell_gets(self) -> None:
        line = self._screen.query_one("#gets", TextLines)
        label = self._labels.get(self._chosen or NOBODY, "")
        fold = self._screen.query_one("#group-like", Fold)
        fold.note = f"like {label}" if self._chosen else "none"
        words, self._short = [], None
        free_of = {(seats.service_id, seats.level_id): seats.free for seats in self._seats}
        for given in self.services_to_give():
            service = self._screen.context.catalogue.service(given.service)
            free = free_of.get((given.service, given.level), 0)
            if service.seats and free < 1 and self._short is None:
                self._short = given
            seats = f" ({free} free)" if service.seats else ""
            level = service.level(given.level).name
            name = level if service.name in level else f"{service.name}, {level}"
            words.append(f"{name}{seats}")
        gives = f"gives {'; '.join(words)}" if words else "gives no service"
        left = ", ".join(self.left_out())
        more = f"; to be chosen on the next screen: {left}" if left else ""
        short = self._short is not None
        buys = f". {self.buy_key} buys more" if short else ""
        line.set(f"Like {label}: {gives}{more}{buys}", "error" if short else "dim")
        line.display = bool(self._chosen)
        self._screen.refresh_keys()

    # Seats

    @property
    def buy_key(self) -> str:
        """The key that buys, also in fields."""
        key, twin = keymap.keys_of(keymap.BY_ID["buy"], self._screen.console.keys)
        return keymap.key_word(twin or key)

    def why_not(self, verb: str) -> str:
        is_idle = verb == "buy" and self._short is None
        return "No seats are missing for what is chosen here" if is_idle else ""

    def verb_buy(self) -> None:
        """Buy seats of the first level without a free one, and come back."""
        if self._short is not None:
            self._screen.open_buy(self._short.service, self._short.level)

    # Memory

    def remember(self) -> dict[str, object]:
        return {"made-like-of": self._chosen, "gives-too": self._gives}

    def recall(self, memory: dict[str, object]) -> None:
        chosen, gives = memory.pop("made-like-of", None), memory.pop("gives-too", None)
        if isinstance(chosen, str):
            self._chosen = chosen
        if isinstance(gives, bool):
            self._gives = gives
