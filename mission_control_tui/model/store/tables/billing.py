"""The table of closed statements."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from mission_control_tui.model.store.tables.base import Base


class StatementRow(Base):
    """A month's statement as it stood when the month was closed."""

    __tablename__ = "statements"
    __table_args__ = (UniqueConstraint("account_id", "period"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    period: Mapped[str] = mapped_column(String(7))
    document: Mapped[dict[str, Any]]
    closed_at: Mapped[datetime]
