"""PostgreSQL when things go wrong: stopped, refused, an answer lost, a worker frozen."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import ssl
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import pytest

from mission_control_tui.connect import ConnectorError, SecretReference
from mission_control_tui.model.states import ErrorKind, StepState, Wish
from mission_control_tui.provisioning.connectors.postgresql import session as session_module
from mission_control_tui.provisioning.connectors.postgresql import statements as sql
from mission_control_tui.provisioning.connectors.postgresql.errors import translate
from mission_control_tui.provisioning.converge import LookOutcome, apply_step, observe_and_plan
from tests.postgres import PostgresServer
from tests.provisioning.connectors.proxy import losing_proxy
from tests.provisioning.connectors.support import (
    PASSWORD,
    MemoryJournal,
    PostgresBackEnd,
    check,
    new_name,
    reach,
    stop_after,
    wish,
)
from tests.support import free_port, require


def whole_server(back_end: PostgresBackEnd) -> session_module.Server:
    """The server as the connector sees it, for a session that a test holds by hand."""
    back_end.table()
    password = SecretReference("test", variable="TEST_BACK_END_PASSWORD")
    server = back_end.server
    return session_module.Server(server.host, server.port, server.user, "postgres", password)


async def test_a_stopped_server_is_unreachable_and_a_started_one_converges() -> None:
    with PostgresServer.start() as server:
        back_end = PostgresBackEnd(server)
        connector, name = await back_end.open(), new_name()
        await stop_after(connector, wish(name), "role")
        server.stop()
        for desired in (wish(name), wish(name, Wish.ABSENT, generation=2)):
            with pytest.raises(ConnectorError) as caught:
                await reach(connector, desired)
            assert caught.value.kind is ErrorKind.UNREACHABLE
        server.resume()
        assert (await reach(connector, wish(name, attempt=2))).outcome is LookOutcome.DONE
        assert await back_end.can_log_in(name, PASSWORD)


@pytest.mark.parametrize(
    ("settings", "kind"),
    [
        ({"user": "nobody_here"}, ErrorKind.AUTH),
        ({"database": "no_such_database"}, ErrorKind.CONFIG),
        ({"host": "/nowhere"}, ErrorKind.UNREACHABLE),
        ({"tls": "require"}, ErrorKind.CONFIG),
    ],
)
async def test_what_cannot_be_reached_says_why(
    postgres: PostgresBackEnd, settings: dict[str, Any], kind: ErrorKind
) -> None:
    connector = await postgres.open(**settings)
    for call in (check(connector), observe_and_plan(connector, wish(new_name()))):
        with pytest.raises(ConnectorError) as caught:
            await call
        assert caught.value.kind is kind, caught.value.said
        assert caught.value.remedy
        assert not caught.value.outcome_unknown


async def test_tls_is_verified_against_the_given_authority(tmp_path: Path) -> None:
    openssl = require("openssl", "apt-get install -y openssl")
    with tempfile.TemporaryDirectory(prefix="mc-tls-") as name:
        directory = Path(name)
        directory.chmod(0o755)
        for file, host in (("server", "IP:127.0.0.1"), ("other", "DNS:elsewhere.example")):
            arguments = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=test"]
            arguments += ["-addext", f"subjectAltName={host}", "-days", "2"]
            arguments += ["-keyout", str(directory / f"{file}.key")]
            arguments += ["-out", str(directory / f"{file}.crt")]
            subprocess.run([openssl, *arguments], check=True, capture_output=True)
        if os.geteuid() == 0:
            shutil.chown(directory / "server.key", "postgres")
        settings = {
            "ssl": "on",
            "ssl_cert_file": str(directory / "server.crt"),
            "ssl_key_file": str(directory / "server.key"),
        }
        with PostgresServer.start(settings=settings) as server:
            back_end = PostgresBackEnd(server)
            trusted = str(directory / "server.crt")
            for tls in ("require", "verify-ca", "verify-full"):
                await check(await back_end.open(tls=tls, ca_file=trusted))
            strange = await back_end.open(tls="verify-ca", ca_file=str(directory / "other.crt"))
            with pytest.raises(ConnectorError, match="self-signed certificate") as caught:
                await check(strange)
            assert caught.value.kind is ErrorKind.CONFIG
            missing = await back_end.open(tls="verify-ca", ca_file=str(tmp_path / "none.crt"))
            with pytest.raises(ConnectorError, match=r"none\.crt") as caught:
                await check(missing)
            assert caught.value.kind is ErrorKind.CONFIG


async def test_a_closed_port_is_unreachable(postgres: PostgresBackEnd) -> None:
    connector = await postgres.open(port=free_port())
    with pytest.raises(ConnectorError) as caught:
        await check(connector)
    assert caught.value.kind is ErrorKind.UNREACHABLE


async def test_a_wrong_password_is_auth_and_a_rotated_one_is_read_anew(
    postgres: PostgresBackEnd, monkeypatch: pytest.MonkeyPatch
) -> None:
    connector = await postgres.open()
    monkeypatch.setenv("TEST_BACK_END_PASSWORD", "not-the-password")
    with pytest.raises(ConnectorError) as caught:
        await check(connector)
    assert caught.value.kind is ErrorKind.AUTH
    assert caught.value.code == "28P01"
    assert "not-the-password" not in caught.value.said
    monkeypatch.setenv("TEST_BACK_END_PASSWORD", postgres.server.password)
    await check(connector)


@pytest.mark.parametrize("silent", [False, True], ids=["cut", "silent"])
@pytest.mark.parametrize(
    ("lost_after", "state"),
    [
        (b"COMMIT", Wish.PRESENT),
        (b"CREATE DATABASE", Wish.PRESENT),
        (b"DROP DATABASE", Wish.ABSENT),
        (b"COMMIT", Wish.SUSPENDED),
    ],
)
async def test_a_lost_answer_is_an_unknown_outcome_and_ends_in_exactly_one_object(
    postgres: PostgresBackEnd, lost_after: bytes, state: Wish, silent: bool
) -> None:
    direct, name = await postgres.open(), new_name()
    if state is not Wish.PRESENT:
        await reach(direct, wish(name))
    generation = 1 if state is Wish.PRESENT else 2
    desired = wish(name, state, generation=generation)
    async with losing_proxy(postgres.server.port, lost_after, silent=silent) as proxy:
        connector = await postgres.open(port=proxy.port, timeout=1.5)
        journal = MemoryJournal()
        converged = await reach(connector, desired, journal)
    assert proxy.lost == 1
    assert [error.outcome_unknown for error in journal.errors][:1] == [True]
    assert all(error.kind in (ErrorKind.UNREACHABLE, ErrorKind.STALE) for error in journal.errors)
    assert journal.entries.count(("observe", StepState.DONE)) > 1
    assert converged.outcome is LookOutcome.DONE
    count = postgres.server.execute(
        "SELECT (SELECT count(*) FROM pg_roles WHERE rolname = %s),"
        " (SELECT count(*) FROM pg_database WHERE datname = %s)",
        (name, name),
    )
    assert count == [(0, 0) if state is Wish.ABSENT else (1, 1)]
    assert await postgres.can_log_in(name, PASSWORD) is (state is Wish.PRESENT)


async def test_a_frozen_worker_loses_its_lock_and_its_session(
    postgres: PostgresBackEnd, monkeypatch: pytest.MonkeyPatch
) -> None:
    connector, name = await postgres.open(), new_name()
    await reach(connector, wish(name))
    monkeypatch.setattr(session_module, "IDLE_SECONDS", 1)

    async def freeze_and_wake_up() -> None:
        async with session_module.session(whole_server(postgres), writing=True) as frozen:
            await frozen.fetchval(sql.TAKE_LOCK, f"mission-control {name}")
            newer = wish(name, level="large", generation=2, secret=None)
            assert (await reach(connector, newer)).outcome is LookOutcome.DONE
            await frozen.execute(sql.drop_database(name))

    with pytest.raises(ConnectorError) as caught:
        await freeze_and_wake_up()
    assert caught.value.kind is ErrorKind.TRANSIENT
    assert caught.value.outcome_unknown
    assert await postgres.can_log_in(name, PASSWORD)


async def test_an_object_that_another_worker_holds_is_stale(
    postgres: PostgresBackEnd, monkeypatch: pytest.MonkeyPatch
) -> None:
    connector, name = await postgres.open(), new_name()
    _, plan = await observe_and_plan(connector, wish(name))
    monkeypatch.setattr(session_module, "LOCK_SECONDS", 0.2)
    async with session_module.session(whole_server(postgres)) as other:
        await other.fetchval(sql.TAKE_LOCK, f"mission-control {name}")
        with pytest.raises(ConnectorError) as caught:
            await apply_step(connector, wish(name), plan, plan.steps[-1])
    assert caught.value.kind is ErrorKind.STALE
    assert caught.value.code == "55P03"


async def test_many_workers_on_many_objects_do_not_disturb_each_other(
    postgres: PostgresBackEnd,
) -> None:
    connector = await postgres.open()
    names = [new_name() for _ in range(6)]
    outcomes = await asyncio.gather(*(reach(connector, wish(name)) for name in names))
    assert {converged.outcome for converged in outcomes} == {LookOutcome.DONE}


@pytest.mark.parametrize(
    ("error", "kind", "unknown"),
    [
        (socket.gaierror(socket.EAI_NONAME, "unknown"), ErrorKind.CONFIG, False),
        (socket.gaierror(socket.EAI_AGAIN, "later"), ErrorKind.UNREACHABLE, False),
        (ConnectionRefusedError(111, "refused"), ErrorKind.UNREACHABLE, True),
        (ConnectionResetError(104, "reset"), ErrorKind.UNREACHABLE, True),
        (TimeoutError(), ErrorKind.UNREACHABLE, True),
        (PermissionError(13, "no"), ErrorKind.CONFIG, False),
        (ssl.SSLCertVerificationError(1, "certificate verify failed"), ErrorKind.CONFIG, False),
    ],
)
def test_what_the_network_says_is_a_kind(error: Exception, kind: ErrorKind, unknown: bool) -> None:
    translated = translate(error, writing=True)
    assert translated.kind is kind
    assert translated.outcome_unknown is unknown
    assert translated.remedy


@pytest.mark.parametrize(
    ("sqlstate", "connecting", "kind", "unknown"),
    [
        ("28P01", True, ErrorKind.AUTH, False),
        ("28000", True, ErrorKind.AUTH, False),
        ("3D000", True, ErrorKind.CONFIG, False),
        ("42704", True, ErrorKind.CONFIG, False),
        ("53300", True, ErrorKind.THROTTLED, False),
        ("57P03", True, ErrorKind.UNREACHABLE, False),
        ("57P01", False, ErrorKind.UNREACHABLE, True),
        ("57P05", False, ErrorKind.TRANSIENT, True),
        ("25P03", False, ErrorKind.TRANSIENT, True),
        ("08006", False, ErrorKind.UNREACHABLE, True),
        ("42501", False, ErrorKind.DENIED, False),
        ("53100", False, ErrorKind.QUOTA, False),
        ("42710", False, ErrorKind.STALE, False),
        ("42P04", False, ErrorKind.STALE, False),
        ("3D000", False, ErrorKind.STALE, False),
        ("2BP01", False, ErrorKind.CONFLICT, False),
        ("42939", False, ErrorKind.INVALID, False),
        ("22023", False, ErrorKind.INVALID, False),
        ("0A000", False, ErrorKind.UNSUPPORTED, False),
        ("55006", False, ErrorKind.TRANSIENT, False),
        ("XX000", False, ErrorKind.STALE, False),
    ],
)
def test_the_servers_codes_are_kinds(
    sqlstate: str, connecting: bool, kind: ErrorKind, unknown: bool
) -> None:
    import asyncpg

    error = asyncpg.PostgresError.new({"C": sqlstate, "M": "the server's words", "D": "its detail"})
    translated = translate(error, connecting=connecting, writing=not connecting)
    assert translated.kind is kind
    assert translated.code == sqlstate
    assert translated.said == "the server's words: its detail"
    assert translated.outcome_unknown is unknown
