"""Undo for groups, contacts and shared mailboxes, by their own verbs; and the way back into those that somebody left.

An object that was made is removed, a removed one is made again, a change of its name, address, fields or members is
changed back. Who lost a service left the objects that require it in the same transaction: the undo of that puts them
back where they still may be, and says where not.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from mission_control_tui.model.audit_actions import AuditAction, parse_action
from mission_control_tui.model.catalogue.types import Catalogue
from mission_control_tui.model.errors import Problem
from mission_control_tui.model.groups.command_words import edit_words
from mission_control_tui.model.groups.editing import (
    GroupChanges,
    edit_object,
    remove_object,
    restore_object,
)
from mission_control_tui.model.groups.member_changes import MemberChanges
from mission_control_tui.model.groups.members import candidate, record_members, tell
from mission_control_tui.model.groups.queries import ObjectView
from mission_control_tui.model.plan import Outcome
from mission_control_tui.model.store.database import Store
from mission_control_tui.model.store.group_rows import object_row
from mission_control_tui.model.store.scope import AccountScope
from mission_control_tui.model.store.tables.accounts import AccountRow
from mission_control_tui.model.store.tables.audit import AuditRow
from mission_control_tui.model.store.tables.groups import MemberRow, ObjectRow
from mission_control_tui.model.store.tables.services import AssignmentRow
from mission_control_tui.model.store.tables.users import UserRow
from mission_control_tui.model.store.transaction import Transaction
from mission_control_tui.model.text.clean import harmless
from mission_control_tui.model.users.revert import was_changed
from mission_control_tui.model.views import AuditView

CONTENT_NOTE = "What it held at the back end is gone: it comes back empty."
_MADE = {AuditAction.CREATE, AuditAction.RESTORE}
_EDITED = {AuditAction.CHANGE, AuditAction.PROVISION, AuditAction.CHANGE_MEMBERS}
_NEAR = 10_000
"""Audit rows of one transaction are not further apart than this."""


def is_of_object(row: AuditRow | AuditView) -> bool:
    """Tell whether the change was of an object: of no user, of something that is provisioned and has versions."""
    if row.user_id is not None or row.assignment_id is None or row.version is None:
        return False
    return _verb(row) in {*_MADE, *_EDITED, AuditAction.REMOVE}


def note_of(row: AuditRow | AuditView) -> str:
    """Return what an undo of this change does not bring back, or nothing."""
    return CONTENT_NOTE if _verb(row) is AuditAction.REMOVE else ""


def _verb(row: AuditRow | AuditView) -> AuditAction | None:
    return parse_action(row.action)[0]


async def undo_object(
    scope: AccountScope, row: AuditRow, *, whole: bool, force: bool, dry_run: bool
) -> Outcome[ObjectView]:
    """Take a change of an object back; with `whole` also the change of members that was made along with it.

    A change that left the fields as they were is always whole: only its members were changed.
    Raises Conflict where it was changed since and is not forced, and what the verbs of objects raise.
    """
    async with scope.store.read() as session:
        assignment = await session.get_one(AssignmentRow, row.assignment_id)
        key = assignment.object_id or ""
        verb = _verb(row)
        if verb in _EDITED:
            found = await object_row(session, row.account_id, key)
            changes = await _back(session, found, row, force)
            alone = verb is AuditAction.CHANGE_MEMBERS
            if not alone and (whole or not (row.before or row.after)):
                changes = await _with_members(session, found, row, changes, force)
    if verb in _MADE:
        return await remove_object(scope, key, dry_run=dry_run)
    if verb is AuditAction.REMOVE:
        return await restore_object(scope, key, dry_run=dry_run)
    return await edit_object(scope, key, changes, expected_version=found.version, dry_run=dry_run)


async def _back(
    session: AsyncSession, found: ObjectRow, row: AuditRow, force: bool
) -> GroupChanges:
    """Return what states the object as it was before `row`."""
    if _verb(row) is AuditAction.CHANGE_MEMBERS:
        return await _members_back(session, found, row, force)
    stated: dict[str, object] = {"name": found.name, "address": found.address, **found.details}
    # The audit leaves out what is empty.
    now = {key: value for key, value in stated.items() if value not in ("", [])}
    changed = [key for key in {**row.before, **row.after} if now.get(key) != row.after.get(key)]
    if changed and not force:
        raise await was_changed(session, row, ", ".join(changed), row.assignment_id)
    back = {key: row.before.get(key) for key in {**row.before, **row.after}}
    name, address = back.pop("name", None), back.pop("address", None)
    return GroupChanges(
        name=None if name is None else str(name),
        address=None if address is None else str(address),
        settings={key: _empty(value, row.after.get(key)) for key, value in back.items()},
    )


def _empty(value: Any, after: Any) -> Any:
    """Return the value, or for one that is left out in the audit the empty one of the kind that took its place."""
    if value is not None:
        return value
    return [] if isinstance(after, list) else ""


async def _members_back(
    session: AsyncSession, found: ObjectRow, row: AuditRow, force: bool
) -> GroupChanges:
    present = {
        (member.role, member.subject_id)
        for member in await session.scalars(
            select(MemberRow).where(MemberRow.object_id == found.id)
        )
    }
    changed: list[str] = []
    wanted: dict[bool, dict[str, list[str]]] = {True: {}, False: {}}
    for goes, stated in ((True, row.after), (False, row.before)):
        for role, addresses in stated.items():
            for address in addresses:
                who = await candidate(session, found.account_id, address, role)
                there = not isinstance(who, Problem) and (role, who.id) in present
                if there is goes:
                    wanted[goes].setdefault(role, []).append(address)
                else:
                    changed.append(address)
    if changed and not force:
        raise await was_changed(session, row, ", ".join(changed), row.assignment_id)
    return GroupChanges(add=wanted[False], remove=wanted[True])


async def _with_members(
    session: AsyncSession, found: ObjectRow, row: AuditRow, changes: GroupChanges, force: bool
) -> GroupChanges:
    along = await session.scalar(
        select(AuditRow)
        .where(
            AuditRow.account_id == row.account_id,
            AuditRow.request_id == row.request_id,
            AuditRow.assignment_id == row.assignment_id,
            AuditRow.action == AuditAction.CHANGE_MEMBERS,
        )
        .limit(1)
    )
    if along is None:
        return changes
    members = await _members_back(session, found, along, force)
    return replace(changes, add=members.add, remove=members.remove)


async def rejoin(
    tx: Transaction, owner: AccountRow, catalogue: Catalogue, user: UserRow, row: AuditRow
) -> list[str]:
    """Put the user back into the objects that were left with the change `row`; returns where not, and why."""
    left = await _left_with(tx.session, row)
    if not left:
        return []
    # Members are judged one after the other: whoever changes an object holds its account.
    await tx.session.execute(
        select(AccountRow.id).where(AccountRow.id == owner.id).with_for_update(key_share=True)
    )
    notes: list[str] = []
    for object_id, roles in left.items():
        found = await tx.session.get_one(ObjectRow, object_id)
        if found.removed_at is not None:
            notes.append(f"Not back in {harmless(found.name)}: it was removed.")
            continue
        found = await object_row(tx.session, owner.id, object_id, lock=True)
        changes = MemberChanges(tx, catalogue, catalogue.service(found.service_id), found)
        await changes.change({role: [user.id] for role in roles}, {})
        if changes.problems:
            notes.append(f"Not back in {harmless(found.name)}: {changes.problems[0].what}.")
        elif changes.new:
            await changes.write()
            found.version += 1
            queued = await tell(tx, [object_id])
            tx.command(*edit_words(found.name, (), {}, (), changes.new))
            request_id = queued.get(object_id)
            await record_members(tx, catalogue, found, new=changes.new, request_id=request_id)
    return notes


async def _left_with(session: AsyncSession, row: AuditRow) -> dict[str, list[str]]:
    """Return for each object the roles that the user of `row` lost in the same transaction."""
    upn = row.target.partition(" ")[0]
    rows = await session.execute(
        select(AuditRow.before, AssignmentRow.object_id)
        .join(AssignmentRow, AssignmentRow.id == AuditRow.assignment_id)
        .where(
            AuditRow.account_id == row.account_id,
            AuditRow.id.between(row.id - _NEAR, row.id + _NEAR),
            AuditRow.at == row.at,
            AuditRow.operator == row.operator,
            AuditRow.action == AuditAction.CHANGE_MEMBERS,
        )
        .order_by(AuditRow.id)
    )
    left: dict[str, list[str]] = {}
    for before, object_id in rows:
        roles = [role for role, addresses in before.items() if upn in addresses]
        if roles and object_id is not None:
            left.setdefault(object_id, []).extend(roles)
    return left


async def not_back(store: Store, row: AuditRow) -> str:
    """Return the names of the objects that the user of `row` left with it, as a sentence, or nothing."""
    async with store.read() as session:
        left = await _left_with(session, row)
        rows = await session.scalars(
            select(ObjectRow.name).where(ObjectRow.id.in_(left)).order_by(ObjectRow.sort_key)
        )
        names = ", ".join(map(harmless, rows))
    return f"Not back in {names}: add the user there again." if names else ""
