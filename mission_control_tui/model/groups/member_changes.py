"""Who comes and who goes in one change of an object's members."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence

from sqlalchemy import select

from mission_control_tui.model.catalogue.types import Catalogue, Role, Service
from mission_control_tui.model.errors import NotFound, Problem
from mission_control_tui.model.groups.members import MemberCandidate, add, candidate, refused
from mission_control_tui.model.store.tables.groups import MemberRow, ObjectRow
from mission_control_tui.model.store.transaction import Transaction
from mission_control_tui.model.text.clean import harmless

Who = Mapping[str, Sequence[str]]
"""Role (id or name) -> users and objects, each by id, address, username or name."""


class MemberChanges:
    """Who comes and who goes in one change of an object; judged first, written afterwards."""

    def __init__(
        self, tx: Transaction, catalogue: Catalogue, service: Service, row: ObjectRow
    ) -> None:
        self._tx, self._catalogue, self._service, self._row = tx, catalogue, service, row
        self._rows: list[MemberRow] = []
        self._dropped: list[MemberRow] = []
        self.problems: list[Problem] = []
        self.new: list[tuple[str, str]] = []
        self.gone: list[tuple[str, str]] = []

    async def change(self, adding: Who, removing: Who) -> None:
        """Judge both; a problem for each that cannot be."""
        present = {
            (row.role, row.subject_id): row
            for row in await self._tx.session.scalars(
                select(MemberRow).where(MemberRow.object_id == self._row.id)
            )
        }
        for role_key, keys in removing.items():
            role = self._service.role(role_key)
            async for found in self._meant(keys, role):
                member = present.pop((role.id, found.id), None)
                if member is None:
                    what = f"{harmless(found.name)} is no {role.name} of it"
                    self.problems.append(Problem(role.id, what, "leave it out"))
                else:
                    self._dropped.append(member)
                    self.gone.append((role.id, found.address))
        for role_key, keys in adding.items():
            role = self._service.role(role_key)
            async for found in self._meant(keys, role):
                if (role.id, found.id) in present:
                    continue
                problem = await refused(
                    self._tx, self._catalogue, self._service, self._row, role, found
                )
                if problem is not None:
                    self.problems.append(problem)
                    continue
                member = add(self._row, role.id, found)
                present[role.id, found.id] = member
                self._rows.append(member)
                self.new.append((role.id, found.address))
            count = sum(held == role.id for held, _ in present)
            if role.maximum is not None and count > role.maximum:
                what = f"there would be {count}"
                self.problems.append(Problem(role.id, what, f"at most {role.maximum}"))

    async def _meant(self, keys: Sequence[str], role: Role) -> AsyncIterator[MemberCandidate]:
        """Yield who is meant, and note a problem for each key that means nobody."""
        for key in keys:
            found = await candidate(self._tx.session, self._row.account_id, key, role.id)
            if isinstance(found, Problem):
                self.problems.append(found)
            else:
                yield found

    async def write(self) -> None:
        """Put it into the database; the object is there by now."""
        for member in self._dropped:
            await self._tx.session.delete(member)
        await self._tx.session.flush()
        self._tx.session.add_all(self._rows)
        await self._tx.session.flush()


async def drop_unfit(
    tx: Transaction, catalogue: Catalogue, service: Service, row: ObjectRow
) -> None:
    """Let go of members of a removed object who can no longer be some, saying who."""
    rows = (await tx.session.scalars(select(MemberRow).where(MemberRow.object_id == row.id))).all()
    for member in rows:
        try:
            role = service.role(member.role)
        except NotFound:
            await tx.session.delete(member)
            continue
        found = await candidate(tx.session, row.account_id, member.subject_id, role.id)
        why = (
            found
            if isinstance(found, Problem)
            else await refused(tx, catalogue, service, row, role, found)
        )
        if why is not None:
            await tx.session.delete(member)
            tx.warn(f"{role.name} left out: {why.what}.")
    await tx.session.flush()
