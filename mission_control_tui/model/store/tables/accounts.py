"""Tables of accounts, their domains and contacts."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from mission_control_tui.model.store.tables.base import Base, Key


class AccountRow(Base):
    """A customer."""

    __tablename__ = "accounts"

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(16), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    customer_number: Mapped[str] = mapped_column(String(64), default="", server_default="")
    """The provider's own; several accounts of one customer may have the same."""
    is_sample: Mapped[bool]
    time_zone: Mapped[str] = mapped_column(String(64))
    password_policy: Mapped[dict[str, Any]]
    approval_above_minor: Mapped[int | None]
    """Orders of more than this total wait for an approval; None for never."""
    created_at: Mapped[datetime]
    version: Mapped[int] = mapped_column(default=1)


class DomainRow(Base):
    """A domain name; it belongs to one account in the whole installation.

    A removed one stays for the history of what hung on it, and leaves its name free: see `dialect_details`.
    """

    __tablename__ = "domains"

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), index=True)
    name: Mapped[Key]
    bought: Mapped[bool]
    term_months: Mapped[int] = mapped_column(default=0)
    renewed_months: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    """By how much renewals have made the first term longer."""
    details: Mapped[dict[str, Any]]
    added_at: Mapped[datetime]
    removed_at: Mapped[datetime | None]


class DomainConsentRow(Base):
    """The yes of an account to another one's domain `name`, which is above or below a domain of its own."""

    __tablename__ = "domain_consents"
    __table_args__ = (UniqueConstraint("account_id", "name", "to_account_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    name: Mapped[Key]
    to_account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), index=True)
    given_at: Mapped[datetime]


class ContactRow(Base):
    """A person of the account whom the provider may call."""

    __tablename__ = "contacts"

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), index=True)
    role: Mapped[str] = mapped_column(String(32))
    name: Mapped[str] = mapped_column(String(200))
    email: Mapped[str] = mapped_column(String(320))
    phone: Mapped[str] = mapped_column(String(64))
