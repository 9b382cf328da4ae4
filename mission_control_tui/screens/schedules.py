"""Schedules: what is to happen at a date and time, and what became of what was."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import ClassVar

from textual.containers import Horizontal
from textual.widget import Widget

from mission_control_tui.model.schedules.editing import cancel_schedule
from mission_control_tui.model.schedules.queries import ScheduleView, list_schedules
from mission_control_tui.model.states import Light, ScheduleState
from mission_control_tui.model.users.actions.params import UserVerb
from mission_control_tui.screens.base.schedule_prompts import SchedulingScreen
from mission_control_tui.widgets.action_button import ActionButton
from mission_control_tui.widgets.cells import age
from mission_control_tui.widgets.choice_field import ChoiceField
from mission_control_tui.widgets.field import FormLine
from mission_control_tui.widgets.light import light_parts
from mission_control_tui.widgets.line_list import LineList, RowPage
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


class SchedulesScreen(SchedulingScreen):
    """The schedules of the account."""

    HEADING = "Schedules"
    ABOUT = (
        "What the worker does at a date and time, once; also what was due while none ran, as soon as one does. "
        "The next comes first; below are those that ended. e changes date and time, Cancel asks first. "
        "New ones are made with d on a user or on a service."
    )
    VERBS: ClassVar[tuple[str, ...]] = ("edit", "provision", "copy")
    CSS_PATH = "schedules.tcss"
    AUTO_FOCUS = "#schedules"

    def __init__(self, shown: str = "") -> None:
        super().__init__()
        self._wanted = shown
        self._found: tuple[ScheduleView, ...] = ()

    def body(self) -> Iterable[Widget]:
        yield ChoiceField(
            "Show",
            [(name, label) for name, (label, _states) in SHOWN.items()],
            help_text="Which schedules the list shows; Left and Right choose.",
            id="shown",
        )
        yield LineList(
            columns=(
                Column("No.", width=4, right=True),
                Column("When", width=20),
                Column("What", share=4),
                Column("Who", share=3),
                Column("State", width=11),
            ),
            empty="Nothing is scheduled: d on a user or a service does",
            id="schedules",
        )
        yield TextLines("", id="detail")
        change = ActionButton("Change", help_text="Another date and time; e does the same.")
        change.id = "change"
        cancel = ActionButton("Cancel it", help_text="It will not happen; asks first.")
        cancel.id = "cancel"
        for button in (change, cancel):
            button.styles.width = 16
        yield Horizontal(change, cancel, id="buttons")

    # Data

    async def load(self) -> None:
        choice = self.query_one("#shown", ChoiceField)
        if self._wanted:
            choice.value, self._wanted = self._wanted, ""
        states = SHOWN[choice.value][1]
        self._found = await list_schedules(self.context.scope, states=states, limit=MOST)
        self.query_one(LineList).show(self._fetch, keep=True)
        self._tell()
        self.refresh_keys()

    async def _fetch(self, offset: int, limit: int) -> RowPage:
        rows = [self._row(one) for one in self._found[offset : offset + limit]]
        return RowPage(rows, len(self._found))

    def _row(self, one: ScheduleView) -> Row:
        when = one.shown.rpartition(" (")[0]
        cells = (
            str(one.id),
            when,
            one.what,
            one.display_name,
            light_parts(LIGHTS[one.state], one.state.value.title()),
        )
        return Row(one.id, cells, one)

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
        one = self.schedule
        over = "" if one is not None and one.state is ScheduleState.WAITING else " "
        for name in ("change", "cancel"):
            self.query_one(f"#{name}", ActionButton).reason = over
        self.query_one("#detail", TextLines).set("\n".join(self._details(one)) if one else "")

    def _details(self, one: ScheduleView) -> list[str]:
        ticket = f", ticket {one.ticket}" if one.ticket else ""
        became = f"{one.state}"
        if one.request_id is not None:
            became += f", request {one.request_id}"
        if one.said:
            became += f": {one.said}"
        return [
            one.what,
            f"{one.display_name}  {one.upn}",
            f"{one.shown} {one.time_zone}, made by {one.operator}{ticket}, {age(one.created_at)} ago",
            became,
        ]

    # Verbs

    @property
    def schedule(self) -> ScheduleView | None:
        """The schedule under the cursor, as it was read last."""
        row = self.query_one(LineList).current
        return next((one for one in self._found if row is not None and one.id == row.key), None)

    def on_cursor_lines_opened(self, event: CursorLines.Opened) -> None:
        if event.rows.id == "schedules" and (one := self.schedule) is not None:
            if one.request_id is not None:
                self.go_to("request", one.request_id)
            else:
                self._go_to_user(one)

    def _go_to_user(self, one: ScheduleView) -> None:
        if one.action in (UserVerb.DISABLE, UserVerb.ENABLE):
            self.go_to("user", one.user_id)
        else:
            self.go_to("provision", one.user_id)

    def on_action_button_pressed(self, event: ActionButton.Pressed) -> None:
        if event.button.id == "change":
            self.action_verb("edit")
        elif (one := self.schedule) is not None:
            self._ask_cancel(one)

    def on_action_button_refused(self, event: ActionButton.Refused) -> None:
        one = self.schedule
        state = f"it is {one.state}" if one is not None else "put the cursor on a schedule first"
        self.announce(f"{event.button.label} does not apply: {state}", error=True)

    @property
    def key_labels(self) -> Mapping[str, str]:
        return {"edit": "Change", "provision": "Services"}

    @property
    def unhinted(self) -> frozenset[str]:
        return frozenset(() if self.schedule is not None else ("edit", "provision"))

    def verb_edit(self) -> None:
        one = self.schedule
        if one is None:
            self.announce("Put the cursor on a schedule first", error=True)
        elif one.state is not ScheduleState.WAITING:
            self.announce(f"This schedule has ended: it is {one.state}", error=True)
        else:
            self.ask_other_time(one)

    def verb_provision(self) -> None:
        one = self.schedule
        if one is None:
            self.announce("Put the cursor on a schedule first", error=True)
        else:
            self.go_to("provision", one.user_id)

    def _ask_cancel(self, one: ScheduleView) -> None:
        self.prompts.confirm(
            [
                f"{self.context.account.name}: cancel schedule {one.id}, {one.what}, of {one.upn}?",
                f"Lost: it will not happen at {one.shown}. Nothing else changes.",
            ],
            lambda: self._cancel(one),
            yes="Cancel it",
        )

    async def _cancel(self, one: ScheduleView) -> None:
        await cancel_schedule(self.context.scope, one.id)
        self.announce(f"Schedule {one.id} is cancelled")
        await self.load()

    def verb_copy(self) -> None:
        if (one := self.schedule) is not None:
            self.copy(f"schedule {one.id}: {one.what}, {one.upn}, {one.shown}, {one.state}")
