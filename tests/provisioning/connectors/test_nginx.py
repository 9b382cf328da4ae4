"""The shipped sites of nginx: what a browser gets, what is refused, what others made, what stops in the middle."""

from __future__ import annotations

from pathlib import Path

import pytest

from mission_control_tui.connect import ConnectorError, ErrorKind, PlanAction, Wish
from mission_control_tui.provisioning.converge import LookOutcome, observe_and_plan
from mission_control_tui.testing.converging import reach
from tests.provisioning.connectors.nginx import NginxBackEnd, domain_of

BY_HAND = """# made by hand
server {{
    listen {address};
    server_name {domain};
    root {root};
    add_header X-By hand;
}}
"""


def bring(nginx: NginxBackEnd, name: str, text: str = BY_HAND) -> Path:
    """Make a site as somebody else would."""
    root = nginx.server.directory / f"by-hand-{name}"
    root.mkdir(exist_ok=True)
    (root / "index.html").write_text("theirs")
    file = nginx.server.sites / f"{name}.conf"
    file.write_text(text.format(address=nginx.server.address, domain=domain_of(name), root=root))
    return file


async def test_a_site_is_served_answers_503_while_suspended_and_is_gone_when_removed(
    nginx: NginxBackEnd,
) -> None:
    connector, name = await nginx.open(), nginx.new_name()
    made = await reach(connector, nginx.wish(name))
    assert nginx.server.get(domain_of(name)) == (
        200,
        f"<!doctype html><title>{domain_of(name)}</title><p>{domain_of(name)} is being built.\n",
    )
    assert made.observed.usage["storage"].unit == "MB"
    (nginx.server.roots / name / "index.html").write_text("hello")
    await reach(connector, nginx.wish(name, Wish.SUSPENDED, generation=2))
    assert nginx.server.get(domain_of(name))[0] == 503
    await reach(connector, nginx.wish(name, generation=3))
    assert nginx.server.get(domain_of(name)) == (200, "hello")
    await reach(connector, nginx.wish(name, Wish.ABSENT, generation=4))
    assert nginx.server.get(domain_of(name))[0] == 404
    assert not (nginx.server.roots / name).exists()
    assert await nginx.written(name) == []


async def test_the_domain_of_the_user_serves_where_none_is_stated(nginx: NginxBackEnd) -> None:
    connector, name = await nginx.open(), nginx.new_name()
    made = await reach(
        connector, nginx.wish(name, settings={}, attributes={"domain": domain_of(name)})
    )
    assert made.outcome is LookOutcome.DONE
    assert nginx.server.get(domain_of(name))[0] == 200


@pytest.mark.parametrize("domain", ["bad;domain.example", "a b.example", "x", "-a.example", ".."])
async def test_what_is_no_domain_is_refused_and_nothing_is_written(
    nginx: NginxBackEnd, domain: str
) -> None:
    connector, name = await nginx.open(), nginx.new_name()
    with pytest.raises(ConnectorError, match="no domain") as caught:
        await reach(connector, nginx.wish(name, settings={"domain": domain}))
    assert (caught.value.kind, caught.value.field) == (ErrorKind.INVALID, "domain")
    assert await nginx.written(name) == []


async def test_a_domain_that_another_site_answers_to_is_a_conflict(nginx: NginxBackEnd) -> None:
    connector, name, second = await nginx.open(), nginx.new_name(), nginx.new_name()
    await reach(connector, nginx.wish(name))
    with pytest.raises(ConnectorError, match=f"answered by the site {name} already") as caught:
        await reach(connector, nginx.wish(second, settings={"domain": domain_of(name)}))
    assert (caught.value.kind, caught.value.field) == (ErrorKind.CONFLICT, "domain")


async def test_what_nginx_refuses_leaves_all_as_it_was(nginx: NginxBackEnd, tmp_path: Path) -> None:
    connector, name = await nginx.open(), nginx.new_name()
    await reach(connector, nginx.wish(name))
    text = (nginx.server.sites / f"{name}.conf").read_text()
    template = tmp_path / "template"
    template.write_text("server { {listen} server_name {domain}; no_such_word on; }\n")
    table = nginx.table()["configuration"]
    assert isinstance(table, dict)
    broken = await nginx.open(configuration={**table, "template": str(template)})
    with pytest.raises(ConnectorError, match='unknown directive "no_such_word"') as caught:
        await reach(broken, nginx.wish(name, level=nginx.large, generation=2))
    assert caught.value.kind is ErrorKind.INVALID
    assert (nginx.server.sites / f"{name}.conf").read_text() == text
    assert nginx.server.get(domain_of(name))[0] == 200


