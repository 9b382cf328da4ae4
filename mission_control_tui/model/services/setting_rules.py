"""What settings of a service may name: users and groups of the account, its domains, and what nobody else has.

Asked wherever a service is given or changed, of those settings that are stated; what is kept from before is not judged
again. Who is meant is kept by id beside the text (`setting_references.py`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from mission_control_tui.model.catalogue.types import Catalogue, Option, Service
from mission_control_tui.model.catalogue.values import Value, ValueType, texts_of
from mission_control_tui.model.errors import (
    Conflict,
    InvalidInput,
    MissionControlError,
    Problem,
    ProblemCode,
)
from mission_control_tui.model.people.address_syntax import domain_of, lookup_key
from mission_control_tui.model.services.forwarding import circle, keeps_copy
from mission_control_tui.model.states import Light, Wish
from mission_control_tui.model.store.lookups import user_row
from mission_control_tui.model.store.tables.accounts import DomainRow
from mission_control_tui.model.store.tables.groups import ObjectRow
from mission_control_tui.model.store.tables.services import (
    AssignmentRow,
    SettingClaimRow,
    SettingReferenceRow,
    UnsettledSettingRow,
)
from mission_control_tui.model.store.tables.users import AddressRow, UserRow
from mission_control_tui.model.store.transaction import Transaction
from mission_control_tui.model.text.clean import harmless

USERS = frozenset({ValueType.USER, ValueType.USERS})


@dataclass(frozen=True, slots=True)
class SettingTarget:
    """Whom a setting means: `text` is what the user or object is called now."""

    option_id: str
    text: str
    user_id: str | None = None
    object_id: str | None = None


@dataclass(frozen=True, slots=True)
class SettingOwner:
    """Whose settings are judged: a user's or an object's, who is called `name`; `row` is None while it is made.

    `as_of` is when they were stated, where that was before now.
    """

    account_id: int
    subject_id: str
    name: str
    catalogue: Catalogue
    service: Service
    level_id: str
    row: AssignmentRow | None
    as_of: datetime | None = None

    @property
    def had(self) -> Mapping[str, Any]:
        """The settings that are there already."""
        return {} if self.row is None else self.row.settings


@dataclass(slots=True)
class JudgedSettings:
    """Settings with whom they mean and what they claim; `stated` are the options that were looked at."""

    settings: dict[str, Value]
    stated: frozenset[str]
    targets: list[SettingTarget] = field(default_factory=list)
    claims: list[tuple[str, str]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    async def write(self, tx: Transaction, row: AssignmentRow) -> bool:
        """Keep references and claims of the stated options; returns whether that settles what was left unsettled.

        Those of values that were there before stay: a cancelled change brings such a value back.
        """
        settled = bool(self.stated) and not row.is_new and await self._settle(tx, row)
        for target in self.targets:
            await tx.session.execute(
                delete(SettingReferenceRow).where(
                    SettingReferenceRow.assignment_id == row.id,
                    SettingReferenceRow.option_id == target.option_id,
                    SettingReferenceRow.value == target.text,
                )
            )
            tx.session.add(
                SettingReferenceRow(
                    assignment_id=row.id,
                    option_id=target.option_id,
                    value=target.text,
                    user_id=target.user_id,
                    object_id=target.object_id,
                )
            )
        for option_id, value in self.claims:
            tx.session.add(
                SettingClaimRow(
                    assignment_id=row.id,
                    service_id=row.service_id,
                    option_id=option_id,
                    value=value,
                )
            )
        if self.targets or self.claims:
            await tx.session.flush()
        for warning in self.warnings:
            tx.warn(warning)
        return settled

    async def _settle(self, tx: Transaction, row: AssignmentRow) -> bool:
        deleted = await tx.session.execute(
            delete(UnsettledSettingRow)
            .where(
                UnsettledSettingRow.assignment_id == row.id,
                UnsettledSettingRow.option_id.in_(self.stated),
            )
            .returning(UnsettledSettingRow.id)
        )
        return bool(deleted.all())


async def judged_settings(
    tx: Transaction,
    owner: SettingOwner,
    settings: Mapping[str, Value],
    stated: Collection[str],
) -> JudgedSettings:
    """Return the settings with users and groups by what they are called now.

    Raises InvalidInput with every problem, Conflict where the only ones are that others have the values.
    """
    found = await judge_settings(tx, owner, settings, stated)
    if found.problems:
        taken = all(problem.code is ProblemCode.TAKEN for problem in found.problems)
        what = f"These settings of {owner.service.name} cannot be used."
        raise (Conflict if taken else InvalidInput)(what, problems=found.problems)
    return found


async def judge_settings(
    tx: Transaction,
    owner: SettingOwner,
    settings: Mapping[str, Value],
    stated: Collection[str],
) -> JudgedSettings:
    """As `judged_settings`, with what is wrong among the result; who cannot be meant is left out of its settings."""
    found = JudgedSettings(dict(settings), frozenset(stated))
    for option in owner.service.options_for(owner.level_id):
        if option.id not in stated:
            if option.copy_option in stated:
                found.problems += await _loops_of_kept(tx, owner, option, found)
            continue
        if option.type in USERS or option.type is ValueType.RECIPIENT:
            found.problems += await _resolve(tx, owner, option, found)
        elif option.type is ValueType.DOMAIN:
            found.problems += await _domain_problems(tx.session, owner, option, settings)
        own = [target.text for target in found.targets if target.option_id == option.id]
        present = [*own, *texts_of(owner.had.get(option.id))]
        special = owner.catalogue.address_characters
        found.problems += option.outside_problems(found.settings[option.id], special, present)
        if option.is_unique:
            found.problems += await _claim(tx.session, owner, option, found)
    return found


async def _resolve(
    tx: Transaction, owner: SettingOwner, option: Option, found: JudgedSettings
) -> list[Problem]:
    """Put whom an option's texts mean into `found`; returns what is wrong with them."""
    problems: list[Problem] = []
    texts: dict[str, None] = {}
    for text in texts_of(found.settings[option.id]):
        target = (
            await _user(tx, owner, option, text)
            if option.type in USERS
            else await _recipient(tx, owner, option, text)
        )
        if isinstance(target, Problem):
            problems.append(target)
            continue
        if target is None:
            texts[text] = None
            continue
        if target.text not in texts:
            found.targets.append(target)
        texts[target.text] = None
        if option.type is ValueType.RECIPIENT:
            meant = str(target.user_id or target.object_id)
            problems += await _loop_problems(tx, owner, option, found, meant)
    value = found.settings[option.id]
    found.settings[option.id] = list(texts) if isinstance(value, list) else next(iter(texts), None)
    return problems


