"""Storing the items of a bulk, thousands of them, in one statement: others wait for SQLite's lock while it runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from sqlalchemy import JSON, Insert, Table, bindparam, column, func, insert, literal, select
from sqlalchemy.dialects.postgresql import JSONB

from mission_control_tui.model.bulk_targets import Target
from mission_control_tui.model.bulk_views import ItemState
from mission_control_tui.model.tables import BulkItemRow


def store_items(bulk_id: int, chosen: Sequence[Target], *, is_sqlite: bool) -> Insert:
    """A statement that makes `chosen` the items of the bulk, in their order.

    They are one value, a document: binding each field of each item takes three times as long.
    """
    items = [
        [number, one.user_id, one.assignment_id, one.name, one.previous]
        for number, one in enumerate(chosen)
    ]
    json: type[JSON] = JSON if is_sqlite else JSONB
    unpacked = func.json_each if is_sqlite else func.jsonb_array_elements
    rows: Any = unpacked(bindparam("items", items, json)).table_valued(column("value", json))
    item = rows.c.value
    return insert(cast("Table", BulkItemRow.__table__)).from_select(
        ["bulk_id", "user_id", "assignment_id", "name", "previous", "state", "reason"],
        select(
            literal(bulk_id),
            *(item[place].as_string() for place in (1, 2, 3)),
            item[4],
            literal(str(ItemState.LEFT)),
            literal(""),
        ).order_by(item[0].as_integer()),
    )
