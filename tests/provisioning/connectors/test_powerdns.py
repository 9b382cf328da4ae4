"""The powerdns connector against a real PowerDNS, with dig as the witness."""

from __future__ import annotations

import asyncio
import secrets
from pathlib import Path
from typing import Any

import pytest

from mission_control_tui.connect import ChangePlan, ErrorKind, Mark, PlanAction, Wish
from mission_control_tui.model.errors import InvalidInput
from mission_control_tui.provisioning.converge import Look, LookOutcome, observe_and_plan
from mission_control_tui.provisioning.registry import load
from tests.powerdns import PowerDNSServer
from tests.provisioning.connectors.powerdns import (
    OWN_SERVERS,
    PowerDNSBackEnd,
    domain_wish,
    new_domain,
)
from tests.provisioning.connectors.support import MemoryJournal, check, list_marked, reach


def told(plan: ChangePlan) -> dict[str, tuple[Any, Any]]:
    """The plan's changes: what -> (before, after)."""
    return {
        change.what.removeprefix("attributes.").removeprefix("record "): (
            change.before,
            change.after,
        )
        for change in plan.changes
    }


async def test_a_bought_domain_is_a_zone_with_the_records_of_its_level(
    powerdns: PowerDNSBackEnd,
) -> None:
    server, connector, name = powerdns.server, await powerdns.open(), new_domain()
    _, plan = await observe_and_plan(connector, domain_wish(name))
    assert told(plan)[f"{name} MX"] == (
        None,
        [f"3600 10 mx.{name.replace('.', '-')}.mail.example."],
    )
    assert server.zone(name) is None
    reached = await reach(connector, domain_wish(name))
    assert reached.outcome is LookOutcome.DONE
    assert reached.observed.usage["records"].value == 8
    assert server.dig(name, "NS") == [f"{host}." for host in OWN_SERVERS]
    (soa,) = server.dig(name, "SOA")
    assert soa.startswith("ns1.provider.example. host\\.master.provider.example. ")
    assert soa.endswith(" 7200 3600 604800 300")
    assert server.dig(name, "MX") == [f"10 mx.{name.replace('.', '-')}.mail.example."]
    assert server.dig(name, "TXT") == ['"v=spf1 include:spf.mail.example -all"']
    assert server.dig(f"mc1._domainkey.{name}", "CNAME") == [f"mc1.{name}.dkim.example."]
    assert server.dig(f"www.{name}", "AAAA") == ["2001:db8::1"]
    assert server.dig(name, "A") == ["192.0.2.10"]


async def test_a_level_and_an_option_change_exactly_their_records(
    powerdns: PowerDNSBackEnd,
) -> None:
    server, connector, name = powerdns.server, await powerdns.open(), new_domain()
    await reach(connector, domain_wish(name))
    server.set(name, "shop", "A", ["198.51.100.7"])
    _, plan = await observe_and_plan(connector, domain_wish(name, level="web", generation=2))
    assert told(plan) == {
        "level": ("registered", "web"),
        f"{name} MX": ([f"3600 10 mx.{name.replace('.', '-')}.mail.example."], []),
        f"mc1._domainkey.{name} CNAME": ([f"3600 mc1.{name}.dkim.example."], []),
    }
    await reach(connector, domain_wish(name, level="web", generation=2))
    assert (server.dig(name, "MX"), server.dig(f"shop.{name}")) == ([], ["198.51.100.7"])
    wanted = {
        "web-address": "192.0.2.99",
        "name-servers": ["NS.other.example", "ns2.other.example"],
    }
    moved = domain_wish(name, level="web", generation=3, settings=wanted)
    _, plan = await observe_and_plan(connector, moved)
    assert told(plan) == {
        f"site.{name} A": (None, ["60 192.0.2.99"]),
        "settings.name-servers": ([*OWN_SERVERS], ["NS.other.example", "ns2.other.example"]),
    }
    reached = await reach(connector, moved)
    assert reached.outcome is LookOutcome.DONE
    assert server.dig(name, "NS") == ["ns.other.example.", "ns2.other.example."]
    assert server.dig(f"site.{name}") == ["192.0.2.99"]
    await reach(connector, domain_wish(name, level="web", generation=4))
    assert server.dig(name, "NS") == [f"{host}." for host in OWN_SERVERS]
    assert server.status(f"site.{name}", "A") == "NXDOMAIN"
    wrong = domain_wish(name, level="web", generation=5, settings={"web-address": "no address"})
    _, plan = await observe_and_plan(connector, wrong)
    assert (plan.action, plan.kind) == (PlanAction.BLOCKED, ErrorKind.INVALID)


