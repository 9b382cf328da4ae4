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

from mission_control_tui.model.accounts.editing import create_account
from mission_control_tui.model.caller import Caller
from mission_control_tui.model.orders import buying
from mission_control_tui.model.orders.queries import list_orders
from mission_control_tui.model.requests.workers import live_workers
from mission_control_tui.model.services.lights import status
from mission_control_tui.model.states import Light
from mission_control_tui.model.store.database import Store
from mission_control_tui.model.store.scope import AccountScope
from mission_control_tui.model.users import provisioning as provision
from mission_control_tui.model.users.actions.params import ActionParams
from tests.terminal.pty import Terminal

CALLER = Caller("second", source="test")
PASSWORD = "Correct-Horse-7"
PRODUCTS = ("Domain Names", "Email", "Web Hosting", "Databases")
CONSOLE = (
    "import sys;from mission_control_tui.console.start import open_console;"
    "from mission_control_tui.settings.settings import load;sys.exit(open_console(load(), sys.argv[1], None))"
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
        return [worker.pid for worker in await live_workers(store, 60.0)]
    finally:
        await store.close()


async def _change(path: Path, user: str, level: str) -> None:
    store = await Store.open(path)
    try:
        wanted = [ActionParams("managed-exchange", level)]
        await provision.provision(AccountScope(store, CALLER, "acme"), user, wanted)
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
    open_product(terminal, "Email")
    terminal.wait_for(r"BUY EMAIL")
    terminal.wait_for(r"> \( \) ")
    terminal.press("down")
    terminal.wait_for(r"> \( \) Managed Exchange - PC & Web Access")
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


def new_user(terminal: Terminal, local: str, domain: str = "acme.example") -> int:
    """From the Service Management Area or Home: a new user; returns how many keys that took, typed text aside."""
    keys = 0

    def press(*names: str) -> None:
        nonlocal keys
        keys += len(names)
        terminal.press(*names)
        terminal.settle(0.1)

    press("n")
    terminal.wait_for(rf"UPN \*.*@{domain}")
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
        change_level(terminal)
        terminal.press("f10")
        assert terminal.wait() == 0
        assert terminal.modes_left() == []
    orders, lights = asyncio.run(_outcome(database))
    assert orders == ["pc-web", "popx"]
    assert lights == [("popx", Light.GREEN)]


def change_level(terminal: Terminal) -> None:
    """Provision Services, the panel open: to POPX, whose seat is bought on the way; the question's default is No."""
    terminal.press("up")
    terminal.wait_for(r"> \( \) Standard Mail \(POPX\).*none owned")
    terminal.press("b")
    terminal.wait_for(r"Step 1 of 2.*\n.*Standard Mail")
    terminal.settle(0.2)
    terminal.press("f7")
    terminal.wait_for(r"Step 2 of 2: Review")
    terminal.settle(0.2)
    terminal.press("f7")
    terminal.wait_for(r"Order \d+: bought 1 x Email")
    terminal.wait_for(r"> \( \) Standard Mail \(POPX\).*1 of 1 free")
    terminal.settle(0.2)
    for answer, shown in (("enter", "Nothing was changed"), ("y", r"» (Queued|Provisioning)")):
        terminal.press("space")
        terminal.wait_for(r"\(•\) Standard Mail \(POPX\)")
        terminal.press("p")
        terminal.wait_for(r"change Managed Exchange of fails.once@acme.example")
        terminal.wait_for(r"Lost: .*\n(.*\n)*.*Money: ")
        terminal.wait_for(r"\[ No \] *\[ Change level \]")
        terminal.press(answer)
        terminal.wait_for(shown)
    terminal.wait_for(r"\(•\) Standard Mail \(POPX\)  now")
    terminal.wait_for("• Provisioned")


async def _outcome(path: Path) -> tuple[list[str], list[tuple[str, Light]]]:
    """The levels that were ordered, oldest first, and the level and light of each service that is given."""
    store = await Store.open(path)
    try:
        placed = await list_orders(AccountScope(store, CALLER, "acme"))
        given = await status(AccountScope(store, CALLER, "acme"))
        levels = [line.level_id for order in reversed(placed) for line in order.lines]
        return levels, [(one.level_id, one.light) for one in given if one.id]
    finally:
        await store.close()


def open_product(terminal: Terminal, name: str) -> None:
    """From Home, the cursor anywhere under Services, to a product's screen."""
    terminal.wait_for(r"This month +AUD")
    terminal.settle(0.2)
    terminal.press("home")
    for product in PRODUCTS[: PRODUCTS.index(name) + 1]:
        if product != PRODUCTS[0]:
            terminal.press("down")
        terminal.wait_for(f"> {product}")
    terminal.press("enter")


def steps(terminal: Terminal, *titles: str) -> None:
    """Go on with Next from page to page, each of which has to come."""
    for title in titles:
        terminal.press("f7")
        terminal.wait_for(title)
        terminal.settle(0.2)


def home_from_the_order(terminal: Terminal, says: str) -> None:
    """The confirmation names the order; its third QUICK LINK is Home."""
    terminal.wait_for(says)
    terminal.wait_for("> Service Management Area")
    terminal.press("down", "down", "enter")


@pytest.mark.proof
def test_domain_names_hosting_and_databases_are_bought_by_keys(database: Path) -> None:
    with console(database) as terminal:
        open_product(terminal, "Domain Names")
        terminal.wait_for(r"\[ BUY \]")
        terminal.press("enter")
        terminal.wait_for("Step 1 of")
        terminal.settle(0.2)
        terminal.press("journey.com.au")
        steps(terminal, "Step 2 of 6: For how long", "Step 3 of 6: Registrant")
        for text in ("Acme Pty Ltd", "rita@acme.example"):
            terminal.press(text, "enter")
        steps(terminal, "Step 4 of 6: Eligibility")
        terminal.press("comp", "enter", "enter", "53004085617")
        steps(terminal, "nor a valid ACN")
        terminal.press("backspace", "6")
        steps(terminal, "Step 5 of 6: Name servers", "Step 6 of 6: Review")
        terminal.wait_for("AUD 16.50")
        terminal.press("f7")
        home_from_the_order(terminal, "Order 1")
        open_product(terminal, "Web Hosting")
        terminal.wait_for(r"\[ BUY \]")
        terminal.press("b")
        terminal.wait_for("Step 1 of 4: Level")
        terminal.settle(0.2)
        terminal.press("down", "space")
        terminal.wait_for(r"\(•\) Business")
        steps(terminal, "Step 2 of 4: Domain", "Step 3 of 4", "Step 4 of 4: Review", "Order 2")
        home_from_the_order(terminal, "Order 2")
        open_product(terminal, "Databases")
        terminal.wait_for(r"> \( \) PostgreSQL Small")
        terminal.press("space")
        terminal.wait_for(r"\(•\) PostgreSQL Small")
        terminal.press("enter")
        terminal.wait_for("Step 2 of 3")
        terminal.settle(0.2)
        steps(terminal, "Step 3 of 3: Review", "Order 3")
        home_from_the_order(terminal, "Small now available")
        terminal.wait_for(r"Databases +0/1 used")
        terminal.press("q")
        assert terminal.wait() == 0
    assert asyncio.run(_outcome(database))[0] == ["registration", "business", "small"]


class Counting:
    """Counts keys that are pressed, typed text aside."""

    def __init__(self, terminal: Terminal) -> None:
        self.terminal = terminal
        self.keys = 0

    def press(self, *keys: str, then: str) -> None:
        self.keys += len(keys)
        self.terminal.press(*keys)
        self.terminal.wait_for(then)
        self.terminal.settle(0.15)


@pytest.mark.proof
def test_key_presses_from_home_in_a_real_terminal(database: Path) -> None:
    asyncio.run(_buy(database, "pc-web"))
    with console(database) as terminal:
        terminal.wait_for(r"This month +AUD")
        keys = new_user(terminal, "fails.once") + choose_level(terminal, "down")
        assert keys <= 15
        terminal.wait_for("× Error")  # noqa: RUF001 - the sign of a red light
        terminal.press("g")
        terminal.wait_for("QUICK LINKS")
        terminal.press("enter")
        terminal.wait_for(r"This month +AUD")
        red = Counting(terminal)
        red.press("!", then="has no room for another mailbox")
        assert red.keys == 1
        red.press("p", then="» (Queued|Provisioning)|• Provisioned")
        assert red.keys - 1 <= 3
        terminal.press("g")
        terminal.wait_for("QUICK LINKS")
        terminal.press("enter")
        terminal.wait_for(r"This month +AUD")
        terminal.press("/")
        terminal.wait_for("Find anyone")
        terminal.settle(0.2)
        terminal.press("love")
        terminal.wait_for("1 found")
        terminal.settle(0.2)
        reset = Counting(terminal)
        reset.press("enter", then="> acme +Ada Love")
        reset.press("enter", then="> Services")
        reset.press("down", "down", then="> Reset Password")
        reset.press("enter", then=r"\[ Generate and set \]")
        reset.press("enter", then="the new password is on its way")
        assert reset.keys <= 6


@pytest.mark.proof
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


@pytest.mark.proof
def test_a_second_process_changes_the_same_user(database: Path) -> None:
    with console(database) as terminal:
        buy_mailboxes(terminal)
        new_user(terminal, "ada")
        choose_level(terminal, "down")
        terminal.wait_for("• Provisioned")
        asyncio.run(_buy(database, "popx"))
        asyncio.run(_change(database, "ada@acme.example", "popx"))
        terminal.wait_for(r"\(•\) Standard Mail \(POPX\)  now")
        terminal.wait_for("• Provisioned")


async def _buy(path: Path, level: str) -> None:
    store = await Store.open(path)
    try:
        await buying.buy(AccountScope(store, CALLER, "acme"), "email", level=level, quantity=2)
    finally:
        await store.close()
