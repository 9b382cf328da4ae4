"""Settings of an older database: whom they mean is kept by id, addresses move, what breaks a rule stays and is told."""

from __future__ import annotations

import importlib
from dataclasses import replace

import pytest
from sqlalchemy import delete, select, update

from mission_control_tui.model.caller import Caller
from mission_control_tui.model.catalogue.codec import from_json, to_json
from mission_control_tui.model.catalogue.types import Catalogue
from mission_control_tui.model.requests.drift import green_pages
from mission_control_tui.model.store.database import Store
from mission_control_tui.model.store.scope import AccountScope
from mission_control_tui.model.store.tables.services import (
    AssignmentRow,
    SettingClaimRow,
    SettingReferenceRow,
    UnsettledSettingRow,
)
from mission_control_tui.model.users import queries
from mission_control_tui.model.users.actions.params import ActionParams
from mission_control_tui.model.users.provisioning import provision
from mission_control_tui.model.views import Account
from tests.frozen.store import plain
from tests.model.conftest import make_account
from tests.model.helpers import create, finish, named, own_seats

pytestmark = pytest.mark.any_database
MIGRATION = "mission_control_tui.model.store.migrations.versions.0008_setting_references"
MAIL, WEB = "managed-exchange", "web-hosting"


async def test_what_is_stored_is_kept_moved_or_told(
    store: Store, caller: Caller, account: Account, catalogue: Catalogue, where: str
) -> None:
    evil = await make_account(store, caller, catalogue, "evil", "evil.example")
    for owner in (account, evil):
        await own_seats(store, caller, owner, MAIL, "pc-web")
        await own_seats(store, caller, owner, WEB, "starter")
    ids: dict[str, str] = {}
    for owner, local, domain in (
        (account, "boss", "acme.example"),
        (account, "tmp", "acme.example"),
        (evil, "m", "evil.example"),
    ):
        details = replace(named(local), upn=f"{local}@{domain}")
        ids[local] = (await create(store, caller, owner, details)).id
        scope = AccountScope(store, caller, owner.id)
        wanted = [ActionParams(MAIL, "pc-web"), ActionParams(WEB, "starter", {}, "www")]
        await provision(scope, ids[local], wanted)
        await finish(store, caller, owner)
    old: dict[tuple[str, str], dict[str, object]] = {
        ("boss", MAIL): {
            "send-as": ["tmp"],
            "full-access": ["Tmp@acme.example", "ghost@acme.example", "m@evil.example"],
            "aliases": ["info@acme.example"],
            "primary-address": "hello@acme.example",
            "forward-to": "tmp@acme.example",
        },
        ("m", MAIL): {
            "aliases": ["boss@acme.example", "new@evil.example", "x@elsewhere.example"],
            "primary-address": "boss@acme.example",
        },
        ("boss", WEB): {"domain": "www.acme.example"},
        ("m", WEB): {"domain": "www.acme.example"},
    }
    async with store.write(caller) as tx:
        for table in (SettingReferenceRow, SettingClaimRow, UnsettledSettingRow):
            await tx.session.execute(delete(table))
        for (who, service), settings in old.items():
            where_ = (AssignmentRow.user_id == ids[who], AssignmentRow.service_id == service)
            row = (await tx.session.scalars(select(AssignmentRow).where(*where_))).one()
            await tx.session.execute(
                update(AssignmentRow).where(*where_).values(settings={**row.settings, **settings})
            )
    module = importlib.import_module(MIGRATION)
    with plain(where) as connection:
        module._Move(connection, dict(module._kinds(connection))).run()

    ours, theirs = (AccountScope(store, caller, owner.id) for owner in (account, evil))
    boss, m = await queries.details(ours, ids["boss"]), await queries.details(theirs, ids["m"])
    assert boss.aliases == ("hello@acme.example", "info@acme.example")
    assert boss.primary_address == "hello@acme.example"
    assert {(left.option_id, left.value) for left in boss.unsettled} == {
        ("full-access", "ghost@acme.example"),
        ("full-access", "m@evil.example"),
    }
    assert m.aliases == ("new@evil.example",)
    assert {(left.option_id, left.value, left.why) for left in m.unsettled} >= {
        ("aliases", "boss@acme.example", "somebody else has it"),
        ("aliases", "x@elsewhere.example", "it is in no domain of the account"),
        ("primary-address", "boss@acme.example", "somebody else has it"),
    }
    sites = {left.why for left in m.unsettled if left.option_id == "domain"}
    assert "it is in no domain of the account" in sites
    assert await sent(ours, "full-access") == [["Tmp@acme.example"]]
    assert await sent(ours, "send-as") == [["tmp"]]
    assert await sent(theirs, "aliases") == [["boss@acme.example", "x@elsewhere.example"]]

    await provision(theirs, ids["m"], [ActionParams(MAIL, None, {"quota": "2 GB"})])
    await finish(store, caller, evil)
    assert await sent(theirs, "aliases") == [["boss@acme.example", "x@elsewhere.example"]]
    settled = {"aliases": "", "primary-address": ""}
    await provision(theirs, ids["m"], [ActionParams(MAIL, None, settled)])
    await finish(store, caller, evil)
    assert await sent(theirs, "aliases") == []
    left = (await queries.details(theirs, ids["m"])).unsettled
    assert {setting.option_id for setting in left} == {"domain"}


async def sent(scope: AccountScope, option: str) -> list[object]:
    """What back ends of the account are told of an option, where anything is."""
    return [
        green.wished.settings[option]
        async for page in green_pages(scope, service=MAIL)
        for green in page
        if green.wished.settings.get(option)
    ]


def test_catalogue_of_before_says_what_its_options_are(catalogue: Catalogue) -> None:
    text = to_json(catalogue)
    for new, former in (("addresses", "emails"), ("address", "email"), ("recipient", "email")):
        text = text.replace(f'"type":"{new}"', f'"type":"{former}"')
    text = text.replace('"copy_option":"keep-copy"', '"copy_option":""')
    assert from_json(text) == catalogue
