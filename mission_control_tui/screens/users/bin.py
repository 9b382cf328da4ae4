"""The recycling bin: who was deleted, until when they can come back, and the end that cannot be undone."""

from __future__ import annotations

from collections.abc import Iterable

from textual.containers import Horizontal
from textual.widget import Widget

from mission_control_tui.model.errors import InvalidInput, Problem
from mission_control_tui.model.recycle_bin.deletion import restore_user
from mission_control_tui.model.recycle_bin.purge import BinLine, list_bin, purge_user
from mission_control_tui.model.text.counting import counted
from mission_control_tui.screens.base.mission_screen import MissionScreen
from mission_control_tui.widgets.action_button import ActionButton
from mission_control_tui.widgets.find_box import FindBox
from mission_control_tui.widgets.line_list import LineList
from mission_control_tui.widgets.rows import Column, CursorLines, Row
from mission_control_tui.widgets.text_lines import TextLines

MOST = 1000
"""People who are listed at most; Find narrows."""


class BinScreen(MissionScreen):
    """The account's recycling bin."""

    NAME = "bin"
    MEMORY_NAME = "BinScreen"
    HEADING = "Recycling bin"
    ABOUT = (
        "Deleted users keep their UPN, aliases and username reserved here. Enter brings one back, without services. "
        "Purge takes a person's data out of the database for good; the id and the audit stay. The worker does so by "
        "itself after the days of the setting worker.bin_days."
    )
    VERBS = ("find", "copy")
    CSS_PATH = "bin.tcss"
    AUTO_FOCUS = "#bin"

    def body(self) -> Iterable[Widget]:
        find_box = FindBox(id="find")
        yield find_box
        yield LineList(
            find_box=find_box,
            columns=(
                Column("Name"),
                Column("UPN"),
                Column("Deleted", width=9, right=True),
                Column("By", width=10),
                Column("Purged", width=10),
            ),
            empty="Nobody is in the recycling bin",
            id="bin",
        )
        yield TextLines("", "dim", id="notice")
        with Horizontal(id="buttons"):
            for label, words, run, name in (
                (
                    "Restore",
                    "Brings the user back, without services.",
                    self._ask_restore,
                    "restore",
                ),
                ("Purge now", "For good: asks for the UPN to be typed.", self._ask_purge, "purge"),
            ):
                yield ActionButton(label, help_text=words, width=16, run=run, id=name)

    # Data

    async def load(self) -> None:
        context = self.context
        days = context.settings.worker.bin_days
        box = self.query_one(FindBox)
        text = box.text
        with box.searching():
            found = await list_bin(context.scope, bin_days=days, query=text, limit=MOST)
        if not self.is_here:
            return
        if box.text != text:
            box.discard()  # what is typed now is asked for when the typing pauses
            return
        count = len(found)
        box.note = counted(count, "user")
        self.query_one(LineList).show_rows([_row(line) for line in found])
        kept = f"Who stays here is purged after {age_words(days)}."
        self.query_one("#notice", TextLines).set(
            f"{kept if days else 'Nobody here is purged unless you do it.'} Restoring brings no service back."
        )
        for name in ("restore", "purge"):
            self.query_one(f"#{name}", ActionButton).reason = "" if count else " "
        self.refresh_keys()

    def on_find_box_changed(self, event: FindBox.Changed) -> None:
        if self.console.is_open:
            self.reload()

    # Verbs

    @property
    def line(self) -> BinLine | None:
        """Return who is under the cursor."""
        return self.query_one(LineList).current_data(BinLine)

    def on_cursor_lines_opened(self, event: CursorLines.Opened) -> None:
        if event.rows.id == "bin":
            self._ask_restore()

    def on_action_button_refused(self, event: ActionButton.Refused) -> None:
        self.answer("Nobody is in the recycling bin", error=True)

    def _ask_restore(self) -> None:
        line = self.line
        if line is None:
            return

        async def restore() -> None:
            await restore_user(self.context.scope, line.id)
            self.announce(f"{line.upn} is back, without services")
            await self.load()

        self.prompts.confirm(
            [
                f"{self.context.account.name}: restore {line.upn}?",
                "The user comes back with all details and addresses, and without any service.",
                "Seats: none are held. Money: nothing changes.",
            ],
            restore,
            yes="Restore",
            takes_away=False,
        )

    async def _ask_purge(self) -> None:
        line = self.line
        if line is None:
            return
        await purge_user(self.context.scope, line.id, dry_run=True)
        self.prompts.ask(
            [
                f"{self.context.account.name}: purge {line.upn} for good?",
                "Lost: details, addresses, sealed passwords, drafts. It cannot be undone.",
                "The UPN is free for others then. The audit stays and goes on naming it.",
                "To confirm, type the UPN.",
            ],
            "UPN",
            lambda text: self._purge(line, text),
            hint="Enter purges, Esc gives up",
            takes_away=True,
        )

    async def _purge(self, line: BinLine, typed: str) -> None:
        if typed.strip().casefold() != line.upn.casefold():
            what = f"is not {line.upn}: nothing was purged"
            raise InvalidInput("Not confirmed.", problems=[Problem("", f"That {what}")])
        await purge_user(self.context.scope, line.id)
        self.announce(f"{line.upn} is purged")
        await self.load()

    def verb_copy(self) -> None:
        if (line := self.line) is not None:
            self.copy(line.upn)


def _row(line: BinLine) -> Row:
    purged = f"{line.purge_at:%Y-%m-%d}" if line.purge_at else "never"
    cells = (line.display_name, line.upn, age_words(line.age_days), line.deleted_by, purged)
    return Row(line.id, cells, line)


def age_words(days: int) -> str:
    """Return how long ago somebody was deleted: today, or so many days."""
    return counted(days, "day") if days else "today"
