"""Tables of the operator's hands: bulk actions, schedules, templates, drafts, sessions, what was looked at last."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Float, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from mission_control_tui.model.tables.base import Base, Ident, Key


class BulkRow(Base):
    """One action for many users. The worker turns its items into wishes, a slice at a time.

    `state` is running, stopped or done; `undoes_id` is the bulk whose wishes this one takes back.
    """

    __tablename__ = "bulks"
    __table_args__ = (
        Index("ix_bulks_state", "state", "id"),
        Index("ix_bulks_account_id_id", "account_id", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    action: Mapped[str] = mapped_column(String(32))
    state: Mapped[str] = mapped_column(String(16))
    params: Mapped[dict[str, Any]]
    operator: Mapped[str] = mapped_column(String(128))
    ticket: Mapped[str] = mapped_column(String(128))
    session: Mapped[str] = mapped_column(String(32))
    total: Mapped[int]
    undoes_id: Mapped[int | None] = mapped_column(ForeignKey("bulks.id"))
    created_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class BulkItemRow(Base):
    """One user (or one service of a user) of a bulk.

    `state` is left, queued, unchanged, skipped or refused, the last two with a reason; `previous` is the wish before
    (wish, level, settings), which an undo states again.
    """

    __tablename__ = "bulk_items"
    __table_args__ = (
        Index("ix_bulk_items_state", "bulk_id", "state", "id"),
        Index("ix_bulk_items_request_id", "request_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    bulk_id: Mapped[int] = mapped_column(ForeignKey("bulks.id"))
    user_id: Mapped[str | None] = mapped_column(ForeignKey("users.id"))
    assignment_id: Mapped[str | None] = mapped_column(ForeignKey("assignments.id"))
    name: Mapped[str] = mapped_column(String(320))
    state: Mapped[str] = mapped_column(String(16))
    reason: Mapped[str] = mapped_column(Text)
    request_id: Mapped[int | None] = mapped_column(ForeignKey("requests.id"))
    previous: Mapped[dict[str, Any]]


class ScheduleRow(Base):
    """A wish that is to be stated at a moment: by the worker, once, also when it was down at that moment.

    `state` is waiting, done, failed or cancelled.
    """

    __tablename__ = "schedules"
    __table_args__ = (
        Index("ix_schedules_state", "state", "due_at"),
        Index("ix_schedules_account_id_due_at", "account_id", "due_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id"), index=True)
    action: Mapped[str] = mapped_column(String(32))
    params: Mapped[dict[str, Any]]
    due_at: Mapped[datetime]
    time_zone: Mapped[str] = mapped_column(String(64))
    state: Mapped[str] = mapped_column(String(16))
    said: Mapped[str] = mapped_column(Text)
    request_id: Mapped[int | None] = mapped_column(ForeignKey("requests.id"))
    operator: Mapped[str] = mapped_column(String(128))
    ticket: Mapped[str] = mapped_column(String(128))
    session: Mapped[str] = mapped_column(String(32))
    created_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(default=1)


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


class DraftRow(Base):
    """An unfinished form, private to its operator; never a password. `subject` is a user's id, or empty."""

    __tablename__ = "drafts"
    __table_args__ = (UniqueConstraint("operator", "account_id", "kind", "subject"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    operator: Mapped[str] = mapped_column(String(128))
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    kind: Mapped[str] = mapped_column(String(32))
    subject: Mapped[str] = mapped_column(String(64))
    title: Mapped[str] = mapped_column(String(320))
    content: Mapped[dict[str, Any]]
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
    place: Mapped[dict[str, Any]]
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


class StatementRow(Base):
    """A month's statement as it stood when the month was closed."""

    __tablename__ = "statements"
    __table_args__ = (UniqueConstraint("account_id", "period"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    period: Mapped[str] = mapped_column(String(7))
    document: Mapped[dict[str, Any]]
    closed_at: Mapped[datetime]
