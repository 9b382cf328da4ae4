"""What a back end is told about an object: its name, its address, and its members by their addresses."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from mission_control_tui.model.states import SubjectKind
from mission_control_tui.model.store.group_rows import members_of
from mission_control_tui.model.store.tables.accounts import AccountRow, DomainRow
from mission_control_tui.model.store.tables.groups import ObjectRow
from mission_control_tui.model.store.tables.services import AssignmentRow
from mission_control_tui.model.store.tables.users import UserRow
from mission_control_tui.model.store.user_rows import (
    SENT,
    addresses_of,
    manager_upn,
    stated,
    to_details,
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
    session: AsyncSession, row: AssignmentRow, user: UserRow | None
) -> dict[str, object]:
    """Return facts about the subject; a user's directory account is told nearly all that was stated about the user."""
    account = await session.get(AccountRow, row.account_id)
    attributes: dict[str, object] = {"account": account.code if account else ""}
    if row.object_id is not None:
        attributes.update(await facts_of(session, row.object_id))
    if row.domain_id is not None:
        domain = await session.get(DomainRow, row.domain_id)
        attributes["domain"] = domain.name if domain else ""
    if user is None:
        return attributes
    addresses = await addresses_of(session, user.id)
    attributes.update(
        upn=user.upn,
        display_name=user.display_name,
        username=user.username,
        domain=user.upn.rpartition("@")[2],
        addresses=[held.address for held in addresses],
        primary_address=next((held.address for held in addresses if held.is_primary), user.upn),
    )
    if row.subject_kind == SubjectKind.DIRECTORY:
        told = stated(to_details(user, await manager_upn(session, user)))
        wanted = SENT[SubjectKind.DIRECTORY] - {"disabled"}
        attributes.update({name: value for name, value in told.items() if name in wanted})
    return attributes
