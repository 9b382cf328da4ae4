"""Starts the demo as a command does, with the demo and Textual imported only when there is a terminal."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from mission_control_tui.model.errors import MissionControlError
from mission_control_tui.terminal import Options, start

if TYPE_CHECKING:
    from mission_control_tui.app import MissionControlApp


def _make(options: Options) -> MissionControlApp:
    from .demo import make_app

    return make_app(options)


def run() -> int:
    """The exit status; the error goes to standard error."""
    try:
        return start(Options(), _make)
    except MissionControlError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
