"""Bulk actions of the account, newest first: how far each is; Enter opens one."""

from __future__ import annotations

from collections.abc import Iterable

from textual.widget import Widget

from mission_control_tui.model.bulk.queries import list_bulks
from mission_control_tui.model.bulk.views import BulkView
from mission_control_tui.screens.base.mission_screen import MissionScreen
from mission_control_tui.screens.bulk.labels import done_of, state_of, title_of
from mission_control_tui.widgets.cells import age
from mission_control_tui.widgets.line_list import LineList
from mission_control_tui.widgets.rows import Column, CursorLines, Row

MOST = 100
"""The newest so many are listed; `bulk list` on the command line lists all."""


class BulksScreen(MissionScreen):
    """The account's bulks."""

    NAME = "bulks"
    MEMORY_NAME = "BulksScreen"
    HEADING = "Bulk actions"
    ABOUT = (
        "What was done for many users at a time, newest first: one begins with marks (Space) in Users or Lights and x. "
        "Enter shows how far one is, what failed, and stops, resumes or undoes it. The newest hundred are listed."
    )
    VERBS = ("copy",)
    CSS_PATH = "bulks.tcss"
    AUTO_FOCUS = "#bulks"

    def body(self) -> Iterable[Widget]:
        yield LineList(
            columns=(
                Column("No.", width=5, right=True),
                Column("State", width=11),
                Column("What"),
                Column("Done", width=11, right=True),
                Column("Failed", width=6, right=True),
                Column("Age", width=6, right=True),
            ),
            empty="No bulk actions: mark users with Space in Users or Lights, then x",
            id="bulks",
        )

    async def load(self) -> None:
        bulks = await list_bulks(self.context.scope, limit=MOST)
        if self.is_here:
            self.query_one(LineList).show_rows([self._row(bulk) for bulk in bulks])
            self.refresh_keys()

    def _row(self, bulk: BulkView) -> Row:
        progress = bulk.progress
        cells = (
            str(bulk.id),
            state_of(bulk),
            title_of(bulk, self.context.catalogue),
            f"{done_of(progress):,}/{progress.total:,}",
            (str(progress.failed), "red" if progress.failed else "dim"),
            age(bulk.created_at),
        )
        return Row(bulk.id, cells, bulk)

    def on_cursor_lines_opened(self, event: CursorLines.Opened) -> None:
        if event.rows.id == "bulks" and isinstance(event.row.key, int):
            self.go_to("bulk", event.row.key)

    def verb_copy(self) -> None:
        if (bulk := self.query_one(LineList).current_data(BulkView)) is not None:
            self.copy(f"bulk {bulk.id}: {title_of(bulk, self.context.catalogue)}")
