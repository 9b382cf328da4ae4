"""The console as a whole: every screen can be reached, errors at the start are said, others' changes arrive."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from mission_control_tui import screens
from mission_control_tui.console.app import ConsoleApp
from mission_control_tui.console.start import make_app
from mission_control_tui.keys.keymap import VERBS
from mission_control_tui.model.accounts import editing as accounts
from mission_control_tui.model.catalogue.file.shipped import shipped
from mission_control_tui.model.installation import catalogue_update
from mission_control_tui.model.store.database import Store
from mission_control_tui.screens.accounts.switch import CHOOSE, AccountsScreen
from mission_control_tui.screens.base.base import BaseScreen
from mission_control_tui.screens.base.context import NO_WORKER
from mission_control_tui.screens.base.find_list import HOW
from mission_control_tui.screens.base.key_gate import LEADS_AWAY
from mission_control_tui.screens.base.mission_screen import IN_THE_BOX, MissionScreen
from mission_control_tui.screens.registry import LINKS, screen_class
from mission_control_tui.screens.services.provision import ProvisionScreen
from mission_control_tui.settings.settings import Settings
from mission_control_tui.widgets.find_box import FindBox
from mission_control_tui.widgets.line_list import LineList
from mission_control_tui.widgets.status_lines import TopLine
from tests.screens import world
from tests.screens.driving import answer, burst, console, shows, text_of, type_text, until
from tests.screens.places import PLACES
from tests.screens.users.driving import opened
from tests.support import share


@pytest.mark.parametrize("name", sorted(PLACES))
def test_every_screen_is_where_it_is_said_to_be(name: str) -> None:
    found = screen_class(name)
    assert found is PLACES[name]
    assert "MEMORY_NAME" in vars(found)
    assert PLACES[name].HEADING == dict(LINKS).get(name, PLACES[name].HEADING) != ""
    assert PLACES[name].ABOUT


@pytest.mark.parametrize("name", sorted(PLACES))
def test_two_classes_stand_under_a_screen(name: str) -> None:
    """What several screens share beside these are objects that they own."""
    own = [cls for cls in PLACES[name].__mro__ if cls.__module__.startswith("mission_control_tui.")]
    assert own == [PLACES[name], MissionScreen, BaseScreen]


def test_no_two_modules_of_screens_are_called_alike() -> None:
    files = [path.stem for path in Path(screens.__path__[0]).rglob("*.py")]
    assert [name for name in PLACES if files.count(name.replace("-", "_")) != 1] == []


@pytest.mark.parametrize("name", ["", "nowhere", "rows", "../home", "base", "accounts"])
def test_what_is_no_screen_is_said_to_be_none(name: str) -> None:
    with pytest.raises(KeyError):
        screen_class(name)


@pytest.mark.proof
async def test_quick_links_open_every_screen_and_escape_leads_home(world_db: Path) -> None:
    async with console(world_db) as (app, pilot):
        for place, (name, words) in enumerate(LINKS):
            await pilot.press("g")
            await shows(pilot, "QUICK LINKS", words)
            assert "n New" not in text_of(app).splitlines()[-1]
            await burst(app, pilot, ["down"] * place)
            await pilot.press("enter")
            heading = "Home" if name == "home" else words
            await titled(pilot, heading)
            for _ in range(4):
                if len(app.screen_stack) > 1:
                    await pilot.press("escape")
                    await pilot.pause()
            await titled(pilot, "Home")


async def titled(pilot: Pilot[int], heading: str) -> None:
    """Wait for the screen with this heading."""
    await until(pilot, lambda: pilot.app.screen.query_one(TopLine).title == heading)


@pytest.mark.parametrize("key", ["tab", "shift+tab"])
async def test_tab_does_not_go_behind_quick_links(world_db: Path, key: str) -> None:
    async with console(world_db) as (app, pilot):
        await pilot.press("g", key, "home", "down", "enter")
        await until(pilot, lambda: app.screen.query_one(TopLine).title == "Service Management Area")


OF_THE_CONSOLE = {"back", "help", "quit", "redraw", *LEADS_AWAY}
OF_WIDGETS = {"open", "mark", "up", "down", "pageup", "pagedown", "home", "end", "right", "left"}


@pytest.mark.parametrize("opens", ["question_mark", pytest.param("g", marks=pytest.mark.proof)])
async def test_no_key_acts_on_the_screen_behind_an_overlay(world_db: Path, opens: str) -> None:
    verbs = [one for one in VERBS if one.id not in OF_THE_CONSOLE | OF_WIDGETS]
    async with opened(world_db, "provision", "alan") as (app, pilot):
        await shows(pilot, "• Provisioned")
        await pilot.press("enter", "up", "space")
        await shows(pilot, "(•) Standard Mail (POPX)")
        assert isinstance(app.screen, ProvisionScreen)
        screen: ProvisionScreen = app.screen
        focused, before = app.focused, text_of(app)
        keys = [key for verb in verbs for key in (verb.key, verb.twin) if key]
        for key in keys[: share(len(keys))]:
            await pilot.press(opens)
            await until(pilot, lambda: screen.prompts.overlay is not None)
            await pilot.press(key)
            assert screen.prompts.overlay is not None, key
            assert not screen.prompts.is_asking, key
            assert len(app.screen_stack) == 2, key
            await pilot.press("escape")
            await until(pilot, lambda: screen.prompts.overlay is None)
        assert app.focused is focused
        assert text_of(app) == before


NOT_OF_HELP = ("g", "exclamation_mark", "o", "colon", "slash", "t", "p", "f2", "tab", "enter")


async def test_help_is_closed_by_its_own_keys_alone(world_db: Path) -> None:
    async with console(world_db) as (app, pilot):
        home = app.screen
        for key in NOT_OF_HELP:
            await pilot.press("question_mark")
            await shows(pilot, "Esc Back  ? Help")
            assert "Enter" not in text_of(app).splitlines()[-1]
            await pilot.press(key)
            await shows(pilot, "Keys (the second one works in fields too)")
            assert app.screen is home
            await pilot.press("f1")
            await until(pilot, lambda: "Keys (the second one" not in text_of(app))
            assert "Esc closes this first" not in text_of(app)


@pytest.mark.parametrize(("key", "shown"), [("slash", "15 changes"), ("t", "Ticket:")])
async def test_the_next_ticket_and_anyone_are_there_over_a_copied_text(
    world_db: Path, key: str, shown: str
) -> None:
    async with opened(world_db, "history") as (app, pilot):
        await shows(pilot, "15 changes")
        app.screen.query_one(LineList).focus()
        await answer(pilot, "y")
        await shows(pilot, "Copied. Esc goes back")
        await pilot.press(key)
        await shows(pilot, shown)
        assert app.screen.prompts.overlay is None  # type: ignore[attr-defined]


@pytest.mark.parametrize(("key", "text"), [("slash", "simps"), ("o", "glo")])
async def test_find_over_quick_links_leads_back_into_the_box(
    world_db: Path, key: str, text: str
) -> None:
    async with console(world_db) as (app, pilot):
        await pilot.press(key)
        await until(pilot, lambda: len(app.screen_stack) == 2)
        await type_text(pilot, text)
        await pilot.press("f9", "f3")
        await until(pilot, lambda: not app.is_behind)
        assert len(app.screen_stack) == 2
        assert app.screen.query_one(FindBox).text == text
        assert app.screen.query_one(FindBox).has_focus_within


async def test_a_link_opens_one_screen_from_settings_too(
    world_db: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(world_db, "settings") as (app, pilot):
        made: list[str] = []
        make = app.make_screen

        def noting(name: str, *arguments: Any, **named: Any) -> Any:
            made.append(name)
            return make(name, *arguments, **named)

        monkeypatch.setattr(app, "make_screen", noting)
        await pilot.press("f9", "u", "s", "enter")
        await until(pilot, lambda: app.screen.query_one(TopLine).title == "Users")
        assert made == ["users"]


async def test_a_verb_closes_quick_links_before_it_acts(world_db: Path) -> None:
    async with console(world_db) as (app, pilot):
        home = app.screen
        await pilot.press("g", "exclamation_mark")
        await shows(pilot, "grace@acme.example")
        await pilot.press("escape", "escape")
        await until(pilot, lambda: app.screen is home)
        await until(pilot, lambda: "QUICK LINKS" not in text_of(app))


async def test_one_key_leads_to_the_newest_red_light_from_any_screen(world_db: Path) -> None:
    async with console(world_db) as (app, pilot):
        await pilot.press("g", "end", "enter")
        await until(pilot, lambda: app.screen.query_one(TopLine).title == LINKS[-1][1])
        await pilot.press("f8")
        await shows(pilot, "grace@acme.example", "mailbox store [DB01] is offline")
        await pilot.press("f8")
        await shows(pilot, "grace@acme.example")
        assert len(app.screen_stack) == 3


async def test_nothing_red_is_said_until_the_next_key(new_db: Path) -> None:
    async with console(new_db) as (app, pilot):
        await pilot.press("exclamation_mark")
        await shows(pilot, "Nothing is red")
        await pilot.press("exclamation_mark")
        await shows(pilot, "Nothing is red")
        await pilot.press("down")
        await until(pilot, lambda: "Nothing is red" not in text_of(app))


async def test_what_was_done_is_said_until_one_goes_elsewhere(world_db: Path) -> None:
    async with console(world_db) as (app, pilot):
        await pilot.press("t", *"T-9", "enter")
        said = "Every change carries ticket T-9"
        await shows(pilot, said)
        await pilot.press("down")
        await shows(pilot, said)
        await pilot.press("n")
        await shows(pilot, "First Names")
        await pilot.press("escape", "escape")
        await shows(pilot, "All Users")
        assert said not in text_of(app)


async def test_how_to_find_is_said_all_the_while(world_db: Path) -> None:
    async with console(world_db) as (app, pilot):
        await pilot.press("slash", *"grace")
        await shows(pilot, "Grace Hopper")
        assert HOW in text_of(app)


async def test_an_account_that_is_not_there_is_said_and_the_console_can_be_left(
    new_db: Path,
) -> None:
    app = ConsoleApp(Settings(), str(new_db), "nobody", None, world.CALLER, world.no_wake)
    async with app.run_test() as pilot:
        await shows(pilot, "There is no account 'nobody'.", "acme")
        await pilot.press("right", "escape", "exclamation_mark", "escape", "f10")
    assert app.return_code == 0


async def test_a_database_that_cannot_be_opened_is_said(tmp_path: Path) -> None:
    path = tmp_path / "broken.db"
    path.write_text("this is no database")
    app = make_app(Settings(), str(path), None, wake=world.no_wake)
    async with app.run_test() as pilot:
        home = app.screen
        assert isinstance(home, BaseScreen)
        await until(pilot, lambda: home.announced)
        home.announce("")
        await pilot.press("exclamation_mark")
        await until(pilot, lambda: "broken.db" in home.announced)
        assert not app.is_open


async def test_a_read_only_console_says_so_and_buys_nothing(new_db: Path) -> None:
    caller = replace(world.CALLER, may_write=False)
    app = ConsoleApp(Settings(), str(new_db), None, None, caller, world.no_wake)
    async with app.run_test() as pilot:
        await shows(pilot, "READ-ONLY", "This month  AUD")
        await pilot.press("enter")
        await shows(pilot, "BUY EMAIL")
        await pilot.press("space", "enter")
        await shows(pilot, "Step 1 of 2")
        await pilot.press("f7")
        await shows(pilot, "This session is read-only")


async def test_a_new_catalogue_is_in_force_without_a_restart(world_db: Path) -> None:
    async with console(world_db) as (_app, pilot):
        text = shipped().replace('name = "Web Hosting"', 'name = "Web Sites"')
        other = await Store.open(world_db)
        await catalogue_update.load(other, world.CALLER, text, "renamed.toml")
        await other.close()
        await shows(pilot, "Web Sites")


@pytest.mark.parametrize("answer", sorted(NO_WORKER))
async def test_orange_lights_that_nobody_works_on_say_what_to_do(
    world_db: Path, answer: str
) -> None:
    async def wake(_store: Any) -> str:
        return answer

    app = ConsoleApp(Settings(), str(world_db), None, None, world.CALLER, wake)
    async with app.run_test(size=(120, 40)) as pilot:
        await shows(pilot, "No worker runs")
        assert "» Queued jo" in text_of(app)


async def test_a_connector_that_is_no_simulator_is_called_real(world_db: Path) -> None:
    settings = Settings(services={"databases": "pg"}, connectors={"pg": {"type": "postgresql"}})
    app = ConsoleApp(settings, str(world_db), None, None, world.CALLER, world.no_wake)
    async with app.run_test() as pilot:
        await shows(pilot, "REAL", "This month  AUD")
        assert "SIMULATOR" not in text_of(app)


async def test_several_accounts_are_offered_and_the_chosen_one_is_opened(world_db: Path) -> None:
    store = await Store.open(world_db)
    await accounts.create_account(store, world.CALLER, name="[b] Other", code="other", domains=[])
    await store.close()
    app = world.make_app(world_db)
    async with app.run_test() as pilot:
        await shows(
            pilot,
            "Which account do you want to work on? Type, Down, Enter",
            "Acme Pty Ltd",
            "[b] Other",
        )
        await pilot.press("escape", "escape")
        await shows(pilot, CHOOSE)
        screen = app.screen
        assert isinstance(screen, AccountsScreen)
        for key in ("f8", "f9", "f3", "slash", "ctrl+o", "ctrl+g", "ctrl+r", "f11"):
            await pilot.press(key)
            await until(pilot, lambda: screen.announced in (CHOOSE, IN_THE_BOX))
            screen.announce("")
        assert "F9" not in text_of(app)
        await pilot.press("down", "a", "n", "colon", "escape", "slash")
        assert isinstance(app.screen, AccountsScreen)
        assert app.screen.console.accounts.caller.may_write
        await pilot.press("down", "down", "enter")
        await shows(pilot, "This month  AUD", "Next: buy Email")
        await until(pilot, lambda: app.top_info.account == "[b] Other")


async def test_first_letters_find_a_quick_link(world_db: Path) -> None:
    """A word's beginning counts, the name's own before others'; what begins nothing begins anew from there."""
    headings = {
        "rec": "Recycling bin",
        "re": "Requests",
        "u": "Users",
        "nu": "Users",
        "bin": "Recycling bin",
        "ss": "Schedules",
        "sh": "Groups and shared mailboxes",
    }
    async with console(world_db) as (app, pilot):
        for typed, heading in headings.items():
            await pilot.press("f9")
            await shows(pilot, "QUICK LINKS")
            await pilot.press(*typed, "enter")
            await titled(pilot, heading)
            app.follow_link("home")
            await titled(pilot, "Home")


async def test_a_letter_that_begins_no_quick_link_is_the_verb(world_db: Path) -> None:
    async with console(world_db) as (app, pilot):
        await pilot.press("g", "q")
        await until(pilot, lambda: app.return_code == 0)
