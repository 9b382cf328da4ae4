"""PostgreSQL: what a tenant gets and may do, how drift is repaired, whose objects are left alone."""

from __future__ import annotations

import asyncpg
import psycopg
import pytest

from mission_control_tui.connect import ConnectorError
from mission_control_tui.model.states import ErrorKind, PlanAction, Wish
from mission_control_tui.provisioning.converge import LookOutcome, observe_and_plan
from tests.postgres import PostgresServer
from tests.provisioning.connectors.support import (
    PASSWORD,
    MemoryJournal,
    PostgresBackEnd,
    check,
    list_marked,
    new_name,
    reach,
    stop_after,
    wish,
)


async def test_a_tenant_logs_in_to_its_own_database_and_to_no_other(
    postgres: PostgresBackEnd,
) -> None:
    connector = await postgres.open()
    one, other = new_name(), new_name()
    for name in (one, other):
        await reach(connector, wish(name))
    # The server is that of other tests too, which make databases by hand.
    databases = (one, other, "postgres", "template1")
    open_to_one = {
        database for database in databases if await postgres.can_log_in(one, PASSWORD, database)
    }
    assert open_to_one == {one}


async def test_a_tenant_can_work_in_its_database(postgres: PostgresBackEnd) -> None:
    connector, name = await postgres.open(), new_name()
    await reach(connector, wish(name))
    connection = await asyncpg.connect(postgres.server.dsn(name, user=name, password=PASSWORD))
    await connection.execute(
        "CREATE SCHEMA app; CREATE TABLE app.t (a int); CREATE TABLE u (b int)"
    )
    assert (
        await connection.fetchval("SELECT rolsuper FROM pg_roles WHERE rolname = $1", name) is False
    )
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await connection.execute("CREATE ROLE another")
    await connection.close()


async def test_a_shut_database_keeps_the_access_that_other_roles_had(
    postgres: PostgresBackEnd,
) -> None:
    monitor, shared = new_name("monitor"), new_name("shared")
    postgres.server.execute(f"CREATE ROLE {monitor} LOGIN PASSWORD '{PASSWORD}'")
    postgres.server.create_database(shared)
    connector, name = await postgres.open(guard=[shared]), new_name()
    journal = MemoryJournal()
    await reach(connector, wish(name), journal)
    assert journal.done()[0] == "isolation"
    assert await postgres.can_log_in(monitor, PASSWORD, shared)
    assert not await postgres.can_log_in(name, PASSWORD, shared)
    postgres.server.drop_database(shared)


async def test_databases_that_are_open_to_all_are_named_by_check(
    postgres: PostgresBackEnd,
) -> None:
    shared = new_name("shared")
    postgres.server.create_database(shared)
    health = await check(await postgres.open())
    assert shared in health.detail
    assert health.version.startswith("PostgreSQL ")
    postgres.server.drop_database(shared)


@pytest.mark.parametrize(
    ("statement", "what"),
    [
        ('ALTER ROLE "{name}" CONNECTION LIMIT 99', "limits.connection_limit"),
        ('ALTER ROLE "{name}" NOLOGIN', "state"),
        ('GRANT CONNECT ON DATABASE "{name}" TO PUBLIC', "attributes.public_connect"),
        ('ALTER DATABASE "{name}" OWNER TO postgres', "attributes.owner"),
        ('ALTER DATABASE "{name}" ALLOW_CONNECTIONS false', "attributes.accepts_connections"),
        ('DROP DATABASE "{name}"', "database"),
        ("GRANT CONNECT ON DATABASE postgres TO PUBLIC", "attributes.open_databases"),
    ],
)
async def test_a_change_by_hand_is_seen_as_drift_and_repaired(
    postgres: PostgresBackEnd, statement: str, what: str
) -> None:
    connector, name = await postgres.open(), new_name()
    await reach(connector, wish(name))
    postgres.server.execute(statement.format(name=name))
    _, plan = await observe_and_plan(connector, wish(name, secret=None))
    assert plan.action is PlanAction.UPDATE
    assert what in {change.what for change in plan.changes}
    repaired = await reach(connector, wish(name, secret=None))
    assert repaired.outcome is LookOutcome.DONE
    assert await postgres.can_log_in(name, PASSWORD)
    assert not await postgres.can_log_in(name, PASSWORD, "postgres")


