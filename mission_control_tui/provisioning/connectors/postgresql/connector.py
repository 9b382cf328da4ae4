"""PostgreSQL as a connector: `name` is a role and a database of that name, owned by the role.

The level is the role's connection limit; suspended is NOLOGIN without open sessions. The owner mark
and the fence are the role's comment. Each step takes an advisory lock of its object, looks again,
and does only what still differs.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from mission_control_tui.model.states import ErrorKind, PlanAction, Wish
from mission_control_tui.provisioning.connectors.base import (
    LEVELS,
    LIST,
    OWNER_MARK,
    PASSWORD,
    STEPS,
    SUSPEND,
    VERSION,
    Change,
    ChangePlan,
    ConnectorError,
    DesiredState,
    Health,
    ObservedState,
    Step,
)
from mission_control_tui.provisioning.connectors.options import ENABLED, OBSERVE, SettingsReader
from mission_control_tui.provisioning.connectors.planning import (
    Part,
    blocked,
    in_observe_mode,
    plan_difference,
    refuse_in_observe_mode,
    step_to_do,
    with_step,
)
from mission_control_tui.provisioning.connectors.postgresql import statements as sql
from mission_control_tui.provisioning.connectors.postgresql.observe import (
    DATABASE,
    FACTS,
    ISOLATION,
    OWNERS,
    ROLE,
    limit_word,
    observed_state,
)
from mission_control_tui.provisioning.connectors.postgresql.session import (
    TLS_MODES,
    Server,
    default_tls,
    session,
)
from mission_control_tui.provisioning.connectors.postgresql.work import StepExecution
from mission_control_tui.provisioning.connectors.table_reader import TableReader

LAYOUT = (
    Part(ROLE),
    Part(DATABASE, tuple(f"attributes.{fact}" for fact in FACTS)),
)
GUARDED = ("postgres", "template1")
MAX_CONNECTIONS = 262_143
_LIST_CHUNK = 500


class PostgreSQL:
    """Roles and databases of one server; see docs/connectors.md for the settings."""

    capabilities = frozenset({LEVELS, SUSPEND, LIST, OWNER_MARK, PASSWORD, VERSION, STEPS})
    needs_password = True

    def __init__(
        self,
        server: Server,
        installation: str,
        *,
        levels: Mapping[str, int],
        guarded: tuple[str, ...],
        observe_setting: str,
    ) -> None:
        """`levels` (level id -> connections) wins over the catalogue's limit.

        `guarded` are the databases that PUBLIC is kept out of beside our own. `observe_setting` names
        the setting that allows writing, or is empty when it does.
        """
        self._server = server
        self._installation = installation
        self._levels = levels
        self._guarded = guarded
        self._observe_setting = observe_setting

    async def check(self) -> Health:
        """Log in and see what we may do there, and which databases are open to every role."""
        async with session(self._server) as connection:
            who = await connection.fetchrow(sql.WHO_WE_ARE)
        lacks = [
            right
            for right, has in (
                ("CREATEROLE", who["may_create_roles"]),
                ("CREATEDB", who["may_create_databases"]),
            )
            if not has
        ]
        user = sql.identifier(self._server.user)
        if lacks and not self._observe_setting:
            raise ConnectorError(
                ErrorKind.CONFIG,
                f"The role {self._server.user} lacks {' and '.join(lacks)}",
                remedy=f"Let the DBA run: ALTER ROLE {user} {' '.join(lacks)}",
            )
        notes = [f"lacks {' and '.join(lacks)}"] if lacks else []
        if who["open_databases"]:
            names = ", ".join(who["open_databases"])
            notes.append(f"open to every role (REVOKE CONNECT ... FROM PUBLIC): {names}")
        if self._observe_setting:
            notes.append("observe mode: nothing is written")
        return Health(f"PostgreSQL {who['version']}", "; ".join(notes))

    async def observe(self, desired: DesiredState) -> ObservedState:
        """Return the state of role and database of this name, and of what surrounds them."""
        async with session(self._server) as connection:
            return await self._look(connection, desired.name)

    def plan(self, desired: DesiredState, observed_state: ObservedState) -> ChangePlan:
        """Return the difference, in the steps isolation, role and database."""
        return in_observe_mode(self._difference(desired, observed_state), self._observe_setting)

    async def apply(self, desired: DesiredState, plan: ChangePlan, step: Step) -> None:
        """Do what still differs of one step, under the object's lock."""
        refuse_in_observe_mode(plan, self._observe_setting)
        async with (
            session(self._server, writing=True) as connection,
            _locked(connection, f"mission-control {desired.name}"),
        ):
            seen = await self._look(connection, desired.name)
            fresh = self._difference(desired, seen)
            todo = step_to_do(fresh, step.name)
            if todo is not None:
                work = StepExecution(connection, desired, seen, self._connections(desired))
                await work.carry_out(todo, removing=fresh.action is PlanAction.DELETE)

    async def list(self) -> AsyncIterator[tuple[str, ObservedState]]:
        """Yield every role or database whose comment carries our installation's mark."""
        async with session(self._server) as connection:
            names = [row["name"] for row in await connection.fetch(sql.COMMENTED_NAMES)]
            rows: list[Any] = []
            for start in range(0, len(names), _LIST_CHUNK):
                rows += await connection.fetch(sql.LOOK, names[start : start + _LIST_CHUNK], [])
        for row in rows:
            found = observed_state(row)
            if found.mark is not None and found.mark.installation == self._installation:
                yield row["name"], found

    async def aclose(self) -> None:
        """Do nothing: a session lives for one call."""

    async def _look(self, connection: Any, name: str) -> ObservedState:
        return observed_state(await connection.fetchrow(sql.LOOK, [name], list(self._guarded)))

    def _connections(self, desired: DesiredState) -> int | None:
        limit = self._levels.get(desired.level, desired.limits.get("connection_limit"))
        if isinstance(limit, int) and not isinstance(limit, bool):
            return limit if sql.UNLIMITED <= limit <= MAX_CONNECTIONS else None
        return None

    def _difference(self, desired: DesiredState, observed_state: ObservedState) -> ChangePlan:
        connections = self._connections(desired)
        if desired.state is not Wish.ABSENT:
            refusal = self._refusal(desired, observed_state, connections)
            if refusal is not None:
                return refusal
        elif _is_mixed(desired, observed_state):
            return blocked(
                ErrorKind.CONFLICT,
                f"Role and database {desired.name} do not belong together: only one of them is ours",
                "Let the DBA remove what is left of ours, then deprovision again.",
            )
        facts: dict[str, object] = {
            "owner": desired.name,
            "accepts_connections": True,
            "public_connect": False,
        }
        if desired.state is Wish.SUSPENDED:
            facts["open_sessions"] = False
        plan = plan_difference(
            replace(
                desired,
                limits={"connection_limit": limit_word(connections)}
                if connections is not None
                else {},
                attributes={**desired.attributes, **facts},
            ),
            observed_state,
            layout=LAYOUT,
            capabilities=self.capabilities,
            needs_password=self.needs_password,
            limits=("connection_limit",),
            settings=(),
            attributes=tuple(facts),
        )
        opened = observed_state.attributes.get("open_databases")
        if not opened or plan.action is PlanAction.BLOCKED or desired.state is Wish.ABSENT:
            return plan
        return with_step(
            plan, Step(ISOLATION, (Change("attributes.open_databases", opened, [], True),))
        )

    def _refusal(
        self, desired: DesiredState, observed_state: ObservedState, connections: int | None
    ) -> ChangePlan | None:
        problem = sql.name_problem(desired.name)
        if not problem and desired.name in (self._server.user, self._server.database):
            problem = f"the name {desired.name} is the connector's own"
        if problem:
            return blocked(ErrorKind.INVALID, problem, "Choose another name for the instance.")
        if connections is None:
            return blocked(
                ErrorKind.INVALID,
                f"The level {desired.level} has no usable connection limit",
                f"Give it limits.connection_limit (-1 to {MAX_CONNECTIONS}) in the catalogue.",
            )
        privileges = observed_state.attributes.get("privileges")
        if isinstance(privileges, list) and privileges:
            rights = " ".join(privileges)
            return blocked(
                ErrorKind.CONFLICT,
                f"The role {desired.name} has rights that no tenant may have: {rights}",
                f"Let the DBA take them away: ALTER ROLE {sql.identifier(desired.name)} "
                + " ".join(f"NO{right}" for right in privileges),
            )
        return None


