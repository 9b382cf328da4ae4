"""The lights: what each user and domain has, in which state, since when, and why."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

from sqlalchemy import ColumnElement, Select, SQLColumnExpression, case, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from mission_control_tui.model.catalogue.in_force import in_force
from mission_control_tui.model.catalogue.types import Catalogue
from mission_control_tui.model.errors import NotFound
from mission_control_tui.model.services.domain_terms import (
    domains_over,
    over_remedy,
    over_said,
)
from mission_control_tui.model.services.retention import kept_moment
from mission_control_tui.model.services.subject_lookup import seen_subject
from mission_control_tui.model.services.subjects import Subject, SubjectKey
from mission_control_tui.model.states import ACTIVE_STATES, ORPHAN, Light, SubjectKind, Wish, Word
from mission_control_tui.model.store.batches import batches
from mission_control_tui.model.store.lookups import bought_services
from mission_control_tui.model.store.scope import AccountScope, Reach, Within
from mission_control_tui.model.store.subject_names import SUBJECT
from mission_control_tui.model.store.tables.accounts import DomainRow
from mission_control_tui.model.store.tables.requests import RequestRow
from mission_control_tui.model.store.tables.services import AssignmentRow, is_shown
from mission_control_tui.model.store.tables.users import UserRow
from mission_control_tui.model.views import AssignmentView, view_of


async def status(
    scope: Reach,
    *,
    user: str | SubjectKey | None = None,
    light: Light | None = None,
    limit: int | None = None,
    offset: int = 0,
) -> tuple[AssignmentView, ...]:
    """Return service instances of the account, or of one subject, ordered by subject, then by the catalogue's order.

    A text names a user. Those of all accounts are ordered by the account's code and light first. For one subject the
    services that it could have and has not are there too, grey.
    """
    async with scope.reading() as (session, within):
        catalogue = (await in_force(session)).catalogue
        if user is None and within.account_id is None:
            return await _of_all(session, catalogue, within, light, limit, offset)
        statement = _of_account(within.one)
        target = None
        if user is not None:
            target = await seen_subject(session, within.one, SubjectKey.of(user), binned=True)
            statement = statement.where(is_of(target))
        if light is not None:
            over = await domains_over(session, within)
            statement = statement.where(shows(light, over))
        if limit is not None:
            statement = statement.limit(limit).offset(offset)
        views = await views_of(session, catalogue, statement)
        if target is not None and light in (None, Light.GREY):
            have = {view.service_id for view in views}
            views += await _not_provisioned(session, catalogue, within.one, target, have)
        order = {service.id: index for index, service in enumerate(catalogue.services)}
        if limit is None:
            views.sort(key=lambda view: (view.subject, order.get(view.service_id, len(order))))
    return tuple(views)


def _is_told() -> ColumnElement[bool]:
    """Return the condition for what there is to tell of: not of removals of orphans that are over."""
    over = AssignmentRow.backend_name.startswith(ORPHAN) & (AssignmentRow.light == Light.GREY)
    return is_shown() & ~over


def is_of(subject: Subject) -> ColumnElement[bool]:
    """Return the condition for the services of a subject; a user's are those of the directory account too."""
    if subject.user is not None:
        return AssignmentRow.user_id == subject.user.id
    own = (AssignmentRow.subject_kind == subject.kind) & (AssignmentRow.subject_id == subject.id)
    if subject.kind is SubjectKind.ACCOUNT:
        return own & ~AssignmentRow.backend_name.startswith(ORPHAN)
    return own


def _of_account(account_id: int) -> Select[AssignmentRow, str]:
    """Return the statement for the account's service instances with their subjects' names, by subject."""
    return (
        select(AssignmentRow, SUBJECT)
        .outerjoin(UserRow, UserRow.id == AssignmentRow.user_id)
        .outerjoin(DomainRow, DomainRow.id == AssignmentRow.domain_id)
        .where(AssignmentRow.account_id == account_id, _is_told())
        .order_by(UserRow.upn, DomainRow.name, AssignmentRow.service_id)
    )


