"""Provision Services: give a user, a domain or the account services, change, suspend, deprovision and mend them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from textual.containers import Vertical
from textual.widget import Widget

from mission_control_tui.model.accounts.overview import list_seats
from mission_control_tui.model.errors import InvalidInput, NotFound
from mission_control_tui.model.people.fields import FIELD_BY_NAME
from mission_control_tui.model.plan import Outcome
from mission_control_tui.model.requests.connector_pauses import Pause, paused_connectors
from mission_control_tui.model.requests.request_plans import RequestPlan, plans_for
from mission_control_tui.model.services.failures import LastFailure, failures_of
from mission_control_tui.model.services.kept_settings import KeptOptions, kept_options
from mission_control_tui.model.services.lights import status
from mission_control_tui.model.services.subjects import SubjectKey
from mission_control_tui.model.states import Light, RequestKind, SubjectKind
from mission_control_tui.model.users.actions.base import ActionResult
from mission_control_tui.model.users.actions.params import ActionParams
from mission_control_tui.model.users.actions.provision import Provision
from mission_control_tui.model.users.provisioning import change_wish, provision
from mission_control_tui.model.views import AssignmentView, Seats
from mission_control_tui.screens.base.mission_screen import MissionScreen
from mission_control_tui.screens.base.schedule_prompts import SchedulableAction, SchedulePrompts
from mission_control_tui.screens.forms.user_fields import words_of
from mission_control_tui.screens.services import panel_places
from mission_control_tui.screens.services.consequences import (
    adopt_question,
    level_question,
    shrink_question,
    turn_question,
)
from mission_control_tui.screens.services.nobody_works import nobody_works
from mission_control_tui.screens.services.panel_actions import ask_move, ask_removal, new_password
from mission_control_tui.screens.services.panel_owners import OtherOwner, PanelOwner, UserOwner
from mission_control_tui.screens.services.service_panel import (
    LEVEL,
    PASSWORD,
    UserServicePanel,
    another_view,
)
from mission_control_tui.widgets.action_button import ActionButton
from mission_control_tui.widgets.field import Field, FormLine
from mission_control_tui.widgets.fold import Fold
from mission_control_tui.widgets.level_picker import LevelPicker
from mission_control_tui.widgets.text_lines import TextLines


class ProvisionScreen(MissionScreen):
    """The services of a user, a domain or the account: give, change, suspend, deprovision, and mend what is red."""

    NAME = "provision"
    MEMORY_NAME = "ProvisionScreen"
    HEADING = "Provision Services"
    ABOUT = (
        "Every service that the account bought for it, with its light for this user, domain or account. "
        "Enter opens a service; Space chooses a level; p or F2 sends what you chose in all "
        "open services at once. The lights change by themselves. A red one says why: p tries again, e goes to what can "
        "be changed, i to its connector. b buys seats of the level under the cursor and comes back here. d asks for a "
        "date and time at which to do it."
    )
    VERBS = ("provision", "retry", "edit", "buy", "schedule", "connector", "copy")
    CSS_PATH = "provision.tcss"

    def __init__(
        self,
        user_id: str = "",
        assignment_id: str | None = None,
        kind: str = SubjectKind.ACCOUNT,
        name: str = "",
        *,
        service_id: str = "",
        fresh: bool = False,
    ) -> None:
        """Without a user they are the panels of the subject of `kind`; that of the assignment or service is opened."""
        super().__init__()
        self.user_id = user_id
        self._owner: PanelOwner = (
            UserOwner(user_id) if user_id else OtherOwner(SubjectKey(SubjectKind(kind), name))
        )
        self._schedules = SchedulePrompts(self, leads_to_services=False)
        self._wanted_id = assignment_id
        self._wanted_service = service_id
        self._fresh = fresh
        self._seats: Sequence[Seats] = ()
        self._failed: dict[str, LastFailure] = {}
        self._plans: dict[int, RequestPlan] = {}
        self._kept: KeptOptions = {}
        self._paused: Mapping[str, Pause] = {}
        self._places: dict[str, panel_places.PanelPlace] = {}

    @property
    def memory_key(self) -> str:
        if self.user_id:
            return f"{self.MEMORY_NAME} {self.user_id}"
        whose = SubjectKey.of(self._owner.whose)
        own = f"{self.MEMORY_NAME} {whose.kind} {whose.name}"
        return own if self._bound is None else f"{self._bound.account_id} {own}"

    def about_user(self) -> str | None:
        return self.user_id or None

    def body(self) -> Iterable[Widget]:
        yield TextLines("…", "title", id="who")
        yield TextLines("", "dim", id="notice")
        yield Vertical(id="panels")

    # Data

    async def load(self) -> None:
        scope = self.context.scope
        title = await self._owner.look(self.context)
        if self.user_id:
            self.looked_at(self.user_id)
        views = await status(scope, user=self._owner.whose)
        self._seats = await list_seats(scope)
        if any(view.light is Light.RED for view in views):
            self._failed = await failures_of(scope, self._owner.whose)
        asked = [view.request_id for view in views if view.request_id is not None]
        self._plans = await plans_for(scope, asked) if asked else {}
        self._kept = await kept_options(scope, {view.connector for view in views})
        self._places = await panel_places.places_of(self.context, views)
        self.query_one("#who", TextLines).set(title)
        waits = any(view.light is Light.ORANGE for view in views)
        self._paused = await paused_connectors(scope) if waits else {}
        self._show_notice(views, await nobody_works(self.context) if waits else "")
        await self._show_panels(views)
        self.refresh_keys()

    def _show_notice(self, views: Sequence[AssignmentView], stuck: str) -> None:
        words = self._owner.notices(views)
        if self._fresh:
            words.insert(
                0, "The user is created. Open a service, choose its level, then p provisions."
            )
        if stuck:
            words.append(f"Nothing happens yet: {stuck}.")
        style = "error" if self.context.no_worker and stuck else "dim"
        self.query_one("#notice", TextLines).tell(*words, style=style)

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
                known = panel.failure, panel.plan, panel.kept, panel.pause, panel.place
                await old.show(panel.view, panel.seats, *known)
        for gone in have.values():
            await gone.remove()
        if isinstance(typed := self.memory.kept.get("typed"), dict):
            for panel in new:
                panel.recall_choice(typed.pop(panel.id, None))
        if new and len(new) == len(wanted):
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
            seats = {seat.level_id: seat for seat in self._seats if seat.service_id == service.id}
            failure = self._failed.get(view.id)
            plan = self._plans.get(view.request_id or 0)
            kept = self._kept.get(view.connector)
            place = self._places.get(view.id or view.service_id, panel_places.NO_PLACE)
            known = (failure, plan, kept, self._paused.get(view.connector), place)
            panels.append(UserServicePanel(service, view, seats, *known))
            others = [other.service_id for other in views if not other.marked]
            last = view.service_id not in others[index + 1 :]
            if last and view.id and others.count(view.service_id) < service.instances:
                new = panel_places.to_choose_from(self.context, service.id)
                panels.append(
                    UserServicePanel(
                        service, another_view(view), seats, another=True, kept=kept, place=new
                    )
                )
        return panels

    async def _first_panels(self) -> None:
        """The panels are there for the first time: open the one that was asked for, or what was open."""
        asked = next((panel for panel in self.panels if self._is_wanted(panel)), None)
        if asked is not None:
            self.memory.kept.pop("focus", None)
            self.memory.recall()
            await asked.open_now()
            asked.focus()
            asked.scroll_visible(animate=False, top=True)
            return
        if self.memory.kept:
            self.memory.recall()
        elif self.panels and self.focused is None:
            self.panels[0].focus()

    def _is_wanted(self, panel: UserServicePanel) -> bool:
        if self._wanted_id:
            return panel.view.id == self._wanted_id
        return bool(self._wanted_service) and panel.service.id == self._wanted_service

    @property
    def panels(self) -> list[UserServicePanel]:
        """The panels, top to bottom."""
        return list(self.query(UserServicePanel).results(UserServicePanel))

    def _panel_of(self, widget: Widget | None) -> UserServicePanel | None:
        nodes = widget.ancestors_with_self if widget is not None else []
        return next((node for node in nodes if isinstance(node, UserServicePanel)), None)

    @property
    def panel(self) -> UserServicePanel | None:
        """The panel in which the focus is."""
        return self._panel_of(self.prompts.kept_focus if self.prompts.is_asking else self.focused)

    # Panels

    def on_fold_toggled(self, event: Fold.Toggled) -> None:
        panel = event.fold
        if not isinstance(panel, UserServicePanel) or not panel.is_open:
            return
        panel.scroll_visible(animate=False)
        if self.focused is panel.title_line and panel.view.light is not Light.RED:
            # At once: a focus that is set while this is on its way comes after it.
            self.set_focus(
                panel.query_one(Field).input if panel.another else panel.query_one(LevelPicker)
            )

    async def on_level_picker_chosen(self, event: LevelPicker.Chosen) -> None:
        panel = self._panel_of(event.picker)
        if panel is not None:
            await panel.choose(event.level.id)
            self.refresh_keys()
            if event.level.seats is not None and not event.level.seats.free and not panel.is_given:
                self.announce(f"No seat of {event.level.label} is free: b buys some and comes back")

    def on_field_changed(self, event: Field.Changed | FormLine.Changed) -> None:
        event.field.error = ""
        if (panel := self._panel_of(event.field)) is not None:
            panel.note_typed()

    on_form_line_changed = on_field_changed

    # What is done with a service

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
                lines = adopt_question(self.context.account.name, panel.view)
                wanted = [panel.wanted(adopt=True)]
                self.prompts.confirm(lines, lambda: self._send([panel], wanted), yes="Take over")
            case "suspend":
                self.do(self._ask(panel, RequestKind.SUSPEND))
            case "resume":
                self.do(self._turn(panel, RequestKind.RESUME))
            case "deprovision":
                self.do(self._ask(panel, RequestKind.DEPROVISION))
            case "move":
                self.do(ask_move(self, panel, self._owner.whose))
            case "remove":
                self.do(ask_removal(self, panel, self._owner.whose))
            case "secret":
                self.do(new_password(self, panel, self.user_id))

    # Provision

    async def verb_provision(self) -> None:
        chosen = [panel for panel in self.panels if panel.is_dirty]
        panel = self.panel
        if panel is not None and panel not in chosen and panel.view.light is Light.RED:
            chosen.append(panel)
        if chosen:
            await self._provision(chosen)
        elif panel is None:
            self.answer("Open a service with Enter and choose its level first", error=True)
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
            if not await self._is_complete(panel):
                return
        if not giving:
            return
        wanted = [panel.wanted() for panel in giving]
        outcome = await self._asked(giving, wanted, dry_run=True)
        if outcome is None:
            return
        if not any(panel.changes_level for panel in giving):
            if not outcome.plan.lost:
                await self._send(giving, wanted)
                return
            lines = shrink_question(self.context.account.name, giving[0].view.subject, outcome.plan)
            self.prompts.confirm(lines, lambda: self._send(giving, wanted), yes="Change")
        else:
            changing = [(panel.service, panel.view) for panel in giving if panel.changes_level]
            lines = level_question(self.context.account.name, changing, outcome.plan, self._seats)
            self.prompts.confirm(lines, lambda: self._send(giving, wanted), yes="Change level")

    async def _is_complete(self, panel: UserServicePanel) -> bool:
        """Tell whether level and name are there; go to the one that is not."""
        if panel.chosen is None:
            await panel.open_now()
            panel.query_one(LevelPicker).focus()
            self.answer(f"Choose a level of {panel.service.name} with Space first", error=True)
            return False
        if panel.another and not panel.instance:
            field = panel.query_one(Field)
            field.error = "is needed: it tells this one from the others"
            field.focus()
            return False
        return True

    async def _asked(
        self, panels: list[UserServicePanel], wanted: list[ActionParams], *, dry_run: bool
    ) -> Outcome[tuple[ActionResult, ...]] | None:
        """Return what the model says; None when settings were refused, which then show it."""
        try:
            return await provision(self.context.scope, self._owner.whose, wanted, dry_run=dry_run)
        except InvalidInput as error:
            if not error.problems:
                raise
            await self._refused(panels, error)
            return None

    async def _refused(self, panels: list[UserServicePanel], error: InvalidInput) -> None:
        first: Widget | None = None
        for problem in error.problems:
            panel = next((panel for panel in panels if problem.where in panel.typed), panels[0])
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

    async def _send(self, panels: list[UserServicePanel], wanted: list[ActionParams]) -> None:
        outcome = await self._asked(panels, wanted, dry_run=False)
        if outcome is None:
            return
        self._fresh = False
        for panel in panels:
            panel.sent()
            if panel.another:
                await panel.remove()
        service = self.context.catalogue.service
        asked = [given for given in outcome.result if given.request_id is not None]
        names = ", ".join(dict.fromkeys(service(given.service_id).name for given in asked))
        await self.done(f"Asked for: {names}" if asked else "Nothing to do: it is as it should be")
        for given in outcome.result:
            for panel in self.panels:
                if panel.view.id == given.assignment_id and given.password is not None:
                    await panel.open_now()
                    panel.hold_password(given.password)

    async def verb_schedule(self) -> None:
        """What was chosen at a date and time; where nothing was, what else can be done with the service."""
        panel, whose, user = self.panel, self._owner.whose, self._owner.user
        if panel is None or (panel.is_given and not panel.is_dirty):
            name = panel.service.id if panel is not None else ""
            await self._schedules.ask_what(whose, service=name)
        elif await self._is_complete(panel):
            wanted = panel.wanted()
            params = replace(wanted, adopt=False)
            planned = SchedulableAction(Provision.verb, params)
            called = user.upn if user is not None else self._owner.called
            self._schedules.ask_when(whose, called, planned, panel.sent)

    # Suspend, resume, deprovision, passwords

    async def _ask(self, panel: UserServicePanel, kind: RequestKind) -> None:
        lines = turn_question(self.context.account.name, self.context.catalogue, panel.view, kind)
        tried = await self._turned(panel, kind, dry_run=True)
        lines[2:2] = (*(f"Lost: {said}." for said in tried.plan.lost), *tried.plan.warnings)
        word = "Suspend" if kind is RequestKind.SUSPEND else "Deprovision"
        self.prompts.confirm(lines, lambda: self._turn(panel, kind), yes=word)

    async def _turned(
        self, panel: UserServicePanel, kind: RequestKind, *, dry_run: bool = False
    ) -> Outcome[tuple[ActionResult, ...]]:
        return await change_wish(
            self.context.scope,
            self._owner.whose,
            panel.service.id,
            kind,
            instance=panel.view.instance,
            dry_run=dry_run,
        )

    async def _turn(self, panel: UserServicePanel, kind: RequestKind) -> None:
        await self._turned(panel, kind)
        panel.sent()
        await self.done(f"Asked for: {kind} {panel.service.name}")

    # Other verbs

    def why_not(self, verb: str) -> str:
        if verb == "retry" and not any(panel.view.light is Light.RED for panel in self.panels):
            return "Nothing is red here"
        if verb == "connector" and not self.panels:
            return "There is no service here"
        return super().why_not(verb)

    async def verb_edit(self) -> None:
        """Go to what can be changed: what the error names, else the settings, else the user."""
        panel = self.panel
        if panel is None:
            if self.user_id:
                self.go_to("edit-user", self.user_id)
            else:
                self.answer("Put the cursor on a service first", error=True)
            return
        await panel.open_now()
        field = panel.wrong_field
        if self.user_id and (field in FIELD_BY_NAME or field == PASSWORD):
            self.go_to("edit-user", self.user_id, field)
            return
        if field == LEVEL:
            panel.query_one(LevelPicker).focus()
            return
        named = [option for option in panel.service.options if option.id == field]
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

    def verb_connector(self) -> None:
        """Go to the connector of the service under the cursor; with none there to that of the first."""
        panel = self.panel or next(iter(self.panels), None)
        if panel is not None:
            self.go_to("connectors", panel.view.connector)

    def verb_buy(self) -> None:
        panel = self.panel
        if panel is None:
            self.answer("Put the cursor on a service first", error=True)
            return
        level = panel.query_one(LevelPicker).under_cursor if panel.body is not None else None
        level_id = level.id if level else panel.chosen or panel.service.levels[0].id
        self.open_buy(panel.service.id, level_id, f"{self.HEADING} of {self._owner.called}")

    def verb_copy(self) -> None:
        """The error of the panel that the focus is in, for a ticket; else whose services these are."""
        user = self._owner.user
        who = user.upn if user is not None else self._owner.called
        panel = self.panel
        if panel is not None and (told := panel.error_lines):
            self.copy([f"{who}: {panel.view.level or panel.view.service}", *told])
        else:
            self.copy(who)

    # Memory

    def remember(self) -> dict[str, object]:
        typed = {panel.id: panel.remember_choice() for panel in self.panels}
        return {**super().remember(), "typed": typed}
