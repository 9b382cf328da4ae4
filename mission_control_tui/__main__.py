"""The program as a process: `mission-control`, and `python -m mission_control_tui`."""

from __future__ import annotations

from typing import NoReturn

from mission_control_tui.settings.garbage import collect_nothing_yet


def main() -> NoReturn:
    """Run the command that the process was started for."""
    collect_nothing_yet()
    from mission_control_tui.cli.main import main as run

    run()


if __name__ == "__main__":
    main()
