"""Users: found as one types; functions and status in place; passwords, deprovisioning, the recycling bin."""

from __future__ import annotations

from pathlib import Path

from mission_control_tui.console.base_app import MissionControlApp
from mission_control_tui.model.search.user_list import page
from mission_control_tui.model.services.lights import status
from mission_control_tui.model.states import Wish
from mission_control_tui.model.users.queries import details
from mission_control_tui.model.views import UserView
from mission_control_tui.screens.users.card import FunctionList
from mission_control_tui.screens.users.users import UsersScreen
from mission_control_tui.widgets.line_list import LineList
from tests.model.helpers import finish
from tests.screens import world
from tests.screens.driving import answer, at_both_sizes, shows, text_of, type_text, until
from tests.screens.users.driving import context_of, opened


async def user_of(app: MissionControlApp, user: str) -> UserView:
    context = context_of(app)
    return await details(context.scope, user)


async def choose(pilot: object, app: MissionControlApp, name: str) -> None:
    """Press down to the function `name` and Enter."""
    functions = app.screen.query_one(FunctionList)
    names = [functions.row_at(index).key for index in range(functions.count)]  # type: ignore[union-attr]
    functions.focus()
    await pilot.press("home", *["down"] * names.index(name), "enter")  # type: ignore[attr-defined]


@at_both_sizes
async def test_find_as_one_types_and_expand(world_db: Path, size: tuple[int, int]) -> None:
    async with opened(world_db, "users", size=size) as (app, pilot):
        await shows(pilot, "Ada Lovelace", "× Error", "» Queued", "4 users")  # noqa: RUF001
        await pilot.press("slash")
        await type_text(pilot, "hop")
        await until(pilot, lambda: "1 user" in text_of(app) and "Ada" not in text_of(app))
        await pilot.press("enter", "enter")
        await shows(pilot, "User Functions", "Account Status", "Enabled, not locked, never expires")
        text = text_of(app)
        for name in ("Services", "Edit User", "Reset Password", "Deprovision", "Delete"):
            assert name in text
        assert "× Error Managed Exchange" in " ".join(text.split())  # noqa: RUF001
        await pilot.press("escape")
        await until(pilot, lambda: "User Functions" not in text_of(app))
        assert isinstance(app.screen, UsersScreen)


async def test_names_are_text_and_never_markup(world_db: Path) -> None:
    async with opened(world_db, "users") as (_app, pilot):
        await shows(pilot, "Jo [b]Bloggs[/]")


async def test_the_list_comes_back_as_it_was(world_db: Path) -> None:
    async with opened(world_db, "users") as (app, pilot):
        await shows(pilot, "Ada Lovelace")
        await pilot.press("down", "down", "enter")
        await shows(pilot, "Grace Hopper  grace@acme.example")
        app.follow_link("requests")
        await shows(pilot, "Tries")
        app.follow_link("users")
        await shows(pilot, "User Functions", "Grace Hopper  grace@acme.example")
        rows = app.screen.query_one(LineList)
        await until(pilot, lambda: not rows.is_due)
        assert rows.current is not None
        assert rows.current.cells[0] == "Grace Hopper"


async def test_a_password_is_reset_in_place_and_revealed_once(world_db: Path) -> None:
    async with opened(world_db, "users") as (app, pilot):
        await shows(pilot, "Ada Lovelace")
        await pilot.press("enter")
        await shows(pilot, "User Functions")
        await choose(pilot, app, "password")
        await shows(pilot, "Reset Password of ada@acme.example", "[ Generate and set ]")
        await pilot.press("enter")
        await shows(pilot, "[ Reveal the password once ]", "on its way")
        assert (await user_of(app, "ada@acme.example")).password_waiting
        await pilot.press("enter")
        await shows(pilot, "shown once")
        secret = text_of(app).partition("Password: ")[2].split()[0]
        await pilot.press("escape")
        await until(pilot, lambda: secret not in text_of(app))
        await shows(pilot, "> Reset Password")


