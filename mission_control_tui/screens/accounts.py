"""Which account to work on, where there are several and none was named."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from textual.widget import Widget

from mission_control_tui.widgets.quadrant import Quadrant
from mission_control_tui.widgets.rows import Column, CursorLines, Row

from .base import BaseScreen

if TYPE_CHECKING:
    from mission_control_tui.model.views import Account


class AccountsScreen(BaseScreen):
    """A plain choice; `chosen` is called with the account's id once this screen has gone."""

    HEADING = "Accounts"
    ABOUT = (
        "There are several accounts. Enter opens one. To come straight to it, name it: "
        "mission-control --account CODE, or `account` in the settings."
    )

    def __init__(self, accounts: Sequence[Account], chosen: Callable[[int], None]) -> None:
        super().__init__()
        self._chosen = chosen
        self._list = Quadrant(
            "Accounts",
            columns=(Column(width=18), Column(), Column(width=30)),
            id="accounts",
        )
        self._list.set_rows(
            [Row(one.id, (one.code, one.name, ", ".join(one.domains))) for one in accounts],
            note="which one do you want to work on?",
        )

    def body(self) -> Iterable[Widget]:
        yield self._list

    def on_cursor_lines_opened(self, event: CursorLines.Opened) -> None:
        if event.rows is self._list and isinstance(event.row.key, int):
            self.app.pop_screen()
            self._chosen(event.row.key)
