"""Keys that come faster than screens are read are kept, and go where they would have gone had one waited."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
from textual import events

from mission_control_tui.model.errors import Conflict
from mission_control_tui.model.services import lights
from mission_control_tui.screens.base.loading import Loader
from mission_control_tui.screens.orders.buy import BuyScreen
from mission_control_tui.screens.services.provision import ProvisionScreen
from mission_control_tui.terminal import key_queue
from mission_control_tui.widgets.field import Field
from tests.screens.driving import answer, burst, shows, until
from tests.screens.services.test_provision import view_of
from tests.screens.users.driving import opened, user_id

SLOW = 0.4
"""Seconds that a reading takes here: more than any burst of keys."""


@pytest.fixture
def slow_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every screen is read slowly, as from a far and busy database."""
    read = Loader._read

    async def slowly(loader: Loader) -> None:
        await asyncio.sleep(SLOW)
        await read(loader)

    monkeypatch.setattr(Loader, "_read", slowly)


async def test_what_is_typed_before_the_panels_are_there_asks_all_the_same(
    world_db: Path, slow_reading: None
) -> None:
    async with opened(world_db, "users") as (app, pilot):
        await shows(pilot, "Jo [b]Bloggs[/]")
        user = await user_id(app.store, "ada")
        app.screen.go_to("provision", user)  # type: ignore[attr-defined]
        await burst(app, pilot, ["enter", "up", " ", "p", "right", "enter"])
        await shows(pilot, "Nothing was done: this was typed before the question was there")
        assert (await view_of(app, "ada@acme.example")).level_id == "pc-web"
        await answer(pilot, "right", "enter")
        await shows(pilot, "» Queued", "Asked for: Managed Exchange")
        assert (await view_of(app, "ada@acme.example")).level_id == "popx"


async def test_a_whole_way_typed_at_once_goes_from_screen_to_screen(
    world_db: Path, slow_reading: None
) -> None:
    async with opened(world_db, "home") as (app, pilot):
        await burst(app, pilot, ["g", "down", "down", "enter", "down", "enter", "enter", "enter"])
        await until(pilot, lambda: isinstance(app.screen, ProvisionScreen))
        await shows(pilot, "Alan Turing", "(•) Managed Exchange - PC & Web Access")


async def test_keys_after_one_that_asks_the_database_wait_for_its_answer(
    world_db: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    guard = Loader.guard

    async def slowly(loader: Loader, work: Coroutine[Any, Any, object]) -> None:
        await asyncio.sleep(SLOW)
        await guard(loader, work)

    monkeypatch.setattr(Loader, "guard", slowly)
    async with opened(world_db, "users") as (app, pilot):
        users = app.screen
        await shows(pilot, "Grace Hopper")
        await burst(app, pilot, ["!", "escape", "escape"])
        await until(pilot, lambda: app.screen is not users)
        await until(pilot, lambda: app.screen is users)


async def never(*_where: object, **_what: object) -> None:
    """A database that does not answer."""
    await asyncio.sleep(3600)


async def fails(*_where: object, **_what: object) -> None:
    """A database that refuses."""
    raise Conflict("The database is elsewhere.")


@pytest.mark.parametrize("broken", [never, fails])
async def test_a_reading_that_fails_or_hangs_does_not_hold_the_keys_for_ever(
    world_db: Path, monkeypatch: pytest.MonkeyPatch, broken: Callable[..., object]
) -> None:
    async with opened(world_db, "users") as (app, pilot):
        users = app.screen
        await shows(pilot, "Grace Hopper")
        user = await user_id(app.store, "ada")
        with monkeypatch.context() as patch:
            patch.setattr(lights, "status", broken)
            app.screen.go_to("provision", user)  # type: ignore[attr-defined]
            await burst(app, pilot, ["escape"])
            await until(pilot, lambda: app.screen is users)


@pytest.mark.proof
async def test_keys_that_waited_too_long_are_refused_together_and_one_can_leave(
    world_db: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(world_db, "users") as (app, pilot):
        await shows(pilot, "Grace Hopper")
        app.screen.do(never())  # type: ignore[attr-defined]
        monkeypatch.setattr(key_queue, "HOLDS", 3.0)
        for number in range(10):  # as if they had been typed before, each by itself
            key = events.Key("down", None)
            key.time = monotonic() - 20 + number
            key.set_sender(app)
            app.post_message(key)
        await pilot.press("q")
        await until(pilot, lambda: app.return_code == 0)


async def test_a_question_whose_work_hangs_is_given_up(
    world_db: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(key_queue, "HOLDS", 0.3)
    async with opened(world_db, "users") as (app, pilot):
        await shows(pilot, "Grace Hopper")
        prompts = app.screen.prompts  # type: ignore[attr-defined]
        prompts.ask(["Which one?"], "One", never)
        await answer(pilot, "1", "enter")
        await pilot.press("escape")
        await until(pilot, lambda: not prompts.is_asking)


async def test_what_is_typed_as_a_step_comes_is_for_its_first_field(new_db: Path) -> None:
    async with opened(new_db, "buy", "domain-names") as (app, pilot):
        screen = app.screen
        assert isinstance(screen, BuyScreen)
        await until(pilot, lambda: screen.in_field)
        await burst(app, pilot, "new")
        await until(pilot, lambda: screen.query_one("#domain", Field).value == "new")
