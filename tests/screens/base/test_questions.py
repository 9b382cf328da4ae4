"""A question about what is taken away is answered by one key, pressed after it was shown; any other by the next key."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from textual.pilot import Pilot

from mission_control_tui.console.base_app import MissionControlApp
from mission_control_tui.model.operators import drafts
from mission_control_tui.model.recycle_bin.deletion import delete_user
from mission_control_tui.screens.base.mission_screen import MissionScreen
from mission_control_tui.terminal import key_queue
from mission_control_tui.widgets.line_list import LineList
from mission_control_tui.widgets.row_list import RowList
from tests.screens import world
from tests.screens.driving import answer, burst, shows, text_of, until
from tests.screens.users.driving import context_of, opened

TOO_EARLY = "Nothing was done: this was typed before the question was there"
A_PASTE = "Nothing was done: a paste is no answer: press one key"


async def a_draft(app: MissionControlApp, pilot: Pilot[int]) -> None:
    """A draft under the cursor."""
    content: dict[str, object] = {"arguments": [], "memory": {}}
    await drafts.save_draft(context_of(app).scope, "new-user", content, title="Mary Shelley")
    screen = app.screen
    assert isinstance(screen, MissionScreen)
    screen.reload()
    await shows(pilot, "> New User", "Mary Shelley")
    screen.query_one(RowList).focus()


def is_asked(app: MissionControlApp) -> bool:
    screen = app.screen
    return isinstance(screen, MissionScreen) and screen.prompts.is_asking


@pytest.mark.parametrize("early", [["y"], ["right", "enter"], ["enter", "delete", "y"]])
async def test_keys_typed_before_it_was_shown_are_no_answer(
    world_db: Path, early: list[str]
) -> None:
    async with opened(world_db, "drafts") as (app, pilot):
        await a_draft(app, pilot)
        await burst(app, pilot, ["delete", *early])
        await shows(pilot, "Throw away the draft of New User: Mary Shelley?", TOO_EARLY)
        assert is_asked(app)
        await answer(pilot, "y")
        await shows(pilot, "The draft is thrown away", "No drafts")


@pytest.mark.parametrize("typed", ["yes please", "https://acme.example/y", "y\n", "\ny", "yy"])
async def test_a_burst_of_characters_answers_nothing(world_db: Path, typed: str) -> None:
    async with opened(world_db, "drafts") as (app, pilot):
        await a_draft(app, pilot)
        await pilot.press("delete")
        await shows(pilot, "Throw away the draft")
        await answer(pilot)
        await burst(app, pilot, ["enter" if key == "\n" else key for key in typed])
        await shows(pilot, A_PASTE)
        assert is_asked(app)
        await answer(pilot, "n")
        await shows(pilot, "Nothing was changed", "Mary Shelley")


async def test_a_burst_that_comes_in_pieces_answers_nothing(
    world_db: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # On a busy machine the pieces come later than they are sent.
    monkeypatch.setattr(key_queue, "BURST", 2.0)
    monkeypatch.setattr(key_queue, "TOGETHER", 2.0)
    async with opened(world_db, "drafts") as (app, pilot):
        await a_draft(app, pilot)
        await pilot.press("delete")
        await shows(pilot, "Throw away the draft")
        await answer(pilot)
        for key in "yonyony":
            await burst(app, pilot, [key])
            await asyncio.sleep(0.03)
        await shows(pilot, A_PASTE)
        assert is_asked(app)
        assert "Mary Shelley" in text_of(app)


async def test_what_takes_nothing_away_is_answered_ahead(world_db: Path) -> None:
    async with opened(world_db, "bin") as (app, pilot):
        kim = await deleted(app)
        app.screen.reload()  # type: ignore[attr-defined]
        await shows(pilot, kim)
        app.screen.query_one(LineList).focus()
        await burst(app, pilot, ["enter", "y"])
        await shows(pilot, f"{kim} is back")


async def deleted(app: MissionControlApp) -> str:
    """The UPN of somebody in the recycling bin."""
    context = context_of(app)
    await world.person(context.store, context.account, "Kim", "Lee", "kim")
    await delete_user(context.scope, "kim@acme.example")
    return "kim@acme.example"


async def test_what_has_to_be_typed_has_to_be_typed_after_it_was_shown(world_db: Path) -> None:
    async with opened(world_db, "bin") as (app, pilot):
        kim = await deleted(app)
        app.screen.reload()  # type: ignore[attr-defined]
        await shows(pilot, kim)
        app.screen.query_one("#purge").focus()
        await burst(app, pilot, ["enter", *kim, "enter"])
        await shows(pilot, TOO_EARLY)
        assert is_asked(app)
        await answer(pilot, *kim, "enter")
        await until(pilot, lambda: not is_asked(app))
