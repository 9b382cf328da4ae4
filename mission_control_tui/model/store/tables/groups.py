"""Tables of groups, contacts, shared mailboxes and their members."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from mission_control_tui.model.store.tables.base import Base, Ident, Key


class ObjectRow(Base):
    """A distribution group, contact or shared mailbox: something of an account that a service is provisioned for.

    Which kinds there are is said by the catalogue's services; a removed one keeps its row and leaves its address free.
    """

    __tablename__ = "objects"
    __table_args__ = (Index("ix_objects_listing", "account_id", "service_id", "sort_key", "id"),)

    id: Mapped[Ident] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    service_id: Mapped[str] = mapped_column(String(64))
    name: Mapped[str] = mapped_column(String(256))
    sort_key: Mapped[Key]
    address: Mapped[str] = mapped_column(String(320))
    details: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]
    removed_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(default=1)


class MemberRow(Base):
    """A member of an object: a user or another object, in a role that the object's service knows."""

    __tablename__ = "members"
    __table_args__ = (UniqueConstraint("object_id", "role", "subject_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    object_id: Mapped[str] = mapped_column(ForeignKey("objects.id"))
    role: Mapped[str] = mapped_column(String(16))
    subject_id: Mapped[Ident]
    user_id: Mapped[str | None] = mapped_column(ForeignKey("users.id"), index=True)
    member_id: Mapped[str | None] = mapped_column(ForeignKey("objects.id"), index=True)
