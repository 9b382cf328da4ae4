"""The catalogue in force: a numbered version in the database that every screen and worker reads."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from dataclasses import dataclass, replace

from sqlalchemy import func, insert, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from mission_control_tui.model.catalogue import Catalogue, from_json, to_json
from mission_control_tui.model.catalogue.diff import CatalogueChange, ChangeKind, diff
from mission_control_tui.model.catalogue.refusals import refusals
from mission_control_tui.model.catalogue_use import ids_in_use, users_of
from mission_control_tui.model.context import Caller
from mission_control_tui.model.database import Store
from mission_control_tui.model.errors import Conflict, Denied, NotFound, Problem, StoreError
from mission_control_tui.model.plan import Outcome, Verb
from mission_control_tui.model.tables import CatalogueVersionRow
from mission_control_tui.model.transaction import Transaction

NAMED_USERS = 5
"""How many of the users that a change touches are named."""

_EMPTY = Catalogue(currency="", tax_name="", tax_basis_points=0)
_VERBS = {ChangeKind.ADDED: Verb.CREATED, ChangeKind.REMOVED: Verb.REMOVED}


@dataclass(frozen=True, slots=True)
class InForce:
    """A loaded catalogue and its version number.

    `problem` says why a newer version could not be read where this one is kept instead.
    """

    number: int
    catalogue: Catalogue
    problem: str = ""


@dataclass(frozen=True, slots=True)
class TouchedChange:
    """One change, how many users (or domains) have what it concerns, and the first few of them."""

    change: CatalogueChange
    users: int
    first: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """A catalogue beside the one in force. `number` is that one's, 0 where there is none.

    `refusals` say why it cannot be loaded; empty where it can.
    """

    number: int
    catalogue: Catalogue
    changes: tuple[TouchedChange, ...]
    refusals: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class Loaded:
    """What loading did: the version's number and its differences from the one before."""

    number: int
    changes: tuple[TouchedChange, ...]


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


async def current(store: Store, last_good: InForce | None = None) -> InForce:
    """The newest catalogue; `last_good` again, with its `problem` set, where the newest cannot be read.

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
    if not tx.store.is_sqlite:
        await tx.session.execute(text("LOCK TABLE catalogue_versions IN SHARE ROW EXCLUSIVE MODE"))
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


async def put_shipped_where_none(tx: Transaction) -> int:
    """The number of the catalogue in force; the shipped one becomes the first where there is none."""
    newest = await tx.session.scalar(select(func.max(CatalogueVersionRow.number)))
    if newest is not None:
        return int(newest)
    from mission_control_tui.model.catalogue.parse import parse
    from mission_control_tui.model.catalogue.shipped import SHIPPED_NAME, shipped

    return await put(tx, parse(shipped(), SHIPPED_NAME), SHIPPED_NAME)


async def compare(
    store: Store,
    caller: Caller,
    catalogue_text: str,
    source: str,
    *,
    connectors: Collection[str] | None = None,
) -> Comparison:
    """What loading this file would change and for whom, and why it may not be loaded. Writes nothing.

    `connectors` are the names that services may use, None to leave that unchecked. Raises InvalidInput with every
    error of the file, Denied to a caller who may not see all accounts.
    """
    new = _parsed(caller, catalogue_text, source, connectors)
    async with store.read() as session:
        return await _compare(session, new)


async def load(
    store: Store,
    caller: Caller,
    catalogue_text: str,
    source: str,
    *,
    connectors: Collection[str] | None = None,
    dry_run: bool = False,
) -> Outcome[Loaded]:
    """Put this file in force as the next version, for all accounts at once; an equal one changes nothing.

    Services whose connector changes go there and turn "Not checked": here, or when the next worker starts.
    Raises as `compare`, and Conflict with every id that is in use and would vanish or mean something else.
    """
    new = _parsed(caller, catalogue_text, source, connectors)
    async with store.write(caller, dry_run=dry_run) as tx:
        found = await _compare(tx.session, new)
        if found.refusals:
            raise Conflict(
                f"{source} cannot follow the catalogue in force.",
                hint="Nothing was changed. Withdraw what is in use; it may go when nobody has it.",
                problems=found.refusals,
            )
        number = await put(tx, new, source)
        for one in found.changes:
            change = one.change
            tx.record(
                _VERBS.get(change.kind, Verb.CHANGED),
                "catalogue",
                change.path,
                before={change.kind: change.before} if change.before else {},
                after={change.kind: change.after} if change.after else {},
            )
        if not found.changes:
            tx.record(Verb.UNCHANGED, "catalogue", source)
        elif store.is_sqlite:
            # With PostgreSQL the workers' settings have a say in it, which a worker reads when it starts.
            from mission_control_tui.model.connecting import switch_in

            await switch_in(tx, new)
    return Outcome(Loaded(number, found.changes), tx.plan, not dry_run)


def _parsed(
    caller: Caller, catalogue_text: str, source: str, connectors: Collection[str] | None
) -> Catalogue:
    from mission_control_tui.model.catalogue.parse import parse

    if caller.accounts is not None:
        raise Denied("The catalogue is for all accounts, and you may see only some.")
    return parse(catalogue_text, source, connectors=connectors)


async def _compare(session: AsyncSession, new: Catalogue) -> Comparison:
    try:
        now = await in_force(session)
    except NotFound:
        now = InForce(0, _EMPTY)
    in_use = await ids_in_use(session, now.catalogue)
    changes = tuple([await _touched(session, change) for change in diff(now.catalogue, new)])
    return Comparison(now.number, new, changes, refusals(now.catalogue, new, in_use))


async def _touched(session: AsyncSession, change: CatalogueChange) -> TouchedChange:
    count, first = await users_of(session, change.touches, NAMED_USERS)
    return TouchedChange(change, count, first)
