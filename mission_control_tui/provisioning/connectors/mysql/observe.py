"""What a server says about one name, as an observed object."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mission_control_tui.connect import UNLIMITED, DesiredState, Note, ObservedState, Usage, Wish
from mission_control_tui.provisioning.connectors.mysql import statements as sql
from mission_control_tui.provisioning.connectors.mysql.session import Session

ACCOUNT, DATABASE = "account", "database"
RIGHTS, ELSEWHERE, OPEN_SESSIONS = "rights", "other_databases", "open_sessions"
CONNECTION_LIMIT = "connection_limit"
RESOURCES: Mapping[str, tuple[str, str]] = {
    CONNECTION_LIMIT: ("max_user_connections", "MAX_USER_CONNECTIONS"),
    "queries_per_hour": ("max_questions", "MAX_QUERIES_PER_HOUR"),
    "updates_per_hour": ("max_updates", "MAX_UPDATES_PER_HOUR"),
    "connections_per_hour": ("max_connections", "MAX_CONNECTIONS_PER_HOUR"),
}
"""Limit of a level -> the column of mysql.user, and the word of CREATE USER; 0 is without end."""
USAGE = "database"


def owner_of(desired: DesiredState) -> str:
    """Return the assignment as the table of marks names it."""
    return f"{desired.mark.installation}/{desired.mark.key}"


@dataclass(frozen=True, slots=True)
class Place:
    """Where objects are on a server: the hosts of their accounts, and the schema with our table."""

    hosts: str
    schema: str

    @property
    def table(self) -> str:
        """The table of marks, quoted."""
        return sql.table_of(self.schema)


def has_table(session: Session, place: Place) -> bool:
    """Tell whether marks were ever written there."""
    return session.row(sql.HAS_TABLE, (place.schema,)) is not None


def look(session: Session, place: Place, desired: DesiredState) -> ObservedState:
    """Return the state of the account and the database of the wish's name."""
    name, at = desired.name, (desired.name, place.hosts)
    account = session.row(sql.ACCOUNT, at)
    database = session.row(sql.DATABASE, (name, name)) is not None
    marks = (
        session.rows(sql.MARKS.format(table=place.table), (name,))
        if has_table(session, place)
        else []
    )
    if account is None and not database:
        ours = (Note.from_text(row["note"]) for row in marks if row["owner"] == owner_of(desired))
        note = next(ours, None)
        others = _other_hosts(session, at)
        return ObservedState(False, note.mark if note else None, attributes={"hosts": others})
    live = next((row["note"] for row in marks if row["removed"] is None), None)
    note = Note.from_text(live)
    grants = session.rows(sql.GRANTS, at)
    own = sql.in_grants(name)
    has_rights = any(row["name"] == own and row["whole"] for row in grants)
    size = session.row(sql.SIZE, (name,)) if database else None
    megabytes = round(float((size or {}).get("bytes") or 0) / 2**20, 1)
    return ObservedState(
        exists=True,
        mark=note.mark if note else None,
        wish=Wish.SUSPENDED if account and _is_true(account["locked"]) else Wish.PRESENT,
        level=note.level if note else "",
        limits=_limits(account) if account else {},
        attributes={
            RIGHTS: has_rights,
            ELSEWHERE: sorted(row["name"] for row in grants if row["name"] != own),
            OPEN_SESSIONS: (session.row(sql.SESSIONS, (name,)) or {}).get("number", 0) > 0,
            "privileges": _privileges(account),
            "hosts": _other_hosts(session, at),
        },
        external_id=name,
        complete=account is not None and database,
        missing=tuple(
            part
            for part, there in ((ACCOUNT, account is not None), (DATABASE, database))
            if not there
        ),
        secret_generation=note.secret_generation if account and note else 0,
        secret_id=note.secret_id if account and note else "",
        usage={USAGE: Usage(megabytes, unit="MB")} if database else {},
        kept=("password", f"{megabytes:g} MB") if account else (f"{megabytes:g} MB",),
        unadoptable=_unadoptable(
            account is not None, database, [row["name"] for row in grants], name
        ),
    )


def _unadoptable(account: bool, database: bool, granted: Sequence[str], name: str) -> str:
    if account != database:
        there, lacks = ("user", "database") if account else ("database", "user")
        return f"there is a {there} of this name, and no {lacks}: find out whose it is"
    if account and name not in (pattern.replace("\\", "") for pattern in granted):
        return "the user has no rights in the database of its name, which may be somebody else's"
    return ""


def _other_hosts(session: Session, at: tuple[str, str]) -> list[str]:
    return sorted(row["host"] for row in session.rows(sql.OTHER_HOSTS, at))


def _limits(account: Mapping[str, Any]) -> dict[str, object]:
    found: dict[str, object] = {
        limit: int(account[column]) for limit, (column, _) in RESOURCES.items() if account[column]
    }
    return {CONNECTION_LIMIT: UNLIMITED, **found}


def _privileges(account: Mapping[str, Any] | None) -> list[str]:
    if account is None:
        return []
    everywhere = ["rights in all databases"] if int(account["privileges"]) else []
    return [*everywhere, *([f"the roles {account['roles']}"] if account["roles"] else [])]


def _is_true(value: object) -> bool:
    return value in (1, "1", "true", True)
