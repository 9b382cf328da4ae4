"""Edit User: counted until Provision, a stale save shows what differs and loses nothing, addresses."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest
from textual.errors import NoWidget

from mission_control_tui.console.base_app import MissionControlApp
from mission_control_tui.model.users import editing
from mission_control_tui.model.users import queries as users
from mission_control_tui.model.views import UserView
from mission_control_tui.screens.forms.address_fields import AddressFields
from mission_control_tui.screens.users.edit_user import EditUserScreen
from mission_control_tui.widgets.action_button import ActionButton
from mission_control_tui.widgets.field import Field
from mission_control_tui.widgets.fold import Fold
from tests.screens.driving import answer, at_both_sizes, shows, text_of, type_text, until
from tests.screens.users.driving import context_of, opened, user_id

ADA = "ada@acme.example"


async def user_of(app: MissionControlApp) -> UserView:
    context = context_of(app)
    return await users.details(context.scope, ADA)


def is_wished(fields: AddressFields, alias: str) -> bool:
    return alias in fields.wished.added


@at_both_sizes
async def test_changes_are_counted_and_saved_by_provision(
    world_db: Path, size: tuple[int, int]
) -> None:
    async with opened(world_db, "edit-user", "ada", size=size) as (app, pilot):
        await shows(pilot, "[ada@acme.example", "( Provision )  nothing is changed")
        title = app.screen.query_one("#f-title", Field)
        title.focus()
        await type_text(pilot, "Countess")
        await shows(pilot, "Not yet provisioned: 1 change (Title)", "[ Provision ]")
        assert (await user_of(app)).details.title == ""
        await pilot.press("f2")
        await until(pilot, lambda: "Not yet provisioned" not in text_of(app))
        assert (await user_of(app)).details.title == "Countess"


async def test_what_a_refused_save_counts_is_counted_again_as_it_is_mended(world_db: Path) -> None:
    async with opened(world_db, "edit-user", "ada") as (app, pilot):
        await shows(pilot, "[ada@acme.example")
        names = app.screen.query_one("#f-first-names", Field)
        names.value = ""
        app.screen.query_one("#f-last-name", Field).value = ""
        await pilot.press("f2")
        await shows(pilot, "2 fields need attention: First Names, Last Name")
        names.value = "Augusta"
        await shows(pilot, "1 field needs attention: Last Name")
        app.screen.query_one("#f-last-name", Field).value = "King"
        await until(pilot, lambda: "attention" not in text_of(app))


async def test_a_stale_save_is_refused_and_nothing_typed_is_lost(world_db: Path) -> None:
    async with opened(world_db, "edit-user", "ada") as (app, pilot):
        await shows(pilot, "[ada@acme.example")
        title = app.screen.query_one("#f-title", Field)
        title.focus()
        await type_text(pilot, "Countess")
        context = context_of(app)
        at = (context.scope, ADA)
        await editing.edit_user(*at, {"title": "Analyst", "city": "London"})
        await pilot.press("f2")
        await shows(pilot, "was changed meanwhile by fred", 'Title: nothing -> "Analyst"', "City")
        assert title.value == "Countess"
        assert app.screen.query_one("#f-city", Field).value == "London"
        assert (await user_of(app)).details.title == "Analyst"
        await pilot.press("f2")
        await until(pilot, lambda: "Not yet provisioned" not in text_of(app))
        assert (await user_of(app)).details.title == "Countess"
        assert (await user_of(app)).details.city == "London"
        assert "meanwhile" not in text_of(app)


async def test_a_look_elsewhere_keeps_text_and_the_version_it_was_typed_over(
    world_db: Path,
) -> None:
    async with opened(world_db, "edit-user", "ada") as (app, pilot):
        await shows(pilot, "[ada@acme.example")
        title = app.screen.query_one("#f-title", Field)
        title.focus()
        await type_text(pilot, "Countess")
        user = app.screen.user_id  # type: ignore[attr-defined]
        app.follow_link("requests")
        await shows(pilot, "Tries")
        context = context_of(app)
        at = (context.scope, ADA)
        await editing.edit_user(*at, {"title": "Analyst"})
        app.screen.go_to("edit-user", user)  # type: ignore[attr-defined]
        await shows(pilot, "Not yet provisioned: 1 change (Title)", "[Countess")
        await pilot.press("f2")
        await shows(pilot, "meanwhile", "Analyst")


async def test_what_was_not_typed_is_read_anew_after_a_look_elsewhere(world_db: Path) -> None:
    async with opened(world_db, "edit-user", "ada") as (app, pilot):
        await shows(pilot, "[ada@acme.example")
        user = app.screen.user_id  # type: ignore[attr-defined]
        app.follow_link("requests")
        await shows(pilot, "Tries")
        await editing.edit_user(context_of(app).scope, ADA, {"title": "Analyst"})
        app.screen.go_to("edit-user", user)  # type: ignore[attr-defined]
        await shows(pilot, "[Analyst", "nothing is changed")


async def test_what_is_wrong_stands_beside_its_field(world_db: Path) -> None:
    async with opened(world_db, "edit-user", "ada") as (app, pilot):
        await shows(pilot, "[ada@acme.example")
        upn = app.screen.query_one("#f-upn", Field)
        upn.value = "grace@acme.example"
        await shows(pilot, "1 change (UPN)")
        await pilot.press("f2")
        await until(pilot, lambda: "taken by Grace Hopper" in upn.error)
        assert upn.value == "grace@acme.example"


async def test_an_alias_is_added_by_few_keys(world_db: Path) -> None:
    """Opening Email addresses leads to the new alias, in view; closing and opening it by the way back does not."""
    async with opened(world_db, "edit-user", "ada") as (app, pilot):
        await shows(pilot, "[ada@acme.example")
        await pilot.press("escape", "shift+tab", "shift+tab")
        await until(pilot, lambda: app.screen.query_one("#email", Fold).title_line.has_focus)
        await pilot.press("enter")
        await shows(pilot, "New alias", "[ Add alias ]", "Esc Leave field")
        await type_text(pilot, "countess@acme.example")
        await pilot.press("enter", "enter")
        await shows(pilot, "to be added", "1 change (Email addresses)")
        await pilot.press("p")
        await shows(pilot, "Saved; the services")
        assert (await user_of(app)).aliases == ("countess@acme.example",)


async def test_addresses_are_added_made_primary_and_removed_only_by_provision(
    world_db: Path,
) -> None:
    async with opened(world_db, "edit-user", "ada") as (app, pilot):
        await shows(pilot, "[ada@acme.example")
        app.screen.query_one("#details", Fold).close()
        await app.screen.query_one("#email", Fold).open_now()
        fields = app.screen.query_one(AddressFields)
        fields.alias.value = "countess@acme.example"
        app.screen.query_one("#add-alias").focus()
        await pilot.press("enter")
        await shows(pilot, "to be added", "1 change (Email addresses)")
        fields.list.focus()
        await pilot.press("down", "enter")
        await shows(pilot, "to be primary", "2 changes")
        assert (await user_of(app)).aliases == ()
        app.screen.query_one("#provision").focus()
        await pilot.press("enter")
        await until(pilot, lambda: "Not yet provisioned" not in text_of(app))
        user = await user_of(app)
        assert user.aliases == ("countess@acme.example",)
        assert user.primary_address == "countess@acme.example"
        fields.list.focus()
        await pilot.press("end")
        app.screen.query_one("#remove-alias").focus()
        await pilot.press("enter")
        await shows(pilot, "to be removed")
        await pilot.press("f2")
        await shows(pilot, "remove countess@acme.example from ada@acme.example?", "Lost: mail")
        await answer(pilot, "y")
        await until(pilot, lambda: "Not yet provisioned" not in text_of(app))
        assert (await user_of(app)).aliases == ()


async def test_an_alias_that_somebody_has_is_refused_beside_the_field(world_db: Path) -> None:
    async with opened(world_db, "edit-user", "ada") as (app, pilot):
        await shows(pilot, "[ada@acme.example")
        await app.screen.query_one("#email", Fold).open_now()
        fields = app.screen.query_one(AddressFields)
        fields.alias.value = "grace@acme.example"
        app.screen.query_one("#add-alias").focus()
        await pilot.press("enter", "f2")
        await until(pilot, lambda: "taken by Grace Hopper" in fields.alias.error)
        assert "grace@acme.example" in fields.wished.added


async def test_details_and_addresses_are_saved_together_or_not_at_all(world_db: Path) -> None:
    async with opened(world_db, "edit-user", "ada") as (app, pilot):
        await shows(pilot, "[ada@acme.example")
        title = app.screen.query_one("#f-title", Field)
        title.focus()
        await type_text(pilot, "Countess")
        await app.screen.query_one("#email", Fold).open_now()
        fields = app.screen.query_one(AddressFields)
        for alias in ("countess@acme.example", "grace@acme.example"):
            fields.alias.value = alias
            app.screen.query_one("#add-alias", ActionButton).action_press()
            await until(pilot, partial(is_wished, fields, alias))
        before = await user_of(app)
        await pilot.press("f2")
        await until(pilot, lambda: "taken by Grace Hopper" in fields.alias.error)
        assert await user_of(app) == before
        assert title.value == "Countess"
        assert len(fields.wished.added) == 2
        fields.wished.added.remove("grace@acme.example")
        await pilot.press("f2")
        await until(pilot, lambda: "Not yet provisioned" not in text_of(app))
        after = await user_of(app)
        assert (after.details.title, after.aliases) == ("Countess", ("countess@acme.example",))
        assert after.version == before.version + 1


async def test_a_stale_save_of_addresses_keeps_them_too(world_db: Path) -> None:
    async with opened(world_db, "edit-user", "ada") as (app, pilot):
        await shows(pilot, "[ada@acme.example")
        await app.screen.query_one("#email", Fold).open_now()
        fields = app.screen.query_one(AddressFields)
        fields.alias.value = "countess@acme.example"
        app.screen.query_one("#add-alias", ActionButton).action_press()
        await shows(pilot, "1 change (Email addresses)")
        context = context_of(app)
        at = (context.scope, ADA)
        await editing.edit_user(*at, {"title": "Analyst"})
        await pilot.press("f2")
        await shows(pilot, 'Title: nothing -> "Analyst"', "is kept: Email addresses")
        assert (await user_of(app)).aliases == ()
        await pilot.press("f2")
        await until(pilot, lambda: "Not yet provisioned" not in text_of(app))
        assert (await user_of(app)).aliases == ("countess@acme.example",)


async def test_account_settings_and_password_are_there(world_db: Path) -> None:
    async with opened(world_db, "edit-user", "ada") as (app, pilot):
        await shows(pilot, "[ada@acme.example")
        await app.screen.query_one("#account", Fold).open_now()
        app.screen.query_one("#f-expires-on", Field).value = "not a date"
        await pilot.press("f2")
        await until(
            pilot, lambda: "is not a date" in app.screen.query_one("#f-expires-on", Field).error
        )
        app.screen.query_one("#f-expires-on", Field).value = "2020-01-01"
        await pilot.press("f2")
        await shows(pilot, "2020-01-01 is past")
        await app.screen.query_one("#password", Fold).open_now()
        # What has just been opened has no place yet that focus could scroll to.
        await until(pilot, lambda: app.screen.query_one("#reset-generate").region.height)
        app.screen.query_one("#reset-generate").focus()
        await pilot.press("enter")
        await shows(pilot, "[ Reveal the password once ]")


async def test_a_reload_between_a_key_and_its_message_keeps_what_was_typed(
    world_db: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(world_db, "edit-user", "ada") as (app, pilot):
        await shows(pilot, "[ada@acme.example")
        screen, title = app.screen, app.screen.query_one("#f-title", Field)
        assert isinstance(screen, EditUserScreen)
        stored = await user_of(app)

        async def read_as_a_key_comes(_scope: object, _user: str) -> UserView:
            title.input.insert_text_at_cursor("C")
            return stored

        monkeypatch.setattr(users, "details", read_as_a_key_comes)
        await screen.load()
        monkeypatch.undo()
        assert title.value == "C"
        await shows(pilot, "Not yet provisioned: 1 change (Title)")


@pytest.mark.parametrize("name", ["external_email", "web_page", "notes"])
async def test_the_field_that_is_gone_to_is_in_view(world_db: Path, name: str) -> None:
    async with opened(world_db, "home") as (app, pilot):
        user = await user_id(context_of(app), "ada")
        app.screen.go_to("edit-user", user, name)  # type: ignore[attr-defined]
        await until(pilot, lambda: getattr(app.focused, "is_field", False))
        await until(pilot, lambda: not app.is_behind)

        def is_in_view() -> bool:
            assert app.focused is not None
            try:
                return bool(app.screen.find_widget(app.focused).visible_region.height)
            except NoWidget:  # not laid out yet
                return False

        await until(pilot, is_in_view)
        await pilot.pause()
        assert is_in_view(), text_of(app)
