"""Seats: bought per level, held from the wish until removal is observed, never over-given.

The count is guarded three times: SQLite's IMMEDIATE transaction or PostgreSQL's row lock, the test here, and the
table's CHECK (held <= owned).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping

from sqlalchemy import Select, bindparam, delete, func, inspect, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from mission_control_tui.model.catalogue.types import Catalogue, Service
from mission_control_tui.model.errors import Conflict, NoSeats, NotFound
from mission_control_tui.model.plan import SeatLine
from mission_control_tui.model.states import Light
from mission_control_tui.model.store.scope import Within
from mission_control_tui.model.store.subject_names import SUBJECT
from mission_control_tui.model.store.tables.services import AssignmentRow, SeatHoldRow, SeatPoolRow
from mission_control_tui.model.store.transaction import Transaction
from mission_control_tui.model.text.counting import counted
from mission_control_tui.model.views import Seats

NAMED = 10
"""How many holders of seats are named."""


async def locked_pool(
    session: AsyncSession, account_id: int, service_id: str, level_id: str
) -> SeatPoolRow | None:
    """Return the pool, locked for this transaction."""
    return await session.scalar(
        select(SeatPoolRow)
        .where(
            SeatPoolRow.account_id == account_id,
            SeatPoolRow.service_id == service_id,
            SeatPoolRow.level_id == level_id,
        )
        .with_for_update()
        .execution_options(populate_existing=True)
    )


def no_seats(service: Service, level_id: str, owned: int) -> NoSeats:
    """Return the error of a level whose seats are all given."""
    return NoSeats(
        f"No free seat of {service.name}, {service.level(level_id).name}: {owned} owned, all given.",
        levels=[(service.id, level_id)],
        hint="Buy more, or take one from a user who no longer needs it.",
    )


async def hold(tx: Transaction, assignment: AssignmentRow, service: Service, level_id: str) -> None:
    """Hold a seat of `level_id` for the assignment; holding one already is fine. Raises NoSeats."""
    if not service.seats:
        return
    key = (assignment.account_id, service.id, level_id)
    pool = tx.held.get(key)
    if pool is None or inspect(pool).expired_attributes:
        pool = await locked_pool(tx.session, *key)
    if pool is not None and not assignment.is_new:
        held = await tx.session.scalar(
            select(SeatHoldRow.id).where(
                SeatHoldRow.assignment_id == assignment.id, SeatHoldRow.pool_id == pool.id
            )
        )
        if held is not None:
            return
    if pool is None or pool.held >= pool.owned:
        raise no_seats(service, level_id, pool.owned if pool else 0)
    tx.session.add(SeatHoldRow(assignment_id=assignment.id, pool_id=pool.id))
    free = pool.owned - pool.held
    tx.seats(SeatLine(service.id, level_id, pool.owned, pool.owned, free, free - 1))
    pool.held += 1
    tx.held[key] = pool


async def release(session: AsyncSession, assignment_id: str, *, keep: Collection[str] = ()) -> None:
    """Give back the assignment's seats, save those of the levels in `keep`."""
    await release_all(session, {assignment_id: keep})


_HELD = (
    select(SeatHoldRow.id, SeatHoldRow.assignment_id, SeatHoldRow.pool_id, SeatPoolRow.level_id)
    .join(SeatPoolRow, SeatPoolRow.id == SeatHoldRow.pool_id)
    .where(SeatHoldRow.assignment_id.in_(bindparam("assignments", expanding=True)))
)


async def release_all(session: AsyncSession, kept: Mapping[str, Collection[str]]) -> None:
    """Give back the seats of these assignments, save those of the levels that each keeps."""
    held = await session.execute(_HELD, {"assignments": sorted(kept)})
    given = [row for row in held if row.level_id not in kept[row.assignment_id]]
    for pool_id, count in sorted(Counter(row.pool_id for row in given).items()):
        await session.execute(
            update(SeatPoolRow)
            .where(SeatPoolRow.id == pool_id)
            .values(held=SeatPoolRow.held - count)
            .execution_options(synchronize_session="fetch")
        )
    if given:
        await session.execute(
            delete(SeatHoldRow).where(SeatHoldRow.id.in_([row.id for row in given]))
        )


async def add(
    tx: Transaction, account_id: int, service_id: str, level_id: str, quantity: int
) -> None:
    """Let the account own `quantity` more seats."""
    pool = await locked_pool(tx.session, account_id, service_id, level_id)
    if pool is None:
        pool = SeatPoolRow(
            account_id=account_id, service_id=service_id, level_id=level_id, owned=0, held=0
        )
        tx.session.add(pool)
    await _own(tx, pool, quantity)


async def _own(tx: Transaction, pool: SeatPoolRow, more: int) -> None:
    """Change how many seats of the locked pool are owned by `more`, which may be negative."""
    free = pool.owned - pool.held
    tx.seats(
        SeatLine(
            *(pool.service_id, pool.level_id),
            *(pool.owned, pool.owned + more),
            *(free, free + more),
        )
    )
    pool.owned += more
    await tx.session.flush()


