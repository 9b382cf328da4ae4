"""The shipped sites of nginx and the files in force: never one that nginx refuses, nor a name that somebody has."""

from __future__ import annotations

import os
import stat
import subprocess
from pathlib import Path

import pytest

from mission_control_tui.connect import ConnectorError, ErrorKind, Wish
from mission_control_tui.provisioning.converge import LookOutcome
from mission_control_tui.provisioning.guard import Guarded
from mission_control_tui.testing.converging import reach
from tests.provisioning.connectors.nginx import NginxBackEnd, domain_of
from tests.support import LOOPBACK

BROKEN = "server { {listen} server_name {domain}; no_such_word on; }\n"
KILLING = """#!/bin/sh
# Kills who calls it the {number}th time, as a machine that loses power does.
echo >> {calls}
[ $(wc -l < {calls}) -lt {number} ] || kill -9 $PPID
exec {command} "$@"
"""


async def opened(back_end: NginxBackEnd, **changed: object) -> Guarded:
    """The connector with another configuration."""
    table = back_end.table()["configuration"]
    assert isinstance(table, dict)
    return await back_end.open(configuration={**table, **changed})


def takes(nginx: NginxBackEnd) -> bool:
    """Whether nginx takes the files in force, as whoever reloads it next finds them."""
    tested = subprocess.run([*nginx.server.command, "-t"], check=False, capture_output=True)
    return tested.returncode == 0


def written(nginx: NginxBackEnd, name: str, text: str) -> Path:
    """A site's file as somebody else writes it."""
    file = nginx.server.sites / f"{name}.conf"
    file.write_bytes(text.replace("ADDRESS", nginx.server.address).encode())
    return file


@pytest.mark.parametrize(
    ("body", "number"),
    [("good", 1), ("good", 2), ("good", 3), *(("broken", number) for number in (1, 2, 3, 4))],
)
async def test_whoever_is_killed_at_any_moment_leaves_files_that_nginx_takes(
    nginx: NginxBackEnd, tmp_path: Path, body: str, number: int
) -> None:
    connector, name = await nginx.open(), nginx.new_name()
    await reach(connector, nginx.wish(name))
    before = (nginx.server.sites / f"{name}.conf").read_text()
    script, template = tmp_path / "nginx", tmp_path / "template"
    script.write_text(
        KILLING.format(
            number=number, calls=tmp_path / "calls", command=" ".join(nginx.server.command)
        )
    )
    script.chmod(0o755)
    template.write_text(
        BROKEN if body == "broken" else BROKEN.replace("no_such_word on", "return 200")
    )
    killed = await opened(
        nginx, template=str(template), nginx=[str(script)], reload=[str(script), "-s", "reload"]
    )
    wished = nginx.wish(name, level=nginx.large, generation=2)
    with pytest.raises(ConnectorError):
        await reach(killed, wished)
    assert takes(nginx)
    if body == "broken":
        assert (nginx.server.sites / f"{name}.conf").read_text() == before
        again = await opened(nginx, template=str(template))
        with pytest.raises(ConnectorError, match="no_such_word"):
            await reach(again, wished)
        assert takes(nginx)
    nginx.server.reload()
    assert nginx.server.get(domain_of(name))[0] == 200
    assert (await reach(connector, wished)).outcome is LookOutcome.DONE
    assert nginx.server.get(domain_of(name))[0] == 200


async def test_a_file_of_ours_that_nginx_never_took_is_put_away(
    nginx: NginxBackEnd, tmp_path: Path
) -> None:
    connector, name = await nginx.open(), nginx.new_name()
    await reach(connector, nginx.wish(name))
    file = nginx.server.sites / f"{name}.conf"
    broken = file.read_text().replace("index index.html;", "no_such_word on;")
    for half_made in (file, file.with_name(f".{name}.unloaded")):
        half_made.write_text(broken)
    template = tmp_path / "template"
    template.write_text(BROKEN)
    with pytest.raises(ConnectorError, match="no_such_word"):
        await reach(await opened(nginx, template=str(template)), nginx.wish(name, attempt=2))
    assert takes(nginx)
    assert (await reach(connector, nginx.wish(name, attempt=3))).outcome is LookOutcome.DONE
    assert nginx.server.get(domain_of(name))[0] == 200


@pytest.mark.parametrize("state", [Wish.SUSPENDED, Wish.ABSENT])
async def test_what_another_file_needs_stays_where_nginx_would_not_go_on_without_it(
    nginx: NginxBackEnd, state: Wish
) -> None:
    connector, name, other = await nginx.open(), nginx.new_name(), nginx.new_name()
    text = (
        "upstream {0} {{ server {1}; }} server {{ listen ADDRESS; server_name {2}; return 200; }}\n"
    )
    pool = name.replace("_", "-")
    written(nginx, name, text.format(pool, nginx.server.address, domain_of(name)))
    proxy = f"server {{ listen ADDRESS; server_name {domain_of(other)}; location / {{ proxy_pass http://{pool}; }} }}\n"
    needs = written(nginx, other, proxy)
    try:
        await reach(connector, nginx.wish(name, adopt=True, as_is=True))
        with pytest.raises(ConnectorError, match="host not found in upstream"):
            await reach(connector, nginx.wish(name, state, generation=2))
        assert takes(nginx)
        nginx.server.reload()
        assert nginx.server.get(domain_of(name))[0] == 200
    finally:
        needs.unlink()
    await reach(connector, nginx.wish(name, Wish.ABSENT, generation=3))


