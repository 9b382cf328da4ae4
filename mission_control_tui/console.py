"""The console as a command opens it: which screens there are, and how it starts. Textual is imported later."""

from __future__ import annotations

import gc
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from . import terminal

if TYPE_CHECKING:
    from .app import Link, MissionControlApp
    from .commanding import CommandLine
    from .settings import Settings

_SCREENS = "mission_control_tui.screens"
LINKS: tuple[Link, ...] = (
    ("home", "Home", f"{_SCREENS}.home:HomeScreen"),
    ("service-area", "Service Management Area", f"{_SCREENS}.service_area:ServiceAreaScreen"),
    ("users", "Users", f"{_SCREENS}.users:UsersScreen"),
    ("lights", "Lights", f"{_SCREENS}.lights:LightsScreen"),
    ("new-user", "New User", f"{_SCREENS}.new_user:NewUserScreen"),
    ("paste", "Paste a list of users", f"{_SCREENS}.paste:PasteScreen"),
    ("templates", "Templates", f"{_SCREENS}.templates:TemplatesScreen"),
    ("objects", "Groups and shared mailboxes", f"{_SCREENS}.objects:ObjectsScreen"),
    ("requests", "Requests", f"{_SCREENS}.requests:RequestsScreen"),
    ("bulks", "Bulk actions", f"{_SCREENS}.bulks:BulksScreen"),
    ("history", "History", f"{_SCREENS}.history:HistoryScreen"),
    ("orders", "Orders", f"{_SCREENS}.order:OrdersScreen"),
    ("account", "Account", f"{_SCREENS}.account:AccountScreen"),
    ("schedules", "Schedules", f"{_SCREENS}.schedules:SchedulesScreen"),
    ("drafts", "Drafts", f"{_SCREENS}.drafts:DraftsScreen"),
    ("bin", "Recycling bin", f"{_SCREENS}.bin:BinScreen"),
    ("find", "Find anyone", f"{_SCREENS}.find:FindScreen"),
    ("settings", "Settings", f"{_SCREENS}.settings:SettingsScreen"),
    ("switch", "Accounts", f"{_SCREENS}.accounts:SwitchScreen"),
)
"""What QUICK LINKS offers, Home first."""

PLACES: dict[str, str] = {
    **{name: place for name, _words, place in LINKS},
    "provision": f"{_SCREENS}.provision:ProvisionScreen",
    "user": f"{_SCREENS}.user:UserScreen",
    "object": f"{_SCREENS}.object:ObjectScreen",
    "bulk": f"{_SCREENS}.bulk:BulkScreen",
    "bulk-new": f"{_SCREENS}.bulk_new:BulkNewScreen",
    "request": f"{_SCREENS}.request:RequestScreen",
    "edit-user": f"{_SCREENS}.edit_user:EditUserScreen",
    "product": f"{_SCREENS}.product:ProductScreen",
    "buy": f"{_SCREENS}.buy:BuyScreen",
    "order": f"{_SCREENS}.order:OrderScreen",
}
"""Every screen by its name, as `module:Class`; what each takes is said in screens/context.py."""


def options_of(settings: Settings) -> terminal.Options:
    """What the settings say about the terminal; of the keymap what can be used."""
    console = settings.console
    keys: dict[str, str] = {}
    if console.keymap:
        from .own_keys import usable

        keys, _problems = usable(console.keymap)
    return terminal.Options(
        theme=console.theme,
        ascii=console.ascii or None,
        mouse=console.mouse,
        keys=keys,
        page_jump=console.page_jump,
    )


def open_console(
    settings: Settings,
    where: str,
    account: str | None,
    commands: CommandLine | None = None,
    *,
    stays: bool = False,
) -> int:
    """Run the console on the database at `where` and return the exit status.

    `account` is an id or code, None for the only one; `commands` is what can be typed in it. With `stays` a place in
    another account is not gone back to. Raises UsageError without a terminal.
    """
    # Collecting garbage while everything is imported costs a tenth of the time to the first frame.
    gc.disable()
    return terminal.start(
        options_of(settings),
        lambda options: make_app(settings, where, account, options, commands=commands, stays=stays),
    )


def make_app(
    settings: Settings,
    where: str,
    account: str | None,
    options: terminal.Options | None = None,
    *,
    wake: Callable[[Any], Awaitable[str]] | None = None,
    commands: CommandLine | None = None,
    stays: bool = False,
) -> MissionControlApp:
    """The application; nothing is opened yet. `wake` stands in for the starting of a worker."""
    from .model.context import Caller

    caller = replace(Caller.from_operating_system(source="console"), session=uuid4().hex)
    if settings.console.read_only:
        caller = replace(caller, may_write=False)
    from .console_app import ConsoleApp

    return ConsoleApp(settings, where, account, options, caller, wake, commands, stays=stays)
