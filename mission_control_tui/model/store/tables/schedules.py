"""The table of schedules."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from mission_control_tui.model.store.tables.base import Base
from mission_control_tui.model.store.tables.documents import StoredParams


class ScheduleRow(Base):
    """A wish that is to be stated at a moment: by the worker, once, also when it was down at that moment.

    It is for a user, a domain, or without either for the account itself. `state` is waiting, done, failed or cancelled.
    """

    __tablename__ = "schedules"
    __table_args__ = (
        Index("ix_schedules_state", "state", "due_at"),
        Index("ix_schedules_account_id_due_at", "account_id", "due_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    user_id: Mapped[str | None] = mapped_column(ForeignKey("users.id"), index=True)
    domain_id: Mapped[int | None] = mapped_column(ForeignKey("domains.id"))
    action: Mapped[str] = mapped_column(String(32))
    params: Mapped[StoredParams]
    due_at: Mapped[datetime]
    time_zone: Mapped[str] = mapped_column(String(64))
    state: Mapped[str] = mapped_column(String(16))
    said: Mapped[str] = mapped_column(Text)
    request_id: Mapped[int | None] = mapped_column(ForeignKey("requests.id"), index=True)
    operator: Mapped[str] = mapped_column(String(128))
    ticket: Mapped[str] = mapped_column(String(128))
    session: Mapped[str] = mapped_column(String(32))
    created_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(default=1)