DOMAIN = "shop.taken.example"
IDN = "xn--bcher-kva.example"


@pytest.mark.parametrize(
    ("names", "domain"),
    [
        ('"shop.taken.example"', DOMAIN),
        ("'shop.taken.example'", DOMAIN),
        ("first.example shop.taken.example", DOMAIN),
        ("first.example\n        shop.taken.example\n    ", DOMAIN),
        ("SHOP.Taken.example", DOMAIN),
        ("first.example # ours; really\n shop.taken.example", DOMAIN),
        ("*.taken.example", DOMAIN),
        (".taken.example", DOMAIN),
        (".shop.taken.example", DOMAIN),
        ("shop.taken.*", DOMAIN),
        ("~^shop\\.taken\\.", DOMAIN),
        ('"~^(?<who>.{4})\\.taken\\.example$"', DOMAIN),
        ("b\u00fccher.example", IDN),
        (IDN.upper(), IDN),
    ],
)
async def test_a_domain_that_is_answered_in_any_form_is_a_conflict(
    nginx: NginxBackEnd, names: str, domain: str
) -> None:
    connector, name = await nginx.open(), nginx.new_name()
    file = written(
        nginx, "theirs", f"server {{ listen ADDRESS; server_name {names}; return 204; }}\n"
    )
    try:
        assert takes(nginx)
        with pytest.raises(ConnectorError, match="answered by the site theirs already") as caught:
            await reach(connector, nginx.wish(name, settings={"domain": domain}))
    finally:
        file.unlink()
    assert (caught.value.kind, caught.value.field) == (ErrorKind.CONFLICT, "domain")
    assert await nginx.written(name) == []


@pytest.mark.parametrize(
    "names",
    [
        "taken.example",
        "*.shop.taken.example",
        "myshop.taken.example",
        "first.example; # server_name shop.taken.example",
        "_",
        '""',
        "~.",
        '"~^(?<!x)$"',
    ],
)
async def test_a_domain_that_nobody_has_is_free(nginx: NginxBackEnd, names: str) -> None:
    connector, name = await nginx.open(), nginx.new_name()
    text = f"server {{ listen ADDRESS; server_name {names};\n return 204; }}\n"
    file = written(nginx, "theirs", text)
    try:
        made = await reach(connector, nginx.wish(name, settings={"domain": DOMAIN}))
    finally:
        file.unlink()
    assert made.outcome is LookOutcome.DONE


async def test_a_domain_that_is_served_from_another_directory_is_a_conflict(
    nginx: NginxBackEnd,
) -> None:
    connector, name = await nginx.open(), nginx.new_name()
    text = f"server {{ listen {nginx.server.address}; server_name {DOMAIN}; return 204; }}\n"
    (nginx.server.directory / "beside.inc").write_text(text)
    file = written(nginx, "aa", "include beside.inc;\n")
    try:
        assert takes(nginx)
        with pytest.raises(ConnectorError, match="another server of nginx") as caught:
            await reach(connector, nginx.wish(name, settings={"domain": DOMAIN}))
    finally:
        file.unlink()
    assert caught.value.kind is ErrorKind.CONFLICT


async def test_a_domain_may_be_written_in_capitals_and_letters_of_any_script(
    nginx: NginxBackEnd,
) -> None:
    connector, name = await nginx.open(), nginx.new_name()
    made = await reach(connector, nginx.wish(name, settings={"domain": "B\u00fccher.Example"}))
    assert made.outcome is LookOutcome.DONE
    assert nginx.server.get(IDN)[0] == 200


async def test_a_file_that_is_taken_over_keeps_mode_owner_and_ends_of_lines(
    nginx: NginxBackEnd,
) -> None:
    connector, name = await nginx.open(), nginx.new_name()
    body = (
        "# made by hand\r\nserver {\r\n    listen ADDRESS;\r\n"
        f"    server_name {domain_of(name)};\r\n    return 200;\r\n}}\r\n"
    ).replace("ADDRESS", nginx.server.address)
    file = written(nginx, name, body)
    file.chmod(0o640)
    if os.geteuid() == 0:
        os.chown(file, 12345, 54321)
    before = file.stat()
    await reach(connector, nginx.wish(name, adopt=True, as_is=True))
    for state, generation in ((Wish.SUSPENDED, 2), (Wish.PRESENT, 3)):
        await reach(connector, nginx.wish(name, state, generation=generation))
        after = file.stat()
        assert stat.S_IMODE(after.st_mode) == 0o640
        assert (after.st_uid, after.st_gid) == (before.st_uid, before.st_gid)
    text = file.read_bytes()
    assert text.endswith(body.encode())
    assert text.count(b"\n") == text.count(b"\r\n")
    assert (await reach(connector, nginx.wish(name, generation=3))).outcome is LookOutcome.DONE


