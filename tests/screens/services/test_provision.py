"""Provision Services: lights that change alone, levels with seats, settings of the level, questions, red lights."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import update

from mission_control_tui.console.base_app import MissionControlApp
from mission_control_tui.model.installation.catalogue_update import load
from mission_control_tui.model.orders import buying
from mission_control_tui.model.services.kept_settings import keep_declaration
from mission_control_tui.model.services.lights import status
from mission_control_tui.model.states import Light, RequestKind, Wish
from mission_control_tui.model.store.database import Store
from mission_control_tui.model.store.scope import AccountScope
from mission_control_tui.model.store.tables.services import AssignmentRow
from mission_control_tui.model.users import provisioning as provision
from mission_control_tui.model.users.actions.params import ActionParams
from mission_control_tui.model.views import AssignmentView
from mission_control_tui.screens.services.provision import ProvisionScreen
from mission_control_tui.screens.services.service_panel import UserServicePanel
from mission_control_tui.screens.users.edit_user import EditUserScreen
from mission_control_tui.widgets.bars import ConfirmBar
from mission_control_tui.widgets.field import Field
from mission_control_tui.widgets.fold import Fold
from mission_control_tui.widgets.level_picker import LevelPicker
from tests.directory_catalogue import directory_catalogue
from tests.model.helpers import finish
from tests.screens import world
from tests.screens.driving import answer, at_both_sizes, shows, text_of, type_text, until
from tests.screens.users.driving import context_of, opened, user_id

EXCHANGE = "#panel-managed-exchange"


async def view_of(
    app: MissionControlApp, user: str, service: str = "managed-exchange"
) -> AssignmentView:
    context = context_of(app)
    views = await status(context.scope, user=user)
    return next(view for view in views if view.service_id == service)


@at_both_sizes
async def test_a_level_is_given_by_keys_and_the_light_is_orange_at_once(
    world_db: Path, size: tuple[int, int]
) -> None:
    async with opened(world_db, "provision", "alan", size=size) as (app, pilot):
        await shows(pilot, "Alan Turing  alan@acme.example", "• Provisioned")
        user = "alan@acme.example"
        await pilot.press("enter", "up", "space")
        await shows(pilot, "(•) Standard Mail (POPX)", "1 of 2 free", "(•) Standard")
        await pilot.press("p")
        await shows(pilot, "Acme Pty Ltd: change Managed Exchange of alan@acme.example from")
        assert not app.screen.query_one(ConfirmBar).yes
        text = text_of(app)
        for word in ("PC & Web Access to", "Lost:", "Mailbox quota", "Seats:", "Money:"):
            assert word in text
        await pilot.press("enter")
        await shows(pilot, "Nothing was changed")
        assert (await view_of(app, user)).level_id == "pc-web"
        await pilot.press("p", "right", "enter")
        await shows(pilot, "» Queued", "Asked for: Managed Exchange")
        assert (await view_of(app, user)).level_id == "popx"


@pytest.mark.parametrize(("seats", "label"), [(1, " Access  now"), (12_000, "…  now")])
async def test_the_level_that_one_has_is_marked_in_full_at_80_columns(
    world_db: Path, seats: int, label: str
) -> None:
    async with opened(world_db, "provision", "ada") as (app, pilot):
        await shows(pilot, "• Provisioned")
        context = context_of(app)
        scope = context.scope
        for count in [1000] * (seats // 1000) or [seats]:
            await buying.buy(scope, "email", level="pc-web-mobile", quantity=count)
        longest = ActionParams("managed-exchange", "pc-web-mobile")
        await provision.provision(scope, await user_id(context, "ada"), [longest])
        await finish(context.store, context.caller, context.account)
        app.apply_changes(["store"])
        await shows(pilot, "PC, Web & Mobile Acce")
        await pilot.press("enter")
        await shows(pilot, "(•) Managed Exchange - PC, Web & Mobile", label)
        assert f"{seats - 1} of {seats} free" in text_of(app)


async def test_a_green_light_says_that_the_back_end_differs(world_db: Path) -> None:
    async with opened(world_db, "provision", "ada") as (app, pilot):
        await shows(pilot, "• Provisioned")
        context = context_of(app)
        async with context.store.write(context.caller, context.account_id) as tx:
            await tx.session.execute(update(AssignmentRow).values(drift=True))
        app.apply_changes(["store"])
        await shows(pilot, "• Provisioned (not as wished)")


async def test_only_the_settings_of_the_level_are_there(world_db: Path) -> None:
    async with opened(world_db, "provision", "ada") as (app, pilot):
        await shows(pilot, "• Provisioned")
        await pilot.press("enter", "down", "down")
        panel = app.screen.query_one(EXCHANGE, UserServicePanel)
        for fold in panel.query("Fold").results():
            await fold.open_now()  # type: ignore[attr-defined]
        assert panel.option_widget("mapi") is not None
        assert panel.option_widget("activesync") is None
        await panel.choose("popx")
        await until(pilot, lambda: panel.option_widget("mapi") is None)
        assert panel.option_widget("pop") is not None


async def test_what_the_connector_does_not_keep_is_said_beside_the_value(world_db: Path) -> None:
    async with opened(world_db, "provision", "ada") as (app, pilot):
        await shows(pilot, "• Provisioned")
        panel = app.screen.query_one(EXCHANGE, UserServicePanel)
        await panel.open_now()
        for fold in panel.query("Fold").results():
            await fold.open_now()  # type: ignore[attr-defined]
        assert "not kept" not in text_of(app), "nothing is known of the connector"
        await keep_declaration(context_of(app).store, panel.view.connector, {"mapi"})
        app.apply_changes(["store"])
        await shows(pilot, "MB not kept")
        kept = panel.option_widget("mapi")
        assert kept is not None
        assert kept.note == ""


async def test_a_setting_that_is_refused_says_so_beside_it_and_stays(world_db: Path) -> None:
    async with opened(world_db, "provision", "ada") as (app, pilot):
        await shows(pilot, "• Provisioned")
        panel = app.screen.query_one(EXCHANGE, UserServicePanel)
        await panel.open_now()
        await panel.query_one("#panel-managed-exchange-settings").open_now()  # type: ignore[attr-defined]
        quota = panel.option_widget("quota")
        assert isinstance(quota, Field)
        quota.focus()
        await pilot.press("end", *["backspace"] * 5, "7", "f2")
        await until(pilot, lambda: "below the minimum" in quota.error)
        assert quota.value == "7"
        await pilot.press("0", "0", "0", "f2")
        await shows(pilot, "» Queued")
        assert (await view_of(app, "ada@acme.example")).settings["quota"] == 7000


async def test_a_focus_that_is_set_while_a_panel_opens_stays(world_db: Path) -> None:
    async with opened(world_db, "provision", "ada") as (app, pilot):
        await shows(pilot, "• Provisioned")
        screen, panel = app.screen, app.screen.query_one(EXCHANGE, UserServicePanel)
        await panel.open_now()
        await until(pilot, lambda: not panel.is_opening)
        await panel.query_one("#panel-managed-exchange-settings").open_now()  # type: ignore[attr-defined]
        quota = panel.option_widget("quota")
        assert isinstance(quota, Field)
        screen.set_focus(panel.title_line)
        quota.focus()
        screen.on_fold_toggled(Fold.Toggled(panel))  # type: ignore[attr-defined]
        await pilot.pause()
        assert app.focused is quota.input


async def test_a_light_follows_what_another_process_did(world_db: Path) -> None:
    async with opened(world_db, "provision", "ada") as (app, pilot):
        await shows(pilot, "• Provisioned")
        other = await Store.open(world_db)
        scope = AccountScope(other, world.CALLER, context_of(app).account_id)
        wanted = [ActionParams("managed-exchange", "popx")]
        await provision.provision(scope, "ada@acme.example", wanted)
        await shows(pilot, "» Queued", "Standard Mail (POPX)")
        await finish(other, world.CALLER, context_of(app).account)
        await shows(pilot, "• Provisioned")
        await other.close()


async def test_a_red_light_opens_to_why_and_two_keys_try_again(world_db: Path) -> None:
    async with opened(world_db, "users") as (app, pilot):
        await shows(pilot, "Grace Hopper")
        await pilot.press("exclamation_mark")
        await until(pilot, lambda: isinstance(app.screen, ProvisionScreen))
        await shows(
            pilot, "Grace Hopper", "mailbox store [DB01] is offline", "What to do: Provision"
        )
        await pilot.press("p")
        await shows(pilot, "» Queued")
        assert (await view_of(app, "grace@acme.example")).light is Light.ORANGE


async def test_edit_on_a_red_light_goes_to_what_can_be_changed(world_db: Path) -> None:
    async with opened(world_db, "users") as (app, pilot):
        await shows(pilot, "Grace Hopper")
        await pilot.press("exclamation_mark")
        await shows(pilot, "mailbox store [DB01] is offline")
        await pilot.press("e")
        await until(pilot, lambda: isinstance(app.focused and app.focused.parent, Field))
        assert app.focused is not None
        assert app.focused.parent is app.screen.query_one(EXCHANGE, UserServicePanel).option_widget(
            "quota"
        )


@pytest.mark.parametrize(
    ("field", "kind", "widget"),
    [
        ("forward-to", UserServicePanel, f"{EXCHANGE}-o-forward-to"),
        ("level", UserServicePanel, "LevelPicker"),
        ("display_name", EditUserScreen, "#f-display-name"),
        ("password", EditUserScreen, "#reset-generate"),
    ],
)
async def test_edit_on_a_red_light_goes_to_the_field_that_the_error_names(
    world_db: Path, field: str, kind: type, widget: str
) -> None:
    async with opened(world_db, "users") as (app, pilot):
        context = context_of(app)
        account = context.account
        await world.turn_red(context.store, account, await user_id(context, "alan"), field)
        await pilot.press("exclamation_mark")
        await shows(pilot, "Alan Turing", "Failed in step: create mailbox")
        await pilot.press("e")
        await until(pilot, lambda: app.screen.query(widget) and app.focused is not None)
        target = app.screen.query_one(widget)
        await until(
            pilot,
            lambda: app.focused is not None and target in app.focused.ancestors_with_self,
        )
        assert isinstance(app.screen, kind) or app.screen.query(kind)


async def test_no_seat_leads_to_buying_and_back_to_the_same_spot(world_db: Path) -> None:
    async with opened(world_db, "provision", "ada") as (app, pilot):
        await shows(pilot, "• Provisioned")
        here = app.screen
        await pilot.press("enter", "down", "space")
        await shows(pilot, "none owned", "(•) Managed Exchange - PC, Web & Mobile Access")
        await pilot.press("b")
        await until(pilot, lambda: type(app.screen).__name__ == "BuyScreen")
        await shows(pilot, "PC, Web & Mobile")
        while app.screen is not here:
            await pilot.press("escape")
            await pilot.pause(0.05)
        picker = here.query_one(LevelPicker)
        assert app.focused is picker
        assert picker.chosen == "pc-web-mobile"


async def test_removal_names_what_is_lost_and_is_asked_for_only_by_yes(world_db: Path) -> None:
    async with opened(world_db, "provision", "ada") as (app, pilot):
        await shows(pilot, "• Provisioned")
        panel = app.screen.query_one(EXCHANGE, UserServicePanel)
        await panel.open_now()
        panel.query_one("#deprovision").focus()
        await pilot.press("enter")
        await shows(
            pilot, "deprovision Managed Exchange of ada@acme.example?", "Lost:", "Seats: 1 free"
        )
        await pilot.press("escape")
        await shows(pilot, "Nothing was changed")
        assert (await view_of(app, "ada@acme.example")).wish is Wish.PRESENT
        await pilot.press("enter")
        await answer(pilot, "y")
        await shows(pilot, "» Queued", "Asked for: deprovision")
        assert (await view_of(app, "ada@acme.example")).wish is Wish.ABSENT


async def test_a_deprovisioning_that_failed_is_asked_for_again(world_db: Path) -> None:
    async with opened(world_db, "provision", "ada") as (app, pilot):
        await shows(pilot, "• Provisioned")
        context = context_of(app)
        scope = context.scope
        user = await user_id(context, "ada")
        await provision.change_wish(scope, user, "managed-exchange", RequestKind.DEPROVISION)
        await world.turn_red(context.store, context.account, user)
        app.apply_changes(["store"])
        await shows(pilot, "Error")
        await pilot.press("enter")
        await shows(pilot, "p deprovisions again", "[ Deprovision again ]")
        assert "[ Deprovision ]" not in text_of(app)
        await pilot.press("p")
        await shows(pilot, "» Queued", "Asked for: deprovision Managed Exchange")
        assert (await view_of(app, "ada@acme.example")).wish is Wish.ABSENT


async def test_a_database_has_a_password_that_is_revealed_once(world_db: Path) -> None:
    async with opened(world_db, "provision", "ada") as (app, pilot):
        context = context_of(app)
        await buying.buy(context.scope, "databases", level="small")
        app.apply_changes(["store"])
        await shows(pilot, "Databases")
        panel = app.screen.query_one("#panel-databases", UserServicePanel)
        panel.focus()
        await pilot.press("enter", "space", "p")
        await shows(pilot, "[ Reveal the password once ]")
        before = text_of(app)
        await pilot.press("enter")
        await shows(pilot, "shown once")
        secret = text_of(app).partition("Password: ")[2].split()[0]
        assert len(secret) >= 16
        assert secret not in before
        await pilot.press("tab")
        await until(pilot, lambda: secret not in text_of(app))


async def test_another_instance_needs_a_name(world_db: Path) -> None:
    async with opened(world_db, "provision", "ada") as (app, pilot):
        context = context_of(app)
        scope = context.scope
        await buying.buy(scope, "databases", level="small", quantity=3)
        await provision.provision(scope, "ada@acme.example", [ActionParams("databases", "small")])
        app.apply_changes(["store"])
        await shows(pilot, "Databases: one more")
        panel = app.screen.query_one("#another-databases", UserServicePanel)
        panel.focus()
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.focused and app.focused.parent, Field))
        await pilot.press("down", "space", "p")
        await shows(pilot, "is needed: it tells this one")
        await type_text(pilot, "shop")
        await pilot.press("f2")
        await shows(pilot, "Databases (shop)")


async def test_what_was_chosen_survives_a_look_elsewhere(world_db: Path) -> None:
    async with opened(world_db, "provision", "ada") as (app, pilot):
        await shows(pilot, "• Provisioned")
        await pilot.press("enter", "up", "space")
        await shows(pilot, "(•) Standard Mail (POPX)")
        user = app.screen.user_id  # type: ignore[attr-defined]
        app.follow_link("requests")
        await shows(pilot, "Tries")
        app.screen.go_to("provision", user)  # type: ignore[attr-defined]
        await shows(pilot, "(•) Standard Mail (POPX)")


async def test_edit_without_a_service_goes_to_the_user(new_db: Path) -> None:
    async with opened(new_db, "home") as (app, pilot):
        context = context_of(app)
        user = await world.person(context.store, context.account, "Ada", "Lovelace", "ada")
        app.screen.go_to("provision", user)  # type: ignore[attr-defined]
        await shows(pilot, "The account has bought no service for users yet")
        await pilot.press("e")
        await until(pilot, lambda: isinstance(app.screen, EditUserScreen))


async def test_how_users_sign_in_to_a_service_without_a_password_is_said(world_db: Path) -> None:
    store = await Store.open(world_db)
    await load(store, world.CALLER, directory_catalogue(), "with-directory.toml")
    await store.close()
    async with opened(world_db, "provision", "ada") as (_app, pilot):
        await shows(pilot, "• Provisioned")
        await pilot.press("enter")
        await shows(pilot, "Managed Exchange: users sign in with their directory account.")
    async with opened(world_db, "new-user") as (app, pilot):
        await shows(pilot, "@acme.example")
        await shows(pilot, "of the directory account")
        app.screen.query_one("#f-password", Field).focus()
        await pilot.press("f1")
        await shows(pilot, "sign in with it by their directory account")
