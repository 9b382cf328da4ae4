"""`mission-control` alone: the console."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from mission_control_tui.cli.output import say
from mission_control_tui.cli.session import Session

if TYPE_CHECKING:
    from mission_control_tui.model.database import Store


def open_console(session: Session) -> int:
    """Open the full-screen console and return its exit status. Raises UsageError without a terminal."""
    from mission_control_tui import console, terminal

    terminal.require_terminal()
    settings = session.settings
    if not settings.database and not Path(session.where).exists():
        say("First start: making a database with a sample account ...")
        session.run(_nothing)
    return console.open_console(settings, session.where, settings.account or None)


async def _nothing(_store: Store) -> None:
    """Opening has made what was missing."""
