"""The table of the audit."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from mission_control_tui.model.store.tables.base import Base


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
