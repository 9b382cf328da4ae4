"""Drafts: the operator's own unfinished forms, in all accounts; Enter goes on with one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

from textual.widget import Widget

from mission_control_tui.model.operators.drafts import Draft, discard_draft, list_drafts
from mission_control_tui.screens.base.mission_screen import MissionScreen
from mission_control_tui.widgets.cells import age
from mission_control_tui.widgets.row_list import RowList
from mission_control_tui.widgets.rows import Column, CursorLines, Row
from mission_control_tui.widgets.text_lines import TextLines


class DraftsScreen(MissionScreen):
    """What was typed and not sent."""

    NAME = "drafts"
    MEMORY_NAME = "DraftsScreen"
    HEADING = "Drafts"
    ABOUT = (
        "Forms that you left unfinished, also those of a lost connection. Nobody else sees them, and passwords are "
        "never kept. Enter goes on with one; Delete throws it away."
    )
    VERBS = ("discard",)
    AUTO_FOCUS = "#drafts"

    def body(self) -> Iterable[Widget]:
        yield TextLines("Forms that were left unfinished. Passwords are never kept.", "dim")
        yield RowList(
            columns=(
                Column("Form", width=18),
                Column("About"),
                Column("Account", width=14),
                Column("Age", width=8, right=True),
            ),
            empty="No drafts",
            most=18,
            id="drafts",
        )

    async def load(self) -> None:
        found = await list_drafts(self.context.store, self.context.caller)
        if self.is_here:
            self.query_one(RowList).set_rows([self._row(draft) for draft in found])

    def _row(self, draft: Draft) -> Row:
        form = self.console.form_name(draft.kind)
        cells = (form, draft.title or "-", draft.account_code, age(draft.updated_at))
        return Row(draft.id, cells, draft)

    def on_cursor_lines_opened(self, event: CursorLines.Opened) -> None:
        if event.rows.id == "drafts":
            self.keep()
            self.do(self.console.session.open_draft(cast(Draft, event.row.data)))

    def verb_discard(self) -> None:
        draft = self.query_one(RowList).current_data(Draft)
        if draft is None:
            self.answer("There is no draft to throw away", error=True)
            return

        async def discard() -> None:
            await discard_draft(self.context.store, self.context.caller, draft.id)
            self.announce("The draft is thrown away")
            await self.load()

        form = self.console.form_name(draft.kind)
        question = f"Throw away the draft of {form}: {draft.title or 'without a name'}?"
        self.prompts.confirm([question], discard)
