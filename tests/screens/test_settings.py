"""Settings: a form over the documented file; keys by pressing them, clashes in place, nothing typed is lost."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from textual.pilot import Pilot

from mission_control_tui.console.app import ConsoleApp
from mission_control_tui.console.base_app import MissionControlApp
from mission_control_tui.console.options import options_of
from mission_control_tui.screens.base.mission_screen import MissionScreen
from mission_control_tui.screens.settings import SettingsScreen
from mission_control_tui.settings import settings
from mission_control_tui.settings.file import SettingsFile
from mission_control_tui.settings.settings import load, locations
from mission_control_tui.widgets.bars import KeyBar
from mission_control_tui.widgets.line_list import LineList
from tests.screens.driving import console, shows, text_of, until
from tests.screens.users.driving import opened
from tests.screens.world import CALLER, no_wake

FIELDS = 6
TO_KEYS = ["tab"] * (FIELDS + 1)
TO_PROVISION = ["down"] * 4


def screen_of(app: MissionControlApp) -> SettingsScreen:
    screen = app.screen
    assert isinstance(screen, SettingsScreen)
    return screen


async def ready(app: MissionControlApp, pilot: Pilot[int]) -> None:
    await shows(pilot, "Kept in", "What it does")


async def test_a_choice_is_saved_and_holds_at_once(world_db: Path) -> None:
    async with opened(world_db, "settings") as (app, pilot):
        await ready(app, pilot)
        await shows(pilot, "nothing is changed")
        await pilot.press("right", "right", "tab", "space", "tab", "tab", "tab", "end")
        await pilot.press("backspace", "3", "escape", "enter")
        await shows(pilot, "Saved in", "nothing is changed")
        console_settings = load().console
        assert (console_settings.theme, console_settings.ascii) == ("light", True)
        assert console_settings.page_jump == 3
        assert not console_settings.mouse
        assert app.theme.startswith("light")
        assert [type(one).__name__ for one in app.get_line_filters()].count("AsciiFilter") == 1
        assert not screen_of(app).unfinished


async def test_what_it_says_of_moving_changing_saving_and_leaving_is_so(world_db: Path) -> None:
    async with opened(world_db, "settings") as (app, pilot):
        await shows(
            pilot, "Tab goes on, Space and arrows change it; Esc then w saves, Esc Esc leaves."
        )
        assert "Del Default" not in text_of(app)
        await pilot.press("right", "tab", "space", "escape", "w")
        await shows(pilot, "Saved in")
        assert (load().console.theme, load().console.ascii) == ("dark", True)
        await pilot.press("shift+tab")
        await shows(pilot, "Esc Leave field")
        await pilot.press("escape", "escape")
        await until(pilot, lambda: not isinstance(app.screen, SettingsScreen))


async def test_a_page_key_moves_as_many_rows_as_chosen(world_db: Path) -> None:
    SettingsFile.read().save({"console.page_jump": 2})
    app = ConsoleApp(load(), str(world_db), None, options_of(load()), CALLER, no_wake)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: app.is_open)
        screen = app.screen
        assert isinstance(screen, MissionScreen)
        screen.go_to("users")
        await until(
            pilot, lambda: app.screen.query(LineList) and app.screen.query_one(LineList).known
        )
        rows = app.screen.query_one(LineList)
        rows.focus()
        await pilot.press("pagedown")
        await until(pilot, lambda: rows.cursor == 2)
        await pilot.press("pageup")
        await until(pilot, lambda: rows.cursor == 0)
        app.accounts.change_settings(load_with(page_jump=0))
        await pilot.press("pagedown")
        await until(pilot, lambda: rows.cursor == rows.count - 1 == 3)


def load_with(**console_settings: object) -> settings.Settings:
    """The settings as they are, some of the console's replaced."""
    now = load()
    return msgspec.structs.replace(
        now, console=msgspec.structs.replace(now.console, **console_settings)
    )


async def test_a_new_key_is_pressed_a_clash_is_said_in_place_and_the_key_works(
    world_db: Path,
) -> None:
    async with opened(world_db, "settings") as (app, pilot):
        await ready(app, pilot)
        await pilot.press(*TO_KEYS, *TO_PROVISION, "enter")
        await shows(pilot, "Press the new key for Provision.")
        await pilot.press("e")
        await shows(pilot, "e would be both Provision (provision) and Edit (edit)")
        await pilot.press("ctrl+b")
        await shows(pilot, "tmux's own key")
        await pilot.press("c")
        await until(pilot, lambda: not app.screen.query(KeyBar))
        await shows(pilot, "Provision is c; w saves it", "own")
        assert screen_of(app).unfinished
        await pilot.press("w")
        await shows(pilot, "Saved in")
        assert load().console.keymap == {"provision": "c,f2"}
        screen_of(app).go_to("new-user")
        await until(pilot, lambda: type(app.screen).__name__ == "NewUserScreen")
        await shows(pilot, "F2 Provision")
        await pilot.press("c")
        assert "not fit" not in text_of(app)


