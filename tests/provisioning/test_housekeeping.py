"""What real workers do by the clock: schedules, expired accounts, the recycling bin; once, whatever befalls them."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select, update

from mission_control_tui.model.orders.buying import buy
from mission_control_tui.model.recycle_bin.deletion import delete_user
from mission_control_tui.model.recycle_bin.overdue import overdue
from mission_control_tui.model.schedules import due
from mission_control_tui.model.schedules.editing import schedule
from mission_control_tui.model.schedules.queries import list_schedules
from mission_control_tui.model.states import Light, OrderKind, ScheduleState
from mission_control_tui.model.store.scope import AccountScope
from mission_control_tui.model.store.tables.accounts import DomainRow
from mission_control_tui.model.store.tables.audit import AuditRow
from mission_control_tui.model.store.tables.orders import OrderLineRow, OrderRow
from mission_control_tui.model.store.tables.requests import RequestRow
from mission_control_tui.model.store.tables.schedules import ScheduleRow
from mission_control_tui.model.store.tables.services import AssignmentRow
from mission_control_tui.model.store.tables.users import UserRow
from mission_control_tui.model.users.actions.params import ActionParams
from mission_control_tui.model.users.editing import edit_user
from mission_control_tui.provisioning import housekeeping, sweeps
from mission_control_tui.settings.settings import WorkerSettings
from tests.provisioning.support import ACCOUNT, EXCHANGE, SMALL, World, doubled, worker
from tests.support import share

pytestmark = [pytest.mark.kill, pytest.mark.any_database]

MAIL = ActionParams(EXCHANGE, SMALL)
REGISTRANT = {"registrant-name": "Acme Pty Ltd", "registrant-email": "owner@acme.example"}


async def planned(world: World, upns: list[str], action: str, params: ActionParams) -> None:
    for upn in upns:
        await schedule(AccountScope(world.store, world.caller, ACCOUNT), upn, action, params, "+1h")


async def let_it_be_due(world: World, in_seconds: float = -60.0) -> None:
    """As if the database's clock had moved: what waits is due so many seconds from now."""
    async with world.store.write(world.caller) as tx:
        at = datetime.fromtimestamp(await world.store.now(), UTC) + timedelta(seconds=in_seconds)
        await tx.session.execute(
            update(ScheduleRow).where(ScheduleRow.state == ScheduleState.WAITING).values(due_at=at)
        )


async def states(world: World) -> Counter[str]:
    listed = await list_schedules(AccountScope(world.store, world.caller, ACCOUNT))
    return Counter(str(one.state) for one in listed)


async def until_done(world: World, count: int) -> None:
    async def done() -> bool:
        return (await states(world))["done"] == count

    await world.until(done)
    await world.settled()


async def audited(world: World, action: str) -> list[AuditRow]:
    async with world.store.read() as session:
        return list(await session.scalars(select(AuditRow).where(AuditRow.action == action)))


async def test_what_was_due_while_no_worker_ran_happens_at_its_next_start(world: World) -> None:
    upns = await world.people("ann", "bob")
    await planned(world, upns, "provision", MAIL)
    await let_it_be_due(world, -86_400.0)
    with worker(world):
        await until_done(world, 2)
    assert await world.lights() == Counter({Light.GREEN: 2})
    assert doubled(world.effect_counts()) == []
    sources = {
        (row.operator, row.source, row.ticket)
        for row in await audited(world, f"provision {EXCHANGE}")
    }
    assert sources == {("anna", "schedule", "T-1")}


async def test_a_worker_at_rest_wakes_at_the_moment_by_itself(world: World) -> None:
    (upn,) = await world.people("ann")
    await planned(world, [upn], "provision", MAIL)
    with worker(world, MISSION_CONTROL_WORKER__LEASE_SECONDS="30"):

        async def at_work() -> bool:
            return bool(await world.working())

        await world.until(at_work)
        await let_it_be_due(world, 1.5)
        assert (await states(world))["waiting"] == 1
        await until_done(world, 1)
    (row,) = await list_schedules(AccountScope(world.store, world.caller, ACCOUNT))
    assert row.ended_at is not None
    assert row.ended_at >= row.due_at - timedelta(seconds=0.1)


