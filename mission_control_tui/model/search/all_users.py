"""Lists of the users of all accounts, by the accounts' codes and the users' names.

A page is walked account by account, and ends with its last row.
"""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import ColumnElement, false, select, true
from sqlalchemy.ext.asyncio import AsyncSession

from mission_control_tui.model.catalogue.in_force import in_force
from mission_control_tui.model.catalogue.types import Catalogue
from mission_control_tui.model.search import index as search
from mission_control_tui.model.search.filters import ALL, UserFilter, UserOrder
from mission_control_tui.model.search.light_rows import LightColumn, MatrixRow, coded, rows_of
from mission_control_tui.model.search.results import FoundUser, load_users
from mission_control_tui.model.search.user_queries import AGEING, having, of_row
from mission_control_tui.model.states import SubjectKind
from mission_control_tui.model.store.batches import BATCH, batches
from mission_control_tui.model.store.scope import Reach, Within
from mission_control_tui.model.store.tables.services import AssignmentRow, SeatPoolRow
from mission_control_tui.model.store.tables.users import SearchTermRow, UserRow


async def users_of_all(
    scope: Reach, wanted: UserFilter = ALL, *, limit: int, offset: int = 0
) -> tuple[FoundUser, ...]:
    """Return those whom the filter means, by their accounts' codes and their names."""
    async with scope.reading() as (session, within):
        ids = await _ids(session, within, wanted, UserOrder.NAME, limit, offset)
        found: list[FoundUser] = []
        for some in batches(ids):
            found += await load_users(session, some)
    return tuple(found)


async def light_rows_of_all(
    scope: Reach,
    wanted: UserFilter = ALL,
    order: UserOrder = UserOrder.NAME,
    *,
    limit: int,
    offset: int = 0,
) -> tuple[MatrixRow, ...]:
    """Return the rows of the lights' matrix over all accounts.

    By age, those come first whose red or orange is the oldest or the newest, then the others by code and name.
    """
    async with scope.reading() as (session, within):
        ids = await _ids(session, within, wanted, order, limit, offset)
        return await rows_of(session, ids)


async def light_columns_of_all(scope: Reach) -> tuple[LightColumn, ...]:
    """Return the services across: those for users that an account bought or that somebody has."""
    async with scope.reading() as (session, within):
        catalogue: Catalogue = (await in_force(session)).catalogue
        for_users = [
            service.id for service in catalogue.services if service.subject is SubjectKind.USER
        ]
        if not for_users:
            return ()
        there = [
            select(AssignmentRow.id)
            .where(within(AssignmentRow.account_id), AssignmentRow.service_id == service)
            .exists()
            | select(SeatPoolRow.id)
            .where(within(SeatPoolRow.account_id), SeatPoolRow.service_id == service)
            .exists()
            for service in for_users
        ]
        row = (await session.execute(select(*there))).one()
    return coded(
        catalogue, {service for service, is_there in zip(for_users, row, strict=True) if is_there}
    )


async def _ids(
    session: AsyncSession,
    within: Within,
    wanted: UserFilter,
    order: UserOrder,
    limit: int,
    offset: int,
) -> list[str]:
    conditions = [*of_row(wanted), *_found_by(wanted)]
    by_name = within.by_code(select(UserRow.id), UserRow.account_id).where(*conditions)
    by_name = by_name.order_by(UserRow.sort_key, UserRow.id)
    if order is UserOrder.NAME:
        return list(await session.scalars(by_name.limit(limit).offset(offset or None)))
    aged = await _aged(session, within, wanted, order, offset + limit)
    ids = aged[offset : offset + limit]
    if len(ids) == limit or (wanted.lights and wanted.lights <= AGEING):
        return ids
    ageing = select(AssignmentRow.id).where(
        AssignmentRow.user_id == UserRow.id, *having(_ageing(wanted))
    )
    rest = by_name.where(~ageing.exists()).limit(limit - len(ids))
    return ids + list(await session.scalars(rest.offset(max(0, offset - len(aged)) or None)))


async def _aged(
    session: AsyncSession, within: Within, wanted: UserFilter, order: UserOrder, most: int
) -> list[str]:
    """Return the first users by the age of their red or orange, each once: services are read in this order."""
    since = AssignmentRow.since if order is UserOrder.OLDEST else AssignmentRow.since.desc()
    services = select(AssignmentRow.id).where(
        within(AssignmentRow.account_id), *having(_ageing(wanted))
    )
    at_once = min(2 * most, BATCH)
    services = services.order_by(since, AssignmentRow.id).limit(at_once)
    owners = select(AssignmentRow.id, UserRow.id).join(UserRow, UserRow.id == AssignmentRow.user_id)
    owners = owners.where(*of_row(wanted), *_found_by(wanted))
    found: dict[str, None] = {}
    start = 0
    while len(found) < most:
        some = list(await session.scalars(services.offset(start or None)))
        if not some:
            break
        rows = await session.execute(owners.where(AssignmentRow.id.in_(some)))
        of_service = {service: user for service, user in rows}  # noqa: C416 - rows are no pairs to mypy
        found.update(dict.fromkeys(of_service[key] for key in some if key in of_service))
        start += at_once
    return list(found)


def _ageing(wanted: UserFilter) -> UserFilter:
    """Return what of a user's services gives an age: of those that are looked at, the red and orange ones."""
    return replace(wanted, lights=(wanted.lights or AGEING) & AGEING)


def _found_by(wanted: UserFilter) -> list[ColumnElement[bool]]:
    """Return what words and services ask of a user: each a range of an index for every account that is come to."""
    found: list[ColumnElement[bool]] = []
    in_bin = true() if wanted.in_bin else false()
    for word in search.words_of(wanted.text):
        terms = select(SearchTermRow.user_id).where(
            SearchTermRow.account_id == UserRow.account_id,
            SearchTermRow.in_bin == in_bin,
            search.begins_with(word),
        )
        found.append(UserRow.id.in_(terms.correlate(UserRow)))
    if wanted.of_services:
        services = select(AssignmentRow.user_id).where(
            AssignmentRow.account_id == UserRow.account_id,
            AssignmentRow.user_id.is_not(None),
            *having(wanted),
        )
        found.append(UserRow.id.in_(services.correlate(UserRow)))
    return found
