"""`mission-control` alone: the console."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mission_control_tui.cli.common.output import say
from mission_control_tui.cli.common.session import Session

if TYPE_CHECKING:
    from mission_control_tui.cli.console.typed import History
    from mission_control_tui.model.caller import Caller
    from mission_control_tui.screens.base.command_line import (
        CommandLine,
        ParsedCommand,
        ProcessResult,
    )
    from mission_control_tui.settings.settings import Settings


def open_console(session: Session, root: click.Command) -> int:
    """Open the full-screen console and return its exit status. Raises UsageError without a terminal."""
    from mission_control_tui.console import start as console
    from mission_control_tui.terminal import lifecycle

    lifecycle.require_terminal()
    settings = session.settings
    if not settings.database and not Path(session.where).exists():
        say("First start: making a database with a sample account ...")
        session.run(lambda _store: asyncio.sleep(0))  # opening makes what is missing
    return console.open_console(
        settings,
        session.where,
        settings.account or None,
        command_line(session.where, settings, root),
        stays=bool(session.account),
    )


def command_line(database: str, settings: Settings, root: click.Command) -> CommandLine:
    """Return what the console may do with the commands below `root`; what that takes is imported when one is typed."""
    from mission_control_tui.screens.base.command_line import CommandLine

    def understand(text: str) -> ParsedCommand:
        from mission_control_tui.cli.console import typed

        return typed.understand(root, text)

    async def run(
        command: ParsedCommand, caller: Caller, account: str, *extra: str, width: int
    ) -> ProcessResult:
        from mission_control_tui.cli.console import typed

        where = typed.CommandScope(
            database,
            account,
            caller.ticket,
            caller.session,
            read_only=not caller.may_write,
            width=width,
            settings=settings,
        )
        return await typed.run(command, where, *extra)

    async def complete(text: str) -> Sequence[str]:
        from mission_control_tui.cli.console import typed

        return await asyncio.to_thread(typed.complete, root, text)

    def read_history() -> list[str]:
        return _history().read()

    def remember(text: str) -> None:
        _history().add(text)

    return CommandLine(understand, run, complete, read_history, remember)


def _history() -> History:
    from mission_control_tui.cli.console.typed import History
    from mission_control_tui.settings.settings import locations

    return History(locations().state / "commands")
