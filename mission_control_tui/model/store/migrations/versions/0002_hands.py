"""The operator's hands: bulks, schedules, templates, drafts, sessions, recents, objects, statements, approval."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import SchemaItem

revision = "0002"
down_revision = "0001"

DOCUMENT = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
MOMENT = sa.DateTime(timezone=True)
IDENT = sa.String(32)
KEY = sa.String(320).with_variant(sa.String(320, collation="C"), "postgresql")


def column(name: str, kind: Any, *rules: SchemaItem, **more: Any) -> sa.Column[Any]:
    """Return a column that is never NULL; keys and constraints are named by the metadata's convention."""
    return sa.Column(name, kind, *rules, nullable=False, **more)


def reference(name: str, target: str, kind: Any = IDENT, **more: Any) -> sa.Column[Any]:
    return sa.Column(name, kind, sa.ForeignKey(target), **more)


def number() -> sa.Column[int]:
    return sa.Column("id", sa.Integer, primary_key=True)


def account(**more: Any) -> sa.Column[Any]:
    return reference("account_id", "accounts.id", sa.Integer, nullable=False, **more)


def upgrade() -> None:
    op.create_table(
        "sessions",
        column("id", IDENT, primary_key=True),
        column("operator", sa.String(128)),
        column("host", sa.String(255)),
        column("pid", sa.Integer),
        column("pid_started", sa.Float),
        column("place", DOCUMENT),
        column("ticket", sa.String(128)),
        column("started_at", MOMENT),
        column("seen_at", MOMENT),
        column("ended", sa.String(16)),
        sa.Index("ix_sessions_operator", "operator", "seen_at"),
    )
    op.create_table(
        "bulks",
        number(),
        account(),
        column("action", sa.String(32)),
        column("state", sa.String(16)),
        column("params", DOCUMENT),
        column("operator", sa.String(128)),
        column("ticket", sa.String(128)),
        column("session", IDENT),
        column("total", sa.Integer),
        reference("undoes_id", "bulks.id", sa.Integer),
        column("created_at", MOMENT),
        sa.Column("ended_at", MOMENT),
        sa.Index("ix_bulks_account_id_id", "account_id", "id"),
        sa.Index("ix_bulks_state", "state", "id"),
    )
    op.create_table(
        "drafts",
        number(),
        column("operator", sa.String(128)),
        account(),
        column("kind", sa.String(32)),
        column("subject", sa.String(64)),
        column("title", sa.String(320)),
        column("content", DOCUMENT),
        column("updated_at", MOMENT),
        sa.UniqueConstraint("operator", "account_id", "kind", "subject"),
    )
    op.create_table(
        "objects",
        column("id", IDENT, primary_key=True),
        account(),
        column("service_id", sa.String(64)),
        column("name", sa.String(256)),
        column("sort_key", KEY),
        column("address", sa.String(320)),
        column("details", DOCUMENT),
        column("created_at", MOMENT),
        sa.Column("removed_at", MOMENT),
        column("version", sa.Integer),
        sa.Index("ix_objects_listing", "account_id", "service_id", "sort_key", "id"),
    )
    op.create_table(
        "recents",
        column("operator", sa.String(128), primary_key=True),
        account(primary_key=True),
        column("user_id", IDENT, primary_key=True),
        column("at", MOMENT),
        sa.Index("ix_recents_operator_at", "operator", "at"),
    )
    op.create_table(
        "statements",
        number(),
        account(),
        column("period", sa.String(7)),
        column("document", DOCUMENT),
        column("closed_at", MOMENT),
        sa.UniqueConstraint("account_id", "period"),
    )
    op.create_table(
        "templates",
        number(),
        account(),
        column("name", sa.String(200)),
        column("name_key", KEY),
        column("content", DOCUMENT),
        column("operator", sa.String(128)),
        column("updated_at", MOMENT),
        column("version", sa.Integer),
        sa.UniqueConstraint("account_id", "name_key"),
    )
    op.create_table(
        "members",
        number(),
        reference("object_id", "objects.id", nullable=False),
        column("role", sa.String(16)),
        column("subject_id", IDENT),
        reference("user_id", "users.id", index=True),
        reference("member_id", "objects.id", index=True),
        sa.UniqueConstraint("object_id", "role", "subject_id"),
    )
    op.create_table(
        "bulk_items",
        number(),
        reference("bulk_id", "bulks.id", sa.Integer, nullable=False),
        reference("user_id", "users.id"),
        reference("assignment_id", "assignments.id"),
        column("name", sa.String(320)),
        column("state", sa.String(16)),
        column("reason", sa.Text),
        reference("request_id", "requests.id", sa.Integer, index=True),
        column("previous", DOCUMENT),
        sa.Index("ix_bulk_items_state", "bulk_id", "state", "id"),
    )
    op.create_table(
        "schedules",
        number(),
        account(),
        reference("user_id", "users.id", nullable=False, index=True),
        column("action", sa.String(32)),
        column("params", DOCUMENT),
        column("due_at", MOMENT),
        column("time_zone", sa.String(64)),
        column("state", sa.String(16)),
        column("said", sa.Text),
        reference("request_id", "requests.id", sa.Integer),
        column("operator", sa.String(128)),
        column("ticket", sa.String(128)),
        column("session", IDENT),
        column("created_at", MOMENT),
        sa.Column("ended_at", MOMENT),
        column("version", sa.Integer),
        sa.Index("ix_schedules_account_id_due_at", "account_id", "due_at"),
        sa.Index("ix_schedules_state", "state", "due_at"),
    )
    with op.batch_alter_table("addresses") as batch:
        batch.add_column(sa.Column("object_id", IDENT))
        batch.alter_column("user_id", existing_type=IDENT, nullable=True)
        batch.create_foreign_key(op.f("fk_addresses_object_id"), "objects", ["object_id"], ["id"])
        batch.create_check_constraint(
            op.f("ck_addresses_one_owner"), "(user_id IS NULL) <> (object_id IS NULL)"
        )
        batch.create_index("ix_addresses_object_id", ["object_id"])
    op.execute(
        "ALTER TABLE assignments ADD COLUMN object_id VARCHAR(32)"
        " CONSTRAINT fk_assignments_object_id REFERENCES objects (id)"
    )
    op.create_index("ix_assignments_object_id", "assignments", ["object_id"])
    op.create_index(
        "ix_assignments_drift",
        "assignments",
        ["account_id", "user_id"],
        sqlite_where=sa.text("drift IS 1"),
        postgresql_where=sa.text("drift IS true"),
    )
    for table, added in (
        ("accounts", sa.Column("approval_above_minor", sa.Integer)),
        ("audit", column("session", IDENT, server_default="")),
        ("audit", sa.Column("assignment_id", IDENT)),
        ("audit", sa.Column("bulk_id", sa.Integer)),
        ("audit", sa.Column("command", DOCUMENT)),
        ("orders", sa.Column("decided_at", MOMENT)),
        ("orders", column("decided_by", sa.String(128), server_default="")),
        ("orders", column("reason", sa.Text, server_default="")),
        ("users", sa.Column("purged_at", MOMENT)),
    ):
        op.add_column(table, added)
    op.create_index("ix_audit_session_id", "audit", ["session", "id"])
