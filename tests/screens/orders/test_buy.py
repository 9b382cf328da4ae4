"""Products and the buy flow by keys: levels, steps back and forth, domains, orders, removal, the way back."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from mission_control_tui.console.base_app import MissionControlApp
from mission_control_tui.console.registrar import asking
from mission_control_tui.model.accounts import overview
from mission_control_tui.model.catalogue.file.shipped import shipped
from mission_control_tui.model.domains.registrar import RegistrarAnswer
from mission_control_tui.model.installation import catalogue_update
from mission_control_tui.model.orders import buying
from mission_control_tui.model.orders import queries as orders
from mission_control_tui.model.store.database import Store
from mission_control_tui.model.store.scope import AccountScope
from mission_control_tui.screens.base.mission_screen import MissionScreen
from mission_control_tui.screens.home import HomeScreen
from mission_control_tui.screens.orders.buy import BuyScreen
from mission_control_tui.screens.orders.order import OrderScreen
from mission_control_tui.screens.orders.product import ProductScreen
from mission_control_tui.screens.service_area import ServiceAreaScreen
from mission_control_tui.settings.settings import Settings
from mission_control_tui.widgets.action_button import ActionButton
from mission_control_tui.widgets.field import ChoiceField, Field
from mission_control_tui.widgets.text_lines import TextLines
from tests.lost_answers import lose_next_answer
from tests.provisioning.connectors import json_objects
from tests.screens import world
from tests.screens.driving import answer, at_both_sizes, console, shows, text_of, type_text, until

ABN = "53004085616"


async def open_product(pilot: Pilot[int], product: str) -> MissionControlApp:
    app = pilot.app
    assert isinstance(app, MissionControlApp)
    screen = app.screen
    assert isinstance(screen, MissionScreen)
    screen.go_to("product", product)
    await until(pilot, lambda: isinstance(app.screen, ProductScreen) and app.screen.query("#buy"))
    await until(pilot, lambda: app.focused is not None)
    return app


def squeezed(text: str) -> str:
    """`text` without spaces and line ends, wherever it was broken."""
    return "".join(text.split())


async def on(pilot: Pilot[int], kind: type[Any]) -> None:
    await until(pilot, lambda: isinstance(pilot.app.screen, kind))


async def to_the_name(pilot: Pilot[int]) -> None:
    """Begin to buy a domain: the focus is in its name."""
    app = await open_product(pilot, "domain-names")
    await pilot.press("enter")
    await on(pilot, BuyScreen)
    await until(pilot, lambda: app.screen.in_field)  # type: ignore[attr-defined]


async def owned(app: MissionControlApp, level: str) -> int:
    seats = await overview.list_seats(AccountScope(app.store.store, world.CALLER, "acme"))
    return sum(one.owned for one in seats if one.level_id == level)


@at_both_sizes
async def test_buy_email_waits_for_a_level_and_leads_to_the_service_area(
    new_db: Path, size: tuple[int, int]
) -> None:
    async with console(new_db, size) as (app, pilot):
        await pilot.press("enter")
        await on(pilot, ProductScreen)
        await shows(pilot, "( BUY EMAIL )  choose a level above")
        await pilot.press("b")
        await shows(pilot, "Choose a level first")
        assert isinstance(app.screen, ProductScreen)
        await pilot.press("down", "enter")
        await shows(pilot, "[ BUY EMAIL ]", "(•) Managed Exchange - PC & Web Access")
        await pilot.press("enter")
        await on(pilot, BuyScreen)
        await shows(pilot, "Step 1 of 2", "with GST 10 % AUD 9.90")
        await until(pilot, lambda: app.screen.in_field)  # type: ignore[attr-defined]
        await pilot.press("backspace", "3", "enter", "enter", "enter")
        await shows(
            pilot, "Step 2 of 2: Review", "3 x AUD 9.00", "AUD 27.00", "AUD 2.70", "AUD 29.70"
        )
        assert "Nothing is bought yet" in text_of(app)
        assert await owned(app, "pc-web") == 0
        await pilot.press("enter")
        await on(pilot, OrderScreen)
        await shows(
            pilot,
            "Order 1 is placed",
            "3 x Managed Exchange - PC & Web Access now available",
            "QUICK LINKS",
        )
        assert await owned(app, "pc-web") == 3
        await pilot.press("enter")
        await on(pilot, ServiceAreaScreen)


async def test_going_back_through_the_steps_keeps_what_was_typed(new_db: Path) -> None:
    async with console(new_db) as (app, pilot):
        await to_the_name(pilot)
        await type_text(pilot, "new.com.au")
        await pilot.press("f7")
        await shows(pilot, "Step 2 of 6", "Availability of new.com.au: not checked")
        await pilot.press("right", "f7")
        await shows(pilot, "Step 3 of 6: Registrant")
        await until(pilot, lambda: app.screen.in_field)  # type: ignore[attr-defined]
        await type_text(pilot, "Acme")
        for step in ("Step 2 of 6", "Step 1 of 6"):
            await pilot.press("escape", "escape")
            await shows(pilot, step)
        assert app.screen.query_one("#domain", Field).value == "new"
        assert app.screen.query_one("#extension", ChoiceField).value == "com-au"
        await pilot.press("f7")
        await shows(pilot, "Step 2 of 6")
        assert app.screen.query_one("#term", ChoiceField).value == "24"
        await pilot.press("f7")
        await shows(pilot, "Step 3 of 6")
        assert app.screen.query_one("#ask-registrant-name", Field).value == "Acme"


async def test_a_registrar_says_what_is_free_and_what_is_taken(
    new_db: Path, tmp_path: Path
) -> None:
    program = [sys.executable, "-IS", json_objects.__file__, str(tmp_path / "objects.json")]
    table = {"type": "exec", "program": program}
    settings = Settings(registrar="registrar", connectors={"registrar": table})
    async with console(new_db) as (app, pilot):
        app.store.ask_registrar = asking(settings, app.store.store)
        await to_the_name(pilot)
        await type_text(pilot, json_objects.TAKEN)
        await pilot.press("f7")
        await shows(pilot, "taken.com is taken, says registrar (as the registry has")
        app.screen.query_one("#domain", Field).value = ""
        await type_text(pilot, "free.com")
        await pilot.press("f7")
        await shows(pilot, "Availability of free.com: free.")


async def test_leaving_the_flow_and_coming_back_keeps_what_was_typed(new_db: Path) -> None:
    async with console(new_db) as (app, pilot):
        await to_the_name(pilot)
        await type_text(pilot, "kept")
        await pilot.press("f9")
        await pilot.press("enter")
        await on(pilot, HomeScreen)
        await open_product(pilot, "domain-names")
        await pilot.press("b")
        await on(pilot, BuyScreen)
        await until(pilot, lambda: app.screen.query_one("#domain", Field).value == "kept")


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("", "is compulsory"),
        ("-dash", "domain name"),
        ("under_score", "it cannot have _"),
        ("a.b", "more than one label"),
        ("acme.nowhere", "more than one label"),
        ("x" * 64, "domain name"),
    ],
)
async def test_a_name_that_breaks_a_rule_stays_with_the_error_beside_it(
    new_db: Path, typed: str, said: str
) -> None:
    async with console(new_db) as (app, pilot):
        await to_the_name(pilot)
        field = app.screen.query_one("#domain", Field)
        field.value = typed
        await pilot.press("f7")
        screen = app.screen
        assert isinstance(screen, BuyScreen)
        await until(pilot, lambda: said in field.error)
        assert field.value == typed
        assert squeezed(text_of(app)).count(squeezed(field.error)) == 1
        await shows(pilot, "1 field needs attention: Domain name")
        assert not screen.announced
        assert "Step 1" in text_of(app)


async def test_international_names_are_bought_in_their_ascii_form(new_db: Path) -> None:
    async with console(new_db) as (app, pilot):
        await to_the_name(pilot)
        app.screen.query_one("#domain", Field).value = "bücher"
        await pilot.press("f7")
        await shows(pilot, "xn--bcher-kva.com: not checked")


async def test_what_a_step_needs_is_counted_again_as_it_is_mended(new_db: Path) -> None:
    async with console(new_db) as (app, pilot):
        await to_the_name(pilot)
        await pilot.press("f7")
        await shows(pilot, "1 field needs attention: Domain name")
        await pilot.press("down", "right")
        await shows(pilot, "Type the name and choose its ending.")
        app.screen.query_one("#domain", Field).value = "new.com.au"
        await pilot.press("f7")
        await shows(pilot, "Step 2")
        await pilot.press("f7")
        await shows(pilot, "Step 3")
        await pilot.press("f7")
        await shows(pilot, "2 fields need attention")
        app.screen.query_one("#ask-registrant-name", Field).value = "Acme Pty Ltd"
        await shows(pilot, "1 field needs attention")
        app.screen.query_one("#ask-registrant-email", Field).value = "me@else.example"
        await shows(pilot, "Fields marked * are compulsory.")


async def test_a_name_that_is_owned_is_refused(new_db: Path) -> None:
    async with console(new_db) as (app, pilot):
        await buying.buy(
            AccountScope(app.store.store, world.CALLER, "acme"),
            "domain-names",
            domain="taken.com",
            fields={"registrant-name": "Acme", "registrant-email": "a@b.example"},
        )
        await open_product(pilot, "domain-names")
        await shows(pilot, "taken.com", "Queued")
        await pilot.press("b")
        await on(pilot, BuyScreen)
        await until(pilot, lambda: app.screen.in_field)  # type: ignore[attr-defined]
        await type_text(pilot, "taken.com")
        await pilot.press("f7")
        await shows(pilot, "The account has taken.com already")


async def au_review(pilot: Pilot[int], number: str) -> None:
    """Fill the flow for an Australian name of a company up to the page Eligibility, and go on."""
    app = pilot.app
    await pilot.press("enter")
    await on(pilot, BuyScreen)
    await until(pilot, lambda: app.screen.in_field)  # type: ignore[attr-defined]
    await type_text(pilot, "new.com.au")
    await pilot.press("f7")
    await shows(pilot, "Step 2")
    await pilot.press("f7")
    await shows(pilot, "Step 3")
    app.screen.query_one("#ask-registrant-name", Field).value = "Acme Pty Ltd"
    app.screen.query_one("#ask-registrant-email", Field).value = "me@else.example"
    await pilot.press("f7")
    await shows(pilot, "Step 4 of 6: Eligibility")
    app.screen.query_one("#ask-eligibility-type", ChoiceField).value = "company"
    app.screen.query_one("#ask-eligibility-number", Field).value = number
    await pilot.press("f7")


async def test_an_abn_with_a_wrong_check_digit_is_refused_in_place(new_db: Path) -> None:
    async with console(new_db) as (app, pilot):
        await open_product(pilot, "domain-names")
        await au_review(pilot, "53004085617")
        await shows(pilot, "is neither a valid ABN nor a valid ACN", "Step 4 of 6")
        assert text_of(app).count("nor a valid ACN") == 1
        await shows(pilot, "1 field needs attention: ABN or ACN", "check digits do not agree")
        field = app.screen.query_one("#ask-eligibility-number", Field)
        assert "53004085617" in field.error
        field.value = ABN
        await pilot.press("f7")
        await shows(pilot, "Step 5 of 6: Name servers")
        await pilot.press("f7")
        await shows(pilot, "Step 6 of 6: Review", "not checked", "AUD 16.50", ABN)
        await pilot.press("b")
        await on(pilot, OrderScreen)
        await shows(pilot, "new.com.au is being registered")


async def test_a_name_typed_in_its_ascii_form_is_asked_about_with_its_letters(
    new_db: Path,
) -> None:
    async with console(new_db) as (app, pilot):
        await to_the_name(pilot)
        await type_text(pilot, "xn--bcher-kva.com")
        for step in ("Step 2", "Step 3"):
            await pilot.press("f7")
            await shows(pilot, step)
        app.screen.query_one("#ask-registrant-name", Field).value = "Acme Pty Ltd"
        app.screen.query_one("#ask-registrant-email", Field).value = "me@else.example"
        for step in ("Step 4", "Review"):
            await pilot.press("f7")
            await shows(pilot, step)
        await pilot.press("b")
        await shows(pilot, "xn--bcher-kva.com reads bücher.com: is that meant?")
        await answer(pilot, "n")
        assert isinstance(app.screen, BuyScreen)
        await pilot.press("b")
        await answer(pilot, "y")
        await on(pilot, OrderScreen)


async def test_a_name_that_somebody_got_while_it_was_filled_in_is_not_ordered(new_db: Path) -> None:
    says = {"new.com.au": True}

    async def ask(name: str) -> RegistrarAnswer:
        return RegistrarAnswer(name, says[name], "the registry")

    async with console(new_db) as (app, pilot):
        app.store.ask_registrar = ask
        await open_product(pilot, "domain-names")
        await au_review(pilot, ABN)
        await pilot.press("f7")
        await shows(pilot, "Step 6 of 6: Review")
        says["new.com.au"] = False
        await pilot.press("b")
        await shows(pilot, "new.com.au is taken, says the registry")
        assert isinstance(app.screen, BuyScreen)
        placed = await orders.list_orders(AccountScope(app.store.store, world.CALLER, "acme"))
        assert not placed
        says["new.com.au"] = True
        await pilot.press("b")
        await on(pilot, OrderScreen)


async def test_details_that_do_not_agree_wait_for_approval_and_can_be_approved(
    new_db: Path,
) -> None:
    async with console(new_db) as (app, pilot):
        await open_product(pilot, "domain-names")
        await au_review(pilot, ABN)
        await shows(pilot, "Step 5 of 6")
        await pilot.press("escape", "escape")
        await shows(pilot, "Step 4 of 6")
        app.screen.query_one("#ask-eligibility-type", ChoiceField).value = "other"
        await pilot.press("f7")
        await shows(pilot, "Step 5 of 6")
        await pilot.press("f7")
        await shows(pilot, "Step 6 of 6", "waits for approval")
        await pilot.press("b")
        await on(pilot, OrderScreen)
        await shows(pilot, "is awaiting approval", "[ Approve ]")
        button = app.screen.query_one("#approve", ActionButton)
        button.focus()
        await pilot.press("enter", "enter")
        await shows(pilot, "Nothing was changed")
        await pilot.press("enter")
        await answer(pilot, "y")
        await shows(pilot, "is complete", "new.com.au is being registered")


async def test_the_price_of_the_review_is_the_price_that_is_paid(new_db: Path) -> None:
    async with console(new_db) as (app, pilot):
        await open_product(pilot, "email")
        await pilot.press("space", "enter")
        await on(pilot, BuyScreen)
        await shows(pilot, "Step 1 of 2")
        await pilot.press("f7")
        await shows(pilot, "Step 2 of 2", "AUD 3.30")
        dearer = shipped().replace("prices = { 1 = 300,", "prices = { 1 = 400,")
        other = await Store.open(new_db)
        await catalogue_update.load(other, world.CALLER, dearer, "dearer.toml")
        await other.close()
        await pilot.press("enter")
        await shows(pilot, "The price has changed", "AUD 4.40")
        assert await orders.list_orders(AccountScope(app.store.store, world.CALLER, "acme")) == ()
        await pilot.press("enter")
        await on(pilot, OrderScreen)
        placed = await orders.list_orders(AccountScope(app.store.store, world.CALLER, "acme"))
        assert [str(order.total) for order in placed] == ["AUD 4.40"]


async def test_a_double_press_places_one_order(new_db: Path) -> None:
    async with console(new_db) as (app, pilot):
        await open_product(pilot, "email")
        await pilot.press("space", "enter")
        await on(pilot, BuyScreen)
        await shows(pilot, "Step 1 of 2")
        await pilot.press("f7")
        await shows(pilot, "Step 2 of 2")
        await pilot.press("b", "b", "b")
        await on(pilot, OrderScreen)
        assert (
            len(await orders.list_orders(AccountScope(app.store.store, world.CALLER, "acme"))) == 1
        )


async def lose_an_order(pilot: Pilot[int], monkeypatch: pytest.MonkeyPatch) -> None:
    """Buy one mailbox, and never hear whether it was bought."""
    await to_the_review(pilot)
    lose_next_answer(monkeypatch)
    await pilot.press("f7")
    await shows(pilot, "was being committed")


async def to_the_review(pilot: Pilot[int], quantity: str = "1") -> None:
    await open_product(pilot, "email")
    await pilot.press("space", "enter")
    await on(pilot, BuyScreen)
    await shows(pilot, "Step 1 of 2")
    await until(pilot, lambda: bool(pilot.app.screen.query("#quantity")))
    pilot.app.screen.query_one("#quantity", Field).value = quantity
    await pilot.press("f7")
    await shows(pilot, "Step 2 of 2")


async def test_an_order_whose_answer_is_lost_is_placed_once_also_after_leaving_the_form(
    new_db: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with console(new_db) as (app, pilot):
        await lose_an_order(pilot, monkeypatch)
        assert await owned(app, "popx") == 1
        await pilot.press("f9", "enter")
        await on(pilot, HomeScreen)
        # Another order is another one.
        await to_the_review(pilot, "2")
        assert "already" not in text_of(app)
        await pilot.press("f9", "enter")
        await on(pilot, HomeScreen)
        await to_the_review(pilot)
        await shows(pilot, "was placed with this key already")
        await pilot.press("f7")
        await on(pilot, OrderScreen)
        assert await owned(app, "popx") == 1


async def test_a_draft_keeps_the_key_of_an_order_that_nobody_knows_of(
    new_db: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with console(new_db) as (app, pilot):
        await lose_an_order(pilot, monkeypatch)
        await pilot.press("f9", "enter")
        await on(pilot, HomeScreen)
    async with console(new_db) as (app, pilot):
        app.screen.go_to("drafts")  # type: ignore[attr-defined]
        await shows(pilot, "Buy")
        await until(pilot, lambda: app.focused is not None)
        await pilot.press("enter")
        await on(pilot, BuyScreen)
        await shows(pilot, "Step 1 of 2")
        await pilot.press("f7")
        await shows(pilot, "was placed with this key already")
        await pilot.press("f7")
        await on(pilot, OrderScreen)
        assert await owned(app, "popx") == 1


async def test_a_quantity_is_typed_over_the_proposed_one(new_db: Path) -> None:
    async with console(new_db) as (app, pilot):
        await open_product(pilot, "email")
        await pilot.press("space", "enter")
        await on(pilot, BuyScreen)
        await shows(pilot, "Step 1 of 2", "1 x AUD")
        await pilot.press("3")
        assert app.screen.query_one("#quantity", Field).value == "3"
        await shows(pilot, "3 x AUD")


@pytest.mark.parametrize("typed", ["0", "1001", "many", "", "٣"])
async def test_a_quantity_that_cannot_be_bought_is_refused_beside_the_field(
    new_db: Path, typed: str
) -> None:
    async with console(new_db) as (app, pilot):
        await open_product(pilot, "email")
        await pilot.press("space", "enter")
        await on(pilot, BuyScreen)
        await shows(pilot, "Step 1 of 2")
        field = app.screen.query_one("#quantity", Field)
        field.value = typed
        await pilot.press("f7")
        await until(pilot, lambda: field.error)
        assert "outside 1 to 1000" in field.error
        assert text_of(app).count("outside 1 to 1000") == 1
        assert field.value == typed


async def test_hosting_asks_for_the_domain_to_attach(new_db: Path) -> None:
    async with console(new_db) as (app, pilot):
        await open_product(pilot, "web-hosting")
        await pilot.press("b")
        await on(pilot, BuyScreen)
        await shows(pilot, "Step 1 of 4: Level")
        await pilot.press("down", "space")
        await pilot.press("enter")
        await shows(pilot, "Step 2 of 4: Domain", "acme.example")
        await pilot.press("f7")
        await shows(pilot, "Step 3 of 4", "AUD 22.00")
        await pilot.press("f7")
        await shows(pilot, "Step 4 of 4", "acme.example")
        await pilot.press("b")
        await on(pilot, OrderScreen)
        await until(pilot, lambda: "Business now available" in text_of(app))


async def test_the_prefilled_flow_comes_back_to_the_same_spot(world_db: Path) -> None:
    async with console(world_db) as (app, pilot):
        await pilot.press("down")
        home = app.screen
        assert isinstance(home, MissionScreen)
        home.open_buy("managed-exchange", "pc-web-mobile")
        await on(pilot, BuyScreen)
        await shows(pilot, "Step 1 of 2", "PC, Web & Mobile Access")
        await pilot.press("f7")
        await shows(pilot, "Step 2 of 2")
        await pilot.press("b")
        await until(pilot, lambda: app.screen is home)
        await shows(pilot, "Order 3: bought 1 x Email", "4/8 used")
        assert app.focused is not None
        assert app.focused.id == "services"


async def test_removal_is_refused_while_users_hold_it_naming_them(world_db: Path) -> None:
    async with console(world_db) as (app, pilot):
        await open_product(pilot, "email")
        await pilot.press("down", "tab", "tab", "enter")
        await until(pilot, lambda: app.screen.query("#removed"))
        app.screen.query_one("#removed", Field).value = "3"
        app.screen.query_one("#remove", ActionButton).focus()
        await pilot.press("enter")
        await shows(pilot, "ada@acme.example, alan@acme.example, grace@acme.example")
        assert text_of(app).count("are held") + text_of(app).count("held, by") == 1
        assert await owned(app, "pc-web") == 5
        app.screen.query_one("#removed", Field).value = "2"
        await pilot.press("enter")
        await shows(pilot, "Acme Pty Ltd: remove 2 x Managed", "Owned 5, then 3; free 0", "[ No ]")
        await pilot.press("enter")
        await shows(pilot, "Nothing was changed")
        assert await owned(app, "pc-web") == 5
        await pilot.press("enter")
        await shows(pilot, "[ No ]")
        await answer(pilot, "y")
        await shows(pilot, "Removed 2 x Managed")
        assert await owned(app, "pc-web") == 3
        assert app.screen.query_one("#problem", TextLines).text == ""


async def test_a_removal_whose_answer_is_lost_happens_once_however_often_it_is_asked_for(
    world_db: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with console(world_db) as (app, pilot):
        await open_product(pilot, "email")
        await pilot.press("down", "tab", "tab", "enter")
        await until(pilot, lambda: app.screen.query("#removed"))
        app.screen.query_one("#removed", Field).value = "1"
        app.screen.query_one("#remove", ActionButton).focus()
        await pilot.press("enter")
        await shows(pilot, "Owned 5, then 4")
        lose_next_answer(monkeypatch)
        await answer(pilot, "y")
        await shows(pilot, "was being committed")
        assert await owned(app, "pc-web") == 4
        app.screen.query_one("#remove", ActionButton).focus()
        await pilot.press("enter")
        await shows(pilot, "was placed with this key already")
        await answer(pilot, "y")
        await shows(pilot, "Removed 1 x Managed")
        assert await owned(app, "pc-web") == 4
        # What has an answer is another order when it is asked for again.
        await pilot.press("enter")
        await shows(pilot, "Owned 4, then 3")


async def test_removal_is_offered_of_what_was_bought_alone(world_db: Path) -> None:
    async with console(world_db) as (app, pilot):
        await open_product(pilot, "email")
        await shows(pilot, "Remove  Standard Mail (POPX)")
        assert "none was bought" not in text_of(app)
        await pilot.press("end")
        await shows(pilot, "Remove  Managed Exchange - PC, Web & Mobile Access: none was bought")
        await pilot.press("tab", "tab", "enter")
        await shows(pilot, "( Remove )  none was bought")
        app.screen.query_one("#removed", Field).value = "1"
        app.screen.query_one("#remove", ActionButton).focus()
        await pilot.press("enter")
        await shows(pilot, "Choose a level that was bought")
        assert app.focused is app.screen.query_one("#levels")
        await pilot.press("home")
        await shows(pilot, "[ Remove ]")


async def test_no_removal_is_offered_where_nothing_was_bought(new_db: Path) -> None:
    async with console(new_db) as (app, pilot):
        await open_product(pilot, "email")
        await until(pilot, lambda: "Remove" not in text_of(app))
        await pilot.press("tab", "tab")
        assert app.focused is app.screen.query_one("#levels")


async def test_a_domain_with_addresses_is_not_removed(world_db: Path) -> None:
    async with console(world_db) as (app, pilot):
        await open_product(pilot, "domain-names")
        await shows(pilot, "acme.example", "Owned elsewhere")
        await pilot.press("tab", "enter")
        await shows(pilot, "Its services", "Remove it")
        await pilot.press("end", "enter")
        await shows(pilot, "Users have addresses in acme.example: ada@acme.example")
        assert isinstance(app.screen, ProductScreen)
