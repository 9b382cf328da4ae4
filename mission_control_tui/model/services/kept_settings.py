"""Which settings a service's connector keeps, as it declared when it was opened last; of others nothing is known."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import cast

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from mission_control_tui.model.catalogue.types import Service
from mission_control_tui.model.services.domain_terms import AUTO_RENEW
from mission_control_tui.model.states import Wish
from mission_control_tui.model.store.database import Store
from mission_control_tui.model.store.scope import AccountScope
from mission_control_tui.model.store.tables.documents import StoredDeclaration
from mission_control_tui.model.store.tables.workers import ConnectorDeclarationRow
from mission_control_tui.model.store.transaction import Transaction
from mission_control_tui.model.store.worker_transaction import worker_transaction
from mission_control_tui.model.views import AssignmentView

OUR_OWN = frozenset({AUTO_RENEW})
"""Options that Mission Control keeps itself: no back end is asked to."""

KeptOptions = Mapping[str, frozenset[str]]
"""Connector -> the options that it keeps; those that keep any or that nothing is known of are not there."""


async def keep_declaration(
    store: Store, connector: str, options: Collection[str] | None, *, password: bool = True
) -> None:
    """Store which options a connector keeps (None: any), and whether it sets passwords, where that is news."""
    declared: StoredDeclaration = {
        "options": None if options is None else sorted(options),
        "password": password,
    }
    async with store.read() as session:
        known = await session.scalar(
            select(ConnectorDeclarationRow.declared).where(
                ConnectorDeclarationRow.name == connector
            )
        )
    if known != declared:
        await _put(store, connector, declared)


@worker_transaction
async def _put(tx: Transaction, connector: str, declared: StoredDeclaration) -> None:
    row = await tx.session.get(ConnectorDeclarationRow, connector, with_for_update=True)
    if row is None:
        row = ConnectorDeclarationRow(name=connector)
        tx.session.add(row)
    row.declared, row.declared_at = dict(declared), tx.now


async def kept_options(scope: AccountScope, connectors: Collection[str]) -> KeptOptions:
    """Return which options these connectors keep."""
    async with scope.read() as (session, _account_id):
        return await _kept(session, connectors)


async def with_not_kept(store: Store, views: Sequence[AssignmentView]) -> list[AssignmentView]:
    """Return the views with those of their settings that their connectors do not keep."""
    async with store.read() as session:
        kept = await _kept(session, {view.connector for view in views})
    told = []
    for view in views:
        stated = [name for name, value in view.settings.items() if value not in (None, "", [])]
        lost = not_kept(stated, kept.get(view.connector)) if view.wish is not Wish.ABSENT else []
        told.append(replace(view, not_kept=tuple(lost)))
    return told


async def _declared(
    session: AsyncSession, connectors: Collection[str]
) -> dict[str, StoredDeclaration]:
    rows = await session.execute(
        select(ConnectorDeclarationRow.name, ConnectorDeclarationRow.declared).where(
            ConnectorDeclarationRow.name.in_(connectors)
        )
    )
    return {name: cast(StoredDeclaration, declared) for name, declared in rows}


async def _kept(session: AsyncSession, connectors: Collection[str]) -> KeptOptions:
    declared = await _declared(session, connectors)
    return {
        name: frozenset(options)
        for name, stored in declared.items()
        if (options := stored["options"]) is not None
    }


async def without_password(session: AsyncSession, connectors: Collection[str]) -> frozenset[str]:
    """Return those of the connectors that are known to set no password."""
    declared = await _declared(session, connectors)
    return frozenset(name for name, stored in declared.items() if not stored.get("password", True))


def not_kept(options: Collection[str], kept: frozenset[str] | None) -> list[str]:
    """Return which of the options are not among those `kept` (None: all are), in their order."""
    return [] if kept is None else [one for one in options if one not in kept | OUR_OWN]


async def warn_of_not_kept(
    tx: Transaction, service: Service, connector: str, options: Collection[str]
) -> None:
    """Say in the plan which of a service's options its connector does not keep; without options nothing is read."""
    if not options:
        return
    kept = (await _kept(tx.session, {connector})).get(connector)
    if lost := not_kept(options, kept):
        words = f"{service.name}: not kept by connector {connector}: {', '.join(lost)}"
        tx.warn(words)
        tx.not_kept.append(words)
