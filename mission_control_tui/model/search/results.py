"""What finding anyone and the recent lists hand out: people and orders, each with the account they belong to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.ext.asyncio import AsyncSession

from mission_control_tui.model.caller import Caller
from mission_control_tui.model.money import Money
from mission_control_tui.model.people.fields import FIELDS, FieldKind
from mission_control_tui.model.people.phones import digits_of
from mission_control_tui.model.search.accounts import KnownAccounts
from mission_control_tui.model.states import Light, furthest
from mission_control_tui.model.store.account_rows import load_accounts
from mission_control_tui.model.store.tables.orders import OrderRow
from mission_control_tui.model.store.tables.services import AssignmentRow, is_shown
from mission_control_tui.model.store.tables.users import AddressRow, UserRow
from mission_control_tui.model.text.folding import fold
from mission_control_tui.model.views import Account, view_of

_PHONES = {field.name: field.label for field in FIELDS if field.kind is FieldKind.PHONE}


@dataclass(frozen=True, slots=True)
class FoundUser:
    """A person of some account.

    `matched` says what was found where neither name nor UPN shows it ("alias ada@old.example"), else it is empty.
    """

    account: Account
    user_id: str
    display_name: str
    upn: str
    username: str
    disabled: bool
    locked: bool
    in_bin: bool
    matched: str = ""
    lights: tuple[tuple[str, Light], ...] = ()
    orange: str = ""
    """The word of the lights that are orange."""

    @property
    def account_id(self) -> int:
        """The account's id."""
        return self.account.id


@dataclass(frozen=True, slots=True)
class FoundOrder:
    """An order of some account."""

    account: Account
    order_id: int
    kind: str
    state: str
    placed_at: datetime
    operator: str
    total: Money


@dataclass(frozen=True, slots=True)
class SearchResults:
    """What was found, the best first; with `more` there are people who are not among them."""

    users: tuple[FoundUser, ...]
    orders: tuple[FoundOrder, ...] = ()
    more: bool = False
    accounts: tuple[Account, ...] = ()


async def load_users(
    session: AsyncSession,
    ids: Sequence[str],
    words: Sequence[str] = (),
    *,
    accounts: KnownAccounts | None = None,
) -> tuple[FoundUser, ...]:
    """Return these users in this order; who is gone is left out.

    `words` are what they were found by, `accounts` those that were read already.
    """
    if not ids:
        return ()
    rows: dict[str, Row[*tuple[Any, ...]]] = {}
    lights: dict[str, list[tuple[str, Light]]] = {}
    words_of: dict[str, list[str]] = {}
    for row in await session.execute(_WITH_LIGHTS.where(UserRow.id.in_(ids))):
        rows[row.id] = row
        of_user = lights.setdefault(row.id, [])
        if row.service_id is not None:
            of_user.append((row.service_id, Light(row.light)))
            words_of.setdefault(row.id, []).append(row.word)
    of = accounts or await load_accounts(session, {row.account_id for row in rows.values()})
    hidden = [key for key, row in rows.items() if words and not _shows(row, words)]
    matched = await _matches(session, hidden, words) if hidden else {}
    return tuple(
        view_of(
            FoundUser,
            row,
            account=of[row.account_id],
            user_id=row.id,
            matched=matched.get(row.id, ""),
            lights=tuple(lights[row.id]),
            orange=furthest(words_of.get(row.id, ())),
        )
        for row in (rows[key] for key in ids if key in rows)
    )


_WITH_LIGHTS = (
    select(
        UserRow.id,
        UserRow.account_id,
        UserRow.display_name,
        UserRow.upn,
        UserRow.username,
        UserRow.disabled,
        UserRow.locked,
        UserRow.in_bin,
        AssignmentRow.service_id,
        AssignmentRow.light,
        AssignmentRow.word,
    )
    .outerjoin(AssignmentRow, (AssignmentRow.user_id == UserRow.id) & is_shown())
    .where(UserRow.purged_at.is_(None))
    .order_by(UserRow.id, AssignmentRow.service_id, AssignmentRow.instance)
)


async def _matches(
    session: AsyncSession, ids: Sequence[str], words: Sequence[str]
) -> dict[str, str]:
    """Return of these users, whose names and UPNs do not show every word, what does."""
    aliases = await _aliases(session, ids)
    rows = await session.execute(
        select(
            UserRow.id, UserRow.display_name, UserRow.upn, UserRow.username, UserRow.details
        ).where(UserRow.id.in_(ids))
    )
    return {row.id: _matched(row, aliases.get(row.id, ()), words) for row in rows}


async def _aliases(session: AsyncSession, ids: Sequence[str]) -> Mapping[str, list[str]]:
    found: dict[str, list[str]] = {}
    if ids:
        for user_id, address in await session.execute(
            select(AddressRow.user_id, AddressRow.address)
            .where(AddressRow.user_id.in_(ids))
            .order_by(AddressRow.key)
        ):
            found.setdefault(str(user_id), []).append(address)
    return found


def _shows(row: Row[*tuple[Any, ...]], words: Iterable[str]) -> bool:
    """Tell whether name and UPN, which are shown anyway, have every word."""
    text = f"{fold(row.display_name)} {fold(row.upn)}"
    return all(word in text for word in words)


def _matched(row: Row[*tuple[Any, ...]], aliases: Iterable[str], words: Sequence[str]) -> str:
    """Return the first of username, aliases and phones in which a word stands that name and UPN do not have."""
    missing = [word for word in words if not _shows(row, [word])]
    for label, text, folded in _others(row, aliases):
        if any(word in folded for word in missing):
            return f"{label} {text}"
    return ""


def _others(row: Row[*tuple[Any, ...]], aliases: Iterable[str]) -> Iterator[tuple[str, str, str]]:
    yield "username", row.username, fold(row.username)
    for address in aliases:
        if address != row.upn:
            yield "alias", address, fold(address)
    for name, label in _PHONES.items():
        phone = str(row.details.get(name, ""))
        if phone:
            digits = digits_of(phone)
            # A number that is kept as dialled from abroad was found as dialled within the country, or the reverse.
            yield (
                label.lower().removesuffix(" phone"),
                phone,
                f"{digits} 0{digits[2:]} {digits.lstrip('0')}",
            )
    for name in ("first_names", "last_name"):
        text = str(row.details.get(name, ""))
        if text:
            yield "name", text, fold(text)


async def load_orders(
    session: AsyncSession, caller: Caller, numbers: Sequence[int]
) -> tuple[FoundOrder, ...]:
    """Return these orders, as far as the caller may see them."""
    rows = await session.scalars(select(OrderRow).where(OrderRow.id.in_(numbers)))
    seen = [row for row in rows if caller.may_see(row.account_id)]
    accounts = await load_accounts(session, {row.account_id for row in seen}) if seen else {}
    return tuple(
        view_of(
            FoundOrder,
            row,
            account=accounts[row.account_id],
            order_id=row.id,
            total=Money(row.total_minor, row.currency),
        )
        for row in seen
    )
