"""Tables of wishes (assignments), the requests that carry them to the worker, and the workers."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Float, ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from mission_control_tui.model.tables.base import Base, Ident, Slug, bytewise

REMOVALS = text("kind = 'deprovision'")
"""What the index of removals holds; a query must say it in the same words to use it."""


class AssignmentRow(Base):
    """One service instance of one subject: the wish, what was observed, and the light between them."""

    __tablename__ = "assignments"
    __table_args__ = (
        UniqueConstraint("subject_kind", "subject_id", "service_id", "instance"),
        UniqueConstraint("connector", "service_id", "backend_name"),
        Index("ix_assignments_light", "account_id", "light", "user_id"),
        Index("ix_assignments_level", "account_id", "service_id", "level_id", "wish"),
        Index(
            "ix_assignments_drift",
            "account_id",
            "user_id",
            sqlite_where=text("drift IS 1"),
            postgresql_where=text("drift IS true"),
        ),
    )

    id: Mapped[Ident] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    subject_kind: Mapped[str] = mapped_column(String(16))
    subject_id: Mapped[str] = mapped_column(String(32))
    user_id: Mapped[str | None] = mapped_column(ForeignKey("users.id"), index=True)
    domain_id: Mapped[int | None] = mapped_column(ForeignKey("domains.id"), index=True)
    object_id: Mapped[str | None] = mapped_column(ForeignKey("objects.id"), index=True)
    service_id: Mapped[Slug]
    instance: Mapped[str] = mapped_column(String(64))
    connector: Mapped[Slug]
    backend_name: Mapped[str] = mapped_column(bytewise(1100))
    external_id: Mapped[str] = mapped_column(String(256), default="")

    wish: Mapped[str] = mapped_column(String(16))
    level_id: Mapped[Slug]
    settings: Mapped[dict[str, Any]]
    generation: Mapped[int]
    secret_id: Mapped[int | None] = mapped_column(ForeignKey("secrets.id"))

    light: Mapped[str] = mapped_column(String(8))
    word: Mapped[str] = mapped_column(String(32))
    step: Mapped[str] = mapped_column(String(200), default="")
    error_kind: Mapped[str] = mapped_column(String(16), default="")
    error_said: Mapped[str] = mapped_column(Text, default="")
    error_remedy: Mapped[str] = mapped_column(Text, default="")
    since: Mapped[datetime]
    observed_wish: Mapped[str] = mapped_column(String(16))
    observed_level: Mapped[str] = mapped_column(String(64), default="")
    observed_generation: Mapped[int] = mapped_column(default=0)
    password_delivered: Mapped[bool] = mapped_column(default=False)
    drift: Mapped[bool] = mapped_column(default=False)
    version: Mapped[int] = mapped_column(default=1)


class SeatHoldRow(Base):
    """One seat held by one assignment; a level change holds two until it is green."""

    __tablename__ = "seat_holds"
    __table_args__ = (UniqueConstraint("assignment_id", "pool_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    assignment_id: Mapped[str] = mapped_column(ForeignKey("assignments.id"))
    pool_id: Mapped[int] = mapped_column(ForeignKey("seat_pools.id"), index=True)


class RequestRow(Base):
    """One wish sent to the worker; the row itself is the outbox."""

    __tablename__ = "requests"
    __table_args__ = (
        Index("ix_requests_state", "state", "priority", "id"),
        Index("ix_requests_account_id_id", "account_id", "id"),
        Index("ix_requests_assignment_id_state", "assignment_id", "state"),
        Index(
            "ix_requests_removals", "started_at", sqlite_where=REMOVALS, postgresql_where=REMOVALS
        ),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    kind: Mapped[str] = mapped_column(String(16))
    user_id: Mapped[str | None] = mapped_column(ForeignKey("users.id"), index=True)
    assignment_id: Mapped[str | None] = mapped_column(ForeignKey("assignments.id"))
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("requests.id"), index=True)
    generation: Mapped[int]
    state: Mapped[str] = mapped_column(String(16))
    priority: Mapped[int]
    operator: Mapped[str] = mapped_column(String(128))
    ticket: Mapped[str] = mapped_column(String(128))
    created_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]

    attempt: Mapped[int] = mapped_column(default=0)
    failures: Mapped[int] = mapped_column(default=0)
    worker_id: Mapped[str] = mapped_column(String(64), default="")
    next_try_at: Mapped[float] = mapped_column(Float, default=0.0)
    cancel_requested: Mapped[bool] = mapped_column(default=False)
    waiting_for: Mapped[str] = mapped_column(String(320), default="")
    hold: Mapped[str] = mapped_column(String(16), default="")
    previous: Mapped[dict[str, Any]]


class RequestDependencyRow(Base):
    """`request_id` may start only when the assignment of `depends_on_id` is green."""

    __tablename__ = "request_dependencies"

    request_id: Mapped[int] = mapped_column(ForeignKey("requests.id"), primary_key=True)
    depends_on_id: Mapped[int] = mapped_column(
        ForeignKey("requests.id"), primary_key=True, index=True
    )


class RequestStepRow(Base):
    """One step of one attempt."""

    __tablename__ = "request_steps"
    __table_args__ = (UniqueConstraint("request_id", "attempt", "number"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    request_id: Mapped[int] = mapped_column(ForeignKey("requests.id"))
    attempt: Mapped[int]
    number: Mapped[int]
    name: Mapped[str] = mapped_column(String(200))
    state: Mapped[str] = mapped_column(String(16))
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class RequestEventRow(Base):
    """What happened to a request: every attempt, the back end's own words, the remedy, how long it took."""

    __tablename__ = "request_events"
    __table_args__ = (
        Index("ix_request_events_request_id_id", "request_id", "id"),
        Index("ix_request_events_account_id_id", "account_id", "id"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    request_id: Mapped[int] = mapped_column(ForeignKey("requests.id"))
    at: Mapped[datetime]
    attempt: Mapped[int]
    kind: Mapped[str] = mapped_column(String(32))
    step: Mapped[str] = mapped_column(String(200))
    said: Mapped[str] = mapped_column(Text)
    remedy: Mapped[str] = mapped_column(Text)
    duration_ms: Mapped[int | None]
    detail: Mapped[dict[str, Any]]


class WorkerRow(Base):
    """A worker process and its lease, timed by the database's clock (seconds since the epoch)."""

    __tablename__ = "workers"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    host: Mapped[str] = mapped_column(String(255))
    pid: Mapped[int]
    pid_started: Mapped[float] = mapped_column(Float)
    app_version: Mapped[str] = mapped_column(String(32))
    started_at: Mapped[float] = mapped_column(Float)
    lease_until: Mapped[float] = mapped_column(Float)
    draining: Mapped[bool] = mapped_column(default=False)
    ended: Mapped[bool] = mapped_column(default=False)


class ConnectorStateRow(Base):
    """A connector that refused us: paused until a check passes again."""

    __tablename__ = "connector_states"

    name: Mapped[Slug] = mapped_column(primary_key=True)
    paused: Mapped[bool]
    kind: Mapped[str] = mapped_column(String(16))
    said: Mapped[str] = mapped_column(Text)
    remedy: Mapped[str] = mapped_column(Text)
    since: Mapped[datetime]
    next_check_at: Mapped[float] = mapped_column(Float)