async def test_a_typed_password_that_breaks_a_rule_is_refused_in_place(world_db: Path) -> None:
    async with opened(world_db, "users") as (app, pilot):
        await shows(pilot, "Ada Lovelace")
        await pilot.press("enter")
        await shows(pilot, "User Functions")
        await choose(pilot, app, "password")
        reset = app.screen.query_one("#reset")
        reset.fields.password.value = reset.fields.confirm.value = "short"  # type: ignore[attr-defined]
        reset.use.focus()  # type: ignore[attr-defined]
        await pilot.press("enter")
        await shows(pilot, "breaks a rule below")
        assert reset.fields.password.value == "short"  # type: ignore[attr-defined]


async def test_deprovision_asks_and_takes_all_away(world_db: Path) -> None:
    async with opened(world_db, "users") as (app, pilot):
        await shows(pilot, "Ada Lovelace")
        await pilot.press("enter")
        await shows(pilot, "User Functions")
        await choose(pilot, app, "deprovision")
        await shows(
            pilot, "deprovision all services of ada@acme.example?", "Lost:", "Seats: 1 free"
        )
        await pilot.press("enter")
        await shows(pilot, "Nothing was changed")
        await choose(pilot, app, "deprovision")
        await answer(pilot, "y")
        await shows(pilot, "Asked for: deprovision all services", "» Queued")
        context = context_of(app)
        views = await status(context.scope, user="ada@acme.example")
        assert all(view.wish is Wish.ABSENT for view in views)


async def test_delete_only_after_deprovision_and_back_from_the_bin(world_db: Path) -> None:
    async with opened(world_db, "users") as (app, pilot):
        await shows(pilot, "Ada Lovelace")
        await pilot.press("enter")
        await shows(pilot, "User Functions")
        await choose(pilot, app, "delete")
        await shows(pilot, "cannot be deleted while services are left")
        await choose(pilot, app, "deprovision")
        await shows(pilot, "[ No ]")
        await answer(pilot, "y")
        await shows(pilot, "Asked for: deprovision all services")
        await finish(context_of(app).store, world.CALLER, context_of(app).account)
        app.apply_changes(["store"])
        await shows(pilot, "· Not provisioned Managed")
        await choose(pilot, app, "delete")
        await shows(pilot, "delete ada@acme.example into the recycling bin?", "Type the UPN")
        await type_text(pilot, "alan@acme.example")
        await pilot.press("enter")
        await shows(pilot, "This is not the UPN of the user")
        assert not (await user_of(app, "ada@acme.example")).in_bin
        await pilot.press("ctrl+u")
        await type_text(pilot, "ada@acme.example")
        await pilot.press("enter")
        await shows(pilot, "In the recycling bin")
        assert (await user_of(app, "ada@acme.example")).in_bin
        await pilot.press("escape")
        app.screen.query_one("#shown").focus()
        await pilot.press("end")
        await shows(pilot, "<Recycling bin>", "1 user")
        app.screen.query_one(LineList).focus()
        await pilot.press("enter")
        await shows(pilot, "Restore")
        await pilot.press("enter")
        await shows(pilot, "Restored")
        assert not (await user_of(app, "ada@acme.example")).in_bin


async def test_disable_says_what_is_lost_and_enable_takes_it_back(world_db: Path) -> None:
    async with opened(world_db, "users") as (app, pilot):
        await shows(pilot, "Ada Lovelace")
        await pilot.press("enter")
        await shows(pilot, "User Functions")
        await choose(pilot, app, "disable")
        await shows(pilot, "disable ada@acme.example?", "the access to Managed Exchange")
        await answer(pilot, "y")
        await shows(pilot, "Disabled, not locked")
        await choose(pilot, app, "enable")
        await shows(pilot, "Enabled, not locked")


async def test_the_cursor_stays_among_the_rows(world_db: Path) -> None:
    async with opened(world_db, "users") as (app, pilot):
        await shows(pilot, "Ada Lovelace")
        context = context_of(app)
        found = await page(context.scope)
        assert found.total == 4
        rows = app.screen.query_one(LineList)
        await pilot.press("end", "down", "home", "up", "pagedown")
        assert rows.cursor == 3


async def test_one_user_by_itself(world_db: Path) -> None:
    async with opened(world_db, "user", "grace") as (app, pilot):
        await shows(pilot, "Grace Hopper  grace@acme.example", "User Functions", "× Error")  # noqa: RUF001
        await pilot.press("p")
        await shows(pilot, "Provision Services")
        assert app.screen.HEADING == "Provision Services"  # type: ignore[attr-defined]
