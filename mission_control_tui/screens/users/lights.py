"""Lights: all users down, all services across, one glyph and letter each; narrowed by words, put in order by age."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence

from textual.widget import Widget

from mission_control_tui.model.errors import NotFound, UsageError
from mission_control_tui.model.search.filters import UserFilter, UserOrder, parse_filter
from mission_control_tui.model.search.light_matrix import columns, page, place
from mission_control_tui.model.search.light_rows import LightColumn, MatrixRow
from mission_control_tui.model.states import Light
from mission_control_tui.model.text.counting import counted
from mission_control_tui.screens.base.mission_screen import MissionScreen
from mission_control_tui.screens.base.schedule_prompts import SchedulePrompts
from mission_control_tui.screens.users.marks import MARKING, Marks, name_cell
from mission_control_tui.widgets.cells import age
from mission_control_tui.widgets.find_box import FindBox
from mission_control_tui.widgets.light import GLYPHS
from mission_control_tui.widgets.light_matrix import NOTHING, LightMatrix
from mission_control_tui.widgets.line_list import RowPage
from mission_control_tui.widgets.rows import Cell, CursorLines, Row
from mission_control_tui.widgets.text_lines import TextLines

ORDERS: dict[UserOrder, str] = {
    UserOrder.NAME: "by name",
    UserOrder.OLDEST: "the oldest red or orange first",
    UserOrder.NEWEST: "the newest red or orange first",
}


class LightsScreen(MissionScreen):
    """The matrix of an account."""

    NAME = "lights"
    MEMORY_NAME = "LightsScreen"
    HEADING = "Lights"
    ABOUT = (
        "Every user with a light for every service. In Find, words narrow the list: red, orange, green, disabled, "
        "drift, a level or a service by its name, such as red popx; anything else is looked for in names and addresses "
        "(in double quotes also such a word). s changes the order. Left and Right choose the service, Enter opens its "
        "panel. Space marks, v marks from the last mark to here, * all that is found; x acts on the marked; R tries "
        "all red again. Letters: E error, Q queued, P provisioning, W waiting, G provisioned, S suspended, D differs."
    )
    VERBS = ("find", "sort", *MARKING, "like", "copy", "schedule")
    KEY_LABELS = (("retry_all", "Retry red"),)
    CSS_PATH = "lights.tcss"
    AUTO_FOCUS = "#lights"

    def __init__(self, find: str = "") -> None:
        """`find` is the filter that it begins with."""
        super().__init__()
        self._schedules = SchedulePrompts(self)
        self.marks = Marks(
            self,
            "lights",
            sight=self._sight,
            say=self._say_marks,
            order=lambda: self._order,
        )
        self.parts = (self.marks,)
        self._find_first = find
        self._order = UserOrder.NAME
        self._columns: Sequence[LightColumn] = ()
        self._found = ""

    def body(self) -> Iterable[Widget]:
        find_box = FindBox(id="find")
        yield find_box
        yield TextLines("", "dim", id="legend")
        yield LightMatrix(find_box=find_box, empty="Nobody is found", id="lights")
        yield TextLines("", id="detail")

    def on_mount(self) -> None:
        if self._find_first:
            self.query_one(FindBox).recall(self._find_first)

    @property
    def matrix(self) -> LightMatrix:
        return self.query_one(LightMatrix)

    # Data

    def _sight(self) -> UserFilter:
        return parse_filter(self.query_one(FindBox).text, self.context.catalogue)

    async def load(self) -> None:
        self._columns = await columns(self.context.scope)
        self.matrix.set_columns([column.code for column in self._columns])
        self._show_legend()
        self.matrix.show(self._fetch, find=self._find, keep=True)
        self.marks.look()
        self.refresh_keys()

    def _show_legend(self) -> None:
        names = "  ".join(f"{column.code} {column.name}" for column in self._columns)
        text = names or "No service for users was bought yet"
        ordered = "" if self._order is UserOrder.NAME else f"  ({ORDERS[self._order]})"
        self.query_one("#legend", TextLines).set(text + ordered)

    async def _fetch(self, offset: int, limit: int) -> RowPage:
        scope, sight = self.context.scope, self._sight()
        found = await page(scope, sight, self._order, offset=offset, limit=limit)
        more = "more than " if found.more else ""
        if self.is_here:
            text = self.query_one(FindBox).text.strip()
            self.matrix.empty = "Nobody is found" if text else "No users yet"
            self._found = f"{more}{counted(found.total, 'user')}"
            self.marks.tell()
        return RowPage([self._row(row) for row in found.rows], found.total)

    async def _find(self, key: Hashable) -> int | None:
        return await place(self.context.scope, str(key), self._sight(), self._order)

    def _row(self, user: MatrixRow) -> Row:
        name = name_cell(user.display_name, disabled=user.disabled, locked=user.locked)
        cells: list[Cell] = [name, age(user.since) if user.since is not None else ""]
        for column in self._columns:
            lit = user.cells.get(column.service_id)
            cells.append((GLYPHS[lit.light] + lit.letter, lit.light.value) if lit else NOTHING)
        return Row(user.user_id, tuple(cells), user)

    def _say_marks(self, text: str) -> None:
        self.query_one(FindBox).note = "; ".join(filter(None, (text, self._found)))

    def on_find_box_changed(self, event: FindBox.Changed) -> None:
        self._look_again()

    def _look_again(self) -> None:
        if self.console.is_open:
            self.matrix.show(self._fetch, find=self._find, keep=False)
            self.marks.look(soon=True)

    # What the cursor is on

    @property
    def row(self) -> MatrixRow | None:
        """The user under the cursor."""
        return self.matrix.current_data(MatrixRow)

    @property
    def column(self) -> LightColumn | None:
        """The service under the cursor."""
        column = self.matrix.column
        return self._columns[column] if column < len(self._columns) else None

    def on_line_list_loaded(self) -> None:
        self._tell()

    def on_cursor_lines_moved(self, event: CursorLines.Moved) -> None:
        if event.rows is self.matrix:
            self._tell()

    def on_cursor_lines_marked(self) -> None:
        self.marks.tell()

    def on_light_matrix_turned(self) -> None:
        self._tell()

    def _tell(self) -> None:
        """Say in words what the cell under the cursor shows."""
        row, column = self.row, self.column
        told = self._words(row, column) if row is not None and column is not None else ""
        self.query_one("#detail", TextLines).set(told)

    def _words(self, row: MatrixRow, column: LightColumn) -> str:
        cell = row.cells.get(column.service_id)
        if cell is None:
            return f"{row.upn}  {column.name}: never given"
        said = [cell.word]
        if cell.light in (Light.RED, Light.ORANGE):
            said[0] += f" for {age(cell.since)}"
        said += [word for word, so in (("suspended", cell.suspended), ("drift", cell.drift)) if so]
        if cell.count > 1:
            said.append(f"the worst of {cell.count}")
        level = self._level_words(column.service_id, cell.level_id)
        text = f"{row.upn}  {column.name}{level}: {', '.join(said)}"
        return f"{text}. {cell.said}".removesuffix(". ")

    def _level_words(self, service_id: str, level_id: str) -> str:
        """Return the level of a cell as people call it, after a comma; empty where there is none."""
        if not level_id:
            return ""
        try:
            service = self.context.catalogue.service(service_id)
            return f", {service.level(level_id).name.removeprefix(f'{service.name} - ')}"
        except NotFound:
            return f", {level_id}"

    # Verbs

    @property
    def unhinted(self) -> frozenset[str]:
        return self.marks.unhinted | {"like"}

    def on_cursor_lines_opened(self, event: CursorLines.Opened) -> None:
        """Go to the panel of the service under the cursor."""
        if event.rows is not self.matrix:
            return
        row, column = self._chosen(), self.column
        cell = row.cells.get(column.service_id) if column is not None else None
        named = {"service_id": column.service_id} if column is not None and cell is None else {}
        self.go_to("provision", row.user_id, cell.assignment_id if cell else None, **named)

    def verb_copy(self) -> None:
        self.copy(self._chosen().upn)

    async def verb_schedule(self) -> None:
        column = self.column
        service = column.service_id if column is not None else ""
        await self._schedules.ask_what(self._chosen().user_id, service=service)

    def about_user(self) -> str | None:
        return self.row.user_id if self.row is not None else None

    def verb_sort(self) -> None:
        orders = list(ORDERS)
        self._order = orders[(orders.index(self._order) + 1) % len(orders)]
        self.answer(f"In order: {ORDERS[self._order]}")
        self._show_legend()
        self._look_again()

    def _chosen(self) -> MatrixRow:
        if self.row is None:
            raise UsageError("Put the cursor on a user first.")
        return self.row

    # Memory

    def remember(self) -> dict[str, object]:
        return {**super().remember(), **self.marks.remember(), "order": str(self._order)}

    def recall(self, memory: dict[str, object]) -> None:
        order = memory.pop("order", None)
        if isinstance(order, str):
            self._order = UserOrder(order)
        super().recall(memory)
        self.marks.recall(memory)
