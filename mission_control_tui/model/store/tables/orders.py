"""Tables of orders and subscriptions."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from mission_control_tui.model.store.tables.base import Base, Slug


class OrderRow(Base):
    """A purchase or a removal: what was agreed, at which price, by whom.

    `idempotency_key` is the buyer's word for this one order: said again, it finds the order instead of placing another.
    """

    __tablename__ = "orders"
    __table_args__ = (UniqueConstraint("account_id", "idempotency_key"),)

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
    decided_by: Mapped[str] = mapped_column(String(128), default="", server_default="")
    reason: Mapped[str] = mapped_column(Text, default="", server_default="")
    idempotency_key: Mapped[str | None] = mapped_column(String(64))
    returns_id: Mapped[int | None] = mapped_column(ForeignKey("orders.id"))
    """The order that a removal takes back."""


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
