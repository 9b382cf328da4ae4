"""Objects as rows: finding one by what a person would type, and when its address is free again."""

from __future__ import annotations

from sqlalchemy import Select, delete, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from mission_control_tui.model.errors import NotFound, UsageError
from mission_control_tui.model.people.address_syntax import lookup_key
from mission_control_tui.model.store.tables.groups import MemberRow, ObjectRow
from mission_control_tui.model.store.tables.users import AddressRow, UserRow
from mission_control_tui.model.text.clean import harmless
from mission_control_tui.model.text.folding import fold

SORT_KEY_LIMIT = 256
NAMED = 5


async def object_row(
    session: AsyncSession, account_id: int, key: str, *, lock: bool = False, removed: bool = False
) -> ObjectRow:
    """Return the account's object with this id, address or name. Raises NotFound, UsageError (several).

    `removed` also finds one that was removed, where no other is called so.
    """
    rows = await objects_called(session, account_id, key, lock=lock)
    present = [row for row in rows if row.removed_at is None]
    if removed and not present:
        present = rows
    shown = harmless(key)
    if len(present) > 1:
        names = ", ".join(f"{row.name} ({row.address})" for row in present[:NAMED])
        raise UsageError(
            f"{shown!r} means more than one: {names}.", hint="Give the address, or the id."
        )
    if present:
        return present[0]
    if rows:
        raise NotFound(
            f"{rows[0].name} was removed.",
            hint=f"Bring it back with `mission-control objects restore {rows[0].id}`.",
        )
    raise NotFound(
        f"This account has no group, contact or shared mailbox {shown!r}.",
        hint="`mission-control objects list` finds by part of a name.",
    )


async def objects_called(
    session: AsyncSession, account_id: int, key: str, *, lock: bool = False
) -> list[ObjectRow]:
    """Return the account's objects with this id, address or name, removed ones included, the newest first."""
    typed = key.strip()
    address = lookup_key(typed)
    own = select(AddressRow.object_id).where(
        AddressRow.key == address, AddressRow.object_id.is_not(None)
    )
    statement = (
        select(ObjectRow)
        .where(
            ObjectRow.account_id == account_id,
            or_(
                ObjectRow.id == typed,
                ObjectRow.sort_key == sort_key(typed),
                func.lower(ObjectRow.address) == address,
                ObjectRow.id.in_(own),
            ),
        )
        .order_by(ObjectRow.created_at.desc(), ObjectRow.id)
        .execution_options(populate_existing=True)
    )
    return list(await session.scalars(statement.with_for_update() if lock else statement))


def members_of(object_id: str) -> Select[str, str, str, str, str]:
    """Return the statement for an object's members: role, id, kind (of an object only), name, primary address."""
    other = aliased(ObjectRow, name="other")
    return (
        select(
            MemberRow.role,
            MemberRow.subject_id,
            other.service_id,
            func.coalesce(UserRow.display_name, other.name),
            func.coalesce(AddressRow.address, UserRow.upn, other.address),
        )
        .outerjoin(UserRow, UserRow.id == MemberRow.user_id)
        .outerjoin(AddressRow, (AddressRow.user_id == MemberRow.user_id) & AddressRow.is_primary)
        .outerjoin(other, other.id == MemberRow.member_id)
        .where(MemberRow.object_id == object_id)
    )


def sort_key(name: str) -> str:
    """Return an object's place in lists, and what it is compared and found by."""
    return fold(name)[:SORT_KEY_LIMIT]


async def free_address(session: AsyncSession, object_id: str) -> None:
    """Let go of the address of an object that was removed and is gone at its back end."""
    removed = select(ObjectRow.id).where(
        ObjectRow.id == object_id, ObjectRow.removed_at.is_not(None)
    )
    await session.execute(delete(AddressRow).where(AddressRow.object_id.in_(removed)))


async def keep_object(session: AsyncSession, object_id: str) -> None:
    """Let an object whose removal was cancelled be there as before."""
    await session.execute(
        update(ObjectRow)
        .where(ObjectRow.id == object_id, ObjectRow.removed_at.is_not(None))
        .values(removed_at=None, version=ObjectRow.version + 1)
        .execution_options(synchronize_session="fetch")
    )
