"""Everything that only looks, called where nothing can be written: `python -m tests.cli.read_only_disk HOME`.

It prints what went otherwise than it should.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path

from tests.cli.inprocess import call
from tests.cli.test_read_only import LOOKS
from tests.screens.driving import console, shows, text_of, until

CHANGES = (
    ("account", "edit", "--name", "Other"),
    ("users", "disable", "ada@acme.example"),
    ("drafts", "discard", "1"),
    ("demo", "reset", "--yes"),
    ("worker", "--once"),
)


def commands() -> dict[str, str]:
    """What failed of the looks, and what was not refused of the changes."""
    wrong = {}
    for path, calls in LOOKS.items():
        for arguments in calls:
            called = call(*path.split(), *arguments)
            if called.code not in (0, 1 if path == "doctor" else 0):
                wrong[f"{path} {arguments}"] = called.err
    for words in CHANGES:
        called = call(*words)
        if called.code in (0, 1):
            wrong[" ".join(words)] = called.out + called.err
    if "read-only file system" not in call("account", "edit", "--name", "Other").err:
        wrong["account edit"] = "does not say why"
    return wrong


async def screens(database: Path) -> None:
    """The console shows what there is, says that it changes nothing, and does not let itself be armed."""
    async with console(database) as (app, pilot):
        assert "READ-ONLY" in text_of(app)
        await pilot.press("a")
        await shows(pilot, "read-only file system")
        assert "READ-ONLY" in text_of(app)
        app.follow_link("users")
        await until(pilot, lambda: "ada@acme.example" in text_of(app))


if __name__ == "__main__":
    home = Path(sys.argv[1])
    os.chdir(home / "work")
    told = commands()
    asyncio.run(screens(home / ".local/share/mission-control/mission-control.db"))
    sys.stdout.write(json.dumps(told))
