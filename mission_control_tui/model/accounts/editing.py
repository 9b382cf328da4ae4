"""Accounts: make one, list them, decide which one is meant, change what an operator may change."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict
from datetime import UTC

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from mission_control_tui.model import command_words
from mission_control_tui.model.audit_actions import AuditAction
from mission_control_tui.model.caller import Caller
from mission_control_tui.model.catalogue import in_force
from mission_control_tui.model.dates import zone_of
from mission_control_tui.model.domains import ownership as domains
from mission_control_tui.model.domains.consents import allow_as_provider
from mission_control_tui.model.domains.names import normalise
from mission_control_tui.model.errors import (
    Conflict,
    Denied,
    InvalidInput,
    NotFound,
    Problem,
    UsageError,
)
from mission_control_tui.model.people.password_policy import PasswordPolicy
from mission_control_tui.model.plan import Outcome, PlanVerb
from mission_control_tui.model.store.account_rows import load_account, load_accounts
from mission_control_tui.model.store.database import Store
from mission_control_tui.model.store.lookups import account_row
from mission_control_tui.model.store.retry import retries_on_conflict
from mission_control_tui.model.store.row_versions import require_account_version
from mission_control_tui.model.store.scope import AccountScope
from mission_control_tui.model.store.tables.accounts import AccountRow, DomainRow
from mission_control_tui.model.store.transaction import Transaction
from mission_control_tui.model.text.clean import harmless
from mission_control_tui.model.users.rules import policy_of
from mission_control_tui.model.views import Account

NAME_LIMIT = 200
NUMBER_LIMIT = 64
_CODE = re.compile(r"[a-z0-9][a-z0-9-]{0,14}[a-z0-9]")
_LISTED = 3


@retries_on_conflict
async def create_account(
    store: Store,
    caller: Caller,
    *,
    name: str,
    code: str,
    domains: Sequence[str] = (),
    time_zone: str = "UTC",
    policy: PasswordPolicy | None = None,
    customer_number: str = "",
    is_sample: bool = False,
    allowed: Collection[str] = (),
    dry_run: bool = False,
) -> Outcome[Account]:
    """Make an account whose `domains` are registered elsewhere; an empty database gets the shipped catalogue too.

    The provider says yes to the `allowed` ones for accounts above or below whose domains they are.

    `code` is 2 to 16 lower-case letters, digits and inner hyphens; it becomes part of names at back ends. `time_zone`
    is an IANA name. Raises InvalidInput with every problem at once, Conflict when code or domains are taken, Denied to
    a caller who may not see all accounts.
    """
    if caller.accounts is not None:
        raise Denied("You may work on some accounts only, and cannot make another.")
    code = code.strip().lower()
    stored, problems = _stored(domains)
    problems = [
        *_name_problems(name),
        *_code_problems(code),
        *_zone_problems(time_zone),
        *_number_problems(customer_number),
        *problems,
    ]
    if problems:
        raise InvalidInput("The account cannot be made like this.", problems=problems)
    async with store.write(caller, dry_run=dry_run) as tx:
        await in_force.put_shipped_where_none(tx)
        await _refuse_taken(tx.session, code, stored)
        row = AccountRow(
            code=code,
            name=name.strip(),
            customer_number=customer_number.strip(),
            is_sample=is_sample,
            time_zone=time_zone,
            password_policy=asdict(policy) if policy else {},
            created_at=tx.now,
        )
        account = await _insert(tx, row, stored, set(allowed))
    return tx.outcome(account)


async def _insert(
    tx: Transaction, row: AccountRow, names: Iterable[str], allowed: Collection[str]
) -> Account:
    tx.session.add(row)
    await tx.session.flush()
    tx.account_id = row.id
    tx.record(
        PlanVerb.CREATED,
        "account",
        row.code,
        after={
            "name": row.name,
            "time zone": row.time_zone,
            **({"customer number": row.customer_number} if row.customer_number else {}),
            **row.password_policy,
        },
        action=AuditAction.CREATE_ACCOUNT,
        version=row.version,
    )
    for name in names:
        if name in allowed:
            await allow_as_provider(tx, row, name)
        await domains.claim(tx, row, name, bought=False)
    return await load_account(tx.session, row.id)


async def list_accounts(store: Store, caller: Caller) -> tuple[Account, ...]:
    """Return the accounts that the caller may see, by code, each with its domains."""
    async with store.read() as session:
        return await _visible(session, caller)


async def resolve_account(store: Store, caller: Caller, key: int | str | None) -> Account:
    """Return the account that is meant by an id, a code, or by nothing.

    By nothing it is the only one there is; the sample account counts only where there is no other. Raises UsageError
    listing the accounts where it is not clear, NotFound where there is none, Denied for somebody else's.
    """
    async with store.read() as session:
        if key is not None:
            return await load_account(session, (await account_row(session, caller, key)).id)
        found = await _visible(session, caller)
    real = [account for account in found if not account.is_sample] or list(found)
    if not real:
        raise NotFound(
            "There is no account yet.",
            hint='Make one: mission-control init --name "Acme Pty Ltd" --code acme --domain acme.example',
        )
    if len(real) == 1:
        return real[0]
    names = ", ".join(f"{account.code} ({harmless(account.name)})" for account in real[:_LISTED])
    more = f" and {len(real) - _LISTED:,} more" if len(real) > _LISTED else ""
    raise UsageError(
        f"There are {len(real):,} accounts: {names}{more}.",
        hint="Name one: --account CODE, or `account` in the settings. All of them: mission-control account list",
    )


async def edit_account(
    scope: AccountScope,
    *,
    version: int,
    name: str | None = None,
    time_zone: str | None = None,
    policy: PasswordPolicy | None = None,
    customer_number: str | None = None,
    dry_run: bool = False,
) -> Outcome[Account]:
    """Change what is given, if the account still has the `version` that was looked at.

    Raises InvalidInput, and StaleVersion with what somebody else changed meanwhile.
    """
    problems = [
        *(_name_problems(name) if name is not None else ()),
        *(_zone_problems(time_zone) if time_zone is not None else ()),
        *(_number_problems(customer_number) if customer_number is not None else ()),
    ]
    if problems:
        raise InvalidInput("The account cannot be changed like this.", problems=problems)
    async with scope.change(dry_run=dry_run) as (tx, account_id):
        row = await domains.locked_account(tx, account_id)
        now = {
            "name": row.name,
            "time_zone": row.time_zone,
            "password_policy": asdict(policy_of(row)),
            "customer_number": row.customer_number,
        }
        wanted = dict(now)
        if name is not None:
            wanted["name"] = name.strip()
        if time_zone is not None:
            wanted["time_zone"] = time_zone
        if customer_number is not None:
            wanted["customer_number"] = customer_number.strip()
        if policy is not None:
            wanted["password_policy"] = asdict(policy)
        changed = [key for key in wanted if wanted[key] != now[key]]
        if changed:
            await require_account_version(tx, row, version)
        for key in changed:
            setattr(row, key, wanted[key])
        row.version += bool(changed)
        await tx.session.flush()
        tx.command(*command_words.edit_account(row.code, {key: wanted[key] for key in changed}))
        tx.record(
            PlanVerb.CHANGED if changed else PlanVerb.UNCHANGED,
            "account",
            row.code,
            before={key: now[key] for key in changed},
            after={key: wanted[key] for key in changed},
            action=AuditAction.EDIT_ACCOUNT,
            version=row.version,
        )
        view = await load_account(tx.session, account_id)
    return tx.outcome(view)


async def _visible(session: AsyncSession, caller: Caller) -> tuple[Account, ...]:
    accounts = await load_accounts(session)
    return tuple(account for account in accounts.values() if caller.may_see(account.id))


def _stored(typed: Iterable[str]) -> tuple[list[str], list[Problem]]:
    stored: dict[str, None] = {}
    problems: list[Problem] = []
    for name in typed:
        try:
            stored[normalise(name)] = None
        except InvalidInput as error:
            problems += error.problems
    return list(stored), problems


def _name_problems(name: str) -> Iterable[Problem]:
    if not name.strip():
        yield Problem("name", "a name is required", "give the customer's name")
    elif len(name.strip()) > NAME_LIMIT:
        yield Problem("name", f"the name is longer than {NAME_LIMIT} characters", "shorten it")
    elif harmless(name) != name:
        yield Problem("name", "it has control or invisible characters", "type it without them")


def _number_problems(number: str) -> Iterable[Problem]:
    if len(number.strip()) > NUMBER_LIMIT:
        what = f"the customer number is longer than {NUMBER_LIMIT} characters"
        yield Problem("customer_number", what, "shorten it")
    elif harmless(number) != number:
        what = "the customer number has control or invisible characters"
        yield Problem("customer_number", what, "type it without them")


def _code_problems(code: str) -> Iterable[Problem]:
    if not _CODE.fullmatch(code):
        yield Problem(
            "code",
            f"{harmless(code)[:40]!r} is not an account code",
            "2 to 16 letters, digits and inner hyphens, as in acme-au",
        )


def _zone_problems(name: str) -> Iterable[Problem]:
    if name != "UTC" and zone_of(name) is UTC:
        yield Problem(
            "time_zone",
            f"{harmless(name)[:60]!r} is not a time zone that this machine knows",
            "give an IANA name such as Australia/Sydney, or UTC",
        )


async def _refuse_taken(session: AsyncSession, code: str, names: Iterable[str]) -> None:
    problems = []
    if await session.scalar(select(AccountRow.id).where(AccountRow.code == code)) is not None:
        problems.append(Problem("code", f"there is an account {code} already", "choose another"))
    taken = await session.scalars(
        select(DomainRow.name).where(
            DomainRow.name.in_(list(names)), DomainRow.removed_at.is_(None)
        )
    )
    problems += [
        Problem("domain", f"{name} belongs to another account", "remove it there first")
        for name in taken
    ]
    if problems:
        raise Conflict("The account cannot be made like this.", problems=problems)
