"""MariaDB as a connector: `name` is a user and a database of that name, in which the user may do all.

The level is what the user may use at a time and in an hour; suspended is a locked account without open sessions.
MariaDB keeps no comment of a user, and a database's can be changed by its tenant, so marks are in a table of ours. Each
step takes a lock of its object, looks again, and does only what still differs.
"""

from __future__ import annotations

import asyncio
import hashlib
import re

from mission_control_tui.connect import (
    ADOPT,
    LASTING_FENCE,
    LEVELS,
    LIST,
    LIST_UNMARKED,
    OWNER_MARK,
    PASSWORD,
    SUSPEND,
    UNLIMITED,
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
)
from mission_control_tui.provisioning.connectors.mysql import statements as sql
from mission_control_tui.provisioning.connectors.mysql.observe import (
    ACCOUNT,
    CONNECTION_LIMIT,
    DATABASE,
    ELSEWHERE,
    OPEN_SESSIONS,
    RESOURCES,
    RIGHTS,
    USAGE,
    Place,
    has_table,
    look,
)
from mission_control_tui.provisioning.connectors.mysql.session import Server, Session, session
from mission_control_tui.provisioning.connectors.mysql.work import StepExecution

LAYOUT = (Part(ACCOUNT), Part(DATABASE, (f"attributes.{RIGHTS}", f"attributes.{ELSEWHERE}")))
MOST = 2**31 - 1
LIMITS = {
    name: Limit(1, MOST, needed=name == CONNECTION_LIMIT, unlimited=True) for name in RESOURCES
}
OLDEST = (10, 5)


