"""The tests' own PostgreSQL does what the suites that stop and restart it rely on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import asyncpg
import psycopg
import pytest

from tests.postgres import PostgresServer


async def test_addresses_work_with_password_and_only_with_it(
    postgres_server: PostgresServer, postgres_database: str
) -> None:
    connection = await asyncpg.connect(postgres_server.dsn(postgres_database))
    try:
        assert await connection.fetchval("SELECT current_database()") == postgres_database
    finally:
        await connection.close()
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(postgres_server.dsn(postgres_database, password="wrong"))


def test_a_stopped_server_refuses_and_a_resumed_one_has_its_data() -> None:
    with PostgresServer.start(durable=True) as server:
        database = server.create_database()
        server.execute("CREATE TABLE kept AS SELECT 1 AS one", database=database)
        assert server.execute("SHOW fsync") == [("on",)]
        port = server.port
        for immediate in (False, True):
            server.stop(immediate=immediate)
            assert not server.running
            with pytest.raises(psycopg.OperationalError):
                server.execute("SELECT 1")
            server.resume()
            assert server.port == port
            assert server.execute("SELECT one FROM kept", database=database) == [(1,)]
        directory = server.directory
    assert not directory.exists()


def test_a_copy_of_a_template_has_its_tables(postgres_server: PostgresServer) -> None:
    template = postgres_server.create_database()
    postgres_server.execute("CREATE TABLE t (a integer)", database=template)
    copy = postgres_server.create_database(template=template)
    assert postgres_server.execute("SELECT count(*) FROM t", database=copy) == [(0,)]
    postgres_server.drop_database(copy)
    postgres_server.drop_database(template)


@pytest.mark.proof
def test_a_killed_run_leaves_no_server_behind(postgres_server: PostgresServer) -> None:
    code = (
        "import os\nfrom tests.postgres import PostgresServer\n"
        "server = PostgresServer.start()\nprint(server.pid, server.directory, flush=True)\n"
        "os.kill(os.getpid(), 9)\n"
    )
    root = Path(__file__).parent.parent
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=False
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    pid, directory = done.stdout.split()
    os.kill(int(pid), 0)
    PostgresServer.start().close()
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid), 0)
    assert not Path(directory).exists()
    assert postgres_server.running
