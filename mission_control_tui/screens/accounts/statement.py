"""The statement of a month on the Account screen: choose the month, read its lines, write it to a file."""

from __future__ import annotations

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.containers import VerticalGroup
from textual.widgets import Input

from mission_control_tui.model.billing.statement_files import file_name
from mission_control_tui.model.billing.statement_text import remarks
from mission_control_tui.model.billing.statements import Statement, StatementHead
from mission_control_tui.screens.accounts.rows import LINE_COLUMNS, statement_rows
from mission_control_tui.widgets.action_button import ActionButton
from mission_control_tui.widgets.field import ChoiceField, Field
from mission_control_tui.widgets.row_list import RowList
from mission_control_tui.widgets.text_lines import TextLines

FORM = "pdf"


class StatementPanel(VerticalGroup):
    """One month."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.statement: Statement | None = None
        self._proposed = ""
        self.month = ChoiceField(
            "Month",
            [],
            help_text="Left and Right choose the month. One that is over is closed when it is looked at, and stays; a "
            "read-only console closes none.",
            id="month",
        )
        self.lines = RowList(
            columns=LINE_COLUMNS,
            empty="Nothing was charged",
            most=8,
            help_text="Enter on an order shows it.",
            title="Statement",
            id="statement-lines",
        )
        self._sums = TextLines("", "strong")
        self._remarks = TextLines("", "dim")
        self.file = Field(
            "File",
            width=40,
            help_text="Where w or Write puts the statement: its ending says how, .pdf, .csv or .txt. Never over a file "
            "that is there.",
            id="statement-file",
        )

    def compose(self) -> ComposeResult:
        yield self.month
        yield self.lines
        yield self._sums
        yield self._remarks
        yield self.file
        yield ActionButton(
            "Write file", help_text="w does the same.", verb="write", id="write-statement"
        )

    def offer(self, months: Sequence[StatementHead]) -> None:
        """Offer these months, keeping the one that is chosen."""
        self.month.set_choices(
            [
                (month.period, month.period if number else f"{month.period}, so far")
                for number, month in enumerate(months)
            ]
        )

    def show(self, found: Statement) -> None:
        """Show a month. The file is proposed anew unless another one was typed."""
        self.statement = found
        self.lines.set_rows(statement_rows(found))
        self._sums.set(
            "\n".join(
                f"Net {sums.net}   {found.tax_label} {sums.tax}   Total {sums.total}"
                for sums in found.sums
            )
        )
        self._remarks.set("\n".join(remarks(found)))
        if self.file.value in ("", self._proposed):
            self._proposed = file_name(found, FORM)
            if self.file.value != self._proposed:
                self.file.error = ""
            # The message would come late, and clear what was said about the file meanwhile.
            with self.file.input.prevent(Input.Changed):
                self.file.value = self._proposed
