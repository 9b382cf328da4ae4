"""Bulk actions of the account, newest first: how far each is; Enter opens one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from textual.widget import Widget

from mission_control_tui.model.bulk.queries import list_bulks
from mission_control_tui.model.bulk.views import BulkView
from mission_control_tui.screens.base.mission_screen import MissionScreen
from mission_control_tui.screens.bulk.labels import done_of, state_of, title_of
from mission_control_tui.widgets.cells import age
from mission_control_tui.widgets.line_list import LineList, RowPage
from mission_control_tui.widgets.rows import Column, CursorLines, Row

MOST = 100
"""The newest so many are listed; `bulk list` on the command line lists all."""


class BulksScreen(MissionScreen):
    """The account's bulks."""

    HEADING = "Bulk actions"
    ABOUT = (
        "What was done for many users at a time, newest first: one begins with marks (Space) in Users or Lights and x. "
        "Enter shows how far one is, what failed, and stops, resumes or undoes it. The newest hundred are listed."
    )
    VERBS: ClassVar[tuple[str, ...]] = ("copy",)
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
        self.query_one(LineList).show(self._fetch, find=None, keep=True)
        self.refresh_keys()

    async def _fetch(self, offset: int, limit: int) -> RowPage:
        found = await list_bulks(self.context.scope, limit=MOST)
        return RowPage([self._row(one) for one in found[offset : offset + limit]], len(found))

    def _row(self, one: BulkView) -> Row:
        progress = one.progress
        cells = (
            str(one.id),
            state_of(one),
            title_of(one, self.context.catalogue),
            f"{done_of(progress):,}/{progress.total:,}",
            (str(progress.failed), "red" if progress.failed else "dim"),
            age(one.created_at),
        )
        return Row(one.id, cells, one)

    def on_cursor_lines_opened(self, event: CursorLines.Opened) -> None:
        if event.rows.id == "bulks" and isinstance(event.row.key, int):
            self.go_to("bulk", event.row.key)

    def verb_copy(self) -> None:
        row = self.query_one(LineList).current
        if row is not None and isinstance(row.data, BulkView):
            self.copy(f"bulk {row.data.id}: {title_of(row.data, self.context.catalogue)}")
