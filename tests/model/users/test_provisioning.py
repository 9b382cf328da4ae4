"""What changes of a user mean for the user's services: fanned out once, in order, and only to whom it concerns."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

import pytest
from sqlalchemy import select

from mission_control_tui.model.caller import Caller
from mission_control_tui.model.catalogue import in_force
from mission_control_tui.model.catalogue.file.parse import parse
from mission_control_tui.model.catalogue.types import Catalogue, Level, PasswordUse, Service
from mission_control_tui.model.dates import zone_of
from mission_control_tui.model.errors import Conflict, InvalidInput, NotFound
from mission_control_tui.model.people.password_policy import DEFAULT_POLICY, check
from mission_control_tui.model.recycle_bin import deletion
from mission_control_tui.model.requests import queries
from mission_control_tui.model.requests.attributes import attributes_of
from mission_control_tui.model.requests.request_details import RequestDetails, show_request
from mission_control_tui.model.states import RequestKind, SubjectKind
from mission_control_tui.model.store import sealing, upgrade
from mission_control_tui.model.store.database import Store
from mission_control_tui.model.store.scope import AccountScope
from mission_control_tui.model.store.tables.services import AssignmentRow
from mission_control_tui.model.store.tables.users import SecretRow, UserRow
from mission_control_tui.model.users import editing, passwords
from mission_control_tui.model.users import queries as users
from mission_control_tui.model.users.actions.params import ActionParams
from mission_control_tui.model.users.provisioning import deprovision_all, provision
from mission_control_tui.model.views import Account, UserView
from tests.directory_catalogue import directory_catalogue
from tests.model.helpers import PASSWORD, create, finish, own_seats, secrets_kept

pytestmark = pytest.mark.any_database

MAIL = ActionParams("managed-exchange", "pc-web")
DATABASE = ActionParams("databases", "small", instance="shop")


@pytest.fixture
async def user(
    store: Store, caller: Caller, account: Account, scope: AccountScope, with_directory: None
) -> UserView:
    """Ada, with a mailbox (which needs her directory account) and a database, all green."""
    await own_seats(store, caller, account, "managed-exchange", "pc-web")
    await own_seats(store, caller, account, "databases", "small")
    made = await create(store, caller, account)
    await provision(scope, made.id, [MAIL, DATABASE])
    await finish(store, caller, account)
    async with store.write(caller, account.id) as tx:
        row = await tx.session.get_one(UserRow, made.id)
        row.secret_id = None
    return await users.details(scope, made.id)


@pytest.fixture
async def with_directory(
    store: Store, caller: Caller, account: Account, catalogue: Catalogue
) -> None:
    """The shipped catalogue, but mailboxes need an account in a directory."""
    directory = Service(
        id="directory",
        name="Directory",
        subject=SubjectKind.DIRECTORY,
        password=PasswordUse.USER,
        seats=False,
        visible=False,
        name_pattern="{account}_{username}",
        levels=(Level(id="standard", name="Standard"),),
    )
    services = tuple(
        replace(one, requires=("directory",)) if one.id == "managed-exchange" else one
        for one in catalogue.services
    )
    changed = replace(catalogue, services=(directory, *services))
    async with store.write(caller, account.id) as tx:
        await in_force.put(tx, changed, "a test")


async def children(
    store: Store, caller: Caller, account: Account, kind: str
) -> tuple[RequestDetails, dict[str, tuple[str, tuple[int, ...]]]]:
    """The newest fan-out of this kind, and of each of its children the state and what it waits for."""
    listed = await queries.list_requests(AccountScope(store, caller, account.id))
    parent = next(one for one in listed if one.kind == kind and one.parent_id is None)
    shown = await show_request(AccountScope(store, caller, account.id), parent.id)
    return shown, {one.service_id: (one.state, one.depends_on) for one in shown.children}


async def test_an_edit_reaches_whom_it_concerns_in_order(
    store: Store, caller: Caller, account: Account, scope: AccountScope, user: UserView
) -> None:
    outcome = await editing.edit_user(
        scope, user.id, {"display_name": "Ada King", "title": "Countess"}
    )
    parent, told = await children(store, caller, account, "edit")
    assert parent.request.state == "running"
    assert set(told) == {"directory", "managed-exchange", "databases"}
    assert told["directory"] == ("queued", ())
    directory = next(one for one in parent.children if one.service_id == "directory")
    assert told["managed-exchange"] == ("waiting", (directory.id,))
    assert told["databases"] == ("queued", ())
    assert set(outcome.plan.requests) == {
        parent.request.id,
        *(one.id for one in parent.children),
    }


async def test_what_only_the_directory_knows_goes_only_there(
    store: Store, caller: Caller, account: Account, scope: AccountScope, user: UserView
) -> None:
    await editing.edit_user(scope, user.id, {"department": "Engines"})
    _, told = await children(store, caller, account, "edit")
    assert set(told) == {"directory"}
    before = len(await queries.list_requests(scope))
    await editing.edit_user(scope, user.id, {"notes": "x", "test_user": True})
    assert len(await queries.list_requests(scope)) == before


async def test_the_directory_is_told_the_last_day_and_what_was_emptied(
    store: Store, caller: Caller, account: Account, scope: AccountScope, user: UserView
) -> None:
    async def told() -> dict[str, object]:
        async with store.read() as session:
            rows = await session.execute(
                select(AssignmentRow, UserRow)
                .join(UserRow, UserRow.id == AssignmentRow.user_id)
                .where(AssignmentRow.service_id == "directory")
            )
            ((row, person),) = rows.all()
            return (await attributes_of(session, [(row, person)]))[row.id]

    last = datetime.now(UTC).date() + timedelta(days=30)
    await editing.edit_user(scope, user.id, {"expires_on": last, "title": "Countess"})
    _, requests = await children(store, caller, account, "edit")
    assert set(requests) == {"directory"}
    facts = await told()
    assert facts["title"] == "Countess"
    end = datetime.combine(last + timedelta(days=1), time(), zone_of(account.time_zone))
    assert facts["expires_at"] == end.astimezone(UTC).isoformat(timespec="seconds")
    await editing.edit_user(scope, user.id, {"expires_on": date(2026, 1, 1), "title": ""})
    facts = await told()
    assert (facts["title"], facts["expires_at"]) == ("", ""), "who is enabled after it is let in"
    await editing.disable_user(scope, user.id)
    assert str((await told())["expires_at"]).startswith("2026-01-01T")


async def test_a_directory_account_whose_password_is_gone_asks_for_a_reset_at_once(
    store: Store, caller: Caller, account: Account, scope: AccountScope
) -> None:
    await own_seats(store, caller, account, "managed-exchange", "pc-web")
    user = await create(store, caller, account)
    async with store.write(caller, account.id) as tx:
        await in_force.put(tx, parse(directory_catalogue()), "a test")
        row = await tx.session.get_one(UserRow, user.id)
        row.secret_id = None
    with pytest.raises(Conflict, match="Directory Account needs"):
        await provision(scope, user.id, [MAIL])
    await passwords.set_password(scope, user.id)
    await provision(scope, user.id, [MAIL])


async def test_a_waiting_service_still_waits_after_an_edit(
    store: Store, caller: Caller, account: Account, scope: AccountScope, with_directory: None
) -> None:
    await own_seats(store, caller, account, "managed-exchange", "pc-web")
    user = await create(store, caller, account)
    await provision(scope, user.id, [MAIL])
    await editing.add_alias(scope, user.id, "al@acme.example")
    listed = await queries.list_requests(scope)
    assert sorted(one.state for one in listed if one.kind == "provision") == ["superseded"] * 2
    _, told = await children(store, caller, account, "edit")
    assert told["directory"][0] == "queued"
    assert told["managed-exchange"][0] == "waiting"


async def test_disabling_is_one_request_for_everything(
    store: Store, caller: Caller, account: Account, scope: AccountScope, user: UserView
) -> None:
    await editing.edit_user(scope, user.id, {"disabled": True, "display_name": "Ada King"})
    parent, told = await children(store, caller, account, "disable")
    assert len(told) == 3
    assert {one.kind for one in parent.children} == {RequestKind.DISABLE}
    listed = await queries.list_requests(scope)
    assert not [one for one in listed if one.kind == "edit"]
    again = await editing.disable_user(scope, user.id)
    assert not again.plan.changes_anything
    await editing.enable_user(scope, user.id)
    _, told = await children(store, caller, account, "enable")
    assert len(told) == 3
    listed = await queries.list_requests(scope)
    states = {one.kind: one.state for one in listed if one.parent_id is None}
    assert states["disable"] == "succeeded"
    assert states["enable"] == "running"


async def test_unlocking_reaches_the_services(
    store: Store, caller: Caller, account: Account, scope: AccountScope, user: UserView
) -> None:
    free = await editing.unlock_user(scope, user.id)
    assert not free.plan.changes_anything
    async with store.write(caller, account.id) as tx:
        row = await tx.session.get_one(UserRow, user.id)
        row.locked = True
    outcome = await editing.unlock_user(scope, user.id)
    assert not outcome.result.locked
    for told_of in (free, outcome):
        (warned,) = told_of.plan.warnings
        assert "neither seen nor ended" in warned
    _, told = await children(store, caller, account, "unlock")
    assert "directory" in told


async def test_a_reset_reaches_what_uses_the_user_s_password_and_shows_it_once(
    store: Store, caller: Caller, account: Account, scope: AccountScope, user: UserView
) -> None:
    outcome = await passwords.set_password(scope, user.id, must_change=True)
    password = outcome.result.password
    assert password is not None
    assert all(rule.met for rule in check(password, "ada.lovelace", DEFAULT_POLICY))
    assert password not in repr(outcome)
    parent, told = await children(store, caller, account, "password")
    assert parent.request.id == outcome.result.request_id
    assert set(told) == {"directory", "managed-exchange"}
    async with store.read() as session:
        rows = {
            row.service_id: row.secret_id for row in await session.scalars(select(AssignmentRow))
        }
        kept = (await session.get_one(UserRow, user.id)).secret_id
        sealed = (await session.get_one(SecretRow, kept)).sealed
    assert rows["directory"] == rows["managed-exchange"] == kept
    assert rows["databases"] is None
    if store.is_sqlite:
        assert sealing.unseal(upgrade.key_path(store.url), bytes(sealed or b"")) == password
    now = await users.details(scope, user.id)
    assert now.details.must_change_password
    assert now.password_waiting


async def test_a_newer_password_wipes_the_one_that_still_waited(
    store: Store, scope: AccountScope, user: UserView
) -> None:
    before = await secrets_kept(store)
    for password in (PASSWORD, PASSWORD + "2"):
        outcome = await passwords.set_password(scope, user.id, password)
        assert outcome.result.password is None
    assert await secrets_kept(store) == before + 1
    with pytest.raises(InvalidInput) as caught:
        await passwords.set_password(scope, user.id, "short")
    assert {problem.where for problem in caught.value.problems} == {"password"}
    assert await secrets_kept(store) == before + 1


async def test_a_service_with_its_own_password_gets_one_only_when_named(
    scope: AccountScope, user: UserView
) -> None:
    outcome = await passwords.set_service_password(scope, user.id, "Databases", instance="shop")
    assert outcome.result.password is not None
    assert outcome.result.password not in repr(outcome)
    (request,) = [
        one for one in await queries.list_requests(scope) if one.id == outcome.result.request_id
    ]
    assert (request.kind, request.service_id) == ("password", "databases")
    with pytest.raises(NotFound):
        await passwords.set_service_password(scope, user.id, "databases")
    with pytest.raises(Conflict, match="the user's password"):
        await passwords.set_service_password(scope, user.id, "managed-exchange")


async def test_only_a_user_without_any_service_can_be_deleted(
    store: Store, caller: Caller, account: Account, scope: AccountScope, user: UserView
) -> None:
    with pytest.raises(Conflict) as caught:
        await deletion.delete_user(scope, user.id)
    assert [problem.where for problem in caught.value.problems] == [
        "Databases (shop)",
        "Directory",
        "Managed Exchange",
    ]
    await deprovision_all(scope, user.id)
    with pytest.raises(Conflict, match="not gone yet"):
        await deletion.delete_user(scope, user.id)
    await finish(store, caller, account)
    deleted = await deletion.delete_user(scope, user.id)
    assert deleted.result.in_bin
