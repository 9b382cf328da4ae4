"""Another level: what was only the old level's default follows, what was asked for stays, what shrinks is named."""

from __future__ import annotations

import pytest
from sqlalchemy import update

from mission_control_tui.model.bulk import control as bulks
from mission_control_tui.model.bulk import planning
from mission_control_tui.model.bulk.slices import next_bulk, work_slice
from mission_control_tui.model.caller import Caller
from mission_control_tui.model.history.undo import undo
from mission_control_tui.model.plan import Plan
from mission_control_tui.model.schedules.editing import schedule
from mission_control_tui.model.services.lights import status
from mission_control_tui.model.states import RequestKind
from mission_control_tui.model.store.database import Store
from mission_control_tui.model.store.scope import AccountScope
from mission_control_tui.model.store.tables.services import AssignmentRow
from mission_control_tui.model.users.actions.params import ActionParams
from mission_control_tui.model.users.provisioning import change_wish, provision
from mission_control_tui.model.views import Account, UserView
from tests.model.helpers import create, finish, own_seats

pytestmark = pytest.mark.any_database
MAIL = "managed-exchange"


@pytest.fixture
async def user(store: Store, caller: Caller, account: Account) -> UserView:
    """Ada, and seats of three levels."""
    for level in ("popx", "pc-web", "pc-web-mobile"):
        await own_seats(store, caller, account, MAIL, level)
    return await create(store, caller, account)


async def give(
    scope: AccountScope, user: UserView, level: str, /, dry_run: bool = False, **settings: object
) -> Plan:
    wanted = ActionParams(MAIL, level, settings)
    return (await provision(scope, user.id, [wanted], dry_run=dry_run)).plan


async def has(scope: AccountScope, user: UserView, *names: str) -> list[object]:
    (view,) = [view for view in await status(scope, user=user.id) if view.service_id == MAIL]
    return [view.level_id if name == "level" else view.settings.get(name) for name in names]


def changes(plan: Plan) -> dict[str, tuple[object, object]]:
    """What the plan shows of the service, before and after."""
    (line,) = [line for line in plan.lines if line.kind == "service"]
    return {
        name: (line.before.get(name), line.after.get(name))
        for name in line.before.keys() | line.after.keys()
    }


async def test_defaults_follow_the_level_and_the_plan_shows_each(
    scope: AccountScope, user: UserView
) -> None:
    await give(scope, user, "popx", web="no")
    tried = await give(scope, user, "pc-web", dry_run=True)
    shown = changes(tried)
    assert shown["level"] == ("popx", "pc-web")
    assert (shown["quota"], shown["pop"]) == ((5120, 51200), (True, False))
    assert "web" not in shown, "it was asked for"
    assert tried.lost == (), "more of everything"
    assert await has(scope, user, "level", "quota") == ["popx", 5120], "tried only"
    await give(scope, user, "pc-web")
    assert await has(scope, user, "quota", "pop", "web") == [51200, False, False]


async def test_what_was_asked_for_stays_also_where_it_is_the_default(
    scope: AccountScope, user: UserView
) -> None:
    await give(scope, user, "popx", quota=5120)
    await give(scope, user, "pc-web")
    assert await has(scope, user, "quota", "pop") == [5120, False]
    await give(scope, user, "pc-web", pop="no")
    await give(scope, user, "popx")
    assert await has(scope, user, "quota", "pop") == [5120, False], "no was asked for"


async def test_what_the_new_level_forbids_is_its_default_and_named_as_a_loss(
    scope: AccountScope, user: UserView
) -> None:
    await give(scope, user, "pc-web", quota=30720)
    plan = await give(scope, user, "popx")
    assert changes(plan)["quota"] == (30720, 5120)
    assert "Managed Exchange: Mailbox quota: 30720 MB -> 5120 MB" in plan.lost
    assert "Managed Exchange: IMAP" in plan.lost
    await give(scope, user, "pc-web")
    assert await has(scope, user, "quota") == [51200], "the 5 GB were nobody's wish"


