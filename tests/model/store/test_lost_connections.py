"""PostgreSQL that is lost: at the commit, silently, or behind TLS that is not who it says."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import time
from collections.abc import Awaitable, Iterator
from contextlib import AbstractAsyncContextManager, aclosing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import make_url, text

from mission_control_tui.model.caller import Caller
from mission_control_tui.model.errors import StoreError
from mission_control_tui.model.store import change_feed, engine
from mission_control_tui.model.store.database import Store
from mission_control_tui.model.store.engine import database_url
from mission_control_tui.settings.settings import PREFIX
from tests.cli.inprocess import Called, call, ok
from tests.postgres import PostgresServer, _server_account
from tests.provisioning.connectors.proxy import LosingProxy, losing_proxy
from tests.support import missing

INIT = ("init", "--name", "Acme Pty Ltd", "--code", "acme", "--domain", "acme.example")
BUY = ("buy", "email", "--level", "popx", "--quantity", "20")


@pytest.fixture
def account(
    postgres_server: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> str:
    """The address of a database with an account; commands use it."""
    monkeypatch.setenv("MISSION_CONTROL_NO_WORKER", "1")
    monkeypatch.setenv(PREFIX + "WORKER__KEY_FILE", str(tmp_path / "worker.key"))
    address = postgres_server.dsn(postgres_server.create_database())
    monkeypatch.setenv(PREFIX + "DATABASE", address)
    ok("upgrade")
    ok(*INIT)
    return address


def through(address: str, proxy: LosingProxy) -> str:
    return make_url(address).set(port=proxy.port).render_as_string(hide_password=False)


def at_the_commit(address: str) -> AbstractAsyncContextManager[LosingProxy]:
    """A proxy that loses the answer to the commit of the first change."""
    return losing_proxy(make_url(address).port or 0, b"COMMIT;", after=b"pg_notify")


async def called(*arguments: str, stdin: str = "") -> Called:
    return await asyncio.to_thread(call, *arguments, stdin=stdin)


async def told(*arguments: str) -> Any:
    return (await called(*arguments, "--json")).json


async def orders() -> list[int]:
    return [one["id"] for one in (await told("orders", "list"))["orders"]]


async def test_a_commit_without_an_answer_says_look_and_the_key_buys_once(account: str) -> None:
    async with at_the_commit(account) as proxy:
        lost = await called("--database", through(account, proxy), *BUY, "--json")
        assert proxy.lost
    assert lost.code == 8
    assert lost.error["code"] == "outcome-unknown"
    key = lost.error["hint"].rpartition(" ")[2]
    first = await orders()
    assert len(first) == 1  # it has happened, and only nobody was told
    again = await told(*BUY, "--idempotency-key", key)
    assert again["order"]["id"] == first[0]
    assert "placed with this key" in str(again["plan"]["warnings"])
    assert await orders() == first
    other = await called("buy", "email", "--level", "popx", "--idempotency-key", key, "--json")
    assert (other.code, other.error["code"]) == (5, "conflict")
    assert (await told(*BUY))["order"]["id"] != first[0]
    assert len(await orders()) == 2


async def test_a_file_of_passwords_stays_where_nobody_knows_whether_they_were_set(
    account: str, tmp_path: Path
) -> None:
    out = tmp_path / "passwords.csv"
    async with at_the_commit(account) as proxy:
        lost = await called(
            *("--database", through(account, proxy), "users", "paste", "-", "--domain"),
            *("acme.example", "--passwords-out", str(out), "--json"),
            stdin="Ada Byron\n",
        )
    assert (lost.code, lost.error["code"]) == (8, "outcome-unknown")
    assert len(out.read_text("utf-8").splitlines()) == 2
    assert [one["upn"] for one in (await told("users", "list"))["users"]] == [
        "ada.byron@acme.example"
    ]


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waits that a test has time for."""
    monkeypatch.setattr(engine, "COMMAND_SECONDS", 1.0)
    monkeypatch.setattr(engine, "CONNECT_SECONDS", 1.0)
    monkeypatch.setattr(change_feed, "PING_SECONDS", 0.2)
    monkeypatch.setattr(change_feed, "PING_PATIENCE", 0.5)


async def asks(store: Store, swallows: LosingProxy | None = None) -> None:
    """Begin to write, with connections that die in the middle of it."""
    async with store.write(Caller("mia")) as tx:
        await tx.session.execute(text("SELECT 1"))
        if swallows is not None:
            swallows.swallow()
        await tx.session.execute(text("SELECT 1"))


async def failure(work: Awaitable[None]) -> StoreError | None:
    """What an operator is told of it, None where it succeeds."""
    try:
        await work
    except Exception as error:  # noqa: BLE001 - a flaw of the program is raised again
        told = engine.operator_error(error)
        return told if isinstance(told, StoreError) else None
    return None


