"""Creating a user, after everything that is wrong with it was said at once."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from mission_control_tui.model import command_words
from mission_control_tui.model.audit_actions import AuditAction
from mission_control_tui.model.dates import today_of
from mission_control_tui.model.domains.address_registry import (
    AddressKind,
    address_rules,
    refusal,
    upn_taken,
)
from mission_control_tui.model.errors import Problem
from mission_control_tui.model.people.address_syntax import upn_key
from mission_control_tui.model.people.fields import FORM_COMPULSORY, UserDetails
from mission_control_tui.model.people.validation import validate_details
from mission_control_tui.model.plan import Outcome, PlanVerb
from mission_control_tui.model.search import index as search
from mission_control_tui.model.services import sealed_passwords
from mission_control_tui.model.store.retry import retries_on_conflict
from mission_control_tui.model.store.scope import AccountScope
from mission_control_tui.model.store.tables.accounts import AccountRow
from mission_control_tui.model.store.tables.users import AddressRow, UserRow
from mission_control_tui.model.store.transaction import Transaction
from mission_control_tui.model.store.user_rows import stated, to_columns, to_view
from mission_control_tui.model.users.rules import (
    chosen_password,
    manager_id,
    policy_of,
    username_taken,
)
from mission_control_tui.model.views import RevealedPassword, UserView


@dataclass(frozen=True, slots=True)
class CreatedUser:
    """The new user. `password` is one that was generated, revealed here and never again."""

    user: UserView
    password: str | None = field(default=None, repr=False)


@retries_on_conflict
async def create_user(
    scope: AccountScope,
    details: UserDetails,
    password: str | None = None,
    *,
    generate: bool = False,
    dry_run: bool = False,
) -> Outcome[CreatedUser]:
    """Create a user with this password, a generated one, or none yet (then services that need one ask for a reset).

    Raises InvalidInput with one Problem for everything that is wrong, where each `where` is a field's name or
    "password"; Conflict when the only problem is that somebody has the UPN or the username.
    """
    async with scope.change(dry_run=dry_run) as (tx, _):
        owner = await scope.row(tx.session)
        created = await create_in(tx, owner, details, password, generate=generate)
    return tx.outcome(created)


async def create_in(
    tx: Transaction,
    account: AccountRow,
    details: UserDetails,
    password: str | None,
    *,
    generate: bool,
    compulsory: AbstractSet[str] = FORM_COMPULSORY,
) -> CreatedUser:
    """As `create_user`, inside the caller's transaction; `compulsory` are the fields that may not be empty."""
    rules = await address_rules(tx.session, account.id)
    validated = validate_details(
        details,
        domains=rules.domains,
        compulsory=compulsory,
        special=rules.special,
        today=today_of(account.time_zone, tx.now),
    )
    details = validated.details
    wrong = {problem.where for problem in validated.problems}
    problems: list[Problem] = list(validated.problems)
    if "upn" not in wrong:
        problems += await upn_taken(tx.session, account.id, details.upn)
    if "username" not in wrong:
        problems += await username_taken(tx.session, account.id, details.username)
    manager: str | None = None
    if "manager" not in wrong:
        manager, unknown = await manager_id(tx.session, account.id, details.manager)
        problems += unknown
    chosen, broken = chosen_password(
        password, generate=generate, username=details.username, policy=policy_of(account)
    )
    problems += broken
    if problems:
        raise refusal("This user cannot be created.", problems)
    for warning in validated.told():
        tx.warn(warning)
    secret = None if chosen is None else await sealed_passwords.keep(tx, account.id, chosen)
    user, address = new_rows(account.id, uuid.uuid4().hex, details, manager, secret, tx.now)
    row = UserRow(**user)
    tx.session.add(row)
    await tx.session.flush()
    tx.session.add(AddressRow(**address))
    await tx.session.flush()
    terms = search.terms_of(details)
    await search.index_user(tx.session, account.id, row.id, row.sort_key, False, terms)
    note_created(tx, details, row.id, _word_on(chosen, generate))
    if generate and chosen is not None:
        tx.revealed.append(RevealedPassword(row.upn, chosen))
    return CreatedUser(await to_view(tx.session, row), chosen if generate else None)


def new_rows(
    account_id: int,
    user_id: str,
    details: UserDetails,
    manager_id: str | None,
    secret_id: int | None,
    now: datetime,
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the columns of a new user, and of the UPN among the addresses."""
    user = {
        "id": user_id,
        "account_id": account_id,
        **to_columns(details),
        "manager_id": manager_id,
        "locked": False,
        "created_at": now,
        "updated_at": now,
        "secret_id": secret_id,
    }
    address = {
        "account_id": account_id,
        "user_id": user_id,
        "address": details.upn,
        "key": upn_key(details.upn),
        "kind": AddressKind.UPN,
        "is_primary": True,
    }
    return user, address


def note_created(
    tx: Transaction, details: UserDetails, user_id: str, noted: Mapping[str, object]
) -> None:
    """Note a new user in plan and audit, with what is `noted` beside the fields: the password's source, aliases."""
    tx.command(*command_words.create_user(details))
    for words in command_words.addresses(details.upn, {}, noted):
        tx.command(*words)
    tx.record(
        PlanVerb.CREATED,
        "user",
        details.upn,
        after={**stated(details), **noted},
        action=AuditAction.CREATE_USER,
        user_id=user_id,
        version=1,
    )


def _word_on(password: str | None, generate: bool) -> dict[str, str]:
    """Return what plan and audit say of the password."""
    return {} if password is None else {"password": "generated" if generate else "given"}
