"""Play a day and print its table: `python -m tests.terminal.day [TICKETS] [--seed N] [--scale N]`."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from tests.terminal.day import page, play
from tests.terminal.day.table import table


def main() -> int:
    """Exit status 0 when everything is true at the end."""
    parser = argparse.ArgumentParser(prog="python -m tests.terminal.day", description=__doc__)
    parser.add_argument("tickets", type=int, nargs="?", default=play.TICKETS)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--scale", type=int, default=1, help="have 1/SCALE of the 20,000 users")
    parser.add_argument("--page", action="store_true", help="write docs/day.md with this table")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="mc-day-") as directory:
        day = play.run(
            Path(directory), chosen.tickets, scale=chosen.scale, seed=chosen.seed, say=True
        )
    lines = table(day.played)
    sys.stdout.write("\n".join([*lines, ""]))
    for pattern, seconds in day.slow:
        sys.stdout.write(f"waited {seconds:.1f} s for {pattern}\n")
    if chosen.page:
        page.PAGE.write_text(page.text(lines))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
