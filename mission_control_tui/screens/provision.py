"""Provision Services: every bought service of one user as a panel, with its light, live."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, ClassVar

from textual.containers import Vertical
from textual.widget import Widget

from mission_control_tui.model.errors import InvalidInput, NotFound
from mission_control_tui.model.people.fields import FIELD_BY_NAME
from mission_control_tui.model.schedule_actions import Action, Params
from mission_control_tui.model.states import Light, RequestKind
from mission_control_tui.widgets.action_button import ActionButton
from mission_control_tui.widgets.field import Field, FormLine
from mission_control_tui.widgets.fold import Fold
from mission_control_tui.widgets.level_picker import LevelPicker
from mission_control_tui.widgets.text_lines import TextLines

from .consequences import adopt_question, level_question, turn_question
from .person_fields import words_of
from .scheduling import Planned, SchedulingScreen
from .service_panel import LEVEL, PASSWORD, UserServicePanel, another_view

if TYPE_CHECKING:
    from mission_control_tui.model.failures import Failure
    from mission_control_tui.model.plan import Outcome
    from mission_control_tui.model.provision import Given, Wanted
    from mission_control_tui.model.views import AssignmentView, Seats, UserView

NO_SERVICES = "The account has bought no service for users yet. g goes to Home, where the quadrant Services sells them."


class ProvisionScreen(SchedulingScreen):
    """The services of a user: give, change, suspend, remove, and mend what is red."""

    HEADING = "Provision Services"
    ABOUT = (
        "Every service that the account bought, with its light for this user. "
        "Enter opens a service; Space chooses a level; p or F2 sends what you chose in all "
        "open services at once. The lights change by themselves. A red one says why: p tries again, e goes to what can "
        "be changed. b buys seats of the level under the cursor and comes back here. d asks for a date and "
        "time at which to do it."
    )
    VERBS: ClassVar[tuple[str, ...]] = ("provision", "retry", "edit", "buy", "schedule", "copy")
    CSS_PATH = "provision.tcss"
    LEADS_TO_SERVICES = False

    def __init__(
        self, user_id: str, assignment_id: str | None = None, *, fresh: bool = False
    ) -> None:
        super().__init__()
        self.user_id = user_id
        self._wanted_id = assignment_id
        self._fresh = fresh
        self._user: UserView | None = None
        self._seats: Sequence[Seats] = ()
        self._failed: dict[str, Failure] = {}

    @property
    def memory_key(self) -> str:
        return f"{type(self).__name__} {self.user_id}"

    def body(self) -> Iterable[Widget]:
        yield TextLines("…", "title", id="who")
        yield TextLines("", "dim", id="notice")
        yield Vertical(id="panels")

    # Data

    async def load(self) -> None:
        from mission_control_tui.model.account_details import list_seats
        from mission_control_tui.model.failures import failures_of
        from mission_control_tui.model.status import status
        from mission_control_tui.model.users import details

        context = self.context
        at = (context.store, context.caller, context.account_id)
        self._user = user = await details(*at, self.user_id)
        self.looked_at(user.id)
        views = await status(*at, user=self.user_id)
        self._seats = await list_seats(*at)
        if any(view.light is Light.RED for view in views):
            self._failed = await failures_of(*at, self.user_id)
        self.query_one("#who", TextLines).set(
            f"{user.details.display_name}  {user.upn}  ({user.details.username})"
        )
        waits = any(view.light is Light.ORANGE for view in views)
        self._show_notice(user, views, await self._nobody_works() if waits else "")
        await self._show_panels(views)
        self.refresh_keys()

    async def _nobody_works(self) -> str:
        """Why nothing that is queued is done now, and what to do; empty while a worker is at it."""
        from mission_control_tui.model.status import workers

        if self.context.no_worker:
            return self.context.no_worker
        if any(worker.alive for worker in await workers(self.context.store)):
            return ""
        return "a worker is being started. If this stays so, run `mission-control worker` yourself"

    def _show_notice(self, user: UserView, views: Sequence[AssignmentView], stuck: str) -> None:
        words: list[str] = []
        if self._fresh:
            words.append(
                "The user is created. Open a service, choose its level, then p provisions."
            )
        if user.in_bin:
            words.append("This user is in the recycling bin: restore it first.")
        elif user.details.disabled:
            words.append("This user is disabled: services stay suspended.")
        if not views:
            words.append(NO_SERVICES)
        if stuck:
            words.append(f"Nothing happens yet: {stuck}.")
        notice = self.query_one("#notice", TextLines)
        notice.set("\n".join(words), "error" if self.context.no_worker and stuck else "dim")
        notice.display = bool(words)

    async def _show_panels(self, views: Sequence[AssignmentView]) -> None:
        place = self.query_one("#panels", Vertical)
        have = {panel.id: panel for panel in self.panels}
        wanted = self._wanted_panels(views)
        new: list[UserServicePanel] = []
        for panel in wanted:
            old = have.pop(panel.id, None)
            if old is None:
                new.append(panel)
            else:
                await old.show(panel.view, panel.seats, panel.failure)
        for gone in have.values():
            await gone.remove()
        typed = self._memory.get("typed")
        for panel in new:
            if isinstance(typed, dict):
                panel.recall_choice(typed.pop(panel.id, None))
        if not new:
            return
        if len(new) == len(wanted):
            await place.mount(*new)
            await self._first_panels()
            return
        order = [panel.id for panel in wanted]
        for panel in new:
            await place.mount(panel, before=min(order.index(panel.id), len(place.children)))

    def _wanted_panels(self, views: Sequence[AssignmentView]) -> list[UserServicePanel]:
        catalogue = self.context.catalogue
        panels: list[UserServicePanel] = []
        for index, view in enumerate(views):
            try:
                service = catalogue.service(view.service_id)
            except NotFound:
                continue
            seats = {one.level_id: one for one in self._seats if one.service_id == service.id}
            failure = self._failed.get(view.id)
            panels.append(UserServicePanel(service, view, seats, failure=failure))
            following = views[index + 1 :]
            last = not any(one.service_id == view.service_id for one in following)
            count = sum(one.service_id == view.service_id for one in views)
            if last and view.id and count < service.instances:
                panels.append(UserServicePanel(service, another_view(view), seats, another=True))
        return panels

    async def _first_panels(self) -> None:
        """The panels are there for the first time: open the one that was asked for, or what was open."""
        asked = next(
            (p for p in self.panels if self._wanted_id and p.view.id == self._wanted_id), None
        )
        if asked is not None:
            self._memory.pop("focus", None)
            self._recall_widgets()
            await asked.open_now()
            asked.focus()
            asked.scroll_visible(animate=False, top=True)
            return
        if self._memory:
            self._recall_widgets()
        elif self.panels and self.focused is None:
            self.panels[0].focus()

    @property
    def panels(self) -> list[UserServicePanel]:
        """The panels, top to bottom."""
        return list(self.query(UserServicePanel).results(UserServicePanel))

    def _panel_of(self, widget: Widget | None) -> UserServicePanel | None:
        if widget is None:
            return None
        nodes = widget.ancestors_with_self
        return next((node for node in nodes if isinstance(node, UserServicePanel)), None)

    @property
    def panel(self) -> UserServicePanel | None:
        """The panel in which the focus is."""
        return self._panel_of(self._kept_focus if self.is_asking else self.focused)

    # Panels

    def on_fold_toggled(self, event: Fold.Toggled) -> None:
        panel = event.fold
        if not isinstance(panel, UserServicePanel) or not panel.is_open:
            return
        panel.scroll_visible(animate=False)
        if self.focused is panel.title_line and panel.view.light is not Light.RED:
            first = panel.query_one(Field) if panel.another else panel.query_one(LevelPicker)
            first.focus()

    async def on_level_picker_chosen(self, event: LevelPicker.Chosen) -> None:
        panel = self._panel_of(event.picker)
        if panel is not None:
            await panel.choose(event.level.id)
            self.refresh_keys()
            if event.level.seats is not None and not event.level.seats.free and not panel.is_given:
                self.announce(f"No seat of {event.level.label} is free: b buys some and comes back")

    def on_field_changed(self, event: Field.Changed) -> None:
        event.field.error = ""
        if (panel := self._panel_of(event.field)) is not None:
            panel.note_typed()

    def on_form_line_changed(self, event: FormLine.Changed) -> None:
        event.field.error = ""
        if (panel := self._panel_of(event.field)) is not None:
            panel.note_typed()

    def on_action_button_pressed(self, event: ActionButton.Pressed) -> None:
        panel = self._panel_of(event.button)
        if panel is None:
            return
        match event.button.id:
            case "give":
                self.do(self._provision([panel]))
            case "again":
                self.do(self._turn(panel, RequestKind.DEPROVISION))
            case "adopt":
                self._ask_adopt(panel)
            case "suspend":
                self._ask(panel, RequestKind.SUSPEND)
            case "resume":
                self.do(self._turn(panel, RequestKind.RESUME))
            case "remove":
                self._ask(panel, RequestKind.DEPROVISION)
            case "secret":
                self.do(self._new_password(panel))

    # Provision

    async def verb_provision(self) -> None:
        chosen = [panel for panel in self.panels if panel.is_dirty]
        panel = self.panel
        if panel is not None and panel not in chosen and panel.view.light is Light.RED:
            chosen.append(panel)
        if chosen:
            await self._provision(chosen)
        elif panel is None:
            self.announce("Open a service with Enter and choose its level first", error=True)
        else:
            await self._provision([panel])

    verb_retry = verb_provision

    async def _provision(self, panels: list[UserServicePanel]) -> None:
        removals = [
            p for p in panels if not p.is_given and p.view.light is Light.RED and not p.is_dirty
        ]
        for panel in removals:
            await self._turn(panel, RequestKind.DEPROVISION)
        giving = [panel for panel in panels if panel not in removals]
        for panel in giving:
            if panel.chosen is None:
                await panel.open_now()
                panel.query_one(LevelPicker).focus()
                self.announce(
                    f"Choose a level of {panel.service.name} with Space first", error=True
                )
                return
            if panel.another and not panel.instance:
                field = panel.query_one(Field)
                field.error = "is needed: it tells this one from the others"
                field.focus()
                return
        if not giving:
            return
        wanted = [panel.wanted() for panel in giving]
        if not any(panel.changes_level for panel in giving):
            await self._send(giving, wanted)
            return
        outcome = await self._asked(giving, wanted, dry_run=True)
        if outcome is not None:
            changing = [(one.service, one.view) for one in giving if one.changes_level]
            lines = level_question(self.context.account.name, changing, outcome.plan, self._seats)
            self.confirm(lines, lambda: self._send(giving, wanted), yes="Change level")

    async def _asked(
        self, panels: list[UserServicePanel], wanted: list[Wanted], *, dry_run: bool
    ) -> Outcome[tuple[Given, ...]] | None:
        """What the model says; None when settings were refused, which then show it."""
        from mission_control_tui.model.provision import provision

        context = self.context
        try:
            return await provision(
                context.store,
                context.caller,
                context.account_id,
                self.user_id,
                wanted,
                dry_run=dry_run,
            )
        except InvalidInput as error:
            if not error.problems:
                raise
            await self._refused(panels, error)
            return None

    async def _refused(self, panels: list[UserServicePanel], error: InvalidInput) -> None:
        first: Widget | None = None
        for problem in error.problems:
            panel = next((one for one in panels if problem.where in one.typed), panels[0])
            await panel.open_now()
            for fold in panel.query(Fold).results(Fold):
                await fold.open_now()
            widget = panel.option_widget(problem.where)
            if widget is not None:
                widget.error = words_of(problem)
                first = first or widget
        if first is not None:
            first.focus()
        self.announce_error(error)

    async def _send(self, panels: list[UserServicePanel], wanted: list[Wanted]) -> None:
        outcome = await self._asked(panels, wanted, dry_run=False)
        if outcome is None:
            return
        self._fresh = False
        for panel in panels:
            panel.sent()
            if panel.another:
                await panel.remove()
        asked = [given for given in outcome.result if given.request_id is not None]
        names = ", ".join(dict.fromkeys(self._service_name(one.service_id) for one in asked))
        self.announce(f"Asked for: {names}" if asked else "Nothing to do: it is as it should be")
        await self.queue_changed()
        await self.load()
        for given in outcome.result:
            shown = next((one for one in self.panels if one.view.id == given.assignment_id), None)
            if given.password is not None and shown is not None:
                await shown.open_now()
                shown.hold_password(given.password)

    async def verb_schedule(self) -> None:
        """What was chosen at a date and time; where nothing was, what else can be done with the service."""
        panel, user = self.panel, self._user
        if panel is None or user is None or (panel.is_given and not panel.is_dirty):
            name = panel.service.id if panel is not None else ""
            await self.schedule_for(self.user_id, service=name)
        elif panel.chosen is None:
            await panel.open_now()
            panel.query_one(LevelPicker).focus()
            self.announce(f"Choose a level of {panel.service.name} with Space first", error=True)
        else:
            one = panel.wanted()
            params = Params(one.service, one.level, one.settings, one.instance)
            self.ask_when(user, Planned(Action.PROVISION, params), panel.sent)

    def _service_name(self, service_id: str) -> str:
        return self.context.catalogue.service(service_id).name

    # Suspend, resume, remove, passwords

    def _ask(self, panel: UserServicePanel, kind: RequestKind) -> None:
        lines = turn_question(self.context.account.name, self.context.catalogue, panel.view, kind)
        word = "Suspend" if kind is RequestKind.SUSPEND else "Remove"
        self.confirm(lines, lambda: self._turn(panel, kind), yes=word)

    def _ask_adopt(self, panel: UserServicePanel) -> None:
        lines = adopt_question(self.context.account.name, panel.view)
        wanted = [panel.wanted(adopt=True)]
        self.confirm(lines, lambda: self._send([panel], wanted), yes="Take over")

    async def _turn(self, panel: UserServicePanel, kind: RequestKind) -> None:
        from mission_control_tui.model.provision import change_wish

        context = self.context
        await change_wish(
            context.store,
            context.caller,
            context.account_id,
            self.user_id,
            panel.service.id,
            kind,
            instance=panel.view.instance,
        )
        panel.sent()
        self.announce(f"Asked for: {kind} {panel.service.name}")
        await self.queue_changed()
        await self.load()

    async def _new_password(self, panel: UserServicePanel) -> None:
        from mission_control_tui.model.users import set_service_password

        context = self.context
        outcome = await set_service_password(
            context.store,
            context.caller,
            context.account_id,
            self.user_id,
            panel.service.id,
            instance=panel.view.instance,
        )
        panel.hold_password(outcome.result.password or "")
        self.announce("A new password is on its way; Enter reveals it once")
        await self.queue_changed()

    # Other verbs

    def why_not(self, verb: str) -> str:
        if verb == "retry" and not any(panel.view.light is Light.RED for panel in self.panels):
            return "Nothing is red here"
        return super().why_not(verb)

    async def verb_edit(self) -> None:
        """Go to what can be changed: what the error names, else the settings, else the user."""
        panel = self.panel
        if panel is None:
            self.go_to("edit-user", self.user_id)
            return
        await panel.open_now()
        field = panel.wrong_field
        if field in FIELD_BY_NAME or field == PASSWORD:
            self.go_to("edit-user", self.user_id, field)
            return
        if field == LEVEL:
            panel.query_one(LevelPicker).focus()
            return
        named = [one for one in panel.service.options if one.id == field]
        for fold in panel.query(Fold).results(Fold):
            if fold.display:
                await fold.open_now()
        for option in [*named, *panel.service.options]:
            widget = panel.option_widget(option.id)
            if widget is not None:
                widget.focus()
                widget.scroll_visible(animate=False)
                return
        panel.query_one(LevelPicker).focus()

    def verb_buy(self) -> None:
        panel = self.panel
        if panel is None:
            self.announce("Put the cursor on a service first", error=True)
            return
        level = None
        if panel.body is not None:
            level = panel.query_one(LevelPicker).under_cursor
        level_id = level.id if level else panel.chosen or panel.service.levels[0].id
        try:
            self.open_buy(panel.service.id, level_id, f"Provision Services of {self._who}")
        except NotFound as error:
            self.announce_error(error)

    @property
    def _who(self) -> str:
        return self._user.details.display_name if self._user else "the user"

    def verb_copy(self) -> None:
        panel = self.panel
        text = panel.view.error_said if panel is not None else ""
        text = text or (self._user.upn if self._user else "")
        self.app.copy_to_clipboard(text)
        self.announce(f"Copied: {text}")

    # Memory

    def remember(self) -> dict[str, object]:
        typed = {panel.id: panel.remember_choice() for panel in self.panels}
        return {**super().remember(), "typed": typed}
