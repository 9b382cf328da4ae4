"""The catalogue in force: a numbered version in the database that every screen and worker reads."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace

from sqlalchemy import Row, insert, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from mission_control_tui.model.catalogue.codec import from_json, to_json
from mission_control_tui.model.catalogue.types import Catalogue
from mission_control_tui.model.errors import NotFound, StoreError
from mission_control_tui.model.store.database import Store
from mission_control_tui.model.store.tables.installation import CatalogueVersionRow
from mission_control_tui.model.store.transaction import Transaction


@dataclass(frozen=True, slots=True)
class InForce:
    """A loaded catalogue and its version number.

    `problem` says why a newer version could not be read where this one is kept instead.
    """

    number: int
    catalogue: Catalogue
    problem: str = ""


_known: dict[str, Catalogue] = {}
_NEWEST = (
    select(CatalogueVersionRow.number, CatalogueVersionRow.digest)
    .order_by(CatalogueVersionRow.number.desc())
    .limit(1)
)

NEWEST_DIGEST = _NEWEST.with_only_columns(CatalogueVersionRow.digest).scalar_subquery()
"""The digest of the catalogue in force, within another statement."""


async def _head(session: AsyncSession) -> Row[int, str] | None:
    """Return number and digest of the newest version."""
    return (await session.execute(_NEWEST)).one_or_none()


async def in_force(session: AsyncSession) -> InForce:
    """Return the newest catalogue. Raises NotFound where none was ever loaded."""
    head = await _head(session)
    if head is None:
        raise NotFound(
            "This database has no catalogue yet.", hint="Run `mission-control init` first."
        )
    return InForce(head.number, await of_digest(session, head.digest))


async def of_digest(session: AsyncSession, digest: str) -> Catalogue:
    """Return the catalogue of this digest, which was found in this database."""
    if digest not in _known:
        document = await session.scalar(
            select(CatalogueVersionRow.document)
            .where(CatalogueVersionRow.digest == digest)
            .order_by(CatalogueVersionRow.number.desc())
            .limit(1)
        )
        _known[digest] = from_json(str(document))
    return _known[digest]


async def current(store: Store, last_good: InForce | None = None) -> InForce:
    """Return the newest catalogue; `last_good` again, with its `problem` set, where the newest cannot be read.

    A newer program may load a version that this one does not understand: a running console goes on and says so.
    """
    try:
        async with store.read() as session:
            return await in_force(session)
    except StoreError as error:
        if last_good is None:
            raise
        return replace(last_good, problem=f"{error.what} {error.hint}".strip())


async def put(tx: Transaction, catalogue: Catalogue, source: str) -> int:
    """Store `catalogue` as the next version and return its number; the same one again keeps its number."""
    if not tx.is_sqlite:
        await tx.session.execute(text("LOCK TABLE catalogue_versions IN SHARE ROW EXCLUSIVE MODE"))
    document = to_json(catalogue)
    digest = hashlib.sha256(document.encode()).hexdigest()
    head = await _head(tx.session)
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


async def put_shipped_where_none(tx: Transaction) -> int:
    """Return the number of the catalogue in force; the shipped one becomes the first where there is none."""
    head = await _head(tx.session)
    if head is not None:
        return int(head.number)
    from mission_control_tui.model.catalogue.file.parse import parse
    from mission_control_tui.model.catalogue.file.shipped import SHIPPED_NAME, shipped

    return await put(tx, parse(shipped(), SHIPPED_NAME), SHIPPED_NAME)
