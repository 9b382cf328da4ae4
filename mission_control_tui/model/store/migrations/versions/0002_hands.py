"""The operator's hands: bulks, schedules, templates, drafts, sessions, recents, objects, statements, approval."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

DOCUMENT = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def bytewise(length: int) -> sa.String:
    return sa.String(length).with_variant(sa.String(length, collation="C"), "postgresql")


def text_column(name: str, length: int) -> sa.Column[str]:
    return sa.Column(name, sa.String(length=length), nullable=False, server_default="")


def upgrade() -> None:
    op.create_table(
        "sessions",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("operator", sa.String(length=128), nullable=False),
        sa.Column("host", sa.String(length=255), nullable=False),
        sa.Column("pid", sa.Integer(), nullable=False),
        sa.Column("pid_started", sa.Float(), nullable=False),
        sa.Column("place", DOCUMENT, nullable=False),
        sa.Column("ticket", sa.String(length=128), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended", sa.String(length=16), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sessions")),
    )
    op.create_index("ix_sessions_operator", "sessions", ["operator", "seen_at"], unique=False)

    op.create_table(
        "bulks",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("action", sa.String(length=32), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("params", DOCUMENT, nullable=False),
        sa.Column("operator", sa.String(length=128), nullable=False),
        sa.Column("ticket", sa.String(length=128), nullable=False),
        sa.Column("session", sa.String(length=32), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("undoes_id", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_bulks_account_id")),
        sa.ForeignKeyConstraint(["undoes_id"], ["bulks.id"], name=op.f("fk_bulks_undoes_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bulks")),
    )
    op.create_index("ix_bulks_account_id_id", "bulks", ["account_id", "id"], unique=False)
    op.create_index("ix_bulks_state", "bulks", ["state", "id"], unique=False)

    op.create_table(
        "drafts",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("operator", sa.String(length=128), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("subject", sa.String(length=64), nullable=False),
        sa.Column("title", sa.String(length=320), nullable=False),
        sa.Column("content", DOCUMENT, nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_drafts_account_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_drafts")),
        sa.UniqueConstraint(
            "operator",
            "account_id",
            "kind",
            "subject",
            name=op.f("uq_drafts_operator_account_id_kind_subject"),
        ),
    )
    op.create_table(
        "objects",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("service_id", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=256), nullable=False),
        sa.Column("sort_key", bytewise(320), nullable=False),
        sa.Column("address", sa.String(length=320), nullable=False),
        sa.Column("details", DOCUMENT, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_objects_account_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_objects")),
    )
    op.create_index(
        "ix_objects_listing",
        "objects",
        ["account_id", "service_id", "sort_key", "id"],
        unique=False,
    )

    op.create_table(
        "recents",
        sa.Column("operator", sa.String(length=128), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.String(length=32), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_recents_account_id")
        ),
        sa.PrimaryKeyConstraint("operator", "account_id", "user_id", name=op.f("pk_recents")),
    )
    op.create_index("ix_recents_operator_at", "recents", ["operator", "at"], unique=False)

    op.create_table(
        "statements",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("period", sa.String(length=7), nullable=False),
        sa.Column("document", DOCUMENT, nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_statements_account_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_statements")),
        sa.UniqueConstraint("account_id", "period", name=op.f("uq_statements_account_id_period")),
    )
    op.create_table(
        "templates",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("name_key", bytewise(320), nullable=False),
        sa.Column("content", DOCUMENT, nullable=False),
        sa.Column("operator", sa.String(length=128), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_templates_account_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_templates")),
        sa.UniqueConstraint(
            "account_id", "name_key", name=op.f("uq_templates_account_id_name_key")
        ),
    )
    op.create_table(
        "members",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("object_id", sa.String(length=32), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("subject_id", sa.String(length=32), nullable=False),
        sa.Column("user_id", sa.String(length=32), nullable=True),
        sa.Column("member_id", sa.String(length=32), nullable=True),
        sa.ForeignKeyConstraint(["member_id"], ["objects.id"], name=op.f("fk_members_member_id")),
        sa.ForeignKeyConstraint(["object_id"], ["objects.id"], name=op.f("fk_members_object_id")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_members_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_members")),
        sa.UniqueConstraint(
            "object_id", "role", "subject_id", name=op.f("uq_members_object_id_role_subject_id")
        ),
    )
    op.create_index("ix_members_member_id", "members", ["member_id"], unique=False)
    op.create_index("ix_members_user_id", "members", ["user_id"], unique=False)

    op.create_table(
        "bulk_items",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("bulk_id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.String(length=32), nullable=True),
        sa.Column("assignment_id", sa.String(length=32), nullable=True),
        sa.Column("name", sa.String(length=320), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("request_id", sa.Integer(), nullable=True),
        sa.Column("previous", DOCUMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["assignment_id"], ["assignments.id"], name=op.f("fk_bulk_items_assignment_id")
        ),
        sa.ForeignKeyConstraint(["bulk_id"], ["bulks.id"], name=op.f("fk_bulk_items_bulk_id")),
        sa.ForeignKeyConstraint(
            ["request_id"], ["requests.id"], name=op.f("fk_bulk_items_request_id")
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_bulk_items_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bulk_items")),
    )
    op.create_index("ix_bulk_items_request_id", "bulk_items", ["request_id"], unique=False)
    op.create_index("ix_bulk_items_state", "bulk_items", ["bulk_id", "state", "id"], unique=False)

    op.create_table(
        "schedules",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.String(length=32), nullable=False),
        sa.Column("action", sa.String(length=32), nullable=False),
        sa.Column("params", DOCUMENT, nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("time_zone", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("said", sa.Text(), nullable=False),
        sa.Column("request_id", sa.Integer(), nullable=True),
        sa.Column("operator", sa.String(length=128), nullable=False),
        sa.Column("ticket", sa.String(length=128), nullable=False),
        sa.Column("session", sa.String(length=32), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_schedules_account_id")
        ),
        sa.ForeignKeyConstraint(
            ["request_id"], ["requests.id"], name=op.f("fk_schedules_request_id")
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_schedules_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_schedules")),
    )
    op.create_index(
        "ix_schedules_account_id_due_at", "schedules", ["account_id", "due_at"], unique=False
    )
    op.create_index("ix_schedules_state", "schedules", ["state", "due_at"], unique=False)
    op.create_index("ix_schedules_user_id", "schedules", ["user_id"], unique=False)

    op.add_column("accounts", sa.Column("approval_above_minor", sa.Integer(), nullable=True))
    with op.batch_alter_table("addresses") as batch:
        batch.add_column(sa.Column("object_id", sa.String(length=32), nullable=True))
        batch.alter_column("user_id", existing_type=sa.String(length=32), nullable=True)
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
    op.add_column("audit", text_column("session", 32))
    op.add_column("audit", sa.Column("assignment_id", sa.String(length=32), nullable=True))
    op.add_column("audit", sa.Column("bulk_id", sa.Integer(), nullable=True))
    op.add_column("audit", sa.Column("command", DOCUMENT, nullable=True))
    op.create_index("ix_audit_session_id", "audit", ["session", "id"])
    op.add_column("orders", sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("orders", text_column("decided_by", 128))
    op.add_column("orders", sa.Column("reason", sa.Text(), nullable=False, server_default=""))
    op.add_column("users", sa.Column("purged_at", sa.DateTime(timezone=True), nullable=True))
