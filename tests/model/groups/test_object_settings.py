"""Settings of groups and shared mailboxes that name somebody or are unique; mail that comes back through groups."""

from __future__ import annotations

import importlib
from dataclasses import replace

import pytest
from sqlalchemy import delete, select, update

from mission_control_tui.model.bulk.planning import plan
from mission_control_tui.model.caller import Caller
from mission_control_tui.model.catalogue import in_force
from mission_control_tui.model.catalogue.types import Catalogue, Option, Service
from mission_control_tui.model.catalogue.values import ValueType
from mission_control_tui.model.domains.ownership import add_domain, remove_domain
from mission_control_tui.model.errors import Conflict, InvalidInput, MissionControlError
from mission_control_tui.model.groups.editing import (
    GroupChanges,
    create_object,
    edit_object,
    remove_object,
    restore_object,
)
from mission_control_tui.model.groups.queries import ObjectView, show_object
from mission_control_tui.model.history.undo import undo
from mission_control_tui.model.onboarding.files.object_rows import ObjectFileRow
from mission_control_tui.model.onboarding.objects_import import import_objects
from mission_control_tui.model.recycle_bin.deletion import delete_user
from mission_control_tui.model.recycle_bin.purge import purge_user
from mission_control_tui.model.requests.drift import green_pages
from mission_control_tui.model.services.unsettled import unsettled_settings
from mission_control_tui.model.store.database import Store
from mission_control_tui.model.store.tables.services import (
    AssignmentRow,
    SettingClaimRow,
    SettingReferenceRow,
    UnsettledSettingRow,
)
from mission_control_tui.model.users.actions.params import ActionParams
from mission_control_tui.model.users.editing import edit_user
from mission_control_tui.model.users.provisioning import provision
from mission_control_tui.model.views import Account
from tests.frozen.store import plain
from tests.model.groups.helpers import GROUP, SHARED, gone
from tests.model.helpers import finish
from tests.model.users.test_setting_rules import MAIL, Desk, desk_of

pytestmark = pytest.mark.any_database

MIGRATION = "mission_control_tui.model.store.migrations.versions.0011_object_references"
OPTIONS = (
    Option(id="archivist", name="Archivist", type=ValueType.USER),
    Option(id="full-access", name="Full access", type=ValueType.USERS),
    Option(id="forward-to", name="Forward to", type=ValueType.RECIPIENT, copy_option="keep-copy"),
    Option(id="keep-copy", name="Keep a copy", type=ValueType.BOOL, default=True),
    Option(id="site", name="Site", type=ValueType.DOMAIN),
)


def with_options(kind: Service) -> Service:
    return replace(kind, options=(*kind.options, *OPTIONS)) if kind.id == SHARED else kind


@pytest.fixture
async def desk(store: Store, caller: Caller, account: Account, catalogue: Catalogue) -> Desk:
    services = tuple(with_options(kind) for kind in catalogue.services)
    async with store.write(caller) as tx:
        await in_force.put(tx, replace(catalogue, services=services), "a test")
    return await desk_of(store, caller, account)


async def shared(desk: Desk, name: str = "Info", **settings: object) -> ObjectView:
    wanted = {key.replace("_", "-"): value for key, value in settings.items()}
    address = f"{name.lower()}@acme.example"
    made = await create_object(desk.scope, SHARED, name, address, settings=wanted)
    await finish(desk.store, desk.caller, desk.account)
    return made.result


async def team(desk: Desk, name: str, *members: str) -> ObjectView:
    address = f"{name.lower()}@acme.example"
    who = {"member": members}
    return (await create_object(desk.scope, GROUP, name, address, members=who)).result


async def now(desk: Desk, made: ObjectView) -> dict[str, object]:
    """The settings as they are stated, and as the back end is told them."""
    await finish(desk.store, desk.caller, desk.account)
    stated = dict((await show_object(desk.scope, made.id)).settings)
    (told,) = [
        dict(green.wished.settings)
        async for page in green_pages(desk.scope, service=SHARED)
        for green in page
        if green.assignment_id == made.service.id
    ]
    assert told == stated
    return stated


async def refused(desk: Desk, made: ObjectView, **settings: object) -> MissionControlError:
    wanted = {key.replace("_", "-"): value for key, value in settings.items()}
    with pytest.raises((InvalidInput, Conflict)) as caught:
        await edit_object(desk.scope, made.id, GroupChanges(settings=wanted))
    return caught.value


