"""The people of an account whom the provider may call: who they are, how to reach them, whom first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any

from sqlalchemy import case, delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from mission_control_tui.model.audit_actions import AuditAction
from mission_control_tui.model.catalogue.values import ValueRule, ValueType
from mission_control_tui.model.domains.address_registry import special_characters
from mission_control_tui.model.domains.ownership import locked_account
from mission_control_tui.model.errors import InvalidInput, Problem, StaleVersion
from mission_control_tui.model.people.phones import phone_warning
from mission_control_tui.model.plan import Outcome, PlanVerb
from mission_control_tui.model.store.scope import AccountItem, AccountScope, Reach
from mission_control_tui.model.store.tables.accounts import ContactRow
from mission_control_tui.model.store.tables.audit import AuditRow
from mission_control_tui.model.store.transaction import Transaction
from mission_control_tui.model.text.clean import harmless

NAME_LIMIT = 200
PHONE_LIMIT = 64
FIELDS = ("name", "email", "phone")

_EMAIL = ValueRule(id="email", name="E-mail", type=ValueType.EMAIL)
_REFUSED = "These contacts cannot be saved."


class ContactRole(StrEnum):
    """Whom to call first, and for what."""

    PRIMARY = "primary"
    SECONDARY = "secondary"
    BILLING = "billing"
    TECHNICAL = "technical"


@dataclass(frozen=True, slots=True)
class Contact:
    """A person of the account. `phone` is kept as typed."""

    role: ContactRole
    name: str
    email: str = ""
    phone: str = ""


async def list_contacts(scope: AccountScope) -> tuple[Contact, ...]:
    """Return the account's contacts, the primary ones first."""
    async with scope.read() as (session, account_id):
        return await contacts_of(session, account_id)


async def contacts_of_all(
    scope: Reach, *, limit: int | None = None, offset: int = 0
) -> tuple[AccountItem[Contact], ...]:
    """Return the contacts of all accounts by their codes, the primary ones first."""
    async with scope.reading() as (session, within):
        page = within.by_code(select(ContactRow), ContactRow.account_id)
        rank = case(
            {role.value: place for place, role in enumerate(ContactRole)}, value=ContactRow.role
        )
        page = page.order_by(rank, ContactRow.id).limit(limit).offset(offset or None)
        return tuple(
            AccountItem(row.account_id, _contact(row)) for row in await session.scalars(page)
        )


async def set_contacts(
    scope: AccountScope,
    contacts: Sequence[Contact],
    *,
    expected: Sequence[Contact] | None = None,
    dry_run: bool = False,
) -> Outcome[tuple[Contact, ...]]:
    """Let these be all contacts of the account, if those there are still the `expected` ones (where given).

    Raises InvalidInput with every problem, "contact <n> <field>"; StaleVersion with what somebody else changed.
    """
    wanted = _checked(contacts)
    async with scope.change(dry_run=dry_run) as (tx, account_id):
        owner = await locked_account(tx, account_id)
        present = await contacts_of(tx.session, account_id)
        if expected is not None and present != wanted and present != in_order(expected):
            raise await _stale(tx, account_id, owner.code, in_order(expected), present)
        _require_safe(wanted, present, await special_characters(tx.session))
        if present == wanted:
            tx.record(PlanVerb.UNCHANGED, "contacts", owner.code)
        else:
            await tx.session.execute(delete(ContactRow).where(ContactRow.account_id == account_id))
            tx.session.add_all(
                ContactRow(account_id=account_id, **asdict(contact)) for contact in wanted
            )
            for words in _commands(present, wanted):
                tx.command("account", "contacts", *words)
            tx.record(
                PlanVerb.CHANGED,
                "contacts",
                owner.code,
                before={"contacts": [asdict(contact) for contact in present]},
                after={"contacts": [asdict(contact) for contact in wanted]},
                action=AuditAction.SET_CONTACTS,
            )
    return tx.outcome(wanted)


async def set_contact(
    scope: AccountScope,
    role: ContactRole,
    *,
    name: str | None = None,
    email: str | None = None,
    phone: str | None = None,
    dry_run: bool = False,
) -> Outcome[tuple[Contact, ...]]:
    """Set what is given of the contact with this role, making one where there is none. Raises as `set_contacts`."""
    present = await list_contacts(scope)
    old = next((contact for contact in present if contact.role is role), Contact(role, ""))
    given: dict[str, Any] = {"name": name, "email": email, "phone": phone}
    new = replace(old, **{field: text for field, text in given.items() if text is not None})
    others = [contact for contact in present if contact is not old]
    return await set_contacts(scope, in_order([*others, new]), expected=present, dry_run=dry_run)


