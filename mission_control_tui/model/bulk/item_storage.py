"""Storing the items of a bulk, thousands of them, in one statement: others wait for SQLite's lock while it runs."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import Insert, String, Table, column, func, insert, literal, select
from sqlalchemy import cast as sql_cast

from mission_control_tui.model.bulk.targets import BulkTarget
from mission_control_tui.model.bulk.views import ItemState
from mission_control_tui.model.store.tables.base import Document
from mission_control_tui.model.store.tables.bulk import BulkItemRow

AT_ONCE = 1_000
"""Items that are packed before keys get their turn."""


@dataclass(frozen=True, slots=True)
class PackedItems:
    """The items of a bulk as one document, and how many they are."""

    total: int
    document: str


async def pack(chosen: Sequence[BulkTarget]) -> PackedItems:
    """Do everything about the items that can be done before the database is locked."""
    texts = []
    for start in range(0, len(chosen), AT_ONCE):
        part = enumerate(chosen[start : start + AT_ONCE], start)
        items = [
            [
                *(number, target.user_id, target.assignment_id, target.name, target.previous),
                target.domain_id,
            ]
            for number, target in part
        ]
        texts.append(json.dumps(items)[1:-1])
        await asyncio.sleep(0)
    return PackedItems(len(chosen), f"[{', '.join(texts)}]")


def storing(bulk_id: int, packed: PackedItems, *, is_sqlite: bool) -> Insert:
    """Return a statement that makes these the items of the bulk, in their order.

    Binding each field of each item would take three times as long.
    """
    document: Any = literal(packed.document, String)
    unpacked = (
        func.json_each(document)
        if is_sqlite
        else func.jsonb_array_elements(sql_cast(document, Document))
    )
    item: Any = unpacked.table_valued(column("value", Document)).c.value
    return insert(cast("Table", BulkItemRow.__table__)).from_select(
        ["bulk_id", "user_id", "assignment_id", "name", "previous", "domain_id", "state", "reason"],
        select(
            literal(bulk_id),
            *(item[place].as_string() for place in (1, 2, 3)),
            item[4],
            item[5].as_integer(),
            literal(str(ItemState.LEFT)),
            literal(""),
        ).order_by(item[0].as_integer()),
    )
