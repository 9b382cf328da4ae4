"""Tables of users, their addresses, what they are found by, and their sealed passwords."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, String, UniqueConstraint
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
        {"sqlite_with_rowid": False},
    )

    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), primary_key=True)
    in_bin: Mapped[bool] = mapped_column(primary_key=True)
    term: Mapped[str] = mapped_column(bytewise(320), primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id"), primary_key=True)
    sort_key: Mapped[str] = mapped_column(bytewise(256))


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
