"""New User: pre-filled, checked while one types, errors beside the fields, nothing typed is lost."""

from __future__ import annotations

from pathlib import Path

from mission_control_tui.model.domains.ownership import add_domain
from mission_control_tui.model.users.queries import details
from mission_control_tui.screens.forms.password_fields import PasswordFields
from mission_control_tui.screens.services.provision import ProvisionScreen
from mission_control_tui.screens.users.new_user import NewUserScreen, UpnOffer
from mission_control_tui.widgets.field import Field
from tests.screens.driving import at_both_sizes, burst, shows, text_of, type_text, until
from tests.screens.users.driving import context_of, opened

PASSWORD = "Kp7m-xR4w-9fTc"


def value(app: object, name: str) -> str:
    return app.screen.query_one(f"#f-{name}", Field).value  # type: ignore[attr-defined,no-any-return]


@at_both_sizes
async def test_all_that_is_compulsory_is_in_view(world_db: Path, size: tuple[int, int]) -> None:
    async with opened(world_db, "new-user", size=size) as (app, pilot):
        await shows(pilot, "@acme.example")
        await pilot.press("f2")
        await shows(pilot, "fields need attention", "[ Provision ]")
        text = text_of(app)
        labels = ["UPN", "First Names", "Last Name", "Display Name", "Username", "Password"]
        for label in labels:
            line = next(line for line in text.splitlines() if line.startswith(f"{label} *"))
            assert "is compulsory" in line, line
        assert "Confirm *" in text
        assert app.screen.query_one("#body").max_scroll_y == 0


LONG = "x" * 40
WORST = {
    "upn": "a b",
    "first-names": LONG + "\x07",
    "last-name": LONG + "\x08",
    "display-name": LONG + "\x1b",
    "username": "a?" * 30,
}


async def test_the_longest_errors_leave_all_that_is_compulsory_in_view(world_db: Path) -> None:
    async with opened(world_db, "new-user") as (app, pilot):
        await shows(pilot, "@acme.example")
        context = context_of(app)
        await add_domain(context.scope, "a-second.example")
        await shows(pilot, "at domain")
        for name, typed in WORST.items():
            app.screen.query_one(f"#f-{name}", Field).value = typed
            await pilot.pause()
        app.screen.query_one("#f-password", Field).value = "short"
        await pilot.press("f2")
        await shows(pilot, "7 fields need attention, from UPN to Confirm", "[ Provision ]")
        await shows(pilot, "the part before the @ cannot have a space", "type the password again")
        lines = text_of(app).splitlines()
        assert lines[1].startswith("7 fields need attention")
        assert next(i for i, line in enumerate(lines) if line.startswith("[ Provision ]")) <= 22
        for name in WORST:
            field = app.screen.query_one(f"#f-{name}", Field)
            said = " ".join(" ".join(lines).split())
            assert field.error or name == "upn"
            assert said.count(field.error or "the part before the @") == 1


@at_both_sizes
async def test_what_needs_attention_is_counted_again_as_it_is_mended(
    world_db: Path, size: tuple[int, int]
) -> None:
    async with opened(world_db, "new-user", size=size) as (app, pilot):
        await shows(pilot, "@acme.example")
        await type_text(pilot, "ada")
        await shows(pilot, "[ Take ada2@acme.example ]")
        await pilot.press("f2")
        await shows(pilot, "5 fields need attention: UPN, First Names, Last Name, Display Name")
        await burst(app, pilot, ["end", *"x"])
        await shows(pilot, "4 fields need attention: First Names, Last Name, Display Name")
        app.screen.query_one("#f-first-names", Field).focus()
        # The display name, which is filled in from the names, is mended with them.
        await type_text(pilot, "Ada")
        await shows(pilot, "2 fields need attention: Last Name, Password")
        app.screen.query_one("#f-last-name", Field).focus()
        await type_text(pilot, "Byron")
        await shows(pilot, "1 field needs attention: Password")
        app.screen.query_one(PasswordFields).generate.focus()
        await pilot.press("enter")
        await until(pilot, lambda: "attention" not in text_of(app))
        assert text_of(app).splitlines()[1].startswith("Fields marked * are compulsory.")


