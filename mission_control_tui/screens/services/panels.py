"""The panels of Provision Services: what they show, kept as it is in the database, and what was chosen in them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from textual.containers import Vertical
from textual.widget import Widget

from mission_control_tui.model.accounts.overview import list_seats
from mission_control_tui.model.errors import NotFound
from mission_control_tui.model.requests.workers import live_workers
from mission_control_tui.model.services.failures import LastFailure, failures_of
from mission_control_tui.model.services.lights import status
from mission_control_tui.model.states import Light
from mission_control_tui.model.users.queries import details
from mission_control_tui.model.views import AssignmentView, Seats, UserView
from mission_control_tui.screens.base.schedule_prompts import SchedulingScreen
from mission_control_tui.screens.services.service_panel import UserServicePanel, another_view
from mission_control_tui.widgets.field import Field, FormLine
from mission_control_tui.widgets.fold import Fold
from mission_control_tui.widgets.level_picker import LevelPicker
from mission_control_tui.widgets.text_lines import TextLines

NO_SERVICES = "The account has bought no service for users yet. g goes to Home, where the quadrant Services sells them."


class PanelsScreen(SchedulingScreen):
    """Every bought service of one user as a panel, with its light, live."""

    def __init__(
        self,
        user_id: str,
        assignment_id: str | None = None,
        *,
        service_id: str = "",
        fresh: bool = False,
    ) -> None:
        """The panel of the assignment or the service is opened."""
        super().__init__()
        self.user_id = user_id
        self._wanted_id = assignment_id
        self._wanted_service = service_id
        self._fresh = fresh
        self._user: UserView | None = None
        self._seats: Sequence[Seats] = ()
        self._failed: dict[str, LastFailure] = {}

    @property
    def memory_key(self) -> str:
        return f"{self.MEMORY_NAME} {self.user_id}"

    def about_user(self) -> str | None:
        return self.user_id

    def body(self) -> Iterable[Widget]:
        yield TextLines("…", "title", id="who")
        yield TextLines("", "dim", id="notice")
        yield Vertical(id="panels")

    # Data

    async def load(self) -> None:
        scope = self.context.scope
        self._user = user = await details(scope, self.user_id)
        self.looked_at(user.id)
        views = await status(scope, user=self.user_id)
        self._seats = await list_seats(scope)
        if any(view.light is Light.RED for view in views):
            self._failed = await failures_of(scope, self.user_id)
        self.query_one("#who", TextLines).set(
            f"{user.details.display_name}  {user.upn}  ({user.details.username})"
        )
        waits = any(view.light is Light.ORANGE for view in views)
        self._show_notice(user, views, await self._nobody_works() if waits else "")
        await self._show_panels(views)
        self.refresh_keys()

    async def _nobody_works(self) -> str:
        """Return why nothing that is queued is done now, and what to do; empty while a worker is at it."""
        if self.context.no_worker:
            return self.context.no_worker
        lease = self.context.settings.worker.lease_seconds
        if await live_workers(self.context.store, lease):
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
                await old.show(panel.view, panel.seats, panel.failure)
        for gone in have.values():
            await gone.remove()
        typed = self.memory.kept.get("typed")
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
            seats = {seat.level_id: seat for seat in self._seats if seat.service_id == service.id}
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
        if widget is None:
            return None
        nodes = widget.ancestors_with_self
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

    @property
    def _who(self) -> str:
        return self._user.details.display_name if self._user else "the user"

    # Memory

    def remember(self) -> dict[str, object]:
        typed = {panel.id: panel.remember_choice() for panel in self.panels}
        return {**super().remember(), "typed": typed}
