"""What may be stated about an object: its name, its address, its fields; and what the account must own for it."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from mission_control_tui.model.catalogue.types import AddressUse, Catalogue, Service
from mission_control_tui.model.catalogue.values import Value as Setting
from mission_control_tui.model.catalogue.values import ValueRule, ValueType
from mission_control_tui.model.domains.address_registry import (
    address_rules,
    upn_taken,
)
from mission_control_tui.model.errors import Conflict, InvalidInput, NotFound, Problem, ProblemCode
from mission_control_tui.model.people.address_syntax import domain_key, normal_address
from mission_control_tui.model.services import seats
from mission_control_tui.model.services.setting_rules import (
    USERS,
    JudgedSettings,
    SettingOwner,
)
from mission_control_tui.model.store.group_rows import NAMED, sort_key
from mission_control_tui.model.store.tables.accounts import AccountRow
from mission_control_tui.model.store.tables.groups import ObjectRow
from mission_control_tui.model.store.tables.services import AssignmentRow
from mission_control_tui.model.store.transaction import Transaction
from mission_control_tui.model.text.clean import harmless

NAME_LIMIT = 200
"""Characters of an object's name."""

EMAIL = ValueRule(id="address", name="Address", type=ValueType.EMAIL, required=True)


@dataclass(frozen=True, slots=True)
class CheckedGroup:
    """What an operator states about an object, cleaned. `problems` are all that is wrong with it."""

    name: str
    address: str
    settings: Mapping[str, Setting]
    problems: tuple[Problem, ...]


async def judged(
    session: AsyncSession,
    account_id: int,
    service: Service,
    name: str,
    address: str,
    settings: Mapping[str, object],
    known: ObjectRow | None = None,
) -> CheckedGroup:
    """Return the statement with everything that is wrong with it; `known` is the object itself, if it is there."""
    clean = " ".join(name.split())
    own = "" if known is None else known.id
    previous = None if known is None else known.details
    problems = await _name_problems(session, account_id, service, clean, own)
    kept, wrong = await _address(session, account_id, service, address, known)
    problems += wrong
    wanted: Mapping[str, Setting] = {}
    try:
        wanted = service.validate_settings(service.levels[0].id, settings, previous)
    except InvalidInput as error:
        problems += error.problems
    problems += _further_addresses(service, settings)
    return CheckedGroup(clean, kept, wanted, tuple(problems))


def _further_addresses(service: Service, given: Mapping[str, object]) -> list[Problem]:
    """Return a problem for each given option that is an address: only a user has more than one."""
    options = {option.id for option in service.address_options_for(service.levels[0].id)}
    what = f"a {service.name} has its own address and no other"
    hint = "change its address, or give somebody the alias"
    wanted = options_in(service, {key: value for key, value in given.items() if value})
    return [Problem(option, what, hint) for option in sorted(wanted & options)]


def options_in(service: Service, given: Mapping[str, object]) -> set[str]:
    """Return the ids of the options that are given by id or name; what is no option is left out."""
    found: set[str] = set()
    for key in given:
        with suppress(NotFound):
            found.add(service.option(key).id)
    return found


def setting_owner(
    catalogue: Catalogue, service: Service, row: ObjectRow, assignment: AssignmentRow | None = None
) -> SettingOwner:
    """Return the object as whose settings are judged."""
    level = service.levels[0].id
    return SettingOwner(row.account_id, row.id, row.address, catalogue, service, level, assignment)


def let_go(service: Service, meaning: JudgedSettings) -> list[Problem]:
    """Return the problems that an object comes back in spite of: of people who are gone, whom it need not name."""
    options = {
        option.id
        for option in service.options
        if (option.type in USERS or option.type is ValueType.RECIPIENT) and not option.required
    }
    return [problem for problem in meaning.problems if problem.where in options]


async def _name_problems(
    session: AsyncSession, account_id: int, service: Service, name: str, own: str
) -> list[Problem]:
    if not name:
        hint = f"say what the {service.name} is called"
        return [Problem("name", "is compulsory", hint, ProblemCode.MISSING)]
    if harmless(name) != name:
        return [Problem("name", "has control or invisible characters", "type it without them")]
    if len(name) > NAME_LIMIT:
        return [Problem("name", f"has {len(name)} characters", f"at most {NAME_LIMIT}")]
    same = ObjectRow.sort_key == sort_key(name)
    taken = await _other(session, account_id, service, own, same)
    if taken is None:
        return []
    what = f"a {service.name} is called so already: {taken.address}"
    return [Problem("name", what, "choose another", ProblemCode.TAKEN)]