async def test_suspending_ends_the_sessions_that_are_open(postgres: PostgresBackEnd) -> None:
    connector, name = await postgres.open(), new_name()
    await reach(connector, wish(name))
    tenant = await asyncpg.connect(postgres.server.dsn(name, user=name, password=PASSWORD))
    await reach(connector, wish(name, Wish.SUSPENDED, generation=2, secret=None))
    with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError, OSError)):
        await tenant.fetchval("SELECT 1")
    tenant.terminate()
    assert not await postgres.can_log_in(name, PASSWORD)


async def test_a_suspension_that_left_a_session_open_is_finished(
    postgres: PostgresBackEnd,
) -> None:
    connector, name = await postgres.open(), new_name()
    await reach(connector, wish(name))
    suspended = wish(name, Wish.SUSPENDED, generation=2, secret=None)
    tenant = await asyncpg.connect(postgres.server.dsn(name, user=name, password=PASSWORD))
    postgres.server.execute(f'ALTER ROLE "{name}" NOLOGIN')
    _, plan = await observe_and_plan(connector, suspended)
    assert "attributes.open_sessions" in {change.what for change in plan.changes}
    assert (await reach(connector, suspended)).outcome is LookOutcome.DONE
    with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError, OSError)):
        await tenant.fetchval("SELECT 1")
    tenant.terminate()


async def test_deprovisioning_ends_sessions_and_leaves_nothing(postgres: PostgresBackEnd) -> None:
    connector, name = await postgres.open(), new_name()
    await reach(connector, wish(name))
    postgres.server.execute(f'GRANT CONNECT ON DATABASE template1 TO "{name}"')
    tenant = await asyncpg.connect(postgres.server.dsn(name, user=name, password=PASSWORD))
    removed = await reach(connector, wish(name, Wish.ABSENT, generation=2, secret=None))
    assert removed.outcome is LookOutcome.DONE
    tenant.terminate()
    assert postgres.server.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (name,)) == []
    assert postgres.server.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,)) == []


async def test_what_depends_on_a_role_elsewhere_is_a_conflict_in_the_servers_words(
    postgres: PostgresBackEnd,
) -> None:
    connector, name = await postgres.open(), new_name()
    await reach(connector, wish(name))
    shared = postgres.server.create_database(new_name("shared"))
    postgres.server.execute(f'CREATE SCHEMA s AUTHORIZATION "{name}"', database=shared)
    with pytest.raises(ConnectorError) as caught:
        await reach(connector, wish(name, Wish.ABSENT, generation=2, secret=None))
    assert caught.value.kind is ErrorKind.CONFLICT
    assert caught.value.code == "2BP01"
    assert shared in caught.value.said
    postgres.server.drop_database(shared)
    removed = await reach(connector, wish(name, Wish.ABSENT, generation=2, attempt=2, secret=None))
    assert removed.outcome is LookOutcome.DONE


@pytest.mark.parametrize("existing", ["role", "database", "both", "commented"])
async def test_objects_without_our_mark_are_not_touched(
    postgres: PostgresBackEnd, existing: str
) -> None:
    connector, name = await postgres.open(), new_name()
    if existing != "database":
        postgres.server.execute(f'CREATE ROLE "{name}" LOGIN')
    if existing != "role":
        postgres.server.create_database(name)
    if existing == "commented":
        postgres.server.execute(f"""COMMENT ON ROLE "{name}" IS '{{"mission_control": 2}}'""")
    before = await postgres.written(name)
    blocked = await reach(connector, wish(name))
    assert blocked.outcome is LookOutcome.BLOCKED
    assert blocked.plan.kind is ErrorKind.CONFLICT
    assert await postgres.written(name) == before
    # Nor are they taken over: the role would get a database of somebody else's, or a password of ours.
    refused = await reach(connector, wish(name, adopt=True))
    assert refused.outcome is LookOutcome.BLOCKED
    assert "as a whole" in refused.plan.reason
    assert await postgres.written(name) == before
    if existing in ("role", "database"):
        return
    postgres.server.execute(f'ALTER DATABASE "{name}" OWNER TO "{name}"')
    adopted = await reach(connector, wish(name, adopt=True))
    assert adopted.outcome is LookOutcome.DONE
    assert await postgres.can_log_in(name, PASSWORD)


