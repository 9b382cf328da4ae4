"""What every store and command of a test would do anew, and which comes out the same, is done once a process."""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import cache
from typing import Any

import pytest
from sqlalchemy.dialects.postgresql.asyncpg import PGDialect_asyncpg
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.engine import Engine
from sqlalchemy.util import LRUCache

from mission_control_tui.model.catalogue.file import parse
from mission_control_tui.model.catalogue.types import Catalogue

MOST_STATEMENTS = 5000
"""Compiled statements that are kept."""


def share(patched: pytest.MonkeyPatch) -> None:
    """Compile each statement for each kind of database, and parse each catalogue, once."""
    compiled: LRUCache[Any, Any] = LRUCache(MOST_STATEMENTS)
    make = Engine.__init__

    def make_sharing(self: Engine, *given: Any, **named: Any) -> None:
        make(self, *given, **named)
        self._compiled_cache = compiled

    patched.setattr(Engine, "__init__", make_sharing)
    for dialect in (SQLiteDialect_pysqlite, PGDialect_asyncpg):
        # A statement is looked up by its dialect too, and each engine has one of its own.
        patched.setattr(dialect, "__eq__", lambda self, other: type(self) is type(other))
        patched.setattr(dialect, "__hash__", lambda self: hash(type(self)))
    patched.setattr(parse, "parse", _parsing_once(parse.parse))


def _parsing_once(parse_anew: Callable[..., Catalogue]) -> Callable[..., Catalogue]:
    kept = cache(parse_anew)

    def parse_once(
        text: str,
        source_name: str = "catalogue",
        *,
        connectors: Collection[str] | None = None,
        stated: Collection[str] = (),
    ) -> Catalogue:
        names = None if connectors is None else frozenset(connectors)
        return kept(text, source_name, connectors=names, stated=frozenset(stated))

    return parse_once
