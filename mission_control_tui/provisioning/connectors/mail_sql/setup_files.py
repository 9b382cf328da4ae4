"""The files that a mail server needs: the tables' SQL, and Dovecot's and Postfix's configuration as examples."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from mission_control_tui.provisioning.connectors.mail_sql.tables import POSTGRESQL, SQLITE, schema

PORTS: Mapping[str, int] = {
    "IMAP": 10143,
    "WEB": 10144,
    "POP": 10110,
    "LMTP": 10024,
    "AUTH": 10125,
    "SMTP": 10025,
}
_DOVECOT = ("dovecot.conf", "dovecot-sql.conf", "dovecot-delegates.conf", "dovecot-dict.conf")
_POSTFIX = tuple(f"postfix-{name}.cf" for name in ("domains", "mailboxes", "routes", "senders"))
EXAMPLES = (*_DOVECOT, "main.cf", "master.cf", *_POSTFIX)


@dataclass(frozen=True, slots=True)
class PostgresLogin:
    """How Dovecot and Postfix reach the mail database on PostgreSQL, by a role that reads it."""

    host: str = "127.0.0.1"
    port: int = 5432
    database: str = "mail"
    user: str = "mailserver"
    password: str = "CHANGE-ME"


def write_setup(
    directory: Path,
    database: Path | PostgresLogin,
    *,
    user: str = "mail",
    ports: Mapping[str, int] = PORTS,
) -> list[Path]:
    """Write `schema.sql` and the examples into `directory`, for the system's user that owns the mail; return them.

    Only root and the group of `user` may read them: with PostgreSQL they have its password.
    """
    directory = directory.absolute()
    words = {
        "DIR": str(directory),
        "MAIL": str(directory / "mail"),
        "USER": user,
        **{name: str(port) for name, port in ports.items()},
    }
    if isinstance(database, PostgresLogin):
        kind = POSTGRESQL
        words.update(_of_postgresql(database))
    else:
        kind, path = SQLITE, str(database.absolute())
        words.update(DRIVER="sqlite", MAPS="sqlite", CONNECT=path, POSTFIX=f"dbpath = {path}")
    made = {"schema.sql": schema(kind)}
    examples = files(__package__) / "examples"
    for name in EXAMPLES:
        text = (examples / name).read_text()
        for word, value in words.items():
            text = text.replace(f"@{word}@", value)
        made[name] = text
    directory.mkdir(parents=True, exist_ok=True)
    for name, text in made.items():
        path_made = directory / name
        path_made.touch(mode=0o640)
        path_made.write_text(text)
        if os.geteuid() == 0:
            shutil.chown(path_made, group=user)
    return [directory / name for name in made]


def _of_postgresql(login: PostgresLogin) -> dict[str, str]:
    return {
        "DRIVER": "pgsql",
        "MAPS": "pgsql",
        "CONNECT": f"host={login.host} port={login.port} dbname={login.database}"
        f" user={login.user} password={login.password}",
        "POSTFIX": f"hosts = {login.host}:{login.port}\nuser = {login.user}\n"
        f"password = {login.password}\ndbname = {login.database}",
    }
