"""The command line. Parses before it imports anything heavy: Textual and the engine only where they are used."""

from mission_control_tui.cli.main import main

__all__ = ["main"]
