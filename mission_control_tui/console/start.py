"""The console as a command opens it: which screens there are, and how it starts. Textual is imported later."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from mission_control_tui.console.options import options_of
from mission_control_tui.model.caller import Caller
from mission_control_tui.terminal import lifecycle

if TYPE_CHECKING:
    from mission_control_tui.console.base_app import MissionControlApp
    from mission_control_tui.screens.base.command_line import CommandLine
    from mission_control_tui.settings.settings import Settings


def open_console(
    settings: Settings,
    where: str,
    account: str | None,
    commands: CommandLine | None = None,
    *,
    stays: bool = False,
) -> int:
    """Run the console on the database at `where` and return the exit status.

    `account` is an id or code, None for the only one; `commands` is what can be typed in it. With `stays` a place in
    another account is not gone back to. Raises UsageError without a terminal.
    """
    return lifecycle.start(
        options_of(settings),
        lambda options: make_app(settings, where, account, options, commands=commands, stays=stays),
    )


def make_app(
    settings: Settings,
    where: str,
    account: str | None,
    options: lifecycle.TerminalOptions | None = None,
    *,
    wake: Callable[[Any], Awaitable[str]] | None = None,
    commands: CommandLine | None = None,
    stays: bool = False,
) -> MissionControlApp:
    """Return the application; nothing is opened yet. `wake` stands in for the starting of a worker."""
    caller = replace(Caller.from_operating_system(source="console"), session=uuid4().hex)
    if settings.console.read_only:
        caller = replace(caller, may_write=False)
    # Textual comes only where there is a terminal to show it on.
    from mission_control_tui.console.app import ConsoleApp

    return ConsoleApp(settings, where, account, options, caller, wake, commands, stays=stays)
