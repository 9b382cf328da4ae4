"""Two operators at the same thing at once: one of them wins, the other is told, and nothing is half done."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update

from mission_control_tui.model.accounts import contacts, overview
from mission_control_tui.model.accounts.contacts import Contact, ContactRole
from mission_control_tui.model.bulk import control as bulks
from mission_control_tui.model.bulk import queries
from mission_control_tui.model.bulk.slices import work_slice
from mission_control_tui.model.bulk.views import ItemOutcome
from mission_control_tui.model.caller import Caller
from mission_control_tui.model.errors import Conflict, MissionControlError, NotFound, StaleVersion
from mission_control_tui.model.groups import editing as objects
from mission_control_tui.model.groups.queries import show_object
from mission_control_tui.model.history import audit_log, undo
from mission_control_tui.model.money import Money
from mission_control_tui.model.onboarding import templates
from mission_control_tui.model.onboarding.template_content import TemplateContent
from mission_control_tui.model.operators import drafts
from mission_control_tui.model.orders import approval
from mission_control_tui.model.orders.buying import buy
from mission_control_tui.model.recycle_bin import deletion, purge
from mission_control_tui.model.schedules import due as schedule_due
from mission_control_tui.model.schedules import editing as schedules
from mission_control_tui.model.schedules import queries as schedule_queries
from mission_control_tui.model.schedules import running as schedule_running
from mission_control_tui.model.states import BulkState, ScheduleState
from mission_control_tui.model.store.database import Store
from mission_control_tui.model.store.scope import AccountScope
from mission_control_tui.model.store.tables.orders import OrderRow
from mission_control_tui.model.store.tables.schedules import ScheduleRow
from mission_control_tui.model.store.tables.users import AddressRow, UserRow
from mission_control_tui.model.users import editing
from mission_control_tui.model.users import queries as users
from mission_control_tui.model.users.actions.params import ActionParams
from mission_control_tui.model.users.provisioning import deprovision_all
from mission_control_tui.model.views import Account
from mission_control_tui.settings.file import SettingsFile
from tests.model.helpers import create, finish, named, own_seats

MAIL = ActionParams("managed-exchange", "popx")
FUTURE = "+30d"
ROUNDS = 3


async def race(*calls: Awaitable[object]) -> tuple[list[object], list[MissionControlError]]:
    """What came of doing all at the same time: results and refusals; anything else is raised."""
    ended = await asyncio.gather(*calls, return_exceptions=True)
    refused = [one for one in ended if isinstance(one, MissionControlError)]
    for one in ended:
        if isinstance(one, BaseException) and not isinstance(one, MissionControlError):
            raise one
    return [one for one in ended if not isinstance(one, BaseException)], refused


async def test_an_order_is_approved_declined_or_cancelled_and_never_two_of_them(
    store: Store, caller: Caller, account: Account
) -> None:
    scope = AccountScope(store, caller, account.id)
    await approval.set_approval_limit(scope, Money(0, "AUD"))
    granted = 0
    for _ in range(ROUNDS):
        order = (await buy(scope, "email", level="popx", quantity=1)).result.id
        done, refused = await race(
            approval.decline_order(scope, order, "no"),
            approval.approve_order(scope, order),
            approval.approve_order(scope, order),
        )
        assert len(done) == 1
        assert {type(one) for one in refused} == {Conflict}
        async with store.read() as session:
            state = (await session.get_one(OrderRow, order)).state
        granted += state == "complete"
        seats = await overview.list_seats(scope)
        assert sum(one.owned for one in seats) == granted


async def test_who_is_purged_and_restored_at_once_is_one_of_both(
    store: Store, caller: Caller, account: Account
) -> None:
    scope = AccountScope(store, caller, account.id)
    for number in range(ROUNDS):
        user = await create(store, caller, account, named(f"ann{number}"))
        await finish(store, caller, account)
        await deletion.delete_user(scope, user.id)
        done, refused = await race(
            purge.purge_user(scope, user.id), deletion.restore_user(scope, user.id)
        )
        assert len(done) + len(refused) == 2
        async with store.read() as session:
            row = await session.get_one(UserRow, user.id)
            addresses = await session.scalars(
                select(AddressRow).where(AddressRow.user_id == user.id)
            )
            kept = bool(addresses.all())
        assert (row.purged_at is None) == kept == (row.upn == user.upn)
        assert row.in_bin == (row.purged_at is not None)


async def test_a_bulk_goes_past_whoever_was_deleted_or_purged_meanwhile(
    store: Store, caller: Caller, account: Account
) -> None:
    scope = AccountScope(store, caller, account.id)
    await own_seats(store, caller, account, "managed-exchange", "popx")
    ann, bob, cem = [
        await create(store, caller, account, named(one)) for one in ("ann", "bob", "cem")
    ]
    await finish(store, caller, account)
    bulk = (await bulks.start(scope, [ann.id, bob.id, cem.id], "provision", MAIL)).result.id
    await deletion.delete_user(scope, ann.id)
    await deletion.delete_user(scope, bob.id)
    await purge.purge_user(scope, bob.id)
    while not (await work_slice(store, bulk)).last:
        pass
    found = await queries.items(scope, bulk)
    assert [one.outcome for one in found] == [
        ItemOutcome.SKIPPED,
        ItemOutcome.SKIPPED,
        ItemOutcome.ORANGE,
    ]
    assert "bob" not in " ".join(one.name for one in found)
    await finish(store, caller, account)

    await deletion.restore_user(scope, ann.id)
    undone = await undo.undo(scope, bulk=bulk)
    assert undone.result.bulk is not None
    assert undone.result.bulk.progress.total == 1
    other = undone.result.bulk.id
    while not (await work_slice(store, other)).last:
        pass
    assert (await queries.show(scope, other)).state is BulkState.DONE


async def test_nothing_of_a_purged_user_can_be_undone(
    store: Store, caller: Caller, account: Account
) -> None:
    scope = AccountScope(store, caller, account.id)
    await own_seats(store, caller, account, "managed-exchange", "popx")
    ann = await create(store, caller, account, named("ann"))
    await editing.edit_user(scope, ann.id, {"notes": "Likes tea"}, expected_version=None)
    bulk = (await bulks.start(scope, [ann.id], "provision", MAIL)).result.id
    await work_slice(store, bulk)
    await finish(store, caller, account)
    await deprovision_all(scope, ann.id)
    await finish(store, caller, account)
    await deletion.delete_user(scope, ann.id)
    await purge.purge_user(scope, ann.id)
    for row in await audit_log.entries(scope):
        if row.user_id == ann.id:
            for force in (False, True):
                with pytest.raises((Conflict, NotFound)):
                    await undo.undo(scope, audit=row.id, force=force)
    with pytest.raises(Conflict, match="nothing to undo"):
        await undo.undo(scope, bulk=bulk)


async def test_a_schedule_of_a_service_that_left_the_catalogue_fails_and_is_still_listed(
    store: Store, caller: Caller, account: Account
) -> None:
    scope = AccountScope(store, caller, account.id)
    await own_seats(store, caller, account, "managed-exchange", "popx")
    ann = await create(store, caller, account, named("ann"))
    params = ActionParams("managed-exchange", "popx")
    one = (await schedules.schedule(scope, ann.id, "provision", params, FUTURE)).result
    async with store.write(Caller("test")) as tx:
        await tx.session.execute(
            update(ScheduleRow)
            .where(ScheduleRow.id == one.id)
            .values(
                params={"service": "gone", "level": "gone"},
                due_at=datetime.now(UTC) - timedelta(hours=1),
            )
        )
    assert [row.what for row in await schedule_queries.list_schedules(scope)] == [
        "Provision gone: gone"
    ]
    (due,) = await schedule_due.due(store)
    assert await schedule_running.run(store, due) is ScheduleState.FAILED
    (row,) = await schedule_queries.list_schedules(scope)
    assert "gone" in row.said


async def test_of_two_who_change_a_schedule_one_is_told(
    store: Store, caller: Caller, account: Account, scope: AccountScope
) -> None:
    bob = AccountScope(store, replace(caller, operator="bob"), account.id)
    ann = await create(store, caller, account, named("ann"))
    one = (await schedules.schedule(scope, ann.id, "disable", None, FUTURE)).result
    done, refused = await race(
        *(
            schedules.change_schedule(
                who, one.id, when=f"+{30 + days}d", expected_version=one.version
            )
            for days, who in enumerate((scope, bob), 1)
        )
    )
    assert len(done) == 1
    assert [type(error) for error in refused] == [StaleVersion]
    async with store.write(Caller("test")) as tx:
        await tx.session.execute(
            update(ScheduleRow).values(due_at=datetime.now(UTC) - timedelta(hours=1))
        )
    (due,) = await schedule_due.due(store)
    await race(schedules.cancel_schedule(scope, one.id), schedule_running.run(store, due))
    row = await schedule_queries.show_schedule(scope, one.id)
    disabled = (await users.details(scope, ann.id)).details.disabled
    assert disabled == (row.state is ScheduleState.DONE)


async def test_of_two_who_save_a_template_an_object_or_contacts_one_is_told(
    store: Store, caller: Caller, account: Account, scope: AccountScope
) -> None:
    bob = AccountScope(store, replace(caller, operator="bob"), account.id)
    sales, other = (TemplateContent({"department": one}, ()) for one in ("Sales", "Other"))
    done, refused = await race(
        templates.save_template(scope, "New", sales), templates.save_template(bob, "new", other)
    )
    assert (len(done), [type(one) for one in refused]) == (1, [Conflict])
    third = TemplateContent({"department": "Third"}, ())
    fourth = TemplateContent({"department": "Fourth"}, ())
    done, refused = await race(
        templates.save_template(scope, "New", third, version=1),
        templates.save_template(bob, "New", fourth, version=1),
    )
    assert (len(done), [type(one) for one in refused]) == (1, [StaleVersion])
    done, refused = await race(
        templates.remove_template(scope, "New", version=2),
        templates.save_template(bob, "New", sales, version=2),
    )
    assert (len(done), len(refused)) == (1, 1)

    await own_seats(store, caller, account, "managed-exchange", "popx")
    made = (
        await objects.create_object(scope, "mail-contact", "Grace", "grace@elsewhere.example")
    ).result
    done, refused = await race(
        *(
            objects.edit_object(
                who, made.id, objects.GroupChanges(name=name), expected_version=made.version
            )
            for who, name in ((scope, "Grace A"), (bob, "Grace B"))
        )
    )
    assert (len(done), [type(one) for one in refused]) == (1, [StaleVersion])
    shown = await show_object(scope, made.id)
    done, refused = await race(
        objects.remove_object(scope, made.id, expected_version=shown.version),
        objects.edit_object(
            bob, made.id, objects.GroupChanges(name="Grace C"), expected_version=shown.version
        ),
    )
    assert (len(done), len(refused)) == (1, 1)

    done, refused = await race(
        *(
            contacts.set_contacts(who, [Contact(ContactRole.PRIMARY, name)], expected=[])
            for who, name in ((scope, "Ann"), (bob, "Bob"))
        )
    )
    assert (len(done), [type(one) for one in refused]) == (1, [StaleVersion])


async def test_of_two_who_save_the_settings_one_is_told(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_text("# mine\n[console]\ntheme = 'dark'\n")
    seen = SettingsFile.read(path)
    done, refused = await race(
        *(
            asyncio.to_thread(seen.save, {key: 5})
            for key in ("console.page_jump", "console.confirm_above", "worker.slots")
        )
    )
    assert len(done) == 1
    assert {type(one) for one in refused} == {Conflict}
    assert path.read_text().startswith("# mine\n[console]\ntheme = 'dark'\n")


async def test_the_draft_of_a_purged_user_goes_and_of_a_deleted_one_stays(
    store: Store, caller: Caller, account: Account
) -> None:
    scope = AccountScope(store, caller, account.id)
    ann = await create(store, caller, account, named("ann"))
    await finish(store, caller, account)
    await drafts.save_draft(scope, "edit-user", {"notes": "Likes tea"}, subject=ann.id)
    await deletion.delete_user(scope, ann.id)
    assert len(await drafts.list_drafts(store, caller)) == 1
    await purge.purge_user(scope, ann.id)
    assert await drafts.list_drafts(store, caller) == ()