async def _user(
    tx: Transaction, owner: SettingOwner, option: Option, text: str
) -> SettingTarget | Problem:
    try:
        row = await user_row(tx.session, owner.account_id, text)
    except MissionControlError as error:
        return Problem(option.id, error.what.rstrip("."), error.hint)
    return await _of_user(tx, owner, option, row, text)


async def _of_user(
    tx: Transaction, owner: SettingOwner, option: Option, row: UserRow, text: str
) -> SettingTarget | Problem:
    if owner.as_of is not None and row.created_at > owner.as_of:
        what = f"{harmless(text)} is another user than when this was stated"
        return Problem(option.id, what, "state it anew, if this one is meant")
    # Whoever deletes the user waits for this change, and then finds what it refers to.
    await tx.session.execute(
        select(UserRow.id).where(UserRow.id == row.id).with_for_update(read=True, key_share=False)
    )
    return SettingTarget(option.id, row.upn, user_id=row.id)


async def _recipient(
    tx: Transaction, owner: SettingOwner, option: Option, text: str
) -> SettingTarget | Problem | None:
    """Return who of the account is meant, None for an address elsewhere."""
    held = await tx.session.scalar(
        select(AddressRow).where(
            AddressRow.key == lookup_key(text), AddressRow.account_id == owner.account_id
        )
    )
    if held is not None and held.user_id is not None:
        return await _user(tx, owner, option, held.user_id)
    if held is not None:
        row = await tx.session.get_one(ObjectRow, held.object_id)
        if row.removed_at is not None:
            return Problem(option.id, f"{harmless(row.name)} is being removed", "name another")
        if owner.as_of is not None and row.created_at > owner.as_of:
            what = f"{harmless(text)} is another {owner.catalogue.kind(row.service_id).name}"
            return Problem(option.id, f"{what} than when this was stated", "state it anew")
        return SettingTarget(option.id, row.address, object_id=row.id)
    if domain_of(text) in await _domains(tx.session, owner.account_id):
        what = f"nobody has the address {harmless(text)}"
        hint = "make the user or the group first: who gets the address later would get the mail"
        return Problem(option.id, what, hint)
    return None


