"""New like this and templates in New User; the screen Templates."""

from __future__ import annotations

from pathlib import Path

from mission_control_tui.model.onboarding.template_content import TemplateContent, TemplateService
from mission_control_tui.model.onboarding.templates import list_templates, save_template
from mission_control_tui.model.orders.buying import buy
from mission_control_tui.model.services.lights import status
from mission_control_tui.model.users.actions.params import ActionParams
from mission_control_tui.model.users.editing import edit_user
from mission_control_tui.model.users.provisioning import provision
from mission_control_tui.model.users.queries import details
from mission_control_tui.screens.orders.buy import BuyScreen
from mission_control_tui.screens.services.provision import ProvisionScreen
from mission_control_tui.screens.users.new_user import NewUserScreen
from mission_control_tui.screens.users.templates import TemplatesScreen
from mission_control_tui.widgets.field import Field
from tests.screens.driving import answer, at_both_sizes, shows, text_of, type_text, until
from tests.screens.users.driving import context_of, opened, user_id

PASSWORD = "Kp7m-xR4w-9fTc"
CALLED = ("Katherine", "Johnson")


async def fill_in(app: object, upn: str) -> None:
    """Type what is compulsory."""
    screen = app.screen  # type: ignore[attr-defined]
    for name, text in (
        *(("upn", upn), ("first-names", CALLED[0]), ("last-name", CALLED[1])),
        *(("password", PASSWORD), ("confirm", PASSWORD)),
    ):
        screen.query_one(f"#f-{name}", Field).value = text


@at_both_sizes
async def test_l_on_a_user_makes_another_with_groups_and_services_in_one_go(
    world_db: Path, size: tuple[int, int]
) -> None:
    async with opened(world_db, "user", "ada", size=size) as (app, pilot):
        context = context_of(app)
        scope = context.scope
        ada = await user_id(context, "ada")
        await edit_user(scope, ada, {"department": "Engines", "mobile_phone": "+61 400 000 000"})
        await shows(pilot, "Ada Lovelace")
        await pilot.press("l")
        await shows(pilot, "New User", "Like Ada Lovelace: gives Managed Exchange", "free)")
        await fill_in(app, "kat")
        await pilot.press("f2")
        await until(pilot, lambda: isinstance(app.screen, ProvisionScreen))
        await shows(pilot, "Katherine Johnson", "Queued")
        made = await details(scope, "kat@acme.example")
        assert (made.details.department, made.details.mobile_phone) == ("Engines", "")
        (mailbox,) = [one for one in await status(scope, user=made.id) if one.id]
        assert mailbox.level_id == "pc-web"


@at_both_sizes
async def test_what_has_a_password_of_its_own_is_named_before_and_after(
    world_db: Path, size: tuple[int, int]
) -> None:
    async with opened(world_db, "user", "ada", size=size) as (app, pilot):
        context = context_of(app)
        scope = context.scope
        await buy(scope, "databases", level="small", quantity=2)
        await provision(
            scope, "ada@acme.example", [ActionParams("databases", "small", instance="crm")]
        )
        await shows(pilot, "Ada Lovelace", "Databases")
        await pilot.press("l")
        await shows(pilot, "Like Ada Lovelace: gives Managed Exchange")
        said = " ".join(text_of(app).split())
        assert "on the next screen: Databases crm (it has a password of its own)" in said
        await fill_in(app, "kat")
        await pilot.press("f2")
        await until(pilot, lambda: isinstance(app.screen, ProvisionScreen))
        await shows(pilot, "Not given yet: Databases crm (it has a password of its own).")


