"""Settings that name somebody, an address or a domain: whom they mean, who has it, and what becomes of it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace

import pytest
from sqlalchemy import select

from mission_control_tui.model.caller import Caller
from mission_control_tui.model.catalogue.types import Catalogue
from mission_control_tui.model.errors import Conflict, InvalidInput, MissionControlError
from mission_control_tui.model.groups.editing import (
    GroupChanges,
    create_object,
    edit_object,
    remove_object,
)
from mission_control_tui.model.history.undo import undo
from mission_control_tui.model.recycle_bin.deletion import delete_user
from mission_control_tui.model.recycle_bin.purge import purge_user
from mission_control_tui.model.requests.control import cancel
from mission_control_tui.model.services.lights import status
from mission_control_tui.model.store.database import Store
from mission_control_tui.model.store.scope import AccountScope
from mission_control_tui.model.store.tables.audit import AuditRow
from mission_control_tui.model.users import queries
from mission_control_tui.model.users.actions.params import ActionParams
from mission_control_tui.model.users.editing import edit_user, remove_alias
from mission_control_tui.model.users.provisioning import deprovision_all, provision
from mission_control_tui.model.views import Account
from tests.model.conftest import make_account
from tests.model.helpers import create, finish, named, own_seats

pytestmark = pytest.mark.any_database

MAIL, WEB = "managed-exchange", "web-hosting"


class Desk:
    """An account with some users, and what is done in it."""

    def __init__(self, store: Store, caller: Caller, account: Account) -> None:
        self.store, self.caller, self.account = store, caller, account
        self.scope = AccountScope(store, caller, account.id)

    async def user(self, local: str, domain: str = "acme.example") -> str:
        details = replace(named(local, display_name=local.title()), upn=f"{local}@{domain}")
        return (await create(self.store, self.caller, self.account, details)).id

    async def give(
        self, user: str, service: str = MAIL, instance: str = "", **settings: object
    ) -> tuple[str, ...]:
        """Provision with these settings (`_` for `-`); returns the warnings."""
        wanted = {key.replace("_", "-"): value for key, value in settings.items()}
        level = "pc-web" if service == MAIL else "starter"
        params = ActionParams(service, level, wanted, instance)
        outcome = await provision(self.scope, user, [params])
        await finish(self.store, self.caller, self.account)
        return tuple(outcome.plan.warnings)

    async def settings(self, user: str) -> Mapping[str, object]:
        (view,) = [view for view in await status(self.scope, user=user) if view.id]
        return view.settings

    async def take(self, user: str) -> None:
        await deprovision_all(self.scope, user)
        await finish(self.store, self.caller, self.account)


async def desk_of(store: Store, caller: Caller, account: Account) -> Desk:
    await own_seats(store, caller, account, MAIL, "pc-web")
    await own_seats(store, caller, account, WEB, "starter")
    return Desk(store, caller, account)


@pytest.fixture
async def desk(store: Store, caller: Caller, account: Account) -> Desk:
    return await desk_of(store, caller, account)


@pytest.fixture
async def other(store: Store, caller: Caller, catalogue: Catalogue, desk: Desk) -> Desk:
    evil = await make_account(store, caller, catalogue, "evil", "evil.example")
    return await desk_of(store, caller, evil)


async def refused(desk: Desk, user: str, **settings: object) -> MissionControlError:
    with pytest.raises((InvalidInput, Conflict)) as caught:
        await desk.give(user, **settings)  # type: ignore[arg-type]
    return caught.value


async def test_delegates_are_users_of_the_account_whom_settings_follow_and_lose(
    desk: Desk, other: Desk
) -> None:
    boss, tmp, aide = [await desk.user(name) for name in ("boss", "tmp", "aide")]
    await other.user("m", "evil.example")
    for nobody in ("ghost@acme.example", "m@evil.example"):
        error = await refused(desk, boss, full_access=f"tmp@acme.example,{nobody}")
        assert [problem.where for problem in error.problems] == ["full-access"]
    for user in (tmp, aide):
        await desk.give(user)
    await desk.give(boss, full_access="TMP,aide@ACME.example.", send_as=tmp)
    both = ["tmp@acme.example", "aide@acme.example"]
    assert (await desk.settings(boss))["full-access"] == both
    assert (await desk.settings(boss))["send-as"] == ["tmp@acme.example"]

    outcome = await edit_user(desk.scope, tmp, {"upn": "temp@acme.example"})
    assert any("boss@acme.example" in line.name for line in outcome.plan.lines)
    assert (await desk.settings(boss))["send-as"] == ["temp@acme.example"]
    await finish(desk.store, desk.caller, desk.account)

    planned = await deprovision_all(desk.scope, tmp, dry_run=True)
    assert any("temp@acme.example is taken out of boss" in said for said in planned.plan.warnings)
    await desk.take(tmp)
    assert (await desk.settings(boss))["full-access"] == ["aide@acme.example"]
    assert (await desk.settings(boss))["send-as"] == []
    await desk.take(aide)
    await delete_user(desk.scope, aide)
    await purge_user(desk.scope, aide)
    assert (await desk.settings(boss))["full-access"] == []


async def test_namesake_of_somebody_who_is_gone_is_not_meant_by_an_undo(desk: Desk) -> None:
    boss, tmp = [await desk.user(name) for name in ("boss", "tmp")]
    await desk.give(boss, full_access="tmp@acme.example")
    await desk.give(boss, full_access="")
    async with desk.store.read() as session:
        row = await session.scalar(select(AuditRow.id).order_by(AuditRow.id.desc()).limit(1))
    await delete_user(desk.scope, tmp)
    await purge_user(desk.scope, tmp)
    await desk.user("tmp")
    with pytest.raises(InvalidInput) as caught:
        await undo(desk.scope, audit=int(row or 0))
    assert "another user" in caught.value.problems[0].what
    assert (await desk.settings(boss))["full-access"] == []


async def test_forwarding_knows_the_account_and_does_not_go_round(desk: Desk, other: Desk) -> None:
    ann, ben, cid = [await desk.user(name) for name in ("ann", "ben", "cid")]
    await desk.give(cid)
    for wrong in ("ann@acme.example", "ghost@acme.example"):
        await refused(desk, ann, forward_to=wrong)
    await desk.give(ann, forward_to="someone@elsewhere.example")
    await desk.give(ann, forward_to="m@evil.example", keep_copy=False)
    await desk.give(ann, forward_to="ben@acme.example")
    await desk.give(ben, forward_to="cid@acme.example", keep_copy=False)
    error = await refused(desk, cid, forward_to="ann@acme.example", keep_copy=False)
    assert "ann@acme.example > ben@acme.example > cid@acme.example" in error.problems[0].what
    said = await desk.give(cid, forward_to="ann@acme.example", keep_copy=True)
    assert any("Mail goes round" in words for words in said)
    await edit_user(desk.scope, ben, {"upn": "benny@acme.example"})
    assert (await desk.settings(ann))["forward-to"] == "benny@acme.example"

    team = (
        await create_object(desk.scope, "distribution-group", "Team", "team@acme.example")
    ).result
    await desk.give(ann, forward_to="team@acme.example")
    await edit_object(desk.scope, team.id, GroupChanges(address="crew@acme.example"))
    assert (await desk.settings(ann))["forward-to"] == "crew@acme.example"
    await remove_object(desk.scope, team.id)
    assert (await desk.settings(ann))["forward-to"] is None


async def test_addresses_become_the_users_own_by_the_one_register(desk: Desk, other: Desk) -> None:
    ann = await desk.user("ann")
    mallory = await other.user("m", "evil.example")
    for wrong in ("ann@acme.example", "new@acme.example"):
        await refused(other, mallory, aliases=wrong)
        await refused(other, mallory, primary_address=wrong)
    assert [view for view in await status(other.scope, user=mallory) if view.id] == []
    await desk.give(
        ann, aliases="info@acme.example., sales@acme.example", primary_address="ann@acme.example"
    )
    await desk.give(ann, primary_address="hello@acme.example")
    view = await queries.details(desk.scope, ann)
    assert view.aliases == ("hello@acme.example", "info@acme.example", "sales@acme.example")
    assert view.primary_address == "hello@acme.example"
    assert not {"aliases", "primary-address"} & (await desk.settings(ann)).keys()
    await remove_alias(desk.scope, ann, "info@acme.example")
    await desk.give(ann, quota="1 GB")
    assert "info@acme.example" not in (await queries.details(desk.scope, ann)).aliases


async def test_domain_of_a_site_is_the_accounts_and_is_there_once(desk: Desk, other: Desk) -> None:
    ann, ben = [await desk.user(name) for name in ("ann", "ben")]
    mallory = await other.user("m", "evil.example")
    www: dict[str, object] = {"service": WEB, "instance": "www", "domain": "www.acme.example"}
    await refused(other, mallory, **www)
    await desk.give(ann, **www)  # type: ignore[arg-type]
    await desk.give(ann, **www)  # type: ignore[arg-type]
    error = await refused(desk, ben, **www)
    assert "in use by ann@acme.example (www)" in error.problems[0].what
    await refused(desk, ann, service=WEB, instance="second", domain="WWW.acme.example.")
    await desk.give(ben, WEB, "www", domain="shop.acme.example")
    await desk.give(ann, WEB, "www", domain="old.acme.example")
    await desk.give(ben, WEB, "www", domain="www.acme.example")
    await deprovision_all(desk.scope, ben)
    error = await refused(desk, ann, **www)
    assert "still being taken away from ben@acme.example" in error.problems[0].what
    await finish(desk.store, desk.caller, desk.account)
    await desk.give(ann, **www)  # type: ignore[arg-type]


async def test_of_two_at_once_one_gets_the_domain(desk: Desk) -> None:
    users = [await desk.user(name) for name in ("ann", "ben")]
    site = ActionParams(WEB, "starter", {"domain": "www.acme.example"}, "www")
    given = await asyncio.gather(
        *(provision(desk.scope, user, [site]) for user in users), return_exceptions=True
    )
    assert [isinstance(result, Conflict) for result in given].count(True) == 1, given


async def test_cancelled_change_brings_back_whom_it_took_out(desk: Desk) -> None:
    boss, tmp = [await desk.user(name) for name in ("boss", "tmp")]
    await desk.give(boss, full_access="tmp@acme.example")
    changed = await provision(desk.scope, boss, [ActionParams(MAIL, None, {"full-access": ""})])
    await cancel(desk.scope, changed.plan.requests[0])
    assert (await desk.settings(boss))["full-access"] == ["tmp@acme.example"]
    await edit_user(desk.scope, tmp, {"upn": "temp@acme.example"})
    assert (await desk.settings(boss))["full-access"] == ["temp@acme.example"]
