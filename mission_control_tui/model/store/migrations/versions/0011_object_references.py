"""What settings of objects (groups, contacts, shared mailboxes) refer to, by id, and which of their values are unique.

What names nobody, or what somebody else has, stays as it is stored, and is noted for people.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0011"
down_revision = "0010"

DOCUMENT = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
PEOPLE = frozenset({"user", "users"})

assignments = sa.table(
    "assignments",
    *(sa.column(name) for name in ("id", "account_id", "object_id", "service_id", "wish")),
    sa.column("settings", DOCUMENT),
)
users = sa.table(
    "users", *(sa.column(name) for name in ("id", "account_id", "username_key", "in_bin"))
)
objects = sa.table("objects", *(sa.column(name) for name in ("id", "removed_at")))
addresses = sa.table(
    "addresses", *(sa.column(name) for name in ("account_id", "user_id", "object_id", "key"))
)
domains = sa.table("domains", *(sa.column(name) for name in ("account_id", "name", "removed_at")))
references = sa.table(
    "setting_references",
    *(sa.column(name) for name in ("assignment_id", "option_id", "value", "user_id", "object_id")),
)
claims = sa.table(
    "setting_claims",
    *(sa.column(name) for name in ("assignment_id", "service_id", "option_id", "value")),
)
unsettled = sa.table(
    "unsettled_settings",
    *(sa.column(name) for name in ("account_id", "assignment_id", "option_id", "value", "reason")),
)


def upgrade() -> None:
    move(op.get_bind())


def move(connection: sa.Connection) -> None:
    """Look at all settings of objects that are wished for."""
    for service, options in _services(connection):
        rows = connection.execute(
            sa.select(assignments)
            .where(
                assignments.c.service_id == service,
                assignments.c.object_id.is_not(None),
                assignments.c.wish != "absent",
            )
            .order_by(assignments.c.id)
        ).all()
        for row in rows:
            for option in options:
                for text in _texts((row.settings or {}).get(option["id"])):
                    _settle(connection, row, option, text)


def _services(connection: sa.Connection) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Yield services of objects with those of their options that are looked at."""
    document = connection.scalar(
        sa.text("SELECT document FROM catalogue_versions ORDER BY number DESC LIMIT 1")
    )
    stored = json.loads(document) if isinstance(document, str) else document or {}
    for service in stored.get("catalogue", {}).get("services", ()):
        options = [
            option
            for option in service.get("options", ())
            if option["type"] in PEOPLE | {"recipient", "domain"} or option.get("unique")
        ]
        if service.get("subject") == "object" and options:
            yield service["id"], options


def _texts(value: object) -> list[str]:
    entries = value if isinstance(value, list) else [value]
    return [entry for entry in entries if isinstance(entry, str) and entry]


def _settle(connection: sa.Connection, row: Any, option: dict[str, Any], text: str) -> None:
    kind = option["type"]
    if kind in PEOPLE or kind == "recipient":
        target = _target(connection, row, kind, text)
        if target is not None:
            values = {"assignment_id": row.id, "option_id": option["id"], "value": text}
            connection.execute(sa.insert(references).values(**values, **target))
        elif kind in PEOPLE or _is_own(connection, row, text.rpartition("@")[2]):
            _note(connection, row, option, text, "nobody")
    elif kind == "domain" and not _is_own(connection, row, text):
        _note(connection, row, option, text, "not own")
        return
    if option.get("unique") or (kind == "domain" and option.get("unique") is None):
        _claim(connection, row, option, text)


def _target(
    connection: sa.Connection, row: Any, kind: str, text: str
) -> dict[str, str | None] | None:
    """Return who of the account is meant, None for nobody."""
    key = text.strip().casefold()
    held = connection.execute(
        sa.select(addresses.c.user_id, addresses.c.object_id, users.c.in_bin, objects.c.removed_at)
        .outerjoin(users, users.c.id == addresses.c.user_id)
        .outerjoin(objects, objects.c.id == addresses.c.object_id)
        .where(addresses.c.key == key, addresses.c.account_id == row.account_id)
    ).first()
    if held is not None and held.user_id is not None and not held.in_bin:
        return {"user_id": held.user_id, "object_id": None}
    if kind == "recipient":
        there = held is not None and held.object_id is not None and held.removed_at is None
        return {"user_id": None, "object_id": held.object_id} if held and there else None
    named = connection.scalar(
        sa.select(users.c.id).where(
            users.c.account_id == row.account_id,
            users.c.in_bin.is_(False),
            sa.or_(users.c.id == key, users.c.username_key == key),
        )
    )
    return {"user_id": named, "object_id": None} if named is not None else None


def _is_own(connection: sa.Connection, row: Any, name: str) -> bool:
    labels = name.casefold().removesuffix(".").split(".")
    above = [".".join(labels[start:]) for start in range(len(labels))]
    found = connection.scalar(
        sa.select(sa.func.count()).where(
            domains.c.account_id == row.account_id,
            domains.c.removed_at.is_(None),
            domains.c.name.in_(above),
        )
    )
    return bool(found)


def _claim(connection: sa.Connection, row: Any, option: dict[str, Any], text: str) -> None:
    key = {"service_id": row.service_id, "option_id": option["id"], "value": text.casefold()}
    same = [claims.c[name] == value for name, value in key.items()]
    if connection.execute(sa.select(claims.c.assignment_id).where(*same)).first() is not None:
        _note(connection, row, option, text, "taken")
        return
    connection.execute(sa.insert(claims).values(assignment_id=row.id, **key))


def _note(
    connection: sa.Connection, row: Any, option: dict[str, Any], text: str, reason: str
) -> None:
    connection.execute(
        sa.insert(unsettled).values(
            account_id=row.account_id,
            assignment_id=row.id,
            option_id=option["id"],
            value=text[:320],
            reason=reason,
        )
    )