async def test_whom_an_objects_settings_name_is_followed_and_lost(desk: Desk) -> None:
    ann, ben, cid = [await desk.user(name) for name in ("ann", "ben", "cid")]
    for user in (ann, ben, cid):
        await desk.give(user)
    with pytest.raises(InvalidInput) as caught:
        await shared(desk, archivist="ghost", full_access="ann,nobody", forward_to="x@acme.example")
    wrong = {problem.where for problem in caught.value.problems}
    assert wrong == {"archivist", "full-access", "forward-to"}

    info = await shared(desk, archivist="BEN", full_access="ann,ben", forward_to="ann@acme.example")
    settings = await now(desk, info)
    assert settings["archivist"] == "ben@acme.example"
    assert settings["full-access"] == ["ann@acme.example", "ben@acme.example"]
    done = await edit_user(desk.scope, ben, {"upn": "benny@acme.example"})
    assert any("Info" in line.name for line in done.plan.lines)
    assert (await now(desk, info))["archivist"] == "benny@acme.example"

    sales = await team(desk, "Sales", "cid")
    await edit_object(
        desk.scope, info.id, GroupChanges(settings={"forward-to": "sales@acme.example"})
    )
    await edit_object(desk.scope, sales.id, GroupChanges(address="deals@acme.example"))
    assert (await now(desk, info))["forward-to"] == "deals@acme.example"
    removed = await remove_object(desk.scope, sales.id)
    assert any("is taken out of info@acme.example" in said for said in removed.plan.warnings)
    assert (await now(desk, info))["forward-to"] is None

    await desk.take(ben)
    settings = await now(desk, info)
    assert (settings["archivist"], settings["full-access"]) == (None, ["ann@acme.example"])
    assert (await show_object(desk.scope, info.id)).settings["full-access"] == ["ann@acme.example"]
    await desk.take(ann)
    await delete_user(desk.scope, ann)
    await purge_user(desk.scope, ann)
    await desk.user("ann")
    assert (await now(desk, info))["full-access"] == []


async def test_an_object_comes_back_without_those_who_are_gone(desk: Desk) -> None:
    ann, ben = [await desk.user(name) for name in ("ann", "ben")]
    info = await shared(desk, archivist="ann", full_access="ann,ben", forward_to="ann@acme.example")
    await remove_object(desk.scope, info.id)
    await gone(desk.store, desk.caller, desk.account, info)
    await delete_user(desk.scope, ann)
    await purge_user(desk.scope, ann)
    await desk.user("ann")
    back = await restore_object(desk.scope, info.id)
    settings = await now(desk, info)
    assert (settings["archivist"], settings["forward-to"]) == (None, None)
    assert settings["full-access"] == ["ben@acme.example"]
    assert any(
        "Archivist left out: ann@acme.example is another user" in w for w in back.plan.warnings
    )
    await edit_user(desk.scope, ben, {"upn": "benny@acme.example"})
    assert (await now(desk, info))["full-access"] == ["benny@acme.example"]


async def test_an_objects_domain_is_the_accounts_and_is_there_once(desk: Desk) -> None:
    info = await shared(desk, site="www.acme.example")
    other = await shared(desk, "Other")
    error = await refused(desk, other, site="www.acme.example")
    assert "in use by info@acme.example" in error.problems[0].what
    await refused(desk, other, site="www.evil.example")
    await add_domain(desk.scope, "second.example")
    await edit_object(desk.scope, other.id, GroupChanges(settings={"site": "second.example"}))
    with pytest.raises(Conflict, match=r"other@acme\.example"):
        await remove_domain(desk.scope, "second.example")
    await edit_object(desk.scope, info.id, GroupChanges(settings={"site": ""}))
    await finish(desk.store, desk.caller, desk.account)
    await edit_object(desk.scope, other.id, GroupChanges(settings={"site": "www.acme.example"}))


