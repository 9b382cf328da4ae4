"""Tables of requests: what they wait for, their steps and events."""

from datetime import datetime
from typing import Any

from sqlalchemy import Float, ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from mission_control_tui.model.store.tables.base import Base, Words

REMOVALS = text("kind = 'deprovision'")
"""What the index of removals holds; a query must say it in the same words to use it."""


class RequestRow(Base):
    """One wish sent to the worker; the row itself is the outbox.

    `next_try_at` and `waits_since`, when that wait began, are by the database's clock in seconds since 1970.
    """

    __tablename__ = "requests"
    __table_args__ = (
        Index("ix_requests_state", "state", "priority", "id"),
        Index("ix_requests_account_id_id", "account_id", "id"),
        Index("ix_requests_assignment_id_state", "assignment_id", "state"),
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
    waits_since: Mapped[float] = mapped_column(Float, default=0.0, server_default="0")
    cancel_requested: Mapped[bool] = mapped_column(default=False)
    waiting_for: Mapped[str] = mapped_column(Words(320), default="")
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
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    request_id: Mapped[int] = mapped_column(ForeignKey("requests.id"))
    at: Mapped[datetime]
    attempt: Mapped[int]
    kind: Mapped[str] = mapped_column(String(32))
    step: Mapped[str] = mapped_column(Words(200), default="")
    said: Mapped[str] = mapped_column(Text)
    remedy: Mapped[str] = mapped_column(Text)
    duration_ms: Mapped[int | None]
    detail: Mapped[dict[str, Any]] = mapped_column(default=dict)


class RequestPlanRow(Base):
    """What a connector that only observes would change for a request, as its last look found it."""

    __tablename__ = "request_plans"

    request_id: Mapped[int] = mapped_column(ForeignKey("requests.id"), primary_key=True)
    looked_at: Mapped[datetime]
    kinds: Mapped[str] = mapped_column(Text)
    """The kinds of the changes, as `planned_changes.kinds_text` has them: requests of the same are counted together."""
    changes: Mapped[list[Any]]
    left_out: Mapped[int] = mapped_column(default=0)