@pytest.mark.usefixtures("impatient")
async def test_a_connection_that_dies_silently_is_found_out_and_made_anew(account: str) -> None:
    async with losing_proxy(make_url(account).port or 0, b"") as proxy:
        store = await Store.open(through(account, proxy))
        await asks(store)
        proxy.swallow()
        began = time.monotonic()
        # What is pooled is dead: it is found out by a ping, or the question fails in bounded time.
        answers = [await failure(asks(store)) for _ in range(3)]
        assert answers[-1] is None, "the database that answers new connections was not found again"
        assert time.monotonic() - began < 8.0
        # In the middle of a write as well.
        began = time.monotonic()
        lost = await failure(asks(store, proxy))
        assert lost is not None
        assert time.monotonic() - began < 8.0
        await asyncio.wait_for(store.close(), 10)


@pytest.mark.usefixtures("impatient")
async def test_a_feed_whose_line_is_dead_is_made_anew_and_says_meanwhile_how_long(
    account: str,
) -> None:
    async with losing_proxy(make_url(account).port or 0, b"") as proxy:
        store = await Store.open(through(account, proxy))
        assert store.silence == 0.0
        async with aclosing(change_feed.changes(store)) as feed:
            await anext(feed)
            waits = asyncio.ensure_future(anext(feed))
            await asyncio.sleep(0.5)
            assert store.silence < 0.4  # the ping was answered
            proxy.swallow()
            await asyncio.sleep(0.6)
            assert store.silence > 0.4
            await asyncio.wait_for(waits, 10)
            assert store.silence < 0.4
            again = await Store.open(account)
            async with again.write(Caller("mia")):
                pass
            await asyncio.wait_for(anext(feed), 5)
            await again.close()
        await asyncio.wait_for(store.close(), 10)


def openssl(*arguments: str | Path) -> None:
    if shutil.which("openssl") is None:
        missing("openssl", "apt-get install -y openssl")
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)


@pytest.fixture
def with_tls(postgres_server: PostgresServer) -> Iterator[Path]:
    """The certificate that the server shows on localhost, whose authority it is itself; TLS is on meanwhile."""
    directory = postgres_server.directory / "tls"
    directory.mkdir()
    key, certificate = directory / "key", directory / "certificate"
    openssl(
        *("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-keyout", key),
        *("-out", certificate, "-subj", "/CN=localhost", "-addext"),
        "subjectAltName=DNS:localhost",
    )
    if account := _server_account():
        for path in (directory, key):
            shutil.chown(path, account)
    key.chmod(0o600)
    settings = {"ssl_cert_file": certificate, "ssl_key_file": key, "ssl": "on"}
    for name, value in settings.items():
        postgres_server.execute(f"ALTER SYSTEM SET {name} = '{value}'")
    postgres_server.execute("SELECT pg_reload_conf()")
    yield certificate
    for name in settings:
        postgres_server.execute(f"ALTER SYSTEM RESET {name}")
    postgres_server.execute("SELECT pg_reload_conf()")
    shutil.rmtree(directory)


async def encrypted(where: str) -> bool:
    """Whether both the store's and the feed's connection there are encrypted."""
    store = await Store.open(where)
    try:
        async with aclosing(change_feed.changes(store)) as feed:
            await asyncio.wait_for(anext(feed), 10)
            asked = text(
                "SELECT bool_and(ssl) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)"
                " WHERE datname = current_database()"
            )
            async with store.read() as session:
                return bool(await session.scalar(asked))
    finally:
        await store.close()


async def test_tls_is_stated_in_one_way_for_everything_that_connects(
    account: str, with_tls: Path, tmp_path: Path
) -> None:
    by_name = make_url(account).set(host="localhost").render_as_string(hide_password=False)
    verified = f"?sslmode=verify-full&sslrootcert={with_tls}"
    for query in ("", "?sslmode=prefer", "?sslmode=require", "?ssl=require", verified):
        assert await encrypted(by_name + query), query
    assert not await encrypted(by_name + "?sslmode=disable")
    # By another name than the certificate's, or by an authority that is none of ours.
    strange = tmp_path / "strange"
    openssl(
        *("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"),
        *("-keyout", tmp_path / "strange.key", "-out", strange),
    )
    for refused in (account + verified, f"{by_name}?sslmode=verify-ca&sslrootcert={strange}"):
        with pytest.raises(StoreError):
            await encrypted(refused)
    shown = await called("--database", by_name + verified, "account", "list", "--json")
    assert shown.code == 0, shown.err
    backup = await called("--database", by_name + verified, "backup", str(tmp_path / "b"), "--json")
    assert backup.code == 0, backup.err
    for wrong in ("sslmode=verify-all", "ssl=true"):
        with pytest.raises(StoreError, match="verify-full"):
            database_url(f"{by_name}?{wrong}")


async def test_a_connection_that_died_while_nobody_used_it_is_replaced(
    account: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, another = await Store.open(account), await Store.open(account)
    try:
        await store.now()
        async with another.private() as session:
            await session.execute(
                text(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )
            )
        monkeypatch.setattr(engine, "FRESH_SECONDS", 0.0)
        assert await store.now() > 0
    finally:
        await store.close()
        await another.close()
