"""`settings`: what holds and where it comes from; changing the settings file one setting at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from mission_control_tui.cli.common.options import reads
from mission_control_tui.cli.common.output import say, table
from mission_control_tui.cli.common.parameters import argument
from mission_control_tui.cli.common.session import Session
from mission_control_tui.model.text.differences import value_text
from mission_control_tui.model.text.limits import WHOLE

if TYPE_CHECKING:
    from mission_control_tui.settings.file import SettingsFile


@click.group()
def settings() -> None:
    """Settings: show what holds and why, set, unset."""


@settings.command()
@argument("key", required=False)
@reads("mission-control settings show console.theme")
def show(session: Session, key: str | None) -> None:
    """Every setting, its value and where that comes from: the file, the environment, a flag, the default.

    A later one wins. Of a connector only the type is shown. KEY shows one setting, or one table such as worker.
    """
    from mission_control_tui.keys import custom_keys
    from mission_control_tui.model.errors import NotFound
    from mission_control_tui.settings.file import SettingsFile, in_force

    found = in_force({"database": session.database, "account": session.account})
    keymap = {
        setting.key.removeprefix(f"{custom_keys.WHERE}."): setting.value
        for setting in found
        if setting.key.startswith(custom_keys.WHERE)
    }
    problems = custom_keys.problems(keymap)
    if key is not None:
        found = [
            setting for setting in found if setting.key == key or setting.key.startswith(f"{key}.")
        ]
        if not found:
            raise NotFound(f"There is no setting {key!r}.", hint="Without KEY all are shown.")
    path = SettingsFile.read().path
    if session.printed({"file": str(path), "settings": found, "problems": problems}):
        return
    table(
        ("SETTING", "VALUE", "FROM"),
        [(setting.key, _value(setting.value), setting.origin) for setting in found],
    )
    say(f"The settings file is {path}.")
    for problem in problems:
        say(f"Left out: {problem}")


@settings.command("set")
@argument("key")
@argument("value", limit=WHOLE)
@reads(
    "mission-control settings set console.theme light",
    "mission-control settings set console.keymap.provision c",
)
def set_(session: Session, key: str, value: str) -> None:
    """Set KEY in the settings file to VALUE; comments and all else in the file stay.

    Keys are checked: none for two verbs, none that terminals keep for themselves.
    """
    from mission_control_tui.settings.file import SettingsFile, understand

    session.caller.require_write()
    understood = understand(key, value)
    file = SettingsFile.read()
    file.save({key: understood})
    _tell(session, file, key, understood)


@settings.command()
@argument("key")
@reads("mission-control settings unset console.theme")
def unset(session: Session, key: str) -> None:
    """Take KEY out of the settings file: its default holds again."""
    from mission_control_tui.model.errors import NotFound
    from mission_control_tui.settings.file import SettingsFile

    session.caller.require_write()
    file = SettingsFile.read()
    if not file.holds(key):
        raise NotFound(f"{file.path} does not set {key!r}.", hint="`settings show` says what does.")
    file.save({key: None})
    _tell(session, file, key, None)


def _tell(session: Session, file: SettingsFile, key: str, value: object) -> None:
    from mission_control_tui.settings.file import shown_database
    from mission_control_tui.settings.settings import environment

    path = file.path
    if key == "database" and value is not None:
        value = shown_database(str(value))
    overruled = key in environment()
    if session.printed({"file": str(path), "key": key, "value": value, "overruled": overruled}):
        return
    say(f"{key} is {_value(value)} in {path}." if value is not None else f"{key} is out of {path}.")
    if overruled:
        say("The environment sets it too, and wins.")


def _value(value: object) -> str:
    """Return a value as it can be typed again."""
    if isinstance(value, bool):
        return str(value).lower()
    return value_text(value) if value != "" else "(empty)"
