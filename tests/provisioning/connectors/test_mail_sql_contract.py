"""The promises of the protocol, kept by mail-sql, and what it says of a PostgreSQL that refuses or is away."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from mission_control_tui.connect import ConnectorError
from mission_control_tui.model.states import ErrorKind, Wish
from mission_control_tui.provisioning.connectors.mail_sql.setup_files import PostgresLogin
from mission_control_tui.provisioning.converge import LookOutcome
from mission_control_tui.provisioning.registry import load
from mission_control_tui.testing.connectors import ConnectorContract
from mission_control_tui.testing.fences import reach_patiently
from tests.mail_server import MailServer
from tests.postgres import PostgresServer
from tests.provisioning.connectors import support
from tests.provisioning.connectors.mail_sql import LEVELS, MailSqlBackEnd, make_database
from tests.provisioning.connectors.proxy import losing_proxy
from tests.provisioning.connectors.support import (
    INSTALLATION,
    PASSWORD,
    BackEnd,
    MemoryJournal,
    check,
    new_name,
    reach,
    wish,
)


@pytest.fixture(scope="module")
def sqlite_mail() -> Iterator[MailServer]:
    server = MailServer.start()
    yield server
    server.close()


@pytest.fixture(scope="module")
def postgres_mail(postgres_server: PostgresServer) -> Iterator[MailServer]:
    login = make_database(postgres_server)
    server = MailServer.start(login)
    yield server
    server.close()
    postgres_server.drop_database(login.database)


@pytest.fixture
def on_postgresql(postgres_mail: MailServer, monkeypatch: pytest.MonkeyPatch) -> MailSqlBackEnd:
    monkeypatch.setattr(support, "LIMITS", LEVELS)
    return MailSqlBackEnd(postgres_mail)


@pytest.mark.proof
class TestMailSql(ConnectorContract):
    # An object that has nothing but members is none of its.
    test_members_are_differences_or_are_said_to_be_unsupported = None  # type: ignore[assignment]

    @pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.proof)])
    def back_end(self, request: pytest.FixtureRequest) -> BackEnd:
        kind = "sqlite_mail" if request.param == "sqlite" else "postgres_mail"
        return MailSqlBackEnd(request.getfixturevalue(kind))


async def test_a_level_change_keeps_the_mailbox(
    sqlite_mail: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(support, "LIMITS", LEVELS)
    back_end = MailSqlBackEnd(sqlite_mail)
    connector, name = await back_end.open(), new_name()
    created = await reach(connector, wish(name))
    changed = await reach(connector, wish(name, level="large", generation=2, secret=None))
    assert changed.observed.limits == LEVELS["large"] | {"protocols": ["imap", "pop", "smtp"]}
    assert changed.observed.external_id == created.observed.external_id
    assert await back_end.can_log_in(name, PASSWORD)


@pytest.mark.proof
async def test_dovecot_on_postgresql_lets_in_and_says_how_full_it_is(
    on_postgresql: MailSqlBackEnd,
) -> None:
    connector, name = await on_postgresql.open(), new_name()
    address = f"{name}@acme.example"
    own = {"primary_address": address}
    await reach(connector, wish(name, attributes=own))
    server = on_postgresql.server
    assert "not in your mail level" in server.why_not(name, PASSWORD, "imap")
    server.deliver(address, "hello")
    seen = await reach(connector, wish(name, attributes=own))
    assert seen.observed.usage["mailbox"].at is not None
    assert server.postmap("mailboxes", address) == [name]
    assert server.postmap("domains", "acme.example") == ["acme.example"]
    assert server.postmap("routes", address) == [address]
    await reach(connector, wish(name, Wish.SUSPENDED, generation=2, secret=None, attributes=own))
    assert "Account suspended" in server.why_not(name, PASSWORD, "pop")


@pytest.mark.proof
async def test_of_racing_workers_on_postgresql_one_makes_the_mailbox(
    on_postgresql: MailSqlBackEnd,
) -> None:
    connectors = [await on_postgresql.open() for _ in range(4)]
    name = new_name()
    outcomes = await asyncio.gather(
        *(
            reach_patiently(connector, wish(name, attempt=attempt))
            for attempt, connector in enumerate(connectors, 1)
        )
    )
    assert LookOutcome.DONE in outcomes
    assert await on_postgresql.can_log_in(name, PASSWORD)


async def test_a_refusing_or_missing_postgresql_is_of_the_right_kind(
    on_postgresql: MailSqlBackEnd, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "PostgreSQL" in (await check(await on_postgresql.open())).version

    async def kind_of(**settings: object) -> ErrorKind:
        connector = await load("mail", on_postgresql.table(**settings), INSTALLATION)
        with pytest.raises(ConnectorError) as caught:
            await check(connector)
        assert "writes" not in str(caught.value)
        return caught.value.kind

    assert await kind_of(port=1) is ErrorKind.UNREACHABLE
    assert await kind_of(database="nowhere") is ErrorKind.CONFIG
    assert await kind_of(schema="elsewhere") is ErrorKind.CONFIG
    assert await kind_of(user="nobody") is ErrorKind.AUTH
    monkeypatch.setenv("TEST_READER", "reads")
    reader = await load(
        "mail",
        {**on_postgresql.table(), "user": "mailserver", "password_env": "TEST_READER"},
        INSTALLATION,
    )
    with pytest.raises(ConnectorError) as caught:
        await check(reader)
    assert caught.value.kind is ErrorKind.DENIED


async def test_a_commit_whose_answer_is_lost_may_have_happened_and_is_looked_at_again(
    on_postgresql: MailSqlBackEnd,
) -> None:
    where, name = on_postgresql.server.database, new_name()
    assert isinstance(where, PostgresLogin)
    async with losing_proxy(where.port, b"COMMIT", after=b"INSERT INTO mail_object") as proxy:
        connector = await on_postgresql.open(port=proxy.port)
        journal = MemoryJournal()
        converged = await reach(connector, wish(name), journal)
        await connector.aclose()
    assert proxy.lost == 1
    assert [(error.kind, error.outcome_unknown) for error in journal.errors] == [
        (ErrorKind.UNREACHABLE, True)
    ]
    assert converged.outcome is LookOutcome.DONE
    assert await on_postgresql.can_log_in(name, PASSWORD)
