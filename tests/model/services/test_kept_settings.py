"""What a connector does not keep is said in the plan of whoever wishes it; of an unknown connector nothing is said."""

from __future__ import annotations

from datetime import datetime

import pytest
from sqlalchemy import select

from mission_control_tui.model.caller import Caller
from mission_control_tui.model.services.kept_settings import keep_declaration
from mission_control_tui.model.store.database import Store
from mission_control_tui.model.store.scope import AccountScope
from mission_control_tui.model.store.tables.workers import ConnectorDeclarationRow
from mission_control_tui.model.users.actions.params import ActionParams
from mission_control_tui.model.users.provisioning import provision
from mission_control_tui.model.views import Account
from tests.model.helpers import create, own_seats

pytestmark = pytest.mark.any_database

MAIL = "managed-exchange"


async def declared_at(store: Store) -> datetime | None:
    async with store.read() as session:
        return await session.scalar(select(ConnectorDeclarationRow.declared_at))


async def test_a_plan_says_which_stated_settings_the_connector_does_not_keep(
    store: Store, caller: Caller, account: Account, scope: AccountScope
) -> None:
    await own_seats(store, caller, account, MAIL, "pc-web")
    store.connectors = {MAIL: "lab"}
    user = await create(store, caller, account)

    async def said(**settings: str) -> tuple[str, ...]:
        wanted = ActionParams(MAIL, "pc-web", settings)
        return (await provision(scope, user.id, [wanted], dry_run=True)).plan.warnings

    assert await said(quota="2 GB") == (), "nothing is known of it"
    await keep_declaration(store, "other", set())
    assert await said(quota="2 GB") == ()
    await keep_declaration(store, "lab", {"aliases"})
    lost = "Managed Exchange: not kept by connector lab: quota"
    assert await said(quota="2 GB") == (lost,)
    assert await said() == (), "nobody asked for a quota"
    await provision(scope, user.id, [ActionParams(MAIL, "pc-web", {"quota": "2 GB"})])
    assert await said() == (lost,), "it was asked for before"
    await keep_declaration(store, "lab", {"quota"})
    assert await said() == ()
    await keep_declaration(store, "lab", None)
    assert await said() == (), "it keeps any"


async def test_a_declaration_is_written_only_where_it_differs(store: Store) -> None:
    await keep_declaration(store, "lab", ["quota", "aliases"])
    first = await declared_at(store)
    await keep_declaration(store, "lab", {"aliases", "quota"})
    assert first is not None
    assert await declared_at(store) == first
    await keep_declaration(store, "lab", None)
    changed = await declared_at(store)
    assert changed is not None
    assert changed > first
