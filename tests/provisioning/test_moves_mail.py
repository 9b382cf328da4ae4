"""Three real mail servers with one directory serve Managed Exchange between them; a mailbox moves and comes back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from mission_control_tui.model.history.undo import undo
from mission_control_tui.model.states import Light
from mission_control_tui.model.store.scope import AccountScope
from mission_control_tui.model.users.actions.params import ActionParams
from mission_control_tui.model.users.provisioning import move
from mission_control_tui.model.views import RevealedPassword
from mission_control_tui.provisioning.connectors.simulator.connector import ledger
from mission_control_tui.settings.settings import load
from tests.mail_server import MailServer
from tests.provisioning.support import ACCOUNT, EXCHANGE, LARGE, PASSWORD, World, worker
from tests.provisioning.test_retention import keeps

pytestmark = pytest.mark.proof

NUMBERS = (1, 2, 3)


@pytest.fixture
def servers() -> Iterator[dict[str, MailServer]]:
    """Three Dovecots, each with a mail database of its own."""
    started: dict[str, MailServer] = {}
    try:
        for number in NUMBERS:
            started[f"exchange-{number}"] = MailServer.start()
        yield started
    finally:
        for server in started.values():
            server.close()


def configure(world: World, servers: dict[str, MailServer]) -> None:
    """One directory for all, and a mail server for each of three composites."""
    rules = world.directory / "directory.toml"
    rules.write_text("seed = 1\n", "utf-8")
    lines = [
        f"[placement.{EXCHANGE}]",
        f"connectors = {[*servers]}",
        "[connectors.directory]",
        'type = "simulator"',
        f'path = "{world.directory / "directory.db"}"',
        f'rules = "{rules}"',
        "delay_factor = 0",
    ]
    for number, (name, server) in enumerate(servers.items(), 1):
        lines += [
            f"[connectors.mail-{number}]",
            'type = "mail-sql"',
            'mode = "enabled"',
            f'path = "{server.file}"',
            "[" + f"connectors.mail-{number}.levels.popx]",
            'protocols = ["pop"]',
            "quota_mb = 10",
            "[" + f"connectors.mail-{number}.levels.pc-web]",
            'protocols = ["pop", "imap"]',
            "quota_mb = 20",
            f"[connectors.{name}]",
            'type = "composite"',
            f"[connectors.{name}.parts.directory]",
            'connector = "directory"',
            f"[connectors.{name}.parts.mailbox]",
            f'connector = "mail-{number}"',
        ]
    world.configure(more=lines)
    world.store.placements = load().placements


async def test_mailboxes_over_three_servers_and_one_that_moves(
    world: World, servers: dict[str, MailServer]
) -> None:
    configure(world, servers)
    await keeps(world)
    scope = AccountScope(world.store, world.caller, ACCOUNT)
    people = await world.people("ada", "ben", "cyd", "dan", "eva", "fay")
    given = [await world.give(one, LARGE) for one in people]
    assert sorted(one.connector for one in given) == sorted([*servers] * 2)
    with worker(world):
        await world.settled()
        assert set((await world.lights()).keys()) == {Light.GREEN}
        for who, one in zip(people, given, strict=True):
            for name, server in servers.items():
                refused = server.why_not(who, PASSWORD)
                assert bool(refused) == (name != one.connector), (name, one.connector, refused)

        ada, old = given[0], given[0].connector
        new = next(name for name in servers if name != old)
        servers[old].deliver(people[0], "before the move")
        directory = world.directory / "directory.db"
        before = [one.key for one in ledger(directory)]
        wanted = ActionParams(EXCHANGE, on=new, new_password=True)
        made: list[RevealedPassword] = []
        outcome = await move(replace(scope, keep=made.extend), people[0], wanted)
        await world.settled()
        row = await world.assignment(ada.assignment_id)
        assert (row.light, row.connector) == (Light.GREEN, new)
        assert not servers[new].why_not(people[0], made[0].password)
        assert servers[old].why_not(people[0], PASSWORD), "it is suspended there"
        accounts = [one for one in ledger(directory) if one.effect in {"created", "removed"}]
        assert len(accounts) == len(people), "nobody's directory account was made or removed by it"
        assert len(before) < len([*ledger(directory)]), "but it got the new password"

        number = outcome.result[0].request_id
        await undo(scope, request=number)
        await world.settled()
        row = await world.assignment(ada.assignment_id)
        assert (row.light, row.connector) == (Light.GREEN, old)
        assert servers[old].inbox(people[0], PASSWORD) == ["before the move"]
