"""Operating a real PostgreSQL: observe mode, adopting, what is somebody else's, drift and orphans."""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass

import asyncpg
import pytest
from sqlalchemy import select

from mission_control_tui.model.services import seats
from mission_control_tui.model.states import ErrorKind, Light, RequestKind, RequestState, Word
from mission_control_tui.model.store.scope import AccountScope
from mission_control_tui.model.store.tables.accounts import AccountRow
from mission_control_tui.model.store.tables.audit import AuditRow
from mission_control_tui.model.store.tables.workers import ConnectorStateRow
from mission_control_tui.model.users import provisioning as provision
from mission_control_tui.model.users.actions.base import ActionResult
from mission_control_tui.model.users.actions.params import ActionParams
from mission_control_tui.model.users.passwords import set_service_password
from mission_control_tui.provisioning.backends import Backends
from mission_control_tui.provisioning.drift import DriftReport, survey
from mission_control_tui.settings.settings import load
from tests.postgres import PostgresServer
from tests.provisioning.support import ACCOUNT, World, worker

DATABASES = "databases"
BACK_END = "customer-databases"
PASSWORD_VARIABLE = "TEST_CUSTOMER_DATABASES_PASSWORD"


@dataclass
class Site:
    """A world whose databases are made on a real server."""

    world: World
    server: PostgresServer

    def configure(self, mode: str, *, port: int | None = None, serves: bool = True) -> None:
        os.environ[PASSWORD_VARIABLE] = self.server.password
        lines = [
            f"[connectors.{BACK_END}]",
            'type = "postgresql"',
            f'host = "{self.server.host}"',
            f"port = {port or self.server.port}",
            'user = "postgres"',
            f'password_env = "{PASSWORD_VARIABLE}"',
            f'mode = "{mode}"',
            'adopt = "allow"',
        ]
        if serves:
            lines += ["[services]", f'{DATABASES} = "{BACK_END}"']
            self.world.store.connectors = {DATABASES: BACK_END}
        self.world.configure(more=lines)

    async def user(self) -> str:
        """A user of a name that no other test of this server has."""
        (upn,) = await self.world.people(f"u{secrets.token_hex(4)}")
        return upn

    async def give(self, user: str, level: str = "small", *, adopt: bool = False) -> ActionResult:
        wanted = ActionParams(DATABASES, level, adopt=adopt)
        outcome = await provision.provision(
            AccountScope(self.world.store, self.world.caller, ACCOUNT), user, [wanted]
        )
        return outcome.result[0]

    async def take(self, user: str) -> ActionResult:
        outcome = await provision.change_wish(
            AccountScope(self.world.store, self.world.caller, ACCOUNT),
            user,
            DATABASES,
            RequestKind.DEPROVISION,
        )
        return outcome.result[0]

    async def shows(self, given: ActionResult, light: Light, step: str = "") -> None:
        """Wait for the light, and for a step that begins like this."""

        async def so() -> bool:
            row = await self.world.assignment(given.assignment_id)
            return row.light == light and row.step.startswith(step)

        await self.world.until(so)

    async def survey(self, **options: object) -> DriftReport:
        settings = load()
        backends = Backends(settings, self.world.store.installation)
        try:
            return await survey(
                AccountScope(self.world.store, self.world.caller, ACCOUNT),
                backends,
                **options,  # type: ignore[arg-type]
            )
        finally:
            await backends.close()

    async def may_log_in(self, given: ActionResult, password: str | None) -> bool:
        assert password is not None
        name = given.backend_name
        try:
            connection = await asyncpg.connect(
                self.server.dsn(name, user=name, password=password), ssl=False
            )
        except (asyncpg.InvalidAuthorizationSpecificationError, asyncpg.InvalidCatalogNameError):
            return False
        await connection.close()
        return True

    def roles(self, name: str) -> int:
        return len(self.server.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (name,)))


@pytest.fixture
async def site(sqlite_world: World, postgres_server: PostgresServer) -> Site:
    async with sqlite_world.store.write(sqlite_world.caller) as tx:
        account = (await tx.session.scalars(select(AccountRow))).one()
        for level in ("small", "large"):
            await seats.add(tx, account.id, DATABASES, level, 5)
    made = Site(sqlite_world, postgres_server)
    made.configure("enabled")
    return made