async def first_of_light(
    session: AsyncSession,
    catalogue: Catalogue,
    account_id: int,
    light: Light,
    limit: int,
    over: Collection[int],
) -> tuple[AssignmentView, ...]:
    """Return the account's first `limit` service instances that show `light`, by subject.

    `over` are its domains whose term is over, see `domain_terms`.
    """
    statement = _of_account(account_id).where(shows(light, over)).limit(limit)
    return tuple(await views_of(session, catalogue, statement))


async def _of_all(
    session: AsyncSession,
    catalogue: Catalogue,
    within: Within,
    light: Light | None,
    limit: int | None,
    offset: int,
) -> tuple[AssignmentView, ...]:
    """Return a page in the order of an index, so that nothing of many accounts has to be sorted."""
    page = within.by_code(select(AssignmentRow.id), AssignmentRow.account_id)
    page = page.where(_is_told())
    if light is not None:
        over = await domains_over(session, within)
        page = page.where(shows(light, over))
    page = page.order_by(AssignmentRow.light, AssignmentRow.user_id, AssignmentRow.id)
    ids = list(await session.scalars(page.limit(limit).offset(offset or None)))
    views: dict[str, AssignmentView] = {}
    for some in batches(ids):
        statement = select(AssignmentRow, SUBJECT).where(AssignmentRow.id.in_(some))
        views |= {view.id: view for view in await views_of(session, catalogue, statement)}
    return tuple(views[key] for key in ids)


async def active_requests(session: AsyncSession, ids: Sequence[str]) -> dict[str, int]:
    """Return the newest request that has not ended, by the id of its assignment, for those of `ids` that have one."""
    if not ids:
        return {}
    condition = AssignmentRow.id.in_(ids) if len(ids) < 500 else AssignmentRow.light == Light.ORANGE
    rows = await session.execute(
        select(RequestRow.assignment_id, func.max(RequestRow.id))
        .join(AssignmentRow, AssignmentRow.id == RequestRow.assignment_id)
        .where(condition, RequestRow.state.in_(ACTIVE_STATES))
        .group_by(RequestRow.assignment_id)
    )
    return {str(row[0]): int(row[1]) for row in rows}


async def _not_provisioned(
    session: AsyncSession,
    catalogue: Catalogue,
    account_id: int,
    subject: Subject,
    have: set[str],
) -> list[AssignmentView]:
    bought = await bought_services(session, account_id)
    elsewhere = subject.domain is not None and not subject.domain.bought
    made = subject.user or subject.domain
    since = made.created_at if isinstance(made, UserRow) else made.added_at if made else None
    return [
        AssignmentView(
            account_id=account_id,
            user_id=subject.user_id,
            subject=subject.name,
            subject_kind=subject.kind,
            service_id=service.id,
            service=service.name,
            connector=service.connector,
            since=since or datetime.now(UTC),
        )
        for service in catalogue.services
        if service.subject is subject.kind
        and not (elsewhere and service.id in catalogue.registrations)
        and service.visible
        and (service.id in bought or not service.seats)
        and service.id not in have
    ]


def shown_since(over: Mapping[int, date]) -> SQLColumnExpression[datetime]:
    """Return since when a service shows its light: the green of a domain whose term is over is red since that day."""
    if not over:
        return AssignmentRow.since
    ended = {key: _red_since(end) for key, end in over.items()}
    of_domain = case(ended, value=AssignmentRow.domain_id, else_=AssignmentRow.since)
    registered = AssignmentRow.domain_id.is_not(None) & (AssignmentRow.light == Light.GREEN)
    return case((registered, of_domain), else_=AssignmentRow.since)


def _red_since(ended: date) -> datetime:
    return datetime.combine(ended + timedelta(days=1), time(), UTC)


async def past_term(
    session: AsyncSession, over: Collection[int], services: Collection[str] = ()
) -> tuple[str, ...]:
    """Return the domains of services that are red for nothing but a term that is `over`, one for each, by name.

    They are renewed: there is nothing to be tried again. `services`: only of these, all without any.
    """
    if not over:
        return ()
    statement = (
        select(DomainRow.name)
        .join(AssignmentRow, AssignmentRow.domain_id == DomainRow.id)
        .where(DomainRow.id.in_(list(over)), AssignmentRow.light == Light.GREEN)
        .order_by(DomainRow.name)
    )
    if services:
        statement = statement.where(AssignmentRow.service_id.in_(services))
    return tuple(await session.scalars(statement))


