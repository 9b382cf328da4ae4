"""The audit as people read it: names of the catalogue where it keeps ids, and ids where programs read it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mission_control_tui.model.caller import Caller
from mission_control_tui.model.catalogue.file.shipped import shipped
from mission_control_tui.model.catalogue.types import Catalogue
from mission_control_tui.model.groups import editing as objects
from mission_control_tui.model.history import audit_log
from mission_control_tui.model.history.audit_export import as_csv, as_json, as_text
from mission_control_tui.model.history.audit_names import named
from mission_control_tui.model.installation import catalogue_update
from mission_control_tui.model.onboarding.template_content import TemplateContent, TemplateService
from mission_control_tui.model.onboarding.templates import save_template
from mission_control_tui.model.orders.buying import buy
from mission_control_tui.model.store.database import Store
from mission_control_tui.model.store.scope import AccountScope
from mission_control_tui.model.users.actions.params import ActionParams
from mission_control_tui.model.users.provisioning import provision
from mission_control_tui.model.views import Account, AuditView
from tests.model.helpers import ada, create, own_seats

pytestmark = pytest.mark.any_database

POPX, PC_WEB = "Standard Mail (POPX)", "Managed Exchange - PC & Web Access"


async def test_services_and_levels_are_named(
    store: Store, caller: Caller, account: Account, catalogue: Catalogue
) -> None:
    for level in ("popx", "pc-web"):
        await own_seats(store, caller, account, "managed-exchange", level)
    user = await create(store, caller, account, ada())
    scope = AccountScope(store, caller, account.id)
    await provision(scope, user.id, [ActionParams("managed-exchange", "popx")])
    await provision(scope, user.id, [ActionParams("managed-exchange", "pc-web", {"quota": "3 GB"})])
    changed, given = [
        one
        for one in await audit_log.entries(scope, service="managed-exchange")
        if one.user_id is not None
    ]
    read = named(changed, catalogue)
    assert (read.action, read.target) == ("change", f"{user.upn} Managed Exchange")
    assert (read.before["level"], read.after["level"]) == (POPX, PC_WEB)
    assert "full-access" in changed.after
    assert "full-access" not in read.after
    assert "Full-access delegates" in read.after
    assert read.after["Mailbox quota"] == "3072 MB"
    assert "managed-exchange" not in as_text([named(given, catalogue)])
    for exact in (as_csv([given]), as_json([given])):
        assert "provision managed-exchange" in exact
        assert "popx" in exact
    assert named(replace(given, action="provision gone", after={"level": "x"}), catalogue) == (
        replace(given, action="provision gone", after={"level": "x"})
    )


async def test_products_objects_and_templates_are_named(
    store: Store, caller: Caller, account: Account, catalogue: Catalogue
) -> None:
    scope = AccountScope(store, caller, account.id)
    await buy(scope, "email", level="popx")
    await objects.create_object(scope, "distribution-group", "Sales", "sales@acme.example")
    content = TemplateContent(
        services=(TemplateService("managed-exchange", "popx", {"quota": 2048}),)
    )
    await save_template(scope, "Staff", content)
    read = [named(one, catalogue) for one in await audit_log.entries(scope)]
    (template,) = [one for one in read if one.action == "save template"]
    assert template.after["Managed Exchange"] == POPX
    assert template.after["Managed Exchange Mailbox quota"] == "2048 MB"
    assert [one.action for one in read if one.target.startswith("Sales")] == ["create"]
    assert "buy Email" in [one.action for one in read]


@pytest.mark.parametrize("instance", ["", " (main)"])
async def test_drift_names_the_service(
    scope: AccountScope, catalogue: Catalogue, instance: str
) -> None:
    await buy(scope, "email", level="popx")
    (entry, *_) = await audit_log.entries(scope)
    found: AuditView = replace(
        entry, action="drift found", target=f"ada@acme.example managed-exchange{instance}"
    )
    assert named(found, catalogue).target == f"ada@acme.example Managed Exchange{instance}"


async def test_words_find_a_service_by_its_name(
    store: Store, caller: Caller, account: Account
) -> None:
    scope = AccountScope(store, caller, account.id)
    await buy(scope, "email", level="popx")
    text = shipped().replace('name = "Email"', 'name = "Post & Mail"')
    await catalogue_update.load(store, caller, text, "renamed")
    for words, count in (("buy post", 1), ("buy email", 1), ("post nobody", 0)):
        assert len(await audit_log.entries(scope, words=words)) == count, words
