"""One request: where it is, its steps and events as they come, and what can be done, each explained."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial

from textual.containers import Horizontal
from textual.widget import Widget

from mission_control_tui.model.requests import control
from mission_control_tui.model.requests.planned_changes import PlannedChange, changed_in
from mission_control_tui.model.requests.request_details import RequestDetails, show_request
from mission_control_tui.model.states import ACTIVE_STATES, RequestState
from mission_control_tui.model.text.counting import counted
from mission_control_tui.model.views import RequestView
from mission_control_tui.screens.base.mission_screen import MissionScreen
from mission_control_tui.screens.requests.labels import next_words, state_parts, what_words
from mission_control_tui.widgets.action_button import ActionButton
from mission_control_tui.widgets.cells import age
from mission_control_tui.widgets.event_log import EventLog
from mission_control_tui.widgets.lines import Part
from mission_control_tui.widgets.rows import Column, Row
from mission_control_tui.widgets.text_lines import TextLines

ACTIONS = (
    ("retry", "Retry", "asks again; only what is missing is done"),
    ("cancel", "Cancel", "takes the wish back, or stops between two steps"),
    ("reset", "Reset status", "frees a request that looks stuck; its light turns red"),
)
ENDINGS = {
    "cancel": (
        control.cancel,
        "Lost: this wish. What the back end has done already stays and is shown as it is.",
        "Cancel it",
        "Cancelled, or stopping after the step it is in",
    ),
    "reset": (
        control.reset,
        "Lost: its result, if it still comes. The light turns red; nothing is undone at the back end.",
        "Reset",
        "Reset",
    ),
}
"""How a request is ended: by which function, what is lost, which word agrees, and what is said then."""
STATE_STYLES = {"failed": "red", "running": "orange"}


def tried_again(asked: Sequence[int]) -> str:
    """Return what is said of requests that were made anew."""
    return f"Tried again as request {', '.join(map(str, asked))}"


def go_to_services(screen: MissionScreen, request: RequestView | None) -> None:
    """Go from a request to the services of its user, or to its object."""
    if request is not None and request.object_id is not None:
        screen.go_to("object", request.object_id)
    elif request is None or request.user_id is None:
        screen.answer("This request is not about a user's services", error=True)
    else:
        screen.go_to("provision", request.user_id, request.assignment_id)


class RequestScreen(MissionScreen):
    """Everything about one request."""

    NAME = "request"
    MEMORY_NAME = "RequestScreen"
    HEADING = "Request"
    ABOUT = (
        "Retry asks again for what failed, or tries now what waits for its next try. Cancel takes the request back: "
        "before its start the last wish is restored, later the worker stops between two steps and shows what is real. "
        "Reset status frees a request that looks stuck: it ends, its light turns red, and a late answer is refused."
    )
    VERBS = ("retry", "provision", "connector", "copy")
    CSS_PATH = "request.tcss"

    def __init__(self, request_id: int) -> None:
        super().__init__()
        self.request_id = request_id
        self._details: RequestDetails | None = None

    @property
    def memory_key(self) -> str:
        return f"{self.MEMORY_NAME} {self.request_id}"

    def body(self) -> Iterable[Widget]:
        yield TextLines("…", "title", id="what")
        yield TextLines("", id="facts")
        for name, label, words in ACTIONS:
            verb = name if name in self.VERBS else ""
            run = partial(self._ask, name)
            button = ActionButton(label, help_text=words, width=19, verb=verb, run=run, id=name)
            yield Horizontal(button, TextLines(words, "dim"), classes="action")
        yield TextLines("Steps and events, newest last", "title", id="title")
        yield EventLog(
            columns=(Column(width=8), Column(width=4, right=True), Column()), id="events"
        )

    # Data

    async def load(self) -> None:
        context = self.context
        found = await show_request(context.scope, self.request_id)
        before, self._details = self._details, found
        if before is not None and before.plan != found.plan:
            self.query_one(EventLog).clear()
        request = found.request
        self.query_one("#what", TextLines).set(
            f"{request.id}  {what_words(context.catalogue, request)}"
        )
        self.query_one("#facts", TextLines).set(self._facts(found))
        reasons = self._reasons(request)
        for name, _label, _words in ACTIONS:
            button = self.query_one(f"#{name}", ActionButton)
            button.reason = reasons.get(name, "")
        self.query_one(EventLog).add(self._rows(found))
        self.refresh_keys()

    def _facts(self, found: RequestDetails) -> str:
        request = found.request
        state = "".join(text for text, _style in state_parts(request.state))
        following = next_words(request)
        ticket = f", ticket {request.ticket}" if request.ticket else ""
        first = f"{state}, asked {age(request.created_at)} ago by {request.operator}{ticket}"
        tries = counted(request.attempt, "attempt")
        second = [tries, f"{request.failures} failed"]
        if following:
            waits = request.state is RequestState.WAITING
            second.append(f"{'begins' if waits else 'next try'} {following}")
        first_others = f"after request {', '.join(map(str, request.depends_on))}"
        if request.depends_on and first_others != following:
            second.append(f"comes {first_others}")
        if request.parent_id:
            second.append(f"part of request {request.parent_id}")
        if found.children:
            second.append(f"{counted(len(found.children), 'service is', 'services are')} told")
        stuck = self.context.no_worker if request.state in ACTIVE_STATES else ""
        paused = found.pause if request.state in ACTIVE_STATES else None
        return "\n".join(
            [
                first,
                ", ".join(second),
                *([f"Nothing happens yet: {stuck}"] if stuck else []),
                *(paused.lines if paused is not None else ()),
            ]
        )

    def _reasons(self, request: RequestView) -> dict[str, str]:
        """Return why an action cannot be used now; one word, beside what it does."""
        if request.state in ACTIVE_STATES:
            waits = request.state is RequestState.QUEUED and request.next_try_at > 0
            return {} if waits else {"retry": " "}
        over = {"cancel": " ", "reset": " "}
        if request.state in (RequestState.SUCCEEDED, RequestState.SUPERSEDED):
            over["retry"] = " "
        return over

    def _rows(self, found: RequestDetails) -> Iterable[Row]:
        lines: list[tuple[object, tuple[object, ...], Row]] = []
        for step in found.steps:
            took = ""
            if step.ended_at is not None:
                took = f"  {(step.ended_at - step.started_at).total_seconds():.1f} s"
            parts: tuple[Part, ...] = (
                (f"step {step.name}: ", ""),
                (step.state, STATE_STYLES.get(step.state, "")),
                (took, "dim"),
            )
            cells = (f"{step.started_at:%H:%M:%S}", f"#{step.attempt}", parts)
            key = ("step", step.attempt, step.number)
            lines.append((step.started_at, (0, step.number), Row(key, cells)))
        if found.plan is not None:
            at = found.plan.looked_at
            for number, change in enumerate(found.plan.planned.changes):
                cells = (f"{at:%H:%M:%S}", "", (("planned  ", "strong"), self._change(change)))
                lines.append((at, (3, number), Row(("plan", number), cells)))
            if found.plan.planned.left_out:
                more = (("planned  ", "strong"), (found.plan.planned.lines[-1], ""))
                lines.append((at, (4, 0), Row(("plan", -1), ("", "", more))))
        for event in found.events:
            for number, change in enumerate(changed_in(event).changes):
                cells = ("", "", (("changed  ", "strong"), self._change(change)))
                lines.append(
                    (event.at, (1, event.id, number), Row(("change", event.id, number), cells))
                )
            if event.kind == "step":
                continue
            said = f"{event.kind}{f' {event.step}' if event.step else ''}"
            text: tuple[Part, ...] = ((f"{said}  ", "strong"), (event.said, ""))
            if event.remedy:
                text = (*text, (f"  ({event.remedy})", "dim"))
            cells_of = (f"{event.at:%H:%M:%S}", f"#{event.attempt}", text)
            lines.append((event.at, (1, event.id), Row(("event", event.id), cells_of)))
        for child in found.children:
            parts = (
                *state_parts(child.state),
                (f"  {what_words(self.context.catalogue, child)}", ""),
            )
            row = Row(("child", child.id), (f"{child.created_at:%H:%M:%S}", "", parts), child.id)
            lines.append((child.created_at, (2, child.id), row))
        lines.sort(key=lambda line: line[:2])
        return [row for _at, _number, row in lines]

    @staticmethod
    def _change(change: PlannedChange) -> Part:
        return (change.words, "orange" if change.takes_away else "")

    # Verbs

    def on_action_button_refused(self, event: ActionButton.Refused) -> None:
        state = self._details.request.state.value if self._details else "unknown"
        self.answer(f"{event.button.label} does not apply: the request is {state}", error=True)

    def _ask(self, name: str) -> None:
        if self._details is None:
            return
        request = self._details.request
        context = self.context
        what = what_words(context.catalogue, request)
        end, lost, yes, said = ENDINGS[name]

        async def ended() -> None:
            await end(context.scope, self.request_id)
            await self.done(said)

        self.prompts.confirm(
            [
                f"{context.account.name}: {name} request {request.id}, {what}?",
                lost,
                "Seats: one that only this wish held is free again. Money: nothing changes.",
            ],
            ended,
            yes=yes,
        )

    async def verb_retry(self) -> None:
        asked = (await control.retry(self.context.scope, self.request_id)).result
        if len(asked) == 1:
            self.request_id = asked[0]
            self.query_one(EventLog).clear()
        await self.done(tried_again(asked))

    def verb_provision(self) -> None:
        go_to_services(self, self._details.request if self._details else None)

    def verb_connector(self) -> None:
        """Go to the connector of the service that it is about."""
        if self._details is not None:
            self.go_to("connectors", self._details.request.connector)

    def why_not(self, verb: str) -> str:
        if verb == "connector" and (self._details is None or not self._details.request.connector):
            return "This request is about no one service"
        return super().why_not(verb)

    def verb_copy(self) -> None:
        """The error: the step that failed, what was said last, and what to do; before anything was said, what it is."""
        found = self._details
        if found is None:
            return
        lines = [f"request {found.request.id}: {what_words(self.context.catalogue, found.request)}"]
        failed = next((step for step in reversed(found.steps) if step.state == "failed"), None)
        if failed is not None:
            lines.append(f"Failed in step: {failed.name}")
        last = next((event for event in reversed(found.events) if event.said), None)
        if last is not None:
            lines.append(f"Said: {last.said}")
            if last.remedy:
                lines.append(f"What to do: {last.remedy}")
        self.copy(lines)