@pytest.mark.parametrize("lines", ["# root /srv/old;\n    root ROOT;", 'root "ROOT";'])
async def test_what_is_taken_over_serves_the_same_files_by_another_domain(
    nginx: NginxBackEnd, tmp_path: Path, lines: str
) -> None:
    connector, name = await nginx.open(), nginx.new_name()
    tmp_path.chmod(0o755)
    served = lines.replace("ROOT", str(tmp_path))
    file = written(
        nginx,
        name,
        f"server {{\n    listen ADDRESS;\n    server_name {domain_of(name)};\n    {served}\n}}\n",
    )
    await reach(connector, nginx.wish(name, adopt=True, as_is=True))
    other = {"domain": f"new-{domain_of(name)}"}
    await reach(connector, nginx.wish(name, settings=other, generation=2))
    body = file.read_text().splitlines()
    assert [line.strip() for line in body if line.strip().startswith("root ")] == [
        f"root {tmp_path};"
    ]


@pytest.mark.parametrize("renamed", [False, True])
async def test_the_files_of_what_was_taken_over_are_never_removed(
    nginx: NginxBackEnd, renamed: bool
) -> None:
    connector, name = await nginx.open(), nginx.new_name()
    page = nginx.server.roots / name / "index.html"
    page.parent.mkdir()
    page.write_text("by hand")
    line = f"server {{ listen ADDRESS; server_name {domain_of(name)}; root {page.parent}; }}\n"
    file = written(nginx, name, line)
    await reach(connector, nginx.wish(name, adopt=True, as_is=True))
    if renamed:
        other = {"domain": f"new-{domain_of(name)}"}
        await reach(connector, nginx.wish(name, settings=other, generation=2))
    await reach(connector, nginx.wish(name, Wish.ABSENT, generation=3))
    assert not file.exists()
    assert page.read_text() == "by hand"


async def test_files_that_were_there_before_the_site_are_never_removed(
    nginx: NginxBackEnd,
) -> None:
    connector, name = await nginx.open(), nginx.new_name()
    page = nginx.server.roots / name / "index.html"
    page.parent.mkdir()
    page.write_text("by hand")
    await reach(connector, nginx.wish(name))
    await reach(connector, nginx.wish(name, Wish.ABSENT, generation=2))
    assert page.read_text() == "by hand"


async def test_a_link_to_a_file_elsewhere_is_not_taken_over(
    nginx: NginxBackEnd, tmp_path: Path
) -> None:
    connector, name = await nginx.open(), nginx.new_name()
    elsewhere = tmp_path / "available"
    text = f"server {{ listen {nginx.server.address}; server_name {domain_of(name)}; return 200; }}"
    elsewhere.write_text(text)
    file = nginx.server.sites / f"{name}.conf"
    file.symlink_to(elsewhere)
    try:
        found = await reach(connector, nginx.wish(name, adopt=True, as_is=True))
        assert found.outcome is LookOutcome.BLOCKED
        assert "link" in found.plan.reason
        assert file.is_symlink()
        assert elsewhere.read_text() == text
    finally:
        file.unlink()


@pytest.mark.parametrize(
    "address", [f"{LOOPBACK}:99999", f"{LOOPBACK}:0", f"{LOOPBACK}:http", "80", ":80"]
)
async def test_an_address_that_is_none_is_said(nginx: NginxBackEnd, address: str) -> None:
    with pytest.raises(ConnectorError, match="address must be HOST:PORT") as caught:
        await (await opened(nginx, address=address)).check()
    assert caught.value.kind is ErrorKind.CONFIG


async def test_a_copy_of_the_configuration_that_may_not_be_tested_is_said_with_the_command(
    nginx: NginxBackEnd, tmp_path: Path
) -> None:
    script = tmp_path / "nginx"  # as sudo, which lets only -t alone
    command = " ".join(nginx.server.command)
    script.write_text(
        f'#!/bin/sh\n[ "$2" != -c ] || {{ echo not allowed >&2; exit 1; }}\nexec {command} "$@"\n'
    )
    script.chmod(0o755)
    with pytest.raises(ConnectorError, match="not allowed") as caught:
        await (await opened(nginx, nginx=[str(script)])).check()
    assert caught.value.kind is ErrorKind.CONFIG
    assert f"{script} -t -c {nginx.server.sites}/.mission-control-trial/" in caught.value.remedy