async def take(
    tx: Transaction, account_id: int, service: Service, level_id: str, quantity: int
) -> None:
    """Let the account own `quantity` fewer seats. Raises Conflict, naming the holders, when they are held."""
    pool = await locked_pool(tx.session, account_id, service.id, level_id)
    level = service.level(level_id)
    if pool is None or pool.owned < quantity:
        owned = pool.owned if pool else 0
        raise Conflict(
            f"The account owns {counted(owned, 'seat')} of {service.name}, {level.name}, not {quantity}."
        )
    free = pool.owned - pool.held
    if free < quantity:
        names = await holders(tx.session, account_id, service.id, level_id)
        more = f" and {pool.held - len(names)} more" if pool.held > len(names) else ""
        raise Conflict(
            f"Of {counted(pool.owned, 'seat')} of {service.name}, {level.name},"
            f" {counted(pool.held, 'is held', 'are held')}, by {', '.join(names)}{more}.",
            hint=f"At most {free} can be removed now. Deprovision users or change their level first.",
        )
    await _own(tx, pool, -quantity)


async def holders(
    session: AsyncSession, account_id: int, service_id: str, level_id: str
) -> tuple[str, ...]:
    """Return the names of those who hold a seat of the level, at most `NAMED`: users by UPN, domains, the account."""
    rows = await session.scalars(
        select(SUBJECT)
        .select_from(AssignmentRow)
        .join(SeatHoldRow, SeatHoldRow.assignment_id == AssignmentRow.id)
        .join(SeatPoolRow, SeatPoolRow.id == SeatHoldRow.pool_id)
        .where(
            SeatPoolRow.account_id == account_id,
            SeatPoolRow.service_id == service_id,
            SeatPoolRow.level_id == level_id,
        )
        .order_by(SUBJECT)
        .limit(NAMED)
    )
    return tuple(rows)


async def overview(
    session: AsyncSession, catalogue: Catalogue, account_id: int
) -> tuple[Seats, ...]:
    """Return owned, used, queued and free of every level that the account bought, in the catalogue's order."""
    within = Within(account_id)
    return (await overviews(session, catalogue, within)).get(account_id, ())


async def overviews(
    session: AsyncSession, catalogue: Catalogue, within: Within
) -> dict[int, tuple[Seats, ...]]:
    """Return the same for each of several accounts that bought something, by its id."""
    pools = (await session.scalars(select(SeatPoolRow).where(within(SeatPoolRow.account_id)))).all()
    queued_rows = await session.execute(
        select(SeatHoldRow.pool_id, func.count())
        .join(AssignmentRow, AssignmentRow.id == SeatHoldRow.assignment_id)
        .where(within(AssignmentRow.account_id), AssignmentRow.light == Light.ORANGE)
        .group_by(SeatHoldRow.pool_id)
    )
    queued = {row[0]: row[1] for row in queued_rows}
    bought: dict[tuple[str, str], list[SeatPoolRow]] = {}
    for pool in pools:
        bought.setdefault((pool.service_id, pool.level_id), []).append(pool)
    lines: dict[int, list[Seats]] = {}
    for service in catalogue.services:
        for level in service.levels:
            for pool in bought.get((service.id, level.id), ()):
                waiting = queued.get(pool.id, 0)
                seats = Seats(
                    *(service.id, service.name, level.id, level.name),
                    *(pool.owned, pool.held - waiting, waiting),
                )
                lines.setdefault(pool.account_id, []).append(seats)
    return {account_id: tuple(found) for account_id, found in lines.items()}


def _owned(account_id: int, service: Service) -> Select[str]:
    """Return the statement for the ids of the service's levels that the account owns seats of."""
    return select(SeatPoolRow.level_id).where(
        SeatPoolRow.account_id == account_id,
        SeatPoolRow.service_id == service.id,
        SeatPoolRow.owned > 0,
    )


async def is_bought(
    session: AsyncSession, account_id: int, service: Service, level_id: str = ""
) -> bool:
    """Tell whether the account owns any seat of the service, or of one of its levels."""
    owned = _owned(account_id, service)
    if level_id:
        owned = owned.where(SeatPoolRow.level_id == level_id)
    return await session.scalar(owned.limit(1)) is not None


async def may_be_given(tx: Transaction, account_id: int, service: Service) -> bool:
    """As `is_bought`, without asking again where the transaction has given some already."""
    given = any(key[:2] == (account_id, service.id) for key in tx.held)
    return given or await is_bought(tx.session, account_id, service)


async def owned_levels(session: AsyncSession, account_id: int, service: Service) -> tuple[str, ...]:
    """Return ids of the service's levels that the account owns seats of."""
    owned = set(await session.scalars(_owned(account_id, service)))
    if not owned:
        raise NotFound(
            f"The account has not bought {service.name}.",
            hint="A service must be bought before it can be provisioned.",
        )
    return tuple(level.id for level in service.levels if level.id in owned)
