"""Tables of bulk actions and their items."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from mission_control_tui.model.store.tables.base import Base, Words
from mission_control_tui.model.store.tables.documents import StoredBulkParams, StoredItem


class BulkRow(Base):
    """One action for many users or domains. The worker turns its items into wishes, a slice at a time.

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
    params: Mapped[StoredBulkParams]
    operator: Mapped[str] = mapped_column(String(128))
    ticket: Mapped[str] = mapped_column(String(128))
    session: Mapped[str] = mapped_column(String(32))
    total: Mapped[int]
    undoes_id: Mapped[int | None] = mapped_column(ForeignKey("bulks.id"))
    created_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class BulkItemRow(Base):
    """One user or domain (or one service) of a bulk.

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
    domain_id: Mapped[int | None] = mapped_column(ForeignKey("domains.id"))
    assignment_id: Mapped[str | None] = mapped_column(ForeignKey("assignments.id"))
    name: Mapped[str] = mapped_column(Words(320))
    state: Mapped[str] = mapped_column(String(16))
    reason: Mapped[str] = mapped_column(Text)
    request_id: Mapped[int | None] = mapped_column(ForeignKey("requests.id"))
    previous: Mapped[StoredItem]