async def test_drift_by_hand_is_named_and_mended_and_additions_stay(
    powerdns: PowerDNSBackEnd,
) -> None:
    server, connector, name = powerdns.server, await powerdns.open(), new_domain()
    await reach(connector, domain_wish(name))
    serial = server.zone(name)["serial"]
    assert (await reach(connector, domain_wish(name))).outcome is LookOutcome.DONE
    assert server.zone(name)["serial"] == serial
    server.set(name, "@", "MX", ["5 elsewhere.example."])
    server.set(name, "www", "AAAA", [])
    server.set(name, "@", "TXT", ['"v=spf1 +all"', '"site-verification=1"'])
    server.set(name, "office", "A", ["198.51.100.9"])
    _, plan = await observe_and_plan(connector, domain_wish(name))
    spf = '3600 "v=spf1 include:spf.mail.example -all"'
    assert told(plan) == {
        f"{name} MX": (
            ["3600 5 elsewhere.example."],
            [f"3600 10 mx.{name.replace('.', '-')}.mail.example."],
        ),
        f"{name} TXT": (
            ['3600 "site-verification=1"', '3600 "v=spf1 +all"'],
            ['3600 "site-verification=1"', spf],
        ),
        f"www.{name} AAAA": (None, ["3600 2001:db8::1"]),
    }
    assert (await reach(connector, domain_wish(name, attempt=2))).outcome is LookOutcome.DONE
    assert server.dig(name, "TXT") == [
        '"site-verification=1"',
        '"v=spf1 include:spf.mail.example -all"',
    ]
    assert server.dig(f"office.{name}") == ["198.51.100.9"]
    gone = domain_wish(name, Wish.ABSENT, generation=2)
    _, plan = await observe_and_plan(connector, gone)
    assert told(plan)["records that others made"] == ([f"office.{name} A"], None)
    await reach(connector, gone)
    assert server.zone(name) is None


async def test_records_that_others_made_first_are_left_and_told(powerdns: PowerDNSBackEnd) -> None:
    server, name = powerdns.server, new_domain()
    await reach(await powerdns.open(), domain_wish(name, level="web"))
    server.set(name, "@", "MX", ["5 theirs.example."])
    server.set(name, "mc1._domainkey", "TXT", ['"v=DKIM1; p=theirs"'])
    reached = await reach(await powerdns.open(), domain_wish(name, generation=2))
    assert reached.outcome is LookOutcome.DONE
    assert f"{name} MX" in reached.plan.reason
    assert f"mc1._domainkey.{name} CNAME" in reached.plan.reason
    assert server.dig(name, "MX") == ["5 theirs.example."]


@pytest.mark.parametrize(
    ("suspended", "ours", "theirs"),
    [
        ("refuse", "REFUSED", "REFUSED"),
        ("disable", "NXDOMAIN", "NOERROR"),
        ("answer", "NOERROR", "NOERROR"),
    ],
)
async def test_a_suspended_zone_does_what_the_setting_says(
    powerdns: PowerDNSBackEnd, suspended: str, ours: str, theirs: str
) -> None:
    server, connector, name = (
        powerdns.server,
        await powerdns.open(suspended=suspended),
        new_domain(),
    )
    await reach(connector, domain_wish(name))
    server.set(name, "office", "A", ["198.51.100.9"])
    before = records(server, name)
    off = await reach(connector, domain_wish(name, Wish.SUSPENDED, generation=2))
    assert (off.outcome, off.observed.wish) == (LookOutcome.DONE, Wish.SUSPENDED)
    assert server.status(f"www.{name}", "AAAA") == ours
    assert server.status(f"office.{name}", "A") == theirs
    on = await reach(connector, domain_wish(name, generation=3))
    assert (on.outcome, on.observed.wish) == (LookOutcome.DONE, Wish.PRESENT)
    assert records(server, name) == before
    # What is deprovisioned is kept suspended for its time, then removed.
    kept = domain_wish(name, Wish.ABSENT, generation=4, retained=True)
    assert (await reach(connector, kept)).outcome is LookOutcome.DONE
    assert server.status(f"www.{name}", "AAAA") == ours
    assert (
        await reach(connector, domain_wish(name, Wish.ABSENT, generation=4, attempt=2))
    ).outcome is LookOutcome.DONE
    assert server.status(name) == "REFUSED"
    born_off = new_domain()
    made = await reach(connector, domain_wish(born_off, Wish.SUSPENDED))
    assert (made.outcome, made.observed.wish) == (LookOutcome.DONE, Wish.SUSPENDED)
    assert server.status(f"www.{born_off}", "AAAA") == ours


