"""Bulks: what the plan says is what the slices do, on both databases."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence

import pytest
from sqlalchemy import func, select, update

from mission_control_tui.model.bulk import control as bulks
from mission_control_tui.model.bulk import planning, queries, retry, slices, targets
from mission_control_tui.model.bulk.item_storage import pack
from mission_control_tui.model.bulk.retry import RetryForecast
from mission_control_tui.model.bulk.slices import next_bulk, work_slice
from mission_control_tui.model.bulk.targets import BulkTarget
from mission_control_tui.model.bulk.views import (
    BulkAction,
    BulkOnlyAction,
    BulkView,
    ItemOutcome,
)
from mission_control_tui.model.caller import Caller
from mission_control_tui.model.catalogue.in_force import in_force
from mission_control_tui.model.errors import Conflict, Denied, NoSeats, NotFound, UsageError
from mission_control_tui.model.requests.queries import list_requests
from mission_control_tui.model.search.filters import ALL, UserFilter
from mission_control_tui.model.states import (
    BulkState,
    ErrorKind,
    Light,
    Priority,
    RequestState,
    Word,
)
from mission_control_tui.model.store.database import Store
from mission_control_tui.model.store.scope import AccountScope
from mission_control_tui.model.store.tables.audit import AuditRow
from mission_control_tui.model.store.tables.bulk import BulkItemRow, BulkRow
from mission_control_tui.model.store.tables.requests import RequestRow
from mission_control_tui.model.store.tables.services import AssignmentRow
from mission_control_tui.model.store.tables.users import SecretRow, UserRow
from mission_control_tui.model.store.tables.workers import ConnectorStateRow
from mission_control_tui.model.store.transaction import Transaction
from mission_control_tui.model.users import editing
from mission_control_tui.model.users.actions.params import ActionParams
from mission_control_tui.model.users.provisioning import provision
from mission_control_tui.model.views import Account, RevealedPassword
from tests.model.helpers import create, finish, named, own_seats

pytestmark = pytest.mark.any_database

EXCHANGE = "managed-exchange"
SMALL, LARGE = "popx", "pc-web"


async def people(store: Store, caller: Caller, account: Account, *names: str) -> list[str]:
    """UPNs of new users."""
    return [(await create(store, caller, account, named(name))).upn for name in names]


async def all_of_it(store: Store, bulk_id: int) -> int:
    """Do what the worker does until nothing is left; how many slices it took."""
    count = 0
    while not (await work_slice(store, bulk_id)).last:
        count += 1
    return count + 1


async def begun(
    store: Store,
    caller: Caller,
    account: Account,
    upns: list[str],
    action: BulkAction,
    params: ActionParams | None = None,
) -> BulkView:
    outcome = await bulks.start(AccountScope(store, caller, account.id), upns, action, params)
    return outcome.result


async def levels(store: Store) -> dict[str, tuple[str, str]]:
    """UPN -> (wish, level) of Managed Exchange."""
    async with store.read() as session:
        rows = await session.execute(
            select(UserRow.upn, AssignmentRow.wish, AssignmentRow.level_id)
            .join(AssignmentRow, AssignmentRow.user_id == UserRow.id)
            .where(AssignmentRow.service_id == EXCHANGE)
        )
        return {upn.partition("@")[0]: (wish, level) for upn, wish, level in rows}


async def test_a_plan_says_what_the_bulk_then_does(
    store: Store, caller: Caller, account: Account, scope: AccountScope
) -> None:
    await own_seats(store, caller, account, EXCHANGE, SMALL, 4)
    await own_seats(store, caller, account, EXCHANGE, LARGE, 2)
    upns = await people(store, caller, account, "ann", "bob", "cem", "dee", "eve", "fay")
    for upn in upns[:2]:
        await provision(scope, upn, [ActionParams(EXCHANGE, SMALL)])
    await finish(store, caller, account)
    await provision(scope, upns[1], [ActionParams(EXCHANGE, LARGE)])
    await finish(store, caller, account)
    await editing.disable_user(scope, upns[5])
    params = ActionParams("Managed Exchange", "Standard Mail (POPX)")

    plan = await planning.plan(scope, upns, "provision", params)

    assert (plan.total, plan.queued, plan.unchanged, plan.skipped) == (6, 3, 1, 1)
    assert plan.refused == 1
    (short,) = plan.short
    assert (short.level_id, short.owned, short.free_before, short.short) == (SMALL, 4, 2, 1)
    (missing,) = plan.missing
    assert (missing.level_id, missing.quantity) == (SMALL, 1)
    assert missing.total.minor > 0
    why = {one.state: one for one in plan.reasons if one.state != "waiting"}
    assert why["refused"].names == (upns[4],)
    assert why["refused"].exit_code == NoSeats.exit_code
    assert why["skipped"].names == (upns[5],)
    assert "disabled" in why["skipped"].reason
    assert why["unchanged"].names == (upns[0],)
    assert await list_requests(scope, states=[RequestState.QUEUED]) == ()

    bulk = await begun(store, caller, account, upns, "provision", params)
    assert await next_bulk(store) == bulk.id
    await all_of_it(store, bulk.id)
    assert await next_bulk(store) is None
    done = await queries.show(scope, bulk.id)
    assert done.state is BulkState.DONE
    progress = done.progress
    assert (progress.orange, progress.unchanged, progress.skipped) == (3, 1, 1)
    (refused,) = await queries.items(scope, bulk.id, outcomes=[ItemOutcome.REFUSED])
    assert refused.name == upns[4]
    assert refused.reason == why["refused"].reason
    queued = await list_requests(scope, states=[RequestState.QUEUED, RequestState.WAITING])
    assert {one.priority for one in queued} == {Priority.BULK}
    assert {one.operator for one in queued} == {"anna"}
    assert {one.ticket for one in queued} == {"T-1"}


async def given(store: Store, caller: Caller, account: Account, *names: str) -> list[str]:
    """Users who have a green mailbox of the small level, and seats for all to have any level."""
    for level in (SMALL, LARGE):
        await own_seats(store, caller, account, EXCHANGE, level, 10)
    upns = await people(store, caller, account, *names)
    for upn in upns:
        await provision(
            AccountScope(store, caller, account.id), upn, [ActionParams(EXCHANGE, SMALL)]
        )
    await finish(store, caller, account)
    return upns


async def test_every_action_its_plan_and_what_is_so_already(
    store: Store, caller: Caller, account: Account, scope: AccountScope
) -> None:
    upns = await given(store, caller, account, "ann", "bob")
    (other,) = await people(store, caller, account, "cem")
    everybody = [*upns, other]
    box = ActionParams(EXCHANGE)
    for action, params, changed, left_out in (
        ("change", ActionParams(EXCHANGE, LARGE), 2, "skipped"),
        ("change", ActionParams(EXCHANGE, settings={"quota": "2 GB"}), 2, "skipped"),
        ("suspend", box, 2, "skipped"),
        ("suspend", box, 0, "skipped"),
        ("resume", box, 2, "skipped"),
        ("disable", None, 3, ""),
        ("disable", None, 0, ""),
        ("provision", ActionParams(EXCHANGE, SMALL), 2, "skipped"),
        ("enable", None, 3, ""),
        ("deprovision", None, 2, ""),
        ("deprovision", box, 0, "skipped"),
    ):
        plan = await planning.plan(scope, everybody, action, params)
        bulk = await begun(store, caller, account, everybody, action, params)
        await all_of_it(store, bulk.id)
        progress = (await queries.show(scope, bulk.id)).progress
        told = (plan.queued, plan.unchanged, plan.skipped, plan.refused)
        assert progress.orange + progress.green == plan.queued == changed, (action, plan)
        assert told[1:] == (progress.unchanged, progress.skipped, progress.refused), action
        assert not left_out or plan.skipped == 1
        await finish(store, caller, account)
    assert {wish for wish, _ in (await levels(store)).values()} == {"absent"}


async def test_a_stopped_bulk_leaves_the_rest_and_goes_on_when_resumed(
    store: Store, caller: Caller, account: Account, scope: AccountScope
) -> None:
    upns = await given(store, caller, account, "ann", "bob", "cem", "dee")
    bulk = await begun(store, caller, account, upns, "suspend", ActionParams(EXCHANGE))
    for _ in range(3):
        assert (await work_slice(store, bulk.id, limit=1)).items == 1
    tried = await bulks.stop(scope, bulk.id, dry_run=True)
    assert (tried.applied, tried.result.left, tried.result.queued) == (False, 1, 3)
    assert await next_bulk(store) == bulk.id
    stopped = (await bulks.stop(scope, bulk.id)).result
    assert (stopped.left, stopped.queued, stopped.cancelled) == (1, 3, 0)
    assert await next_bulk(store) is None
    assert (await work_slice(store, bulk.id)).items == 0
    with pytest.raises(Conflict):
        await bulks.stop(scope, bulk.id)
    cancelled = await bulks.stop(scope, bulk.id, cancel_queued=True)
    assert cancelled.result.cancelled == 3
    assert {wish for wish, _ in (await levels(store)).values()} == {"present"}
    await bulks.resume(scope, bulk.id)
    with pytest.raises(Conflict):
        await bulks.resume(scope, bulk.id)
    await all_of_it(store, bulk.id)
    shown = await queries.show(scope, bulk.id)
    assert (shown.state, shown.progress.cancelled, shown.progress.orange) == (BulkState.DONE, 3, 1)
    listed = await queries.list_bulks(scope)
    assert [one.id for one in listed] == [bulk.id]
    assert await queries.list_bulks(scope, moving=True) == ()
    pages = [
        await queries.items(scope, bulk.id, limit=3),
        await queries.items(scope, bulk.id, limit=3, after_id=3),
    ]
    assert [one.name for page in pages for one in page] == upns


async def test_passwords_are_kept_before_they_are_committed_and_made_once(
    store: Store, caller: Caller, account: Account, scope: AccountScope
) -> None:
    upns = await given(store, caller, account, "ann", "bob", "cem")
    plan = await planning.plan(scope, upns, "password")
    assert (plan.attended, plan.passwords, plan.queued) == (True, 3, 3)
    bulk = await begun(store, caller, account, upns, "password")
    assert await next_bulk(store) is None, "the worker leaves it to whoever takes the passwords"
    written: list[RevealedPassword] = []

    def full(made: Sequence[RevealedPassword]) -> None:
        raise OSError("the disk is full")

    with pytest.raises(OSError, match="full"):
        async for _ in bulks.attend(scope, bulk.id, full):
            pass
    assert (await queries.show(scope, bulk.id)).progress.left == 3
    await bulks.resume(scope, bulk.id)
    shown: list[RevealedPassword] = []
    async for done in bulks.attend(scope, bulk.id, written.extend):
        shown += done.passwords
    assert shown == written
    assert [one.upn for one in written] == upns
    assert len({one.password for one in written}) == 3
    assert written[0].password not in repr(written)
    async with store.read() as session:
        sealed = await session.scalar(select(func.count()).where(SecretRow.sealed.is_not(None)))
        audited = (await session.scalars(select(AuditRow))).all()
    assert sealed == 3
    secret = written[0].password
    assert not [row for row in audited if secret in repr((row.after, row.command, row.target))]


async def test_many_workers_on_one_bulk_do_each_item_once(
    store: Store, caller: Caller, account: Account, scope: AccountScope
) -> None:
    upns = await given(store, caller, account, *(f"user{number}" for number in range(10)))
    bulk = await begun(store, caller, account, upns, "change", ActionParams(EXCHANGE, LARGE))

    async def one_worker() -> None:
        for _ in range(50):
            if (await work_slice(store, bulk.id, limit=1)).last:
                return

    await asyncio.gather(*(one_worker() for _ in range(4)))
    assert (await queries.show(scope, bulk.id)).state is BulkState.DONE
    async with store.read() as session:
        items = (await session.scalars(select(BulkItemRow))).all()
        changes = Counter(
            await session.scalars(
                select(RequestRow.assignment_id).where(RequestRow.kind == "change")
            )
        )
        audited = (
            await session.scalars(select(AuditRow).where(AuditRow.action.startswith("change")))
        ).all()
    assert set(changes.values()) == {1}
    assert len(changes) == len(items) == 10
    assert {row.bulk_id for row in audited} == {bulk.id}
    assert {row.assignment_id for row in audited} == set(changes)
    assert {(row.operator, row.ticket) for row in audited} == {("anna", "T-1")}


async def test_an_item_that_the_program_fails_at_does_not_hold_up_the_others(
    store: Store, caller: Caller, account: Account, scope: AccountScope
) -> None:
    upns = await given(store, caller, account, "ann", "bob")
    params = ActionParams(EXCHANGE, LARGE)
    bulk = await begun(store, caller, account, upns, "change", params)
    async with store.write(caller) as tx:
        await tx.session.execute(
            update(AssignmentRow)
            .where(AssignmentRow.service_id == EXCHANGE)
            .where(AssignmentRow.user_id.in_(select(UserRow.id).where(UserRow.upn == upns[0])))
            .values(wish="nonsense")
        )
    await all_of_it(store, bulk.id)
    rows = await queries.items(scope, bulk.id)
    assert [one.outcome for one in rows] == [ItemOutcome.REFUSED, ItemOutcome.ORANGE]
    assert "defect" in rows[0].reason


async def test_who_is_picked(
    store: Store, caller: Caller, account: Account, scope: AccountScope
) -> None:
    upns = await given(store, caller, account, "ann", "bob")
    await people(store, caller, account, "cem")
    await editing.disable_user(scope, upns[1])
    await finish(store, caller, account)

    async def pick(where: UserFilter) -> list[str]:
        try:
            picked = await targets.order(scope, where, "disable")
        except UsageError:
            return []
        return sorted(target.name.partition("@")[0] for target in picked.targets)

    def of_level(service: str, level: str, disabled: bool | None = None) -> UserFilter:
        return UserFilter(levels=frozenset({(service, level)}), disabled=disabled)

    assert await pick(ALL) == ["ann", "bob", "cem"]
    assert await pick(UserFilter(services=frozenset({"Managed Exchange"}))) == ["ann", "bob"]
    assert await pick(of_level(EXCHANGE, "Standard Mail (POPX)", disabled=False)) == ["ann"]
    assert await pick(of_level(EXCHANGE, LARGE)) == []
    assert await pick(of_level("", SMALL)) == ["ann", "bob"]
    assert await pick(UserFilter("bob", disabled=True, domain="acme.example")) == ["bob"]
    assert await pick(UserFilter("bob", domain="other.example")) == []
    assert await pick(UserFilter(lights=frozenset({Light.GREEN}), disabled=True)) == ["bob"]
    assert await pick(UserFilter(domain="acme.example")) == ["ann", "bob", "cem"]
    assert await pick(UserFilter(domain="other.example")) == []
    by_any_name = ["ann", upns[0].upper(), "bob"]
    plan = await planning.plan(scope, by_any_name, "disable")
    assert (plan.total, plan.queued, plan.unchanged) == (2, 1, 1)
    with pytest.raises(NotFound) as refused:
        await planning.plan(scope, ["ann", "x", "y"], "disable")
    assert [one.where for one in refused.value.problems] == ["x", "y"]
    for action, params in (
        ("suspend", None),
        ("disable", ActionParams(level=SMALL)),
        ("change", ActionParams(EXCHANGE)),
    ):
        with pytest.raises(UsageError):
            await planning.plan(scope, upns, action, params)
    with pytest.raises(UsageError, match="Nobody"):
        await bulks.start(scope, [], "disable")
    looking = Caller(operator="eve", may_write=False)
    with pytest.raises(Denied):
        await bulks.start(AccountScope(store, looking, account.id), upns, "disable")
    tried = await bulks.start(scope, upns, "disable", dry_run=True)
    assert not tried.applied
    async with store.read() as session:
        assert (await session.scalars(select(BulkRow))).all() == []


async def test_names_keep_their_order_and_marks_come_by_upn(
    store: Store, caller: Caller, account: Account, scope: AccountScope
) -> None:
    upns = await given(store, caller, account, "cem", "ann", "dee", "bob")
    everybody = await targets.order(scope, ALL, "disable")
    ids = [str(target.user_id) for target in everybody.targets]
    for picked, expected in ((upns, upns), (sorted(ids), sorted(upns))):
        began = await bulks.start(scope, picked, "disable")
        while not (await work_slice(store, began.result.id)).last:
            pass
        found = await queries.items(scope, began.result.id)
        assert [one.name for one in found] == list(expected)


async def test_a_plan_names_nobody_in_a_reason_that_many_share(
    store: Store, caller: Caller, account: Account, scope: AccountScope
) -> None:
    await own_seats(store, caller, account, EXCHANGE, SMALL, 2)
    upns = await people(store, caller, account, "ann", "bob")
    async with store.write(caller, account.id) as tx:
        await tx.session.execute(update(UserRow).values(secret_id=None))
    box = ActionParams(EXCHANGE, SMALL)
    said = "Managed Exchange needs {}'s password, which is not kept once it is delivered."

    (reason,) = (await planning.plan(scope, upns, "provision", box)).reasons
    assert reason.names == tuple(upns)
    assert reason.reason.startswith(said.format("the user"))

    bulk = await begun(store, caller, account, upns, "provision", box)
    await all_of_it(store, bulk.id)
    reasons = [item.reason for item in await queries.items(scope, bulk.id)]
    assert all(map(str.startswith, reasons, map(said.format, upns)))


@pytest.mark.parametrize(
    ("kind", "remedy", "failures", "likely", "why"),
    [
        (
            ErrorKind.QUOTA,
            "Make room.",
            1,
            RetryForecast.MAY_WORK,
            "There may be room by now (quota): no",
        ),
        (
            ErrorKind.QUOTA,
            "Provision again.",
            3,
            RetryForecast.FAILS_AGAIN,
            "It failed 3 times in a row",
        ),
        (
            ErrorKind.DENIED,
            "Retry the request.",
            2,
            RetryForecast.MAY_WORK,
            "asks to try again (denied)",
        ),
        (
            ErrorKind.INVALID,
            "Provision again.",
            1,
            RetryForecast.MAY_WORK,
            "asks to try again (invalid)",
        ),
        (
            ErrorKind.INVALID,
            "Shorten it, then provision again.",
            1,
            RetryForecast.FAILS_AGAIN,
            "for good",
        ),
        (ErrorKind.CONFLICT, "", 1, RetryForecast.FAILS_AGAIN, "for good (conflict): no"),
    ],
)
async def test_the_outlook_agrees_with_the_remedy(
    store: Store,
    caller: Caller,
    account: Account,
    scope: AccountScope,
    kind: ErrorKind,
    remedy: str,
    failures: int,
    likely: RetryForecast,
    why: str,
) -> None:
    await given(store, caller, account, "ann")
    async with store.write(caller, account.id) as tx:
        of_exchange = AssignmentRow.service_id == EXCHANGE
        row = (await tx.session.scalars(select(AssignmentRow).where(of_exchange))).one()
        row.light, row.word, row.since = Light.RED, Word.ERROR, tx.now
        row.error_kind, row.error_said, row.error_remedy = kind, "no", remedy
        fail_requests(tx, account, row, failures)
    (line,) = (await retry.retry_plan(scope)).lines
    assert line.likely is likely
    assert why in line.why


def fail_requests(tx: Transaction, account: Account, row: AssignmentRow, count: int) -> None:
    """So many requests in a row that ended red."""
    for _ in range(count):
        tx.session.add(
            RequestRow(
                account_id=account.id,
                kind="change",
                user_id=row.user_id,
                assignment_id=row.id,
                generation=row.generation,
                state=RequestState.FAILED,
                priority=Priority.INTERACTIVE,
                operator="anna",
                ticket="",
                created_at=tx.now,
                previous={},
            )
        )


async def test_the_outlook_of_a_retry(
    store: Store, caller: Caller, account: Account, scope: AccountScope
) -> None:
    upns = await given(store, caller, account, "ann", "bob", "cem", "dee")
    kinds = (ErrorKind.DENIED, ErrorKind.INVALID, ErrorKind.TRANSIENT, ErrorKind.TRANSIENT)
    async with store.write(caller, account.id) as tx:
        for number, (upn, kind) in enumerate(zip(upns, kinds, strict=True)):
            user = (await tx.session.scalars(select(UserRow).where(UserRow.upn == upn))).one()
            row = (
                await tx.session.scalars(
                    select(AssignmentRow).where(
                        AssignmentRow.user_id == user.id, AssignmentRow.service_id == EXCHANGE
                    )
                )
            ).one()
            row.light, row.word, row.since = Light.RED, Word.ERROR, tx.now
            row.error_kind, row.error_said = kind, f"said {number}"
            fail_requests(tx, account, row, 3 if number == 3 else 1)
    await editing.edit_user(scope, upns[1], {"city": "Perth"})
    async with store.write(caller) as tx:
        await tx.session.execute(
            update(AssignmentRow)
            .where(AssignmentRow.error_said == "said 1")
            .values(light=Light.RED, word=Word.ERROR)
        )

    plan = await retry.retry_plan(scope)
    likely = {one.subject: (one.likely, one.why) for one in plan.lines}
    assert plan.queued == 4
    assert likely[upns[0]][0] is RetryForecast.FAILS_AGAIN
    assert "said 0" in likely[upns[0]][1]
    assert likely[upns[1]] == (RetryForecast.MAY_WORK, "The user was changed since.")
    assert likely[upns[2]][0] is RetryForecast.MAY_WORK
    assert likely[upns[3]][0] is RetryForecast.FAILS_AGAIN
    assert "3 times" in likely[upns[3]][1]
    some = await retry.retry_plan(scope, upns[:1])
    assert [one.subject for one in some.lines] == upns[:1]
    only = UserFilter(domain="acme.example", text=upns[0].partition("@")[0])
    picked = await targets.order(scope, only, BulkOnlyAction.RETRY)
    assert [target.name for target in picked.targets] == upns[:1]

    bulk = await bulks.start(scope, ALL, BulkOnlyAction.RETRY, ActionParams(EXCHANGE))
    await all_of_it(store, bulk.result.id)
    progress = (await queries.show(scope, bulk.result.id)).progress
    assert progress.orange == 4
    async with store.write(caller) as tx:
        tx.session.add(
            ConnectorStateRow(
                name="simulator",
                paused=True,
                kind=ErrorKind.AUTH,
                said="Wrong key",
                remedy="",
                since=tx.now,
                next_check_at=0.0,
            )
        )
        await tx.session.execute(update(AssignmentRow).values(light=Light.RED))
    paused = await retry.retry_plan(scope, upns)
    assert {one.likely for one in paused.lines} == {RetryForecast.WAITS}
    assert "Wrong key" in paused.lines[0].why


async def test_after_a_refusal_the_same_users_next_items_see_what_is_there(
    store: Store,
    caller: Caller,
    account: Account,
    scope: AccountScope,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(slices, "SLICE_SECONDS", 60.0)
    await own_seats(store, caller, account, EXCHANGE, SMALL, 2)
    (upn,) = await people(store, caller, account, "ann")
    async with store.read() as session:
        user_id = await session.scalar(select(UserRow.id).where(UserRow.upn == upn))
        catalogue = (await in_force(session)).catalogue
    items = [
        BulkTarget(user_id, None, upn, {"give": ActionParams(EXCHANGE, level).to_json()})
        for level in (LARGE, SMALL, LARGE, SMALL)
    ]
    order = targets.order_of(catalogue, account.id, BulkOnlyAction.GIVE, ActionParams(), items)
    packed = await pack(items)
    async with store.write(caller, account.id) as tx:
        bulk = await bulks.create_in(tx, order, packed)
    assert await all_of_it(store, bulk.id) == 1
    async with store.read() as session:
        rows = await session.scalars(
            select(BulkItemRow.state).where(BulkItemRow.bulk_id == bulk.id).order_by(BulkItemRow.id)
        )
        assert list(rows) == ["refused", "queued", "refused", "unchanged"]
    assert await levels(store) == {"ann": ("present", SMALL)}
    assert len(await list_requests(scope, states=[RequestState.QUEUED])) == 1
