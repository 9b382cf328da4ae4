"""What settings refer to, by id; values that are unique; and what was stored that has to be settled.

Texts that name a user or group of the account become references. Options that are addresses move among the user's
aliases. What cannot (somebody else has it, nobody is called so) stays as it is stored, and is noted for people.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0008"
down_revision = "0007"

DOCUMENT = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
IDENT = sa.String(32)
SLUG = sa.String(64)
VALUE = sa.String(320).with_variant(sa.String(320, collation="C"), "postgresql")
AT_ONCE = 500

ADDRESS, RECIPIENT, USER, DOMAIN = "address", "recipient", "user", "domain"
KINDS = {
    "user": USER,
    "users": USER,
    "domain": DOMAIN,
    "address": ADDRESS,
    "addresses": ADDRESS,
    "recipient": RECIPIENT,
}
FORMER = {
    ("aliases", "emails"): ADDRESS,
    ("primary-address", "email"): ADDRESS,
    ("forward-to", "email"): RECIPIENT,
}

assignments = sa.table(
    "assignments",
    sa.column("id", IDENT),
    sa.column("account_id", sa.Integer),
    sa.column("user_id", IDENT),
    sa.column("service_id", SLUG),
    sa.column("wish", sa.String(16)),
    sa.column("settings", DOCUMENT),
)
users = sa.table(
    "users",
    sa.column("id", IDENT),
    sa.column("account_id", sa.Integer),
    sa.column("username_key", sa.String),
    sa.column("in_bin", sa.Boolean),
)
objects = sa.table(
    "objects",
    sa.column("id", IDENT),
    sa.column("removed_at", sa.DateTime),
)
addresses = sa.table(
    "addresses",
    sa.column("id", sa.Integer),
    sa.column("account_id", sa.Integer),
    sa.column("user_id", IDENT),
    sa.column("object_id", IDENT),
    sa.column("address", sa.String),
    sa.column("key", VALUE),
    sa.column("kind", sa.String),
    sa.column("is_primary", sa.Boolean),
)
domains = sa.table(
    "domains",
    sa.column("account_id", sa.Integer),
    sa.column("name", sa.String),
    sa.column("removed_at", sa.DateTime),
)
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
    _make_tables()
    connection = op.get_bind()
    kinds = dict(_kinds(connection))
    if kinds:
        _Move(connection, kinds).run()


def _make_tables() -> None:
    def column(name: str, kind: Any, *rules: Any, **more: Any) -> sa.Column[Any]:
        return sa.Column(name, kind, *rules, nullable=False, **more)

    def number() -> sa.Column[int]:
        return sa.Column("id", sa.Integer, primary_key=True)

    def assignment() -> sa.Column[Any]:
        return column("assignment_id", IDENT, sa.ForeignKey("assignments.id"), index=True)

    op.create_table(
        "setting_references",
        number(),
        assignment(),
        column("option_id", SLUG),
        column("value", sa.String(320)),
        sa.Column("user_id", IDENT, sa.ForeignKey("users.id"), index=True),
        sa.Column("object_id", IDENT, sa.ForeignKey("objects.id"), index=True),
    )
    op.create_table(
        "setting_claims",
        number(),
        assignment(),
        column("service_id", SLUG),
        column("option_id", SLUG),
        column("value", VALUE),
        sa.UniqueConstraint("service_id", "option_id", "value"),
    )
    op.create_table(
        "unsettled_settings",
        number(),
        column("account_id", sa.Integer, sa.ForeignKey("accounts.id"), index=True),
        assignment(),
        column("option_id", SLUG),
        column("value", sa.String(320)),
        column("reason", SLUG),
    )


def _kinds(connection: sa.Connection) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield services of users with those of their options that are looked at: option id -> kind."""
    document = connection.scalar(
        sa.text("SELECT document FROM catalogue_versions ORDER BY number DESC LIMIT 1")
    )
    if document is None:
        return
    stored = json.loads(document) if isinstance(document, str) else document
    for service in stored.get("catalogue", {}).get("services", ()):
        if service.get("subject", "user") != "user":
            continue
        found = {}
        for option in service.get("options", ()):
            kind = FORMER.get((option["id"], option["type"])) or KINDS.get(option["type"])
            if kind:
                found[option["id"]] = kind
        if found:
            yield service["id"], found


def _texts(value: object) -> list[str]:
    entries = value if isinstance(value, list) else [value]
    return [entry for entry in entries if isinstance(entry, str) and entry]


def _key(address: str) -> str:
    local, _, domain = address.strip().rpartition("@")
    domain = domain.strip().removesuffix(".").lower()
    if not domain.isascii():
        import idna

        try:
            domain = idna.encode(domain, uts46=True).decode("ascii")
        except (idna.IDNAError, UnicodeError):
            return address.strip().casefold()
    return f"{local.casefold()}@{domain}"