async def clear_contact(
    scope: AccountScope, role: ContactRole, *, dry_run: bool = False
) -> Outcome[tuple[Contact, ...]]:
    """Let the account have no contact with this role."""
    present = await list_contacts(scope)
    others = [contact for contact in present if contact.role is not role]
    return await set_contacts(scope, others, expected=present, dry_run=dry_run)


async def contacts_of(session: AsyncSession, account_id: int) -> tuple[Contact, ...]:
    """Return what `list_contacts` does, within a session."""
    rows = await session.scalars(
        select(ContactRow).where(ContactRow.account_id == account_id).order_by(ContactRow.id)
    )
    return in_order(map(_contact, rows))


def _contact(row: ContactRow) -> Contact:
    return Contact(ContactRole(row.role), row.name, row.email, row.phone)


def in_order(contacts: Iterable[Contact]) -> tuple[Contact, ...]:
    """Return the contacts by their roles, the primary first."""
    order = list(ContactRole)
    return tuple(sorted(contacts, key=lambda contact: order.index(contact.role)))


def _checked(contacts: Sequence[Contact]) -> tuple[Contact, ...]:
    problems: list[Problem] = []
    checked: list[Contact] = []
    for number, contact in enumerate(contacts, 1):
        name, phone, email = contact.name.strip(), contact.phone.strip(), contact.email.strip()
        where = f"contact {number}"
        if not name:
            problems.append(Problem(f"{where} name", "a name is required"))
        for field, text, limit in (("name", name, NAME_LIMIT), ("phone", phone, PHONE_LIMIT)):
            if harmless(text) != text or len(text) > limit:
                what = f"at most {limit} characters, none of them invisible"
                problems.append(Problem(f"{where} {field}", what))
            elif field == "phone" and text and (said := phone_warning(text)):
                problems.append(Problem(f"{where} phone", said, "as in +61 2 9374 4000"))
        try:
            email = str(_EMAIL.validate(email) or "")
        except InvalidInput as error:
            problems += [Problem(f"{where} email", bad.what, bad.hint) for bad in error.problems]
        checked.append(Contact(contact.role, name, email, phone))
    if problems:
        raise InvalidInput(_REFUSED, problems=problems)
    return in_order(checked)


def _require_safe(wanted: Sequence[Contact], present: Sequence[Contact], special: str) -> None:
    """Raise InvalidInput where a new e-mail address has what the catalogue does not allow before the @."""
    known = {contact.email for contact in present}
    problems = [
        replace(problem, where=f"{contact.role} email")
        for contact in wanted
        for problem in _EMAIL.outside_problems(contact.email, special, known)
    ]
    if problems:
        raise InvalidInput(_REFUSED, problems=problems)


async def _stale(
    tx: Transaction, account_id: int, code: str, then: Sequence[Contact], now: Sequence[Contact]
) -> StaleVersion:
    who = await tx.session.scalar(
        select(AuditRow.operator)
        .where(AuditRow.account_id == account_id, AuditRow.action == AuditAction.SET_CONTACTS)
        .order_by(AuditRow.id.desc())
        .limit(1)
    )
    before, after = _flat(then), _flat(now)
    return StaleVersion(
        f"The contacts of {code} were changed meanwhile by {who or 'somebody else'}.",
        theirs={
            field: (before.get(field, ""), after.get(field, ""))
            for field in dict.fromkeys((*before, *after))
            if before.get(field, "") != after.get(field, "")
        },
        hint="Look at what changed, then save again.",
    )


def _flat(contacts: Iterable[Contact]) -> dict[str, str]:
    """ "primary email" -> its value; further contacts of a role are numbered."""
    found: dict[str, str] = {}
    counts: Counter[str] = Counter()
    for contact in contacts:
        counts[contact.role] += 1
        number = counts[contact.role]
        role = contact.role if number == 1 else f"{contact.role} {number}"
        found |= {f"{role} {field}": getattr(contact, field) for field in FIELDS}
    return found


def _commands(before: Sequence[Contact], after: Sequence[Contact]) -> list[tuple[str, ...]]:
    """Return what the command line calls the change."""
    words: list[tuple[str, ...]] = []
    for role in ContactRole:
        had = next((contact for contact in before if contact.role is role), None)
        has = next((contact for contact in after if contact.role is role), None)
        if has is None and had is not None:
            words.append(("clear", role.value, "--yes"))
        elif has is not None and has != had:
            said = [word for field in FIELDS for word in (f"--{field}", getattr(has, field))]
            words.append(("set", role.value, *said))
    return words
