"""The table of templates."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from mission_control_tui.model.store.tables.base import Base, Key


class TemplateRow(Base):
    """What new users of an account are made like: fields and services, never identity or password."""

    __tablename__ = "templates"
    __table_args__ = (UniqueConstraint("account_id", "name_key"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    name: Mapped[str] = mapped_column(String(200))
    name_key: Mapped[Key]
    content: Mapped[dict[str, Any]]
    operator: Mapped[str] = mapped_column(String(128))
    updated_at: Mapped[datetime]
    version: Mapped[int] = mapped_column(default=1)
