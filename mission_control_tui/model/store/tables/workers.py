"""Tables of workers and what they say about connectors."""

from datetime import datetime
from typing import Any

from sqlalchemy import Float, String, Text, false
from sqlalchemy.orm import Mapped, mapped_column

from mission_control_tui.model.store.tables.base import Base, Slug


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
    """A connector that refused us or cannot be reached: paused until a check passes again."""

    __tablename__ = "connector_states"

    name: Mapped[Slug] = mapped_column(primary_key=True)
    paused: Mapped[bool]
    kind: Mapped[str] = mapped_column(String(16))
    said: Mapped[str] = mapped_column(Text)
    remedy: Mapped[str] = mapped_column(Text)
    since: Mapped[datetime]
    next_check_at: Mapped[float] = mapped_column(Float)
    wait: Mapped[float] = mapped_column(Float, default=0.0, server_default="0")
    """The seconds between two checks, at the moment."""
    failed_checks: Mapped[int] = mapped_column(default=0, server_default="0")
    """Checks that failed during this pause."""
    strikes: Mapped[int] = mapped_column(default=0, server_default="0")
    """Pauses that followed each other so closely that they count as one trouble."""
    resumed_at: Mapped[float] = mapped_column(Float, default=0.0, server_default="0")
    request_id: Mapped[int | None]
    """The request that met the error which paused it."""
    asked: Mapped[bool] = mapped_column(default=False, server_default=false())
    """Somebody asked for a check now, whether it is paused or not."""
    version: Mapped[str] = mapped_column(Text, default="", server_default="")
    """What the back end said of itself at the last check that passed."""


class ConnectorDeclarationRow(Base):
    """What a connector said of itself when it was opened last: screens may not ask it."""

    __tablename__ = "connector_declarations"

    name: Mapped[Slug] = mapped_column(primary_key=True)
    declared: Mapped[dict[str, Any]]
    """As `StoredDeclaration` has it."""
    declared_at: Mapped[datetime]