async def _loop_problems(
    tx: Transaction, owner: SettingOwner, option: Option, found: JudgedSettings, target: str
) -> list[Problem]:
    if target == owner.subject_id:
        what = f"{harmless(owner.name)} would forward to itself"
        return [Problem(option.id, what, "name another, or leave it empty for nowhere")]
    kept = keeps_copy(option, found.settings)
    loop = await circle(tx.session, owner.catalogue, owner.subject_id, target, kept=kept)
    if loop is None:
        return []
    if loop.is_kept:
        found.warnings.append(loop.warning)
        return []
    return [loop.problem(option.id)]


async def _loops_of_kept(
    tx: Transaction, owner: SettingOwner, option: Option, found: JudgedSettings
) -> list[Problem]:
    """Judge a recipient who stays, where it changes whether a copy is kept."""
    if owner.row is None:
        return []
    texts = texts_of(found.settings.get(option.id))
    meant = await tx.session.scalars(
        select(func.coalesce(SettingReferenceRow.user_id, SettingReferenceRow.object_id)).where(
            SettingReferenceRow.assignment_id == owner.row.id,
            SettingReferenceRow.option_id == option.id,
            SettingReferenceRow.value.in_(texts),
        )
    )
    problems = [
        problem
        for target in meant.all()
        for problem in await _loop_problems(tx, owner, option, found, str(target))
    ]
    return [replace(problem, where=option.copy_option) for problem in problems]


async def _domains(session: AsyncSession, account_id: int) -> set[str]:
    return set(
        await session.scalars(
            select(DomainRow.name).where(
                DomainRow.account_id == account_id, DomainRow.removed_at.is_(None)
            )
        )
    )


async def _domain_problems(
    session: AsyncSession, owner: SettingOwner, option: Option, settings: Mapping[str, Value]
) -> list[Problem]:
    names = texts_of(settings[option.id])
    own = await _domains(session, owner.account_id) if names else set()
    return [
        Problem(
            option.id,
            f"{harmless(name)} is not a domain of this account, nor below one",
            f"one of: {', '.join(sorted(own)[:5])}" if own else "buy or add the domain first",
        )
        for name in names
        if own.isdisjoint(_and_above(name))
    ]


def _and_above(name: str) -> Iterator[str]:
    labels = name.split(".")
    return (".".join(labels[start:]) for start in range(len(labels)))


async def _claim(
    session: AsyncSession, owner: SettingOwner, option: Option, found: JudgedSettings
) -> list[Problem]:
    """Claim an option's values, those too that nobody has any more; returns which are somebody else's."""
    problems: list[Problem] = []
    for text in map(str, texts_of(found.settings[option.id])):
        holder = (
            await session.execute(
                select(SettingClaimRow, AssignmentRow)
                .join(AssignmentRow, AssignmentRow.id == SettingClaimRow.assignment_id)
                .where(
                    SettingClaimRow.service_id == owner.service.id,
                    SettingClaimRow.option_id == option.id,
                    SettingClaimRow.value == text.casefold(),
                )
                .with_for_update(of=SettingClaimRow)
            )
        ).one_or_none()
        if holder is not None:
            claim, row = holder
            if owner.row is not None and row.id == owner.row.id:
                continue
            if not _let_go(row, option, text):
                problems.append(await _taken(session, owner, option, text, row))
                continue
            await session.delete(claim)
            await session.flush()
        found.claims.append((option.id, text.casefold()))
    return problems


def _let_go(row: AssignmentRow, option: Option, text: str) -> bool:
    """Tell whether the back end has the value there no more."""
    if row.wish == Wish.ABSENT:
        return (row.observed_wish, row.light) == (Wish.ABSENT, Light.GREY)
    return row.light == Light.GREEN and text not in texts_of(row.settings.get(option.id))


async def _taken(
    session: AsyncSession, owner: SettingOwner, option: Option, text: str, holder: AssignmentRow
) -> Problem:
    what = f"{harmless(text)} is in use in another account"
    if holder.account_id == owner.account_id:
        upn = await session.scalar(
            select(UserRow.upn).where(UserRow.id == holder.user_id)
            if holder.user_id is not None
            else select(ObjectRow.address).where(ObjectRow.id == holder.object_id)
        )
        going = holder.wish == Wish.ABSENT or text not in texts_of(holder.settings.get(option.id))
        how = "is still being taken away from" if going else "is in use by"
        what = f"{harmless(text)} {how} {harmless(str(upn))}"
        if holder.instance:
            what += f" ({harmless(holder.instance)})"
    return Problem(option.id, what, "give another", ProblemCode.TAKEN)
