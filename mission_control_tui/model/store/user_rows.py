"""Users as rows and as what an operator states: one way there, one way back, and what differs between two."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import fields
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from mission_control_tui.model.people.fields import FIELDS, UserDetails, Value
from mission_control_tui.model.states import SubjectKind
from mission_control_tui.model.store.tables.users import AddressRow, UserRow
from mission_control_tui.model.text.folding import fold
from mission_control_tui.model.views import UserView, view_of

SORT_KEY_LIMIT = 256
PURGED_SORT_KEY = "\U0010ffff"
"""The place of purged users: after all others, so that an index alone can leave them out of the recycling bin."""
COLUMNS = frozenset(
    {"upn", "display_name", "username", "test_user", "disabled", "expires_on", "manager"}
)
"""The fields that have columns; the others are kept together in `details`, those that are stated."""

SENT: dict[SubjectKind, frozenset[str]] = {
    SubjectKind.USER: frozenset({"upn", "display_name", "disabled"}),
    SubjectKind.DIRECTORY: frozenset(field.name for field in FIELDS) - {"notes", "test_user"},
}
"""The fields whose change a service has to be told, by what the service belongs to; the rest stays here."""

_DEFAULTS: dict[str, Value] = {field.name: field.default for field in fields(UserDetails)}  # type: ignore[misc]


def to_details(row: UserRow, manager: str = "") -> UserDetails:
    """Return what was stated about the user; `manager` is the UPN that the manager has now."""
    return UserDetails(
        upn=row.upn,
        display_name=row.display_name,
        username=row.username,
        test_user=row.test_user,
        disabled=row.disabled,
        expires_on=row.expires_on,
        manager=manager,
        **row.details,
    )


def to_columns(details: UserDetails) -> dict[str, Any]:
    """Return the columns that hold `details`, the manager's excepted."""
    return {
        "upn": details.upn,
        "display_name": details.display_name,
        "sort_key": sort_key(details.display_name),
        "username": details.username,
        "username_key": details.username.casefold(),
        "details": {name: value for name, value in stated(details).items() if name not in COLUMNS},
        "test_user": details.test_user,
        "disabled": details.disabled,
        "expires_on": details.expires_on,
    }


def sort_key(display_name: str) -> str:
    """Return a user's place in lists."""
    return fold(display_name)[:SORT_KEY_LIMIT]


def stated(details: UserDetails) -> dict[str, Any]:
    """Return the fields that say anything, as JSON values."""
    return {
        name: _json(value)
        for name, default in _DEFAULTS.items()
        if (value := getattr(details, name)) != default
    }


def difference(
    before: UserDetails, after: UserDetails, only: Collection[str] = _DEFAULTS
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the fields that differ, as JSON values before and after."""
    changed = [name for name in only if getattr(before, name) != getattr(after, name)]
    return (
        {name: _json(getattr(before, name)) for name in changed},
        {name: _json(getattr(after, name)) for name in changed},
    )


def _json(value: Value) -> Any:
    return value.isoformat() if isinstance(value, date) else value


async def manager_upn(session: AsyncSession, row: UserRow) -> str:
    """Return the UPN that the user's manager has now, or ""."""
    if row.manager_id is None:
        return ""
    found = await session.scalar(select(UserRow.upn).where(UserRow.id == row.manager_id))
    return str(found or "")


async def addresses_of(session: AsyncSession, user_id: str) -> list[AddressRow]:
    """Return all addresses of a user, UPN included, by their key."""
    rows = await session.scalars(
        select(AddressRow)
        .where(AddressRow.user_id == user_id)
        .order_by(AddressRow.key)
        .execution_options(populate_existing=True)
    )
    return list(rows)


async def to_view(session: AsyncSession, row: UserRow) -> UserView:
    """Return the user as the outside sees it."""
    addresses = await addresses_of(session, row.id)
    return view_of(
        UserView,
        row,
        details=to_details(row, await manager_upn(session, row)),
        password_waiting=row.secret_id is not None,
        unsettled=(),
        aliases=tuple(held.address for held in addresses if held.address != row.upn),
        primary_address=next((held.address for held in addresses if held.is_primary), row.upn),
    )
