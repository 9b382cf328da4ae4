"""A name above or below the domain of another account: it needs the yes of that account, which is kept and audited.

Whoever may work in the other account gives it there, so the provider's operators can.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, delete, or_, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from mission_control_tui.model.audit_actions import AuditAction
from mission_control_tui.model.caller import Caller
from mission_control_tui.model.command_words import command_line
from mission_control_tui.model.domains.names import normalise
from mission_control_tui.model.errors import Conflict, InvalidInput, NotFound, UsageError
from mission_control_tui.model.plan import Outcome, PlanVerb
from mission_control_tui.model.store.database import Store
from mission_control_tui.model.store.retry import retries_on_conflict
from mission_control_tui.model.store.scope import AccountScope
from mission_control_tui.model.store.tables.accounts import (
    AccountRow,
    DomainConsentRow,
    DomainRow,
)
from mission_control_tui.model.store.transaction import Transaction

_LOCK = 7237265


async def serialise_claims(tx: Transaction) -> None:
    """Let no other transaction take a domain until this one ends: two names may overlap that no key compares."""
    if not tx.is_sqlite:
        await tx.session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})


async def require_consent(
    session: AsyncSession, account: AccountRow, name: str, caller: Caller
) -> None:
    """Raise Conflict while `name` is above or below a domain of an account that did not allow it to this one."""
    for domain in await _overlapping(session, account.id, name):
        if await session.scalar(_consent(domain.account_id, name, account.id)) is not None:
            continue
        words: tuple[str, ...] = ("account", "allow-domain", name, "--to", account.code)
        # Whose domain it is is not said to whoever may not see that account.
        if caller.may_see(domain.account_id):
            owner = await session.get_one(AccountRow, domain.account_id)
            words = ("--account", owner.code, *words)
        how = command_line(*words)
        is_below = name.endswith(f".{domain.name}")
        why = f"{domain.name} belongs to" if is_below else f"{domain.name}, below it, belongs to"
        raise Conflict(
            f"{name} needs somebody's yes: {why} another account of this installation.",
            hint="That account or the provider allows it, working in that account "
            f"(Account, Domains, Allow; or {how}).",
        )


@dataclass(frozen=True, slots=True)
class DomainOverlap:
    """A name that somebody has to allow: it is above or below the `domain` of the account with the code `owner`."""

    name: str
    domain: str
    owner: str


async def overlaps(store: Store, names: Iterable[str]) -> tuple[DomainOverlap, ...]:
    """Return which accounts have to allow these names to a new account; what is no name is left out."""
    found: list[DomainOverlap] = []
    async with store.read() as session:
        for typed in dict.fromkeys(names):
            try:
                name = normalise(typed)
            except InvalidInput:
                continue
            for domain in await _overlapping(session, 0, name):
                owner = await session.get_one(AccountRow, domain.account_id)
                found.append(DomainOverlap(name, domain.name, owner.code))
    return tuple(found)


async def allow_as_provider(tx: Transaction, account: AccountRow, name: str) -> None:
    """Let a new account have `name`, in the name of every account that has to allow it, in whose audit it stands."""
    for owner in {domain.account_id for domain in await _overlapping(tx.session, account.id, name)}:
        await _allow(tx, owner, name, account)


@dataclass(frozen=True, slots=True)
class DomainConsent:
    """A yes of an account: `account` (a code) may have `name`."""

    name: str
    account: str
    given_at: datetime


async def list_consents(scope: AccountScope) -> tuple[DomainConsent, ...]:
    """Return what the account allowed to others, by name."""
    async with scope.read() as (session, account_id):
        rows = await session.execute(
            select(DomainConsentRow.name, AccountRow.code, DomainConsentRow.given_at)
            .join(AccountRow, AccountRow.id == DomainConsentRow.to_account_id)
            .where(DomainConsentRow.account_id == account_id)
            .order_by(DomainConsentRow.name, AccountRow.code)
        )
        return tuple(DomainConsent(name, code, given_at) for name, code, given_at in rows)


async def _overlapping(session: AsyncSession, account_id: int, name: str) -> list[DomainRow]:
    labels = name.split(".")
    above = [".".join(labels[start:]) for start in range(1, len(labels))]
    rows = await session.scalars(
        select(DomainRow)
        .where(
            DomainRow.removed_at.is_(None),
            DomainRow.account_id != account_id,
            or_(DomainRow.name.in_(above), DomainRow.name.endswith(f".{name}", autoescape=True)),
        )
        .order_by(DomainRow.name)
    )
    return list(rows)


@retries_on_conflict
async def allow_domain(
    scope: AccountScope, name: str, to: str, *, dry_run: bool = False
) -> Outcome[str]:
    """Let the account with the code `to` have `name`, which is above or below a domain of this account.

    Already so: unchanged. Raises NotFound (no such account), UsageError where this account has nothing to say about it.
    """
    stored = normalise(name)
    async with scope.change(dry_run=dry_run) as (tx, account_id):
        other = await _other(tx, account_id, to)
        mine = await tx.session.scalars(
            select(DomainRow.name).where(
                DomainRow.account_id == account_id, DomainRow.removed_at.is_(None)
            )
        )
        if not any(_overlap(stored, own) for own in mine):
            raise UsageError(
                f"{stored} is neither below nor above a domain of this account.",
                hint="Whose domain it touches has to allow it.",
            )
        known = await tx.session.scalar(_consent(account_id, stored, other.id))
        if known is not None:
            tx.record(PlanVerb.UNCHANGED, "domain", stored)
        else:
            await _allow(tx, account_id, stored, other)
    return tx.outcome(stored)


@retries_on_conflict
async def withdraw_domain(
    scope: AccountScope, name: str, to: str, *, dry_run: bool = False
) -> Outcome[str]:
    """Take a yes back; what the other account has by now it keeps. Raises NotFound where there is none."""
    stored = normalise(name)
    async with scope.change(dry_run=dry_run) as (tx, account_id):
        other = await _other(tx, account_id, to)
        found = await tx.session.scalar(_consent(account_id, stored, other.id))
        if found is None:
            raise NotFound(f"{stored} is not allowed to account {other.code}.")
        await tx.session.execute(delete(DomainConsentRow).where(DomainConsentRow.id == found))
        _record(tx, stored, other, allowed=False)
    return tx.outcome(stored)


async def _allow(tx: Transaction, owner: int, name: str, other: AccountRow) -> None:
    tx.session.add(
        DomainConsentRow(account_id=owner, name=name, to_account_id=other.id, given_at=tx.now)
    )
    await tx.session.flush()
    _record(tx, name, other, allowed=True, owner=owner)


def _consent(account_id: int, name: str, to: int) -> Select[int]:
    return select(DomainConsentRow.id).where(
        DomainConsentRow.account_id == account_id,
        DomainConsentRow.name == name,
        DomainConsentRow.to_account_id == to,
    )


async def _other(tx: Transaction, account_id: int, code: str) -> AccountRow:
    # The code alone is looked up: whoever gives a yes need not be allowed to see that account.
    row = await tx.session.scalar(select(AccountRow).where(AccountRow.code == code.lower()))
    if row is None:
        raise NotFound(f"There is no account {code!r}.", hint="Give the code of the account.")
    if row.id == account_id:
        raise UsageError("The account needs nobody's yes for its own domains.")
    return row


def _overlap(first: str, second: str) -> bool:
    return first.endswith(f".{second}") or second.endswith(f".{first}")


def _record(
    tx: Transaction, name: str, other: AccountRow, *, allowed: bool, owner: int | None = None
) -> None:
    verb = "allow-domain" if allowed else "disallow-domain"
    tx.command("account", verb, name, "--to", other.code)
    told: dict[str, object] = {"account": other.code}
    tx.record(
        PlanVerb.CREATED if allowed else PlanVerb.REMOVED,
        "domain consent",
        name,
        before={} if allowed else told,
        after=told if allowed else {},
        action=AuditAction.ALLOW_DOMAIN if allowed else AuditAction.WITHDRAW_DOMAIN,
        account_id=owner,
    )