def shows(light: Light, over: Collection[int]) -> ColumnElement[bool]:
    """Return whether a service shows this light: the green of a domain whose term is over is red."""
    if not over or light not in (Light.RED, Light.GREEN):
        return AssignmentRow.light == light
    is_over = AssignmentRow.domain_id.in_(list(over)) & (AssignmentRow.light == Light.GREEN)
    if light is Light.RED:
        return (AssignmentRow.light == light) | is_over
    on_time = AssignmentRow.domain_id.is_(None) | AssignmentRow.domain_id.not_in(list(over))
    return (AssignmentRow.light == light) & on_time


def assignment_view(
    catalogue: Catalogue, row: AssignmentRow, subject: str, request_id: int | None
) -> AssignmentView:
    """Return a row as the outside sees it; a service or level that left the catalogue shows by its id."""
    try:
        service = catalogue.service(row.service_id)
        service_name = service.name
        level_name = service.level(row.level_id).name if row.level_id else ""
    except NotFound:
        service_name, level_name = row.service_id, row.level_id
    return view_of(
        AssignmentView,
        row,
        subject=subject,
        subject_kind=SubjectKind(row.subject_kind),
        service=service_name,
        level=level_name,
        wish=Wish(row.wish),
        light=Light(row.light),
        word=Word(row.word),
        suspended=row.wish == Wish.SUSPENDED,
        request_id=request_id,
        kept_until=kept_moment(row.kept_until),
        not_kept=(),
    )


async def assignments_by_id(scope: AccountScope, ids: Sequence[str]) -> tuple[AssignmentView, ...]:
    """Return the named instances, for a caller that waits for their lights."""
    found: list[AssignmentView] = []
    async with scope.read() as (session, account_id):
        catalogue = (await in_force(session)).catalogue
        for some in batches(ids):
            statement = select(AssignmentRow, SUBJECT).where(
                AssignmentRow.account_id == account_id, AssignmentRow.id.in_(some)
            )
            found += await views_of(session, catalogue, statement)
    return tuple(found)


async def assignments_of_requests(scope: AccountScope, ids: Sequence[int]) -> tuple[str, ...]:
    """Return the ids of the instances that requests of the account, or those that follow from them, are about."""
    found: set[str] = set()
    async with scope.read() as (session, account_id):
        for some in batches(ids):
            asked = await session.scalars(
                select(RequestRow.assignment_id).where(
                    RequestRow.account_id == account_id,
                    RequestRow.id.in_(some) | RequestRow.parent_id.in_(some),
                    RequestRow.assignment_id.is_not(None),
                )
            )
            found.update(map(str, asked))
    return tuple(sorted(found))


async def views_of(
    session: AsyncSession, catalogue: Catalogue, statement: Select[AssignmentRow, str]
) -> list[AssignmentView]:
    """Return the service instances that a statement finds, with their subjects' names, as the outside sees them."""
    rows = (await session.execute(statement)).all()
    active = await active_requests(session, [row.id for row, _subject in rows])
    views = [assignment_view(catalogue, row, subject, active.get(row.id)) for row, subject in rows]
    green = {
        row.domain_id: row.account_id
        for row, _subject in rows
        if row.domain_id is not None and row.light == Light.GREEN
    }
    if not green:
        return views
    over = await domains_over(session, Within(None, frozenset(green.values())))
    return [
        _past_term(view, over[row.domain_id])
        if row.domain_id in over and view.light is Light.GREEN
        else view
        for view, (row, _subject) in zip(views, rows, strict=True)
    ]


def _past_term(view: AssignmentView, ended: date) -> AssignmentView:
    return replace(
        view,
        light=Light.RED,
        word=Word.TERM_OVER,
        since=_red_since(ended),
        error_said=over_said(view.subject, ended),
        error_remedy=over_remedy(view.subject),
    )
