"""PostgreSQL as a connector: `name` is a role and a database of that name, owned by the role.

The level is the role's connection limit; suspended is NOLOGIN without open sessions. The owner mark
and the fence are the role's comment. Each step takes an advisory lock of its object, looks again,
and does only what still differs.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from mission_control_tui.connect import (
    ADOPT,
    LEVELS,
    LIST,
    LIST_UNMARKED,
    OWNER_MARK,
    PASSWORD,
    SUSPEND,
    UNLIMITED,
    Applied,
    Change,
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
    Listed,
    Note,
    ObservedState,
    Page,
    Part,
    PlanAction,
    Step,
    Wish,
    blocked,
    plan_difference,
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

LAYOUT = (
    Part(ROLE),
    Part(DATABASE, tuple(f"attributes.{fact}" for fact in FACTS)),
)
GUARDED = ("postgres", "template1")
MAX_CONNECTIONS = 262_143
CONNECTION_LIMIT = "connection_limit"
LIMITS = {CONNECTION_LIMIT: Limit(sql.UNLIMITED, MAX_CONNECTIONS, needed=True, unlimited=True)}


class PostgreSQL:
    """Roles and databases of one server; see docs/connectors.md for the settings."""

    declares = Declaration(
        capabilities=frozenset({LEVELS, SUSPEND, LIST, LIST_UNMARKED, OWNER_MARK, PASSWORD, ADOPT}),
        fence=FenceGrade.LOCKED,
        limits=LIMITS,
        needs_password=True,
    )

    def __init__(
        self,
        server: Server,
        installation: str,
        *,
        levels: LevelLimits,
        guarded: tuple[str, ...],
        enabled: bool,
    ) -> None:
        """`levels` win over the catalogue's limits; with `enabled` it may write.

        `guarded` are the databases that PUBLIC is kept out of beside our own.
        """
        self._server = server
        self._installation = installation
        self._levels = levels
        self._guarded = guarded
        self._enabled = enabled

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
        if lacks and self._enabled:
            raise ConnectorError(
                ErrorKind.CONFIG,
                f"The role {self._server.user} lacks {' and '.join(lacks)}",
                remedy=f"Let the DBA run: ALTER ROLE {user} {' '.join(lacks)}",
            )
        notes = [f"lacks {' and '.join(lacks)}"] if lacks else []
        if who["open_databases"]:
            names = ", ".join(who["open_databases"])
            notes.append(f"open to every role (REVOKE CONNECT ... FROM PUBLIC): {names}")
        return Health(f"PostgreSQL {who['version']}", "; ".join(notes))

    async def observe(self, desired: DesiredState) -> ObservedState:
        """Return the state of role and database of this name, and of what surrounds them."""
        async with session(self._server) as connection:
            return await self._look(connection, desired.name)

    def plan(self, desired: DesiredState, observed: ObservedState) -> ChangePlan:
        """Return the difference, in the steps isolation, role and database."""
        return self._difference(desired, observed)

    async def apply(self, desired: DesiredState, plan: ChangePlan, step: Step) -> Applied:
        """Do what still differs of one step, under the object's lock."""
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
        return Applied(desired.name)

    async def list(self, cursor: str, marked_only: bool) -> Page:
        """Return roles and databases by name: those whose comment carries our mark, or all of tenants."""
        async with session(self._server) as connection:
            rows = await connection.fetch(sql.LIST, cursor, marked_only, sql.LIST_PAGE)
        found = []
        for row in rows:
            comment = Note.from_text(row["comment"])
            ours = comment is not None and comment.mark.installation == self._installation
            if ours or not marked_only:
                found.append(
                    Listed(
                        row["name"],
                        comment.mark if comment else None,
                        row["name"],
                        level=comment.level if comment else "",
                        state=Wish.PRESENT if row["can_login"] else Wish.SUSPENDED,
                    )
                )
        return Page(tuple(found), rows[-1]["name"] if len(rows) == sql.LIST_PAGE else "")

    async def aclose(self) -> None:
        """Do nothing: a session lives for one call."""

    async def _look(self, connection: Any, name: str) -> ObservedState:
        return observed_state(await connection.fetchrow(sql.LOOK, [name], list(self._guarded)))

    def _connections(self, desired: DesiredState) -> int | None:
        limit = self._levels.of(desired.level, desired.limits).get(CONNECTION_LIMIT)
        if limit == UNLIMITED:
            return sql.UNLIMITED
        return (
            int(limit) if isinstance(limit, int) and LIMITS[CONNECTION_LIMIT].takes(limit) else None
        )

    def _difference(self, desired: DesiredState, observed_state: ObservedState) -> ChangePlan:
        connections = self._connections(desired)
        if desired.wish is not Wish.ABSENT:
            refusal = self._refusal(desired, observed_state)
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
        limits = {} if connections is None else {CONNECTION_LIMIT: limit_word(connections)}
        plan = plan_difference(
            desired, observed_state, self.declares, layout=LAYOUT, limits=limits, facts=facts
        )
        opened = observed_state.attributes.get("open_databases")
        if not opened or plan.action is PlanAction.BLOCKED or desired.state is Wish.ABSENT:
            return plan
        return with_step(
            plan, Step(ISOLATION, (Change("attributes.open_databases", opened, [], True),))
        )

    def _refusal(self, desired: DesiredState, observed_state: ObservedState) -> ChangePlan | None:
        problem = sql.name_problem(desired.name)
        if not problem and desired.name in (self._server.user, self._server.database):
            problem = f"the name {desired.name} is the connector's own"
        if problem:
            return blocked(ErrorKind.INVALID, problem, "Choose another name for the instance.")
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


async def create(context: Context) -> PostgreSQL:
    """Open the connector as its settings table says; raises InvalidInput with every problem."""
    reader = context.reader()
    host = reader.host("host", "127.0.0.1", socket=True)
    server = Server(
        host=host,
        port=reader.port("port", 5432),
        user=reader.text("user"),
        database=reader.text("database", "postgres"),
        password=reader.secret("password"),
        tls=reader.choice("tls", TLS_MODES, default_tls(host)),
        certificates=reader.tls(),
    )
    levels = reader.level_limits(LIMITS)
    guarded = reader.texts("guard", GUARDED)
    reader.finish()
    return PostgreSQL(
        server, context.installation, levels=levels, guarded=guarded, enabled=context.enabled
    )
