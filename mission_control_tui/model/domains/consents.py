"""A name above or below the domain of another account: it needs the yes of that account, which is kept and audited.

Whoever may work in the other account gives it there, so the provider's operators can.
"""

from __future__ import annotations

from sqlalchemy import Select, delete, or_, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from mission_control_tui.model.audit_actions import AuditAction
from mission_control_tui.model.command_words import command_line
from mission_control_tui.model.domains.names import normalise
from mission_control_tui.model.errors import Conflict, NotFound, UsageError
from mission_control_tui.model.plan import Outcome, PlanVerb
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


async def require_consent(session: AsyncSession, account: AccountRow, name: str) -> None:
    """Raise Conflict while `name` is above or below a domain of an account that did not allow it to this one."""
    for domain in await _overlapping(session, account.id, name):
        if await session.scalar(_consent(domain.account_id, name, account.id)) is not None:
            continue
        # Whose domain it is is not said to whoever may not see that account.
        how = command_line("account", "allow-domain", name, "--to", account.code)
        is_below = name.endswith(f".{domain.name}")
        why = f"{domain.name} belongs to" if is_below else f"{domain.name}, below it, belongs to"
        raise Conflict(
            f"{name} needs somebody's yes: {why} another account of this installation.",
            hint=f"That account or the provider allows it, working in that account: {how}",
        )


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
            tx.session.add(
                DomainConsentRow(
                    account_id=account_id, name=stored, to_account_id=other.id, given_at=tx.now
                )
            )
            _record(tx, stored, other, allowed=True)
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


def _record(tx: Transaction, name: str, other: AccountRow, *, allowed: bool) -> None:
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
    )