async def test_a_mended_field_that_is_left_wrong_again_counts_again(world_db: Path) -> None:
    async with opened(world_db, "new-user") as (app, pilot):
        await shows(pilot, "@acme.example")
        app.screen.query_one("#f-username", Field).value = "a?"
        await pilot.press("f2")
        await shows(pilot, "6 fields need attention, from UPN to Password")
        app.screen.query_one("#f-username", Field).focus()
        await pilot.press("end", "?")
        await shows(pilot, "5 fields need attention")
        await pilot.press("tab")
        await shows(pilot, "6 fields need attention, from UPN to Password")


async def test_a_taken_upn_is_said_once_and_its_username_follows(world_db: Path) -> None:
    async with opened(world_db, "new-user") as (app, pilot):
        await shows(pilot, "@acme.example")
        await type_text(pilot, "ada")
        await shows(pilot, "[ Take ada2@acme.example ]")
        await pilot.press("f2")
        await shows(pilot, "5 fields need attention: UPN, First Names, Last Name, Display Name")
        assert text_of(app).count("is taken") == 1
        assert "Username" not in text_of(app).splitlines()[1]


async def test_a_username_that_somebody_has_is_filled_in_as_a_free_one(world_db: Path) -> None:
    async with opened(world_db, "new-user") as (app, pilot):
        await shows(pilot, "@acme.example")
        context = context_of(app)
        await add_domain(context.scope, "a-second.example")
        await shows(pilot, "<@acme.example> 2/2")
        await type_text(pilot, "ada@a-second.example")
        await shows(pilot, "ada@a-second.example is free")
        await until(pilot, lambda: value(app, "username") == "ada2")


async def test_enter_goes_from_the_upn_to_the_names_and_tab_to_the_domain(world_db: Path) -> None:
    async with opened(world_db, "new-user") as (app, pilot):
        await shows(pilot, "@acme.example")
        context = context_of(app)
        await add_domain(context.scope, "a-second.example")
        await shows(pilot, "<@acme.example> 2/2")
        await burst(app, pilot, [*"bo.derek", "enter", *"Bo", "enter", *"Derek"])
        await until(pilot, lambda: value(app, "display-name") == "Bo Derek")
        assert value(app, "upn") == "bo.derek"
        app.screen.query_one("#f-upn", Field).input.focus()
        await pilot.press("tab", "a", "-")
        await shows(pilot, "<@a-second.example> 1/2")


async def test_names_are_filled_in_until_they_are_typed_over(world_db: Path) -> None:
    async with opened(world_db, "new-user") as (app, pilot):
        await shows(pilot, "@acme.example")
        await type_text(pilot, "Bo.Derek")
        await pilot.press("enter")
        await type_text(pilot, "Bo")
        await pilot.press("enter")
        await type_text(pilot, "Derek")
        await until(pilot, lambda: value(app, "display-name") == "Bo Derek")
        assert value(app, "username") == "bo.derek"
        await pilot.press("enter")
        await type_text(pilot, "!")
        await pilot.press("shift+tab", "x")
        await until(pilot, lambda: value(app, "last-name") == "Derekx")
        assert value(app, "display-name") == "Bo Derek!"


async def test_a_taken_upn_says_who_has_it_and_enter_takes_a_free_one(world_db: Path) -> None:
    async with opened(world_db, "new-user") as (app, pilot):
        await shows(pilot, "@acme.example")
        await type_text(pilot, "ada")
        await shows(pilot, "[ Take ada2@acme.example ]  is taken by Ada Lovelace")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.focused, UpnOffer))
        await pilot.press("enter")
        await shows(pilot, "ada2@acme.example is free")
        assert value(app, "upn") == "ada2"
        assert app.focused is app.screen.query_one("#f-first-names", Field).input