@pytest.mark.parametrize("quota", [5120, 7000])
async def test_of_what_was_not_recorded_the_defaults_follow(
    store: Store, scope: AccountScope, user: UserView, quota: int
) -> None:
    await give(scope, user, "popx", quota=quota)
    async with store.write(scope.caller, user.account_id) as tx:
        await tx.session.execute(update(AssignmentRow).values(stated=None))
    await give(scope, user, "pc-web")
    expected = 51200 if quota == 5120 else quota
    assert await has(scope, user, "quota") == [expected]


async def test_an_undo_brings_the_settings_back_and_what_was_nobodys_wish(
    scope: AccountScope, user: UserView
) -> None:
    await give(scope, user, "popx", web="no")
    request = (await give(scope, user, "pc-web")).requests[0]
    tried = await undo(scope, request=request, dry_run=True)
    assert changes(tried.plan)["quota"] == (51200, 5120)
    assert "Managed Exchange: Mailbox quota: 51200 MB -> 5120 MB" in tried.plan.lost
    await undo(scope, request=request)
    assert await has(scope, user, "level", "quota", "pop", "web") == ["popx", 5120, True, False]
    await give(scope, user, "pc-web-mobile")
    assert await has(scope, user, "quota", "pop", "web") == [51200, False, False]


async def test_a_schedule_says_what_would_change_and_what_would_be_lost(
    scope: AccountScope, user: UserView
) -> None:
    await give(scope, user, "pc-web")
    params = ActionParams(MAIL, "popx")
    tried = await schedule(scope, user.id, "provision", params, "+2h", dry_run=True)
    assert any("quota: 51200 -> 5120" in warning for warning in tried.plan.warnings)
    assert "Managed Exchange: Mailbox quota: 51200 MB -> 5120 MB" in tried.plan.lost
    gone = await schedule(scope, user.id, "deprovision", None, "+2h", dry_run=True)
    assert any("with the data" in lost for lost in gone.plan.lost)


async def test_a_bulk_says_what_changes_for_how_many_and_asks_only_about_losses(
    store: Store, caller: Caller, account: Account, scope: AccountScope, user: UserView
) -> None:
    await give(scope, user, "popx")
    more = await planning.plan(scope, [user.id], "change", ActionParams(MAIL, "pc-web"))
    assert {change.what: change.count for change in more.changes}["quota: 5120 -> 51200"] == 1
    assert not more.takes_away
    await bulks.start(scope, [user.id], "change", ActionParams(MAIL, "pc-web"))
    while (bulk_id := await next_bulk(store)) is not None:
        await work_slice(store, bulk_id)
    assert await has(scope, user, "quota", "pop") == [51200, False]
    await finish(store, caller, account)
    less = await planning.plan(scope, [user.id], "provision", ActionParams(MAIL, "popx"))
    assert less.takes_away
    assert "Managed Exchange: Mailbox quota: 51200 MB -> 5120 MB (1)" in less.lost
    smaller = await planning.plan(
        scope, [user.id], "change", ActionParams(MAIL, settings={"quota": 1000})
    )
    assert not smaller.takes_away, "what is typed is meant"
    for verb in ("password", "suspend", "disable", "deprovision"):
        params = ActionParams(MAIL) if verb in ("suspend", "deprovision") else ActionParams()
        assert (await planning.plan(scope, [user.id], verb, params)).takes_away, verb
    for verb in ("enable", "resume"):
        params = ActionParams(MAIL) if verb == "resume" else ActionParams()
        assert not (await planning.plan(scope, [user.id], verb, params)).takes_away, verb


async def test_suspend_and_resume_show_nothing_that_does_not_change(
    scope: AccountScope, user: UserView
) -> None:
    await give(scope, user, "pc-web")
    for kind, wish in ((RequestKind.SUSPEND, "suspended"), (RequestKind.RESUME, "present")):
        plan = (await change_wish(scope, user.id, MAIL, kind)).plan
        assert changes(plan).keys() == {"wish"}
        assert changes(plan)["wish"][1] == wish
