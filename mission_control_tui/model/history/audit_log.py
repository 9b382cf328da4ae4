"""Reading the audit: who changed what, when, for which ticket. The database itself keeps it append-only."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, TypedDict, Unpack

from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from mission_control_tui.model.catalogue.in_force import in_force
from mission_control_tui.model.catalogue.lookup import NamedItem
from mission_control_tui.model.store.account_rows import account_codes
from mission_control_tui.model.store.lookups import user_row
from mission_control_tui.model.store.scope import AccountScope, Reach, Within
from mission_control_tui.model.store.tables.audit import AuditRow
from mission_control_tui.model.text.folding import fold
from mission_control_tui.model.views import AuditView, view_of

WORDS_LIMIT = 8
"""Words that are looked for; further ones are not."""

COUNTED = 10_000
"""More entries than these are not counted: a screen says "more than"."""


class AuditFilter(TypedDict, total=False):
    """Which entries: those that all of these leave; one that is None or missing leaves every entry.

    `user` is an id, UPN, alias, former UPN or username, also of one in the recycling bin; `action` is the beginning of
    an action, as in "provision"; `service` is a name or id; `session` is one run of a console; each of `words` is in
    the operator, the action (also the name of its service or product), the target or the ticket; `since` is included
    and `until` is not.
    """

    user: str | None
    operator: str | None
    action: str | None
    since: datetime | None
    until: datetime | None
    ticket: str | None
    request: int | None
    service: str | None
    session: str | None
    bulk: int | None
    words: str


_CONDITIONS: dict[str, Callable[[Any], ColumnElement[bool]]] = {
    "operator": AuditRow.operator.__eq__,
    "action": lambda begun: AuditRow.action.startswith(begun, autoescape=True),
    "since": AuditRow.at.__ge__,
    "until": AuditRow.at.__lt__,
    "ticket": AuditRow.ticket.__eq__,
    "request": AuditRow.request_id.__eq__,
    "session": AuditRow.session.__eq__,
    "bulk": AuditRow.bulk_id.__eq__,
}
"""Of the filters that look at one column."""


async def entries(
    scope: Reach,
    *,
    limit: int = 200,
    offset: int = 0,
    before_id: int | None = None,
    **filters: Unpack[AuditFilter],
) -> tuple[AuditView, ...]:
    """Return the audit of the account, or of all, newest first.

    The next page has `before_id` = the last id, which is quicker than an `offset`. Raises NotFound, Denied.
    """
    async with scope.reading() as (reading, within):
        statement = await _filtered(reading, within, filters)
        if before_id is not None:
            statement = statement.where(AuditRow.id < before_id)
        statement = statement.order_by(AuditRow.id.desc()).limit(limit).offset(offset)
        rows = (await reading.scalars(statement)).all()
        codes = await account_codes(reading, {row.account_id for row in rows})
        return tuple(_view(row, codes[row.account_id]) for row in rows)


async def count_entries(
    scope: AccountScope, *, after_id: int | None = None, **filters: Unpack[AuditFilter]
) -> int:
    """Count the entries that these filters of `entries` leave, up to COUNTED; with `after_id` only newer ones."""
    async with scope.reading() as (reading, within):
        statement = await _filtered(reading, within, filters)
        if after_id is not None:
            statement = statement.where(AuditRow.id > after_id)
        some = statement.with_only_columns(AuditRow.id).limit(COUNTED).subquery()
        return await reading.scalar(select(func.count()).select_from(some)) or 0


async def _filtered(
    reading: AsyncSession, within: Within, filters: AuditFilter
) -> Select[AuditRow]:
    statement = select(AuditRow).where(within(AuditRow.account_id))
    if (user := filters.get("user")) is not None:
        target = await user_row(reading, within.one, user, binned=True)
        statement = statement.where(AuditRow.user_id == target.id)
    if (service := filters.get("service")) is not None:
        wanted = (await in_force(reading)).catalogue.service(service).id
        statement = statement.where(AuditRow.action.endswith(f" {wanted}", autoescape=True))
    for name, condition in _CONDITIONS.items():
        if (value := filters.get(name)) is not None:
            statement = statement.where(condition(value))
    for word in filters.get("words", "").split()[:WORDS_LIMIT]:
        looked_in = (AuditRow.operator, AuditRow.action, AuditRow.target, AuditRow.ticket)
        statement = statement.where(
            or_(
                *(column.icontains(word, autoescape=True) for column in looked_in),
                *(
                    AuditRow.action.endswith(f" {ident}", autoescape=True)
                    for ident in await _called(reading, word)
                ),
            )
        )
    return statement


async def _called(reading: AsyncSession, word: str) -> list[str]:
    """Return the ids of services and products that have the word in their names: an action has the id."""
    catalogue = (await in_force(reading)).catalogue
    named: Sequence[NamedItem] = (*catalogue.services, *catalogue.products)
    return [item.id for item in named if fold(word) in fold(item.name)]


def _view(row: AuditRow, account: str) -> AuditView:
    commands = tuple(tuple(words) for words in row.command or ())
    return view_of(AuditView, row, commands=commands, account=account)