async def test_in_observe_mode_a_wish_waits_orange_and_goes_on_once_enabled(site: Site) -> None:
    site.configure("observe")
    user = await site.user()
    with worker(site.world):
        given = await site.give(user)
        await site.shows(given, Light.ORANGE, f"Connector {BACK_END} only observes: ")
        row = await site.world.assignment(given.assignment_id)
        assert row.word == Word.WAITING
        assert row.step.endswith(' changes planned; enable it with mode = "enabled"')
        assert site.roles(given.backend_name) == 0
        async with site.world.store.read() as session:
            assert (await session.scalars(select(ConnectorStateRow))).all() == []

        async def looked_again() -> bool:
            return (await site.world.request(given.request_id)).attempt >= 3

        await site.world.until(looked_again)
        kinds = [one.kind for one in await site.world.events(given.request_id)]
        assert kinds.count("observed") == 1
        assert "failed" not in kinds

        site.configure("enabled")
        await site.world.settled()
    assert await site.world.light(given.assignment_id) == Light.GREEN
    assert await site.may_log_in(given, given.password)


async def test_in_observe_mode_what_agrees_is_green_and_a_removal_waits(site: Site) -> None:
    user = await site.user()
    with worker(site.world):
        given = await site.give(user)
        await site.world.settled()
    site.configure("observe", serves=False)
    site.world.store.connectors = {}
    with worker(site.world, "elsewhere"):
        await site.shows(given, Light.ORANGE, "The connector changed")
    site.configure("observe")
    with worker(site.world, "observing"):
        await site.shows(given, Light.ORANGE, "The connector changed from simulator")
        again = await site.give(user)
        await site.world.settled()
        assert again.request_id is not None
        assert await site.world.light(given.assignment_id) == Light.GREEN
        gone = await site.take(user)
        await site.shows(gone, Light.ORANGE, f"Connector {BACK_END} only observes")
    assert site.roles(given.backend_name) == 1
    assert await site.may_log_in(given, given.password)


async def test_what_somebody_else_has_there_is_red_until_it_is_adopted(site: Site) -> None:
    user = await site.user()
    name = f"acme_{user.partition('@')[0]}"
    site.server.execute(f"""CREATE ROLE "{name}" LOGIN PASSWORD 'theirs'""")
    site.server.create_database(name)
    site.server.execute(f'ALTER DATABASE "{name}" OWNER TO "{name}"')
    site.server.execute("CREATE TABLE kept (n int)", database=name)
    with worker(site.world):
        given = await site.give(user)
        assert given.backend_name == name
        await site.world.settled()
        row = await site.world.assignment(given.assignment_id)
        assert (row.light, row.error_kind) == (Light.RED, ErrorKind.CONFLICT)
        assert "adopt" in row.error_remedy
        assert not await site.may_log_in(given, given.password)

        adopted = await site.give(user, adopt=True)
        await site.world.settled()
    assert await site.world.light(given.assignment_id) == Light.GREEN
    assert await site.may_log_in(given, given.password)
    assert site.server.execute("SELECT count(*) FROM kept", database=name) == [(0,)]
    async with site.world.store.read() as session:
        entry = (
            await session.scalars(select(AuditRow).where(AuditRow.request_id == adopted.request_id))
        ).one()
    assert entry.after["adopt"] is True
    changes = [
        change
        for event in await site.world.events(adopted.request_id)
        for change in event.detail.get("changes", ())
    ]
    (owner,) = [one for one in changes if one["what"] == "owner"]
    assert owner["before"] == "nobody"
    assert owner["after"].endswith(given.assignment_id)


async def test_a_service_whose_object_is_somebody_elses_can_be_given_up(site: Site) -> None:
    user = await site.user()
    name = f"acme_{user.partition('@')[0]}"
    site.server.execute(f"""CREATE ROLE "{name}" LOGIN PASSWORD 'theirs'""")
    site.server.create_database(name)
    with worker(site.world):
        given = await site.give(user)
        await site.world.settled()
        assert await site.world.light(given.assignment_id) == Light.RED
        assert (await site.world.held())["small"] == 1
        gone = await site.take(user)
        await site.world.settled()
    row = await site.world.assignment(given.assignment_id)
    assert (row.light, row.observed_wish, row.observed_level) == (Light.GREY, "absent", "")
    assert (await site.world.held())["small"] == 0
    assert (await site.world.request(gone.request_id)).state == RequestState.SUCCEEDED
    said = [one.said for one in await site.world.events(gone.request_id)]
    assert any("carries no mark of ours: it is left alone" in one for one in said)
    assert await site.may_log_in(given, "theirs")
    site.server.drop_database(name)


async def test_a_switch_to_a_real_server_ends_in_a_database_of_its_own(site: Site) -> None:
    site.configure("enabled", serves=False)
    site.world.store.connectors = {}
    user = await site.user()
    with worker(site.world):
        given = await site.give(user)
        await site.world.settled()
    assert site.roles(given.backend_name) == 0
    site.configure("enabled")
    with worker(site.world, "second"):
        await site.shows(given, Light.ORANGE, "The connector changed")
        # The password went to the old back end and is not known any more.
        await site.give(user)
        await site.world.settled()
        row = await site.world.assignment(given.assignment_id)
        assert (row.light, row.error_kind) == (Light.RED, ErrorKind.INVALID)
        assert "Reset the password" in row.error_remedy
        made = await set_service_password(
            AccountScope(site.world.store, site.world.caller, ACCOUNT), user, DATABASES
        )
        await site.world.settled()
    assert await site.world.light(given.assignment_id) == Light.GREEN
    assert await site.may_log_in(given, made.result.password)


