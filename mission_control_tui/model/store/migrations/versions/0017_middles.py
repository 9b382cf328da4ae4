"""What stands in the middle of a name, an address or a phone number is found in one row for each user."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"

_THREE_LETTERS = (
    """
    CREATE VIRTUAL TABLE search_inside USING fts5(
        names, phones, content = 'search_texts', content_rowid = 'id',
        tokenize = 'trigram case_sensitive 1', detail = none, columnsize = 0
    )
    """,
    """
    CREATE TRIGGER search_texts_insert AFTER INSERT ON search_texts
    BEGIN INSERT INTO search_inside (rowid, names, phones) VALUES (NEW.id, NEW.names, NEW.phones); END
    """,
    """
    CREATE TRIGGER search_texts_delete AFTER DELETE ON search_texts
    BEGIN
        INSERT INTO search_inside (search_inside, rowid, names, phones)
        VALUES ('delete', OLD.id, OLD.names, OLD.phones);
    END
    """,
    """
    CREATE TRIGGER search_texts_update AFTER UPDATE ON search_texts
    BEGIN
        INSERT INTO search_inside (search_inside, rowid, names, phones)
        VALUES ('delete', OLD.id, OLD.names, OLD.phones);
        INSERT INTO search_inside (rowid, names, phones) VALUES (NEW.id, NEW.names, NEW.phones);
    END
    """,
)
_FILL = """
    INSERT INTO search_texts (account_id, user_id, names, phones)
    SELECT min(account_id), user_id,
        coalesce({joined} FILTER (WHERE NOT {digits}), ''), coalesce({joined} FILTER (WHERE {digits}), '')
    FROM search_terms WHERE term < '<' OR term >= '=' GROUP BY user_id
"""
_SQLITE = {"joined": "group_concat(char(10) || term, '')", "digits": "(term NOT GLOB '*[^0-9]*')"}
_POSTGRESQL = {
    "joined": "string_agg(chr(10) || term, '')",
    "digits": "(term ~ '^[0-9]+$')",
}


def upgrade() -> None:
    text = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
    op.create_table(
        "search_texts",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("account_id", sa.Integer, sa.ForeignKey("accounts.id"), nullable=False),
        sa.Column("user_id", sa.String(32), sa.ForeignKey("users.id"), nullable=False, unique=True),
        sa.Column("names", text, nullable=False),
        sa.Column("phones", text, nullable=False),
    )
    sqlite = op.get_bind().dialect.name == "sqlite"
    op.execute(_FILL.format(**(_SQLITE if sqlite else _POSTGRESQL)))
    if sqlite:
        for statement in _THREE_LETTERS:
            op.execute(statement)
        op.execute("INSERT INTO search_inside (search_inside) VALUES ('rebuild')")
