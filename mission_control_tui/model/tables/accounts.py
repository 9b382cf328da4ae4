"""Tables of the installation, the accounts and what they own."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    Index,
    LargeBinary,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from mission_control_tui.model.tables.base import Base, Key, Slug


class InstallationRow(Base):
    """One row: whose objects at the back ends are ours, and the key that passwords are sealed with.

    `connectors` are the settings' [services] (service id -> connector) that the assignments have followed last.
    """

    __tablename__ = "installation"

    id: Mapped[int] = mapped_column(primary_key=True)
    uuid: Mapped[str] = mapped_column(String(32))
    public_key: Mapped[bytes] = mapped_column(LargeBinary)
    connectors: Mapped[dict[str, Any]] = mapped_column(default=dict)
    created_at: Mapped[datetime]


class AccountRow(Base):
    """A customer."""

    __tablename__ = "accounts"

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(16), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    is_sample: Mapped[bool]
    time_zone: Mapped[str] = mapped_column(String(64))
    password_policy: Mapped[dict[str, Any]]
    approval_above_minor: Mapped[int | None]
    """Orders of more than this total wait for an approval; None for never."""
    created_at: Mapped[datetime]
    version: Mapped[int] = mapped_column(default=1)


class DomainRow(Base):
    """A domain name; it belongs to one account in the whole installation.

    A removed one stays for the history of what hung on it, and leaves its name free.
    """

    __tablename__ = "domains"
    __table_args__ = (
        Index(
            "uq_domains_name",
            "name",
            unique=True,
            sqlite_where=text("removed_at IS NULL"),
            postgresql_where=text("removed_at IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), index=True)
    name: Mapped[Key]
    bought: Mapped[bool]
    term_months: Mapped[int] = mapped_column(default=0)
    details: Mapped[dict[str, Any]]
    added_at: Mapped[datetime]
    removed_at: Mapped[datetime | None]


class ContactRow(Base):
    """A person of the account whom the provider may call."""

    __tablename__ = "contacts"

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), index=True)
    role: Mapped[str] = mapped_column(String(32))
    name: Mapped[str] = mapped_column(String(200))
    email: Mapped[str] = mapped_column(String(320))
    phone: Mapped[str] = mapped_column(String(64))


class CatalogueVersionRow(Base):
    """A loaded catalogue; the highest number is the one in force."""

    __tablename__ = "catalogue_versions"

    number: Mapped[int] = mapped_column(primary_key=True)
    digest: Mapped[str] = mapped_column(String(64))
    document: Mapped[str] = mapped_column(Text)
    source: Mapped[str] = mapped_column(Text)
    loaded_at: Mapped[datetime]
    operator: Mapped[str] = mapped_column(String(128))


class OrderRow(Base):
    """A purchase or a removal: what was agreed, at which price, by whom."""

    __tablename__ = "orders"

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), index=True)
    kind: Mapped[str] = mapped_column(String(16))
    state: Mapped[str] = mapped_column(String(32))
    operator: Mapped[str] = mapped_column(String(128))
    ticket: Mapped[str] = mapped_column(String(128))
    placed_at: Mapped[datetime]
    catalogue_number: Mapped[int] = mapped_column(ForeignKey("catalogue_versions.number"))
    currency: Mapped[str] = mapped_column(String(3))
    net_minor: Mapped[int]
    tax_minor: Mapped[int]
    total_minor: Mapped[int]
    note: Mapped[str] = mapped_column(Text, default="")
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[str] = mapped_column(String(128), default="")
    reason: Mapped[str] = mapped_column(Text, default="")


class OrderLineRow(Base):
    """One line of an order; label and price are copied so that a later catalogue cannot change them."""

    __tablename__ = "order_lines"

    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"), index=True)
    product_id: Mapped[Slug]
    level_id: Mapped[Slug]
    label: Mapped[str] = mapped_column(String(200))
    quantity: Mapped[int]
    term_months: Mapped[int]
    unit_minor: Mapped[int]
    net_minor: Mapped[int]
    tax_minor: Mapped[int]
    domain: Mapped[str] = mapped_column(String(255))
    details: Mapped[dict[str, Any]]


class SubscriptionRow(Base):
    """How much of a product's level an account has: the running sum of its orders."""

    __tablename__ = "subscriptions"
    __table_args__ = (
        UniqueConstraint("account_id", "product_id", "level_id"),
        CheckConstraint("quantity >= 0", name="quantity_not_negative"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    product_id: Mapped[Slug]
    level_id: Mapped[Slug]
    quantity: Mapped[int]
    term_months: Mapped[int]
    version: Mapped[int] = mapped_column(default=1)


class SeatPoolRow(Base):
    """Seats of one service level: owned by purchase, held from the wish until removal is observed."""

    __tablename__ = "seat_pools"
    __table_args__ = (
        UniqueConstraint("account_id", "service_id", "level_id"),
        CheckConstraint("held >= 0 AND held <= owned", name="held_within_owned"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    service_id: Mapped[Slug]
    level_id: Mapped[Slug]
    owned: Mapped[int]
    held: Mapped[int] = mapped_column(default=0)


class AuditRow(Base):
    """Who changed what, append-only: the database itself refuses to change or delete a row."""

    __tablename__ = "audit"
    __table_args__ = (
        Index("ix_audit_account_id_id", "account_id", "id"),
        Index("ix_audit_user_id_id", "user_id", "id"),
        Index("ix_audit_session_id", "session", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    at: Mapped[datetime]
    operator: Mapped[str] = mapped_column(String(128))
    source: Mapped[str] = mapped_column(String(16))
    ticket: Mapped[str] = mapped_column(String(128))
    action: Mapped[str] = mapped_column(String(64))
    target: Mapped[str] = mapped_column(String(320))
    user_id: Mapped[str | None] = mapped_column(String(32))
    request_id: Mapped[int | None]
    version: Mapped[int | None]
    """Of what was changed, after the change: tells somebody who saves an older one what happened meanwhile."""
    before: Mapped[dict[str, Any]]
    after: Mapped[dict[str, Any]]
    session: Mapped[str] = mapped_column(String(32), default="")
    assignment_id: Mapped[str | None] = mapped_column(String(32))
    bulk_id: Mapped[int | None]
    command: Mapped[list[Any] | None]
    """What the command line calls the change: commands, each a list of words; never a password."""