async def test_delete_gives_back_the_default_and_escape_gives_up(world_db: Path) -> None:
    SettingsFile.read().save({"console.keymap.provision": "c"})
    async with opened(world_db, "settings") as (app, pilot):
        await ready(app, pilot)
        await shows(pilot, "own")
        await pilot.press(*TO_KEYS, *TO_PROVISION, "enter")
        await shows(pilot, "Press the new key")
        await pilot.press("escape")
        await shows(pilot, "The key stays")
        await pilot.press("delete", "w")
        await shows(pilot, "Saved in")
        assert load().console.keymap == {}


async def test_what_is_typed_is_kept_by_escape_and_not_in_the_file(world_db: Path) -> None:
    async with console(world_db) as (app, pilot):
        app.follow_link("settings")
        await ready(app, pilot)
        await pilot.press("right", *TO_KEYS, *TO_PROVISION, "enter", "c")
        await until(pilot, lambda: screen_of(app).unfinished)
        await pilot.press("escape")
        await until(pilot, lambda: not isinstance(app.screen, SettingsScreen))
        app.follow_link("settings")
        await ready(app, pilot)
        await shows(pilot, "dark background", "own")
        assert screen_of(app).unfinished
        assert not locations().settings_file.exists()


async def test_a_wrong_number_is_said_beside_the_field_and_nothing_is_saved(
    world_db: Path,
) -> None:
    async with opened(world_db, "settings") as (app, pilot):
        await ready(app, pilot)
        await pilot.press(*["tab"] * 5, "end", "backspace", "backspace", "0", "escape", "enter")
        await shows(pilot, "a number from 1", "Nothing was saved")
        assert not locations().settings_file.exists()


async def test_somebody_elses_change_of_the_file_is_not_lost(world_db: Path) -> None:
    SettingsFile.read().save({"console.theme": "light"})
    async with opened(world_db, "settings") as (app, pilot):
        await ready(app, pilot)
        await pilot.press("tab", "space", "escape")
        SettingsFile.read().save({"console.theme": "dark-16"})
        screen_of(app).action_verb("write")  # at once: a reading in between would see the change
        await shows(pilot, "meanwhile. Yours is kept; save again")
        await shows(pilot, "dark background, sixteen colours")
        assert not load().console.ascii
        await pilot.press("w")
        await shows(pilot, "Saved in")
        assert (load().console.theme, load().console.ascii) == ("dark-16", True)


async def test_a_file_that_is_no_toml_is_said_and_left_alone(world_db: Path) -> None:
    path = locations().settings_file
    path.parent.mkdir(parents=True)
    path.write_text("[console\n", encoding="utf-8")
    async with opened(world_db, "settings") as (_app, pilot):
        await shows(pilot, "not valid TOML")
        await pilot.press("right", "escape", "w")
        assert path.read_text(encoding="utf-8") == "[console\n"


async def test_the_environment_is_said_to_win(
    world_db: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MISSION_CONTROL_CONSOLE__THEME", "dark")
    async with opened(world_db, "settings") as (_app, pilot):
        await shows(pilot, "The environment sets console.theme and wins over the file.")


async def test_a_read_only_console_saves_nothing(world_db: Path) -> None:
    async with opened(world_db, "settings") as (app, pilot):
        await ready(app, pilot)
        await pilot.press("right", *TO_KEYS, "a", "w")
        await shows(pilot, "read-only")
        assert not locations().settings_file.exists()


async def test_a_bad_keymap_never_keeps_the_console_from_starting(world_db: Path) -> None:
    path = locations().settings_file
    path.parent.mkdir(parents=True)
    path.write_text('[console.keymap]\nprovision = "e"\nfind = 5\nsort = "c"\n', encoding="utf-8")
    chosen = load()
    app = ConsoleApp(chosen, str(world_db), None, options_of(chosen), CALLER, no_wake)
    async with app.run_test(size=(80, 24)) as pilot:
        await shows(pilot, "console.keymap.", "(and 1 more)")
        assert app.keys == {"sort": "c"}


async def test_an_own_letter_is_text_in_fields_and_no_verb(world_db: Path) -> None:
    SettingsFile.read().save({"console.keymap.write": "c", "console.keymap.help": "k"})
    app = ConsoleApp(load(), str(world_db), None, options_of(load()), CALLER, no_wake)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: app.is_open)
        app.follow_link("settings")
        await ready(app, pilot)
        await pilot.press("c", "k", "tab", "c", "k", *["tab"] * 4, "end", "backspace", "c")
        await shows(pilot, "[2c")
        assert "Nothing is changed" not in text_of(app)
        await pilot.press("escape", "c")
        await shows(pilot, "a number from 1")
        await pilot.press("escape", "k")
        await shows(pilot, "Your own choices")
