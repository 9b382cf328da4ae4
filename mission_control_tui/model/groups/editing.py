"""Groups, contacts and shared mailboxes of an account: making, changing, removing them, bringing them back.

Each verb is one transaction, states the object's wish and queues its request, like the verbs on users' services.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from sqlalchemy import delete, func, select

from mission_control_tui.model.audit_actions import AuditAction
from mission_control_tui.model.catalogue.in_force import in_force
from mission_control_tui.model.catalogue.types import AddressUse, Catalogue, Service
from mission_control_tui.model.domains.address_registry import AddressKind, refusal
from mission_control_tui.model.errors import Problem
from mission_control_tui.model.groups.command_words import create_words, edit_words
from mission_control_tui.model.groups.member_changes import MemberChanges, Who, drop_unfit
from mission_control_tui.model.groups.members import (
    leave,
    record_members,
    tell_objects_of,
    waits_for,
)
from mission_control_tui.model.groups.queries import ObjectView, object_view
from mission_control_tui.model.groups.rules import (
    judged,
    let_go,
    options_in,
    require_included,
    setting_owner,
)
from mission_control_tui.model.people.address_syntax import upn_key
from mission_control_tui.model.plan import Outcome, PlanVerb
from mission_control_tui.model.services.setting_rules import judge_settings
from mission_control_tui.model.services.subjects import object_subject
from mission_control_tui.model.services.wishes import enqueue, find_or_make
from mission_control_tui.model.states import Light, RequestKind, Wish, Word
from mission_control_tui.model.store.group_rows import object_row, sort_key
from mission_control_tui.model.store.lookups import account_row
from mission_control_tui.model.store.retry import retries_on_conflict
from mission_control_tui.model.store.row_versions import require_object_version
from mission_control_tui.model.store.scope import AccountScope
from mission_control_tui.model.store.tables.accounts import AccountRow
from mission_control_tui.model.store.tables.groups import MemberRow, ObjectRow
from mission_control_tui.model.store.tables.services import AssignmentRow
from mission_control_tui.model.store.tables.users import AddressRow
from mission_control_tui.model.store.transaction import Transaction
from mission_control_tui.model.text.clean import harmless


@dataclass(frozen=True, slots=True)
class GroupChanges:
    """What becomes of an object; None and empty leave things as they are. `remove` comes before `add`."""

    name: str | None = None
    address: str | None = None
    settings: Mapping[str, object] = field(default_factory=dict)
    add: Who = field(default_factory=dict)
    remove: Who = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _LockedObject:
    """An object that is being changed, with all that its verbs look at."""

    tx: Transaction
    owner: AccountRow
    catalogue: Catalogue
    service: Service
    row: ObjectRow
    assignment: AssignmentRow

    @classmethod
    async def of(
        cls, tx: Transaction, account_id: int, key: str, *, removed: bool = False
    ) -> _LockedObject:
        """Return the object that `key` means. Raises NotFound, UsageError (several)."""
        owner, catalogue = await _locked(tx, account_id)
        row = await object_row(tx.session, account_id, key, lock=True, removed=removed)
        service = catalogue.service(row.service_id)
        assignment = await find_or_make(tx, owner, object_subject(row), service)
        return cls(tx, owner, catalogue, service, row, assignment)

    def unchanged(self) -> None:
        """Note that nothing had to be done."""
        self.tx.record(PlanVerb.UNCHANGED, "object", f"{self.row.name} ({self.service.name})")

    async def claim_address(self) -> None:
        """Give the object its address in the one table of addresses, where that is one of the account's."""
        if self.service.address is not AddressUse.OWN:
            return
        session, row = self.tx.session, self.row
        await session.execute(delete(AddressRow).where(AddressRow.object_id == row.id))
        session.add(
            AddressRow(
                account_id=row.account_id,
                object_id=row.id,
                address=row.address,
                key=upn_key(row.address),
                kind=AddressKind.OBJECT,
                is_primary=True,
            )
        )
        await session.flush()

    async def wish(self, kind: RequestKind) -> None:
        """Ask for the object to be there as its row says."""
        await self.tx.session.flush()
        await enqueue(
            self.tx,
            self.assignment,
            kind,
            wish=Wish.PRESENT,
            level_id=self.service.levels[0].id,
            settings=self.row.details,
            depends_on=await waits_for(self.tx, self.owner, self.catalogue, self.service, self.row),
        )

    def record(
        self,
        verb: PlanVerb,
        action: AuditAction,
        *,
        before: Mapping[str, object] | None = None,
        after: Mapping[str, object] | None = None,
        name: str = "",
        request_id: int | None,
    ) -> None:
        """Note the change under the object's former `name`; what is empty is left out."""
        self.tx.record(
            verb,
            "object",
            f"{name or self.row.name} ({self.service.name})",
            before=_filled(before or {}),
            after=_filled(after or {}),
            action=action,
            of=self.service.id,
            request_id=request_id,
            version=self.row.version,
            assignment_id=self.assignment.id,
        )


