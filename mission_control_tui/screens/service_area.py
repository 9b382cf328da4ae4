"""The Service Management Area: users and their services."""

from __future__ import annotations

from collections.abc import Hashable, Iterable

from textual.containers import Horizontal, Vertical
from textual.widget import Widget

from mission_control_tui.model.accounts import overview
from mission_control_tui.model.search.filters import UserFilter
from mission_control_tui.model.search.light_matrix import place
from mission_control_tui.model.search.user_list import page
from mission_control_tui.model.text.counting import counted
from mission_control_tui.screens.base.mission_screen import MissionScreen, number
from mission_control_tui.screens.users.users import NOBODY_FOUND, NOBODY_YET, user_row
from mission_control_tui.widgets.action_button import ActionButton
from mission_control_tui.widgets.find_box import FindBox
from mission_control_tui.widgets.line_list import LineList, RowPage
from mission_control_tui.widgets.quadrant import Quadrant
from mission_control_tui.widgets.rows import Column, CursorLines, Row


class ServiceAreaScreen(MissionScreen):
    """Where users are made, found and given services."""

    CSS_PATH = "service_area.tcss"
    NAME = "service-area"
    MEMORY_NAME = "ServiceAreaScreen"
    HEADING = "Service Management Area"
    ABOUT = (
        "Users and their services. New User makes one; / finds one by part of a name, user name or address; Enter on a "
        "user opens what can be done. All Users has the whole list with everything that can be done to several."
    )
    VERBS = ("new", "find")

    def __init__(self) -> None:
        super().__init__()
        self._menu = Quadrant("Users", columns=(Column(), Column(width=7, right=True)), id="menu")
        self._menu.set_rows(menu_rows(None, None))

    def body(self) -> Iterable[Widget]:
        with Horizontal():
            with Vertical(id="left"):
                words = "Makes a user, then gives services."
                yield ActionButton("New User", help_text=words, verb="new", id="new")
                yield self._menu
            with Vertical(id="right"):
                find_box = FindBox(id="find")
                yield find_box
                yield LineList(
                    find_box=find_box,
                    columns=(Column("Name"), Column("UPN"), Column("Services", width=17)),
                    empty=NOBODY_YET,
                    id="found",
                )

    async def load(self) -> None:
        details = await overview.show(self.context.scope)
        self._menu.set_rows(menu_rows(details.users, details.lights.orange))
        self.query_one("#found", LineList).show(self._fetch, find=self._find, keep=True)

    async def _fetch(self, offset: int, limit: int) -> RowPage:
        found = await page(
            self.context.scope, UserFilter(self.query_one(FindBox).text), offset=offset, limit=limit
        )
        if self.is_here:
            rows = self.query_one("#found", LineList)
            rows.empty = NOBODY_FOUND if self.query_one(FindBox).text.strip() else NOBODY_YET
        return RowPage([user_row(user) for user in found.rows], found.total)

    async def _find(self, key: Hashable) -> int | None:
        return await place(self.context.scope, str(key), UserFilter(self.query_one(FindBox).text))

    def on_find_box_changed(self, event: FindBox.Changed) -> None:
        self.query_one("#found", LineList).show(self._fetch, find=self._find)

    def on_line_list_loaded(self, event: LineList.Loaded) -> None:
        count = event.rows.count
        self.query_one(FindBox).note = counted(count, "user")

    def on_cursor_lines_opened(self, event: CursorLines.Opened) -> None:
        if event.rows.id == "found":
            self.go_to("user", event.row.key)
        elif event.rows.id == "menu" and event.row.key == "home":
            self.console.follow_link("home")
        elif event.rows.id == "menu":
            self.go_to(str(event.row.key))

    def verb_new(self) -> None:
        self.go_to("new-user")


def menu_rows(users: int | None, orange: int | None) -> list[Row]:
    """Return where one can go from here."""
    return [
        Row("users", ("All Users", number(users))),
        Row("requests", ("Requests", number(orange))),
        Row("home", ("Home", "")),
    ]
