"""The recycling bin: a user is deleted into it once nothing is left at any back end, and comes back as it was."""

from __future__ import annotations

from sqlalchemy import select

from mission_control_tui.model.audit_actions import AuditAction
from mission_control_tui.model.catalogue.in_force import in_force
from mission_control_tui.model.catalogue.lookup import name_of
from mission_control_tui.model.command_words import command_line
from mission_control_tui.model.domains.address_registry import domains_of
from mission_control_tui.model.errors import Conflict, NotFound, Problem
from mission_control_tui.model.groups.members import leave
from mission_control_tui.model.people.address_syntax import SPECIAL, upn_problems
from mission_control_tui.model.plan import Outcome, PlanVerb
from mission_control_tui.model.schedules.editing import cancel_all_of
from mission_control_tui.model.search.index import reindex
from mission_control_tui.model.services.retention import kept_date
from mission_control_tui.model.states import Light, Wish
from mission_control_tui.model.store.lookups import user_row
from mission_control_tui.model.store.retry import retries_on_conflict
from mission_control_tui.model.store.scope import AccountScope
from mission_control_tui.model.store.tables.services import AssignmentRow
from mission_control_tui.model.store.tables.users import UserRow
from mission_control_tui.model.store.transaction import Transaction
from mission_control_tui.model.store.user_rows import addresses_of, to_view
from mission_control_tui.model.text.counting import counted
from mission_control_tui.model.text.instances import with_instance
from mission_control_tui.model.users.editing import apply_changes
from mission_control_tui.model.views import UserView


@retries_on_conflict
async def delete_user(
    scope: AccountScope, user: str, *, dry_run: bool = False
) -> Outcome[UserView]:
    """Put a user into the recycling bin, where its UPN, aliases and username stay reserved.

    The user leaves every group and shared mailbox, and those whose manager it was; the plan names them. A password that
    no back end got yet stays sealed until the user is purged, so that one who is restored needs no other.
    Raises NotFound, and Conflict naming every service that is not yet gone: wished and observed absent.
    """
    async with scope.change(dry_run=dry_run) as (tx, account_id):
        row = await user_row(tx.session, account_id, user, lock=True)
        await require_gone(tx, row, may_keep=True)
        await leave(tx, user=row)
        reports = await leave_reports(tx, row)
        if reports:
            whose = counted(len(reports), "user")
            tx.warn(
                f"{row.upn} is no longer the manager of {whose}. Nothing brings that back by itself."
            )
        cancelled = await cancel_all_of(tx, row, "The user was deleted.")
        if cancelled:
            tx.warn(f"{counted(cancelled, 'schedule')} of {row.upn} cancelled.")
        await _turn(tx, row, in_bin=True)
        view = await to_view(tx.session, row)
    return tx.outcome(view)


@retries_on_conflict
async def restore_user(
    scope: AccountScope, user: str, *, dry_run: bool = False
) -> Outcome[UserView]:
    """Bring a user back from the recycling bin, without any service. Not in it: unchanged.

    Raises NotFound (purged ones included), and Conflict when the domain of the UPN is no longer the account's.
    """
    async with scope.change(dry_run=dry_run) as (tx, account_id):
        row = await user_row(tx.session, account_id, user, lock=True, binned=True)
        if row.purged_at is not None:
            raise NotFound("This user was purged, which cannot be undone.")
        if not row.in_bin:
            tx.record(PlanVerb.UNCHANGED, "user", row.upn)
        else:
            domains = await domains_of(tx.session, account_id)
            problems = upn_problems(row.upn, domains=domains, special=SPECIAL)
            if problems:
                raise Conflict(f"{row.upn} cannot come back.", problems=problems)
            await _turn(tx, row, in_bin=False)
        view = await to_view(tx.session, row)
    return tx.outcome(view)


async def leave_reports(tx: Transaction, row: UserRow) -> list[str]:
    """Take the person from those whose manager it was, and return their UPNs: nobody is managed by who is gone."""
    reports = await tx.session.scalars(
        select(UserRow).where(UserRow.manager_id == row.id).order_by(UserRow.id).with_for_update()
    )
    told: list[str] = []
    for report in reports.all():
        if report.in_bin:
            report.manager_id = None
        else:
            await apply_changes(tx, report, {"manager": ""})
            told.append(report.upn)
    return told


async def _turn(tx: Transaction, row: UserRow, *, in_bin: bool) -> None:
    row.in_bin = in_bin
    row.deleted_at = tx.now if in_bin else None
    row.updated_at = tx.now
    row.version += 1
    await tx.session.flush()
    await reindex(tx.session, row, await addresses_of(tx.session, row.id))
    tx.command(
        *(("users", "delete", row.upn, "--yes") if in_bin else ("users", "restore", row.upn))
    )
    tx.record(
        PlanVerb.REMOVED if in_bin else PlanVerb.CHANGED,
        "user",
        row.upn,
        before={"in_bin": not in_bin},
        after={"in_bin": in_bin},
        action=AuditAction.DELETE_USER if in_bin else AuditAction.RESTORE_USER,
        user_id=row.id,
        version=row.version,
    )


async def require_gone(tx: Transaction, row: UserRow, *, may_keep: bool = False) -> None:
    """Raise Conflict, naming each, while a service of the user is wished, observed, or not grey.

    With `may_keep` what is only kept until it is removed is gone, too.
    """
    at_back_end = AssignmentRow.observed_wish != Wish.ABSENT
    if may_keep:
        at_back_end &= AssignmentRow.kept_until == 0
    left = (
        await tx.session.scalars(
            select(AssignmentRow)
            .where(
                AssignmentRow.user_id == row.id,
                (AssignmentRow.wish != Wish.ABSENT)
                | at_back_end
                | (AssignmentRow.light != Light.GREY),
            )
            .order_by(AssignmentRow.service_id, AssignmentRow.instance)
        )
    ).all()
    if not left:
        return
    catalogue = (await in_force(tx.session)).catalogue
    problems = []
    for service in left:
        where = with_instance(name_of(catalogue.services, service.service_id), service.instance)
        what = "is still given" if service.wish != Wish.ABSENT else "is not gone yet"
        now = service.word
        if service.kept_until and service.light == Light.GREY:
            now = f"kept until {kept_date(service.kept_until)}"
        problems.append(Problem(where, f"{what}: {now}"))
    raise Conflict(
        f"{row.upn} cannot be deleted while services are left.",
        hint=f"Deprovision them first ({command_line('users', 'deprovision', row.upn)}) and wait until they are grey.",
        problems=problems,
    )
