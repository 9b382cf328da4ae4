"""Tables of what belongs to one operator."""

from datetime import datetime

from sqlalchemy import Float, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from mission_control_tui.model.store.tables.base import Base, Ident, Words
from mission_control_tui.model.store.tables.documents import StoredPlace


class DraftRow(Base):
    """An unfinished form, private to its operator; never a password. `subject` is a user's id, or empty."""

    __tablename__ = "drafts"
    __table_args__ = (UniqueConstraint("operator", "account_id", "kind", "subject"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    operator: Mapped[str] = mapped_column(String(128))
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    kind: Mapped[str] = mapped_column(String(32))
    subject: Mapped[str] = mapped_column(String(64))
    title: Mapped[str] = mapped_column(Words(320))
    content: Mapped[dict[str, object]]
    updated_at: Mapped[datetime]


class SessionRow(Base):
    """One run of the console: where its operator is, so that a lost connection leads back to the same place.

    `ended` is empty while it runs, quit, or lost.
    """

    __tablename__ = "sessions"
    __table_args__ = (Index("ix_sessions_operator", "operator", "seen_at"),)

    id: Mapped[Ident] = mapped_column(primary_key=True)
    operator: Mapped[str] = mapped_column(String(128))
    host: Mapped[str] = mapped_column(String(255))
    pid: Mapped[int]
    pid_started: Mapped[float] = mapped_column(Float)
    place: Mapped[StoredPlace]
    ticket: Mapped[str] = mapped_column(String(128))
    started_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    ended: Mapped[str] = mapped_column(String(16))


class RecentRow(Base):
    """What an operator looked at last: a user (`user_id`) or an account (empty `user_id`)."""

    __tablename__ = "recents"
    __table_args__ = (Index("ix_recents_operator_at", "operator", "at"),)

    operator: Mapped[str] = mapped_column(String(128), primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), primary_key=True)
    user_id: Mapped[str] = mapped_column(String(32), primary_key=True)
    at: Mapped[datetime]