async def test_words_of_a_foreign_comment_are_harmless(postgres: PostgresBackEnd) -> None:
    connector, name = await postgres.open(), new_name()
    await reach(await postgres.open(), wish(name, installation="\x1b[2J\u202ee"))
    blocked = await reach(connector, wish(name))
    assert blocked.plan.kind is ErrorKind.CONFLICT
    assert blocked.plan.reason.isprintable()


async def test_our_role_beside_a_database_of_somebody_else_is_a_conflict(
    postgres: PostgresBackEnd,
) -> None:
    connector, name = await postgres.open(), new_name()
    await stop_after(connector, wish(name), "role")
    postgres.server.create_database(name)
    before = await postgres.written(name)
    for mine in (wish(name), wish(name, Wish.ABSENT, generation=2, secret=None)):
        blocked = await reach(connector, mine)
        assert blocked.outcome is LookOutcome.BLOCKED
        assert blocked.plan.kind is ErrorKind.CONFLICT
    assert await postgres.written(name) == before
    postgres.server.drop_database(name)


async def test_a_role_that_was_given_rights_is_not_handed_to_a_tenant(
    postgres: PostgresBackEnd,
) -> None:
    connector, name = await postgres.open(), new_name()
    postgres.server.execute(f'CREATE ROLE "{name}" SUPERUSER CREATEDB')
    blocked = await reach(connector, wish(name, adopt=True))
    assert blocked.outcome is LookOutcome.BLOCKED
    assert "SUPERUSER CREATEDB" in blocked.plan.reason
    assert f'ALTER ROLE "{name}" NOSUPERUSER NOCREATEDB' in blocked.plan.remedy


async def test_list_finds_orphans_of_either_kind(postgres: PostgresBackEnd) -> None:
    installation = new_name("installation")
    connector = await postgres.open(installation)
    whole, half = new_name(), new_name()
    await reach(connector, wish(whole, installation=installation))
    await stop_after(connector, wish(half, installation=installation), "role")
    assert {name async for name, _ in list_marked(connector)} == {whole, half}


@pytest.mark.parametrize(
    "name", ["ab" * 31 + "c", "é" * 31, "quo\"te'd; DROP ROLE postgres; --", "Ünïcode name"]
)
async def test_names_of_every_kind_work_within_63_bytes(
    postgres: PostgresBackEnd, name: str
) -> None:
    connector = await postgres.open()
    converged = await reach(connector, wish(name))
    assert converged.outcome is LookOutcome.DONE
    rows = postgres.server.execute("SELECT rolname FROM pg_roles WHERE rolname = %s", (name,))
    assert rows == [(name,)]
    removed = await reach(connector, wish(name, Wish.ABSENT, generation=2, secret=None))
    assert removed.outcome is LookOutcome.DONE


@pytest.mark.parametrize(
    "name", ["", "x" * 64, "é" * 32, "pg_tenant", "postgres", "template1", "a\0b"]
)
async def test_names_that_postgresql_would_not_keep_are_refused_first(
    postgres: PostgresBackEnd, name: str
) -> None:
    connector = await postgres.open()
    observed, _ = await observe_and_plan(connector, wish(new_name()))
    plan = await connector.plan(wish(name), observed)
    assert plan.action is PlanAction.BLOCKED
    assert plan.kind is ErrorKind.INVALID


async def test_a_level_needs_a_connection_limit(postgres: PostgresBackEnd) -> None:
    connector, name = await postgres.open(), new_name()
    blocked = await reach(connector, wish(name, level="unheard-of"))
    assert blocked.outcome is LookOutcome.BLOCKED
    assert blocked.plan.kind is ErrorKind.INVALID
    assert "limits.connection_limit" in blocked.plan.remedy


async def test_the_settings_may_give_a_level_another_limit(postgres: PostgresBackEnd) -> None:
    connector = await postgres.open(
        levels={"small": {"connection_limit": 7}, "own": {"connection_limit": -1}}
    )
    name = new_name()
    converged = await reach(connector, wish(name))
    assert converged.observed.limits == {"connection_limit": 7}
    unlimited = await reach(connector, wish(name, level="own", generation=2, secret=None))
    assert unlimited.observed.limits == {"connection_limit": "unlimited"}


async def test_a_database_needs_a_password_when_it_is_made(postgres: PostgresBackEnd) -> None:
    connector, name = await postgres.open(), new_name()
    blocked = await reach(connector, wish(name, secret=None))
    assert blocked.outcome is LookOutcome.BLOCKED
    assert blocked.plan.kind is ErrorKind.INVALID
    assert "password" in blocked.plan.reason


