"""The condition that a column is one of many values: one statement for any number of them, prepared once.

SQLAlchemy's own `IN` is another statement for each number of values, which every connection prepares and keeps.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any

from sqlalchemy import ARRAY, Boolean, Dialect, String, Text, TypeDecorator, bindparam
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import QueryableAttribute
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeEngine


class _Values(TypeDecorator[Collection[Any]]):
    """Several values of one type as one parameter: an array, or JSON where there are none."""

    impl = Text
    cache_ok = True

    def __init__(self, of: TypeEngine[Any]) -> None:
        super().__init__()
        self.of = String() if isinstance(of, String) else of

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(Text() if dialect.name == "sqlite" else ARRAY(self.of))

    def process_bind_param(self, value: Collection[Any] | None, dialect: Dialect) -> Any:
        values = list(value or ())
        return json.dumps(values) if dialect.name == "sqlite" else values


class _AnyOf(FunctionElement[bool]):
    inherit_cache = True
    type = Boolean()


@compiles(_AnyOf)
def _array(element: _AnyOf, compiler: SQLCompiler, **named: Any) -> str:
    column, values = (compiler.process(part, **named) for part in element.clauses)
    return f"{column} = ANY ({values})"


@compiles(_AnyOf, "sqlite")
def _json(element: _AnyOf, compiler: SQLCompiler, **named: Any) -> str:
    column, values = (compiler.process(part, **named) for part in element.clauses)
    return f"{column} IN (SELECT value FROM json_each({values}))"  # noqa: S608 - both are compiled


def any_of(column: ColumnElement[Any] | QueryableAttribute[Any], name: str) -> ColumnElement[bool]:
    """Return the condition that `column`, of numbers or texts, is one of the values of the parameter `name`."""
    expression: ColumnElement[Any] = column.expression
    return _AnyOf(expression, bindparam(name, type_=_Values(expression.type)))
