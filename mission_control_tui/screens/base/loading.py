"""Work beside the keys: what a screen does and reads while keys go on, and what others changed meanwhile."""

from __future__ import annotations

from collections.abc import Collection, Coroutine
from typing import Any

from textual.css.query import NoMatches
from textual.message import Message

from mission_control_tui.model.errors import MissionControlError
from mission_control_tui.screens.base.frame import FrameScreen
from mission_control_tui.widgets.line_list import LineList
from mission_control_tui.widgets.shielded import shielded


class ReadingScreen(FrameScreen):
    """A screen that reads its data whenever they may have changed; an error that a person can act upon is announced."""

    class ChangesArrived(Message):
        """Others changed something; `App.take_changes` says what."""

        def can_replace(self, message: Message) -> bool:
            return isinstance(message, ReadingScreen.ChangesArrived)

    def __init__(self, *, name: str | None = None, id: str | None = None) -> None:
        super().__init__(name=name, id=id)
        self._loading = False
        self._load_again = False
        self._was_read = False
        self._doing = 0

    @property
    def holds_keys(self) -> bool:
        """Whether what is typed now is meant for what comes: a first reading, a key's work, rows, an opening panel."""
        unread = self.console.is_open and not self._was_read
        return unread or self._doing > 0 or bool(getattr(self.focused, "is_due", False))

    async def load(self) -> None:
        """Read what is shown. Called when the database is open, on coming back, and when others changed something."""

    async def _dispatch_message(self, message: Message) -> None:
        try:
            await super()._dispatch_message(message)
        except MissionControlError as error:
            # What a button asks for may be refused just as what a verb asks for.
            if self.is_here:
                self.announce_error(error)

    def announce_error(self, error: MissionControlError) -> None:
        problems = "; ".join(str(problem) for problem in error.problems[:2])
        self.announce(
            " - ".join(filter(None, (error.what, problems, error.hint))).replace("\n", " "),
            error=True,
        )

    def do(self, work: Coroutine[Any, Any, object]) -> None:
        """Run `work` beside the keys; an error that a person can act upon is announced."""
        self._doing += 1
        self.run_worker(
            shielded(self._counted(work)), group="do", description="do", exit_on_error=True
        )

    async def _counted(self, work: Coroutine[Any, Any, object]) -> None:
        try:
            await self._guard(work)
        finally:
            self._doing -= 1

    async def _guard(self, work: Coroutine[Any, Any, object]) -> None:
        try:
            await work
        except Exception as error:  # noqa: BLE001 - a flaw of the program is raised again
            self.announce_failure(error)

    def announce_failure(self, error: Exception) -> None:
        """Announce what a person can act upon; raises a flaw of the program again."""
        from mission_control_tui.model.store.engine import operator_error

        if isinstance(error, NoMatches) and not self.is_here:
            return  # while a screen is taken down, its widgets go before its work is cancelled
        said = operator_error(error)
        screen = self if self.is_here else self.app.screen
        if isinstance(screen, ReadingScreen):
            screen.announce_error(said)

    def on_line_list_failed(self, event: LineList.Failed) -> None:
        event.stop()
        self.announce_failure(event.error)

    def reload(self) -> None:
        """Read the data again; requests that come while it is being read are one more reading, never a queue."""
        if not self.is_here:
            return
        if self._loading:
            self._load_again = True
            return
        self._loading = True
        self.run_worker(
            shielded(self._load()), group="load", description="load", exit_on_error=True
        )

    async def _load(self) -> None:
        try:
            while True:
                self._load_again = False
                await self._read()
                if not self._load_again or not self.is_here:
                    return
        finally:
            self._loading = False

    async def _read(self) -> None:
        try:
            await self._guard(self.load())
        except NoMatches:
            # A screen that was left while it read has lost its widgets, and nobody looks at it.
            if self.is_here:
                raise
        finally:
            self._was_read = True

    def on_reading_screen_changes_arrived(self, event: ChangesArrived) -> None:
        event.stop()
        changes = self.console.take_changes()
        if changes and self.concerns(changes):
            self.reload()

    def concerns(self, changes: Collection[object]) -> bool:
        """Whether these changes can alter what this screen shows."""
        return True
