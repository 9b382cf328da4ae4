"""Wishes with a date: judged when they are made, changed and cancelled, and carried out once at their moment."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update

from mission_control_tui.model.caller import Caller
from mission_control_tui.model.errors import (
    Conflict,
    InvalidInput,
    NotFound,
    StaleVersion,
    UsageError,
)
from mission_control_tui.model.history import audit_log
from mission_control_tui.model.history.audit_export import as_script
from mission_control_tui.model.recycle_bin import deletion
from mission_control_tui.model.requests.queries import list_requests
from mission_control_tui.model.schedules import due as schedule_due
from mission_control_tui.model.schedules.editing import (
    cancel_schedule,
    change_schedule,
    schedule,
    when,
)
from mission_control_tui.model.schedules.queries import ScheduleView, list_schedules, show_schedule
from mission_control_tui.model.schedules.running import run
from mission_control_tui.model.states import ScheduleState, Wish
from mission_control_tui.model.store.database import Store
from mission_control_tui.model.store.scope import AccountScope
from mission_control_tui.model.store.tables.schedules import ScheduleRow
from mission_control_tui.model.store.tables.services import AssignmentRow
from mission_control_tui.model.users import queries as users
from mission_control_tui.model.users.actions.params import ActionParams
from mission_control_tui.model.users.provisioning import provision
from mission_control_tui.model.views import Account, UserView
from tests.model.helpers import create, finish, named, own_seats

pytestmark = pytest.mark.any_database

MAIL = ActionParams("managed-exchange", "popx")
BOB = Caller(operator="bob", source="cli", ticket="T-2", session="s2")


@pytest.fixture
async def user(store: Store, caller: Caller, account: Account) -> UserView:
    """Ada, with nothing; the account owns ten seats of the smaller mailbox."""
    await own_seats(store, caller, account, "managed-exchange", "popx")
    return await create(store, caller, account)


async def made(
    store: Store,
    caller: Caller,
    user: UserView,
    action: str = "provision",
    params: ActionParams | None = MAIL,
    text: str = "tomorrow 18:00",
) -> ScheduleView:
    outcome = await schedule(
        AccountScope(store, caller, user.account_id), user.id, action, params, text
    )
    assert outcome.applied
    return outcome.result


async def overdue(store: Store, *ids: int) -> None:
    """Let the moment of these schedules have come a minute ago."""
    async with store.write(Caller("test")) as tx:
        past = datetime.fromtimestamp(await store.now(), UTC) - timedelta(minutes=1)
        await tx.session.execute(
            update(ScheduleRow).where(ScheduleRow.id.in_(ids)).values(due_at=past)
        )


async def run_due(store: Store) -> list[ScheduleState | None]:
    return [await run(store, one) for one in await schedule_due.due(store)]


async def mailbox(store: Store, user: UserView) -> AssignmentRow | None:
    async with store.read() as session:
        return await session.scalar(
            select(AssignmentRow).where(
                AssignmentRow.user_id == user.id, AssignmentRow.service_id == MAIL.service
            )
        )


async def test_what_is_scheduled_waits_and_says_when_and_what(
    store: Store, caller: Caller, scope: AccountScope, user: UserView
) -> None:
    one = await made(store, caller, user)
    assert (one.state, one.operator, one.ticket) == (ScheduleState.WAITING, "anna", "T-1")
    assert one.what == "Provision Managed Exchange: Standard Mail (POPX)"
    assert one.time_zone == "Australia/Sydney"
    assert " 18:00 (+1" in one.shown
    assert one.shown == (await when(scope, "tomorrow 18:00")).shown
    assert await list_schedules(scope) == (one,)
    assert await show_schedule(scope, one.id) == one
    assert await mailbox(store, user) is None
    assert await run_due(store) == []
    (entry,) = await audit_log.entries(scope, action="schedule")
    assert (entry.action, entry.user_id, entry.ticket) == ("schedule provision", user.id, "T-1")
    assert entry.after["at"] == one.shown


async def test_a_dry_run_schedules_nothing(scope: AccountScope, user: UserView) -> None:
    outcome = await schedule(scope, user.id, "disable", None, "fri 17:00", dry_run=True)
    assert not outcome.applied
    assert outcome.plan.changes_anything
    assert await list_schedules(scope) == ()


@pytest.mark.parametrize(
    ("action", "params", "text", "error"),
    [
        ("provision", MAIL, "yesterday", InvalidInput),
        ("provision", MAIL, "2020-01-01 09:00", InvalidInput),
        ("provision", ActionParams("nonsense"), "+1h", NotFound),
        ("provision", ActionParams("managed-exchange", "nonsense"), "+1h", NotFound),
        (
            "provision",
            ActionParams("managed-exchange", "popx", {"nonsense": 1}),
            "+1h",
            InvalidInput,
        ),
        ("provision", ActionParams(), "+1h", UsageError),
        ("suspend", ActionParams("managed-exchange", "popx"), "+1h", UsageError),
        ("disable", MAIL, "+1h", UsageError),
        ("explode", ActionParams(), "+1h", UsageError),
        ("provision", ActionParams("domain-registration"), "+1h", (UsageError, NotFound)),
    ],
)
async def test_what_no_time_mends_is_refused_at_once(
    scope: AccountScope,
    user: UserView,
    action: str,
    params: ActionParams,
    text: str,
    error: type[Exception] | tuple[type[Exception], ...],
) -> None:
    with pytest.raises(error):
        await schedule(scope, user.id, action, params, text)
    assert await list_schedules(scope) == ()


async def test_an_unknown_user_or_one_in_the_bin_is_refused(
    scope: AccountScope, user: UserView
) -> None:
    with pytest.raises(NotFound):
        await schedule(scope, "nobody@acme.example", "disable", None, "+1h")
    await deletion.delete_user(scope, user.id)
    with pytest.raises(NotFound, match="recycling bin"):
        await schedule(scope, user.id, "disable", None, "+1h")


@pytest.mark.parametrize(
    ("action", "params", "warning"),
    [
        ("provision", ActionParams("managed-exchange", "pc-web"), "would be refused"),
        ("provision", ActionParams("databases", "small", instance="shop"), "would be refused"),
        ("suspend", ActionParams("managed-exchange"), "would fail"),
        ("enable", ActionParams(), "nothing would change"),
        ("deprovision", ActionParams(), "nothing would change"),
    ],
)
async def test_what_time_may_mend_is_a_warning(
    scope: AccountScope, user: UserView, action: str, params: ActionParams, warning: str
) -> None:
    outcome = await schedule(scope, user.id, action, params, "+1h")
    assert any(warning in one for one in outcome.plan.warnings), outcome.plan.warnings
    assert outcome.result.state is ScheduleState.WAITING


async def test_a_local_time_that_needs_a_rule_is_said(scope: AccountScope, user: UserView) -> None:
    outcome = await schedule(scope, user.id, "disable", None, "2027-10-03 02:30")
    assert any("Clocks skip" in one for one in outcome.plan.warnings)
    assert outcome.result.shown == "Sun 2027-10-03 03:30 (+11:00)"


async def test_at_its_moment_it_becomes_a_wish_of_whoever_made_it_once(
    store: Store, caller: Caller, scope: AccountScope, user: UserView
) -> None:
    one = await made(store, caller, user)
    await overdue(store, one.id)
    assert await run_due(store) == [ScheduleState.DONE]
    assert await run_due(store) == []
    ended = await show_schedule(scope, one.id)
    (request,) = await list_requests(scope)
    assert (ended.state, ended.request_id) == (ScheduleState.DONE, request.id)
    assert (request.operator, request.ticket) == ("anna", "T-1")
    row = await mailbox(store, user)
    assert row is not None
    assert (row.wish, row.level_id, row.generation) == (Wish.PRESENT, "popx", 1)
    sources = {
        one.action: (one.operator, one.source, one.ticket)
        for one in await audit_log.entries(scope, user=user.id)
    }
    assert sources["provision managed-exchange"] == ("anna", "schedule", "T-1")
    assert sources["schedule done"] == ("anna", "schedule", "T-1")


@pytest.mark.parametrize(
    ("action", "params", "wish", "kinds"),
    [
        ("suspend", ActionParams("managed-exchange"), Wish.SUSPENDED, {"suspend"}),
        (
            "deprovision",
            ActionParams("managed-exchange"),
            Wish.ABSENT,
            {"deprovision"},
        ),
        ("deprovision", ActionParams(), Wish.ABSENT, {"deprovision"}),
        ("disable", ActionParams(), Wish.PRESENT, {"disable"}),
    ],
)
async def test_every_action_does_what_its_verb_does(
    store: Store,
    caller: Caller,
    account: Account,
    scope: AccountScope,
    user: UserView,
    action: str,
    params: ActionParams,
    wish: Wish,
    kinds: set[str],
) -> None:
    await provision(scope, user.id, [ActionParams(MAIL.service, MAIL.level)])
    await finish(store, caller, account)
    one = await made(store, caller, user, action, params)
    await overdue(store, one.id)
    assert await run_due(store) == [ScheduleState.DONE]
    row = await mailbox(store, user)
    assert row is not None
    assert row.wish == wish
    made_by_it = await list_requests(scope, limit=2)
    assert {request.kind for request in made_by_it if request.state != "succeeded"} == kinds
    details = await users.details(scope, user.id)
    assert details.details.disabled == (action == "disable")


async def test_what_is_so_already_is_done_and_says_so(
    store: Store, caller: Caller, scope: AccountScope, user: UserView
) -> None:
    one = await made(store, caller, user, "enable", None)
    await overdue(store, one.id)
    assert await run_due(store) == [ScheduleState.DONE]
    ended = await show_schedule(scope, one.id)
    assert "Nothing had to change" in ended.said
    assert ended.request_id is None


async def test_a_refused_wish_fails_with_the_reason_and_is_not_tried_again(
    store: Store, caller: Caller, scope: AccountScope, user: UserView
) -> None:
    one = await made(store, caller, user, params=ActionParams("managed-exchange", "pc-web"))
    other = await made(store, caller, user, "disable", None)
    await overdue(store, one.id, other.id)
    assert await run_due(store) == [ScheduleState.FAILED, ScheduleState.DONE]
    assert await run_due(store) == []
    failed = await show_schedule(scope, one.id)
    assert "seat" in failed.said.casefold()
    assert await mailbox(store, user) is None
    (entry,) = await audit_log.entries(scope, action="schedule failed")
    assert (entry.after["said"], entry.operator) == (failed.said, "anna")


async def test_deleting_the_user_cancels_what_waits(
    store: Store, caller: Caller, account: Account, scope: AccountScope, user: UserView
) -> None:
    one = await made(store, caller, user)
    outcome = await deletion.delete_user(AccountScope(store, BOB, account.id), user.id)
    assert any("1 schedule" in warning for warning in outcome.plan.warnings)
    ended = await show_schedule(scope, one.id)
    assert (ended.state, ended.said) == (ScheduleState.CANCELLED, "The user was deleted.")
    await overdue(store, one.id)
    assert await run_due(store) == []


async def test_a_changed_schedule_is_whose_changed_it_and_runs_at_the_new_moment(
    store: Store, caller: Caller, account: Account, scope: AccountScope, user: UserView
) -> None:
    one = await made(store, caller, user)
    changed = await change_schedule(
        AccountScope(store, BOB, account.id), one.id, when="+3d", expected_version=one.version
    )
    assert (changed.result.operator, changed.result.ticket) == ("bob", "T-2")
    assert changed.result.version == one.version + 1
    assert changed.result.due_at > one.due_at
    (line,) = changed.plan.lines
    assert (line.before["at"], line.after["at"]) == (one.shown, changed.result.shown)
    with pytest.raises(StaleVersion, match="bob"):
        await change_schedule(scope, one.id, when="+4d", expected_version=one.version)
    same = await change_schedule(scope, one.id, params=one.params)
    assert not same.plan.changes_anything
    assert same.result.operator == "bob"
    with pytest.raises(InvalidInput, match="cannot be used"):
        await change_schedule(scope, one.id, when="2001-01-01 00:00")


async def test_what_has_ended_cannot_be_changed_or_cancelled(
    store: Store, caller: Caller, account: Account, scope: AccountScope, user: UserView
) -> None:
    one = await made(store, caller, user)
    cancelled = await cancel_schedule(AccountScope(store, BOB, account.id), one.id)
    assert (cancelled.result.state, cancelled.result.said) == ("cancelled", "Cancelled by bob.")
    for again in (
        change_schedule(scope, one.id, when="+3d"),
        cancel_schedule(scope, one.id),
    ):
        with pytest.raises(Conflict, match="has ended"):
            await again
    with pytest.raises(NotFound, match="no schedule 999"):
        await cancel_schedule(scope, 999)


async def test_the_list_has_what_waits_first_and_can_be_narrowed(
    store: Store, caller: Caller, account: Account, scope: AccountScope, user: UserView
) -> None:
    bob = await create(store, caller, account, named("bob"))
    late = await made(store, caller, user, text="+3d")
    early = await made(store, caller, bob, "disable", None, text="+1d")
    gone = await made(store, caller, bob, "disable", None, text="+2d")
    await cancel_schedule(scope, gone.id)
    listed = await list_schedules(scope)
    assert [one.id for one in listed] == [early.id, late.id, gone.id]
    of_bob = await list_schedules(scope, user=bob.upn)
    assert [one.id for one in of_bob] == [early.id, gone.id]
    waiting = await list_schedules(scope, states=[ScheduleState.WAITING])
    assert [one.id for one in waiting] == [early.id, late.id]
    ended = await list_schedules(scope, states=[ScheduleState.CANCELLED])
    assert [one.id for one in ended] == [gone.id]


async def test_many_runners_at_the_same_time_state_each_wish_once(
    store: Store, caller: Caller, account: Account, scope: AccountScope, user: UserView
) -> None:
    ids = [(await made(store, caller, user, "disable", None)).id]
    for name in ("bob", "cyd", "dan"):
        other = await create(store, caller, account, named(name))
        ids.append((await made(store, caller, other, "disable", None)).id)
    await overdue(store, *ids)
    due = await schedule_due.due(store)
    ended = await asyncio.gather(*(run(store, one) for one in (*due, *due, *due)))
    assert [one for one in ended if one is not None] == [ScheduleState.DONE] * 4
    done = await audit_log.entries(scope, action="schedule done")
    assert len(done) == 4


async def test_one_that_is_put_off_at_the_last_moment_does_not_run(
    store: Store, caller: Caller, scope: AccountScope, user: UserView
) -> None:
    one = await made(store, caller, user, "disable", None)
    await overdue(store, one.id)
    (due,) = await schedule_due.due(store)
    await change_schedule(scope, one.id, when="+1h")
    assert await run(store, due) is None
    assert not (await users.details(scope, user.id)).details.disabled


async def test_a_session_done_again_schedules_and_does_not_do_twice(
    store: Store, caller: Caller, scope: AccountScope, user: UserView
) -> None:
    one = await made(store, caller, user, "disable", None)
    await overdue(store, one.id)
    assert await run_due(store) == [ScheduleState.DONE]
    entries = await audit_log.entries(scope, user=user.id)
    script = as_script(entries[::-1]).splitlines()
    commands = [line for line in script if line.startswith("mission-control")]
    assert [line.split()[3] for line in commands if " create " not in line] == ["schedule"]
    assert any(line.startswith("# disable user") for line in script)
