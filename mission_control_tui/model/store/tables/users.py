"""Tables of users, their addresses, what they are found by, and their sealed passwords."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    CheckConstraint,
    Connection,
    ForeignKey,
    Index,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
    event,
)
from sqlalchemy.orm import Mapped, mapped_column

from mission_control_tui.model.store.tables.base import Base, Ident, Key, bytewise


class UserRow(Base):
    """A person of an account. The id is immutable: back ends are marked with what hangs on it."""

    __tablename__ = "users"
    __table_args__ = (
        UniqueConstraint("account_id", "username_key"),
        Index("ix_users_listing", "account_id", "in_bin", "sort_key", "id", "disabled"),
        Index("ix_users_everywhere", "sort_key", "in_bin", "account_id", "id"),
        Index("ix_users_username", "username_key"),
    )

    id: Mapped[Ident] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    upn: Mapped[str] = mapped_column(String(320))
    display_name: Mapped[str] = mapped_column(String(256))
    sort_key: Mapped[str] = mapped_column(bytewise(256))
    username: Mapped[str] = mapped_column(String(20))
    username_key: Mapped[str] = mapped_column(bytewise(20))
    details: Mapped[dict[str, Any]]
    manager_id: Mapped[str | None] = mapped_column(ForeignKey("users.id"), index=True)
    test_user: Mapped[bool]
    disabled: Mapped[bool]
    locked: Mapped[bool]
    expires_on: Mapped[date | None]
    in_bin: Mapped[bool] = mapped_column(default=False)
    deleted_at: Mapped[datetime | None]
    purged_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    secret_id: Mapped[int | None] = mapped_column(ForeignKey("secrets.id"))
    version: Mapped[int] = mapped_column(default=1)


class AddressRow(Base):
    """A UPN, an alias, a former UPN or an object's address: one unique key over the whole installation."""

    __tablename__ = "addresses"
    __table_args__ = (
        CheckConstraint("(user_id IS NULL) <> (object_id IS NULL)", name="one_owner"),
        Index("ix_addresses_account", "account_id", "user_id", "key"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    user_id: Mapped[str | None] = mapped_column(ForeignKey("users.id"), index=True)
    object_id: Mapped[str | None] = mapped_column(ForeignKey("objects.id"), index=True)
    address: Mapped[str] = mapped_column(String(320))
    key: Mapped[Key] = mapped_column(unique=True)
    kind: Mapped[str] = mapped_column(String(16))
    is_primary: Mapped[bool]


class SearchTermRow(Base):
    """A folded word that a user is found by; a prefix of it is a range of the primary key.

    It carries the user's place in lists, so that what is found is put in order without reading the users. Over all
    accounts a prefix is one range of an index of its own: a range for each account would be thousands.
    """

    __tablename__ = "search_terms"
    __table_args__ = (
        Index("ix_search_terms_user", "user_id", "term"),
        Index("ix_search_terms_everywhere", "in_bin", "term", "user_id"),
    )

    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), primary_key=True)
    in_bin: Mapped[bool] = mapped_column(primary_key=True)
    term: Mapped[str] = mapped_column(bytewise(320), primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id"), primary_key=True)
    sort_key: Mapped[str] = mapped_column(bytewise(256))


class SearchTextRow(Base):
    """A user's terms in one row, each behind a line feed, for what stands in the middle of one.

    `phones` has the terms that are digits, also others than phones, `names` the rest. SQLite has an index of three
    letters in a row over them, which its triggers keep; PostgreSQL reads the table, which is as narrow as can be.
    """

    __tablename__ = "search_texts"

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id"), unique=True)
    names: Mapped[str] = mapped_column(Text().with_variant(Text(collation="C"), "postgresql"))
    phones: Mapped[str] = mapped_column(Text().with_variant(Text(collation="C"), "postgresql"))


THREE_LETTERS = (
    """
    CREATE VIRTUAL TABLE search_inside USING fts5(
        names, phones, content = 'search_texts', content_rowid = 'id',
        tokenize = 'trigram case_sensitive 1', detail = none, columnsize = 0
    )
    """,
    """
    CREATE TRIGGER search_texts_insert AFTER INSERT ON search_texts
    BEGIN INSERT INTO search_inside (rowid, names, phones) VALUES (NEW.id, NEW.names, NEW.phones); END
    """,
    """
    CREATE TRIGGER search_texts_delete AFTER DELETE ON search_texts
    BEGIN
        INSERT INTO search_inside (search_inside, rowid, names, phones)
        VALUES ('delete', OLD.id, OLD.names, OLD.phones);
    END
    """,
    """
    CREATE TRIGGER search_texts_update AFTER UPDATE ON search_texts
    BEGIN
        INSERT INTO search_inside (search_inside, rowid, names, phones)
        VALUES ('delete', OLD.id, OLD.names, OLD.phones);
        INSERT INTO search_inside (rowid, names, phones) VALUES (NEW.id, NEW.names, NEW.phones);
    END
    """,
)
"""SQLite's index of `search_texts`, and what keeps it in step with them, whoever writes."""


@event.listens_for(SearchTextRow.__table__, "after_create")
def _index_letters(_table: Table, connection: Connection, **_how: Any) -> None:
    if connection.dialect.name == "sqlite":
        for statement in THREE_LETTERS:
            connection.exec_driver_sql(statement)


class SecretRow(Base):
    """A password sealed for the worker, wiped when the back ends have it.

    `mark` is random: back ends keep it to tell this password from every other, also from one of the same number.
    """

    __tablename__ = "secrets"

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    mark: Mapped[Ident]
    created_at: Mapped[datetime]
    wiped_at: Mapped[datetime | None]