def records(server: PowerDNSServer, name: str) -> dict[tuple[str, str], Any]:
    """All sets of a zone but for its SOA, whose serial moves."""
    return {
        (found["name"], found["type"]): sorted(map(str, found["records"]))
        for found in server.zone(name)["rrsets"]
        if found["type"] != "SOA"
    }


@pytest.mark.proof
async def test_fifty_zones_are_brought_in_with_their_records_untouched_then_managed(
    powerdns: PowerDNSBackEnd,
) -> None:
    server, connector = powerdns.server, await powerdns.open()
    names = [new_domain() for _ in range(50)]
    for number, name in enumerate(names):
        server.bring(
            name,
            {
                ("@", "SOA"): ["a.old.example. b.old.example. 2020010101 1 2 3 4"],
                ("@", "NS"): ["ns1.old.example.", "ns2.old.example."],
                ("@", "MX"): [f"{number} mail.old.example."],
                ("@", "TXT"): ['"v=spf1 mx ~all"', '"two" "strings"'],
                ("www", "CNAME"): ["web.old.example."],
            },
            account="customer-7" if number else "",
        )
    before = [server.zone(name)["rrsets"] for name in names]
    listed = {row.name: row.mark async for row in connector.list(marked_only=False)}
    assert {listed[name] for name in names} == {None}
    refused = await reach(connector, domain_wish(names[0]))
    assert (refused.outcome, refused.plan.kind) == (LookOutcome.BLOCKED, ErrorKind.CONFLICT)
    assert refused.observed.kept == ("7 records",)
    journals = [MemoryJournal() for _ in names]
    adopted = await asyncio.gather(
        *(
            reach(connector, domain_wish(name, adopt=True), journal)
            for name, journal in zip(names, journals, strict=True)
        )
    )
    assert {look.outcome for look in adopted} == {LookOutcome.DONE}
    for journal in journals:
        assert set(told(journal.looks[0].plan)) == {"owner", "level", "account"}
    assert [server.zone(name)["rrsets"] for name in names] == before
    assert {name for name, _ in [pair async for pair in list_marked(connector)]} >= set(names)
    name = names[7]
    chosen = {"name-servers": ["ns9.new.example", "ns8.new.example"]}
    await reach(connector, domain_wish(name, generation=2, settings=chosen))
    assert server.dig(name, "NS") == ["ns8.new.example.", "ns9.new.example."]
    assert server.dig(name, "MX") == ["7 mail.old.example."]
    off = await reach(connector, domain_wish(name, Wish.SUSPENDED, generation=3, settings=chosen))
    assert (off.outcome, server.status(name)) == (LookOutcome.DONE, "REFUSED")
    await reach(connector, domain_wish(name, generation=4, settings=chosen))
    assert server.dig(f"www.{name}", "CNAME") == ["web.old.example."]
    # What the zone has nothing of is added only where the settings say so.
    completing = await powerdns.open(adopted="complete")
    completed = await reach(completing, domain_wish(name, generation=5, settings=chosen))
    assert f"{name} MX" in completed.plan.reason
    assert server.dig(name, "A") == ["192.0.2.10"]
    assert server.dig(name, "MX") == ["7 mail.old.example."]
    assert server.dig(name, "TXT") == ['"two" "strings"', '"v=spf1 mx ~all"']


async def test_an_orphan_is_taken_over_with_its_records(powerdns: PowerDNSBackEnd) -> None:
    connector, name = await powerdns.open(), new_domain()
    await reach(connector, domain_wish(name, key=secrets.token_hex(16)))
    adopted = await reach(connector, domain_wish(name, adopt=True))
    assert adopted.outcome is LookOutcome.DONE
    powerdns.server.set(name, "@", "MX", [])
    _, plan = await observe_and_plan(connector, domain_wish(name))
    assert set(told(plan)) == {f"{name} MX"}


async def test_a_secondary_zone_cannot_be_taken_over(powerdns: PowerDNSBackEnd) -> None:
    name = new_domain()
    body = {"name": f"{name}.", "kind": "Slave", "masters": ["192.0.2.53"], "nameservers": []}
    powerdns.server.api("POST", "/zones", body)
    look: Look = await reach(await powerdns.open(), domain_wish(name, adopt=True))
    assert look.plan.kind is ErrorKind.CONFLICT
    assert "another server" in look.plan.reason