def _is_mixed(desired: DesiredState, observed_state: ObservedState) -> bool:
    """Return True when something of ours stands beside something of somebody else under this name."""
    owners = observed_state.attributes.get(OWNERS)
    return (
        observed_state.exists
        and not desired.mark.same_owner(observed_state.mark)
        and isinstance(owners, list)
        and [desired.mark.installation, desired.mark.key] in owners
    )


@asynccontextmanager
async def _locked(connection: Any, what: str) -> AsyncIterator[None]:
    """Hold the object's lock, for the session: CREATE and DROP DATABASE refuse transactions.

    A worker that is killed or frozen loses it with its session; see IDLE_SECONDS.
    """
    await connection.fetchval(sql.TAKE_LOCK, what)
    yield
    await connection.fetchval(sql.RELEASE_LOCK, what)


async def create(name: str, settings: Mapping[str, object], installation: str) -> PostgreSQL:
    """Open the connector as its settings table says; raises InvalidInput with every problem."""
    reader = SettingsReader(name, settings)
    host = reader.text("host", "127.0.0.1")
    server = Server(
        host=host,
        port=reader.integer("port", 5432, 1, 65535),
        user=reader.text("user"),
        database=reader.text("database", "postgres"),
        password=reader.secret("password"),
        tls=reader.choice("tls", TLS_MODES, default_tls(host)),
        ca_file=reader.path("ca_file"),
    )
    levels = _levels(reader)
    guarded = reader.texts("guard", GUARDED)
    mode = reader.mode(OBSERVE)
    reader.finish()
    return PostgreSQL(
        server,
        installation,
        levels=levels,
        guarded=guarded,
        observe_setting="" if mode == ENABLED else f"{reader.where}.mode",
    )


def _levels(reader: SettingsReader) -> dict[str, int]:
    """Return the connection limits that the settings give to levels."""
    limits = {}
    for level, table in reader.mapping("levels").items():
        if not isinstance(table, Mapping) or "connection_limit" not in table:
            reader.note(f"levels.{level}", "must be a table such as {connection_limit = 20}")
            continue
        inner = TableReader(f"{reader.where}.levels.{level}", table, reader.problems)
        limits[level] = inner.integer(
            "connection_limit", sql.UNLIMITED, sql.UNLIMITED, MAX_CONNECTIONS
        )
        inner.note_unknown_keys()
    return limits
