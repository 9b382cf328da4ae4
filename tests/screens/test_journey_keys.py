"""Key presses from Home, counted, typed text aside."""

from __future__ import annotations

from pathlib import Path

from textual.pilot import Pilot

from mission_control_tui.screens.services.provision import ProvisionScreen
from tests.screens import two_accounts
from tests.screens.driving import console, shows, text_of, type_text, until

PASSWORD = "Kp7m-xR4w-9fTc"
MAILBOX_KEYS = 15
RESET_KEYS = 6
RESET_KEYS_FROM_HOME = 7
RED_KEYS = 1
AGAIN_KEYS = 3


class Counted:
    """Presses keys one by one and counts them; what is typed is not counted."""

    def __init__(self, pilot: Pilot[int]) -> None:
        self.pilot = pilot
        self.keys = 0

    async def press(self, *keys: str) -> None:
        self.keys += len(keys)
        await self.pilot.press(*keys)

    async def fill(self, text: str) -> None:
        await type_text(self.pilot, text)
        await self.press("enter")


async def test_home_to_a_new_user_with_a_mailbox(world_db: Path) -> None:
    async with console(world_db) as (app, pilot):
        counted = Counted(pilot)
        await counted.press("n")
        await shows(pilot, "@acme.example")
        for text in ("bo.derek", "Bo", "Derek", "", "", PASSWORD):
            await counted.fill(text)
        await type_text(pilot, PASSWORD)
        await counted.press("f2")
        await shows(pilot, "The user is created", "Managed Exchange")
        await until(pilot, lambda: app.focused is not None)
        await counted.press("enter")
        await shows(pilot, "( ) Standard Mail (POPX)")
        await counted.press("down", "space", "p")
        await shows(pilot, "» Queued", "Asked for: Managed Exchange")
        assert counted.keys <= MAILBOX_KEYS


async def test_home_to_a_password_that_is_reset(world_db: Path) -> None:
    async with console(world_db) as (app, pilot):
        counted = Counted(pilot)
        await counted.press("slash")
        await shows(pilot, "Find anyone", "in all accounts")
        await type_text(pilot, "hopper")
        await until(pilot, lambda: "1 found" in text_of(app) and "Ada" not in text_of(app))
        found = counted.keys
        await counted.press("enter", "enter")
        await shows(pilot, "> Services", "Reset Password")
        await counted.press("down", "down", "enter")
        await shows(pilot, "[ Generate and set ]")
        await counted.press("enter")
        await shows(pilot, "the new password is on its way")
        assert counted.keys - found <= RESET_KEYS
        assert counted.keys <= RESET_KEYS_FROM_HOME


async def test_home_to_a_password_of_another_account(world_db: Path) -> None:
    """Finding somebody of another account costs no key more than somebody of this one."""
    async with two_accounts.console(world_db) as (_app, pilot):
        counted = Counted(pilot)
        await counted.press("slash")
        await shows(pilot, "Find anyone", "in all accounts")
        await type_text(pilot, "simpson")
        await shows(pilot, "1 found")
        await counted.press("enter", "enter")
        await shows(pilot, "Account changed: acme -> globex", "> Services", "Reset Password")
        await counted.press("down", "down", "enter")
        await shows(pilot, "[ Generate and set ]")
        await counted.press("enter")
        await shows(pilot, "the new password is on its way", "homer@globex.example")
        assert counted.keys <= RESET_KEYS_FROM_HOME


async def test_anywhere_to_the_newest_red_light_and_to_provision_again(world_db: Path) -> None:
    async with console(world_db) as (app, pilot):
        app.follow_link("requests")
        await shows(pilot, "Tries")
        counted = Counted(pilot)
        await counted.press("exclamation_mark")
        await until(pilot, lambda: isinstance(app.screen, ProvisionScreen))
        await shows(pilot, "mailbox store [DB01] is offline")
        assert counted.keys == RED_KEYS
        await counted.press("p")
        await shows(pilot, "» Queued")
        assert counted.keys - RED_KEYS <= AGAIN_KEYS