async def test_what_was_not_loaded_yet_stays_so_where_somebody_elses_file_is_broken(
    nginx: NginxBackEnd,
) -> None:
    connector, name = await nginx.open(), nginx.new_name()
    await reach(connector, nginx.wish(name))
    file = nginx.server.sites / f"{name}.conf"
    nginx.server.sites.joinpath(f".{name}.unloaded").write_text(file.read_text())
    broken = nginx.server.sites / "zz.conf"
    broken.write_text("no_such_word on;\n")
    try:
        with pytest.raises(ConnectorError, match="no_such_word") as caught:
            await reach(connector, nginx.wish(name, attempt=2))
    finally:
        broken.unlink()
    assert caught.value.kind is ErrorKind.CONFIG
    _, plan = await observe_and_plan(connector, nginx.wish(name, attempt=3))
    assert plan.action is PlanAction.UPDATE
    await reach(connector, nginx.wish(name, attempt=3))


async def test_a_file_of_any_encoding_beside_it_hinders_nothing(nginx: NginxBackEnd) -> None:
    connector, name = await nginx.open(), nginx.new_name()
    beside = nginx.server.sites / "latin.conf"
    beside.write_bytes(b"# K\xf6ln\n")
    try:
        assert (await reach(connector, nginx.wish(name))).outcome is LookOutcome.DONE
    finally:
        beside.unlink()


async def test_a_hand_made_change_is_drift_and_is_mended(nginx: NginxBackEnd) -> None:
    connector, name = await nginx.open(), nginx.new_name()
    await reach(connector, nginx.wish(name))
    file = nginx.server.sites / f"{name}.conf"
    made = file.read_text()
    file.write_text(made.replace("index.html", "home.html"))
    _, plan = await observe_and_plan(connector, nginx.wish(name))
    assert [change.words for change in plan.changes] == ["configuration"]
    assert (await reach(connector, nginx.wish(name, attempt=2))).outcome is LookOutcome.DONE
    assert file.read_text().partition("server {")[2] == made.partition("server {")[2]


async def test_what_was_made_by_hand_is_listed_and_taken_over_as_it_is(
    nginx: NginxBackEnd,
) -> None:
    connector, name = await nginx.open(), nginx.new_name()
    file = bring(nginx, name, BY_HAND + "# long\n" * 1000)
    by_hand = file.read_text()
    nginx.server.reload()
    listed = {row.name: row.mark async for row in connector.list(marked_only=False)}
    assert listed == {name: None}
    assert [row async for row in connector.list()] == []
    refused = await reach(connector, nginx.wish(name))
    assert refused.plan.kind is ErrorKind.CONFLICT
    assert refused.observed.kept[0] == "its configuration"
    taken = await reach(connector, nginx.wish(name, adopt=True, as_is=True))
    assert taken.outcome is LookOutcome.DONE
    assert file.read_text().endswith(by_hand)
    assert nginx.server.get(domain_of(name)) == (200, "theirs")
    await reach(connector, nginx.wish(name, Wish.SUSPENDED, generation=2))
    assert nginx.server.get(domain_of(name))[0] == 503
    await reach(connector, nginx.wish(name, generation=3))
    assert file.read_text().endswith(by_hand)
    await reach(connector, nginx.wish(name, Wish.ABSENT, generation=4))
    assert not file.exists()
    assert (nginx.server.directory / f"by-hand-{name}" / "index.html").read_text() == "theirs"


@pytest.mark.parametrize("state", [Wish.SUSPENDED, Wish.ABSENT])
async def test_what_stops_before_nginx_has_loaded_it_is_half_made_and_goes_on(
    nginx: NginxBackEnd, state: Wish
) -> None:
    connector, name = await nginx.open(), nginx.new_name()
    await reach(connector, nginx.wish(name))
    table = nginx.table()["configuration"]
    assert isinstance(table, dict)
    stuck = await nginx.open(configuration={**table, "reload": ["false"]})
    wished = nginx.wish(name, state, generation=2)
    with pytest.raises(ConnectorError) as caught:
        await reach(stuck, wished)
    assert caught.value.kind is ErrorKind.UNREACHABLE
    observed, plan = await observe_and_plan(connector, wished)
    assert (observed.exists, observed.complete) == (True, False)
    assert plan.action is (PlanAction.DELETE if state is Wish.ABSENT else PlanAction.UPDATE)
    assert nginx.server.get(domain_of(name))[0] == 200
    assert (await reach(connector, wished)).outcome is LookOutcome.DONE
    assert nginx.server.get(domain_of(name))[0] == (404 if state is Wish.ABSENT else 503)


async def test_check_says_what_is_wrong_with_the_set_up(nginx: NginxBackEnd) -> None:
    connector = await nginx.open()
    assert (await connector.check()).version.startswith("nginx 1")
    broken = bring(nginx, "broken", "nonsense;\n")
    with pytest.raises(ConnectorError, match="refuses its configuration") as caught:
        await connector.check()
    assert caught.value.kind is ErrorKind.CONFIG
    broken.unlink()
    table = nginx.table()["configuration"]
    assert isinstance(table, dict)
    with pytest.raises(ConnectorError, match="configuration has no colour"):
        await (await nginx.open(configuration={**table, "colour": 1})).check()
