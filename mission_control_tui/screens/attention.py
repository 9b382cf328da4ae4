"""Red and waiting: what is red or waits in any account, from which Enter goes to its panel in that account."""

from __future__ import annotations

from collections.abc import Iterable

from textual.widget import Widget

from mission_control_tui.model.accounts.attention import (
    AttentionLine,
    AttentionOrder,
    attention,
)
from mission_control_tui.model.services.usage import measured
from mission_control_tui.model.states import Light
from mission_control_tui.model.store.scope import AllAccounts
from mission_control_tui.screens.base.mission_screen import MissionScreen
from mission_control_tui.screens.services.light_places import light_place
from mission_control_tui.widgets.cells import age
from mission_control_tui.widgets.find_box import FindBox
from mission_control_tui.widgets.light import light_parts
from mission_control_tui.widgets.line_list import LineList, RowPage
from mission_control_tui.widgets.rows import Cell, Column, CursorLines, Row

ORDERS = {
    AttentionOrder.OLDEST: "the oldest first",
    AttentionOrder.NEWEST: "the newest first",
    AttentionOrder.ACCOUNT: "by account",
    AttentionOrder.CONNECTOR: "by connector",
}
NOTHING = "Nothing is red and nothing waits, in any account"
NOTHING_FOUND = "Nothing that is red or waits has this"


class AttentionScreen(MissionScreen):
    """What wants an operator's eye, wherever it is; the account stays as it is until one goes there."""

    NAME = "attention"
    MEMORY_NAME = "AttentionScreen"
    HEADING = "Red and waiting"
    ABOUT = (
        "What is red or waits in all accounts that you may see. Enter goes to its panel, and to its account; Escape "
        "comes back from there. Find takes red or orange, parts of an account's code, name, number or domain, of a "
        "connector, a service or a UPN; all words have to be there. The word full shows what has used nearly "
        "all of its room instead. s sorts: by age, by account, by connector; i goes to the connector."
    )
    VERBS = ("find", "sort", "connector", "copy")
    AUTO_FOCUS = "#found"

    def __init__(self, query: str = "") -> None:
        """`query` is what is looked for at first."""
        super().__init__()
        self._query = query
        self._order = AttentionOrder.OLDEST

    def body(self) -> Iterable[Widget]:
        box = FindBox(id="find")
        yield box
        yield LineList(
            find_box=box,
            columns=(
                Column("Account", width=10),
                Column("Who", share=4),
                Column("Service", share=2),
                Column("Now", share=3),
                Column("Connector", width=9),
                Column("Age", width=8, right=True),
            ),
            empty=NOTHING,
            id="found",
        )

    async def load(self) -> None:
        if self._query:
            self.query_one(FindBox).input.value, self._query = self._query, ""
        self.query_one(LineList).show(self._fetch, keep=True)

    async def _fetch(self, offset: int, limit: int) -> RowPage:
        context, box = self.context, self.query_one(FindBox)
        text = box.text
        found = await attention(
            AllAccounts(context.store, context.caller),
            text,
            self._order,
            offset=offset,
            limit=limit,
        )
        if self.is_here:
            self.query_one(LineList).empty = NOTHING_FOUND if text.strip() else NOTHING
            more = "more than " if found.more else ""
            box.note = f"{more}{found.total:,}, {ORDERS[self._order]}"
        return RowPage([_row(line) for line in found.lines], found.total)

    def on_find_box_changed(self) -> None:
        self.query_one(LineList).show(self._fetch)

    def on_cursor_lines_opened(self, event: CursorLines.Opened) -> None:
        line = event.row.data
        if not isinstance(line, AttentionLine):
            return
        event.stop()
        context = self.console.accounts.context_for(line.account)
        name, takes = light_place(line.service)
        self.open_in(context, name, *takes)

    def verb_sort(self) -> None:
        orders = list(ORDERS)
        self._order = orders[(orders.index(self._order) + 1) % len(orders)]
        self.query_one(LineList).show(self._fetch)
        self.answer(f"Sorted {ORDERS[self._order]}")

    def verb_connector(self) -> None:
        line = self.query_one(LineList).current_data(AttentionLine)
        if line is not None:
            self.go_to("connectors", line.service.connector)

    def verb_copy(self) -> None:
        line = self.query_one(LineList).current_data(AttentionLine)
        if line is not None:
            service = line.service
            said = f": {service.error_said}" if service.error_said else ""
            self.copy(f"{line.account.code} {service.subject} {service.service}{said}")


def _row(line: AttentionLine) -> Row:
    service = line.service
    full = service.light is Light.GREEN and next(measured(service.usage), None)
    now = service.error_said or service.step or (full.words if full else "") or service.word.value
    cells: tuple[Cell, ...] = (
        line.account.code,
        service.subject,
        " ".join(filter(None, (service.service, service.instance))),
        light_parts(service.light, now),
        service.connector,
        age(service.since),
    )
    return Row(service.id, cells, line)
