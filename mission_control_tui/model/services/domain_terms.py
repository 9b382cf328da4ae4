"""How long a bought domain is paid for: when its term ends, what is said of it before, and whether it renews itself."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from enum import StrEnum

from sqlalchemy import func, or_, select, true
from sqlalchemy.ext.asyncio import AsyncSession

from mission_control_tui.model.dates import months_later, today_of, zone_of
from mission_control_tui.model.store.scope import Within
from mission_control_tui.model.store.tables.accounts import AccountRow, DomainRow
from mission_control_tui.model.store.tables.services import AssignmentRow
from mission_control_tui.model.text.counting import counted

AUTO_RENEW = "auto-renew"
"""The option of a registration (yes or no) by which the worker renews the domain."""
AUTO_RENEW_DAYS = 7
"""So many days before the end the worker renews; what is already past for `LAPSED_DAYS` is left to a person."""
LAPSED_DAYS = 30
NOTICE_DAYS = (7, 30, 60)
"""When the end of a term is said: more urgently the nearer it is."""
EXPIRING_DAYS = max(NOTICE_DAYS)
"""A domain is called expiring when its term ends within so many days."""
_SHORTEST = timedelta(days=28)
"""A month is at least so long."""
FEW = 100
"""So many accounts are asked for by their ids."""


class Urgency(StrEnum):
    """How near the end of a term is."""

    OVER = "over"
    DAYS = "within 7 days"
    MONTH = "within 30 days"
    SOON = "within 60 days"


_WITHIN = dict(zip(NOTICE_DAYS, (Urgency.DAYS, Urgency.MONTH, Urgency.SOON), strict=True))


@dataclass(frozen=True, slots=True)
class ExpiringDomain:
    """A bought domain whose term ends soon or is over. `days` until its last day; below zero since it ended."""

    name: str
    ends_on: date
    days: int
    urgency: Urgency
    auto_renew: bool
    account: str

    @property
    def said(self) -> str:
        """What people are told: "acme.com ends on 2027-01-31, in 12 days"."""
        if self.urgency is Urgency.OVER:
            return f"{self.name}: its term ended on {self.ends_on}"
        days = "today" if not self.days else f"in {counted(self.days, 'day')}"
        renews = ", renews itself" if self.auto_renew else ", does not renew itself"
        return f"{self.name}: its term ends on {self.ends_on}, {days}{renews}"


def over_said(name: str, ends: date) -> str:
    """Return what is said of a domain whose term is over."""
    return f"The term of {name} ended on {ends}."


def over_remedy(name: str) -> str:
    """Return what to do about it."""
    return f"Renew it: mission-control renew {name}"


def term_end(added_at: datetime, months: int, zone: tzinfo) -> date:
    """Return the day on which a term that began at `added_at` ends, the month's last day where it is shorter."""
    return months_later(added_at.astimezone(zone).date(), months)


def ends_on(domain: DomainRow, zone: tzinfo) -> date | None:
    """Return the last day that the domain is paid for, counted from the day it was bought; None elsewhere."""
    if not domain.bought:
        return None
    return term_end(domain.added_at, domain.term_months + domain.renewed_months, zone)


def renews_itself(settings: Mapping[str, object]) -> bool:
    """Tell whether the settings of a registration say that the worker renews it."""
    return settings.get(AUTO_RENEW) is True


def urgency_of(ends: date, today: date) -> Urgency | None:
    """Return how near the end is; None while it is far."""
    if ends < today:
        return Urgency.OVER
    left = (ends - today).days
    return next((_WITHIN[days] for days in NOTICE_DAYS if left <= days), None)


def may_renew_itself(ends: date, today: date) -> bool:
    """Tell whether the worker renews a domain whose term ends then."""
    return today - timedelta(days=LAPSED_DAYS) <= ends <= today + timedelta(days=AUTO_RENEW_DAYS)


async def domains_over(session: AsyncSession, within: Within) -> dict[int, date]:
    """Return the bought domains of these accounts whose term is over, by id, with its last day."""
    now = datetime.now(UTC)
    months = DomainRow.term_months + DomainRow.renewed_months
    bought = within(DomainRow.account_id) & DomainRow.bought & DomainRow.removed_at.is_(None)
    # Of thousands that are paid for, only those are read of which the shortest months are over; a day is for the zone.
    latest = now + timedelta(days=1)
    firsts = await session.execute(
        select(months, func.min(DomainRow.added_at)).where(bought).group_by(months)
    )
    near = [
        (months == length) & (DomainRow.added_at < latest - _SHORTEST * length)
        for length, first in firsts
        if first < latest - _SHORTEST * length
    ]
    if not near:
        return {}
    rows = await session.execute(
        select(DomainRow, AccountRow.time_zone)
        .join(AccountRow, AccountRow.id == DomainRow.account_id)
        .where(bought, or_(*near))
    )
    ended = {
        domain.id: (ends_on(domain, zone_of(zone)), today_of(zone, now)) for domain, zone in rows
    }
    return {key: end for key, (end, today) in ended.items() if end is not None and end < today}


async def expiring_domains(
    session: AsyncSession, account_ids: Collection[int], *, now: datetime | None = None
) -> tuple[ExpiringDomain, ...]:
    """Return what of the domains of these accounts ends soon or is over, the first to end first."""
    moment = now or datetime.now(UTC)
    rows = await session.execute(
        select(DomainRow, AssignmentRow.settings, AccountRow.time_zone, AccountRow.code)
        .join(AccountRow, AccountRow.id == DomainRow.account_id)
        .outerjoin(AssignmentRow, AssignmentRow.domain_id == DomainRow.id)
        .where(DomainRow.bought, DomainRow.removed_at.is_(None))
        # One account asks for its own on every Home; for all of them their ids would be too many.
        .where(DomainRow.account_id.in_(account_ids) if len(account_ids) < FEW else true())
        .order_by(DomainRow.id, AssignmentRow.id)
    )
    found: dict[str, ExpiringDomain] = {}
    for domain, settings, zone, code in rows:
        if domain.account_id not in account_ids or domain.name in found:
            continue
        today, ends = today_of(zone, moment), ends_on(domain, zone_of(zone))
        urgency = None if ends is None else urgency_of(ends, today)
        if ends is not None and urgency is not None:
            auto = renews_itself(settings or {})
            days = (ends - today).days
            found[domain.name] = ExpiringDomain(domain.name, ends, days, urgency, auto, code)
    return tuple(sorted(found.values(), key=lambda domain: (domain.ends_on, domain.name)))
