"""The table of the audit."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, ForeignKey, Index, String, Table, event
from sqlalchemy.orm import Mapped, mapped_column

from mission_control_tui.model.store.tables.base import Base, Words

APPEND_ONLY = {
    "sqlite": (
        """
        CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit
        BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END
        """,
        """
        CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit
        WHEN NOT EXISTS (SELECT 1 FROM accounts WHERE id = OLD.account_id AND is_sample)
        BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END
        """,
    ),
    "postgresql": (
        """
        CREATE FUNCTION audit_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP = 'DELETE' AND EXISTS (
                SELECT 1 FROM accounts WHERE id = OLD.account_id AND is_sample
            ) THEN
                RETURN OLD;
            END IF;
            RAISE EXCEPTION 'the audit is append-only';
        END $$
        """,
        """
        CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE ON audit
        FOR EACH ROW EXECUTE FUNCTION audit_append_only()
        """,
    ),
}
"""What a new database keeps its audit append-only with; only a sample account's rows may go."""


class AuditRow(Base):
    """Who changed what, append-only: the database itself refuses to change or delete a row."""

    __tablename__ = "audit"
    __table_args__ = (
        Index("ix_audit_account_id_id", "account_id", "id"),
        Index("ix_audit_user_id_id", "user_id", "id"),
        Index("ix_audit_session_id", "session", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    at: Mapped[datetime]
    operator: Mapped[str] = mapped_column(String(128))
    source: Mapped[str] = mapped_column(String(16))
    ticket: Mapped[str] = mapped_column(String(128))
    action: Mapped[str] = mapped_column(String(64))
    target: Mapped[str] = mapped_column(Words(320))
    user_id: Mapped[str | None] = mapped_column(String(32))
    request_id: Mapped[int | None]
    version: Mapped[int | None]
    """Of what was changed, after the change: tells somebody who saves an older one what happened meanwhile."""
    before: Mapped[dict[str, Any]]
    after: Mapped[dict[str, Any]]
    session: Mapped[str] = mapped_column(String(32), default="", server_default="")
    assignment_id: Mapped[str | None] = mapped_column(String(32))
    bulk_id: Mapped[int | None]
    command: Mapped[list[Any] | None]
    """What the command line calls the change: commands, each a list of words; never a password."""


@event.listens_for(AuditRow.__table__, "after_create")
def _keep_append_only(_table: Table, connection: Connection, **_how: Any) -> None:
    for statement in APPEND_ONLY[connection.dialect.name]:
        connection.exec_driver_sql(statement)