async def test_the_password_reaches_neither_the_servers_log_nor_its_catalogue_in_clear() -> None:
    with PostgresServer.start(
        settings={"log_statement": "all", "log_min_messages": "info"}
    ) as server:
        back_end = PostgresBackEnd(server)
        connector, name = await back_end.open(), new_name()
        await reach(connector, wish(name, secret="Clear-Text-4711"))
        assert await back_end.can_log_in(name, "Clear-Text-4711")
        log = server.log_tail(10_000)
        assert f'CREATE ROLE "{name}"' in log
        assert "Clear-Text-4711" not in log


async def test_a_server_error_does_not_repeat_the_statement(postgres: PostgresBackEnd) -> None:
    provisioner = new_name("weak")
    postgres.server.execute(f"CREATE ROLE {provisioner} LOGIN PASSWORD '{PASSWORD}'")
    postgres.server.execute(f"GRANT CONNECT ON DATABASE postgres TO {provisioner}")
    weak = PostgresBackEnd(postgres.server, user=provisioner, password=PASSWORD)
    connector = await weak.open(guard=[])
    with pytest.raises(ConnectorError) as caught:
        await reach(connector, wish(new_name(), secret="Unspoken-4711"))
    assert caught.value.kind is ErrorKind.DENIED
    assert caught.value.code == "42501"
    assert not caught.value.outcome_unknown
    for word in ("Unspoken-4711", "SCRAM-SHA-256", "CREATE ROLE"):
        assert word not in f"{caught.value.said} {caught.value.remedy} {caught.value!r}"


async def test_check_names_the_rights_that_the_connectors_role_lacks(
    postgres: PostgresBackEnd,
) -> None:
    provisioner = new_name("weak")
    postgres.server.execute(f"CREATE ROLE {provisioner} LOGIN CREATEDB PASSWORD '{PASSWORD}'")
    weak = PostgresBackEnd(postgres.server, user=provisioner, password=PASSWORD)
    postgres.server.execute(f"GRANT CONNECT ON DATABASE postgres TO {provisioner}")
    with pytest.raises(ConnectorError) as caught:
        await check(await weak.open())
    assert caught.value.kind is ErrorKind.CONFIG
    assert "CREATEROLE" in caught.value.said
    assert "CREATEDB" not in caught.value.said
    observing = await check(await weak.open(mode="observe"))
    assert "CREATEROLE" in observing.detail


async def test_a_role_without_superuser_rights_can_do_the_whole_round(
    postgres: PostgresBackEnd,
) -> None:
    provisioner = new_name("provisioner")
    postgres.server.execute(
        f"CREATE ROLE {provisioner} LOGIN CREATEROLE CREATEDB PASSWORD '{PASSWORD}'"
    )
    postgres.server.execute(f"GRANT CONNECT ON DATABASE postgres TO {provisioner}")
    back_end = PostgresBackEnd(postgres.server, user=provisioner, password=PASSWORD)
    connector, name = await back_end.open(), new_name()
    assert (await reach(connector, wish(name))).outcome is LookOutcome.DONE
    assert await back_end.can_log_in(name, PASSWORD)
    tenant = await asyncpg.connect(postgres.server.dsn(name, user=name, password=PASSWORD))
    for number, (state, level) in enumerate(
        [
            (Wish.PRESENT, "large"),
            (Wish.SUSPENDED, "large"),
            (Wish.PRESENT, "small"),
            (Wish.ABSENT, "small"),
        ],
        start=2,
    ):
        desired = wish(name, state, level, generation=number, secret=None)
        assert (await reach(connector, desired)).outcome is LookOutcome.DONE
    tenant.terminate()
    assert postgres.server.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (name,)) == []


@pytest.mark.parametrize(
    "password", ["pässwörd", "a\u00adb\u2000c", "\u0627\u0031", "tab\tand\x07bell"]
)
async def test_every_client_can_log_in_with_the_verifier_that_was_made_here(
    postgres: PostgresBackEnd, password: str
) -> None:
    connector, name = await postgres.open(), new_name()
    await reach(connector, wish(name, secret=password))
    assert await postgres.can_log_in(name, password)
    with psycopg.connect(postgres.server.dsn(name, user=name, password=password)) as connection:
        assert connection.execute("SELECT current_user").fetchone() == (name,)