async def _other(
    session: AsyncSession,
    account_id: int,
    service: Service,
    own: str,
    same: ColumnElement[bool],
) -> ObjectRow | None:
    """Return another object of the kind, `own` excepted, that has the `same` name or address."""
    return await session.scalar(
        select(ObjectRow)
        .where(
            ObjectRow.account_id == account_id,
            ObjectRow.service_id == service.id,
            same,
            ObjectRow.removed_at.is_(None),
            ObjectRow.id != own,
        )
        .limit(1)
    )


async def _address(
    session: AsyncSession,
    account_id: int,
    service: Service,
    address: str,
    known: ObjectRow | None,
) -> tuple[str, list[Problem]]:
    """Return the address as it is kept, and what is wrong with it; what the object has already is not judged again."""
    own = "" if known is None else known.id
    typed = address.strip()
    rules = await address_rules(session, account_id)
    if service.address is AddressUse.OWN:
        problems = rules.problems(typed, "address")
        unchanged = known is not None and typed == known.address
        if problems and not unchanged:
            return typed, problems
        kept = typed if unchanged else normal_address(typed)
        taken_by = await upn_taken(session, account_id, kept, by_other_than=own, where="address")
        return kept, taken_by
    try:
        kept = str(EMAIL.validate(typed))
    except InvalidInput as error:
        return typed, list(error.problems)
    present = () if known is None else (known.address,)
    if problems := EMAIL.outside_problems(kept, rules.special, present):
        return kept, problems
    domain = domain_key(kept.rpartition("@")[2])
    if domain in rules.domains:
        what = f"{domain} is a domain of this account"
        hint = f"a {service.name} is somebody elsewhere: make a user, a group or a shared mailbox"
        return kept, [Problem("address", what, hint)]
    same = func.lower(ObjectRow.address) == kept.lower()
    taken = await _other(session, account_id, service, own, same)
    if taken is None:
        return kept, []
    what = f"{harmless(kept)} is the address of {harmless(taken.name)}"
    return kept, [Problem("address", what, code=ProblemCode.TAKEN)]


async def require_included(
    session: AsyncSession, account: AccountRow, catalogue: Catalogue, service: Service
) -> None:
    """Raise Conflict where the account owns nothing that the kind is included with."""
    if await is_included(session, account.id, catalogue, service):
        return
    names = " or ".join(catalogue.service(included).name for included in service.included_with)
    raise Conflict(
        f"A {service.name} is included with {names}, of which account {account.code} owns none.",
        hint="Buy a level of it first.",
    )


async def is_included(
    session: AsyncSession, account_id: int, catalogue: Catalogue, service: Service
) -> bool:
    """Tell whether the account owns a seat of any service that the kind is included with, or it needs none."""
    if not service.included_with:
        return True
    for included in service.included_with:
        if await seats.is_bought(session, account_id, catalogue.service(included)):
            return True
    return False


async def refuse_last(
    tx: Transaction, catalogue: Catalogue, account: AccountRow, service: Service
) -> None:
    """Raise Conflict, naming them, when objects are there that the seats just taken were the last to include."""
    kinds = [
        kind.id
        for kind in catalogue.kinds
        if service.id in kind.included_with
        and not await is_included(tx.session, account.id, catalogue, kind)
    ]
    if not kinds:
        return
    names = (
        await tx.session.scalars(
            select(ObjectRow.name)
            .where(
                ObjectRow.account_id == account.id,
                ObjectRow.service_id.in_(kinds),
                ObjectRow.removed_at.is_(None),
            )
            .order_by(ObjectRow.sort_key)
            .limit(NAMED + 1)
        )
    ).all()
    if names:
        more = " and others" if len(names) > NAMED else ""
        listed = ", ".join(harmless(name) for name in names[:NAMED])
        raise Conflict(
            f"{listed}{more} {'is' if len(names) == 1 else 'are'} included with {service.name},"
            " and these are its last seats.",
            hint="Remove them first, or keep a seat.",
        )
