"""Clocks that leap: nothing that cannot be taken back happens until somebody confirms, and waits stay short."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import func, select, update

from mission_control_tui.model.billing.statements import statement
from mission_control_tui.model.errors import Conflict
from mission_control_tui.model.recycle_bin.deletion import delete_user
from mission_control_tui.model.requests import connector_pauses
from mission_control_tui.model.requests.claims import begin_waits_anew, look
from mission_control_tui.model.requests.workers import Identity, acquire
from mission_control_tui.model.schedules.editing import schedule
from mission_control_tui.model.states import ErrorKind
from mission_control_tui.model.store import trusted_clock
from mission_control_tui.model.store.scope import AccountScope
from mission_control_tui.model.store.tables.accounts import AccountRow
from mission_control_tui.model.store.tables.audit import AuditRow
from mission_control_tui.model.store.tables.billing import StatementRow
from mission_control_tui.model.store.tables.installation import InstallationRow
from mission_control_tui.model.store.tables.requests import RequestRow
from mission_control_tui.model.store.tables.schedules import ScheduleRow
from mission_control_tui.model.store.tables.users import UserRow
from mission_control_tui.model.store.tables.workers import ConnectorStateRow
from mission_control_tui.model.users.actions.params import ActionParams
from mission_control_tui.model.users.editing import edit_user
from mission_control_tui.provisioning.clock_guard import ClockGuard
from mission_control_tui.provisioning.housekeeping import Housekeeping
from mission_control_tui.settings.settings import WorkerSettings
from tests.provisioning.support import ACCOUNT, World

DAY = 86_400.0


@dataclass
class Clocks:
    """A machine's clocks, which move as a test says."""

    wall: float = 1_800_000_000.0
    boot: float = 1000.0

    def guard(self, world: World) -> ClockGuard:
        return ClockGuard(world.store, lambda: self.wall, lambda: self.boot)

    def go_on(self, seconds: float, leap: float = 0.0) -> None:
        self.boot += seconds
        self.wall += seconds + leap


def scope(world: World) -> AccountScope:
    return AccountScope(world.store, world.caller, ACCOUNT)


async def doubt(world: World) -> str:
    async with world.store.read() as session:
        return (await trusted_clock.state(session)).doubt


async def actions(world: World, *wanted: str) -> list[str]:
    async with world.store.read() as session:
        rows = select(AuditRow.action).where(AuditRow.action.in_(wanted)).order_by(AuditRow.id)
        return list(await session.scalars(rows))


@pytest.mark.parametrize("leap", [80 * 365 * DAY, DAY, -DAY, -1800.0, 400.0])
async def test_a_leap_is_doubted_until_somebody_confirms(sqlite_world: World, leap: float) -> None:
    world, clocks = sqlite_world, Clocks()
    guard, other = clocks.guard(world), Clocks().guard(world)
    assert await guard.trusts()
    clocks.go_on(10.0, leap)
    assert not await guard.trusts()
    assert ("back" if leap < 0 else "forward") in await doubt(world)
    # Nor by another worker, nor when the clock is put right by itself; it is said once.
    clocks.go_on(10.0, -leap)
    assert not await guard.trusts()
    assert not await other.trusts()
    await trusted_clock.confirm(world.store, world.caller)
    assert await guard.trusts()
    assert await other.trusts()
    assert await actions(world, "doubt clock", "confirm clock") == ["doubt clock", "confirm clock"]
    with pytest.raises(Conflict):
        await trusted_clock.confirm(world.store, world.caller)


