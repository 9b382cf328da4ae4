"""Setting passwords: the user's own, which fans out, and that of a single service. Generated ones are shown once."""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlalchemy import update

from mission_control_tui.model import command_words
from mission_control_tui.model.audit_actions import AuditAction
from mission_control_tui.model.catalogue.in_force import in_force
from mission_control_tui.model.catalogue.types import PasswordUse
from mission_control_tui.model.domains.address_registry import refusal
from mission_control_tui.model.errors import Conflict
from mission_control_tui.model.plan import Outcome, PlanVerb
from mission_control_tui.model.services import sealed_passwords
from mission_control_tui.model.services.subjects import user_subject
from mission_control_tui.model.services.wishes import enqueue, find
from mission_control_tui.model.states import RequestKind, Wish
from mission_control_tui.model.store.lookups import user_row
from mission_control_tui.model.store.retry import retries_on_conflict
from mission_control_tui.model.store.scope import AccountScope
from mission_control_tui.model.store.tables.accounts import AccountRow
from mission_control_tui.model.store.tables.services import AssignmentRow
from mission_control_tui.model.store.tables.users import UserRow
from mission_control_tui.model.store.transaction import Transaction
from mission_control_tui.model.text.instances import with_instance
from mission_control_tui.model.users.actions.base import HasNoService
from mission_control_tui.model.users.fan_out import fan_out
from mission_control_tui.model.users.rules import chosen_password, policy_of
from mission_control_tui.model.views import RevealedPassword


@dataclass(frozen=True, slots=True)
class PasswordChange:
    """A password is on its way, by this request. `password` is a generated one, revealed here and never again."""

    user_id: str
    upn: str
    request_id: int
    password: str | None = field(default=None, repr=False)


@retries_on_conflict
async def set_password(
    scope: AccountScope,
    user: str,
    password: str | None = None,
    *,
    must_change: bool | None = None,
    dry_run: bool = False,
) -> Outcome[PasswordChange]:
    """Set the user's password, or a generated one, for all services that use it; those with their own are left alone.

    `must_change` sets whether the user has to choose a new one at the next logon; None leaves that as it is.
    Raises InvalidInput with every rule of the account's policy that a given password breaks.
    """
    async with scope.change(dry_run=dry_run) as (tx, account_id):
        owner = await scope.row(tx.session)
        row = await user_row(tx.session, account_id, user, lock=True)
        result = await set_in(tx, row, owner, password, must_change)
    return tx.outcome(result)


@retries_on_conflict
async def set_service_password(
    scope: AccountScope,
    user: str,
    service: str,
    password: str | None = None,
    *,
    instance: str = "",
    dry_run: bool = False,
) -> Outcome[PasswordChange]:
    """Set the password, or a generated one, of a service that has its own (a database).

    Raises NotFound when the user has no such service, Conflict when it has no password of its own, InvalidInput.
    """
    async with scope.change(dry_run=dry_run) as (tx, account_id):
        owner = await scope.row(tx.session)
        row = await user_row(tx.session, account_id, user, lock=True)
        wanted = (await in_force(tx.session)).catalogue.service(service)
        given = await find(tx, user_subject(row), wanted.id, instance)
        if given is None or given.wish == Wish.ABSENT:
            raise HasNoService(user_subject(row), wanted)
        if wanted.password is not PasswordUse.OWN:
            uses = "the user's" if wanted.password is PasswordUse.USER else "no"
            raise Conflict(
                wanted.sign_in or f"{wanted.name} has {uses} password, not one of its own.",
                hint="Set the user's password instead.",
            )
        chosen = _chosen(password, row, owner)
        old, given.secret_id = given.secret_id, await sealed_passwords.keep(tx, account_id, chosen)
        if old != row.secret_id:
            await sealed_passwords.wipe(tx, old)
        request = await enqueue(tx, given, RequestKind.PASSWORD)
        tx.command(*command_words.password(row.upn, row.username, wanted.id, instance))
        tx.record(
            PlanVerb.CHANGED,
            "password",
            f"{row.upn} {with_instance(wanted.name, instance)}",
            after={"password": _word(password)},
            action=AuditAction.RESET_PASSWORD,
            of=wanted.id,
            user_id=row.id,
            request_id=request.id,
        )
        if password is None:
            login = given.backend_name
            tx.revealed.append(RevealedPassword(row.upn, chosen, wanted.id, instance, login))
        revealed = chosen if password is None else None
        result = PasswordChange(row.id, row.upn, request.id, revealed)
    return tx.outcome(result)


async def set_in(
    tx: Transaction,
    row: UserRow,
    account: AccountRow,
    password: str | None,
    must_change: bool | None,
) -> PasswordChange:
    """As `set_password`, to the locked user inside the caller's transaction."""
    chosen = _chosen(password, row, account)
    before: dict[str, object] = {}
    after: dict[str, object] = {"password": _word(password)}
    version = None
    had = bool(row.details.get("must_change_password"))
    if must_change is not None and must_change != had:
        details = {**row.details, "must_change_password": must_change}
        row.details = {name: value for name, value in details.items() if value}
        row.version += 1
        version = row.version
        before["must_change_password"], after["must_change_password"] = had, must_change
    old = row.secret_id
    row.secret_id = await sealed_passwords.keep(tx, row.account_id, chosen)
    row.updated_at = tx.now
    await tx.session.flush()
    catalogue = (await in_force(tx.session)).catalogue
    using = [service.id for service in catalogue.services if service.password is PasswordUse.USER]
    await tx.session.execute(
        update(AssignmentRow)
        .where(AssignmentRow.user_id == row.id, AssignmentRow.service_id.in_(using))
        .where((AssignmentRow.wish != Wish.ABSENT) | AssignmentRow.secret_id.is_not(None))
        .values(secret_id=row.secret_id)
        .execution_options(synchronize_session=False)
    )
    await sealed_passwords.wipe(tx, old)

    parent = await fan_out(
        tx, row, RequestKind.PASSWORD, concerns=lambda service: service.service_id in using
    )
    tx.command(*command_words.password(row.upn, row.username))
    tx.record(
        PlanVerb.CHANGED,
        "password",
        row.upn,
        before=before,
        after=after,
        action=AuditAction.RESET_PASSWORD,
        user_id=row.id,
        request_id=parent.id,
        version=version,
    )
    if password is None:
        tx.revealed.append(RevealedPassword(row.upn, chosen, login=row.username))
    return PasswordChange(row.id, row.upn, parent.id, chosen if password is None else None)


def _chosen(password: str | None, row: UserRow, account: AccountRow) -> str:
    policy, generate = policy_of(account), password is None
    chosen, broken = chosen_password(
        password, generate=generate, username=row.username, policy=policy
    )
    if broken:
        raise refusal(f"{row.upn} cannot have this password.", broken)
    return str(chosen)


def _word(password: str | None) -> str:
    return "generated" if password is None else "given"
