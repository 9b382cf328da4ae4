"""The tables of the mail database and its views, which Dovecot and Postfix read.

Both databases have the same columns and views; flags are 0 and 1, moments are seconds since 1970.
"""

from __future__ import annotations

from importlib.resources import files

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    literal_column,
    text,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Dialect
from sqlalchemy.schema import CreateIndex, CreateTable

VERSION = 1
SQLITE, POSTGRESQL = "sqlite", "postgresql"

metadata = MetaData()


def _text(name: str, default: str = "") -> Column[str]:
    return Column(name, Text, nullable=False, server_default=default)


def _number(name: str, default: int) -> Column[int]:
    return Column(name, Integer, nullable=False, server_default=text(str(default)))


versions = Table("mail_version", metadata, Column("version", Integer, primary_key=True))

objects = Table(
    "mail_object",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    _text("kind", "mailbox"),
    Column("login", Text, unique=True),
    Column("password", Text),
    _text("display_name"),
    _text("level"),
    _text("protocols"),
    Column("pop", Integer),
    Column("imap", Integer),
    Column("web", Integer),
    Column("quota_mb", Integer),
    _number("active", 1),
    _number("receives", 1),
    _text("forward_to"),
    Column("keep_copy", Integer),
    Column("home", Text, unique=True),
    Column("installation", Text),
    Column("key", Text),
    _number("epoch", 1),
    _number("generation", 0),
    _number("attempt", 0),
    _number("secret_generation", 0),
    _text("secret_id"),
    CheckConstraint("kind IN ('mailbox', 'shared', 'group')", name="mail_object_kind"),
    Index("mail_object_mark", "installation", "name"),
)

addresses = Table(
    "mail_address",
    metadata,
    Column("address", Text, primary_key=True),
    Column("domain", Text, nullable=False),
    Column("object_id", ForeignKey(objects.c.id, ondelete="CASCADE"), nullable=False, index=True),
    _number("is_primary", 0),
    CheckConstraint("address = lower(address)", name="mail_address_lower"),
)
Index("mail_address_domain", addresses.c.domain)

roles = Table(
    "mail_role",
    metadata,
    Column("object_id", ForeignKey(objects.c.id, ondelete="CASCADE"), primary_key=True),
    Column("role", Text, primary_key=True),
    Column("address", Text, primary_key=True),
    Index("mail_role_address", "address"),
)

usage = Table(
    "mail_usage",
    metadata,
    Column("name", Text, primary_key=True),
    Column("bytes", BigInteger, nullable=False, server_default=text("0")),
    Column("messages", BigInteger, nullable=False, server_default=text("0")),
    Column("measured_at", BigInteger),
)

removed = Table(
    "mail_removed",
    metadata,
    Column("installation", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("home", Text),
    _number("epoch", 1),
    _number("generation", 0),
    _number("attempt", 0),
    Column("removed_at", BigInteger, nullable=False),
    Column("keep_until", BigInteger, nullable=False),
)

WRITTEN = (objects, addresses, roles, usage, removed)
"""What the connector writes; of the others it only reads."""

VIEWS = (
    *("mail_login", "mail_delegate", "mail_home", "mail_mailbox", "mail_route", "mail_domain"),
    "mail_sender",
)
"""What Dovecot and Postfix read: `examples/views.sql`."""


def schema(database: str) -> str:
    """Return the SQL that makes the tables, views and triggers, for "sqlite" or "postgresql"."""
    dialect: Dialect = {SQLITE: sqlite, POSTGRESQL: postgresql}[database].dialect()
    made = [str(CreateTable(table).compile(dialect=dialect)) for table in metadata.sorted_tables]
    made += [
        str(CreateIndex(index).compile(dialect=dialect))
        for table in metadata.sorted_tables
        for index in sorted(table.indexes, key=lambda index: str(index.name))
    ]
    examples = files(__package__) / "examples"
    return "\n".join(
        [
            *(["PRAGMA journal_mode = WAL;"] if database == SQLITE else []),
            *(f"{statement.strip()};" for statement in made),
            (examples / "views.sql").read_text(),
            (examples / f"{database}.sql").read_text(),
            f"{versions.insert().values(version=literal_column(str(VERSION)))};\n",
        ]
    )