async def test_a_clock_that_is_put_right_slowly_is_no_leap(
    sqlite_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world, clocks = sqlite_world, Clocks(wall=time.time())

    async def of_the_database(_session: object) -> float:
        return clocks.wall

    monkeypatch.setattr(trusted_clock, "clock", of_the_database)
    guard = clocks.guard(world)
    for _ in range(20):
        assert await guard.trusts()
        clocks.go_on(3600.0, 1.8)
    clocks.go_on(8 * DAY)  # the machine slept
    assert await guard.trusts()
    assert await doubt(world) == ""


@pytest.fixture
async def overdue(sqlite_world: World) -> World:
    """A world in which by its clock everything is due that cannot be taken back, and one thing that can."""
    world = sqlite_world
    ann, ben, cid, dan = await world.people("ann", "ben", "cid", "dan")
    await delete_user(scope(world), ann)
    await edit_user(scope(world), ben, {"expires_on": date(2026, 1, 1)})
    await schedule(scope(world), cid, "disable", ActionParams(), "+1h")
    await edit_user(scope(world), dan, {"disabled": True})
    await schedule(scope(world), dan, "enable", ActionParams(), "+1h")
    async with world.store.write(world.caller) as tx:
        long_ago = tx.now - timedelta(days=70)
        for statement_ in (
            update(UserRow).where(UserRow.in_bin).values(deleted_at=long_ago),
            update(AccountRow).values(created_at=long_ago),
            update(ScheduleRow).values(due_at=long_ago),
        ):
            await tx.session.execute(statement_)
    return world


async def done(world: World) -> dict[str, int]:
    async with world.store.read() as session:
        counted = {
            "purged": select(func.count()).where(UserRow.purged_at.is_not(None)),
            "disabled": select(func.count()).where(UserRow.disabled),
            "in bin": select(func.count()).where(UserRow.in_bin),
            "closed": select(func.count()).select_from(StatementRow),
        }
        return {name: int(await session.scalar(asked) or 0) for name, asked in counted.items()}


async def test_in_doubt_only_what_can_be_taken_back_happens_by_the_clock(overdue: World) -> None:
    world, clocks = overdue, Clocks()
    guard = clocks.guard(world)
    assert await guard.trusts()
    clocks.go_on(5.0, DAY)
    keeping = Housekeeping(world.store, WorkerSettings(), lambda: clocks.boot, guard)
    for _ in range(3):
        await keeping.run()
    # Dan was enabled, and Ben, who expired, is as he was.
    assert await done(world) == {"purged": 0, "disabled": 0, "in bin": 1, "closed": 0}
    assert keeping.wait > 60.0
    assert not keeping.keeps_awake
    month = f"{datetime.now(UTC) - timedelta(days=40):%Y-%m}"
    assert (await statement(scope(world), month)).closed_at is None
    await trusted_clock.confirm(world.store, world.caller)
    for _ in range(8):
        await keeping.run()
    found = await done(world)
    assert (found["purged"], found["disabled"]) == (1, 2)
    assert found["closed"] >= 2


async def test_a_leap_within_a_pass_stops_it(overdue: World) -> None:
    world, clocks = overdue, Clocks()
    guard = clocks.guard(world)
    asked = []

    async def trusts() -> bool:
        asked.append(1)
        if len(asked) == 2:
            clocks.go_on(0.0, DAY)
        return await ClockGuard.trusts(guard)

    guard.trusts = trusts  # type: ignore[method-assign]
    keeping = Housekeeping(world.store, WorkerSettings(), lambda: clocks.boot, guard)
    for _ in range(4):
        await keeping.run()
    assert await done(world) == {"purged": 0, "disabled": 0, "in bin": 1, "closed": 0}


async def backdate(world: World, days: float, *audited: float) -> None:
    """Let the database know of nothing newer than so many days ago, but for audit rows of these ages."""
    async with world.store.write(world.caller) as tx:
        then = tx.now - timedelta(days=days)
        values = {"created_at": then, "clock_trusted": then.timestamp()}
        await tx.session.execute(update(InstallationRow).values(**values))
        for age in audited:
            tx.now = datetime.now(UTC) - timedelta(days=age)
            account = (await tx.session.scalars(select(AccountRow))).one()
            tx.session.add(
                AuditRow(
                    account_id=account.id,
                    at=tx.now,
                    operator="mia",
                    source="cli",
                    ticket="",
                    action="edit user",
                    target="x",
                    before={},
                    after={},
                )
            )


@pytest.mark.parametrize(
    ("days", "audited", "doubted"),
    [
        (29, (), False),
        (31, (), True),
        (80 * 365, (), True),
        # Time that was seen to pass is no leap; what a leaped clock wrote itself proves nothing.
        (100, (75.0, 50.0, 25.0), False),
        (100, (0.0,), True),
    ],
)
async def test_across_stops_only_more_than_thirty_days_are_a_leap(
    sqlite_world: World, days: float, audited: tuple[float, ...], doubted: bool
) -> None:
    world = sqlite_world
    await backdate(world, days, *audited)
    guard = ClockGuard(world.store)
    assert await guard.trusts() is not doubted
    assert bool(await doubt(world)) is doubted
    if doubted:
        await trusted_clock.confirm(world.store, world.caller)
        assert await guard.trusts()


async def test_a_wait_that_began_before_the_clock_went_back_is_no_longer_than_it_was(
    world: World,
) -> None:
    (user,) = await world.people("ann")
    given = await world.give(user)
    if world.store.is_sqlite:
        await acquire(world.store, Identity("w", "host", 1, 1.0, "1.0"), 15.0)
    now = await world.store.now()
    async with world.store.write(world.caller) as tx:
        # It failed half an hour from now, as the clock is after going back, and waits 8 s.
        later = {"waits_since": now + 1800.0, "next_try_at": now + 1808.0}
        await tx.session.execute(
            update(RequestRow).where(RequestRow.id == given.request_id).values(**later)
        )
        reason = connector_pauses.PauseReason(ErrorKind.AUTH, "no", "")
        await connector_pauses.pause(tx, "simulator", reason, lambda _: 15.0)
        await tx.session.execute(
            update(ConnectorStateRow).values(next_check_at=ConnectorStateRow.next_check_at + 1800.0)
        )
    assert (await look(world.store, "w")).moved_back
    await begin_waits_anew(world.store)
    outlook = await look(world.store, "w")
    assert not outlook.moved_back
    assert outlook.next_at is not None
    assert 0.0 < outlook.next_at - outlook.now <= 8.0
    assert await connector_pauses.claim_check(world.store, "simulator", 15.0)
    assert not await connector_pauses.claim_check(world.store, "simulator", 15.0)


async def test_what_ended_long_ago_is_deleted_once_a_day_and_never_in_doubt(
    sqlite_world: World,
) -> None:
    world, clocks = sqlite_world, Clocks()
    (ann,) = await world.people("ann")
    for _ in range(3):
        await edit_user(scope(world), ann, {"city": "Bern"})
        await edit_user(scope(world), ann, {"city": "Thun"})
    guard = clocks.guard(world)

    async def kept(keep_days: int = 180) -> int:
        settings = WorkerSettings(keep_days=keep_days)
        await Housekeeping(world.store, settings, lambda: clocks.boot, guard).run()
        async with world.store.read() as session:
            return int(await session.scalar(select(func.count()).select_from(RequestRow)) or 0)

    before = await kept()
    assert before >= 6
    async with world.store.write(world.caller) as tx:
        long_ago = tx.now - timedelta(days=70)
        await tx.session.execute(update(RequestRow).values(created_at=long_ago, ended_at=long_ago))
    assert await kept(keep_days=60) == before, "this day has been looked through"
    async with world.store.write(world.caller) as tx:
        await tx.session.execute(update(InstallationRow).values(pruned_at=0.0))
    assert await kept(keep_days=0) == before
    clocks.go_on(5.0, DAY)
    assert await kept(keep_days=60) == before
    await trusted_clock.confirm(world.store, world.caller)
    assert await kept(keep_days=60) == 0
