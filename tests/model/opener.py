"""One of several processes that open the same new database at once: waits for a line, prints the installation."""

from __future__ import annotations

import asyncio
import sys

from mission_control_tui.model.store.database import Store


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


async def installation(where: str) -> str:
    """The installation's id, as the open store has it."""
    store = await Store.open(where)
    await store.close()
    return store.installation


if __name__ == "__main__":
    _say("ready")
    sys.stdin.readline()
    _say(asyncio.run(installation(sys.argv[1])))
