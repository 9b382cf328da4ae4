"""Starts the demo as a command does: `python -m tests.screens.console_call [screen]`.

The demo and Textual are imported only when there is a terminal.
"""

from __future__ import annotations

import os
import sys
import time
from typing import TYPE_CHECKING

from mission_control_tui.model.errors import MissionControlError
from mission_control_tui.terminal.lifecycle import TerminalOptions, start

if TYPE_CHECKING:
    from mission_control_tui.console.base_app import MissionControlApp


def _make(options: TerminalOptions) -> MissionControlApp:
    from tests.screens.demo import make_app

    first = sys.argv[1] if len(sys.argv) > 1 else "home"
    seconds = float(os.environ.get("DEMO_OPENING", "0"))
    return make_app(options, first, opener=lambda: time.sleep(seconds))


def run() -> int:
    """The exit status; the error goes to standard error."""
    try:
        return start(TerminalOptions(theme=os.environ.get("DEMO_THEME", "auto")), _make)
    except MissionControlError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code


if __name__ == "__main__":
    sys.exit(run())
