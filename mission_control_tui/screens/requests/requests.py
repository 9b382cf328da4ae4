"""Requests: the queue, newest first, with age, attempts and next try; Enter shows everything about one."""

from __future__ import annotations

from collections.abc import Hashable, Iterable

from textual.widget import Widget

from mission_control_tui.model.requests.control import retry
from mission_control_tui.model.requests.planned_changes import summary_words
from mission_control_tui.model.requests.queries import count_requests, list_requests
from mission_control_tui.model.requests.request_plans import summarise_plans
from mission_control_tui.model.search.filters import ALL
from mission_control_tui.model.states import ACTIVE_STATES, RequestState
from mission_control_tui.model.text.counting import counted
from mission_control_tui.model.views import RequestView
from mission_control_tui.screens.base.mission_screen import MissionScreen
from mission_control_tui.screens.base.retry_all import retry_red
from mission_control_tui.screens.requests.labels import (
    next_words,
    row_words,
    state_parts,
    what_words,
)
from mission_control_tui.screens.requests.request import go_to_services, tried_again
from mission_control_tui.widgets.cells import age
from mission_control_tui.widgets.field import FormLine, ShownField
from mission_control_tui.widgets.line_list import LineList, RowPage
from mission_control_tui.widgets.rows import Column, CursorLines, Row
from mission_control_tui.widgets.text_lines import TextLines

SHOWN: dict[str, tuple[str, frozenset[RequestState]]] = {
    "all": ("All", frozenset()),
    "active": ("Active: waiting, queued, running", ACTIVE_STATES),
    "failed": ("Failed", frozenset({RequestState.FAILED})),
}


class RequestsScreen(MissionScreen):
    """The queue of the account."""

    NAME = "requests"
    MEMORY_NAME = "RequestsScreen"
    HEADING = "Requests"
    ABOUT = (
        "What was asked of the worker, newest first. Enter shows the steps, what the back end said, and what can be "
        "done: retry, cancel, reset status. r tries the request under the cursor again: one that failed, or one that "
        "waits for its next try. R tries all again that is red in the account, after saying what is likely to fail."
    )
    VERBS = ("retry", "retry_all", "provision", "copy")
    OF_ROWS = frozenset({"provision"})
    CSS_PATH = "requests.tcss"
    AUTO_FOCUS = "#requests"

    def __init__(self, request_id: int | None = None) -> None:
        """The cursor goes to the request `request_id`."""
        super().__init__()
        self._wanted = request_id

    def body(self) -> Iterable[Widget]:
        yield ShownField(SHOWN, help_text="Which requests the list shows")
        yield TextLines("", "error", id="notice")
        yield TextLines("", "dim", id="planned")
        yield LineList(
            columns=(
                Column("No.", width=5, right=True),
                Column("State", share=2),
                Column("What", share=5),
                Column("Age", width=6, right=True),
                Column("Tries", width=5, right=True),
            ),
            empty="No requests",
            id="requests",
        )

    # Data

    async def load(self) -> None:
        rows = self.query_one(LineList)
        rows.show(self._fetch, find=self._find, keep=True)
        if self._wanted is not None:
            wanted, self._wanted = self._wanted, None
            rows.seek(wanted)
        stuck = self.context.no_worker
        notice = self.query_one("#notice", TextLines)
        notice.tell(f"Nothing happens yet: {stuck}." if stuck else "")
        found = await summarise_plans(self.context.scope)
        planned = self.query_one("#planned", TextLines)
        planned.tell(
            f"{counted(found.requests, 'wish', 'wishes')} only looked at: {summary_words(found.counts)}."
            f" Let them be done: :requests allow --planned"
            if found.requests
            else ""
        )
        self.refresh_keys()

    @property
    def _states(self) -> frozenset[RequestState]:
        shown: ShownField[frozenset[RequestState]] = self.query_one(ShownField)
        return shown.meaning

    async def _fetch(self, offset: int, limit: int) -> RowPage:
        context, states = self.context, self._states
        scope = context.scope
        found = await list_requests(scope, states=states, offset=offset, limit=limit)
        return RowPage(
            [self._row(request) for request in found], await count_requests(scope, states=states)
        )

    async def _find(self, key: Hashable) -> int | None:
        if not isinstance(key, int):
            return None
        return await count_requests(self.context.scope, states=self._states, after_id=key)

    def _row(self, request: RequestView) -> Row:
        state = (*state_parts(request.state), (f" {next_words(request)}", "dim"))
        cells = (
            str(request.id),
            state,
            row_words(self.context.catalogue, request),
            age(request.created_at),
            str(request.attempt),
        )
        return Row(request.id, cells, request)

    def on_form_line_changed(self, event: FormLine.Changed) -> None:
        if event.field.id == "shown":
            self.query_one(LineList).show(self._fetch, find=self._find)

    # Verbs

    @property
    def request(self) -> RequestView | None:
        """The request under the cursor."""
        return self.query_one(LineList).current_data(RequestView)

    def on_cursor_lines_opened(self, event: CursorLines.Opened) -> None:
        if event.rows.id == "requests":
            self.go_to("request", int(str(event.row.key)))

    async def verb_retry(self) -> None:
        request = self.request
        if request is None:
            self.answer("Put the cursor on a request first", error=True)
            return
        asked = (await retry(self.context.scope, request.id)).result
        await self.done(tried_again(asked))

    async def verb_retry_all(self) -> None:
        await retry_red(self, ALL)

    def verb_provision(self) -> None:
        go_to_services(self, self.request)

    def verb_copy(self) -> None:
        if (request := self.request) is not None:
            self.copy(f"request {request.id}: {what_words(self.context.catalogue, request)}")
