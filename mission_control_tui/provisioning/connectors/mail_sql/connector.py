"""Mailboxes, shared mailboxes and groups as rows of an SQL database that Dovecot and Postfix look into.

Each step is one transaction that looks again, compares the fence and writes mark and change together.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from dataclasses import replace

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from mission_control_tui.connect import (
    ADOPT,
    LASTING_FENCE,
    LEVELS,
    LIST,
    LIST_UNMARKED,
    MEMBERS,
    OWNER_MARK,
    PASSWORD,
    ROLE,
    SUSPEND,
    Applied,
    ChangePlan,
    ConnectorError,
    Context,
    Declaration,
    DesiredState,
    ErrorKind,
    FenceGrade,
    Health,
    LevelLimits,
    Limit,
    ObservedState,
    Page,
    Part,
    PlanAction,
    SettingsReader,
    Step,
    SubjectKind,
    Wish,
    blocked,
    plan_difference,
    step_to_do,
)
from mission_control_tui.provisioning.connectors.mail_sql import store
from mission_control_tui.provisioning.connectors.mail_sql.database import (
    MailDatabase,
    PostgresAddress,
)
from mission_control_tui.provisioning.connectors.mail_sql.errors import TABLES_REMEDY
from mission_control_tui.provisioning.connectors.mail_sql.passwords import argon2id
from mission_control_tui.provisioning.connectors.mail_sql.rows import (
    MAILBOX,
    OPTIONS,
    PROTOCOLS_LIMIT,
    QUOTA_LIMIT,
    TAKEN,
    TAKEN_BY_US,
    Kind,
    Policy,
    facts_of,
    observed_state,
    problem_of,
    quota_of,
)
from mission_control_tui.provisioning.connectors.mail_sql.tables import (
    POSTGRESQL,
    VERSION,
    VIEWS,
    WRITTEN,
    versions,
)

LIMITS = {QUOTA_LIMIT: Limit(1, 100_000_000), PROTOCOLS_LIMIT: Limit()}
LAYOUTS: Mapping[Kind, tuple[Part, ...]] = {
    Kind.MAILBOX: (Part(MAILBOX),),
    Kind.SHARED: (Part("shared mailbox"),),
    Kind.GROUP: (Part("group"),),
}
PAGE = 500
DELIVER, REFUSE = "deliver", "refuse"
OWN, DIRECTORY = "own", "directory"
SUSPENDED_KEY = "suspended_mail"
_KEPT_ATTRIBUTES = frozenset({"display_name", "addresses", "primary_address"})
_SCHEMA = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}")
_LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})


class MailSQL:
    """The rows of one mail database; see docs/connectors.md for the settings."""

    declares = Declaration(
        capabilities=frozenset(
            {
                *(LEVELS, SUSPEND, LIST, LIST_UNMARKED, OWNER_MARK, LASTING_FENCE),
                *(PASSWORD, MEMBERS, ADOPT),
            }
        ),
        fence=FenceGrade.LOCKED,
        subjects=frozenset({SubjectKind.USER, SubjectKind.OBJECT}),
        options=OPTIONS,
        limits=LIMITS,
        attributes=_KEPT_ATTRIBUTES,
        sets=frozenset(
            {
                *("attributes.addresses", "attributes.primary_address", "attributes.members.*"),
                *("settings.full-access", "settings.send-as", "settings.forward-to"),
                "limits.protocols",
            }
        ),
        usage=frozenset({MAILBOX}),
    )

    def __init__(
        self,
        database: MailDatabase,
        installation: str,
        *,
        policy: Policy,
        levels: LevelLimits,
        keep_days: int,
        enabled: bool,
    ) -> None:
        """`levels` win over the catalogue's limits; mail of what is removed is kept for `keep_days`."""
        self._database = database
        self._installation = installation
        self._policy = policy
        if not policy.keeps_passwords:
            kept = type(self).declares
            self.declares = replace(kept, capabilities=kept.capabilities - {PASSWORD})
        self._levels = levels
        self._keep_days = keep_days
        self._enabled = enabled

    async def check(self) -> Health:
        """Look whether the tables are there, of the version that is written, and whether they may be written."""
        server = "sqlite_version()" if self._database.kind != POSTGRESQL else "version()"
        async with self._database.transaction(writing=self._enabled, lock="check") as connection:
            version = await connection.scalar(select(text(server)))
            found = await store.versions_of(connection, versions)
            if found != VERSION:
                raise ConnectorError(
                    ErrorKind.CONFIG,
                    f"The mail tables are of version {found}, and {VERSION} is written",
                    remedy=TABLES_REMEDY,
                )
            for view in VIEWS:
                await connection.execute(text(f"SELECT * FROM {view} LIMIT 0"))  # noqa: S608 - a name of ours
            if self._enabled:
                for table in WRITTEN:
                    await connection.execute(table.delete().where(text("1 = 0")))
            warnings = await self._warnings(connection)
        words = str(version).split(" (")[0].removeprefix("PostgreSQL ")
        name = "PostgreSQL" if self._database.kind == POSTGRESQL else "SQLite"
        return Health(f"mail tables {VERSION}, {name} {words}", warnings=warnings)

    async def observe(self, desired: DesiredState) -> ObservedState:
        """Return what the rows of this name say, how full the mailbox is, and whose addresses it would need."""
        kind = self._policy.kind(desired.service)
        async with self._database.transaction() as connection:
            found = await store.read(connection, desired, kind)
        return observed_state(found, desired, self._policy)

    def plan(self, desired: DesiredState, observed: ObservedState) -> ChangePlan:
        """Return the difference, in one step."""
        kind = self._policy.kind(desired.service)
        wanted = desired.wish is not Wish.ABSENT
        said, place = problem_of(desired, kind) if wanted else ("", "")
        if said:
            return blocked(
                ErrorKind.INVALID, said, "Correct it, then provision again.", field=place
            )
        roles = {key for key in (*desired.attributes, *observed.attributes) if key.startswith(ROLE)}
        plan = plan_difference(
            desired,
            observed,
            replace(
                self.declares,
                needs_password=self._policy.keeps_passwords and kind is Kind.MAILBOX,
                attributes=_KEPT_ATTRIBUTES | roles,
            ),
            layout=LAYOUTS[kind],
            limits=self._compared_limits(desired, observed),
            facts=facts_of(desired, self._policy),
        )
        taken = observed.attributes.get(TAKEN)
        if not taken or not plan.steps or not wanted:
            return plan
        return _addresses_taken(desired, taken, bool(observed.attributes.get(TAKEN_BY_US)))

    async def apply(self, desired: DesiredState, plan: ChangePlan, step: Step) -> Applied:
        """Do what still differs, in one transaction that no other write to this object overlaps."""
        kind = self._policy.kind(desired.service)
        password = None
        if desired.secret is not None and _sets_password(step):
            password = await asyncio.to_thread(argon2id, desired.secret)
        async with self._database.transaction(writing=True, lock=desired.name) as connection:
            found = await store.read(connection, desired, kind)
            fresh = self.plan(desired, observed_state(found, desired, self._policy))
            todo = step_to_do(fresh, step.name)
            number = "" if found.row is None else str(found.row["id"])
            if todo is None:
                return Applied(number)
            if fresh.action is PlanAction.DELETE:
                await store.remove(connection, desired, found.row, self._keep_days)
            elif found.row is None and desired.wish is Wish.ABSENT:
                await store.fence_off(connection, desired, self._keep_days)
            else:
                if _sets_password(todo) and password is None:
                    raise ConnectorError(
                        ErrorKind.STALE, f"The password of {desired.name} was changed meanwhile"
                    )
                number = await store.write(
                    connection,
                    desired,
                    found,
                    self._policy,
                    self._limits(desired),
                    password if _sets_password(todo) else None,
                )
        return Applied(number)

    async def list(self, cursor: str, marked_only: bool) -> Page:
        """Return the next objects by name."""
        whose = self._installation if marked_only else ""
        async with self._database.transaction() as connection:
            rows = await store.listed(connection, whose, cursor, PAGE)
        return Page(tuple(rows), rows[-1].name if len(rows) == PAGE else "")

    async def aclose(self) -> None:
        """Let go of the database."""
        await self._database.aclose()

    def _limits(self, desired: DesiredState) -> dict[str, object]:
        return self._levels.of(desired.level, desired.limits)

    def _compared_limits(self, desired: DesiredState, observed: ObservedState) -> dict[str, object]:
        limits = self._limits(desired)
        compared: dict[str, object] = {
            PROTOCOLS_LIMIT: self._policy.protocols(limits.get(PROTOCOLS_LIMIT))
        }
        quota = quota_of(desired, limits)
        if QUOTA_LIMIT in observed.limits and quota is None:
            compared[QUOTA_LIMIT] = observed.limits[QUOTA_LIMIT]
        elif quota is not None and "quota" not in desired.settings:
            compared[QUOTA_LIMIT] = quota
        return compared

    async def _warnings(self, connection: AsyncConnection) -> tuple[str, ...]:
        if self._database.kind == POSTGRESQL:
            return ()
        journal = await connection.scalar(select(text("journal_mode FROM pragma_journal_mode")))
        if journal == "wal":
            return ()
        return (
            "logins and changes wait for each other in the mail database: PRAGMA journal_mode = WAL",
        )


