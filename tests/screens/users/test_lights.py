"""Lights: the matrix narrowed by words, sorted, marked; Enter goes to the panel; R tries all red again."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import update

from mission_control_tui.model.bulk.queries import list_bulks
from mission_control_tui.model.orders import buying
from mission_control_tui.model.recycle_bin import deletion
from mission_control_tui.model.store.scope import AccountScope
from mission_control_tui.model.store.tables.services import AssignmentRow
from mission_control_tui.model.users.provisioning import deprovision_all
from mission_control_tui.screens.services.provision import ProvisionScreen
from mission_control_tui.screens.users.lights import LightsScreen
from mission_control_tui.screens.users.users import UsersScreen
from tests.model.helpers import finish
from tests.screens import world
from tests.screens.driving import answer, at_both_sizes, shows, text_of, type_text, until
from tests.screens.users.driving import context_of, opened, user_id


@at_both_sizes
async def test_words_narrow_and_the_cell_is_told_in_words(
    world_db: Path, size: tuple[int, int]
) -> None:
    async with opened(world_db, "lights", size=size) as (app, pilot):
        await shows(pilot, "ME Managed Exchange", "Ada Lovelace", "E", "•G", "»Q", "4 users")
        await shows(pilot, "ada@acme.example  Managed Exchange, PC & Web Access: Provisioned")
        await pilot.press("slash")
        await type_text(pilot, "red")
        await shows(pilot, "1 user", "Grace Hopper", "Error for 3 h", "[DB01] is offline")
        assert "Ada Lovelace" not in text_of(app)
        await pilot.press("ctrl+u")
        await type_text(pilot, "popx")
        await shows(pilot, "Jo [b]Bloggs[/]", "1 user")
        await pilot.press("ctrl+u")
        await type_text(pilot, "lovelace")
        await shows(pilot, "Ada Lovelace", "1 user")


async def test_it_is_sorted_by_age_and_back(world_db: Path) -> None:
    async with opened(world_db, "lights") as (app, pilot):
        await shows(pilot, "4 users")
        screen = app.screen
        assert isinstance(screen, LightsScreen)
        first = screen.row
        assert first is not None
        assert first.upn == "ada@acme.example"
        await pilot.press("s")
        await until(pilot, lambda: screen.row and screen.row.upn == "grace@acme.example")
        await shows(pilot, "(the oldest red or orange first)")
        await pilot.press("s")
        await until(pilot, lambda: screen.row and screen.row.upn == "jo@acme.example")
        await pilot.press("s")
        await until(pilot, lambda: screen.row and screen.row.upn == "ada@acme.example")


async def test_enter_opens_the_panel_of_the_chosen_service(world_db: Path) -> None:
    async with opened(world_db, "lights") as (app, pilot):
        context = context_of(app)
        await buying.buy(
            AccountScope(context.store, world.CALLER, context.account_id),
            "databases",
            level="small",
            quantity=2,
        )
        await shows(pilot, "DA Databases")
        screen = app.screen
        await pilot.press("right")
        await shows(pilot, "Databases: never given")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, ProvisionScreen))
        await until(
            pilot,
            lambda: (
                isinstance(app.screen, ProvisionScreen)
                and app.screen.panel is not None
                and app.screen.panel.service.id == "databases"
                and app.screen.panel.is_open
            ),
        )
        while app.screen is not screen:
            await pilot.press("escape")
            await pilot.pause()
        assert isinstance(screen, LightsScreen)
        assert screen.column is not None
        assert screen.column.service_id == "databases"


async def test_it_changes_without_a_key(world_db: Path) -> None:
    async with opened(world_db, "lights") as (app, pilot):
        await shows(pilot, "»Q")
        context = context_of(app)
        async with context.store.write(context.caller, context.account_id) as tx:
            await tx.session.execute(
                update(AssignmentRow)
                .where(AssignmentRow.light == "orange")
                .values(light="green", word="Provisioned", drift=True)
            )
        await shows(pilot, "•D")
        await pilot.press("slash")
        await type_text(pilot, "drift")
        await shows(pilot, "1 user", "Jo [b]Bloggs[/]")


async def test_marks_survive_filters_and_coming_back_and_say_how_many_are_not_shown(
    world_db: Path,
) -> None:
    async with opened(world_db, "lights") as (app, pilot):
        await shows(pilot, "4 users")
        await pilot.press("space", "end", "v")
        await shows(pilot, "4 marked; 4 users")
        await pilot.press("asterisk")
        await shows(pilot, "4 marks taken away")
        screen = app.screen
        assert isinstance(screen, LightsScreen)
        assert screen.marks.users == ()
        await pilot.press("home", "space", "space", "slash")
        await type_text(pilot, "red")
        await shows(pilot, "2 marked, 2 not shown; 1 user")
        await pilot.press("down", "asterisk")
        await shows(pilot, "3 marked, 2 not shown")
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is not screen)
        app.screen.go_to("lights")  # type: ignore[attr-defined]
        await shows(pilot, "3 marked, 2 not shown")
        context = context_of(app)
        scope = context.scope
        ada = await user_id(context, "ada")
        await deprovision_all(scope, ada)
        await finish(context.store, context.caller, context.account)
        await deletion.delete_user(scope, ada)
        await shows(pilot, "2 marked, 2 not shown; 0 users")


async def test_marks_of_several_who_go_one_after_the_other_are_all_taken_away(
    world_db: Path,
) -> None:
    async with opened(world_db, "lights") as (app, pilot):
        context = context_of(app)
        scope = context.scope
        people = [await user_id(context, one) for one in ("ada", "alan")]
        for one in people:
            await deprovision_all(scope, one)
        await finish(context.store, context.caller, context.account)
        await shows(pilot, "4 users")
        await pilot.press("space", "space", "space")
        await shows(pilot, "3 marked")
        for left, one in zip((2, 1), people, strict=True):
            await deletion.delete_user(scope, one)
            await shows(pilot, f"{left} marked; {left + 1} users")


async def test_users_are_marked_alike_but_not_in_the_bin(world_db: Path) -> None:
    async with opened(world_db, "users") as (app, pilot):
        await shows(pilot, "4 users")
        await pilot.press("asterisk")
        await shows(pilot, "4 more marked", "4 marked; 4 users")
        screen = app.screen
        assert isinstance(screen, UsersScreen)
        assert len(screen.marks.users) == 4
        screen.query_one("#shown").focus()
        await pilot.press("left")
        await shows(pilot, "Recycling bin")
        await pilot.press("tab", "tab", "asterisk")
        await shows(pilot, "are not acted on")


async def test_all_red_in_view_is_tried_again_after_saying_what_fails_again(world_db: Path) -> None:
    async with opened(world_db, "lights") as (app, pilot):
        await shows(pilot, "4 users")
        context = context_of(app)
        scope = context.scope
        await pilot.press("R")
        await shows(pilot, "try again 1 red light in view?", "1 may work", "[ No ]")
        await pilot.press("enter")
        await shows(pilot, "Nothing was changed")
        assert await list_bulks(scope) == ()
        await pilot.press("R")
        await answer(pilot, "y")
        await shows(pilot, "1 queued to be tried again, as bulk 1")
        await pilot.press("slash")
        await type_text(pilot, "lovelace")
        await shows(pilot, "1 user")
        await pilot.press("down", "R")
        await shows(pilot, "Nothing is red in view")