@retries_on_conflict
async def create_object(
    scope: AccountScope,
    kind: str,
    name: str,
    address: str,
    *,
    settings: Mapping[str, object] | None = None,
    members: Who | None = None,
    dry_run: bool = False,
) -> Outcome[ObjectView]:
    """Make an object of this kind (id or name) with its members, and ask for it to be provisioned.

    Raises NotFound (kind), InvalidInput and Conflict with every problem at once, Conflict where the account owns
    nothing that the kind is included with.
    """
    async with scope.change(dry_run=dry_run) as (tx, account_id):
        owner, catalogue = await _locked(tx, account_id)
        service = catalogue.kind(kind)
        await require_included(tx.session, owner, catalogue, service)
        stated = await judged(tx.session, account_id, service, name, address, settings or {})
        row = ObjectRow(
            id=uuid.uuid4().hex,
            account_id=account_id,
            service_id=service.id,
            name=stated.name[:256],
            sort_key=sort_key(stated.name),
            address=stated.address[:320],
            details=dict(stated.settings),
            created_at=tx.now,
            version=1,
        )
        meaning = await judge_settings(
            tx, setting_owner(catalogue, service, row), stated.settings, stated.settings
        )
        row.details = dict(meaning.settings)
        people = MemberChanges(tx, catalogue, service, row)
        await people.change(members or {}, {})
        problems = [*stated.problems, *meaning.problems, *people.problems]
        _refuse(f"This {service.name} cannot be made.", problems)
        tx.session.add(row)
        await tx.session.flush()
        assignment = await find_or_make(tx, owner, object_subject(row), service)
        made = _LockedObject(tx, owner, catalogue, service, row, assignment)
        await made.claim_address()
        await people.write()
        await meaning.write(tx, assignment)
        after = _stated(row)
        await made.wish(RequestKind.PROVISION)
        tx.command(*create_words(service, row, row.details, people.new))
        made.record(
            PlanVerb.CREATED, AuditAction.CREATE, after=after, request_id=_first_request(tx)
        )
        if people.new:
            await record_members(tx, catalogue, row, new=people.new, request_id=tx.requests[-1])
        view = await object_view(tx.session, row)
    return tx.outcome(view)


@retries_on_conflict
async def edit_object(
    scope: AccountScope,
    key: str,
    changes: GroupChanges,
    *,
    expected_version: int | None = None,
    dry_run: bool = False,
) -> Outcome[ObjectView]:
    """Change what an object is called, its address, fields and members, and ask for that to be provisioned.

    Nothing different: unchanged, but what is red, was not checked or has drifted is asked for again.
    Raises NotFound, UsageError, InvalidInput and Conflict with every problem at once, StaleVersion.
    """
    async with scope.change(dry_run=dry_run) as (tx, account_id):
        known = await _LockedObject.of(tx, account_id, key)
        row, assignment = known.row, known.assignment
        await require_object_version(tx, row, assignment.id, expected_version)
        name = row.name if changes.name is None else changes.name
        address = row.address if changes.address is None else changes.address
        stated = await judged(
            tx.session, account_id, known.service, name, address, changes.settings, row
        )
        owner = setting_owner(known.catalogue, known.service, row, assignment)
        looked_at = options_in(known.service, changes.settings) & stated.settings.keys()
        meaning = await judge_settings(tx, owner, stated.settings, looked_at)
        people = MemberChanges(tx, known.catalogue, known.service, row)
        await people.change(changes.add, changes.remove)
        problems = [*stated.problems, *meaning.problems, *people.problems]
        _refuse(f"{row.name} cannot be changed like this.", problems)
        before, called = _stated(row), row.name
        moved = stated.address != row.address
        row.name, row.sort_key = stated.name, sort_key(stated.name)
        row.address, row.details = stated.address, dict(meaning.settings)
        if moved:
            await known.claim_address()
        await people.write()
        told = not await meaning.write(tx, assignment)
        after = _stated(row)
        changed = [field for field in after if before.get(field) != after[field]]
        settled = (assignment.light == Light.GREEN and not assignment.drift) or (
            assignment.light == Light.ORANGE and assignment.word != Word.NOT_CHECKED
        )
        if settled and told and not changed and not people.new and not people.gone:
            known.unchanged()
        else:
            row.version += 1
            absent = assignment.wish == Wish.ABSENT
            kind = RequestKind.PROVISION if absent else RequestKind.CHANGE
            await known.wish(kind)
            if moved:
                await tell_objects_of(tx, object_id=row.id)
            tx.command(*edit_words(called, changed, after, people.gone, people.new))
            request_id = _first_request(tx)
            known.record(
                PlanVerb.CHANGED,
                AuditAction(kind),
                before={field: before.get(field) for field in changed},
                after={field: after[field] for field in changed},
                name=called,
                request_id=request_id,
            )
            if people.new or people.gone:
                new, gone = people.new, people.gone
                await record_members(
                    tx, known.catalogue, row, new=new, gone=gone, request_id=request_id
                )
        view = await object_view(tx.session, row)
    return tx.outcome(view)


