"""What an operator has on every screen: a ticket that sticks, arming, copying, the command line."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.pilot import Pilot

from mission_control_tui.cli.console.console import command_line
from mission_control_tui.cli.main import root
from mission_control_tui.console.app import ConsoleApp
from mission_control_tui.console.base_app import MissionControlApp
from mission_control_tui.model.history.audit_log import entries
from mission_control_tui.screens.base.mission_screen import MissionScreen
from mission_control_tui.settings.settings import Settings
from mission_control_tui.widgets.bars import AskBar
from mission_control_tui.widgets.cells import width_of
from mission_control_tui.widgets.command_bar import CommandBar
from mission_control_tui.widgets.overlays import PlainLines
from mission_control_tui.widgets.status_lines import TopInfo, TopLine
from tests.screens.driving import answer, at_both_sizes, shows, text_of, type_text, until
from tests.screens.users.driving import context_of, opened


def console_of(app: MissionControlApp) -> ConsoleApp:
    assert isinstance(app, ConsoleApp)
    return app


async def set_ticket(pilot: Pilot[int], ticket: str) -> None:
    """Typing replaces the ticket before."""
    await pilot.press("t")
    await type_text(pilot, ticket)
    await pilot.press("enter")


@at_both_sizes
async def test_a_ticket_sticks_until_it_is_cleared(world_db: Path, size: tuple[int, int]) -> None:
    async with opened(world_db, "users", size=size) as (app, pilot):
        await pilot.press("t")
        await shows(pilot, "The ticket that every change carries", "Ticket:")
        await type_text(pilot, "INC-42")
        await pilot.press("enter")
        await until(pilot, lambda: "INC-42" in text_of(app).splitlines()[0])
        await shows(pilot, "Every change carries ticket INC-42")

        await pilot.press("escape")
        await until(pilot, lambda: "INC-42" in text_of(app).splitlines()[0])
        assert context_of(app).caller.ticket == "INC-42"

        await pilot.press("t")
        await until(pilot, lambda: "Ticket: INC-42" in text_of(app))
        await pilot.press("ctrl+u", "enter")
        await shows(pilot, "No ticket any more")
        assert context_of(app).caller.ticket == ""


async def test_the_next_ticket_is_typed_over_the_one_before(world_db: Path) -> None:
    async with opened(world_db, "users") as (app, pilot):
        await set_ticket(pilot, "INC-42")
        await shows(pilot, "Every change carries ticket INC-42")
        await set_ticket(pilot, "INC-43")
        await shows(pilot, "Every change carries ticket INC-43")
        await pilot.press("t")
        await shows(pilot, "Ticket: INC-43")
        await pilot.press("end", "x", "enter")
        await shows(pilot, "Every change carries ticket INC-43x")
        assert context_of(app).caller.ticket == "INC-43x"


@pytest.mark.parametrize("ticket", ["INC-42", "T" * 60])
def test_the_ticket_is_seen_beside_a_long_account_name(ticket: str) -> None:
    """At 80 columns title and names give way; the ticket is what every change carries, and somebody makes it."""
    line = TopLine("Groups and shared mailboxes")
    line.info = TopInfo("Harbour Freight Lines", "day.shift", red=0, orange=0, extra=ticket)
    shown = "".join(text for text, _style in line.line(0, 80))
    assert len(shown) == 80
    assert "Harbour" in shown
    assert "Harbour Freight Lines" in shown or len(ticket) > 10, "the operator gives way first"
    assert ticket[:6] in shown
    assert "Groups and" in shown


@pytest.mark.parametrize(
    ("title", "ticket", "is_said"),
    [
        ("Home", "", True),
        ("Home", "T-1", True),
        ("Home", "T" * 60, False),
        ("Provision Services", "", False),
        ("Provision Services", "INC-42", False),
        ("Groups and shared mailboxes", "", False),
    ],
)
def test_what_is_red_for_all_is_said_where_names_and_ticket_leave_room(
    title: str, ticket: str, is_said: bool
) -> None:
    line = TopLine(title)
    line.info = TopInfo("Harbour Freight Lines", "day.shift", red=2, orange=0, extra=ticket)

    def shown(all_red: int) -> str:
        line.info = replace(line.info, all_red=all_red)
        return "".join(text for text, _style in line.line(0, 80))

    others = shown(12)
    assert len(others) == 80
    assert ("  all: 12 red  " in others) is is_said
    assert "Harbour" in others
    assert ticket[:6] in others
    assert others[-18:].split("  ")[-1].lstrip().startswith(title[:11])
    assert is_said or others == shown(0)
    assert "all:" not in shown(2)


@given(
    account=st.text("Sample ü東", max_size=40),
    operator=st.sampled_from(["", "fred", "day.shift.of.the.helpdesk"]),
    title=st.sampled_from(["Home", "Users", "Provision Services", "Groups and shared mailboxes"]),
    ticket=st.sampled_from(["", "T-1", "READ-ONLY INC-42", "T" * 60]),
    counts=st.tuples(st.integers(0, 1200), st.integers(0, 1200), st.integers(0, 1200)),
    real=st.booleans(),
)
def test_nothing_of_the_top_line_runs_into_the_next_or_over_the_edge(
    account: str,
    operator: str,
    title: str,
    ticket: str,
    counts: tuple[int, int, int],
    real: bool,
) -> None:
    line = TopLine(title)
    orange, red, all_red = counts
    line.info = TopInfo(account, operator, real, red, orange, ticket, all_red=all_red)
    parts = list(line.line(0, 80))
    shown = "".join(text for text, _style in parts)
    assert width_of(shown) <= 80
    assert parts[-1][0].startswith(title[:11])
    assert shown.removesuffix(parts[-1][0]).endswith("  ")
    assert "all:" not in shown or f"  all: {all_red} red  " in shown


async def test_a_silent_database_is_told_in_the_place_of_counts_that_may_be_old(
    world_db: Path,
) -> None:
    async with opened(world_db, "users") as (app, pilot):
        await shows(pilot, "mine: ")
        console_of(app).store.store.heard_at = time.monotonic() - 40.0
        await shows(pilot, "not heard from the database for 4")
        assert "mine: " not in text_of(app)
        console_of(app).store.store.heard_at = time.monotonic()
        await shows(pilot, "mine: ")
        assert "not heard" not in text_of(app)


async def test_escape_leaves_the_ticket_and_an_error_loses_nothing(world_db: Path) -> None:
    async with opened(world_db, "users") as (app, pilot):
        await set_ticket(pilot, "T-1")
        await shows(pilot, "Every change carries")
        await pilot.press("t")
        await shows(pilot, "Ticket: T-1")
        app.screen.query_one(AskBar).input.value = "9" * 130
        await pilot.press("enter")
        await shows(pilot, "A ticket has at most 128 characters.")
        await pilot.press("escape")
        await shows(pilot, "Nothing was changed")
        assert context_of(app).caller.ticket == "T-1"


async def test_a_change_carries_ticket_and_session(world_db: Path) -> None:
    async with opened(world_db, "user", "ada") as (app, pilot):
        console_of(app).accounts.change_caller(session="f" * 32)
        await set_ticket(pilot, "T-77")
        await shows(pilot, "Every change carries")
        context = context_of(app)
        from mission_control_tui.model.users.editing import disable_user

        await disable_user(context.scope, "ada@acme.example")
        newest = (await entries(context.scope, limit=1))[0]
        assert newest.ticket == "T-77"
        assert newest.session == context.caller.session == "f" * 32


async def test_arming_is_one_key_and_shown(world_db: Path) -> None:
    async with opened(world_db, "user", "ada") as (app, pilot):
        await pilot.press("a")
        await until(pilot, lambda: "READ-ONLY" in text_of(app).splitlines()[0])
        assert not context_of(app).caller.may_write
        await pilot.press("a")
        await until(pilot, lambda: "READ-ONLY" not in text_of(app))
        assert context_of(app).caller.may_write


async def test_a_long_text_is_copied_and_shown_without_a_frame(world_db: Path) -> None:
    async with opened(world_db, "users") as (app, pilot):
        screen = app.screen
        assert isinstance(screen, MissionScreen)
        screen.copy("short")
        await shows(pilot, "Copied: short")
        assert app.clipboard == "short"
        screen.copy(["first line", "  second \x1b[31mline"])
        await shows(pilot, "first line", "second ")
        assert "\x1b" not in app.clipboard
        lines = text_of(app).splitlines()
        assert lines[1] == "first line"
        assert lines[2].startswith("  second ")
        await pilot.press("escape")
        await until(pilot, lambda: not screen.query(PlainLines))


async def test_a_command_is_typed_completed_and_run(
    world_db: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MISSION_CONTROL_NO_WORKER", "1")
    async with opened(world_db, "users") as (app, pilot):
        console_of(app).commands = command_line(str(world_db), Settings(), root)
        console_of(app).accounts.change_caller(session="e" * 32)
        await set_ticket(pilot, "T-5")
        await pilot.press("colon")
        await shows(pilot, "mission-control:")
        bar = app.screen.query_one(CommandBar)
        await type_text(pilot, "users dis")
        await pilot.press("tab")
        await until(pilot, lambda: bar.text == "users disable ")
        await type_text(pilot, "ada@acme.example")
        await pilot.press("enter")
        await shows(
            pilot, "$ mission-control users disable ada@acme.example", "Done. Esc goes back"
        )
        context = context_of(app)
        newest = (await entries(context.scope, limit=1))[0]
        assert newest.action == "disable user"
        assert (newest.ticket, newest.session) == ("T-5", "e" * 32)
        await pilot.press("escape", "colon", "up")
        bar = app.screen.query_one(CommandBar)
        await until(pilot, lambda: bar.text == "users disable ada@acme.example")


async def test_what_takes_away_is_tried_and_asked_first(
    world_db: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MISSION_CONTROL_NO_WORKER", "1")
    async with opened(world_db, "users") as (app, pilot):
        console_of(app).commands = command_line(str(world_db), Settings(), root)
        await pilot.press("colon")
        await type_text(pilot, "deprovision ada@acme.example managed-exchange")
        await pilot.press("enter")
        await shows(pilot, "removed", "[ No ]")
        await pilot.press("enter")
        await shows(pilot, "Nothing was changed")
        context = context_of(app)
        newest = (await entries(context.scope, limit=1))[0]
        assert not newest.action.startswith("deprovision")
        await pilot.press("colon", "up", "enter")
        await shows(pilot, "[ No ]")
        await answer(pilot, "y")
        await shows(pilot, "Done. Esc goes back")
        newest = (await entries(context.scope, limit=1))[0]
        assert newest.action == "deprovision managed-exchange"


async def test_a_read_only_console_runs_no_change(world_db: Path) -> None:
    async with opened(world_db, "users") as (app, pilot):
        console_of(app).commands = command_line(str(world_db), Settings(), root)
        await pilot.press("a", "colon")
        await type_text(pilot, "users disable ada@acme.example")
        await pilot.press("enter")
        await shows(pilot, "read-only", "exit code 7")
        await pilot.press("escape", "colon")
        await type_text(pilot, "nonsense")
        await pilot.press("enter")
        await shows(pilot, "There is no command 'nonsense' here.")
        assert app.screen.query_one(CommandBar).text == "nonsense"
