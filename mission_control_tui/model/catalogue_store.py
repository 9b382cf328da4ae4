"""The catalogue in force: a numbered version in the database that every screen and worker reads."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from sqlalchemy import func, insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from mission_control_tui.model.catalogue import Catalogue, from_json, to_json
from mission_control_tui.model.errors import NotFound
from mission_control_tui.model.tables import CatalogueVersionRow
from mission_control_tui.model.transaction import Transaction


@dataclass(frozen=True, slots=True)
class InForce:
    """A loaded catalogue and its version number."""

    number: int
    catalogue: Catalogue


_known: dict[str, Catalogue] = {}


async def in_force(session: AsyncSession) -> InForce:
    """The newest catalogue. Raises NotFound where none was ever loaded."""
    newest = select(func.max(CatalogueVersionRow.number)).scalar_subquery()
    head = (
        await session.execute(
            select(CatalogueVersionRow.number, CatalogueVersionRow.digest).where(
                CatalogueVersionRow.number == newest
            )
        )
    ).one_or_none()
    if head is None:
        raise NotFound(
            "This database has no catalogue yet.", hint="Run `mission-control init` first."
        )
    if head.digest not in _known:
        document = await session.scalar(
            select(CatalogueVersionRow.document).where(CatalogueVersionRow.number == head.number)
        )
        _known[head.digest] = from_json(str(document))
    return InForce(head.number, _known[head.digest])


async def put(tx: Transaction, catalogue: Catalogue, source: str) -> int:
    """Store `catalogue` as the next version and return its number; the same one again keeps its number."""
    document = to_json(catalogue)
    digest = hashlib.sha256(document.encode()).hexdigest()
    head = (
        await tx.session.execute(
            select(CatalogueVersionRow.number, CatalogueVersionRow.digest)
            .order_by(CatalogueVersionRow.number.desc())
            .limit(1)
        )
    ).one_or_none()
    if head is not None and head.digest == digest:
        return int(head.number)
    number = 1 if head is None else head.number + 1
    await tx.session.execute(
        insert(CatalogueVersionRow).values(
            number=number,
            digest=digest,
            document=document,
            source=source,
            loaded_at=tx.now,
            operator=tx.caller.operator,
        )
    )
    return number
