"""Provision Services: give a user services, change, suspend, deprovision them, and mend what is red."""

from __future__ import annotations

from typing import ClassVar

from textual.widget import Widget

from mission_control_tui.model.errors import InvalidInput, NotFound
from mission_control_tui.model.people.fields import FIELD_BY_NAME
from mission_control_tui.model.plan import Outcome
from mission_control_tui.model.states import Light, RequestKind
from mission_control_tui.model.users.actions.base import ActionResult
from mission_control_tui.model.users.actions.params import ActionParams, UserVerb
from mission_control_tui.model.users.passwords import set_service_password
from mission_control_tui.model.users.provisioning import change_wish, provision
from mission_control_tui.screens.base.schedule_prompts import SchedulableAction
from mission_control_tui.screens.forms.user_fields import words_of
from mission_control_tui.screens.services.consequences import (
    adopt_question,
    level_question,
    turn_question,
)
from mission_control_tui.screens.services.panels import PanelsScreen
from mission_control_tui.screens.services.service_panel import LEVEL, PASSWORD, UserServicePanel
from mission_control_tui.widgets.action_button import ActionButton
from mission_control_tui.widgets.field import Field
from mission_control_tui.widgets.fold import Fold
from mission_control_tui.widgets.level_picker import LevelPicker


class ProvisionScreen(PanelsScreen):
    """The services of a user: give, change, suspend, deprovision, and mend what is red."""

    NAME = "provision"
    MEMORY_NAME = "ProvisionScreen"
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
                self.do(self._ask(panel, RequestKind.SUSPEND))
            case "resume":
                self.do(self._turn(panel, RequestKind.RESUME))
            case "deprovision":
                self.do(self._ask(panel, RequestKind.DEPROVISION))
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
                self._want_name(panel)
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
            self.prompts.confirm(lines, lambda: self._send(giving, wanted), yes="Change level")

    def _want_name(self, panel: UserServicePanel) -> None:
        field = panel.query_one(Field)
        field.error = "is needed: it tells this one from the others"
        field.focus()

    async def _asked(
        self, panels: list[UserServicePanel], wanted: list[ActionParams], *, dry_run: bool
    ) -> Outcome[tuple[ActionResult, ...]] | None:
        """Return what the model says; None when settings were refused, which then show it."""
        try:
            return await provision(self.context.scope, self.user_id, wanted, dry_run=dry_run)
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
        asked = [given for given in outcome.result if given.request_id is not None]
        names = ", ".join(dict.fromkeys(self._service_name(one.service_id) for one in asked))
        self.announce(f"Asked for: {names}" if asked else "Nothing to do: it is as it should be")
        await self.queue_changed()
        await self.load()
        for given in outcome.result:
            shown = next(
                (panel for panel in self.panels if panel.view.id == given.assignment_id), None
            )
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
        elif panel.another and not panel.instance:
            self._want_name(panel)
        else:
            wanted = panel.wanted()
            params = ActionParams(wanted.service, wanted.level, wanted.settings, wanted.instance)
            self.ask_when(user, SchedulableAction(UserVerb.PROVISION, params), panel.sent)

    def _service_name(self, service_id: str) -> str:
        return self.context.catalogue.service(service_id).name

    # Suspend, resume, deprovision, passwords

    async def _ask(self, panel: UserServicePanel, kind: RequestKind) -> None:
        lines = turn_question(self.context.account.name, self.context.catalogue, panel.view, kind)
        tried = await self._turned(panel, kind, dry_run=True)
        lines[2:2] = tried.plan.warnings
        word = "Suspend" if kind is RequestKind.SUSPEND else "Deprovision"
        self.prompts.confirm(lines, lambda: self._turn(panel, kind), yes=word)

    def _ask_adopt(self, panel: UserServicePanel) -> None:
        lines = adopt_question(self.context.account.name, panel.view)
        wanted = [panel.wanted(adopt=True)]
        self.prompts.confirm(lines, lambda: self._send([panel], wanted), yes="Take over")

    async def _turned(
        self, panel: UserServicePanel, kind: RequestKind, *, dry_run: bool = False
    ) -> Outcome[tuple[ActionResult, ...]]:
        return await change_wish(
            self.context.scope,
            self.user_id,
            panel.service.id,
            kind,
            instance=panel.view.instance,
            dry_run=dry_run,
        )

    async def _turn(self, panel: UserServicePanel, kind: RequestKind) -> None:
        await self._turned(panel, kind)
        panel.sent()
        self.announce(f"Asked for: {kind} {panel.service.name}")
        await self.queue_changed()
        await self.load()

    async def _new_password(self, panel: UserServicePanel) -> None:
        outcome = await set_service_password(
            self.context.scope, self.user_id, panel.service.id, instance=panel.view.instance
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

    def verb_copy(self) -> None:
        """The error of the panel that the focus is in, for a ticket; else whose services these are."""
        if self._user is None:
            return
        panel = self.panel
        told = panel.error_lines if panel is not None else []
        if panel is None or not told:
            self.copy(self._user.upn)
        else:
            self.copy([f"{self._user.upn}: {panel.view.level or panel.view.service}", *told])
