"""The mysql connector against a real MariaDB, with logins as the witness."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import pymysql
import pytest

from mission_control_tui.connect import ConnectorError, ErrorKind, Wish
from mission_control_tui.model.errors import InvalidInput
from mission_control_tui.provisioning.converge import LookOutcome, observe_and_plan
from mission_control_tui.provisioning.registry import load
from tests.mariadb import MariaDBServer
from tests.provisioning.connectors.mysql import MariaDBBackEnd
from tests.provisioning.connectors.proxy import losing_proxy
from tests.provisioning.connectors.support import PASSWORD, MemoryJournal, check, new_name, reach
from tests.support import free_port, require


async def test_a_tenant_logs_in_to_its_own_database_alone_until_it_is_suspended(
    mariadb: MariaDBBackEnd,
) -> None:
    connector, name = await mariadb.open(), new_name()
    lookalike = name.replace("_", "x")
    for one in (name, lookalike):
        reached = await reach(connector, mariadb.wish(one))
        assert reached.outcome is LookOutcome.DONE
    session = mariadb.server.connect(name, PASSWORD, database=name)
    with session.cursor() as cursor:
        cursor.execute("CREATE TABLE kept (number INT)")
        cursor.execute("SHOW DATABASES")
        assert {row[0] for row in cursor.fetchall()} == {"information_schema", name}
    for other in (lookalike, "mysql", "mission_control"):
        assert not await mariadb.can_log_in(name, PASSWORD, other)
    await reach(connector, mariadb.wish(name, Wish.SUSPENDED, generation=2, secret=None))
    with pytest.raises(pymysql.MySQLError):
        session.ping(reconnect=False)
    assert not await mariadb.can_log_in(name, PASSWORD)
    await reach(connector, mariadb.wish(name, generation=3, secret=None))
    kept = mariadb.server.execute("SHOW TABLES FROM " + f"`{name}`")
    assert [*kept] == [("kept",)]


@pytest.mark.proof
async def test_a_level_is_what_may_be_used_at_a_time_and_in_an_hour(
    mariadb: MariaDBBackEnd,
) -> None:
    connector, name = await mariadb.open(), new_name()
    granted: dict[str, Any] = {"connection_limit": 1, "queries_per_hour": 3}
    await reach(connector, mariadb.wish(name, limits=granted))
    with mariadb.server.connect(name, PASSWORD) as first:
        with pytest.raises(pymysql.MySQLError, match="max_user_connections"):
            mariadb.server.connect(name, PASSWORD)
        with pytest.raises(pymysql.MySQLError, match="max_queries_per_hour"):  # noqa: PT012 - one of them
            for _ in range(5):
                first.query("SELECT 1")
    free = mariadb.wish(name, generation=2, secret=None, limits={"connection_limit": "unlimited"})
    _, plan = await observe_and_plan(connector, free)
    assert {change.what: (change.before, change.after) for change in plan.changes} == {
        "limits.connection_limit": (1, "unlimited"),
        "limits.queries_per_hour": (3, None),
    }
    assert (await reach(connector, free)).outcome is LookOutcome.DONE


@pytest.mark.proof
async def test_drift_by_hand_is_found_and_mended(mariadb: MariaDBBackEnd) -> None:
    connector, name = await mariadb.open(), new_name()
    await reach(connector, mariadb.wish(name))
    execute = mariadb.server.execute
    execute(f"ALTER USER `{name}`@'%' WITH MAX_USER_CONNECTIONS 9 ACCOUNT LOCK")
    execute(f"GRANT SELECT ON `elsewhere`.* TO `{name}`@'%'")
    execute(f"DROP DATABASE `{name}`")
    again = mariadb.wish(name, generation=2, secret=None)
    _, plan = await observe_and_plan(connector, again)
    assert {change.what for change in plan.changes} == {
        *("state", "limits.connection_limit", "database", "attributes.other_databases"),
    }
    assert (await reach(connector, again)).outcome is LookOutcome.DONE
    assert await mariadb.can_log_in(name, PASSWORD)
    execute(f"GRANT PROCESS ON *.* TO `{name}`@'%'")
    _, plan = await observe_and_plan(connector, mariadb.wish(name, generation=3, secret=None))
    assert plan.kind is ErrorKind.CONFLICT


@pytest.mark.proof
async def test_somebody_elses_user_is_taken_over_only_as_a_whole(mariadb: MariaDBBackEnd) -> None:
    connector, name = await mariadb.open(), new_name()
    execute = mariadb.server.execute
    execute(f"CREATE DATABASE `{name}`")
    asked = mariadb.wish(name, secret=None, adopt=True)
    _, plan = await observe_and_plan(connector, asked)
    assert (plan.kind, "and no user" in plan.reason) == (ErrorKind.CONFLICT, True)
    execute(f"CREATE USER `{name}`@'%' IDENTIFIED BY 'theirs'")
    _, plan = await observe_and_plan(connector, asked)
    assert plan.kind is ErrorKind.CONFLICT
    assert "somebody else's" in plan.reason
    execute(f"GRANT ALL ON `{name}`.* TO `{name}`@'%'")
    assert (await reach(connector, asked)).outcome is LookOutcome.DONE
    assert await mariadb.can_log_in(name, "theirs")
    execute(f"CREATE USER `{name}`@'localhost' IDENTIFIED BY 'other'")
    _, plan = await observe_and_plan(connector, mariadb.wish(name, generation=2, secret=None))
    assert (plan.kind, "localhost" in plan.reason) == (ErrorKind.CONFLICT, True)


@pytest.mark.proof
@pytest.mark.parametrize("name", ["mysql", "test_a", "provisioner", "a`b.c", "x" * 65, "a%"])
async def test_a_name_that_means_something_else_is_refused(
    mariadb: MariaDBBackEnd, name: str
) -> None:
    connector = await mariadb.open()
    _, plan = await observe_and_plan(connector, mariadb.wish(name))
    assert plan.kind is ErrorKind.INVALID


@pytest.mark.proof
async def test_quotes_in_a_name_are_data(mariadb: MariaDBBackEnd) -> None:
    connector, name = await mariadb.open(), new_name("a'`\"b")
    assert (await reach(connector, mariadb.wish(name))).outcome is LookOutcome.DONE
    assert await mariadb.can_log_in(name, PASSWORD)
    removed = await reach(connector, mariadb.wish(name, Wish.ABSENT, generation=2, secret=None))
    assert not removed.observed.exists


@pytest.mark.proof
async def test_an_answer_that_is_lost_is_an_unknown_outcome_and_is_looked_at_again(
    mariadb: MariaDBBackEnd,
) -> None:
    name, journal = new_name(), MemoryJournal()
    async with losing_proxy(mariadb.server.port, b"CREATE USER") as proxy:
        connector = await mariadb.open(port=proxy.port)
        converged = await reach(connector, mariadb.wish(name), journal)
        await connector.aclose()
    assert proxy.lost == 1
    assert [(error.kind, error.outcome_unknown) for error in journal.errors] == [
        (ErrorKind.UNREACHABLE, True)
    ]
    assert converged.outcome is LookOutcome.DONE
    assert await mariadb.can_log_in(name, PASSWORD)


@pytest.mark.proof
async def test_what_cannot_be_reached_says_why(mariadb: MariaDBBackEnd) -> None:
    for settings, kind in (
        ({"user": "nobody_here"}, ErrorKind.AUTH),
        ({"port": free_port()}, ErrorKind.UNREACHABLE),
    ):
        connector = await mariadb.open(**settings)
        with pytest.raises(ConnectorError) as caught:
            await check(connector)
        assert caught.value.kind is kind, caught.value.said
        assert caught.value.remedy
    mariadb.server.execute("CREATE USER weak@'%' IDENTIFIED BY 'weak-password'")
    mariadb.server.execute("GRANT SELECT ON *.* TO weak@'%'")
    weak = MariaDBBackEnd(mariadb.server, user="weak", password="weak-password")
    with pytest.raises(ConnectorError, match="lacks CREATE USER") as caught:
        await check(await weak.open())
    assert caught.value.kind is ErrorKind.CONFIG


@pytest.mark.proof
async def test_tls_is_verified_against_the_given_authority(tmp_path: Path) -> None:
    openssl = require("openssl", "apt-get install -y openssl")
    for file, host in (("server", "IP:127.0.0.1"), ("other", "DNS:elsewhere.example")):
        arguments = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=test"]
        arguments += ["-addext", f"subjectAltName={host}", "-days", "2"]
        arguments += ["-keyout", str(tmp_path / f"{file}.key")]
        arguments += ["-out", str(tmp_path / f"{file}.crt")]
        subprocess.run([openssl, *arguments], check=True, capture_output=True)
    server = MariaDBServer.start(
        f"--ssl-cert={tmp_path / 'server.crt'}", f"--ssl-key={tmp_path / 'server.key'}"
    )
    try:
        back_end = MariaDBBackEnd(server)
        await check(await back_end.open(ca_file=str(tmp_path / "server.crt")))
        strange = await back_end.open(ca_file=str(tmp_path / "other.crt"))
        with pytest.raises(ConnectorError, match="certificate") as caught:
            await check(strange)
        assert caught.value.kind is ErrorKind.CONFIG
    finally:
        server.close()


@pytest.mark.proof
async def test_a_server_without_tls_is_refused_where_a_ca_file_is_named(
    mariadb: MariaDBBackEnd,
) -> None:
    connector = await mariadb.open(ca_file="/etc/ssl/certs/ca-certificates.crt")
    with pytest.raises(ConnectorError) as caught:
        await check(connector)
    assert caught.value.kind is ErrorKind.CONFIG


async def test_wrong_settings_are_refused_all_at_once() -> None:
    os.environ.pop("TEST_MARIADB_PASSWORD", None)
    with pytest.raises(InvalidInput) as caught:
        await load("db", {"type": "mysql", "port": 0, "schema": "a/b", "hosts": "%"}, "here")
    assert {problem.where for problem in caught.value.problems} == {
        *("connectors.db.user", "connectors.db.port", "connectors.db.schema", "connectors.db.hosts")
    }