async def test_a_mark_that_other_software_overwrote_is_written_again(
    powerdns: PowerDNSBackEnd,
) -> None:
    connector, name = await powerdns.open(), new_domain()
    await reach(connector, domain_wish(name))
    account = powerdns.server.zone(name)["account"]
    powerdns.server.api("PUT", f"/zones/{name}.", {"account": "panel"})
    _, plan = await observe_and_plan(connector, domain_wish(name))
    assert told(plan) == {"account": ("panel", account)}
    await reach(connector, domain_wish(name, attempt=2))
    assert powerdns.server.zone(name)["account"] == account


async def test_a_wildcard_and_long_or_foreign_letters_are_kept_as_they_are_meant(
    powerdns: PowerDNSBackEnd,
) -> None:
    long = "v=DKIM1; p=" + "aB3/" * 100
    templates = [
        {"name": "*", "type": "A", "content": ["192.0.2.1", "192.0.2.2"]},
        {"name": "key", "type": "TXT", "content": [long, 'grüße "x" \\ y']},
        {"type": "CAA", "content": ['0 issue "ca.example"']},
        {"name": "_sip._tcp", "type": "SRV", "content": ["10 5 5060 SIP.provider.example"]},
        {"name": "sub", "type": "NS", "content": ["ns.sub.{domain}"]},
        {"type": "MX", "content": ["10 a.example"]},
        {"type": "MX", "content": ["20 b.example"], "ttl": 60},
    ]
    connector, name = await powerdns.open(records=templates), new_domain()
    reached = await reach(connector, domain_wish(name))
    assert reached.outcome is LookOutcome.DONE
    assert powerdns.server.dig(f"any.{name}") == ["192.0.2.1", "192.0.2.2"]
    assert powerdns.server.dig(name, "MX") == ["10 a.example.", "20 b.example."]
    texts = powerdns.server.dig(f"key.{name}", "TXT")
    assert ["".join(text[1:-1].split('" "')) for text in texts] == [
        'gr\\195\\188\\195\\159e \\"x\\" \\\\ y',
        long,
    ]


async def test_a_half_made_zone_is_finished(powerdns: PowerDNSBackEnd) -> None:
    server, connector, name = powerdns.server, await powerdns.open(), new_domain()
    await reach(connector, domain_wish(name))
    server.api("DELETE", f"/zones/{name}./metadata/X-MISSION-CONTROL")
    server.set(name, "@", "MX", [])
    look = await observe_and_plan(connector, domain_wish(name))
    assert (look.observed.complete, look.plan.action) == (False, PlanAction.UPDATE)
    finished = await reach(connector, domain_wish(name, attempt=2))
    assert (finished.outcome, finished.observed.level) == (LookOutcome.DONE, "registered")
    assert server.dig(name, "MX")
    assert finished.observed.mark == domain_wish(name, attempt=2).mark
    assert isinstance(finished.observed.mark, Mark)


async def test_check_names_the_version_and_warns_of_a_key_in_clear(
    powerdns: PowerDNSBackEnd,
) -> None:
    health = await check(await powerdns.open())
    assert health.version.startswith("PowerDNS 4.")
    assert health.warnings == ()
    elsewhere = powerdns.server.url.replace("127.0.0.1", "0.0.0.0")
    (warning,) = (await check(await powerdns.open(url=elsewhere))).warnings
    assert "in clear" in warning


async def test_every_wrong_setting_is_told_at_once(tmp_path: Path) -> None:
    wrong = {
        "type": "powerdns",
        "url": "ftp://dns1",
        "api_key": "in-clear",
        "hostmaster": "nobody",
        "suspended": "perhaps",
        "soa": {"refresh": 0, "retries": 1},
        "records": [
            {"type": "A", "content": ["999.1.1.1"]},
            {"name": "www", "type": "CNAME", "content": ["{domian}"]},
            {"type": "CNAME", "content": ["a.example"]},
            {"type": "SPF"},
            {"type": "TXT", "content": ["{value}"], "values": ["x"]},
        ],
    }
    with pytest.raises(InvalidInput) as caught:
        await load("dns", wrong, "here")
    text = "\n".join(f"{problem.where} {problem.what}" for problem in caught.value.problems)
    for said in (
        "dns.url",
        "dns.api_key ",
        "dns.api_key_file",
        "dns.name_servers",
        "dns.hostmaster",
        "dns.suspended",
        "soa.refresh",
        "soa.retries",
        "999.1.1.1",
        "{domian}",
        "records[3].type CNAME cannot",
        "records[4].type",
        "records[4].content",
        "records[5].values",
    ):
        assert said in text, f"{said!r} is not in {text}"
    assert "in-clear" not in text
