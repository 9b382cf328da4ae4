"""Connectors: whether each back end answers, what waits for it, and why it is paused; a check of it now."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from textual.widget import Widget

from mission_control_tui.model.catalogue.types import Service
from mission_control_tui.model.errors import UsageError
from mission_control_tui.model.requests.connector_activity import (
    NO_ACTIVITY,
    ConnectorActivity,
    connector_activity,
)
from mission_control_tui.model.requests.connector_pauses import ask_for_check
from mission_control_tui.model.services.near_full import near_full
from mission_control_tui.model.services.usage import measured
from mission_control_tui.model.states import Light
from mission_control_tui.model.store.scope import AllAccounts
from mission_control_tui.model.text.counting import counted
from mission_control_tui.screens.base.mission_screen import MissionScreen
from mission_control_tui.settings.served import holders_of, placed_words, served_by_connector
from mission_control_tui.widgets.cells import age
from mission_control_tui.widgets.light import light_parts
from mission_control_tui.widgets.line_list import LineList
from mission_control_tui.widgets.rows import Column, CursorLines, Row
from mission_control_tui.widgets.text_lines import TextLines

EVERY_SECONDS = 3.0
"""Pauses and checks belong to no account, so that no change of one tells of them."""
NAMED = 3
"""Services near a limit that are named."""


@dataclass(frozen=True, slots=True)
class ConnectorLine:
    """A connector as the list shows it; `problem` is what its settings lack."""

    name: str
    type: str
    rate: str
    serves: Sequence[Service]
    activity: ConnectorActivity
    problem: str = ""


class ConnectorsScreen(MissionScreen):
    """All connectors of the installation; they belong to no account."""

    NAME = "connectors"
    MEMORY_NAME = "ConnectorsScreen"
    HEADING = "Connectors"
    ABOUT = (
        "Each back end that is provisioned: whether it answers, its version, when something last succeeded, what waits "
        "for it, how fast it is asked, and services near a limit. One that is paused says why and goes on by itself "
        "once it answers; r has the worker check it now. Enter shows what is red or waits there."
    )
    VERBS = ("retry", "copy")
    KEY_LABELS = (("retry", "Check now"),)
    CSS_PATH = "connectors.tcss"
    AUTO_FOCUS = "#connectors"

    def __init__(self, connector: str = "") -> None:
        """The cursor begins on `connector`."""
        super().__init__()
        self._wanted = connector
        self._begins_on = connector
        self._near: dict[str, str] = {}

    def body(self) -> Iterable[Widget]:
        yield LineList(
            columns=(
                Column("Connector", share=2),
                Column("Type", width=10),
                Column("Now", share=3),
                Column("Queue", width=5, right=True),
                Column("Success", width=8, right=True),
                Column("Full", width=4, right=True),
            ),
            empty="The catalogue names no connector",
            id="connectors",
        )
        yield TextLines("", id="detail")

    def recall(self, memory: dict[str, object]) -> None:
        super().recall(memory)
        if self._begins_on:
            # Where the cursor was left is not what was asked for now.
            memory.pop("connectors", None)

    def on_mount(self) -> None:
        super().on_mount()
        self.set_interval(EVERY_SECONDS, self._look_again)

    def _look_again(self) -> None:
        if self.is_here and self.console.is_open:
            self.reload()

    async def load(self) -> None:
        context = self.context
        everywhere = AllAccounts(context.store, context.caller)
        activity = await connector_activity(everywhere)
        served = served_by_connector(context.catalogue.services, context.settings)
        lines = [
            self._line(name, served.get(name, ()), activity.get(name, NO_ACTIVITY))
            for name in sorted({*served, *activity})
        ]
        self._near = {
            line.name: "; ".join(
                f"{view.subject} {next(measured(view.usage)).words}"
                for view in await near_full(everywhere, line.name, limit=NAMED)
            )
            for line in lines
            if line.activity.near_full
        }
        found = self.query_one(LineList)
        found.show_rows([_row(line) for line in lines])
        if self._wanted:
            found.seek(self._wanted)
            self._wanted = ""
        self._tell()
        self.refresh_keys()

    def _line(
        self, name: str, serves: Sequence[Service], activity: ConnectorActivity
    ) -> ConnectorLine:
        try:
            settings = self.context.settings.connector(name)
        except UsageError as error:
            return ConnectorLine(name, "", "", serves, activity, error.what)
        rate = (
            f"at most {settings.concurrency} at a time, {settings.rate_per_second:g} calls a second"
        )
        return ConnectorLine(name, settings.type, rate, serves, activity)

    def on_line_list_loaded(self, event: LineList.Loaded) -> None:
        self._tell()

    def on_cursor_lines_moved(self, event: CursorLines.Moved) -> None:
        self._tell()

    def on_cursor_lines_opened(self, event: CursorLines.Opened) -> None:
        if isinstance(event.row.data, ConnectorLine):
            event.stop()
            self.go_to("attention", event.row.data.name)

    def _tell(self) -> None:
        line = self.query_one(LineList).current_data(ConnectorLine)
        self.query_one("#detail", TextLines).tell(*(self._about(line) if line else ()))

    def _about(self, line: ConnectorLine) -> Iterable[str]:
        activity = line.activity
        version = activity.version or "not checked yet: r asks the worker to"
        yield f"{line.name}: {version}"
        parts = [f"part of {name}" for name in holders_of(line.name, self.context.settings)]
        serves = [*(service.name for service in line.serves), *parts]
        there = counted(activity.services, "service")
        yield f"Serves: {', '.join(serves) or 'nothing'}; {there} there"
        for words in placed_words(self.context.settings, line.name, activity.services):
            yield f"Placed: {words}"
        yield f"Queue: {activity.waiting} wait, {activity.running} run; {line.rate}".rstrip("; ")
        if line.problem:
            yield f"Problem: {line.problem}"
        if (pause := activity.pause) is not None:
            yield f"Paused: {pause.said}"
            yield f"Checked again {_in_words(pause.next_check_at)}. {pause.remedy}"
        if (failed := activity.last_failure) is not None:
            yield f"Failed {age(failed.at)} ago, request {failed.request}: {failed.said}"
            yield f"What to do: {failed.remedy}" if failed.remedy else ""
        if near := self._near.get(line.name):
            more = activity.near_full - NAMED
            yield f"Near a limit: {near}" + (f" and {more} more" if more > 0 else "")
        yield f"Objects there that no service knows: `:adopt remove {line.name}` shows them first"

    def why_not(self, verb: str) -> str:
        if verb == "retry" and self.query_one(LineList).current_data(ConnectorLine) is None:
            return "There is no connector under the cursor"
        return super().why_not(verb)

    async def verb_retry(self) -> None:
        """Have the worker check the connector now, paused or not."""
        line = self.query_one(LineList).current_data(ConnectorLine)
        if line is not None:
            await ask_for_check(self.context.store, self.context.caller, line.name)
            await self.done(f"{line.name} is checked now")

    def verb_copy(self) -> None:
        line = self.query_one(LineList).current_data(ConnectorLine)
        if line is not None:
            self.copy([*filter(None, self._about(line))])


def _row(line: ConnectorLine) -> Row:
    activity = line.activity
    pause = activity.pause
    if line.problem:
        now = light_parts(Light.RED, line.problem)
    elif pause is not None:
        now = light_parts(Light.ORANGE, f"Paused: {pause.said}")
    elif activity.last_success is not None:
        now = light_parts(Light.GREEN, "Answers")
    else:
        now = light_parts(Light.GREY, "Not asked yet")
    success = age(activity.last_success) if activity.last_success else ""
    full = str(activity.near_full) if activity.near_full else ""
    cells = (line.name, line.type, now, str(activity.queue), success, full)
    return Row(line.name, cells, line)


def _in_words(moment: float) -> str:
    left = moment - datetime.now(UTC).timestamp()
    return f"in {left:.0f} s" if left > 0 else "now"