async def test_mail_does_not_come_back_through_groups(desk: Desk) -> None:
    ann, ben, cid = [await desk.user(name) for name in ("ann", "ben", "cid")]
    for user in (ann, ben, cid):
        await desk.give(user)
    inner = await team(desk, "Inner", "ann", "ben")
    await team(desk, "Outer", "inner@acme.example")
    # The option: straight into a group that one is in, and into one with that in it.
    for address in ("inner@acme.example", "outer@acme.example"):
        with pytest.raises(InvalidInput, match="cannot be used") as caught:
            await desk.give(ann, forward_to=address, keep_copy=False)
        assert "reach nobody: ann@acme.example > " in caught.value.problems[0].what
        said = await desk.give(ben, forward_to=address)
        assert any("Mail goes round: ben@acme.example > " in words for words in said)
    # The copy that made it bearable cannot be switched off by itself.
    with pytest.raises(InvalidInput) as caught:
        await desk.give(ben, keep_copy=False)
    assert caught.value.problems[0].where == "keep-copy"
    await desk.give(ben, forward_to="")

    # The member: who forwards to the group, or to what it is in.
    await desk.give(cid, forward_to="outer@acme.example", keep_copy=False)
    for key in (inner.id, "Outer"):
        with pytest.raises(InvalidInput) as caught:
            await edit_object(desk.scope, key, GroupChanges(add={"member": ["cid"]}))
        assert "cid@acme.example > outer@acme.example" in caught.value.problems[0].what
    row = ObjectFileRow(2, GROUP, "Inner", "inner@acme.example", {"member": "cid"}, ())
    imported = await import_objects(desk.scope, [row], update=True)
    assert "go round" in imported.result.refused[0].problems[0].what
    await edit_object(desk.scope, inner.id, GroupChanges(add={"owner": ["cid"]}))
    await desk.give(cid, keep_copy=True)
    added = await edit_object(desk.scope, inner.id, GroupChanges(add={"member": ["cid"]}))
    assert any("Mail goes round" in words for words in added.plan.warnings)

    # A bulk's plan and an undo meet it as well.
    await desk.give(cid, forward_to="")
    params = ActionParams(MAIL, "pc-web", {"forward-to": "outer@acme.example", "keep-copy": False})
    planned = await plan(desk.scope, [ann, cid], "provision", params)
    assert planned.refused == 2
    dee = await desk.user("dee")
    await desk.give(dee, forward_to="inner@acme.example", keep_copy=False)
    cleared = await provision(desk.scope, dee, [ActionParams(MAIL, None, {"forward-to": ""})])
    await edit_object(desk.scope, inner.id, GroupChanges(add={"member": ["dee"]}))
    with pytest.raises(InvalidInput, match="cannot be used"):
        await undo(desk.scope, request=cleared.plan.requests[0])


async def test_shared_mailboxes_that_forward_are_on_the_way(desk: Desk) -> None:
    ann = await desk.user("ann")
    await desk.give(ann)
    info = await shared(desk, forward_to="ann@acme.example", keep_copy=False)
    await refused(desk, info, forward_to="info@acme.example")
    with pytest.raises(InvalidInput):
        await desk.give(ann, forward_to="info@acme.example", keep_copy=False)
    said = await desk.give(ann, forward_to="info@acme.example", keep_copy=True)
    assert any("ann@acme.example > info@acme.example > ann@acme.example" in w for w in said)
    # Whoever may open it does not get its mail.
    ben = await desk.user("ben")
    await desk.give(ben, forward_to="info@acme.example", keep_copy=False)
    await edit_object(
        desk.scope, info.id, GroupChanges(settings={"forward-to": "", "full-access": "ben"})
    )
    await edit_object(desk.scope, info.id, GroupChanges(settings={"forward-to": "x@else.example"}))


async def test_what_objects_had_before_is_kept_and_told(desk: Desk, where: str) -> None:
    await desk.user("ann")
    info = await shared(desk)
    other = await shared(desk, "Other")
    async with desk.store.write(desk.caller) as tx:
        for table in (SettingReferenceRow, SettingClaimRow, UnsettledSettingRow):
            await tx.session.execute(delete(table))
        for made, settings in (
            (info, {"archivist": "Ann", "full-access": ["ann@acme.example", "ghost"]}),
            (other, {"forward-to": "info@acme.example", "site": "www.acme.example"}),
        ):
            row = (
                await tx.session.scalars(
                    select(AssignmentRow).where(AssignmentRow.id == made.service.id)
                )
            ).one()
            await tx.session.execute(
                update(AssignmentRow)
                .where(AssignmentRow.id == row.id)
                .values(settings={**row.settings, **settings})
            )
    module = importlib.import_module(MIGRATION)
    with plain(where) as connection:
        module.move(connection)
    async with desk.store.read() as session:
        (left,) = await unsettled_settings(session)
        named = (await session.scalars(select(SettingReferenceRow.value))).all()
        claimed = (await session.scalars(select(SettingClaimRow.value))).all()
    assert (left.upn, left.value) == ("info@acme.example", "ghost")
    assert "objects edit info@acme.example --set full-access=" in left.command
    assert sorted(named) == ["Ann", "ann@acme.example", "info@acme.example"]
    assert list(claimed) == ["www.acme.example"]