async def test_services_can_be_left_out_and_what_was_typed_stays(world_db: Path) -> None:
    async with opened(world_db, "templates") as (app, pilot):
        context = context_of(app)
        scope = context.scope
        content = TemplateContent({"department": "Sales", "city": "Perth", "test_user": True})
        await save_template(scope, "Sales", content)
        await save_template(scope, "Reps", TemplateContent({"department": "Reps"}))
        app.screen.go_to("new-user")  # type: ignore[attr-defined]
        await shows(pilot, "New User", "Template")
        screen = app.screen
        assert isinstance(screen, NewUserScreen)
        await screen.query_one("#group-organisation").open_now()  # type: ignore[attr-defined]
        await screen.query_one("#group-like").open_now()  # type: ignore[attr-defined]
        screen.query_one("#made-like").focus()
        await until(pilot, lambda: screen.query_one("#made-like").has_focus)
        await pilot.press("end")
        await shows(pilot, "like Sales", "gives no service")
        department = screen.query_one("#f-department", Field)
        assert department.value == "Sales"
        screen.query_one("#f-title", Field).value = "Chief"
        await pilot.press("left")
        await until(pilot, lambda: department.value == "Reps")
        await pilot.press("home")
        await until(pilot, lambda: department.value == "")
        assert screen.query_one("#f-title", Field).value == "Chief"


@at_both_sizes
async def test_a_template_is_made_from_a_user_renamed_and_removed(
    world_db: Path, size: tuple[int, int]
) -> None:
    async with opened(world_db, "templates", size=size) as (app, pilot):
        context = context_of(app)
        scope = context.scope
        await shows(pilot, "No templates yet")
        await pilot.press("n")
        await shows(pilot, "Which user are new users to be made like?")
        await type_text(pilot, "nobody")
        await pilot.press("enter")
        await shows(pilot, "Nobody is found by this")
        await pilot.press(*["backspace"] * 6)
        await type_text(pilot, "lovel")
        await pilot.press("enter")
        await shows(pilot, "New users like Ada Lovelace get:", "Managed Exchange")
        await type_text(pilot, "Sales")
        await pilot.press("enter")
        await shows(pilot, "Saved: Sales", "Saved by")
        await pilot.press("e")
        await shows(pilot, "What is the template Sales to be called?")
        await type_text(pilot, "Reps")
        await pilot.press("enter")
        await shows(pilot, "Renamed: Reps")
        await pilot.press("delete")
        await shows(pilot, "remove the template Reps?")
        await answer(pilot, "y")
        await until(pilot, lambda: "No templates yet" in text_of(app))
        assert await list_templates(scope) == ()
        assert isinstance(app.screen, TemplatesScreen)


async def test_missing_seats_are_bought_by_one_key_and_what_was_typed_stays(world_db: Path) -> None:
    async with opened(world_db, "templates") as (app, pilot):
        context = context_of(app)
        scope = context.scope
        await provision(scope, "ada@acme.example", [ActionParams("managed-exchange", "popx")])
        content = TemplateContent(services=(TemplateService("managed-exchange", "popx"),))
        await save_template(scope, "mail", content)
        app.screen.go_to("new-user")  # type: ignore[attr-defined]
        await until(pilot, lambda: isinstance(app.screen, NewUserScreen))
        form = app.screen
        assert isinstance(form, NewUserScreen)
        await until(pilot, lambda: "template mail" in form.source._contents)
        await fill_in(app, "kat")
        assert "F7 Buy" not in text_of(app)
        await form.source._choose("template mail")
        await shows(pilot, "(0 free). F7 buys more", "F7 Buy")
        await pilot.press("f2")
        await shows(pilot, "F7 buys more. No free seat of Managed Exchange")
        await pilot.press("f7")
        await shows(pilot, "Email: Standard Mail (POPX)", "How many")
        await until(pilot, lambda: isinstance(app.screen, BuyScreen))
        await pilot.press("escape", "escape")
        await until(pilot, lambda: app.screen is form)
        await buy(scope, "email", level="popx", quantity=1)
        await form.source.load()
        await shows(pilot, "(1 free)", "Katherine")
        assert "F7 Buy" not in text_of(app)
