"""The article's journey in a real terminal by keys alone, with a real worker and the simulator."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from mission_control_tui.model import provision
from mission_control_tui.model.accounts import create_account
from mission_control_tui.model.context import Caller
from mission_control_tui.model.database import Store
from mission_control_tui.model.provision import Wanted
from mission_control_tui.model.status import workers

from .pty import Terminal

CALLER = Caller("second", source="test")
PASSWORD = "Correct-Horse-7"
CONSOLE = (
    "import sys;from mission_control_tui.console import open_console;"
    "from mission_control_tui.settings import load;sys.exit(open_console(load(), sys.argv[1], None))"
)


async def _make(path: Path) -> None:
    store = await Store.open(path)
    await create_account(store, CALLER, code="acme", name="Acme Pty Ltd", domains=["acme.example"])
    await store.close()


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Path]:
    """An account that has bought nothing; its worker is ended afterwards."""
    path = tmp_path / "journey.db"
    asyncio.run(_make(path))
    yield path
    for pid in asyncio.run(_worker_pids(path)):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


async def _worker_pids(path: Path) -> list[int]:
    store = await Store.open(path)
    try:
        return [worker.pid for worker in await workers(store)]
    finally:
        await store.close()


async def _change(path: Path, user: str, level: str) -> None:
    store = await Store.open(path)
    try:
        wanted = [Wanted("managed-exchange", level)]
        await provision.provision(store, CALLER, "acme", user, wanted)
    finally:
        await store.close()


def console(path: Path, *, size: tuple[int, int] = (80, 24)) -> Terminal:
    """The console on `path`, with settings and simulator of this test alone."""
    home = path.parent
    env = {
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home / "config"),
        "XDG_DATA_HOME": str(home / "data"),
        "XDG_STATE_HOME": str(home / "state"),
    }
    return Terminal([sys.executable, "-c", CONSOLE, str(path)], size=size, env=env)


def buy_mailboxes(terminal: Terminal) -> None:
    """Home > Email > a level > BUY EMAIL > the prompts > the confirmation > Service Management Area."""
    terminal.wait_for(r"Services .*Users")
    terminal.wait_for(r"This month +AUD")
    for _ in range(6):
        if "> Email" in terminal.text():
            break
        terminal.press("down")
        terminal.settle(0.1)
    terminal.press("enter")
    terminal.wait_for(r"BUY EMAIL")
    terminal.wait_for(r"> \( \) ")
    terminal.press("down")
    terminal.settle(0.1)
    terminal.press("space")
    terminal.wait_for(r"\(•\) Managed Exchange - PC & Web Access")
    terminal.press("b")
    for _ in range(8):
        terminal.settle(0.4)
        if "Service Management Area" in terminal.text() and "rder" in terminal.text():
            break
        terminal.press("f7")
    terminal.wait_for("> Service Management Area")
    terminal.press("enter")
    terminal.wait_for(r"\[ New User \]")


def new_user(terminal: Terminal, local: str) -> int:
    """From the Service Management Area or Home: a new user; returns how many keys that took, typed text aside."""
    keys = 0

    def press(*names: str) -> None:
        nonlocal keys
        keys += len(names)
        terminal.press(*names)
        terminal.settle(0.1)

    press("n")
    terminal.wait_for(r"UPN \*.*@acme.example")
    for text in (local, "Ada", "Love"):
        terminal.press(text)
        press("enter")
    press("enter", "enter")
    terminal.press(PASSWORD)
    press("enter")
    terminal.press(PASSWORD)
    press("f2")
    terminal.wait_for(r"The user is created")
    terminal.wait_for(r"Managed Exchange +· Not provisioned")
    return keys


def choose_level(terminal: Terminal, *keys: str) -> int:
    """Open Managed Exchange, go to the level with `keys`, ask for it."""
    terminal.press("enter")
    terminal.wait_for(r"> \( \)|> \(•\)")
    terminal.press(*keys, "space")
    terminal.settle(0.2)
    terminal.press("p")
    return len(keys) + 3


def test_the_whole_journey_by_keys_alone(database: Path) -> None:
    with console(database) as terminal:
        buy_mailboxes(terminal)
        keys = new_user(terminal, "fails.once")
        keys += choose_level(terminal, "down")
        assert keys <= 15
        terminal.wait_for("» (Queued|Provisioning)")
        terminal.wait_for("× Error")  # noqa: RUF001 - the sign of a red light
        terminal.wait_for("has no room for another mailbox")
        terminal.wait_for("What to do: Provision again")
        terminal.press("p")
        terminal.wait_for("• Provisioned")
        terminal.press("f10")
        assert terminal.wait() == 0
        assert terminal.modes_left() == []


def test_a_killed_worker_is_replaced_and_the_light_turns_green(database: Path) -> None:
    with console(database) as terminal:
        buy_mailboxes(terminal)
        new_user(terminal, "ada")
        choose_level(terminal, "down")
        terminal.wait_for("» Provisioning")
        pids = asyncio.run(_worker_pids(database))
        assert pids
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
        terminal.wait_for("• Provisioned", 90)


def test_a_second_process_changes_the_same_user(database: Path) -> None:
    with console(database) as terminal:
        buy_mailboxes(terminal)
        new_user(terminal, "ada")
        choose_level(terminal, "down")
        terminal.wait_for("• Provisioned")
        buy_more(database)
        asyncio.run(_change(database, "ada@acme.example", "popx"))
        terminal.wait_for(r"\(•\) Standard Mail \(POPX\)  now")
        terminal.wait_for("• Provisioned")


def buy_more(database: Path) -> None:
    """A second operator buys seats of the smaller level."""

    async def buy() -> None:
        from mission_control_tui.model import buying

        store = await Store.open(database)
        try:
            await buying.buy(store, CALLER, "acme", "email", level="popx", quantity=2)
        finally:
            await store.close()

    asyncio.run(buy())