class _Move:
    """Goes through the settings of all services that are wished for, some at a time."""

    def __init__(self, connection: sa.Connection, kinds: Mapping[str, Mapping[str, str]]) -> None:
        self._connection = connection
        self._kinds = kinds
        self._held: dict[str, Any] = {}
        self._claimed: set[tuple[str, str, str]] = set()
        self._moved = False
        self._domains: dict[int, set[str]] = {}
        rows = connection.execute(
            sa.select(domains.c.account_id, domains.c.name).where(domains.c.removed_at.is_(None))
        )
        for account_id, name in rows:
            self._domains.setdefault(account_id, set()).add(name)

    def run(self) -> None:
        after = ""
        while True:
            rows = self._connection.execute(
                sa.select(assignments)
                .where(
                    assignments.c.id > after,
                    assignments.c.user_id.is_not(None),
                    assignments.c.wish != "absent",
                    assignments.c.service_id.in_(self._kinds),
                )
                .order_by(assignments.c.id)
                .limit(AT_ONCE)
            ).all()
            if not rows:
                break
            self._look_up(rows)
            for row in rows:
                self._settle(row)
            after = rows[-1].id
        if self._moved:
            self._connection.execute(sa.text("UPDATE installation SET folding = 0, folded_to = ''"))

    def _look_up(self, rows: Sequence[Any]) -> None:
        keys = sorted(
            {
                _key(text)
                for row in rows
                for option, kind in self._kinds[row.service_id].items()
                if kind != DOMAIN
                for text in _texts(row.settings.get(option))
            }
        )
        for start in range(0, len(keys), AT_ONCE):
            found = self._connection.execute(
                sa.select(addresses, users.c.in_bin, objects.c.removed_at)
                .outerjoin(users, users.c.id == addresses.c.user_id)
                .outerjoin(objects, objects.c.id == addresses.c.object_id)
                .where(addresses.c.key.in_(keys[start : start + AT_ONCE]))
            )
            self._held.update((holder.key, holder) for holder in found)

    def _settle(self, row: Any) -> None:
        settings = dict(row.settings)
        for option, kind in self._kinds[row.service_id].items():
            if option not in settings:
                continue
            value = settings[option]
            if kind == ADDRESS:
                left = [text for text in _texts(value) if not self._to_aliases(row, option, text)]
                if left:
                    settings[option] = left if isinstance(value, list) else left[0]
                elif value:
                    settings[option] = [] if isinstance(value, list) else None
                continue
            for text in _texts(value):
                self._look_at(row, option, kind, text)
        if settings != row.settings:
            self._connection.execute(
                sa.update(assignments).where(assignments.c.id == row.id).values(settings=settings)
            )

    def _look_at(self, row: Any, option: str, kind: str, text: str) -> None:
        """Note what a text means; it stays as it is stored, since the back end has it so."""
        if kind == DOMAIN:
            self._claim(row, option, text)
            return
        holder = self._held.get(_key(text))
        if holder is not None and holder.account_id != row.account_id:
            holder = None
        if holder is not None and holder.user_id and not holder.in_bin:
            self._refer(row, option, text, user_id=holder.user_id)
        elif (
            kind == RECIPIENT
            and holder is not None
            and holder.object_id
            and holder.removed_at is None
        ):
            self._refer(row, option, text, object_id=holder.object_id)
        elif kind == USER and (user_id := self._by_name(row, text)):
            self._refer(row, option, text, user_id=user_id)
        elif kind == USER or self._is_own(row, _key(text).rpartition("@")[2]):
            self._note(row, option, text, "nobody")

    def _by_name(self, row: Any, text: str) -> str:
        """Return the user of the account with this id or username, "" for none."""
        name = text.strip().casefold()
        found = self._connection.scalar(
            sa.select(users.c.id).where(
                users.c.account_id == row.account_id,
                users.c.in_bin.is_(False),
                sa.or_(users.c.id == name, users.c.username_key == name),
            )
        )
        return str(found or "")

    def _refer(self, row: Any, option: str, value: str, **target: str) -> None:
        values = {"assignment_id": row.id, "option_id": option, "value": value}
        none = {"user_id": None, "object_id": None}
        self._connection.execute(sa.insert(references).values(**values, **{**none, **target}))

    def _claim(self, row: Any, option: str, text: str) -> None:
        key = (row.service_id, option, text.casefold())
        if not self._is_own(row, text):
            self._note(row, option, text, "not own")
            return
        if key in self._claimed:
            self._note(row, option, text, "taken")
            return
        self._claimed.add(key)
        self._connection.execute(
            sa.insert(claims).values(
                assignment_id=row.id, service_id=key[0], option_id=option, value=key[2]
            )
        )

    def _is_own(self, row: Any, name: str) -> bool:
        labels = name.casefold().split(".")
        own = self._domains.get(row.account_id, set())
        return any(".".join(labels[start:]) in own for start in range(len(labels)))

    def _to_aliases(self, row: Any, option: str, text: str) -> bool:
        """Make an address the user's own, and the primary one where the option is; False where it cannot be."""
        key = _key(text)
        holder = self._held.get(key)
        if holder is not None and holder.user_id != row.user_id:
            self._note(row, option, text, "taken")
            return False
        if holder is None:
            if key.rpartition("@")[2] not in self._domains.get(row.account_id, set()):
                self._note(row, option, text, "not own")
                return False
            values = {
                "account_id": row.account_id,
                "user_id": row.user_id,
                "object_id": None,
                "address": text,
                "key": key,
                "kind": "alias",
                "is_primary": False,
            }
            self._connection.execute(sa.insert(addresses).values(**values))
            self._moved = True
            self._look_up_again(key)
        if not isinstance(row.settings[option], list):
            mine = addresses.c.user_id == row.user_id
            self._connection.execute(sa.update(addresses).where(mine).values(is_primary=False))
            this = addresses.c.key == key
            self._connection.execute(sa.update(addresses).where(this).values(is_primary=True))
        return True

    def _look_up_again(self, key: str) -> None:
        found = self._connection.execute(
            sa.select(addresses, users.c.in_bin)
            .join(users, users.c.id == addresses.c.user_id)
            .where(addresses.c.key == key)
        )
        self._held[key] = found.one()

    def _note(self, row: Any, option: str, text: str, reason: str) -> None:
        self._connection.execute(
            sa.insert(unsettled).values(
                account_id=row.account_id,
                assignment_id=row.id,
                option_id=option,
                value=text[:320],
                reason=reason,
            )
        )
