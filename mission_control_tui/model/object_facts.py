"""What a back end is told about an object: its name, its address, and its members by their addresses."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from mission_control_tui.model.tables import AddressRow, MemberRow, ObjectRow, UserRow

MEMBERS = "members."
"""Before a role's id in the attributes: `members.owner` are the addresses of the owners, sorted."""

_Other = aliased(ObjectRow, name="other")


async def facts_of(session: AsyncSession, object_id: str) -> dict[str, object]:
    """The attributes of an object: display_name, primary_address, domain, and `members.ROLE` for each role in use."""
    row = await session.get(ObjectRow, object_id)
    if row is None:
        return {}
    facts: dict[str, object] = {
        "display_name": row.name,
        "primary_address": row.address,
        "domain": row.address.rpartition("@")[2],
    }
    address = func.coalesce(AddressRow.address, UserRow.upn, _Other.address)
    found = await session.execute(
        select(MemberRow.role, address)
        .outerjoin(UserRow, UserRow.id == MemberRow.user_id)
        .outerjoin(AddressRow, (AddressRow.user_id == MemberRow.user_id) & AddressRow.is_primary)
        .outerjoin(_Other, _Other.id == MemberRow.member_id)
        .where(MemberRow.object_id == object_id)
    )
    roles: dict[str, list[str]] = {}
    for role, one in found:
        roles.setdefault(role, []).append(one)
    for role in sorted(roles):
        facts[MEMBERS + role] = sorted(roles[role], key=lambda one: (one.casefold(), one))
    return facts
