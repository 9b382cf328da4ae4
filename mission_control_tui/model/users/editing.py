"""Changing a user: details, addresses, enabled or disabled, unlocked. What services have to know fans out to them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from mission_control_tui.model import command_words
from mission_control_tui.model.audit_actions import AuditAction
from mission_control_tui.model.dates import today_of
from mission_control_tui.model.domains.address_registry import (
    AddressKind,
    address_rules,
    refusal,
    upn_taken,
    user_address,
)
from mission_control_tui.model.errors import InvalidInput, Problem
from mission_control_tui.model.groups.members import tell_objects_of
from mission_control_tui.model.people.address_syntax import upn_key
from mission_control_tui.model.people.fields import (
    FIELD_BY_NAME,
    FORM_COMPULSORY,
    IMPORT_COMPULSORY,
    FieldKind,
    UserDetails,
    Value,
)
from mission_control_tui.model.people.validation import validate_details
from mission_control_tui.model.people.values import parse_value
from mission_control_tui.model.plan import Outcome, PlanVerb
from mission_control_tui.model.search.index import SEARCHED_FIELDS, reindex
from mission_control_tui.model.states import RequestKind, SubjectKind
from mission_control_tui.model.store.lookups import user_row
from mission_control_tui.model.store.retry import retries_on_conflict
from mission_control_tui.model.store.row_versions import require_version
from mission_control_tui.model.store.scope import AccountScope
from mission_control_tui.model.store.tables.accounts import AccountRow
from mission_control_tui.model.store.tables.services import AssignmentRow
from mission_control_tui.model.store.tables.users import UserRow
from mission_control_tui.model.store.transaction import Transaction
from mission_control_tui.model.store.user_rows import (
    SENT,
    addresses_of,
    difference,
    manager_upn,
    to_columns,
    to_details,
    to_view,
)
from mission_control_tui.model.text.clean import harmless
from mission_control_tui.model.users.aliases import (
    ADDRESSES,
    AddressChanges,
    alias_problems,
    apply_addresses,
)
from mission_control_tui.model.users.fan_out import fan_out
from mission_control_tui.model.users.rules import manager_id
from mission_control_tui.model.views import UserView

LOCKS_OF_BACK_ENDS = (
    "A lock that a back end set by itself, as a directory does after wrong passwords, is neither "
    "seen nor ended by this: end it there."
)


@retries_on_conflict
async def edit_user(
    scope: AccountScope,
    user: str,
    changes: Mapping[str, Value],
    *,
    addresses: AddressChanges | None = None,
    expected_version: int | None = None,
    dry_run: bool = False,
) -> Outcome[UserView]:
    """Change fields of a user, by their names in UserDetails, and addresses; flags and dates may be given as text.

    All of it is saved or nothing. A changed UPN keeps the old one as an alias. The manager is named by UPN or alias.
    Nothing different: unchanged. Raises NotFound, InvalidInput and Conflict as create_user does, and StaleVersion when
    `expected_version` is given and no longer the user's.
    """
    async with scope.change(dry_run=dry_run) as (tx, account_id):
        row = await user_row(tx.session, account_id, user, lock=True)
        await require_version(tx, row, expected_version)
        await apply_changes(tx, row, changes, addresses=addresses)
        view = await to_view(tx.session, row)
    return tx.outcome(view)


async def disable_user(
    scope: AccountScope, user: str, *, dry_run: bool = False
) -> Outcome[UserView]:
    """Suspend all that the user has, keeping data and seats, until enabled again."""
    changes = {"disabled": True}
    return await edit_user(scope, user, changes, dry_run=dry_run)


async def enable_user(
    scope: AccountScope, user: str, *, dry_run: bool = False
) -> Outcome[UserView]:
    """Undo `disable_user`; services that were suspended one by one stay so."""
    changes = {"disabled": False}
    return await edit_user(scope, user, changes, dry_run=dry_run)


async def add_alias(
    scope: AccountScope, user: str, alias: str, *, dry_run: bool = False
) -> Outcome[UserView]:
    """Give a user a further address. One that the user has already: unchanged.

    Raises InvalidInput (not an address, not a domain of the account), Conflict (taken).
    """
    wished = AddressChanges(add=(alias,))
    return await _change_addresses(scope, user, wished, AuditAction.ADD_ALIAS, dry_run)


async def remove_alias(
    scope: AccountScope, user: str, alias: str, *, dry_run: bool = False
) -> Outcome[UserView]:
    """Take an alias or a former UPN away, which frees it. A primary address goes back to the UPN.

    Raises NotFound, Conflict for the UPN itself.
    """
    wished = AddressChanges(remove=(alias,))
    return await _change_addresses(scope, user, wished, AuditAction.REMOVE_ALIAS, dry_run)


async def set_primary(
    scope: AccountScope, user: str, address: str, *, dry_run: bool = False
) -> Outcome[UserView]:
    """Make one of the user's addresses the one that recipients see. Raises NotFound."""
    wished = AddressChanges(primary=address)
    return await _change_addresses(scope, user, wished, AuditAction.SET_PRIMARY_ADDRESS, dry_run)