def _sets_password(step: Step) -> bool:
    return any(change.what == "password" for change in step.changes)


def _addresses_taken(desired: DesiredState, taken: object, by_us: bool) -> ChangePlan:
    words = ", ".join(map(str, taken)) if isinstance(taken, (list, tuple)) else str(taken)
    if by_us:
        return blocked(
            ErrorKind.STALE,
            f"{desired.name} waits for addresses that another object still has: {words}",
            "It goes on by itself once that object has let go of them.",
        )
    return blocked(
        ErrorKind.CONFLICT,
        f"Addresses of {desired.name} belong to somebody else at the mail server: {words}",
        "Take them away there, or from this user.",
        field="primary_address",
    )


def _database(reader: SettingsReader) -> MailDatabase:
    path, host = reader.path("path"), reader.host("host", "", socket=True)
    keys = ("host", "port", "user", "database", "schema")
    if (path is None) == (not host):
        reader.note(
            "path",
            "is missing, or stands beside host",
            "give path for SQLite, or host for PostgreSQL",
        )
    if path is not None:
        for key in keys[1:]:
            if reader.has(key):
                reader.note(key, "is for PostgreSQL, and path is there", "keep one of them")
        return MailDatabase(path)
    schema = reader.text("schema", "public")
    if not _SCHEMA.fullmatch(schema):
        reader.note("schema", "must be the name of a schema: letters, digits and _")
    password, certificates = reader.secret("password"), reader.tls()
    local = host.startswith("/") or host in _LOCAL
    verified = not local or certificates.ca_file is not None
    return MailDatabase(
        PostgresAddress(
            host=host,
            port=reader.port("port", 5432),
            user=reader.text("user", None if host else ""),
            database=reader.text("database", "mail"),
            schema=schema,
            password=password,
            certificates=certificates if verified else None,
        )
    )


async def create(context: Context) -> MailSQL:
    """Open the connector as its settings table says; raises InvalidInput with every problem."""
    reader = context.reader()
    database = _database(reader)
    suspended = reader.choice(SUSPENDED_KEY, (DELIVER, REFUSE), DELIVER)
    policy = Policy(
        groups=reader.texts("groups", ("distribution-group",)),
        shared=reader.texts("shared", ("shared-mailbox",)),
        suspended_receives=suspended == DELIVER,
        smtp_by_level=reader.flag("smtp_by_level", False),
        keeps_passwords=reader.choice("passwords", (OWN, DIRECTORY), OWN) == OWN,
    )
    levels = reader.level_limits(LIMITS)
    keep_days = reader.integer("keep_days", 30, 0, 3650)
    reader.finish()
    return MailSQL(
        database,
        context.installation,
        policy=policy,
        levels=levels,
        keep_days=keep_days,
        enabled=context.enabled,
    )