@pytest.mark.proof
async def test_workers_that_are_killed_meanwhile_do_each_once(world: World) -> None:
    count = share(30)
    upns = await world.people(*(f"user-{number}" for number in range(count)))
    await planned(world, upns, "provision", MAIL)
    await let_it_be_due(world)
    for round_ in range(share(3)):
        with worker(world, f"victim-{round_}") as victim:

            async def some(least: int = (count // 4) * (round_ + 1)) -> bool:
                return (await states(world))["done"] >= least

            await world.until(some)
            victim.kill()
    with worker(world, "last"):
        await until_done(world, count)
    assert len(await audited(world, "schedule done")) == count
    assert len(await audited(world, f"provision {EXCHANGE}")) == count
    assert await world.lights() == Counter({Light.GREEN: count})
    assert doubled(world.effect_counts()) == []


@pytest.mark.proof
async def test_domains_whose_worker_is_killed_while_it_renews_are_renewed_once(
    world: World,
) -> None:
    scope = AccountScope(world.store, world.caller, ACCOUNT)
    count = share(12)
    names = {f"acme{number}.com" for number in range(count)}
    for name in sorted(names):
        await buy(scope, "domain-names", domain=name, fields=REGISTRANT)
    with worker(world):
        await world.settled()
    async with world.store.write(world.caller) as tx:
        at = datetime.now(UTC) - timedelta(days=361)
        await tx.session.execute(
            update(DomainRow).where(DomainRow.name.in_(names)).values(added_at=at)
        )

    async def renewed() -> list[str]:
        async with world.store.read() as session:
            return list(
                await session.scalars(
                    select(OrderLineRow.domain)
                    .join(OrderRow, OrderRow.id == OrderLineRow.order_id)
                    .where(OrderRow.kind == OrderKind.RENEWAL)
                )
            )

    for round_ in range(3):
        with worker(world, f"victim-{round_}") as victim:

            async def some(least: int = min(count, 1 + round_ * count // 3)) -> bool:
                return len(await renewed()) >= least

            await world.until(some)
            victim.kill()
    with worker(world, "last"):

        async def all_of_them() -> bool:
            return {*await renewed()} == names

        await world.until(all_of_them)
        await world.settled()
    assert sorted(await renewed()) == sorted(names)


@pytest.mark.proof
async def test_several_workers_beside_each_other_do_each_once(postgres_world: World) -> None:
    world = postgres_world
    upns = await world.people(*(f"user-{number}" for number in range(20)))
    await planned(world, upns, "provision", MAIL)
    with contextlib.ExitStack() as stack:
        for number in range(2):
            stack.enter_context(worker(world, f"worker-{number}"))

        async def both() -> bool:
            return len(await world.working()) == 2

        await world.until(both)
        await let_it_be_due(world)
        await until_done(world, 20)
    assert len(await audited(world, "schedule done")) == 20
    assert len(await audited(world, f"provision {EXCHANGE}")) == 20
    assert doubled(world.effect_counts()) == []


async def test_a_refused_wish_fails_and_the_worker_goes_on(world: World) -> None:
    ann, bob = await world.people("ann", "bob")
    await planned(world, [ann], "provision", ActionParams("databases", "small"))
    await planned(world, [bob], "provision", MAIL)
    await let_it_be_due(world)
    with worker(world):
        await until_done(world, 1)
    assert await states(world) == Counter({"done": 1, "failed": 1})
    (failed,) = await list_schedules(
        AccountScope(world.store, world.caller, ACCOUNT), states=[ScheduleState.FAILED]
    )
    assert "has not bought" in failed.said


async def test_an_embedded_worker_stays_for_what_is_due_soon_and_for_no_other(
    sqlite_world: World,
) -> None:
    world = sqlite_world
    (upn,) = await world.people("ann")
    await planned(world, [upn], "provision", MAIL)
    world.configure(idle_seconds=0.2, schedule_ahead_seconds=60.0)
    with worker(world, "leaves") as one:
        assert await asyncio.to_thread(one.wait) == 0
    await let_it_be_due(world, 3.0)
    with worker(world, "stays") as one:
        await until_done(world, 1)
        assert await asyncio.to_thread(one.wait) == 0
    assert (await world.services())[upn].light == Light.GREEN


async def test_expired_accounts_are_disabled_and_the_bin_is_emptied(world: World) -> None:
    ann, bob = await world.people("ann", "bob")
    await world.give(ann)
    await edit_user(
        AccountScope(world.store, world.caller, ACCOUNT), ann, {"expires_on": date(2026, 1, 1)}
    )
    await delete_user(AccountScope(world.store, world.caller, ACCOUNT), bob)
    async with world.store.write(world.caller) as tx:
        old = datetime.now(UTC) - timedelta(days=8)
        await tx.session.execute(update(UserRow).where(UserRow.in_bin).values(deleted_at=old))
    world.configure(bin_days=7)

    async def swept() -> bool:
        return bool(await audited(world, "expire user") and await audited(world, "purge user"))

    with worker(world):
        await world.until(swept)
        await world.settled()
    with worker(world, "again"):

        async def at_work() -> bool:
            return bool(await world.working())

        await world.until(at_work)
        await asyncio.sleep(1.0)
    assert len(await audited(world, "expire user")) == 1
    assert len(await audited(world, "purge user")) == 1
    assert (await world.services())[ann].observed_wish == "suspended"


async def test_a_busy_worker_looks_by_and_by_and_does_what_becomes_due_in_time(
    sqlite_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    keeper = housekeeping.Housekeeping(sqlite_world.store, WorkerSettings())
    asked: list[float | None] = []
    next_due = [0.1]

    async def next_moment(*_: object) -> float | None:
        asked.append(next_due[0])
        return next_due[0]

    monkeypatch.setattr(due, "next_moment", next_moment)
    await keeper.run_by_and_by()
    assert 0 < keeper.wait <= 0.1
    await keeper.run_by_and_by()
    assert len(asked) == 1
    assert 0 < keeper.wait <= 0.1  # no longer than until that is due
    next_due[0] = 3600.0
    await asyncio.sleep(keeper.wait)
    await keeper.run_by_and_by()
    assert len(asked) == 2
    assert keeper.wait > housekeeping.APART_SECONDS
    await keeper.run_by_and_by()
    assert len(asked) == 2
    assert (
        keeper.wait <= housekeeping.APART_SECONDS
    )  # what another process schedules meanwhile is seen


async def test_a_purge_that_was_refused_is_tried_again_a_day_later(sqlite_world: World) -> None:
    world = sqlite_world
    (ann,) = await world.people("ann")
    await world.give(ann)
    async with world.store.write(world.caller) as tx:
        old = datetime.now(UTC) - timedelta(days=8)
        await tx.session.execute(update(UserRow).values(in_bin=True, deleted_at=old))
    moment = 1_000.0
    one = housekeeping.Housekeeping(world.store, WorkerSettings(bin_days=7), lambda: moment)
    await one.run()
    async with world.store.write(world.caller) as tx:
        await tx.session.execute(update(AssignmentRow).values(wish="absent", light="grey"))
        await tx.session.execute(update(RequestRow).values(state="succeeded"))
    moment += sweeps.REFUSED_SECONDS - 1.0
    await one.run()
    assert await audited(world, "purge user") == []
    assert len(await overdue(world.store, 7, 10)) == 1
    moment += housekeeping.SWEEP_SECONDS
    await one.run()
    assert len(await audited(world, "purge user")) == 1
