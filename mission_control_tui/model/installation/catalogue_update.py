"""Comparing a catalogue file with the version in force, and loading it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from mission_control_tui.model.caller import Caller
from mission_control_tui.model.catalogue.compatibility import refusals
from mission_control_tui.model.catalogue.diff import CatalogueChange, ChangeKind, diff
from mission_control_tui.model.catalogue.in_force import InForce, in_force, put
from mission_control_tui.model.catalogue.types import Catalogue
from mission_control_tui.model.errors import Conflict, Denied, NotFound, Problem
from mission_control_tui.model.installation.catalogue_usage import ids_in_use, users_of
from mission_control_tui.model.plan import Outcome, PlanVerb
from mission_control_tui.model.store.database import Store

NAMED_USERS = 5
"""How many of the users that a change touches are named."""

_EMPTY = Catalogue(currency="", tax_name="", tax_basis_points=0)
_VERBS = {ChangeKind.ADDED: PlanVerb.CREATED, ChangeKind.REMOVED: PlanVerb.REMOVED}


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
class CatalogueUpdate:
    """What loading did: the version's number and its differences from the one before."""

    number: int
    changes: tuple[TouchedChange, ...]


async def compare(
    store: Store,
    caller: Caller,
    catalogue_text: str,
    source: str,
    *,
    connectors: Collection[str] | None = None,
) -> Comparison:
    """Return what loading this file would change and for whom, and why it may not be loaded. Writes nothing.

    `connectors` are the names that services may use, None to leave that unchecked. Raises InvalidInput with every
    error of the file, Denied to a caller who may not see all accounts.
    """
    new = _parsed(store, caller, catalogue_text, source, connectors)
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
) -> Outcome[CatalogueUpdate]:
    """Put this file in force as the next version, for all accounts at once; an equal one changes nothing.

    Services whose connector changes go there and turn "Not checked": here, or when the next worker starts.
    Raises as `compare`, and Conflict with every id that is in use and would vanish or mean something else.
    """
    new = _parsed(store, caller, catalogue_text, source, connectors)
    async with store.write(caller, dry_run=dry_run) as tx:
        found = await _compare(tx.session, new)
        if found.refusals:
            raise Conflict(
                f"{source} cannot follow the catalogue in force.",
                hint="Nothing was changed. Withdraw what is in use; it may go when nobody has it.",
                problems=found.refusals,
            )
        number = await put(tx, new, source)
        for touched in found.changes:
            change = touched.change
            tx.record(
                _VERBS.get(change.kind, PlanVerb.CHANGED),
                "catalogue",
                change.path,
                before={change.kind: change.before} if change.before else {},
                after={change.kind: change.after} if change.after else {},
            )
        if not found.changes:
            tx.record(PlanVerb.UNCHANGED, "catalogue", source)
        elif store.is_sqlite:
            # With PostgreSQL the workers' settings have a say in it, which a worker reads when it starts.
            from mission_control_tui.model.installation.connector_switch import switch_in

            await switch_in(tx, new)
    return tx.outcome(CatalogueUpdate(number, found.changes))


def _parsed(
    store: Store,
    caller: Caller,
    catalogue_text: str,
    source: str,
    connectors: Collection[str] | None,
) -> Catalogue:
    from mission_control_tui.model.catalogue.file.parse import parse

    if caller.accounts is not None:
        raise Denied("The catalogue is for all accounts, and you may see only some.")
    return parse(
        catalogue_text,
        source,
        connectors=connectors,
        stated=store.connectors.keys() | store.placements.keys(),
    )


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
