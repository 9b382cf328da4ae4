"""What a back end is told about an object: its name, its address, and its members by their addresses."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime, time, timedelta

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession

from mission_control_tui.model.dates import zone_of
from mission_control_tui.model.people.fields import FIELD_BY_NAME, FieldKind
from mission_control_tui.model.states import SubjectKind
from mission_control_tui.model.store.any_of import any_of
from mission_control_tui.model.store.engine import clock
from mission_control_tui.model.store.group_rows import members_of
from mission_control_tui.model.store.tables.accounts import AccountRow, DomainRow
from mission_control_tui.model.store.tables.groups import ObjectRow
from mission_control_tui.model.store.tables.services import AssignmentRow
from mission_control_tui.model.store.tables.users import AddressRow, UserRow
from mission_control_tui.model.store.user_rows import (
    SENT,
    stated,
    to_details,
)

_Address = tuple[str, bool]
"""An address, and whether it is the primary one."""
_TOLD = SENT[SubjectKind.DIRECTORY] - {"disabled", "expires_on"}
_EMPTY: dict[str, object] = {
    name: "" for name in _TOLD if FIELD_BY_NAME[name].kind is not FieldKind.FLAG
}
EXPIRES_AT = "expires_at"
"""The moment, in UTC, from which on the directory should let the user in no more; "" for never."""
_ACCOUNTS = select(AccountRow.id, AccountRow.code).where(any_of(AccountRow.id, "ids"))
_ZONES = select(AccountRow.id, AccountRow.time_zone).where(any_of(AccountRow.id, "ids"))
_DOMAINS = select(DomainRow.id, DomainRow.name).where(any_of(DomainRow.id, "ids"))
_ADDRESSES = (
    select(AddressRow.user_id, AddressRow.address, AddressRow.is_primary)
    .where(any_of(AddressRow.user_id, "ids"))
    .order_by(AddressRow.key)
)
MEMBERS = "members."
"""Before a role's id in the attributes: `members.owner` are the addresses of the owners, sorted."""


async def facts_of(session: AsyncSession, object_id: str) -> dict[str, object]:
    """Return an object's attributes: display_name, primary_address, domain, and `members.ROLE` for each role in use."""
    row = await session.get(ObjectRow, object_id)
    if row is None:
        return {}
    facts: dict[str, object] = {
        "display_name": row.name,
        "primary_address": row.address,
        "domain": row.address.rpartition("@")[2],
    }
    roles: dict[str, list[str]] = {}
    for role, _id, _kind, _name, address in await session.execute(members_of(object_id)):
        roles.setdefault(role, []).append(address)
    for role in sorted(roles):
        facts[MEMBERS + role] = sorted(roles[role], key=lambda mail: (mail.casefold(), mail))
    return facts


async def attributes_of(
    session: AsyncSession,
    rows: Collection[tuple[AssignmentRow, UserRow | None]],
    codes: Mapping[int, str] | None = None,
) -> dict[str, dict[str, object]]:
    """Return facts about the subject of each assignment, by the assignment's id. `codes` are those of the accounts.

    A user's directory account is told nearly all fields of the user, also those that are empty.
    """
    users = {user.id: user for _, user in rows if user is not None}
    directory = [
        user for row, user in rows if user is not None and row.subject_kind == SubjectKind.DIRECTORY
    ]
    addresses = await _addresses(session, users)
    managers = await _managers(session, directory)
    ends = await _ends(session, directory)
    accounts = (
        await _names(session, _ACCOUNTS, {row.account_id for row, _ in rows})
        if codes is None
        else codes
    )
    domains = await _names(session, _DOMAINS, {row.domain_id for row, _ in rows})
    found: dict[str, dict[str, object]] = {}
    for row, user in rows:
        attributes: dict[str, object] = {"account": accounts.get(row.account_id, "")}
        if row.object_id is not None:
            attributes.update(await facts_of(session, row.object_id))
        if row.domain_id is not None:
            attributes["domain"] = domains.get(row.domain_id, "")
        if user is not None:
            attributes.update(_of_user(user, addresses.get(user.id, [])))
            if row.subject_kind == SubjectKind.DIRECTORY:
                told = stated(to_details(user, managers.get(user.manager_id or "", "")))
                attributes.update(_EMPTY)
                attributes.update({name: value for name, value in told.items() if name in _TOLD})
                attributes[EXPIRES_AT] = ends.get(user.id, "")
        found[row.id] = attributes
    return found


def _of_user(user: UserRow, addresses: Sequence[_Address]) -> dict[str, object]:
    """Return what every service of a user is told."""
    return {
        "upn": user.upn,
        "display_name": user.display_name,
        "username": user.username,
        "domain": user.upn.rpartition("@")[2],
        "addresses": [address for address, _ in addresses],
        "primary_address": next((address for address, primary in addresses if primary), user.upn),
    }


async def _names(
    session: AsyncSession, statement: Select[int, str], ids: Collection[int | None]
) -> dict[int, str]:
    """Return what rows are called, by their numbers: the columns of `statement`."""
    wanted = [number for number in ids if number is not None]
    if not wanted:
        return {}
    return dict((await session.execute(statement, {"ids": wanted})).all())


async def _addresses(session: AsyncSession, user_ids: Collection[str]) -> dict[str, list[_Address]]:
    """Return all addresses of these users, UPN included, by their key."""
    found: dict[str, list[_Address]] = {}
    if not user_ids:
        return found
    for user_id, address, is_primary in await session.execute(_ADDRESSES, {"ids": list(user_ids)}):
        found.setdefault(str(user_id), []).append((address, is_primary))
    return found


async def _ends(session: AsyncSession, users: Collection[UserRow]) -> dict[str, str]:
    """Return when those of these users who have a last day are let in no more, as ISO time in UTC.

    Whoever was enabled again after it is let in, as an operator has decided.
    """
    limited = [user for user in users if user.expires_on is not None]
    if not limited:
        return {}
    zones = await _names(session, _ZONES, {user.account_id for user in limited})
    now = datetime.fromtimestamp(await clock(session), UTC)
    found: dict[str, str] = {}
    for user in limited:
        if user.expires_on is None:
            continue
        day = user.expires_on + timedelta(days=1)
        end = datetime.combine(day, time(), zone_of(zones[user.account_id]))
        if user.disabled or end > now:
            found[user.id] = end.astimezone(UTC).isoformat(timespec="seconds")
    return found


async def _managers(session: AsyncSession, users: Collection[UserRow]) -> dict[str, str]:
    """Return the UPNs that the managers of these users have now, by the managers' ids."""
    ids = {user.manager_id for user in users if user.manager_id is not None}
    if not ids:
        return {}
    rows = await session.execute(select(UserRow.id, UserRow.upn).where(UserRow.id.in_(ids)))
    return dict(rows.all())