@retries_on_conflict
async def _change_addresses(
    scope: AccountScope, user: str, wished: AddressChanges, action: AuditAction, dry_run: bool
) -> Outcome[UserView]:
    async with scope.change(dry_run=dry_run) as (tx, account_id):
        row = await user_row(tx.session, account_id, user, lock=True)
        problems = await alias_problems(tx, row, wished.add)
        if problems:
            raise refusal(f"{row.upn} cannot have this alias.", problems)
        await apply_changes(tx, row, {}, action=action, addresses=wished)
        view = await to_view(tx.session, row)
    return tx.outcome(view)


@retries_on_conflict
async def unlock_user(
    scope: AccountScope, user: str, *, dry_run: bool = False
) -> Outcome[UserView]:
    """Let a user in again who is locked in Mission Control. Not locked: unchanged; locks of back ends stay."""
    async with scope.change(dry_run=dry_run) as (tx, account_id):
        row = await user_row(tx.session, account_id, user, lock=True)
        tx.warn(LOCKS_OF_BACK_ENDS)
        if not row.locked:
            tx.record(PlanVerb.UNCHANGED, "user", row.upn)
        else:
            row.locked = False
            row.updated_at = tx.now
            parent = await fan_out(tx, row, RequestKind.UNLOCK)
            tx.command("users", "unlock", row.upn)
            tx.record(
                PlanVerb.CHANGED,
                "user",
                row.upn,
                before={"locked": True},
                after={"locked": False},
                action=AuditAction.UNLOCK_USER,
                user_id=row.id,
                request_id=parent.id,
            )
        view = await to_view(tx.session, row)
    return tx.outcome(view)


