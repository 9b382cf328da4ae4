"""Schedules: what is to happen at a date and time, and what became of what was."""

from __future__ import annotations

from collections.abc import Iterable

from textual.containers import Horizontal
from textual.widget import Widget

from mission_control_tui.model.schedules.editing import cancel_schedule
from mission_control_tui.model.schedules.queries import ScheduleView, list_schedules
from mission_control_tui.model.states import Light, ScheduleState, SubjectKind
from mission_control_tui.model.users.actions.registry import ACTIONS
from mission_control_tui.screens.base.mission_screen import MissionScreen
from mission_control_tui.screens.base.schedule_prompts import SchedulePrompts
from mission_control_tui.widgets.action_button import ActionButton
from mission_control_tui.widgets.cells import age
from mission_control_tui.widgets.field import FormLine, ShownField
from mission_control_tui.widgets.light import light_parts
from mission_control_tui.widgets.line_list import LineList
from mission_control_tui.widgets.rows import Column, CursorLines, Row
from mission_control_tui.widgets.text_lines import TextLines

MOST = 1000
"""Schedules that are listed at most."""

SHOWN: dict[str, tuple[str, frozenset[ScheduleState]]] = {
    "all": ("All", frozenset()),
    "waiting": ("Waiting", frozenset({ScheduleState.WAITING})),
    "failed": ("Failed", frozenset({ScheduleState.FAILED})),
}

LIGHTS = {
    ScheduleState.WAITING: Light.ORANGE,
    ScheduleState.DONE: Light.GREEN,
    ScheduleState.FAILED: Light.RED,
    ScheduleState.CANCELLED: Light.GREY,
}


