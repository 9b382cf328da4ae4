"""PowerDNS when things go wrong: stopped, frozen, refused, an answer lost, overtaken."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from typing import Any

import pytest

from mission_control_tui.connect import ConnectorError, ErrorKind, FenceGrade, Wish
from mission_control_tui.provisioning.converge import LookOutcome, apply_step, observe_and_plan
from tests.powerdns import API_KEY, PowerDNSServer
from tests.provisioning.connectors.powerdns import PowerDNSBackEnd, domain_wish, new_domain
from tests.provisioning.connectors.proxy import losing_proxy
from tests.provisioning.connectors.support import MemoryJournal, check, list_marked, reach
from tests.support import LOOPBACK, free_port


@pytest.fixture
def own_server() -> Iterator[PowerDNSServer]:
    """A server that the test may stop."""
    server = PowerDNSServer.start()
    yield server
    server.close()


async def test_a_server_that_is_stopped_or_frozen_is_unreachable_and_then_converges(
    own_server: PowerDNSServer,
) -> None:
    connector, name = await PowerDNSBackEnd(own_server).open(timeout=1), new_domain()
    await reach(connector, domain_wish(name))
    web = domain_wish(name, level="web", generation=2)
    own_server.stop()
    for call in (check(connector), reach(connector, web)):
        with pytest.raises(ConnectorError) as caught:
            await call
        assert caught.value.kind is ErrorKind.UNREACHABLE
        assert "goes on by itself" in caught.value.remedy
    own_server.resume()
    assert (await reach(connector, web)).outcome is LookOutcome.DONE
    mail = domain_wish(name, generation=3)
    _, plan = await observe_and_plan(connector, mail)
    own_server.signal(signal.SIGSTOP)
    with pytest.raises(ConnectorError) as caught:
        await apply_step(connector, mail, plan, plan.steps[0])
    assert caught.value.kind is ErrorKind.UNREACHABLE
    own_server.signal(signal.SIGCONT)
    assert (await reach(connector, mail)).outcome is LookOutcome.DONE
    assert own_server.dig(name, "MX")


@pytest.mark.parametrize("silent", [False, True], ids=["cut", "silent"])
@pytest.mark.parametrize(
    ("lost_after", "state"),
    [
        (b"POST /", Wish.PRESENT),
        (b"PUT /", Wish.PRESENT),
        (b"PATCH /", Wish.SUSPENDED),
        (b"DELETE /", Wish.ABSENT),
    ],
)
async def test_a_lost_answer_is_an_unknown_outcome_and_ends_in_exactly_one_zone(
    powerdns: PowerDNSBackEnd, lost_after: bytes, state: Wish, silent: bool
) -> None:
    direct, name = await powerdns.open(), new_domain()
    if state is not Wish.PRESENT:
        await reach(direct, domain_wish(name))
    desired = domain_wish(name, state, generation=2)
    async with losing_proxy(powerdns.server.api_port, lost_after, silent=silent) as proxy:
        through = PowerDNSBackEnd(powerdns.server, f"http://{LOOPBACK}:{proxy.port}")
        journal = MemoryJournal()
        connector = await through.open(timeout=1)
        converged = await reach(connector, desired, journal)
        await connector.aclose()
    assert proxy.lost == 1
    assert [(error.kind, error.outcome_unknown) for error in journal.errors] == [
        (ErrorKind.UNREACHABLE, True)
    ]
    assert converged.outcome is LookOutcome.DONE
    answered = {Wish.PRESENT: "NOERROR", Wish.SUSPENDED: "REFUSED", Wish.ABSENT: "REFUSED"}
    assert powerdns.server.status(name) == answered[state]
    assert (powerdns.server.zone(name) is None) is (state is Wish.ABSENT)


@pytest.mark.parametrize(
    ("settings", "kind"),
    [
        ({"server": "elsewhere"}, ErrorKind.CONFIG),
        ({"url": "http://no-such-host.invalid:8081"}, ErrorKind.CONFIG),
        ({"url": f"http://{LOOPBACK}:{free_port()}"}, ErrorKind.UNREACHABLE),
        ({"api_key_env": "TEST_POWERDNS_NO_KEY"}, ErrorKind.CONFIG),
        ({"api_key_env": "TEST_POWERDNS_WRONG_KEY"}, ErrorKind.AUTH),
    ],
)
async def test_what_cannot_be_reached_says_why_and_no_zone_counts_as_gone(
    powerdns: PowerDNSBackEnd,
    settings: dict[str, Any],
    kind: ErrorKind,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TEST_POWERDNS_WRONG_KEY", "not-the-key")
    name = new_domain()
    await reach(await powerdns.open(), domain_wish(name))
    connector = await powerdns.open(**settings)
    gone = domain_wish(name, Wish.ABSENT, generation=2)
    rows = list_marked(connector)
    for call in (check(connector), observe_and_plan(connector, gone), anext(rows)):
        with pytest.raises(ConnectorError) as caught:
            await call
        assert caught.value.kind is kind, caught.value.said
        assert caught.value.remedy
        assert not caught.value.outcome_unknown
        assert "not-the-key" not in f"{caught.value.said}{caught.value.remedy}{connector!r}"


async def test_a_rotated_key_is_read_anew_and_shows_nowhere(
    powerdns: PowerDNSBackEnd, monkeypatch: pytest.MonkeyPatch
) -> None:
    connector, name = await powerdns.open(), new_domain()
    monkeypatch.setitem(os.environ, "TEST_POWERDNS_KEY", "old-key")
    with pytest.raises(ConnectorError) as caught:
        await check(connector)
    assert (caught.value.kind, caught.value.code) == (ErrorKind.AUTH, "401")
    monkeypatch.setitem(os.environ, "TEST_POWERDNS_KEY", API_KEY)
    journal = MemoryJournal()
    look = await reach(connector, domain_wish(name), journal)
    assert API_KEY not in repr((look, journal, connector))
    assert API_KEY not in str(await powerdns.written(name))


async def test_an_older_act_is_refused_as_far_as_a_look_can_tell(
    powerdns: PowerDNSBackEnd,
) -> None:
    connector, name = await powerdns.open(), new_domain()
    assert connector.declares.fence is FenceGrade.ADVISORY
    await reach(connector, domain_wish(name))
    older = domain_wish(name, level="web", generation=2)
    _, plan = await observe_and_plan(connector, older)
    await reach(connector, domain_wish(name, generation=3))
    before = await powerdns.written(name)
    with pytest.raises(ConnectorError) as caught:
        await apply_step(connector, older, plan, plan.steps[0])
    assert caught.value.kind is ErrorKind.STALE
    assert await powerdns.written(name) == before


async def test_what_the_server_refuses_is_told_in_its_words(powerdns: PowerDNSBackEnd) -> None:
    records = [{"type": "SRV", "content": ["not a service record"]}]
    connector, name = await powerdns.open(records=records), new_domain()
    with pytest.raises(ConnectorError) as caught:
        await reach(connector, domain_wish(name))
    assert caught.value.kind is ErrorKind.INVALID
    assert "SRV" in caught.value.said
    gone = await reach(connector, domain_wish(name, Wish.ABSENT, generation=2))
    assert (gone.outcome, gone.observed.exists) == (LookOutcome.DONE, False)
    _, plan = await observe_and_plan(connector, domain_wish("not a domain"))
    assert plan.kind is ErrorKind.INVALID
