"""Reading the audit: who changed what, when, for which ticket. The database itself keeps it append-only."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select

from mission_control_tui.model.catalogue_store import in_force
from mission_control_tui.model.context import Caller
from mission_control_tui.model.database import Store
from mission_control_tui.model.lookups import account_row, user_row
from mission_control_tui.model.tables import AuditRow
from mission_control_tui.model.views import AuditView


async def entries(
    store: Store,
    caller: Caller,
    account: int | str,
    *,
    user: str | None = None,
    operator: str | None = None,
    action: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    ticket: str | None = None,
    request: int | None = None,
    service: str | None = None,
    session: str | None = None,
    bulk: int | None = None,
    limit: int = 200,
    before_id: int | None = None,
) -> tuple[AuditView, ...]:
    """The account's audit, newest first.

    `user` is an id, UPN, alias, former UPN or username, also of one in the recycling bin; `action` is the beginning of
    an action, as in "provision"; `service` is a name or id; `session` is one run of a
    console; `since` is included and `until` is not. The next page has `before_id` = the last id.
    Raises NotFound, Denied.
    """
    async with store.read() as reading:
        account_id = (await account_row(reading, caller, account)).id
        statement = select(AuditRow).where(AuditRow.account_id == account_id)
        if user is not None:
            target = await user_row(reading, account_id, user, binned=True)
            statement = statement.where(AuditRow.user_id == target.id)
        if operator is not None:
            statement = statement.where(AuditRow.operator == operator)
        if action is not None:
            statement = statement.where(AuditRow.action.startswith(action, autoescape=True))
        if since is not None:
            statement = statement.where(AuditRow.at >= since)
        if until is not None:
            statement = statement.where(AuditRow.at < until)
        if ticket is not None:
            statement = statement.where(AuditRow.ticket == ticket)
        if request is not None:
            statement = statement.where(AuditRow.request_id == request)
        if service is not None:
            wanted = (await in_force(reading)).catalogue.service(service).id
            statement = statement.where(AuditRow.action.endswith(f" {wanted}", autoescape=True))
        if session is not None:
            statement = statement.where(AuditRow.session == session)
        if bulk is not None:
            statement = statement.where(AuditRow.bulk_id == bulk)
        if before_id is not None:
            statement = statement.where(AuditRow.id < before_id)
        rows = await reading.scalars(statement.order_by(AuditRow.id.desc()).limit(limit))
        return tuple(
            AuditView(
                id=row.id,
                at=row.at,
                operator=row.operator,
                source=row.source,
                ticket=row.ticket,
                action=row.action,
                target=row.target,
                user_id=row.user_id,
                request_id=row.request_id,
                before=row.before,
                after=row.after,
                session=row.session,
                assignment_id=row.assignment_id,
                bulk_id=row.bulk_id,
                commands=tuple(tuple(words) for words in row.command or ()),
            )
            for row in rows
        )
