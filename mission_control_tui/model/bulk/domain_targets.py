"""Which domains a bulk is for: by their names, or those whose service is as a filter says."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from mission_control_tui.model.catalogue.lookup import did_you_mean
from mission_control_tui.model.catalogue.types import Catalogue
from mission_control_tui.model.errors import NotFound, Problem, UsageError
from mission_control_tui.model.people.address_syntax import domain_key
from mission_control_tui.model.search.filters import UserFilter
from mission_control_tui.model.store.tables.accounts import DomainRow
from mission_control_tui.model.store.tables.services import AssignmentRow
from mission_control_tui.model.text.clean import harmless
from mission_control_tui.model.text.counting import counted


async def chosen_domains(
    session: AsyncSession,
    catalogue: Catalogue,
    account_id: int,
    picked: Sequence[str] | UserFilter,
    service_id: str,
) -> list[DomainRow]:
    """Return the domains of these names, each once in their order, or those whose service a filter finds.

    Raises NotFound naming all that are no domain of the account, and UsageError where none is picked.
    """
    own = await session.scalars(
        select(DomainRow)
        .where(DomainRow.account_id == account_id, DomainRow.removed_at.is_(None))
        .order_by(DomainRow.name)
    )
    by_name = {row.name: row for row in own}
    if isinstance(picked, UserFilter):
        names = await _found(session, catalogue, account_id, picked, service_id)
        found = [row for name, row in by_name.items() if name in names]
    else:
        wanted = dict.fromkeys(map(domain_key, picked))
        if problems := [_no_domain(name, by_name) for name in wanted if name not in by_name]:
            raise NotFound(
                f"{counted(len(problems), 'name is', 'names are')} no domain of this account. Nothing was changed.",
                problems=problems,
                hint="`mission-control account domains` lists those that it has.",
            )
        found = [by_name[name] for name in wanted]
    if not found:
        raise UsageError("No domain is picked, so there is nothing to do.")
    return found


def _no_domain(name: str, own: Iterable[str]) -> Problem:
    return Problem(harmless(name), "is no domain here", did_you_mean(name, [*own]))


async def _found(
    session: AsyncSession,
    catalogue: Catalogue,
    account_id: int,
    where: UserFilter,
    service_id: str,
) -> frozenset[str]:
    """Return the names of domains for which the filter holds of this service; without conditions on it, of all."""
    levels = {(service or service_id, level) for service, level in where.levels}
    resolved = replace(where, levels=frozenset(levels)).resolved(catalogue)
    stray = {service for service in resolved.services if service != service_id}
    stray |= {service for service, _level in resolved.levels if service != service_id}
    if resolved.disabled is not None or stray:
        raise UsageError(
            "Domains are picked by light, level and domain alone.",
            hint="Write --where light=red, or name them.",
        )
    statement = select(DomainRow.name).where(DomainRow.account_id == account_id)
    if resolved.domain:
        statement = statement.where(DomainRow.name == resolved.domain)
    if resolved.of_services:
        statement = statement.join(AssignmentRow, AssignmentRow.domain_id == DomainRow.id).where(
            AssignmentRow.service_id == service_id
        )
    if resolved.lights:
        statement = statement.where(AssignmentRow.light.in_(resolved.lights))
    if resolved.levels:
        ids = {level for _service, level in resolved.levels}
        statement = statement.where(AssignmentRow.level_id.in_(ids))
    if resolved.drift:
        statement = statement.where(AssignmentRow.drift)
    return frozenset(await session.scalars(statement))
