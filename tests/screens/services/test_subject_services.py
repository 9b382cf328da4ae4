"""The panels of a domain's services: reached from Domain Names and from its light, with settings, drift and verbs."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import update

from mission_control_tui.model.orders import buying
from mission_control_tui.model.requests.orphans import LostObject, remove_orphans
from mission_control_tui.model.schedules.queries import list_schedules
from mission_control_tui.model.services.lights import status
from mission_control_tui.model.services.subjects import THE_ACCOUNT, of_domain
from mission_control_tui.model.states import Light, Word
from mission_control_tui.model.store.tables.services import AssignmentRow
from mission_control_tui.screens.accounts.account import AccountScreen
from mission_control_tui.screens.services.light_places import light_place
from mission_control_tui.screens.services.service_panel import UserServicePanel
from mission_control_tui.widgets.fold import Fold
from mission_control_tui.widgets.row_list import RowList
from tests.model.helpers import finish
from tests.screens.driving import answer, shows, type_text
from tests.screens.users.driving import context_of, opened

DOMAIN = "a-new-one.com"
REGISTRANT = {"registrant-name": "Acme", "registrant-email": "owner@acme.example"}


async def test_drift_and_settings_of_a_domain_are_mended_from_domain_names(world_db: Path) -> None:
    async with opened(world_db, "account", "domains") as (app, pilot):
        context = context_of(app)
        await shows(pilot, "acme.example")
        await buying.buy(context.scope, "domain-names", domain=DOMAIN, fields=REGISTRANT)
        await finish(context.store, context.caller, context.account)
        async with context.store.write(context.caller, context.account_id) as tx:
            bought = AssignmentRow.domain_id.is_not(None)
            await tx.session.execute(update(AssignmentRow).where(bought).values(drift=True))
        app.apply_changes(["store"])
        await shows(pilot, DOMAIN, "registered (drift)")
        app.screen.query_one("#domain-list", RowList).focus()
        await pilot.press("home", "enter")
        await shows(pilot, "Renew for 1 year", "Its services")
        await pilot.press("end", "enter")
        await shows(pilot, f"{DOMAIN}  registered", "Provisioned (not as wished)")

        panel = app.screen.query_one("#panel-domain-registration", UserServicePanel)
        await panel.open_now()
        for fold in panel.query(Fold).results(Fold):
            await fold.open_now()
        servers = panel.option_widget("name-servers")
        assert servers is not None
        servers.focus()
        await type_text(pilot, "ns1.acme.example,ns2.acme.example")
        await pilot.press("f2")
        await shows(pilot, "Asked for: Domain Registration", "Queued")
        (view,) = await status(context.scope, user=of_domain(DOMAIN))
        assert view.settings["name-servers"] == ["ns1.acme.example", "ns2.acme.example"]
        assert (view.light, view.drift) == (Light.ORANGE, False)
        assert light_place(view) == ("provision", ("", view.id, "domain", DOMAIN))

        async with context.store.write(context.caller, context.account_id) as tx:
            checked = {"light": Light.ORANGE, "word": Word.NOT_CHECKED}
            await tx.session.execute(update(AssignmentRow).where(bought).values(**checked))
        app.apply_changes(["store"])
        await shows(pilot, "Not checked")
        before = view.generation
        panel.title_line.focus()
        await pilot.press("p")
        await shows(pilot, "Queued")
        (view,) = await status(context.scope, user=of_domain(DOMAIN))
        assert view.generation == before + 1

        await pilot.press("d")
        await shows(pilot, f"At a date and time, for {DOMAIN}", "Suspend Domain Registration")
        await pilot.press("enter")
        await shows(pilot, f"Suspend Domain Registration, of {DOMAIN}", "when?")
        await type_text(pilot, "tomorrow 18:00")
        await pilot.press("enter")
        await shows(pilot, "Scheduled, number 1")
        (planned,) = await list_schedules(context.scope, user=of_domain(DOMAIN))
        assert (planned.action, planned.subject) == ("suspend", DOMAIN)

        panel.query_one("#deprovision").focus()
        await pilot.press("enter")
        await shows(pilot, f"deprovision Domain Registration of {DOMAIN}?", "for this domain")
        await answer(pilot, "n")
        await shows(pilot, "Nothing was changed")


async def test_domain_names_where_they_are_sold_lead_to_a_domain_s_services(world_db: Path) -> None:
    async with opened(world_db, "product", "domain-names") as (app, pilot):
        await shows(pilot, "acme.example", "Enter shows its services")
        app.screen.query_one("#domains").focus()
        await pilot.press("home", "enter")
        await shows(pilot, "Its services", "Remove it")
        await pilot.press("enter")
        await shows(pilot, "acme.example  owned elsewhere", "This domain has no services")


async def test_an_account_without_services_of_its_own_says_so(world_db: Path) -> None:
    async with opened(world_db, "account") as (app, pilot):
        await shows(pilot, "acme.example")
        assert isinstance(app.screen, AccountScreen)
        app.screen.go_to("provision", "", None, "account")
        await shows(pilot, "the account itself", "The account itself has no services")


async def test_the_removal_of_an_orphan_is_no_service_of_the_account_and_its_light_leads_to_it(
    world_db: Path,
) -> None:
    async with opened(world_db, "account") as (app, pilot):
        scope = context_of(app).scope
        orphan = LostObject(
            *("simulator", "managed-exchange", "old001", "f" * 32), holders=("simulator",)
        )
        asked = await remove_orphans(scope, [orphan])
        (told,) = [view for view in await status(scope) if view.is_orphan]
        assert told.instance.startswith("old001 ")
        assert light_place(told) == ("requests", (asked.plan.requests[0],))
        assert not any(view.is_orphan for view in await status(scope, user=THE_ACCOUNT))
        assert isinstance(app.screen, AccountScreen)
        app.screen.go_to("provision", "", None, "account")
        await shows(pilot, "the account itself", "The account itself has no services")