class MariaDB:
    """Users and databases of one server; see docs/connectors.md for the settings."""

    declares = Declaration(
        capabilities=frozenset(
            {LEVELS, SUSPEND, LIST, LIST_UNMARKED, OWNER_MARK, LASTING_FENCE, PASSWORD, ADOPT}
        ),
        fence=FenceGrade.LOCKED,
        limits=LIMITS,
        usage=frozenset({USAGE}),
        needs_password=True,
    )

    def __init__(
        self,
        server: Server,
        place: Place,
        installation: str,
        *,
        levels: LevelLimits,
        enabled: bool,
    ) -> None:
        """`levels` win over the catalogue's limits; with `enabled` it may write."""
        self._server = server
        self._place = place
        self._installation = installation
        self._levels = levels
        self._enabled = enabled

    async def check(self) -> Health:
        """Log in and see what we may do there, and which databases are open to every user."""
        return await asyncio.to_thread(self._check)

    async def observe(self, desired: DesiredState) -> ObservedState:
        """Return the state of account and database of this name, and of what surrounds them."""

        def observed() -> ObservedState:
            with session(self._server) as opened:
                return look(opened, self._place, desired)

        return await asyncio.to_thread(observed)

    def plan(self, desired: DesiredState, observed: ObservedState) -> ChangePlan:
        """Return the difference, in the steps account and database."""
        if desired.wish is not Wish.ABSENT:
            refusal = self._refusal(desired, observed)
            if refusal is not None:
                return refusal
        facts: dict[str, object] = {RIGHTS: True, ELSEWHERE: []}
        if desired.state is Wish.SUSPENDED:
            facts[OPEN_SESSIONS] = False
        granted = self._levels.of(desired.level, desired.limits)
        limits = {
            key: value
            for key, value in granted.items()
            if key in LIMITS and not _is_default(key, value)
        }
        return plan_difference(
            desired, observed, self.declares, layout=LAYOUT, limits=limits, facts=facts
        )

    async def apply(self, desired: DesiredState, plan: ChangePlan, step: Step) -> Applied:
        """Do what still differs of one step, under the object's lock."""

        def applied() -> None:
            with session(self._server, writing=True) as opened, opened.lock(_lock_of(desired.name)):
                self._carry_out(opened, desired, step.name)

        await asyncio.to_thread(applied)
        return Applied(desired.name)

    async def list(self, cursor: str, marked_only: bool) -> Page:
        """Return users and databases by name: those that carry our mark, or all of tenants."""
        return await asyncio.to_thread(self._list, cursor, marked_only)

    async def aclose(self) -> None:
        """Do nothing: a session lives for one call."""

    def _check(self) -> Health:
        with session(self._server) as opened:
            who = opened.row(sql.WHO_WE_ARE) or {}
            rights = {row["name"]: bool(row["grantable"]) for row in opened.rows(sql.OUR_RIGHTS)}
        version = str(who["version"])
        found = re.match(r"(\d+)\.(\d+)", version)
        if found is None or "MariaDB" not in version or (int(found[1]), int(found[2])) < OLDEST:
            raise ConnectorError(
                ErrorKind.CONFIG,
                f"The server is {version}",
                remedy="It must be MariaDB 10.5 or newer; for MySQL there is no connector.",
            )
        lacks = [right for right in sql.OWN_RIGHTS if right not in rights]
        lacks += [right for right in sql.TENANT_RIGHTS if not rights.get(right)]
        if lacks and self._enabled:
            raise ConnectorError(
                ErrorKind.CONFIG,
                f"The user {self._server.user} lacks {', '.join(lacks)}",
                remedy="Let the DBA grant it, as docs/connectors.md says.",
            )
        warnings = []
        if who["open_databases"]:
            warnings.append(f"open to every user: {who['open_databases']}; see docs/connectors.md")
        if who["nameless"]:
            warnings.append(
                "there are users without a name, who shut others out: DROP USER ''@'HOST'"
            )
        return Health(
            f"MariaDB {version.partition('-')[0]}",
            f"lacks {', '.join(lacks)}" if lacks else "",
            tuple(warnings),
        )

    def _carry_out(self, opened: Session, desired: DesiredState, step: str) -> None:
        seen = look(opened, self._place, desired)
        fresh = self.plan(desired, seen)
        todo = step_to_do(fresh, step)
        if todo is not None:
            work = StepExecution(opened, self._place, desired, seen, self._numbers(desired))
            work.carry_out(todo, removing=fresh.action is PlanAction.DELETE)

    def _numbers(self, desired: DesiredState) -> dict[str, int]:
        """Return what CREATE USER and ALTER USER say of each limit."""
        granted = self._levels.of(desired.level, desired.limits)
        return {
            word: number if isinstance(number := granted.get(limit), int) else 0
            for limit, (_, word) in RESOURCES.items()
        }

    def _list(self, cursor: str, marked_only: bool) -> Page:
        with session(self._server) as opened:
            if not has_table(opened, self._place):
                if marked_only:
                    return Page(())
                table, join = "(SELECT '' AS name, '' AS note, NULL AS removed)", "LEFT"
            else:
                table, join = self._place.table, "INNER" if marked_only else "LEFT"
            rows = opened.rows(sql.LIST.format(join=join, table=table), (self._place.hosts, cursor))
        found = []
        for row in rows:
            note = Note.from_text(row["note"])
            ours = note is not None and note.mark.installation == self._installation
            if (ours or not marked_only) and row["name"] not in self._own_names:
                found.append(
                    Listed(
                        row["name"],
                        note.mark if note else None,
                        row["name"],
                        level=note.level if note else "",
                        state=Wish.SUSPENDED if int(row["locked"] or 0) else Wish.PRESENT,
                    )
                )
        return Page(tuple(found), rows[-1]["name"] if len(rows) == sql.LIST_PAGE else "")

    @property
    def _own_names(self) -> tuple[str, str]:
        return self._server.user, self._place.schema

    def _refusal(self, desired: DesiredState, observed: ObservedState) -> ChangePlan | None:
        problem = sql.name_problem(desired.name)
        if not problem and desired.name in self._own_names:
            problem = f"the name {desired.name} is the connector's own"
        if problem:
            return blocked(ErrorKind.INVALID, problem, "Choose another name for the instance.")
        privileges = observed.attributes.get("privileges")
        if isinstance(privileges, list) and privileges:
            return blocked(
                ErrorKind.CONFLICT,
                f"The user {desired.name} has what no tenant may have: {', '.join(privileges)}",
                "Let the DBA revoke it.",
            )
        hosts = observed.attributes.get("hosts")
        if isinstance(hosts, list) and hosts:
            return blocked(
                ErrorKind.CONFLICT,
                f"There are other users {desired.name}, from {', '.join(hosts)}",
                "Let the DBA remove or rename them: a login from there would be theirs.",
            )
        return None


def _lock_of(name: str) -> str:
    """Return the name of an object's lock, of which MariaDB takes 64 characters."""
    return f"mission-control {hashlib.sha256(name.encode()).hexdigest()[:40]}"


def _is_default(limit: str, value: object) -> bool:
    """Tell whether a limit is what holds where none is stated."""
    return limit != CONNECTION_LIMIT and value == UNLIMITED


async def create(context: Context) -> MariaDB:
    """Open the connector as its settings table says; raises InvalidInput with every problem."""
    reader = context.reader()
    server = Server(
        host=reader.host("host", "127.0.0.1", socket=True),
        port=reader.port("port", 3306),
        user=reader.text("user"),
        password=reader.secret("password"),
        certificates=reader.tls(),
    )
    place = Place(reader.text("client_hosts", "%"), reader.text("schema", "mission_control"))
    if sql.name_problem(place.schema):
        reader.note("schema", sql.name_problem(place.schema))
    levels = reader.level_limits(LIMITS)
    reader.finish()
    return MariaDB(server, place, context.installation, levels=levels, enabled=context.enabled)
