"""The Account screen: contacts in place, the limit, orders decided, the statement written, usage and domains."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import update
from textual.pilot import Pilot

from mission_control_tui.console.base_app import MissionControlApp
from mission_control_tui.model.accounts import contacts
from mission_control_tui.model.accounts.contacts import Contact, ContactRole
from mission_control_tui.model.accounts.editing import create_account
from mission_control_tui.model.accounts.overview import show
from mission_control_tui.model.domains.ownership import add_domain
from mission_control_tui.model.domains.registrar import RegistrarAnswer
from mission_control_tui.model.money import Money
from mission_control_tui.model.orders import approval, buying
from mission_control_tui.model.orders.queries import show_order
from mission_control_tui.model.states import Light, OrderState, Word
from mission_control_tui.model.store.database import Store
from mission_control_tui.model.store.scope import AccountScope
from mission_control_tui.model.store.tables.accounts import DomainRow
from mission_control_tui.model.store.tables.services import AssignmentRow
from mission_control_tui.model.users import editing
from mission_control_tui.widgets.field import Field
from mission_control_tui.widgets.fold import Fold
from mission_control_tui.widgets.row_list import RowList
from tests.lost_answers import lose_next_answer
from tests.screens import world
from tests.screens.driving import answer, at_both_sizes, shows, text_of, type_text, until
from tests.screens.hostile import TEXT, poison
from tests.screens.test_hostile import look_at
from tests.screens.users.driving import context_of, opened

ACCOUNT = "acme"

PANELS = ("contacts", "orders", "approval", "statement", "usage", "domains")


async def stored(path: Path) -> tuple[Contact, ...]:
    store = await Store.open(path)
    try:
        return await contacts.list_contacts(AccountScope(store, world.CALLER, ACCOUNT))
    finally:
        await store.close()


async def retype(pilot: Pilot[int], text: str) -> None:
    """Put another text into the focused field."""
    await pilot.press("end", *["backspace"] * 40)
    await type_text(pilot, text)


@at_both_sizes
async def test_every_panel_opens_by_keys_and_the_titles_say_the_most(
    world_db: Path, size: tuple[int, int]
) -> None:
    async with opened(world_db, "account", size=size) as (app, pilot):
        await shows(pilot, "Contacts  Rita Field rita@acme.example", "Orders  2", "no limit")
        await shows(pilot, "ordered this month: AUD 56.10", "4 of 7 seats held", "Domains  1")
        for name in PANELS:
            fold = app.screen.query_one(f"#{name}", Fold)
            fold.focus()
            await pilot.press("enter")
            await until(pilot, lambda fold=fold: fold.is_open)  # type: ignore[misc]
            await pilot.press("enter")
            await until(pilot, lambda fold=fold: not fold.is_open)  # type: ignore[misc]


async def test_contacts_are_changed_in_place_and_errors_stand_beside_their_fields(
    world_db: Path,
) -> None:
    async with opened(world_db, "account", "contacts") as (app, pilot):
        await shows(pilot, "rita@acme.example  ")
        await pilot.press("down", "down", "down", "down")
        await type_text(pilot, "Zoe")
        await pilot.press("down")
        await type_text(pilot, "nonsense")
        await pilot.press("down")
        await type_text(pilot, "12")
        await pilot.press("tab", "enter")
        await shows(pilot, "is not an e-mail address", "too few digits")
        focused = app.screen.focused
        assert focused is not None
        assert isinstance(focused.parent, Field)
        assert focused.parent.label == "Secondary e-mail"
        await retype(pilot, "zoe@acme.example")
        await pilot.press("down")
        await retype(pilot, "")
        await pilot.press("tab", "enter")
        await shows(pilot, "The contacts are saved", "Rita Field rita@acme.example, and 1 more")
    assert await stored(world_db) == (
        Contact(ContactRole.PRIMARY, "Rita Field", "rita@acme.example"),
        Contact(ContactRole.SECONDARY, "Zoe", "zoe@acme.example"),
    )


async def test_a_stale_save_shows_the_difference_and_keeps_what_was_typed(world_db: Path) -> None:
    async with opened(world_db, "account", "contacts") as (app, pilot):
        await shows(pilot, "rita@acme.example  ")
        await pilot.press("down")
        await retype(pilot, "Mine")
        context = context_of(app)
        other = [Contact(ContactRole.PRIMARY, "Theirs", "rita@acme.example")]
        await contacts.set_contacts(
            AccountScope(context.store, world.CALLER, context.account_id), other
        )
        await pilot.press("tab", "tab", "tab", "tab", "tab", "tab", "enter")
        await shows(
            pilot,
            'primary name: "Rita Field" -> "Theirs"',
            "Not saved, and nothing is lost",
            "[Mine ",
        )
        assert (await stored(world_db))[0].name == "Theirs"
        await pilot.press("enter")
        await shows(pilot, "The contacts are saved")
    assert (await stored(world_db))[0].name == "Mine"


async def test_what_was_typed_is_there_when_one_comes_back(world_db: Path) -> None:
    async with opened(world_db, "account", "contacts") as (app, pilot):
        await shows(pilot, "rita@acme.example  ")
        await pilot.press("down")
        await retype(pilot, "Half a na")
        app.follow_link("home")
        await shows(pilot, "This month")
        app.follow_link("account")
        await shows(pilot, "[Half a na ", "rita@acme.example  ")
    assert (await stored(world_db))[0].name == "Rita Field"


async def test_a_limit_is_set_an_order_waits_and_is_approved_with_its_question(
    world_db: Path,
) -> None:
    async with opened(world_db, "account", "approval") as (app, pilot):
        await shows(pilot, "empty: no order waits", "No order waits for approval")
        await pilot.press("down")
        await type_text(pilot, "ten")
        await pilot.press("tab", "enter")
        await shows(pilot, "it is no amount in AUD")
        await retype(pilot, "10")
        await pilot.press("tab", "enter")
        await shows(pilot, "Orders above AUD 10.00 wait for approval")
        context = context_of(app)
        scope = AccountScope(context.store, world.CALLER, context.account_id)
        order = (await buying.buy(scope, "email", level="popx", quantity=9)).result
        await shows(pilot, "awaiting approval: 9 x Email")
        await pilot.press("tab", "enter")
        await shows(pilot, f"Order {order.id} is awaiting approval", "is more than AUD 10.00")
        await pilot.press("enter")
        await shows(pilot, f"approve order {order.id}, AUD 29.70?", "[ No ]  [ Approve ]")
        await pilot.press("enter")
        await shows(pilot, "Nothing was changed")
        assert (await show_order(scope, order.id)).state is OrderState.AWAITING_APPROVAL
        await pilot.press("enter")
        await answer(pilot, "y")
        await shows(pilot, f"Order {order.id} is approved", "Complete by fred")
        assert (await show_order(scope, order.id)).state is OrderState.COMPLETE


async def test_declining_asks_for_a_reason_and_cancelling_takes_back(world_db: Path) -> None:
    async with opened(world_db, "account", "orders") as (app, pilot):
        context = context_of(app)
        scope = AccountScope(context.store, world.CALLER, context.account_id)
        await approval.set_approval_limit(scope, Money(1, "AUD"))
        order = (await buying.buy(scope, "email", level="popx")).result
        await approval.set_approval_limit(scope, None)
        free = (await buying.buy(scope, "email", level="popx")).result
        await until(pilot, lambda: app.screen.query_one("#order-list", RowList).count == 4)
        app.screen.query_one("#order-list", RowList).focus()
        await pilot.press("home", "down", "enter")
        await shows(pilot, f"Order {order.id} is awaiting approval")
        await pilot.press("tab", "enter")
        await shows(pilot, "say why")
        await type_text(pilot, "too dear")
        await pilot.press("tab", "tab", "enter")
        await answer(pilot, "y")
        await shows(pilot, f"Order {order.id} is declined", "Reason: too dear")
        await pilot.press("escape")
        app.screen.query_one("#order-list", RowList).focus()
        await pilot.press("home", "enter")
        await shows(pilot, f"Order {free.id} is complete", "[ Cancel order ]")
        app.screen.query_one("#cancel").focus()
        await pilot.press("enter")
        await shows(pilot, "say why")
        await type_text(pilot, "ordered twice")
        app.screen.query_one("#cancel").focus()
        await pilot.press("enter")
        await shows(pilot, "Its cost is credited", "[ Take it back ]")
        await answer(pilot, "y")
        await shows(pilot, f"Order {free.id} is returned")


async def test_a_price_that_changed_is_asked_about(world_db: Path) -> None:
    from mission_control_tui.model.catalogue.file.shipped import shipped
    from mission_control_tui.model.installation.catalogue_update import load

    async with opened(world_db, "account", "approval") as (app, pilot):
        context = context_of(app)
        scope = AccountScope(context.store, world.CALLER, context.account_id)
        await approval.set_approval_limit(scope, Money(1, "AUD"))
        order = (await buying.buy(scope, "email", level="popx")).result
        dearer = shipped().replace("prices = { 1 = 300,", "prices = { 1 = 400,")
        await load(context.store, world.CALLER, dearer, "dearer.toml")
        await shows(pilot, "awaiting approval: 1 x Email")
        app.screen.query_one("#waiting-list", RowList).focus()
        await pilot.press("enter")
        await shows(pilot, "is awaiting approval")
        await pilot.press("enter")
        await answer(pilot, "y")
        await shows(pilot, "was agreed at AUD 3.30, and it costs AUD 4.40 now")
        await answer(pilot, "y")
        await shows(pilot, f"Order {order.id} is approved")
        assert (await show_order(scope, order.id)).total == Money(330, "AUD")


async def test_the_registrar_is_asked_again_before_a_name_is_approved(world_db: Path) -> None:
    fields = {"registrant-name": "Acme", "registrant-email": "owner@acme.example"}
    says: dict[str, bool | None] = {"acme-one.com": False, "acme-two.com": None}

    async def ask(name: str) -> RegistrarAnswer:
        return RegistrarAnswer(name, says[name], "the registry")

    async with opened(world_db, "account", "approval") as (app, pilot):
        context = context_of(app)
        scope = AccountScope(context.store, world.CALLER, context.account_id)
        await approval.set_approval_limit(scope, Money(1, "AUD"))
        one, two = [
            (await buying.buy(scope, "domain-names", domain=name, fields=fields)).result
            for name in says
        ]
        app.store.ask_registrar = ask
        waiting = app.screen.query_one("#waiting-list", RowList)
        await until(pilot, lambda: waiting.count == 2)
        waiting.focus()
        await pilot.press("home", "enter")
        await shows(pilot, f"Order {two.id} is awaiting approval")
        await pilot.press("enter")
        await answer(pilot, "y")
        await shows(pilot, "Whether acme-two.com is free was not checked: the registry.")
        await answer(pilot, "y")
        await shows(pilot, f"Order {two.id} is approved")
        await pilot.press("escape")
        app.screen.query_one("#waiting-list", RowList).focus()
        await pilot.press("home", "enter")
        await shows(pilot, f"Order {one.id} is awaiting approval")
        await pilot.press("enter")
        await answer(pilot, "y")
        await shows(pilot, "cannot be approved any more: acme-one.com is taken")
        assert (await show_order(scope, one.id)).state is OrderState.AWAITING_APPROVAL
        assert (await show_order(scope, two.id)).state is OrderState.COMPLETE


async def test_the_statement_is_written_where_it_says(
    world_db: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    async with opened(world_db, "account") as (app, pilot):
        await shows(pilot, "Orders  2")
        await pilot.press("w")
        await shows(pilot, "Total AUD 56.10", f"Written to {str(tmp_path)[:20]}")
        (written,) = tmp_path.glob("*.pdf")
        assert written.read_bytes().startswith(b"%PDF")
        await pilot.press("w")
        await until(
            pilot,
            lambda: "is there already" in app.screen.query_one("#statement-file", Field).error,
        )
        await retype(pilot, "mine.csv")
        await pilot.press("tab", "enter")
        await until(pilot, (tmp_path / "mine.csv").exists)


async def test_a_statement_whose_libraries_are_missing_says_how_to_install_them(
    world_db: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in [name for name in sys.modules if name.partition(".")[0] == "reportlab"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "reportlab", None)
    async with opened(world_db, "account") as (_app, pilot):
        await shows(pilot, "Orders  2")
        await pilot.press("w")
        await shows(pilot, "A PDF needs reportlab", "-m pip install", "'mission-control-tui[pdf]'")
        await retype(pilot, "mine.csv")
        await pilot.press("tab", "enter")
        await until(pilot, (tmp_path / "mine.csv").exists)
        assert list(tmp_path.glob("*.pdf")) == []


async def test_idle_seats_lead_to_their_user(world_db: Path) -> None:
    async with opened(world_db, "account", "usage") as (app, pilot):
        await shows(pilot, "A month AUD")
        context = context_of(app)
        scope = AccountScope(context.store, world.CALLER, context.account_id)
        await editing.disable_user(scope, "ada")
        await shows(pilot, "ada@acme.example", "disabled")
        app.screen.query_one("#idle-list", RowList).focus()
        await pilot.press("home", "enter")
        await shows(pilot, "User Functions", "Ada Lovelace")


async def test_domains_say_their_state_and_those_that_wait_lead_to_their_order(
    world_db: Path,
) -> None:
    async with opened(world_db, "account", "domains") as (app, pilot):
        await shows(pilot, "acme.example", "owned elsewhere")
        context = context_of(app)
        scope = AccountScope(context.store, world.CALLER, context.account_id)
        await approval.set_approval_limit(scope, Money(0, "AUD"))
        registrant = {"registrant-name": "Acme", "registrant-email": "owner@acme.example"}
        await buying.buy(scope, "domain-names", domain="a-new-one.com", fields=registrant)
        await shows(pilot, "a-new-one.com", "waiting for approval")
        rows = app.screen.query_one("#domain-list", RowList)
        rows.focus()
        await pilot.press("end", "enter")
        await shows(pilot, "acme.example  owned elsewhere", "This domain has no services")
        await pilot.press("escape")
        await shows(pilot, "a-new-one.com")
        await pilot.press("home", "enter")
        await shows(pilot, "is awaiting approval")
        assert isinstance(app, MissionControlApp)
        assert "Approve" in text_of(app)


async def test_a_name_below_a_domain_is_allowed_to_another_account_and_taken_back(
    world_db: Path,
) -> None:
    store = await Store.open(world_db)
    async with opened(world_db, "account", "domains") as (app, pilot):
        await shows(pilot, "Nothing is allowed to other accounts")
        await create_account(store, world.CALLER, name="Evil", code="evil", domains=["e.example"])
        app.screen.query_one("#allow-name", Field).focus()
        await type_text(pilot, "mail.elsewhere.example")
        await pilot.press("tab")
        await type_text(pilot, "evil")
        await pilot.press("tab", "enter")
        await shows(pilot, "neither below nor above a domain of this account")
        app.screen.query_one("#allow-name", Field).focus()
        await retype(pilot, "mail.acme.example")
        await pilot.press("tab", "tab", "enter")
        await shows(pilot, "mail.acme.example is allowed to evil")
        await add_domain(AccountScope(store, world.CALLER, "evil"), "mail.acme.example")
        app.screen.query_one("#consent-list", RowList).focus()
        await pilot.press("home", "enter")
        await shows(pilot, "take back that evil may have mail.acme.example?")
        await answer(pilot, "y")
        await shows(pilot, "Nothing is allowed to other accounts")
    await store.close()


async def test_a_domain_that_ends_is_said_on_home_and_renewed_from_its_row(
    world_db: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = await Store.open(world_db)
    scope = AccountScope(store, world.CALLER, ACCOUNT)
    registrant = {"registrant-name": "Acme", "registrant-email": "owner@acme.example"}
    await buying.buy(scope, "domain-names", domain="a-new-one.com", fields=registrant)
    async with store.write(world.CALLER, (await show(scope)).account.id) as tx:
        long_ago = datetime.now(UTC) - timedelta(days=370)
        await tx.session.execute(
            update(DomainRow).where(DomainRow.bought).values(added_at=long_ago)
        )
        await tx.session.execute(
            update(AssignmentRow)
            .where(AssignmentRow.domain_id.is_not(None))
            .values(light=Light.GREEN, word=Word.PROVISIONED)
        )
    await store.close()
    async with opened(world_db, "home") as (_app, pilot):
        await shows(pilot, "a-new-one.com: term ended", "over")
    async with opened(world_db, "account", "domains") as (app, pilot):
        await shows(pilot, "term is over", "a-new-one.com ended")
        app.screen.query_one("#domain-list", RowList).focus()
        await pilot.press("home", "enter")
        await shows(pilot, "Renew for 1 year", "AUD 19.80", "Do not renew by itself")
        await pilot.press("down", "enter")
        await shows(pilot, "renew a-new-one.com for 2 years?", "AUD 38.50 with tax")
        lose_next_answer(monkeypatch)
        await answer(pilot, "y")
        await shows(pilot, "was being committed")
        await pilot.press("enter")
        await shows(pilot, "Renew for 2 years")
        await pilot.press("down", "enter")
        await shows(pilot, "renew a-new-one.com for 2 years?")
        await answer(pilot, "y")
        renewed = "Domain Names: a-new-one.com, renewed for 2 years"
        await shows(pilot, f"was placed already: {renewed}", "registered")


@pytest.mark.proof
@at_both_sizes
async def test_hostile_text_is_harmless_in_every_panel(
    world_db: Path, size: tuple[int, int]
) -> None:
    store = await Store.open(world_db)
    await approval.set_approval_limit(AccountScope(store, world.CALLER, ACCOUNT), Money(1, "AUD"))
    await buying.buy(AccountScope(store, world.CALLER, ACCOUNT), "email", level="popx")
    await editing.disable_user(AccountScope(store, world.CALLER, ACCOUNT), "ada")
    await store.close()
    await poison(world_db, TEXT)
    async with opened(world_db, "account", size=size) as (app, pilot):
        for name in PANELS:
            fold = app.screen.query_one(f"#{name}", Fold)
            fold.focus()
            await pilot.press("enter")
            await until(pilot, lambda fold=fold: fold.is_open)  # type: ignore[misc]
            await pilot.pause(0.1)
            for key in ("tab", "tab", "enter", "escape"):
                look_at(app, f"{name} before {key}")
                await pilot.press(key)
            while app.screen is not fold.screen:
                app.pop_screen()
                await pilot.pause()
            fold.close()