class SchedulesScreen(MissionScreen):
    """The schedules of the account."""

    NAME = "schedules"
    MEMORY_NAME = "SchedulesScreen"
    HEADING = "Schedules"
    ABOUT = (
        "What the worker does at a date and time, once; also what was due while none ran, as soon as one does. "
        "The next comes first; below are those that ended. e changes date and time, Cancel asks first. "
        "New ones are made with d on a user or on a service."
    )
    VERBS = ("edit", "provision", "copy")
    KEY_LABELS = (("edit", "Change"), ("provision", "Services"))
    OF_ROWS = frozenset({"provision"})
    CSS_PATH = "schedules.tcss"
    AUTO_FOCUS = "#schedules"

    def __init__(self, shown: str = "") -> None:
        super().__init__()
        self._wanted = shown

    def body(self) -> Iterable[Widget]:
        yield ShownField(SHOWN, help_text="Which schedules the list shows")
        yield LineList(
            columns=(
                Column("No.", width=4, right=True),
                Column("When", width=20),
                Column("What", share=4),
                Column("Who", share=3),
                Column("State", width=11),
            ),
            empty="Nothing is scheduled. Press d on a user or a service to schedule something",
            id="schedules",
        )
        yield TextLines("", id="detail")
        with Horizontal(id="buttons"):
            words = "Another date and time; e does the same."
            yield ActionButton("Change", help_text=words, width=16, verb="edit", id="change")
            words, run = "It will not happen; asks first.", self._ask_cancel
            yield ActionButton("Cancel it", help_text=words, width=16, run=run, id="cancel")

    # Data

    async def load(self) -> None:
        choice = self.query_one(ShownField)
        if self._wanted:
            choice.value, self._wanted = self._wanted, ""
        states = choice.meaning
        found = await list_schedules(self.context.scope, states=states, limit=MOST)
        self.query_one(LineList).show_rows([self._row(schedule) for schedule in found])
        self._tell()
        self.refresh_keys()

    def _row(self, schedule: ScheduleView) -> Row:
        when = schedule.shown.rpartition(" (")[0]
        cells = (
            str(schedule.id),
            when,
            schedule.what,
            schedule.display_name,
            light_parts(LIGHTS[schedule.state], schedule.state.value.title()),
        )
        return Row(schedule.id, cells, schedule)

    def on_form_line_changed(self, event: FormLine.Changed) -> None:
        if event.field.id == "shown" and self.console.is_open:
            self.reload()

    def on_line_list_loaded(self, event: LineList.Loaded) -> None:
        self._tell()
        self.refresh_keys()

    def on_cursor_lines_moved(self, event: CursorLines.Moved) -> None:
        self._tell()

    def _tell(self) -> None:
        """Everything about the schedule under the cursor."""
        schedule = self.schedule
        over = "" if schedule is not None and schedule.state is ScheduleState.WAITING else " "
        for name in ("change", "cancel"):
            self.query_one(f"#{name}", ActionButton).reason = over
        self.query_one("#detail", TextLines).set(
            "\n".join(self._details(schedule)) if schedule else ""
        )

    def _details(self, schedule: ScheduleView) -> list[str]:
        ticket = f", ticket {schedule.ticket}" if schedule.ticket else ""
        made = f"made by {schedule.operator}{ticket}, {age(schedule.created_at)} ago"
        became = f"{schedule.state}"
        if schedule.request_id is not None:
            became += f", request {schedule.request_id}"
        if schedule.said:
            became += f": {schedule.said}"
        return [
            schedule.what,
            f"{schedule.display_name}  {schedule.subject}",
            f"{schedule.shown} {schedule.time_zone}, {made}",
            became,
        ]

    # Verbs

    @property
    def schedule(self) -> ScheduleView | None:
        """The schedule under the cursor, as it was read last."""
        return self.query_one(LineList).current_data(ScheduleView)

    def on_cursor_lines_opened(self, event: CursorLines.Opened) -> None:
        if event.rows.id == "schedules" and (schedule := self.schedule) is not None:
            if schedule.request_id is not None:
                self.go_to("request", schedule.request_id)
            else:
                self._go_to_subject(schedule)

    def _go_to_subject(self, schedule: ScheduleView) -> None:
        if schedule.action in ACTIONS and not ACTIONS[schedule.action].of_service:
            self.go_to("user", schedule.user_id)
        else:
            self._go_to_services(schedule)

    def _go_to_services(self, schedule: ScheduleView) -> None:
        if schedule.user_id is not None:
            self.go_to("provision", schedule.user_id)
            return
        name = schedule.subject if schedule.subject_kind is SubjectKind.DOMAIN else ""
        self.go_to("provision", "", None, schedule.subject_kind.value, name)

    def on_action_button_refused(self, event: ActionButton.Refused) -> None:
        schedule = self.schedule
        state = (
            f"it is {schedule.state}"
            if schedule is not None
            else "put the cursor on a schedule first"
        )
        self.answer(f"{event.button.label} does not apply: {state}", error=True)

    @property
    def unhinted(self) -> frozenset[str]:
        return frozenset(() if self.schedule is not None else ("edit", "provision"))

    def verb_edit(self) -> None:
        schedule = self.schedule
        if schedule is None:
            self.answer("Put the cursor on a schedule first", error=True)
        elif schedule.state is not ScheduleState.WAITING:
            self.answer(f"This schedule has ended: it is {schedule.state}", error=True)
        else:
            SchedulePrompts(self).ask_other_time(schedule)

    def verb_provision(self) -> None:
        schedule = self.schedule
        if schedule is None:
            self.answer("Put the cursor on a schedule first", error=True)
        else:
            self._go_to_services(schedule)

    def _ask_cancel(self) -> None:
        schedule = self.schedule
        if schedule is None:
            return
        self.prompts.confirm(
            [
                f"{self.context.account.name}: cancel schedule {schedule.id}, {schedule.what}, of {schedule.subject}?",
                f"Lost: it will not happen at {schedule.shown}. Nothing else changes.",
            ],
            lambda: self._cancel(schedule),
            yes="Cancel it",
        )

    async def _cancel(self, schedule: ScheduleView) -> None:
        await cancel_schedule(self.context.scope, schedule.id)
        self.announce(f"Schedule {schedule.id} is cancelled")
        await self.load()

    def verb_copy(self) -> None:
        if (schedule := self.schedule) is not None:
            self.copy(
                f"schedule {schedule.id}: {schedule.what}, {schedule.subject}, {schedule.shown}, {schedule.state}"
            )
