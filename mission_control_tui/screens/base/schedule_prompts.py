"""Asking for a date and time in place, and what can be scheduled for a user, a domain or the account."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from mission_control_tui.model import dates
from mission_control_tui.model.errors import Conflict, InvalidInput, ProblemCode, UsageError
from mission_control_tui.model.plan import Outcome
from mission_control_tui.model.schedules.editing import change_schedule, schedule
from mission_control_tui.model.schedules.queries import ScheduleView
from mission_control_tui.model.services.lights import status
from mission_control_tui.model.services.subjects import SubjectKey
from mission_control_tui.model.states import Wish
from mission_control_tui.model.users.actions.disable import Disable, Enable
from mission_control_tui.model.users.actions.params import ActionParams
from mission_control_tui.model.users.actions.registry import title
from mission_control_tui.model.users.actions.wish import Deprovision, Resume, Suspend
from mission_control_tui.model.users.queries import details
from mission_control_tui.model.views import AssignmentView, UserView
from mission_control_tui.screens.base.mission_screen import MissionScreen
from mission_control_tui.widgets.rows import Column, HeldRows, Row

HINT = "2026-12-01 09:00, tomorrow 18:00, fri 17:00, 18:00, +2h, +3d"


@dataclass(frozen=True, slots=True)
class SchedulableAction:
    """Something that can be scheduled."""

    action: str
    params: ActionParams = field(default_factory=ActionParams)


class SchedulableList(HeldRows):
    """What can happen to a subject at a date and time; in place of the screen's body."""

    title = "Schedule"
    help_text = "Enter chooses what is to happen; the date and time are asked next."

    def __init__(self, called: str, rows: Sequence[Row]) -> None:
        super().__init__(columns=(Column(f"At a date and time, for {called}"),))
        self._rows = rows


def choices(user: UserView | None, views: Sequence[AssignmentView]) -> list[SchedulableAction]:
    """Return what can be scheduled for who has these services; of a user also what is about the user as a whole."""
    given = [view for view in views if view.id and view.wish is not Wish.ABSENT]
    found = []
    if user is not None:
        found.append(SchedulableAction(Enable.verb if user.details.disabled else Disable.verb))
        if given:
            found.append(SchedulableAction(Deprovision.verb))
    for view in given:
        params = ActionParams(view.service_id, instance=view.instance)
        turned = Resume.verb if view.wish is Wish.SUSPENDED else Suspend.verb
        found += [SchedulableAction(verb, params) for verb in (turned, Deprovision.verb)]
    return found


class SchedulePrompts:
    """Asks on a screen what is to happen at a date and time, and when."""

    def __init__(self, screen: MissionScreen, *, leads_to_services: bool = True) -> None:
        """With `leads_to_services` the list of what can be scheduled says where levels are chosen."""
        self._screen = screen
        self._leads_to_services = leads_to_services

    def understood(self, text: str) -> str:
        """Return how a date and time is read, as one types; what the worker goes by is asked of the database again."""
        try:
            zone = dates.zone_named(self._screen.context.account.time_zone)
            moment = dates.parse(text, zone, datetime.now(UTC))
        except InvalidInput as error:
            past = (wrong.what for wrong in error.problems if wrong.code is ProblemCode.PAST)
            return next(past, HINT)
        return moment.note or moment.shown

    def _zone_line(self) -> str:
        zone = self._screen.context.account.time_zone
        now = dates.shown(datetime.now(UTC), dates.zone_named(zone))
        return f"In the time zone {zone}, where it is {now}. The worker does it then, once."

    async def ask_what(
        self, whose: str | SubjectKey, first: str = "", *, service: str = ""
    ) -> None:
        """List what can be scheduled, the cursor on what is about `service` or is `first`. A text is a user's id."""
        scope = self._screen.context.scope
        user = await details(scope, whose) if isinstance(whose, str) else None
        if user is not None and user.in_bin:
            raise Conflict(f"{user.upn} is in the recycling bin.", hint="Restore it first.")
        found = choices(user, await status(scope, user=whose))
        if not self._screen.is_here:
            return
        called = self._called(whose) if user is None else user.upn
        if not found:
            raise UsageError(f"{called} has no service that could be scheduled.")
        at_first = (
            number
            for number, planned in enumerate(found)
            if (planned.params.service == service if service else planned.action == first)
        )
        words = [
            title(self._screen.context.catalogue, planned.action, planned.params)
            for planned in found
        ]
        rows = [Row(said, (said,), planned) for said, planned in zip(words, found, strict=True)]
        if self._leads_to_services:
            said = "Provision: open Services, choose a level there, then d"
            rows.append(Row(said, (said,)))

        def chosen(row: Row) -> None:
            if isinstance(row.data, SchedulableAction):
                self.ask_when(whose, called, row.data)
            else:
                self._screen.go_to("provision", whose)

        listing = SchedulableList(called, rows)
        self._screen.prompts.choose(listing, chosen)
        listing.move_to(next(at_first, 0))

    def _called(self, whose: str | SubjectKey) -> str:
        return SubjectKey.of(whose).name or self._screen.context.account.name

    def ask_when(
        self,
        whose: str | SubjectKey,
        called: str,
        planned: SchedulableAction,
        done: Callable[[], None] = lambda: None,
    ) -> None:
        """Ask for the date and time, and schedule; then `done` is called."""

        async def answered(text: str) -> Callable[[], None] | None:
            wanted = (self._screen.context.scope, whose, planned.action, planned.params, text)

            async def state() -> None:
                outcome = await schedule(*wanted)
                done()
                await self._scheduled(outcome)

            tried = await schedule(*wanted, dry_run=True)
            if not tried.plan.lost:
                await state()
                return None
            account = self._screen.context.account.name
            lines = [f"{account}: schedule {what}, of {called}, for {tried.result.shown}?"]
            lines.append(f"Lost: {'; '.join(tried.plan.lost)}.")
            return lambda: self._screen.prompts.confirm(lines, state, yes="Schedule")

        what = title(self._screen.context.catalogue, planned.action, planned.params)
        self._ask_for_time(f"{what}, of {called}", answered)

    def ask_other_time(self, waiting: ScheduleView) -> None:
        """Ask for another date and time of a schedule that waits."""

        async def answered(text: str) -> None:
            outcome = await change_schedule(
                self._screen.context.scope, waiting.id, when=text, expected_version=waiting.version
            )
            await self._scheduled(outcome)
            self._screen.reload()

        local = waiting.due_at.astimezone(dates.zone_named(self._screen.context.account.time_zone))
        about = f"{waiting.what}, of {waiting.subject}"
        self._ask_for_time(about, answered, value=f"{local:%Y-%m-%d %H:%M}")

    def _ask_for_time(self, about: str, then: Callable[[str], object], value: str = "") -> None:
        self._screen.prompts.ask(
            [f"{self._screen.context.account.name}: {about}, when?", self._zone_line()],
            "When",
            then,
            value=value,
            understand=self.understood,
            help_text=f"A date and time: {HINT}.",
        )

    async def _scheduled(self, outcome: Outcome[ScheduleView]) -> None:
        """Say what was scheduled, with what should be known of it; the worker does it."""
        made = outcome.result
        words = [f"Scheduled, number {made.id}: {made.what}, {made.shown}", *outcome.plan.warnings]
        self._screen.announce(". ".join(word.rstrip(".") for word in words))
        await self._screen.queue_changed()
