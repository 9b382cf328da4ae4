"""Templates and "new like this": what is taken from a user and what never is, on both databases."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import select

from mission_control_tui.model.caller import Caller
from mission_control_tui.model.errors import (
    Conflict,
    InvalidInput,
    NoSeats,
    NotFound,
    StaleVersion,
    UsageError,
)
from mission_control_tui.model.onboarding import template_content, templates
from mission_control_tui.model.onboarding.new_user import create_with
from mission_control_tui.model.onboarding.template_content import TemplateContent, TemplateService
from mission_control_tui.model.search.user_list import page
from mission_control_tui.model.services.lights import status
from mission_control_tui.model.store.database import Store
from mission_control_tui.model.store.scope import AccountScope
from mission_control_tui.model.store.tables.audit import AuditRow
from mission_control_tui.model.users.actions.params import ActionParams
from mission_control_tui.model.users.provisioning import provision
from mission_control_tui.model.views import Account
from tests.model.helpers import PASSWORD, ada, create, named, own_seats

pytestmark = pytest.mark.any_database

EXCHANGE = "managed-exchange"


async def pattern(store: Store, caller: Caller, account: Account, seats: int = 5) -> str:
    """Ada with everything filled in and a mailbox; her UPN."""
    await own_seats(store, caller, account, EXCHANGE, "pc-web", seats)
    boss = await create(store, caller, account, named("boss", display_name="The Boss"))
    made = await create(
        store,
        caller,
        account,
        ada(
            title="Analyst",
            department="Sales",
            location="Level 3",
            manager=boss.upn,
            office_phone="+61 2 9374 4000",
            mobile_phone="+61 400 000 000",
            street="1 Main St",
            city="Sydney",
            country="AU",
            notes="likes cats",
            external_email="ada@home.example",
            test_user=True,
        ),
    )
    settings = {
        "quota": 2048,
        "aliases": ["countess@acme.example"],
        "forward-to": "ada@home.example",
        "send-as": [boss.upn],
        "hide-from-address-list": True,
    }
    wanted = [ActionParams(EXCHANGE, "pc-web", settings)]
    await provision(AccountScope(store, caller, account.id), made.upn, wanted)
    return made.upn


async def test_like_takes_groups_and_levels_but_nothing_personal(
    store: Store, caller: Caller, account: Account, scope: AccountScope
) -> None:
    content = await template_content.like(scope, await pattern(store, caller, account))

    assert content.fields == {
        "title": "Analyst",
        "department": "Sales",
        "location": "Level 3",
        "manager": "boss@acme.example",
        "street": "1 Main St",
        "city": "Sydney",
        "country": "AU",
        "test_user": True,
    }
    (service,) = content.services
    assert (service.service, service.level) == (EXCHANGE, "pc-web")
    assert service.settings == {"quota": 2048, "hide-from-address-list": True}


async def test_a_new_user_like_another_has_the_service_in_one_transaction(
    store: Store, caller: Caller, account: Account, scope: AccountScope
) -> None:
    content = await template_content.like(scope, await pattern(store, caller, account))
    details = content.fill(named("grace", display_name="Grace Hopper"))

    tried = await create_with(scope, details, PASSWORD, content.services, dry_run=True)
    assert [(one.free_before, one.free_after) for one in tried.plan.seats] == [(4, 3)]
    assert (await page(scope)).total == 2

    made = await create_with(scope, details, PASSWORD, content.services)
    assert made.result.user.details.department == "Sales"
    assert made.result.user.details.office_phone == ""
    (service,) = await status(scope, user=made.result.user.id)
    assert (service.level_id, service.settings["quota"]) == ("pc-web", 2048)
    assert service.settings["forward-to"] is None


async def test_without_a_seat_nobody_is_created(
    store: Store, caller: Caller, account: Account, scope: AccountScope
) -> None:
    content = await template_content.like(scope, await pattern(store, caller, account, seats=1))
    with pytest.raises(NoSeats):
        await create_with(scope, named("grace"), PASSWORD, content.services)
    assert (await page(scope)).total == 2


async def test_what_is_stated_wins_over_the_template() -> None:
    content = TemplateContent({"department": "Sales", "city": "Sydney"})
    filled = content.fill(ada(department="Finance"))
    assert (filled.department, filled.city) == ("Finance", "Sydney")


async def test_templates_are_saved_listed_renamed_and_removed(
    store: Store, caller: Caller, account: Account, scope: AccountScope
) -> None:
    upn = await pattern(store, caller, account)
    saved = await templates.save_template(scope, " Sales  people ", user=upn)
    assert saved.result.name == "Sales people"
    (listed,) = await templates.list_templates(scope)
    assert listed == saved.result
    with pytest.raises(Conflict):
        await templates.save_template(scope, "SALES people", user=upn)

    renamed = await templates.rename_template(scope, "sales people", "Reps")
    assert (renamed.result.name, renamed.result.version) == ("Reps", 2)
    with pytest.raises(NotFound, match="Reps"):
        await templates.show_template(scope, "Sales people")

    with pytest.raises(StaleVersion):
        await templates.remove_template(scope, "Reps", version=1)
    await templates.remove_template(scope, "Reps", version=2)
    assert await templates.list_templates(scope) == ()


async def test_a_stale_save_changes_nothing(scope: AccountScope) -> None:
    first = await templates.save_template(scope, "Reps", TemplateContent({"city": "Sydney"}))
    await templates.save_template(scope, "Reps", TemplateContent({"city": "Perth"}), version=1)
    with pytest.raises(StaleVersion, match="anna"):
        await templates.save_template(scope, "Reps", TemplateContent({"city": "Cairns"}), version=1)
    found = await templates.show_template(scope, "reps")
    assert found.content.fields == {"city": "Perth"}
    assert found == replace(
        first.result, content=found.content, updated_at=found.updated_at, version=2
    )


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (TemplateContent({"display_name": "Ada"}), InvalidInput),
        (TemplateContent({"country": "Nowhere"}), InvalidInput),
        (TemplateContent({}, (TemplateService(EXCHANGE, "nope"),)), NotFound),
        (TemplateContent({}, (TemplateService("domain-registration", "registered"),)), UsageError),
        (
            TemplateContent(
                {}, (TemplateService(EXCHANGE, "popx", {"forward-to": "x@home.example"}),)
            ),
            InvalidInput,
        ),
    ],
)
async def test_a_template_that_could_not_be_used_is_refused(
    scope: AccountScope, content: TemplateContent, error: type[Exception]
) -> None:
    with pytest.raises(error):
        await templates.save_template(scope, "Reps", content)
    assert await templates.list_templates(scope) == ()


async def test_the_audit_has_the_command_that_makes_the_template_again(
    store: Store, scope: AccountScope
) -> None:
    content = TemplateContent(
        {"city": "Sydney", "test_user": True}, (TemplateService(EXCHANGE, "popx", {"quota": 500}),)
    )
    await templates.save_template(scope, "Reps", content)
    async with store.read() as session:
        row = await session.scalar(select(AuditRow).where(AuditRow.action == "save template"))
    assert row is not None
    assert row.command == [
        [
            *("templates", "save", "Reps", "--field", "city=Sydney", "--field", "test_user=yes"),
            *("--give", f"{EXCHANGE}=popx", "--set", f"{EXCHANGE}.quota=500"),
        ]
    ]
