"""Groups and shared mailboxes: the account's objects with their lights, found as one types."""

from __future__ import annotations

from collections.abc import Iterable

from textual.widget import Widget

from mission_control_tui.model.groups.queries import list_objects
from mission_control_tui.screens.base.mission_screen import MissionScreen
from mission_control_tui.widgets.field import ChoiceField, FormLine
from mission_control_tui.widgets.find_box import FindBox
from mission_control_tui.widgets.light import light_parts
from mission_control_tui.widgets.line_list import LineList, RowPage
from mission_control_tui.widgets.rows import Column, CursorLines, Row


class ObjectsScreen(MissionScreen):
    """Distribution groups, mail contacts and shared mailboxes of the account, by name."""

    NAME = "objects"
    MEMORY_NAME = "ObjectsScreen"
    HEADING = "Groups and shared mailboxes"
    ABOUT = (
        "Distribution groups, mail contacts and shared mailboxes: whatever kinds the catalogue has. Type in Find to "
        "narrow the list by name or address; n makes a new one, of the kind that is shown; Enter opens one with its "
        "members. They need no seats: they are included with the mail that the account owns."
    )
    VERBS = ("find", "new", "copy")
    CSS_PATH = "objects.tcss"
    AUTO_FOCUS = "#objects"

    def body(self) -> Iterable[Widget]:
        yield ChoiceField(
            "Show",
            [("", "All kinds")],
            help_text="Which kind the list shows; Left and Right choose.",
            id="shown",
        )
        find_box = FindBox(id="find")
        yield find_box
        yield LineList(
            find_box=find_box,
            columns=(
                Column("Name"),
                Column("Address"),
                Column("Kind", width=18),
                Column("Light", width=17),
            ),
            empty="There are none: n makes one",
            id="objects",
        )

    async def load(self) -> None:
        kinds = [(kind.id, f"{kind.name}s") for kind in self.context.catalogue.kinds]
        self.query_one("#shown", ChoiceField).set_choices([("", "All kinds"), *kinds])
        self.query_one(LineList).show(self._fetch, keep=True)
        self.refresh_keys()

    async def _fetch(self, offset: int, limit: int) -> RowPage:
        found = await list_objects(
            self.context.scope,
            kind=self._kind or None,
            query=self.query_one(FindBox).text,
            limit=limit,
            offset=offset,
        )
        if self.is_here:
            self.query_one(FindBox).note = f"{found.total:,} found"
        rows = []
        for row in found.rows:
            word = "Removing" if row.removed and row.light == "orange" else row.word
            cells = (row.name, row.address, row.kind_name, light_parts(row.light, word))
            rows.append(Row(row.id, cells, row))
        return RowPage(rows, found.total)

    @property
    def _kind(self) -> str:
        return self.query_one("#shown", ChoiceField).value

    def on_find_box_changed(self, event: FindBox.Changed) -> None:
        self.query_one(LineList).show(self._fetch)

    def on_form_line_changed(self, event: FormLine.Changed) -> None:
        if event.field.id == "shown":
            self.query_one(LineList).show(self._fetch)

    def on_cursor_lines_opened(self, event: CursorLines.Opened) -> None:
        if event.rows.id == "objects":
            self.go_to("object", str(event.row.key))

    def verb_new(self) -> None:
        self.go_to("object", None, self._kind)

    def verb_copy(self) -> None:
        row = self.query_one(LineList).current
        if row is not None:
            self.copy(str(row.cells[1]))
