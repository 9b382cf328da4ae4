"""Asking for a date and time in place, and what can be scheduled for a user."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import ClassVar

from mission_control_tui.model import dates
from mission_control_tui.model.errors import Conflict, InvalidInput, ProblemCode
from mission_control_tui.model.schedules.editing import change_schedule, schedule
from mission_control_tui.model.schedules.queries import ScheduleView
from mission_control_tui.model.services.lights import status
from mission_control_tui.model.states import Wish
from mission_control_tui.model.users.actions.params import ActionParams, UserVerb
from mission_control_tui.model.users.actions.registry import title
from mission_control_tui.model.users.queries import details
from mission_control_tui.model.views import AssignmentView, UserView
from mission_control_tui.screens.base.mission_screen import MissionScreen
from mission_control_tui.widgets.rows import Column, CursorLines, Row

HINT = "2026-12-01 09:00, tomorrow 18:00, fri 17:00, 18:00, +2h, +3d"


@dataclass(frozen=True, slots=True)
class SchedulableAction:
    """Something that can be scheduled for a user."""

    action: UserVerb
    params: ActionParams = field(default_factory=ActionParams)


class SchedulableList(CursorLines):
    """What can happen to a user at a date and time; in place of the screen's body."""

    title = "Schedule"
    help_text = "Enter chooses what is to happen; the date and time are asked next."

    def __init__(self, upn: str, rows: Sequence[tuple[SchedulableAction | None, str]]) -> None:
        super().__init__(columns=(Column(f"At a date and time, for {upn}"),))
        self._rows = tuple(rows)

    @property
    def count(self) -> int:
        return len(self._rows)

    def row_at(self, index: int) -> Row | None:
        planned, words = self._rows[index]
        return Row(words, (words,), planned)


def choices(user: UserView, views: Sequence[AssignmentView]) -> list[SchedulableAction]:
    """Return what can be scheduled for a user who has these services, the user as a whole first."""
    given = [view for view in views if view.id and view.wish is not Wish.ABSENT]
    found = [SchedulableAction(UserVerb.ENABLE if user.details.disabled else UserVerb.DISABLE)]
    if given:
        found.append(SchedulableAction(UserVerb.DEPROVISION))
    for view in given:
        params = ActionParams(view.service_id, instance=view.instance)
        turned = UserVerb.RESUME if view.wish is Wish.SUSPENDED else UserVerb.SUSPEND
        found += [
            SchedulableAction(turned, params),
            SchedulableAction(UserVerb.DEPROVISION, params),
        ]
    return found


class SchedulingScreen(MissionScreen):
    """A screen from which something can be scheduled."""

    LEADS_TO_SERVICES: ClassVar[bool] = True
    """Whether the list of what can be scheduled says where levels are chosen."""

    def understood(self, text: str) -> str:
        """Return how a date and time is read, as one types; what the worker goes by is asked of the database again."""
        try:
            zone = dates.zone_named(self.context.account.time_zone)
            moment = dates.parse(text, zone, datetime.now(UTC))
        except InvalidInput as error:
            past = [one.what for one in error.problems if one.code is ProblemCode.PAST]
            return past[0] if past else HINT
        return moment.note or moment.shown

    def _zone_line(self) -> str:
        zone = self.context.account.time_zone
        now = dates.shown(datetime.now(UTC), dates.zone_named(zone))
        return f"In the time zone {zone}, where it is {now}. The worker does it then, once."

    async def schedule_for(
        self, user_id: str, first: UserVerb | None = None, *, service: str = ""
    ) -> None:
        """List what can be scheduled for a user, the cursor on what is about `service` or is `first`."""
        scope = self.context.scope
        user = await details(scope, user_id)
        if user.in_bin:
            raise Conflict(f"{user.upn} is in the recycling bin.", hint="Restore it first.")
        found = choices(user, await status(scope, user=user_id))
        if self.is_here:
            at_first = (
                number
                for number, one in enumerate(found)
                if (one.params.service == service if service else one.action is first)
            )
            self.choose_planned(user, found, next(at_first, 0))

    def choose_planned(
        self, user: UserView, found: Sequence[SchedulableAction], at: int = 0
    ) -> None:
        """List what can be scheduled, the cursor on number `at`."""
        catalogue = self.context.catalogue
        rows: list[tuple[SchedulableAction | None, str]] = [
            (one, title(catalogue, one.action, one.params)) for one in found
        ]
        if self.LEADS_TO_SERVICES:
            rows.append((None, "Provision: open Services, choose a level there, then d"))
        listing = SchedulableList(user.upn, rows)
        self.planned_for = user
        self.prompts.show_overlay(listing)
        listing.move_to(at)

    planned_for: UserView | None = None

    def on_cursor_lines_opened(self, event: CursorLines.Opened) -> None:
        if isinstance(event.rows, SchedulableList) and self.planned_for is not None:
            event.stop()
            self.prompts.close_overlay()
            if isinstance(event.row.data, SchedulableAction):
                self.ask_when(self.planned_for, event.row.data)
            else:
                self.go_to("provision", self.planned_for.id)

    def ask_when(
        self, user: UserView, planned: SchedulableAction, done: Callable[[], None] = lambda: None
    ) -> None:
        """Ask for the date and time, and schedule; then `done` is called."""
        what = title(self.context.catalogue, planned.action, planned.params)
        self.prompts.ask(
            [f"{self.context.account.name}: {what}, of {user.upn}, when?", self._zone_line()],
            "When",
            lambda text: self._schedule(user, planned, text, done),
            understand=self.understood,
            help_text=f"A date and time: {HINT}.",
        )

    async def _schedule(
        self, user: UserView, planned: SchedulableAction, text: str, done: Callable[[], None]
    ) -> None:
        outcome = await schedule(self.context.scope, user.id, planned.action, planned.params, text)
        done()
        self.scheduled(outcome.result, outcome.plan.warnings)
        await self.queue_changed()

    def scheduled(self, one: ScheduleView, warnings: Sequence[str]) -> None:
        """Say what was scheduled, with what should be known of it."""
        words = [f"Scheduled, number {one.id}: {one.what}, {one.shown}", *warnings]
        self.announce(". ".join(word.rstrip(".") for word in words))

    def ask_other_time(self, one: ScheduleView) -> None:
        """Ask for another date and time of a schedule that waits."""
        local = one.due_at.astimezone(dates.zone_named(self.context.account.time_zone))
        self.prompts.ask(
            [f"{self.context.account.name}: {one.what}, of {one.upn}, when?", self._zone_line()],
            "When",
            lambda text: self._change_time(one, text),
            value=f"{local:%Y-%m-%d %H:%M}",
            understand=self.understood,
            help_text=f"A date and time: {HINT}.",
        )

    async def _change_time(self, one: ScheduleView, text: str) -> None:
        outcome = await change_schedule(
            self.context.scope, one.id, when=text, expected_version=one.version
        )
        self.scheduled(outcome.result, outcome.plan.warnings)
        await self.queue_changed()
        self.reload()
