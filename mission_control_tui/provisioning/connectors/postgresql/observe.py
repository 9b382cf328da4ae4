"""One row of PostgreSQL's catalogue as an observed object."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mission_control_tui.connect import Note, ObservedState, Wish
from mission_control_tui.provisioning.connectors.postgresql.statements import UNLIMITED

ROLE, DATABASE, ISOLATION = "role", "database", "isolation"
FACTS = ("owner", "accepts_connections", "public_connect")
"""The attributes that the database itself says."""
OWNERS = "owners"
"""The attribute with [installation, key] of the comments of role and database."""


def observed_state(row: Mapping[str, Any]) -> ObservedState:
    """Return what a row of the statement LOOK says.

    The role's comment is the authority: a tenant owns its database and could write there what it
    likes. A database that is neither the role's nor marked as the role is makes the whole unmarked.
    """
    role, database = bool(row["role_exists"]), bool(row["database_exists"])
    if not role and not database:
        return ObservedState(exists=False, attributes=_surroundings(row))
    on_database = Note.from_text(row["database_comment"])
    comment = Note.from_text(row["role_comment"]) if role else on_database
    strange = role and database and row["owner"] != row["name"]
    if strange and comment is not None and on_database is not None:
        strange = not comment.mark.same_owner(on_database.mark)
    return ObservedState(
        exists=True,
        mark=comment.mark if comment and not strange else None,
        wish=Wish.SUSPENDED if role and not row["can_login"] else Wish.PRESENT,
        level=comment.level if comment else "",
        limits={"connection_limit": limit_word(row["connections"])} if role else {},
        attributes={
            **({fact: row[fact] for fact in FACTS} if database else {}),
            **_surroundings(row),
            OWNERS: [
                [found.mark.installation, found.mark.key]
                for found in (comment, on_database)
                if found
            ],
        },
        external_id=row["name"],
        complete=role and database,
        missing=tuple(part for part, there in ((ROLE, role), (DATABASE, database)) if not there),
        secret_generation=comment.secret_generation if role and comment else 0,
        secret_id=comment.secret_id if role and comment else "",
        kept=("password", "database") if role and database else (),
        unadoptable=_unadoptable(row),
    )


def _unadoptable(row: Mapping[str, Any]) -> str:
    """Return why role and database of this name are no whole that could be taken over."""
    name, owner = row["name"], row["owner"]
    if not row["role_exists"]:
        return f"there is only a database {name}, which belongs to the role {owner}"
    if not row["database_exists"]:
        return f"there is only a role {name}, and no database of its name"
    if owner != name:
        return f"the database {name} belongs to the role {owner}"
    if row["privileges"]:
        return f"the role {name} has rights that no tenant may have: {' '.join(row['privileges'])}"
    return ""


def limit_word(connections: int) -> int | str:
    """Return a connection limit for people and for comparison: a number, or "unlimited"."""
    return "unlimited" if connections == UNLIMITED else connections


def _surroundings(row: Mapping[str, Any]) -> dict[str, object]:
    return {
        "privileges": list(row["privileges"]),
        "open_sessions": row["open_sessions"],
        "open_databases": list(row["open_databases"]),
    }