@retries_on_conflict
async def remove_object(
    scope: AccountScope, key: str, *, expected_version: int | None = None, dry_run: bool = False
) -> Outcome[ObjectView]:
    """Take an object away with what it holds; its address is free once it is gone. Asked again where that failed.

    It leaves every object that it is a member of, which the plan names. Raises NotFound, StaleVersion.
    """
    async with scope.change(dry_run=dry_run) as (tx, account_id):
        known = await _LockedObject.of(tx, account_id, key, removed=True)
        row, assignment = known.row, known.assignment
        await require_object_version(tx, row, assignment.id, expected_version)
        if row.removed_at is not None and assignment.light != Light.RED:
            known.unchanged()
        else:
            await _remove(known)
        view = await object_view(tx.session, row)
    return tx.outcome(view)


async def _remove(known: _LockedObject) -> None:
    tx, row, assignment = known.tx, known.row, known.assignment
    count = await tx.session.scalar(
        select(func.count(func.distinct(MemberRow.subject_id))).where(MemberRow.object_id == row.id)
    )
    row.removed_at = tx.now
    row.version += 1
    request_id = None
    if assignment.wish == Wish.ABSENT and assignment.light == Light.GREY:
        await tx.session.execute(delete(AddressRow).where(AddressRow.object_id == row.id))
    else:
        await enqueue(tx, assignment, RequestKind.DEPROVISION, wish=Wish.ABSENT)
        request_id = _first_request(tx)
        reach = "member no longer reaches" if count == 1 else "members no longer reach"
        held = f", and its {count} {reach} it" if count else ""
        if assignment.kept_until:
            tx.warn(f"What {harmless(row.name)} holds at the back end is kept until then{held}.")
        else:
            tx.warn(f"What {harmless(row.name)} holds at the back end is removed{held}.")
    tx.command("objects", "remove", row.address, "--yes")
    before = {"address": row.address}
    known.record(PlanVerb.REMOVED, AuditAction.REMOVE, before=before, request_id=request_id)
    await leave(tx, member=row)


@retries_on_conflict
async def restore_object(
    scope: AccountScope, key: str, *, dry_run: bool = False
) -> Outcome[ObjectView]:
    """Make a removed object again, with its fields and those of its members who may still be some.

    What it held at the back end does not come back. Raises NotFound, and Conflict where name or address is taken.
    """
    async with scope.change(dry_run=dry_run) as (tx, account_id):
        known = await _LockedObject.of(tx, account_id, key, removed=True)
        row, service = known.row, known.service
        if row.removed_at is None:
            known.unchanged()
        else:
            await require_included(tx.session, known.owner, known.catalogue, service)
            stated = await judged(tx.session, account_id, service, row.name, row.address, {}, row)
            owner = setting_owner(known.catalogue, service, row, known.assignment)
            owner = replace(owner, as_of=row.removed_at)
            meaning = await judge_settings(tx, owner, stated.settings, stated.settings)
            gone = let_go(service, meaning)
            problems = [problem for problem in meaning.problems if problem not in gone]
            _refuse(f"{row.name} cannot come back.", [*stated.problems, *problems])
            row.removed_at, row.version = None, row.version + 1
            row.details = dict(meaning.settings)
            await known.claim_address()
            await meaning.write(tx, known.assignment)
            for problem in gone:
                tx.warn(f"{service.option(problem.where).name} left out: {problem.what}.")
            await drop_unfit(tx, known.catalogue, service, row)
            await known.wish(RequestKind.PROVISION)
            tx.command("objects", "restore", row.address)
            known.record(
                PlanVerb.CREATED,
                AuditAction.RESTORE,
                after={"address": row.address},
                request_id=_first_request(tx),
            )
        view = await object_view(tx.session, row)
    return tx.outcome(view)


async def _locked(tx: Transaction, account_id: int) -> tuple[AccountRow, Catalogue]:
    """Return the account, locked so that names and members are judged one after the other, and the catalogue."""
    await tx.session.execute(
        select(AccountRow.id).where(AccountRow.id == account_id).with_for_update(key_share=True)
    )
    owner = await account_row(tx.session, tx.caller, account_id)
    return owner, (await in_force(tx.session)).catalogue


def _refuse(what: str, problems: Sequence[Problem]) -> None:
    if problems:
        raise refusal(what, problems)


def _first_request(tx: Transaction) -> int | None:
    """Return the request that the transaction queued first."""
    return next(iter(tx.requests), None)


def _stated(row: ObjectRow) -> dict[str, object]:
    return {"name": row.name, "address": row.address, **row.details}


def _filled(values: Mapping[str, object]) -> dict[str, object]:
    return {key: value for key, value in values.items() if value not in (None, "", [])}
