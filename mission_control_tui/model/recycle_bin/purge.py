"""The end of the recycling bin: who is in it and until when, and taking a person's data out of the store for good.

What stays is what others hang on: the row with its id (back ends were marked with it, its back-end names never go to
anybody else) and the audit, which is append-only and goes on naming the UPN.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import delete, func, or_, select, update

from mission_control_tui.model.audit_actions import AuditAction
from mission_control_tui.model.caller import WORKER
from mission_control_tui.model.command_words import command_line
from mission_control_tui.model.errors import Conflict, NotFound
from mission_control_tui.model.plan import Outcome, PlanVerb
from mission_control_tui.model.recycle_bin.deletion import leave_reports, require_gone
from mission_control_tui.model.recycle_bin.overdue import Overdue, too_old
from mission_control_tui.model.search.index import words_of
from mission_control_tui.model.services import sealed_passwords
from mission_control_tui.model.states import ACTIVE_STATES, Priority
from mission_control_tui.model.store.database import Store
from mission_control_tui.model.store.engine import clock
from mission_control_tui.model.store.lookups import user_row
from mission_control_tui.model.store.retry import retries_on_conflict
from mission_control_tui.model.store.scope import AccountScope, Reach
from mission_control_tui.model.store.tables.audit import AuditRow
from mission_control_tui.model.store.tables.bulk import BulkItemRow
from mission_control_tui.model.store.tables.groups import MemberRow
from mission_control_tui.model.store.tables.operators import DraftRow, RecentRow
from mission_control_tui.model.store.tables.requests import (
    RequestEventRow,
    RequestPlanRow,
    RequestRow,
)
from mission_control_tui.model.store.tables.schedules import ScheduleRow
from mission_control_tui.model.store.tables.services import (
    AssignmentRow,
    SettingClaimRow,
    SettingReferenceRow,
    UnsettledSettingRow,
)
from mission_control_tui.model.store.tables.users import (
    AddressRow,
    SearchTermRow,
    SearchTextRow,
    UserRow,
)
from mission_control_tui.model.store.transaction import Transaction
from mission_control_tui.model.store.user_rows import PURGED_SORT_KEY
from mission_control_tui.model.text.folding import fold

PURGED_NAME = "(purged)"


@dataclass(frozen=True, slots=True)
class BinLine:
    """Somebody in the recycling bin. `purge_at` is None where nothing is purged by itself."""

    id: str
    account_id: int
    upn: str
    display_name: str
    username: str
    deleted_at: datetime
    deleted_by: str
    age_days: int
    purge_at: datetime | None


async def list_bin(
    scope: Reach, *, bin_days: int, query: str = "", limit: int = 200, offset: int = 0
) -> tuple[BinLine, ...]:
    """Return who is in the recycling bin of the account, or of all, the last deleted first.

    `query` are parts of the name or the UPN. `bin_days` is the setting: after so many days the worker purges, 0 for
    never.
    """
    async with scope.reading() as (session, within):
        now = datetime.fromtimestamp(await clock(session), UTC)
        deleted_by = (
            select(AuditRow.operator)
            .where(AuditRow.user_id == UserRow.id, AuditRow.action == AuditAction.DELETE_USER)
            .order_by(AuditRow.id.desc())
            .limit(1)
            .scalar_subquery()
        )
        statement = select(UserRow, deleted_by).where(
            within.each(UserRow.account_id), UserRow.in_bin, UserRow.purged_at.is_(None)
        )
        for word in words_of(query):
            statement = statement.where(
                UserRow.sort_key.contains(word, autoescape=True)
                | func.lower(UserRow.upn).contains(fold(word), autoescape=True)
            )
        rows = await session.execute(
            statement.order_by(UserRow.deleted_at.desc(), UserRow.id)
            .limit(limit)
            .offset(offset or None)
        )
        return tuple(_line(row, str(by or ""), now, bin_days) for row, by in rows)


def _line(row: UserRow, deleted_by: str, now: datetime, bin_days: int) -> BinLine:
    deleted_at = row.deleted_at or row.updated_at
    return BinLine(
        row.id,
        row.account_id,
        row.upn,
        row.display_name,
        row.username,
        deleted_at,
        deleted_by,
        max(0, (now - deleted_at).days),
        deleted_at + timedelta(days=bin_days) if bin_days else None,
    )


@retries_on_conflict
async def purge_user(
    scope: AccountScope, user: str, *, deleted_before: datetime | None = None, dry_run: bool = False
) -> Outcome[str]:
    """Take a person who is in the recycling bin out of the store for good; returns the id, which stays.

    Details, addresses (free for others from then on), search words, sealed passwords, drafts and memberships go; so do
    the settings of former services and what back ends said. It cannot be undone. Whose manager it was has none.
    Raises NotFound (also when purged already, or deleted after `deleted_before`), and Conflict: not in the bin, a
    service that is not gone, a request that has not ended.
    """
    async with scope.change(dry_run=dry_run) as (tx, account_id):
        row = await user_row(tx.session, account_id, user, lock=True, binned=True)
        _require_binned(row, deleted_before)
        await require_gone(tx, row)
        await _require_quiet(tx, row)
        user_id = row.id
        await _forget(tx, row)
        tx.warn("This cannot be undone.")
    return tx.outcome(user_id)


async def purge_overdue(store: Store, overdue: Overdue, bin_days: int) -> None:
    """Purge it as the worker. Raises as `purge_user` where it may not be yet, or somebody brought it back meanwhile."""
    before = await too_old(store, bin_days)
    await purge_user(
        AccountScope(store, WORKER, overdue.account_id), overdue.user_id, deleted_before=before
    )


def _require_binned(row: UserRow, deleted_before: datetime | None) -> None:
    if row.purged_at is not None:
        raise NotFound("This user was purged already.")
    if not row.in_bin:
        raise Conflict(
            f"{row.upn} is not in the recycling bin.",
            hint=f"Delete it first: {command_line('users', 'delete', row.upn)}",
        )
    if deleted_before is not None and (row.deleted_at or row.updated_at) > deleted_before:
        raise NotFound(f"{row.upn} was deleted again meanwhile.")


async def _require_quiet(tx: Transaction, row: UserRow) -> None:
    running = await tx.session.scalar(
        select(RequestRow.id)
        .where(RequestRow.user_id == row.id, RequestRow.state.in_(ACTIVE_STATES))
        .limit(1)
    )
    if running is not None:
        raise Conflict(
            f"Request {running} of {row.upn} has not ended.",
            hint=f"See what it does: mission-control requests show {running}",
        )


async def _forget(tx: Transaction, row: UserRow) -> None:
    upn = row.upn
    tx.priority = Priority.BULK
    await leave_reports(tx, row)
    kept = await tx.session.scalars(
        select(AssignmentRow.secret_id).where(AssignmentRow.user_id == row.id)
    )
    for secret_id in (row.secret_id, *kept.all()):
        await sealed_passwords.wipe(tx, secret_id)
    freed = await tx.session.scalar(
        select(func.count()).select_from(AddressRow).where(AddressRow.user_id == row.id)
    )
    own = select(AssignmentRow.id).where(AssignmentRow.user_id == row.id)
    of_user = select(RequestRow.id).where(RequestRow.user_id == row.id)
    label = f"purged-{row.id[:8]}"
    for statement in (
        delete(AddressRow).where(AddressRow.user_id == row.id),
        delete(SearchTermRow).where(SearchTermRow.user_id == row.id),
        delete(SearchTextRow).where(SearchTextRow.user_id == row.id),
        delete(DraftRow).where(DraftRow.subject == row.id),
        delete(RecentRow).where(RecentRow.user_id == row.id),
        delete(MemberRow).where(MemberRow.user_id == row.id),
        delete(SettingReferenceRow).where(
            or_(SettingReferenceRow.user_id == row.id, SettingReferenceRow.assignment_id.in_(own))
        ),
        delete(SettingClaimRow).where(SettingClaimRow.assignment_id.in_(own)),
        delete(UnsettledSettingRow).where(UnsettledSettingRow.assignment_id.in_(own)),
        update(AssignmentRow)
        .where(AssignmentRow.user_id == row.id)
        .values(settings={}, secret_id=None, error_said="", error_remedy=""),
        update(RequestRow).where(RequestRow.user_id == row.id).values(previous={}),
        update(RequestEventRow)
        .where(RequestEventRow.request_id.in_(of_user))
        .values(said="", remedy="", detail={}),
        delete(RequestPlanRow).where(RequestPlanRow.request_id.in_(of_user)),
        update(BulkItemRow)
        .where(BulkItemRow.user_id == row.id)
        .values(name=label, reason="", previous={}),
        update(ScheduleRow).where(ScheduleRow.user_id == row.id).values(params={}, said=""),
    ):
        await tx.session.execute(statement.execution_options(synchronize_session=False))
    row.upn = label
    row.display_name = PURGED_NAME
    row.sort_key = PURGED_SORT_KEY
    row.username = f"~{row.id[:19]}"
    row.username_key = row.username
    row.details = {}
    row.manager_id = None
    row.expires_on = None
    row.secret_id = None
    row.purged_at = row.updated_at = tx.now
    row.version += 1
    await tx.session.flush()
    tx.command("users", "purge", upn, "--yes")
    tx.record(
        PlanVerb.REMOVED,
        "user",
        upn,
        before={"in_bin": True},
        after={"purged": True, "addresses_freed": int(freed or 0)},
        action=AuditAction.PURGE_USER,
        user_id=row.id,
        version=row.version,
    )