async def test_drift_is_a_flag_that_provisioning_again_takes_away(site: Site) -> None:
    user, other = await site.user(), await site.user()
    with worker(site.world):
        given, untouched = await site.give(user), await site.give(other)
        await site.world.settled()
        report = await site.survey()
        assert (report.looked, report.differing, report.not_looked_at) == (2, (), ())

        name = given.backend_name
        site.server.execute(f'ALTER ROLE "{name}" CONNECTION LIMIT 50 NOLOGIN')
        report = await site.survey(user=user, dry_run=True)
        assert (report.looked, len(report.differing)) == (1, 1)
        assert not (await site.world.assignment(given.assignment_id)).drift
        report = await site.survey(service=DATABASES)
        (difference,) = report.differing
        assert difference.assignment.subject == user
        assert {(one.what, one.before, one.after) for one in difference.changes} == {
            ("state", "suspended", "present"),
            ("limits.connection_limit", 50, 5),
        }
        assert (report.found, report.gone) == (1, 0)
        row = await site.world.assignment(given.assignment_id)
        assert (row.light, row.word, row.drift) == (Light.GREEN, Word.PROVISIONED, True)
        assert not (await site.world.assignment(untouched.assignment_id)).drift
        assert site.server.execute(
            "SELECT rolconnlimit FROM pg_roles WHERE rolname = %s", (name,)
        ) == [(50,)]

        assert (await site.give(other)).request_id is None
        again = await site.give(user)
        assert again.request_id is not None
        await site.world.settled()
        row = await site.world.assignment(given.assignment_id)
        assert (row.light, row.drift) == (Light.GREEN, False)
        assert await site.may_log_in(given, given.password)

    site.server.execute(f'ALTER ROLE "{name}" CONNECTION LIMIT 50')
    assert (await site.survey()).found == 1
    site.server.execute(f'ALTER ROLE "{name}" CONNECTION LIMIT 5')
    report = await site.survey()
    assert (report.found, report.gone, report.differing) == (0, 1, ())
    async with site.world.store.read() as session:
        rows = await session.scalars(
            select(AuditRow).where(AuditRow.action.startswith("drift ")).order_by(AuditRow.id)
        )
        actions = [(one.action, one.after.get("differs")) for one in rows]
    assert actions == [
        ("drift found", ["state", "limits.connection_limit"]),
        ("drift found", ["limits.connection_limit"]),
        ("drift gone", None),
    ]


async def test_what_cannot_be_reached_keeps_its_flag_and_observe_mode_shows_drift(
    site: Site,
) -> None:
    user = await site.user()
    with worker(site.world):
        given = await site.give(user)
        await site.world.settled()
    site.server.drop_database(given.backend_name)
    site.configure("observe")
    report = await site.survey()
    (difference,) = report.differing
    assert difference.changes[0].what == "database"
    assert not difference.reason
    site.configure("observe", port=1)
    report = await site.survey()
    assert (report.looked, report.differing, report.gone) == (0, (), 0)
    (missed,) = report.not_looked_at
    assert (missed.connector, missed.services) == (BACK_END, 1)
    assert (await site.world.assignment(given.assignment_id)).drift
    site.configure("observe")
    site.server.execute(f'DROP ROLE "{given.backend_name}"')
    (difference,) = (await site.survey()).differing
    assert [(one.what, one.before, one.after) for one in difference.changes] == [
        ("state", "absent", "present")
    ]


async def test_orphans_are_what_no_service_knows(site: Site) -> None:
    user, other = await site.user(), await site.user()
    with worker(site.world):
        given = [await site.give(one) for one in (user, other)]
        await site.world.settled()
    ours = {one.assignment_id for one in given}

    async def strays() -> set[tuple[str, str]]:
        """(connector, login); worlds of other tests are the same installation to the server."""
        report = await site.survey(orphans=True)
        assert report.not_looked_at == ()
        return {(one.connector, one.name) for one in report.orphans if one.assignment_id in ours}

    assert await strays() == set()
    site.configure("enabled", serves=False)
    site.world.store.connectors = {}
    with worker(site.world, "elsewhere"):
        await site.shows(given[0], Light.ORANGE, "The connector changed")
        await site.take(user)
        await site.world.settled()
    assert await strays() == {(BACK_END, one.backend_name) for one in given}
    assert site.roles(given[0].backend_name) == 1
