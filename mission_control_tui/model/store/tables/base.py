"""What all tables share: naming convention, column types, the metadata."""

from datetime import UTC, datetime
from typing import Annotated, Any

from sqlalchemy import JSON, DateTime, MetaData, String, TypeDecorator
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import DeclarativeBase, mapped_column
from sqlalchemy.types import TypeEngine

from mission_control_tui.model.store.tables import documents

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class UtcDateTime(TypeDecorator[datetime]):
    """A point in time, always UTC and always aware on the Python side."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Words(TypeDecorator[str]):
    """A text that the program makes for people, of names that may be long: what does not fit is cut."""

    impl = String
    cache_ok = True

    def __init__(self, length: int) -> None:
        super().__init__(length)
        self.length = length

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        if value is None or len(value) <= self.length:
            return value
        return f"{value[: self.length - 3]}..."


class Document(TypeDecorator[Any]):
    """JSON: text in SQLite, JSONB in PostgreSQL, whose dialect is imported only where it is spoken."""

    impl = JSON
    cache_ok = True
    hashable = False
    should_evaluate_none = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name != "postgresql":
            return super().load_dialect_impl(dialect)
        from sqlalchemy.dialects.postgresql import JSONB

        return dialect.type_descriptor(JSONB())

    def coerce_compared_value(self, op: Any, value: Any) -> TypeEngine[Any]:
        # An index into a document is text or a number, not a document.
        return self.impl_instance.coerce_compared_value(op, value)


_DOCUMENTS: tuple[Any, ...] = (
    *(dict[str, Any], dict[str, object], list[Any], documents.StoredPlace),
    *(documents.StoredParams, documents.StoredBulkParams, documents.StoredItem),
)


class Base(DeclarativeBase):
    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map = {  # noqa: RUF012 (SQLAlchemy's own protocol)
        **dict.fromkeys(_DOCUMENTS, Document()),
        datetime: UtcDateTime(),
    }


def bytewise(length: int) -> String:
    """Return text ordered by code point on both databases, so that a prefix is a range that an index can serve."""
    return String(length).with_variant(String(length, collation="C"), "postgresql")


Key = Annotated[str, mapped_column(bytewise(320))]
Ident = Annotated[str, mapped_column(String(32))]
Slug = Annotated[str, mapped_column(String(64))]