async def apply_changes(
    tx: Transaction,
    row: UserRow,
    changes: Mapping[str, Value],
    *,
    action: AuditAction | None = None,
    noted: Mapping[str, Any] | None = None,
    addresses: AddressChanges | None = None,
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Change the locked user inside the caller's transaction; returns what differs, before and after.

    The audit calls it `action`, if that is given, and keeps what is `noted` beside what is new.
    """
    current = to_details(row, await manager_upn(tx.session, row))
    also = await alias_problems(tx, row, addresses.add) if addresses else []
    wanted, manager = await _judged(tx, row, current, changes, also)
    before, after = difference(current, wanted)
    old_upn = row.upn
    if after:
        for name, value in to_columns(wanted).items():
            setattr(row, name, value)
        if "manager" in after:
            row.manager_id = manager
        await tx.session.flush()
        if "upn" in after:
            await _move_upn(tx, row)
        tx.command(*command_words.edit_user(old_upn, after))
    if addresses:
        had, has = await apply_addresses(tx, row, addresses)
        for words in command_words.addresses(row.upn, had, has):
            tx.command(*words)
        before, after = {**before, **had}, {**after, **has}
    if not after:
        tx.record(PlanVerb.UNCHANGED, "user", row.upn)
        return {}, {}
    row.version += 1
    row.updated_at = tx.now
    await tx.session.flush()
    if (SEARCHED_FIELDS | ADDRESSES) & after.keys():
        await reindex(tx.session, row, await addresses_of(tx.session, row.id))
    request_id = await _tell_services(tx, row, after.keys())
    if {"upn", "primary_address"} & after.keys():
        await tell_objects_of(tx, user_id=row.id)
    tx.record(
        PlanVerb.CHANGED,
        "user",
        old_upn,
        before=before,
        after={**after, **(noted or {})},
        action=action or _action(after),
        user_id=row.id,
        request_id=request_id,
        version=row.version,
    )
    return before, after


async def _judged(
    tx: Transaction,
    row: UserRow,
    current: UserDetails,
    changes: Mapping[str, Value],
    also: Sequence[Problem],
) -> tuple[UserDetails, str | None]:
    """Return the details that are wanted, cleaned, and the manager's id.

    Raises with all problems of what changes, those that are known `also` among them.
    """
    values, problems = _typed(changes)
    wanted = replace(current, **values)
    differing = set(difference(current, wanted)[1])
    emptied = {
        name for name in differing & FORM_COMPULSORY if not str(getattr(wanted, name)).strip()
    }
    rules = await address_rules(tx.session, row.account_id)
    account = await tx.session.get_one(AccountRow, row.account_id)
    validated = validate_details(
        wanted,
        domains=rules.domains if "upn" in differing else None,
        compulsory=IMPORT_COMPULSORY | emptied,
        special=rules.special,
        today=today_of(account.time_zone, tx.now),
    )
    wanted = validated.details
    problems += [problem for problem in validated.problems if problem.where in differing]
    wrong = {problem.where for problem in problems}
    if wanted.username != current.username:
        what = "is fixed since the user was created"
        problems.append(Problem("username", what, f"leave it {current.username}"))
    if "upn" in differing - wrong:
        problems += await upn_taken(tx.session, row.account_id, wanted.upn, by_other_than=row.id)
    manager = row.manager_id
    if "manager" in differing - wrong:
        manager, unknown = await manager_id(tx.session, row.account_id, wanted.manager, of=row.id)
        problems += unknown
        if manager == row.manager_id:
            wanted = replace(wanted, manager=current.manager)
    problems += also
    if problems:
        raise refusal(f"{row.upn} cannot be changed like this.", problems)
    for warning in validated.told(differing):
        tx.warn(warning)
    return wanted, manager


def _typed(changes: Mapping[str, Value]) -> tuple[dict[str, Any], list[Problem]]:
    """Return the changes with flags and dates read from text where they are text."""
    values: dict[str, Any] = {}
    problems: list[Problem] = []
    for name, value in changes.items():
        field = FIELD_BY_NAME.get(name)
        if field is None:
            known = ", ".join(FIELD_BY_NAME)
            problems.append(Problem(harmless(name), "is no field of a user", f"one of: {known}"))
            continue
        if isinstance(value, str) and field.kind in (FieldKind.FLAG, FieldKind.DATE):
            try:
                value = parse_value(field, value)
            except InvalidInput as error:
                problems += error.problems
                continue
        values[name] = value
    return values, problems


async def _move_upn(tx: Transaction, row: UserRow) -> None:
    """Make the new UPN the user's; the old one stays as a former UPN, and the primary address moves along."""
    addresses = await addresses_of(tx.session, row.id)
    key = upn_key(row.upn)
    old = next(held for held in addresses if held.kind == AddressKind.UPN)
    was_primary = old.is_primary
    if old.key == key:
        old.address = row.upn
        await tx.session.flush()
        return
    old.kind = AddressKind.FORMER
    new = next((held for held in addresses if held.key == key), None)
    if new is None:
        new = user_address(row, row.upn, AddressKind.UPN)
        tx.session.add(new)
    new.address = row.upn
    new.kind = AddressKind.UPN
    if was_primary:
        old.is_primary, new.is_primary = False, True
    await tx.session.flush()


async def _tell_services(tx: Transaction, row: UserRow, changed: Collection[str]) -> int | None:
    """Fan out what services are told of; None when it is nothing of the sort."""
    names = frozenset(changed)
    everyone = bool(ADDRESSES & names)
    if not everyone and not any(sent & names for sent in SENT.values()):
        return None

    def concerns(service: AssignmentRow) -> bool:
        return everyone or bool(SENT[SubjectKind(service.subject_kind)] & names)

    kind = RequestKind.EDIT
    if "disabled" in names:
        kind = RequestKind.DISABLE if row.disabled else RequestKind.ENABLE
    return (await fan_out(tx, row, kind, concerns=concerns)).id


def _action(after: Mapping[str, Any]) -> AuditAction:
    if after.keys() == {"disabled"}:
        return AuditAction.DISABLE_USER if after["disabled"] else AuditAction.ENABLE_USER
    return AuditAction.EDIT_USER
