"""Tables of services: assignments, seats and who holds them."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    CheckConstraint,
    ColumnElement,
    Float,
    ForeignKey,
    Index,
    String,
    Text,
    UniqueConstraint,
    or_,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from mission_control_tui.model.states import Light
from mission_control_tui.model.store.tables.base import Base, Ident, Slug, Words, bytewise

NEAR_FULL = text("fullness >= 0.9")
"""What the index of services near a limit holds; a query must say it in the same words to use it."""
WISHED = text("wish <> 'absent'")
"""What the index of services by connector holds, which placement counts, likewise."""
LEFT = text("marked <> ''")
"""What the index of services that moves left behind holds, likewise."""
KEPT = text("kept_until > 0")
"""What the index of services kept for a while holds, likewise."""


class SeatPoolRow(Base):
    """Seats of one service level: owned by purchase, held from the wish until removal is observed."""

    __tablename__ = "seat_pools"
    __table_args__ = (
        UniqueConstraint("account_id", "service_id", "level_id"),
        CheckConstraint("held >= 0 AND held <= owned", name="held_within_owned"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    service_id: Mapped[Slug]
    level_id: Mapped[Slug]
    owned: Mapped[int]
    held: Mapped[int] = mapped_column(default=0)


class AssignmentRow(Base):
    """One service instance of one subject: the wish, what was observed, and the light between them."""

    __tablename__ = "assignments"
    __table_args__ = (
        UniqueConstraint("subject_kind", "subject_id", "service_id", "instance"),
        UniqueConstraint("connector", "service_id", "backend_name"),
        Index("ix_assignments_light", "account_id", "light", "user_id"),
        Index("ix_assignments_attention", "light", "since", "id", "account_id", "connector"),
        Index("ix_assignments_level", "account_id", "service_id", "level_id", "wish"),
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
    token: Mapped[str] = mapped_column(Text, default="", server_default="")
    """What belongs to a job that runs on at the back end, for its connector."""
    acting_until: Mapped[float] = mapped_column(Float, default=0.0, server_default="0")
    """Until then an act at a back end that compares nothing may be under way; by the database's clock."""
    usage: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default="{}")
    """Usage id -> StoredUsage, as it was measured last."""
    fullness: Mapped[float] = mapped_column(Float, default=0.0, server_default="0")
    """The largest part of a limit that `usage` has used: 0.82 of it."""
    marked: Mapped[str] = mapped_column(String(32), default="", server_default="")
    """Whose mark its object carries, where that is another assignment's: of what a move left at its connector."""
    kept_until: Mapped[float] = mapped_column(Float, default=0.0, server_default="0")
    """Until then what is wished absent stays suspended at the back end; by the database's clock, 0 when it does not."""

    wish: Mapped[str] = mapped_column(String(16))
    level_id: Mapped[Slug]
    settings: Mapped[dict[str, Any]]
    stated: Mapped[list[Any] | None]
    """The settings that somebody asked for; the others are the level's own. None where it was not recorded."""
    generation: Mapped[int]
    secret_id: Mapped[int | None] = mapped_column(ForeignKey("secrets.id"))

    light: Mapped[str] = mapped_column(String(8))
    word: Mapped[str] = mapped_column(String(32))
    step: Mapped[str] = mapped_column(Words(200), default="")
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

    @property
    def mark_key(self) -> str:
        """The id that its object at the back end is marked with."""
        return self.marked or self.id

    @property
    def is_new(self) -> bool:
        """Whether nothing was ever wished of it: it has no requests, seats or references."""
        return self.generation == 0


def is_shown() -> ColumnElement[bool]:
    """Return the condition for services that people see: all but what was left behind and is gone."""
    return or_(
        AssignmentRow.marked == "", AssignmentRow.light != Light.GREY, AssignmentRow.kept_until > 0
    )


class SeatHoldRow(Base):
    """One seat held by one assignment; a level change holds two until it is green."""

    __tablename__ = "seat_holds"
    __table_args__ = (UniqueConstraint("assignment_id", "pool_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    assignment_id: Mapped[str] = mapped_column(ForeignKey("assignments.id"))
    pool_id: Mapped[int] = mapped_column(ForeignKey("seat_pools.id"), index=True)


class SettingReferenceRow(Base):
    """Who is meant by a `value` in the settings of a service: a user or an object, whatever it is called later."""

    __tablename__ = "setting_references"

    id: Mapped[int] = mapped_column(primary_key=True)
    assignment_id: Mapped[str] = mapped_column(ForeignKey("assignments.id"), index=True)
    option_id: Mapped[Slug]
    value: Mapped[str] = mapped_column(String(320))
    user_id: Mapped[str | None] = mapped_column(ForeignKey("users.id"), index=True)
    object_id: Mapped[str | None] = mapped_column(ForeignKey("objects.id"), index=True)


class SettingClaimRow(Base):
    """A value that one service instance alone may have in the whole installation."""

    __tablename__ = "setting_claims"
    __table_args__ = (UniqueConstraint("service_id", "option_id", "value"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    assignment_id: Mapped[str] = mapped_column(ForeignKey("assignments.id"), index=True)
    service_id: Mapped[Slug]
    option_id: Mapped[Slug]
    value: Mapped[str] = mapped_column(bytewise(320))


class UnsettledSettingRow(Base):
    """A value that was stored before such values were looked at, and breaks a rule until somebody settles it."""

    __tablename__ = "unsettled_settings"

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), index=True)
    assignment_id: Mapped[str] = mapped_column(ForeignKey("assignments.id"), index=True)
    option_id: Mapped[Slug]
    value: Mapped[str] = mapped_column(String(320))
    reason: Mapped[str] = mapped_column(String(64))
