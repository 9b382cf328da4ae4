"""What an operator does on every screen: the ticket, arming, copying, the command line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from mission_control_tui.model.errors import InvalidInput
from mission_control_tui.model.text.clean import harmless
from mission_control_tui.screens.base.base import BaseScreen
from mission_control_tui.widgets.cells import width_of
from mission_control_tui.widgets.command_bar import CommandBar
from mission_control_tui.widgets.plain_lines import PlainLines, broken

if TYPE_CHECKING:
    from mission_control_tui.screens.base.command_line import (
        CommandLine,
        CommandResult,
        TypedCommand,
    )

TICKET_LIMIT = 128
COPIED = "Copied: "
GOES_BACK = "Esc goes back"


class OperatingScreen(BaseScreen):
    """A screen of an operator who has a ticket, may be read-only, copies, and types commands."""

    # Ticket

    def verb_ticket(self) -> None:
        current = self.console.accounts.caller.ticket
        self.prompts.ask(
            ["The ticket that every change carries from now on; empty for none."],
            "Ticket",
            self._set_ticket,
            value=current,
            help_text="A reference of your ticket system. It sticks until it is changed or cleared.",
        )

    def _set_ticket(self, text: str) -> None:
        ticket = harmless(text).strip()
        if len(ticket) > TICKET_LIMIT:
            raise InvalidInput(f"A ticket has at most {TICKET_LIMIT} characters.")
        self.console.accounts.change_caller(ticket=ticket)
        self.announce(f"Every change carries ticket {ticket}" if ticket else "No ticket any more")

    # Arming

    def verb_arm(self) -> None:
        armed = not self.console.accounts.caller.may_write
        self.console.accounts.change_caller(may_write=armed)
        self.announce(
            "Armed: changes are made again; a makes the console read-only"
            if armed
            else "Read-only: nothing is changed until you press a again"
        )
        self.refresh_keys()

    # Copying

    def copy(self, text: str | Sequence[str]) -> None:
        """Hand `text` to the terminal's clipboard, and show it without borders, for selecting it by mouse.

        A text is one harmless line, whatever it says: it may be pasted into a shell. Several lines are made here.
        """
        lines = [harmless(line) for line in ([text] if isinstance(text, str) else text)]
        whole = "\n".join(lines)
        if not whole.strip():
            self.announce("There is nothing to copy here", error=True)
            return
        self.console.copy_to_clipboard(whole, lines=len(lines) > 1)
        if len(lines) == 1 and width_of(whole) <= self.app.size.width - len(COPIED) - 1:
            self.announce(f"{COPIED}{whole}")
        else:
            self.prompts.show_overlay(PlainLines(whole))
            self.announce(f"Copied. {GOES_BACK}", of_overlay=True)

    # Command line

    def verb_command(self) -> None:
        commands = self.console.commands
        if commands is None:
            self.announce("There is no command line here", error=True)
        elif not self.prompts.is_asking:
            self._type_command(commands)

    def _type_command(self, commands: CommandLine, value: str = "") -> None:
        def answered(text: str | None) -> None:
            if text is None or not text.strip():
                self.prompts.close(bar)
            else:
                self.do(
                    self.prompts.take(bar, text, lambda text: self._run_typed(commands, bar, text))
                )

        bar = CommandBar(
            answered, earlier=commands.history(), complete=commands.complete, value=value
        )
        self.prompts.show_bar(bar)

    async def _run_typed(self, commands: CommandLine, bar: CommandBar, text: str) -> None:
        typed = commands.understand(text)
        commands.remember(text.strip())
        bar.say("Looking what it would do ..." if typed.tries else "Running ...")
        tried = None
        if typed.tries or not typed.asks:
            tried = await self._run(commands, typed, *(["--dry-run"] if typed.tries else []))
        self.prompts.close(bar)
        if tried is not None and (tried.code or not typed.asks):
            self._show_output(text, tried)
        else:
            self._ask_first(commands, typed, text, tried.output if tried is not None else "")

    def _ask_first(self, commands: CommandLine, typed: TypedCommand, text: str, said: str) -> None:
        room = max(self.app.size.height - 8, 4)
        lines = [line for line in broken(said) if line][:room]
        self.prompts.confirm(
            [f"{' '.join(typed.words)}", *lines],
            lambda: self._show_run(commands, typed, text, "--yes"),
        )

    async def _show_run(
        self, commands: CommandLine, typed: TypedCommand, text: str, *extra: str
    ) -> None:
        self._show_output(text, await self._run(commands, typed, *extra))

    async def _run(self, commands: CommandLine, typed: TypedCommand, *extra: str) -> CommandResult:
        return await commands.run(typed, self.console.accounts.caller, self.account_code, *extra)

    @property
    def account_code(self) -> str:
        """The account that typed commands work on."""
        return ""

    def _show_output(self, text: str, ran: CommandResult) -> None:
        if not self.is_here:
            return
        self.prompts.show_overlay(PlainLines(f"$ mission-control {text}\n{ran.output}"))
        self.announce(
            f"Done. {GOES_BACK}" if not ran.code else f"It ended with exit code {ran.code}",
            error=bool(ran.code),
            of_overlay=not ran.code,
        )
