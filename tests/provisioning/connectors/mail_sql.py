"""The mail database as a back end of the contract suite, looked into past its connector by Dovecot."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sqlite3
from dataclasses import dataclass
from pathlib import Path

import psycopg

from mission_control_tui.provisioning.connectors.mail_sql.connector import MailSQL
from mission_control_tui.provisioning.connectors.mail_sql.setup_files import PostgresLogin
from mission_control_tui.provisioning.connectors.mail_sql.tables import schema
from mission_control_tui.provisioning.guard import Guarded
from mission_control_tui.provisioning.registry import load
from mission_control_tui.testing.back_ends import BackEnd
from tests.mail_server import MailServer
from tests.postgres import PostgresServer
from tests.provisioning.connectors.support import INSTALLATION

LEVELS: dict[str, dict[str, object]] = {
    "small": {"protocols": ["pop"], "quota_mb": 10},
    "large": {"protocols": ["pop", "imap"], "quota_mb": 20},
}
WRITER, READER = "mailwriter", "mailserver"
PAGE = Path(__file__).parents[3] / "docs" / "connectors.md"


def rights() -> str:
    """The page's own statements that make the two roles."""
    section = PAGE.read_text().split("\n## mail-sql\n")[1]
    return section.split("<!-- run: mail-sql-rights -->\n```sql\n")[1].split("```")[0]


def make_database(postgres: PostgresServer) -> PostgresLogin:
    """A database with the mail tables, and how Dovecot's role reaches it."""
    name = postgres.create_database()
    words = {
        "'choose one'": "'writes'",
        "'another'": "'reads'",
        "DATABASE mail": f"DATABASE {name}",
    }
    granted = rights()
    for word, instead in words.items():
        granted = granted.replace(word, instead)
    with psycopg.connect(postgres.dsn(name), autocommit=True) as connection:
        connection.execute(schema("postgresql").encode())
        connection.execute(granted.encode())
    return PostgresLogin(postgres.host, postgres.port, name, READER, "reads")


OPTIONS = {"forward-to": "a@elsewhere.example", "keep-copy": True}
OTHER_OPTIONS = {"forward-to": "b@elsewhere.example", "keep-copy": False}


@dataclass
class MailSqlBackEnd(BackEnd):
    """The tables in SQLite or PostgreSQL, with a Dovecot that looks into them."""

    server: MailServer
    service = "databases"
    limits = LEVELS
    options = OPTIONS
    other_options = OTHER_OPTIONS
    declares = MailSQL.declares

    def table(self, **settings: object) -> dict[str, object]:
        """The connector's table, with the password in the environment."""
        where = self.server.database
        table: dict[str, object] = {"type": "mail-sql", "mode": "enabled", "adopt": "allow"}
        if isinstance(where, Path):
            return {**table, "path": str(where), **settings}
        os.environ["TEST_MAIL_PASSWORD"] = "writes"
        return {
            **table,
            "host": where.host,
            "port": where.port,
            "database": where.database,
            "user": WRITER,
            "password_env": "TEST_MAIL_PASSWORD",
            **settings,
        }

    async def open(self, installation: str = INSTALLATION, **settings: object) -> Guarded:
        return await load("back_end", self.table(**settings), installation)

    async def can_log_in(self, name: str, password: str) -> bool:
        return not await asyncio.to_thread(self.server.why_not, name, password, "pop")

    async def make_unadoptable(self, name: str) -> bool:
        statement = f"INSERT INTO mail_object (name, kind) VALUES ('{name}', 'group')"
        where = self.server.database
        if isinstance(where, Path):
            with contextlib.closing(sqlite3.connect(where, timeout=20)) as file, file:
                file.execute(statement)
            return True
        with psycopg.connect(
            host=where.host, port=where.port, dbname=where.database, user=WRITER, password="writes"
        ) as connection:
            connection.execute(statement.encode())
        return True

    async def written(self, name: str) -> object:
        query = "SELECT installation, key, epoch, generation, attempt, {} FROM {} WHERE name = '{}'"
        statements = [
            query.format("level, quota_mb, protocols, active, login", "mail_object", name),
            query.format("home, keep_until", "mail_removed", name),
        ]
        where = self.server.database
        if isinstance(where, Path):
            with contextlib.closing(sqlite3.connect(where, timeout=20)) as file:
                return [file.execute(statement).fetchall() for statement in statements]
        with psycopg.connect(
            host=where.host, port=where.port, dbname=where.database, user=WRITER, password="writes"
        ) as connection:
            return [connection.execute(statement.encode()).fetchall() for statement in statements]
