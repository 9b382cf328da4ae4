"""The base screen and the widgets through their keys: focus, memory, questions, help, lists, fields, folds."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from textual.css.query import NoMatches
from textual.pilot import Pilot

from mission_control_tui.console.base_app import MissionControlApp
from mission_control_tui.keys import keymap
from mission_control_tui.model.errors import Conflict
from mission_control_tui.model.states import Light
from mission_control_tui.widgets.action_button import ActionButton
from mission_control_tui.widgets.bars import ConfirmBar
from mission_control_tui.widgets.field import ChoiceField, Field
from mission_control_tui.widgets.find_box import FindBox
from mission_control_tui.widgets.fold import ServicePanel
from mission_control_tui.widgets.level_picker import LevelPicker
from mission_control_tui.widgets.line_list import LineList
from mission_control_tui.widgets.overlays import HelpLines
from mission_control_tui.widgets.status_lines import KeyLine, TopInfo
from tests.screens.demo import FormDemo, HomeDemo, PanelsDemo, UsersDemo, make_app
from tests.screens.driving import at_both_sizes


def text_of(app: MissionControlApp) -> str:
    """What is on the screen."""
    strips = app.screen._compositor.render_strips()
    return "\n".join(strip.text.rstrip() for strip in strips)


async def settled(pilot: Pilot[int], done: Callable[[], object]) -> None:
    """Wait until `done` is true."""
    for _ in range(500):
        with suppress(NoMatches):
            if done():
                return
        await pilot.pause(0.01)
    raise AssertionError("never so")


@at_both_sizes
@pytest.mark.parametrize("screen", ["home", "users", "form", "panels"])
async def test_hints_fit_and_are_never_more_than_seven(screen: str, size: tuple[int, int]) -> None:
    app = make_app(first=screen)
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        for _ in range(12):
            keys = app.screen.query_one(KeyLine)
            assert 1 < len(keys.hints) <= 7
            assert sum(len(k) + len(label) + 3 for k, label in keys.hints) - 2 <= size[0]
            await pilot.press("tab")


async def test_letters_are_text_in_a_field_and_verbs_outside() -> None:
    app = make_app()
    async with app.run_test() as pilot:
        await pilot.press("n")
        await settled(pilot, lambda: isinstance(app.screen, FormDemo))
        await pilot.press("n", "b", "question_mark", "q")
        assert app.screen.query_one("#upn", Field).value == "nb?q"
        await pilot.press("f1")
        await settled(pilot, lambda: app.screen.query(HelpLines))
        await pilot.press("escape")
        await settled(pilot, lambda: not app.screen.query(HelpLines))
        assert app.focused is app.screen.query_one("#upn", Field).input


async def test_escape_leaves_the_field_and_then_the_screen() -> None:
    app = make_app()
    async with app.run_test() as pilot:
        await pilot.press("n")
        await settled(pilot, lambda: isinstance(app.screen, FormDemo))
        await pilot.press("escape")
        assert app.screen.query("#upn")
        assert not getattr(app.focused, "is_field", False)
        await pilot.press("escape")
        await settled(pilot, lambda: app.screen.query("#services"))
        await pilot.press("escape")
        assert isinstance(app.screen, HomeDemo)


async def test_enter_in_a_field_goes_on_and_never_submits() -> None:
    app = make_app(first="form")
    async with app.run_test() as pilot:
        await pilot.press(*["enter"] * 6)
        assert app.screen.query_one("#upn", Field).error == ""
        await pilot.press("f2")
        assert app.screen.query_one("#upn", Field).error == "is needed"


async def test_error_beside_a_field_loses_nothing_typed() -> None:
    app = make_app(first="form")
    async with app.run_test() as pilot:
        await pilot.press(*"jo")
        await settled(pilot, lambda: app.screen.query_one("#upn", Field).error)
        assert "taken by" in text_of(app)
        assert app.screen.query_one("#upn", Field).value == "jo"
        await pilot.press("2")
        await settled(pilot, lambda: not app.screen.query_one("#upn", Field).error)
        assert app.screen.query_one("#upn", Field).value == "jo2"


async def test_what_was_typed_is_there_when_one_comes_back_but_no_password() -> None:
    app = make_app()
    async with app.run_test() as pilot:
        await pilot.press("n")
        await settled(pilot, lambda: isinstance(app.screen, FormDemo))
        app.screen.query_one("#password", Field).value = "hunter2"
        await pilot.press(*"jo", "tab", *"Kim")
        await pilot.press("escape", "escape")
        await settled(pilot, lambda: isinstance(app.screen, HomeDemo))
        assert "hunter2" not in str(app.memory)
        await pilot.press("n")
        await settled(pilot, lambda: isinstance(app.screen, FormDemo))
        await settled(pilot, lambda: app.screen.query_one("#first", Field).value == "Kim")
        assert app.screen.query_one("#upn", Field).value == "jo"
        assert app.screen.query_one("#password", Field).value == ""


async def test_cursor_filter_and_panels_are_remembered() -> None:
    app = make_app()
    async with app.run_test() as pilot:
        app.follow_link("users")
        await settled(pilot, lambda: isinstance(app.screen, UsersDemo))
        await settled(pilot, lambda: any(rows.known for rows in app.screen.query(LineList)))
        await pilot.press("1", "tab", "down", "down")
        await settled(pilot, lambda: app.screen.query_one(LineList).count == 271)
        await pilot.press("down", "down")
        where = app.screen.query_one(LineList).cursor
        app.follow_link("panels")
        await settled(pilot, lambda: isinstance(app.screen, PanelsDemo))
        await pilot.press("enter")
        await settled(pilot, lambda: app.screen.query(LevelPicker))
        app.follow_link("users")
        await settled(pilot, lambda: isinstance(app.screen, UsersDemo))
        await settled(pilot, lambda: app.screen.query_one(FindBox).text == "1")
        await settled(pilot, lambda: app.screen.query_one(LineList).cursor == where)
        app.follow_link("panels")
        await settled(pilot, lambda: isinstance(app.screen, PanelsDemo))
        await settled(pilot, lambda: app.screen.query_one("#exchange", ServicePanel).is_open)


@pytest.mark.parametrize(
    ("keys", "answer"),
    [
        (["enter"], "Nothing was changed"),
        (["escape"], "Nothing was changed"),
        (["n"], "Nothing was changed"),
        (["y"], "Queued"),
        (["right", "enter"], "Queued"),
        (["tab", "tab", "enter"], "Nothing was changed"),
    ],
)
async def test_questions_default_to_no(keys: list[str], answer: str) -> None:
    app = make_app(first="users")
    async with app.run_test() as pilot:
        await pilot.press("f2")
        await settled(pilot, lambda: app.screen.query(ConfirmBar))
        await settled(pilot, lambda: isinstance(app.focused, ConfirmBar))
        for key in ("b", "e"):
            await pilot.press(key)
            await settled(pilot, lambda: not app.is_behind)
        assert app.screen.query(ConfirmBar)
        await pilot.press(*keys)
        await settled(pilot, lambda: not app.screen.query(ConfirmBar))
        assert app.screen.announced == answer  # type: ignore[attr-defined]
        assert app.focused is app.screen.query_one(FindBox).input


async def test_list_keeps_its_row_when_others_change_the_rows() -> None:
    app = make_app(first="users")
    async with app.run_test() as pilot:
        rows = app.screen.query_one(LineList)
        await settled(pilot, lambda: rows.known)
        await pilot.press("tab", "end")
        await settled(pilot, lambda: rows.current is not None)
        assert rows.current is not None
        assert rows.current.key == UsersDemo.TOTAL - 1
        app.apply_changes(["user:3"])
        await pilot.pause(0.1)
        assert rows.current.key == UsersDemo.TOTAL - 1
        await pilot.press("home", "space", "space")
        assert rows.marks == {0, 1}
        app.screen.query_one(FindBox).input.value = "77"
        await settled(pilot, lambda: rows.count < 100)
        assert rows.marks == {0, 1}


async def test_panel_builds_its_content_when_first_opened() -> None:
    app = make_app(first="panels")
    async with app.run_test() as pilot:
        assert not app.screen.query(LevelPicker)
        await pilot.press("space")
        await settled(pilot, lambda: app.screen.query(LevelPicker))
        picker = app.screen.query_one(LevelPicker)
        await pilot.press("left")
        await settled(pilot, lambda: not app.screen.query_one("#exchange", ServicePanel).is_open)
        await pilot.press("right")
        await settled(pilot, lambda: app.screen.query_one("#exchange", ServicePanel).is_open)
        assert app.screen.query_one(LevelPicker) is picker


async def test_button_says_why_it_cannot_be_pressed_until_it_can() -> None:
    app = make_app(first="panels")
    async with app.run_test() as pilot:
        await pilot.press("enter")
        await settled(pilot, lambda: app.screen.query(LevelPicker))
        await settled(pilot, lambda: "( Provision )  choose a level" in text_of(app))
        await pilot.press("tab", "down", "space")
        await settled(pilot, lambda: not app.screen.query_one("#provision", ActionButton).reason)
        assert app.screen.query_one(LevelPicker).chosen == "popx"
        assert "[ Provision ]" in text_of(app)


async def test_choice_takes_its_first_letters() -> None:
    app = make_app(first="form")
    async with app.run_test() as pilot:
        choice = app.screen.query_one(ChoiceField)
        choice.focus()
        await pilot.pause()
        await pilot.press("a", "u")
        assert choice.value == "au"
        await pilot.press("right")
        assert choice.value == "nz"


async def test_light_changes_where_it_stands() -> None:
    app = make_app(first="panels")
    async with app.run_test() as pilot:
        app.screen.query_one("#databases", ServicePanel).light.set(Light.RED, "Error", "2 min")
        await pilot.pause()
        assert "× Error 2 min" in text_of(app)  # noqa: RUF001


async def test_top_line_says_where_one_is_and_what_is_wrong() -> None:
    app = make_app()
    async with app.run_test() as pilot:
        app.set_top(TopInfo("Acme", "fred", real=True, red=12, orange=0))
        await pilot.pause()
        top = text_of(app).splitlines()[0]
        assert top.startswith("mine: 0 orange 12 red  REAL  ")
        assert "REAL" in top
        assert top.endswith("Home")


async def test_errors_of_the_model_are_announced_and_do_not_end_it() -> None:
    class Failing(HomeDemo):
        async def load(self) -> None:
            raise Conflict("That [name] is taken", hint="choose another")

    app = make_app()
    async with app.run_test() as pilot:
        app.push_screen(Failing())
        await settled(pilot, lambda: isinstance(app.screen, Failing))
        await settled(pilot, lambda: "taken" in app.screen.announced)  # type: ignore[attr-defined]
        assert "That [name] is taken - choose another" in text_of(app)


def test_key_reference_is_current() -> None:
    path = Path(__file__).parents[3] / "docs" / "keys.md"
    assert path.read_text(encoding="utf-8") == keymap.markdown()


def test_no_key_means_two_things() -> None:
    keys = [key for verb in keymap.VERBS for key in (verb.key, verb.twin) if key]
    assert len(keys) == len(set(keys))


OF_ROWS = frozenset(
    {
        *("mark_range", "mark_all", "act", "retry_all", "sort"),
        *("like", "schedule", "history", "undo", "write", "connector"),
    }
)
"""Verbs on what the cursor of a list is on: a field never has the focus then, so they need no twin."""


def test_every_verb_of_the_screens_has_a_key_that_works_in_fields() -> None:
    for verb in keymap.VERBS:
        if len(verb.key) == 1:
            assert verb.twin or verb.id in OF_ROWS, verb.id