async def test_enter_in_a_field_never_submits(world_db: Path) -> None:
    async with opened(world_db, "new-user") as (app, pilot):
        await shows(pilot, "@acme.example")
        await pilot.press(*["enter"] * 8)
        await pilot.pause()
        assert isinstance(app.screen, NewUserScreen)
        assert "attention" not in text_of(app)


async def test_rules_are_judged_live_and_a_generated_password_is_shown_once(world_db: Path) -> None:
    async with opened(world_db, "new-user") as (app, pilot):
        await shows(pilot, "@acme.example")
        fields = app.screen.query_one(PasswordFields)
        fields.password.focus()
        await type_text(pilot, "abc")
        await shows(pilot, "× At least 8 characters")  # noqa: RUF001 - the sign for what is not met
        fields.generate.focus()
        await pilot.press("enter")
        await shows(pilot, "√ At least 8 characters", "[ Reveal once ]")
        made = fields.password.value
        assert made not in text_of(app)
        await pilot.press("enter")
        await shows(pilot, made, "shown once")
        await pilot.press("tab")
        await until(pilot, lambda: made not in text_of(app))
        assert "Reveal once" not in text_of(app)
        assert fields.confirm.value == made


async def test_what_was_typed_survives_a_look_elsewhere(world_db: Path) -> None:
    async with opened(world_db, "new-user") as (app, pilot):
        await shows(pilot, "@acme.example")
        await type_text(pilot, "bo")
        app.screen.query_one("#f-password", Field).value = PASSWORD
        await pilot.resize_terminal(60, 20)
        await shows(pilot, "Too small")
        await pilot.resize_terminal(80, 24)
        app.follow_link("requests")
        await shows(pilot, "Requests", "Tries")
        app.follow_link("new-user")
        await shows(pilot, "New User", "[bo ")
        assert value(app, "username") == "bo"
        assert value(app, "password") == PASSWORD


async def test_provision_creates_the_user_and_moves_on(world_db: Path) -> None:
    async with opened(world_db, "new-user") as (app, pilot):
        await shows(pilot, "@acme.example")
        for text in ("bo.derek", "Bo", "Derek"):
            await type_text(pilot, text)
            await pilot.press("enter")
        app.screen.query_one("#f-password", Field).focus()
        for text in (PASSWORD, PASSWORD):
            await type_text(pilot, text)
            await pilot.press("enter")
        await pilot.press("f2")
        await until(pilot, lambda: isinstance(app.screen, ProvisionScreen))
        await shows(
            pilot, "Bo Derek  bo.derek@acme.example", "The user is created", "Managed Exchange"
        )
        context = context_of(app)
        user = await details(context.scope, "bo.derek")
        assert user.details.display_name == "Bo Derek"
        assert user.password_waiting
        await pilot.press("escape")
        app.follow_link("new-user")
        await shows(pilot, "New User", "@acme.example")
        assert value(app, "upn") == ""


async def test_an_error_in_a_folded_group_opens_it(world_db: Path) -> None:
    async with opened(world_db, "new-user") as (app, pilot):
        await shows(pilot, "@acme.example")
        for name, text in (
            ("upn", "bo"),
            ("first-names", "Bo"),
            ("last-name", "Derek"),
            ("password", PASSWORD),
            ("confirm", PASSWORD),
        ):
            app.screen.query_one(f"#f-{name}", Field).value = text
        other = app.screen.query_one("#group-other")
        other.open()  # type: ignore[attr-defined]
        await until(pilot, lambda: app.screen.query("#f-external-email"))
        app.screen.query_one("#f-external-email", Field).value = "nonsense"
        other.close()  # type: ignore[attr-defined]
        await pilot.press("f2")
        await shows(pilot, "1 field needs attention: External Email")
        assert app.focused is app.screen.query_one("#f-external-email", Field).input
