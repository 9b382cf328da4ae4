"""One of several processes that want the same last seat: says when it is ready, waits for a line, says what it got."""

from __future__ import annotations

import asyncio
import sys

from mission_control_tui.model.caller import Caller
from mission_control_tui.model.errors import NoSeats
from mission_control_tui.model.store.database import Store
from mission_control_tui.model.store.scope import AccountScope
from mission_control_tui.model.users.actions.params import ActionParams
from mission_control_tui.model.users.provisioning import provision


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


async def claim(where: str, user: str) -> str:
    """ "got" or "none"."""
    store = await Store.open(where)
    caller = Caller(operator=user)
    try:
        _say("ready")
        await asyncio.to_thread(sys.stdin.readline)
        wanted = [ActionParams("managed-exchange", "popx")]
        await provision(AccountScope(store, caller, "acme"), user, wanted)
    except NoSeats:
        return "none"
    finally:
        await store.close()
    return "got"


if __name__ == "__main__":
    _say(asyncio.run(claim(*sys.argv[1:])))
