"""The command line of a screen: a command is typed, tried, asked about, and run in place."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from mission_control_tui.screens.base.base import BaseScreen
from mission_control_tui.screens.base.command_line import (
    CommandLine,
    ParsedCommand,
    ProcessResult,
)
from mission_control_tui.widgets.bars import MARGINS
from mission_control_tui.widgets.command_bar import CommandBar
from mission_control_tui.widgets.overlays import PlainLines, broken

GOES_BACK = "Esc goes back"


class CommandPrompt:
    """Asks for commands on a screen, and shows what they printed.

    `account_code` gives the code of the account that they work on; it raises StoreError until the database is open.
    """

    def __init__(self, screen: BaseScreen, account_code: Callable[[], str]) -> None:
        self._screen = screen
        self._account_code = account_code

    def open(self, commands: CommandLine) -> None:
        """Ask for a command; Escape asks for none."""

        def answered(text: str | None) -> None:
            if text is None or not text.strip():
                self._screen.prompts.close(bar)
            else:
                run = partial(self._run_typed, commands, bar)
                self._screen.do(self._screen.prompts.take(bar, text, run))

        bar = CommandBar(answered, earlier=commands.history(), complete=commands.complete)
        self._screen.prompts.show_bar(bar)

    async def _run_typed(self, commands: CommandLine, bar: CommandBar, text: str) -> None:
        typed = commands.understand(text)
        commands.remember(text.strip())
        bar.say("Looking what it would do ..." if typed.tries else "Running ...")
        tried = None
        if typed.tries or not typed.asks:
            tried = await self._run(commands, typed, *(["--dry-run"] if typed.tries else []))
        self._screen.prompts.close(bar)
        if tried is not None and (tried.code or not typed.asks):
            self._show_output(text, tried)
        else:
            self._ask_first(commands, typed, text, tried.output if tried is not None else "")

    def _ask_first(self, commands: CommandLine, typed: ParsedCommand, text: str, said: str) -> None:
        width = self._screen.app.size.width - MARGINS
        room = max(self._screen.app.size.height - 8, 4)
        lines = [line for line in broken(said, width) if line][:room]

        async def agreed() -> None:
            self._show_output(text, await self._run(commands, typed, "--yes"))

        self._screen.prompts.confirm([" ".join(typed.words), *lines], agreed)

    async def _run(self, commands: CommandLine, typed: ParsedCommand, *extra: str) -> ProcessResult:
        return await commands.run(
            typed,
            self._screen.console.accounts.caller,
            self._account_code(),
            *extra,
            width=self._screen.app.size.width - 1,
        )

    def _show_output(self, text: str, ran: ProcessResult) -> None:
        if not self._screen.is_here:
            return
        self._screen.prompts.show_overlay(PlainLines(f"$ mission-control {text}\n{ran.output}"))
        self._screen.announce(
            f"Done. {GOES_BACK}" if not ran.code else f"It ended with exit code {ran.code}",
            error=bool(ran.code),
            of_overlay=not ran.code,
        )
