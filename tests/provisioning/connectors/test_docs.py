"""docs/connectors.md: every example is run, and every table is compared with the code."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable
from importlib.metadata import EntryPoint
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import msgspec
import pytest

from mission_control_tui.connect import CAPABILITIES, ConnectorError, Limit, SubjectKind
from mission_control_tui.connect.messages import (
    DescribeAnswer,
    Operation,
    RequestMessage,
    decode_answer,
    refusal_in,
)
from mission_control_tui.connect.settings_reader import call_timeout
from mission_control_tui.model.errors import InvalidInput
from mission_control_tui.model.states import PAUSING_KINDS, RETRIED_KINDS, ErrorKind, Wish
from mission_control_tui.provisioning import registry
from mission_control_tui.provisioning.connectors.exec.answers import EXIT_CODES
from mission_control_tui.provisioning.connectors.simulator.rules import read_rules
from mission_control_tui.provisioning.converge import LookOutcome
from mission_control_tui.provisioning.guard import Guarded
from mission_control_tui.provisioning.registry import load, load_set_up
from mission_control_tui.settings.settings import convert
from tests.mariadb import MariaDBServer
from tests.nginx import INSTALL_LINE as NGINX
from tests.powerdns import INSTALL_LINE as POWERDNS
from tests.provisioning.connectors.mysql import MariaDBBackEnd
from tests.provisioning.connectors.nginx import PROGRAM
from tests.provisioning.connectors.support import (
    PASSWORD,
    MemoryJournal,
    PostgresBackEnd,
    SimulatorBackEnd,
    check,
    list_marked,
    new_name,
    reach,
    wish,
)
from tests.samba import BASE, SambaServer, free_address, require_samba
from tests.support import free_port, hermetic, require

PAGE = Path(__file__).parents[3] / "docs" / "connectors.md"


class Example(NamedTuple):
    """A fenced block: what the comment above it says to do, its language, its text, its line."""

    run: str
    language: str
    text: str
    line: int


def examples(run: str = "") -> list[Example]:
    """The page's fenced blocks, all or those with this label."""
    found = []
    page = PAGE.read_text()
    for match in re.finditer(r"(?:<!-- run: ([\w-]+) -->\n)?```(\w+)\n(.*?)```", page, re.DOTALL):
        line = page[: match.start()].count("\n") + 1
        found.append(Example(match[1] or "", match[2], match[3], line))
    return [one for one in found if not run or one.run == run]


def table(heading: str, section: str = "") -> list[list[str]]:
    """The cells of the rows of the first table of a section whose first heading is `heading`."""
    rows: list[list[str]] = []
    text = PAGE.read_text()
    if section:
        text = text.split(f"\n## {section}\n")[1].split("\n## ")[0]
    lines = iter(text.splitlines())
    for line in lines:
        if line.startswith(f"| {heading} |"):
            next(lines)
            for row in lines:
                if not row.startswith("|"):
                    return rows
                rows.append([cell.strip() for cell in row.strip("|").split("|")])
    raise AssertionError(f"there is no table {heading!r}")


def words(cells: str) -> set[str]:
    """What stands between backticks."""
    return set(re.findall(r"`([^`]+)`", cells))


def test_every_block_says_how_it_is_run() -> None:
    runs = {example.run for example in examples() if example.language != "text"}
    assert runs == {
        *("settings", "rules", "python", "sql", "connector", "entry-point", "powerdns"),
        *("mail-sql", "mail-sql-rights", "mail-sql-removal", "mysql", "mysql-rights"),
        *("ad", "ad-rights"),
        *("message", "declaration", "settings-exec", "exec-program", "nginx", "webhook"),
    }


@pytest.mark.parametrize("example", examples("settings"), ids=lambda one: f"line{one.line}")
async def test_the_settings_are_accepted(example: Example) -> None:
    settings = convert(tomllib.loads(example.text), Path("settings.toml"))
    for name, settings_table in settings.connectors.items():
        connector = await load_set_up(name, settings, "here")
        assert call_timeout(name, settings_table) == settings_table.get("timeout", 30)
        await connector.aclose()


@pytest.mark.parametrize("example", examples("rules"), ids=lambda one: f"line{one.line}")
async def test_the_rules_do_what_their_comments_say(
    example: Example, simulator: SimulatorBackEnd
) -> None:
    file = simulator.directory / "rules.toml"
    file.write_text(example.text)
    assert read_rules(file).seed == 7
    connector = await simulator.open(rules=str(file))
    for kind in ("auth", "auth", "auth"):
        with pytest.raises(Exception, match="invalid credentials") as caught:
            await check(connector)
        assert getattr(caught.value, "kind", "") == kind
    await check(connector)
    journal = MemoryJournal()
    lost = wish("lost", service="managed-exchange", attributes={"upn": "lost@acme.example"})
    assert (await reach(connector, lost, journal)).outcome is LookOutcome.PENDING
    assert [error.outcome_unknown for error in journal.errors] == [True]
    busy = wish("busy", service="managed-exchange", attributes={"upn": "busy.bee@acme.example"})
    with pytest.raises(Exception, match="too many requests") as caught:
        await reach(connector, busy)
    assert getattr(caught.value, "retry_after", None) == 1.5


@pytest.mark.parametrize("example", examples("python"), ids=lambda one: f"line{one.line}")
async def test_the_ledger_is_read(
    example: Example,
    simulator: SimulatorBackEnd,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    desired = wish("ann@acme.example", secret="her password")
    await reach(await simulator.open(), desired)
    monkeypatch.chdir(simulator.directory)
    exec(compile(example.text, str(PAGE), "exec"), {})  # noqa: S102 - the page's own example
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 4
    assert lines[-1] == "True"


async def test_the_dbas_statements_are_enough(postgres: PostgresBackEnd) -> None:
    role = new_name("provisioner")
    for example in examples("sql"):
        for statement in example.text.replace("provisioner", role).split(";"):
            if statement.strip():
                postgres.server.execute(statement)
    back_end = PostgresBackEnd(postgres.server, user=role, password="choose one")
    connector, name = await back_end.open(), new_name()
    assert (await reach(connector, wish(name))).outcome is LookOutcome.DONE
    assert name not in (await check(connector)).detail, "open to every role"
    assert await back_end.can_log_in(name, PASSWORD)
    removed = await reach(connector, wish(name, Wish.ABSENT, generation=2, secret=None))
    assert removed.outcome is LookOutcome.DONE


@pytest.mark.proof
async def test_the_dbas_statements_are_enough_for_mariadb(mariadb_server: MariaDBServer) -> None:
    user = new_name("provisioner")
    (example,) = examples("mysql-rights")
    for statement in example.text.replace("provisioner", user).split(";"):
        if statement.strip():
            mariadb_server.execute(statement)
    back_end = MariaDBBackEnd(mariadb_server, user=user, password="choose one")
    connector, name = await back_end.open(), new_name()
    await check(connector)
    assert (await reach(connector, back_end.wish(name))).outcome is LookOutcome.DONE
    assert await back_end.can_log_in(name, PASSWORD)
    for state, generation in ((Wish.SUSPENDED, 2), (Wish.ABSENT, 3)):
        wished = back_end.wish(name, state, generation=generation, secret=None)
        assert (await reach(connector, wished)).outcome is LookOutcome.DONE


@pytest.mark.proof
async def test_the_delegated_rights_are_enough_for_a_directory(
    samba_server: SambaServer,
) -> None:
    from tests.provisioning.connectors.ad import LARGE, REMOVED, SMALL, DirectoryBackEnd

    user, password = new_name("mc"), "The-Connectors-Own-5"
    samba_server.tool("user", "create", user, password)
    shown = samba_server.tool("user", "show", user, "--attributes=objectSid")
    weak = DirectoryBackEnd(samba_server, user=f"{user}@corp.example.test", password=password)
    with pytest.raises(ConnectorError, match="may not make a user in") as caught:
        await check(await weak.open())
    assert caught.value.kind is ErrorKind.CONFIG
    assert "may not" in (await check(await weak.open(mode="observe"))).detail
    (example,) = examples("ad-rights")
    script = example.text.replace("DC=corp,DC=example", BASE).replace(
        "sudo samba-tool", "samba-tool"
    )
    script = script.replace("--objectdn", f"-s {samba_server.settings} --objectdn")
    for theirs, ours in (("CN=Standard,", "CN=small,"), ("CN=Premium,", "CN=large,")):
        script = script.replace(theirs, ours)
    sid = shown.partition("objectSid: ")[2].split()[0]
    subprocess.run(["bash", "-ec", f"SID={sid}\n{script}"], check=True, capture_output=True)
    levels = {"small": {"groups": [SMALL]}, "large": {"groups": [SMALL, LARGE]}}
    connector = await weak.open(levels=levels, removed_unit=REMOVED)
    await check(connector)
    name = new_name()
    wishes = (
        (Wish.PRESENT, "small", PASSWORD),
        (Wish.PRESENT, "large", "Reset-2-Secret"),
        (Wish.SUSPENDED, "large", None),
        (Wish.ABSENT, "large", None),
    )
    for generation, (state, level, secret) in enumerate(wishes, 1):
        wished = weak.wish(name, state, level, generation=generation, secret=secret)
        assert (await reach(connector, wished)).outcome is LookOutcome.DONE, (state, level)


@pytest.mark.proof
def test_the_page_makes_an_account_in_a_directory(tmp_path: Path) -> None:
    require_samba()
    (example,) = examples("ad")
    lines = [line for line in example.text.splitlines() if "apt-get" not in line]
    script = "\n".join(["set -e", *(line for line in lines if not line.startswith("systemctl"))])
    script = script.replace("/srv/try-ad", str(tmp_path / "try")).replace(
        "127.0.0.77", free_address()
    )
    environment = dict(os.environ)
    hermetic(environment, tmp_path)
    environment["PATH"] = f"{Path(sys.executable).parent}:{environment['PATH']}:/usr/sbin"
    followed = subprocess.run(
        ["bash", "-c", script],
        check=False,
        env=environment,
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert followed.returncode == 0, followed.stdout + followed.stderr
    assert "connector directory  Active Directory by Samba" in followed.stdout, followed.stdout
    assert "OU=acme,OU=Customers" in followed.stdout
    assert followed.stdout.splitlines()[-2:] == ["acme_ann", "True"]


@pytest.mark.proof
def test_the_page_makes_a_database_on_mariadb(
    tmp_path: Path, mariadb_server: MariaDBServer
) -> None:
    (example,) = examples("mysql")
    granting = f"mariadb --no-defaults --socket={mariadb_server.socket} --user=root"
    lines = [line for line in example.text.splitlines() if not line.startswith("sudo apt-get")]
    script = "\n".join(["set -e", *lines]).replace("sudo mariadb", granting)
    script = script.replace("--host=127.0.0.1", f"--host=127.0.0.1 --port={mariadb_server.port}")
    script = script.replace(
        'user = "provisioner"', f'user = "provisioner"\nport = {mariadb_server.port}'
    )
    script = script.replace("provisioner", new_name("provisioner"))
    environment = dict(os.environ)
    hermetic(environment, tmp_path)
    environment["PATH"] = f"{Path(sys.executable).parent}:{environment['PATH']}"
    followed = subprocess.run(
        ["bash", "-c", script],
        check=False,
        env=environment,
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert followed.returncode == 0, followed.stdout + followed.stderr
    assert "connector mariadb    MariaDB 10" in followed.stdout, followed.stdout
    assert re.fullmatch(r"acme_\w+\t5", followed.stdout.splitlines()[-1]), followed.stdout


@pytest.mark.proof
def test_the_page_is_followed_on_a_laptop(tmp_path: Path) -> None:
    require("pdns_server", POWERDNS)
    (example,) = examples("powerdns")
    lines = [line for line in example.text.splitlines() if not line.startswith("sudo ")]
    script = "\n".join(["set -e", *lines, "kill %1", "wait"])
    for port in ("5300", "8081"):
        script = script.replace(port, str(free_port()))
    environment = dict(os.environ)
    hermetic(environment, tmp_path)
    environment["PATH"] = f"{Path(sys.executable).parent}:{environment['PATH']}"
    followed = subprocess.run(
        ["bash", "-c", script],
        check=False,
        env=environment,
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert followed.returncode == 0, followed.stdout + followed.stderr
    assert "connector dns        PowerDNS 4" in followed.stdout
    assert followed.stdout.splitlines()[-1] == "10 mx.provider.example."


def test_the_messages_are_messages() -> None:
    question, refusal = (example.text for example in examples("message"))
    asked = msgspec.json.decode(question, type=RequestMessage)
    assert asked.desired is not None
    told = refusal_in(refusal.encode())
    assert told is not None
    assert told.kind is ErrorKind.CONFLICT
    (declaration,) = examples("declaration")
    declared = decode_answer(declaration.text.encode(), DescribeAnswer).declares.declaration()
    assert declared.limits == {"storage_mb": Limit(1, needed=True)}
    assert words(" ".join(row[0] for row in table("`operation`", "Messages"))) == {*Operation}


def test_the_exit_codes_are_those_of_the_code() -> None:
    told = {}
    for codes, kind in table("exit code", "exec"):
        told.update({int(code): words(kind).pop() for code in re.findall(r"\d+", codes)})
    assert told == {code: str(kind) for code, kind in EXIT_CODES.items()}


async def test_the_settings_of_exec_are_accepted() -> None:
    (example,) = examples("settings-exec")
    settings = convert(tomllib.loads(example.text), Path("settings.toml"))
    tables = dict(settings.connectors)
    tables["web"] = {**tables["web"], "program": [sys.executable, str(PROGRAM)]}
    connector = await load("web", tables["web"], "here")
    assert connector.declares.subjects == {SubjectKind.USER}
    await connector.aclose()


async def test_the_smallest_program_keeps_objects(tmp_path: Path) -> None:
    require("jq", "apt-get install -y jq")
    (example,) = examples("exec-program")
    program = tmp_path / "files.sh"
    program.write_text(example.text)
    objects = {"directory": str(tmp_path)}
    mine = {"program": ["/bin/sh", str(program)], "configuration": objects, "mode": "enabled"}
    connector = await load("mine", {"type": "exec", **mine}, "0" * 32)
    await check(connector)
    name = new_name()
    mark: dict[str, Any] = {"installation": "0" * 32, "secret": None, "limits": {}}
    assert (await reach(connector, wish(name, **mark))).outcome is LookOutcome.DONE
    removed = await reach(connector, wish(name, Wish.ABSENT, generation=2, **mark))
    assert removed.outcome is LookOutcome.DONE
    assert not (tmp_path / f"{name}.json").exists()


@pytest.mark.proof
def test_the_page_serves_a_web_site(tmp_path: Path) -> None:
    require("nginx", NGINX)
    require("curl", "apt-get install -y curl")
    (example,) = examples("nginx")
    lines = [line for line in example.text.splitlines() if not line.startswith("sudo ")]
    script = "\n".join(["set -e", *lines]).replace("8080", str(free_port()))
    if os.getuid() == 0:  # its workers would be nobody, who may not look into a test's directory
        script = script.replace("nginx.conf <<END", "nginx.conf <<END\nuser root;")
    environment = dict(os.environ)
    hermetic(environment, tmp_path)
    environment["PATH"] = f"{Path(sys.executable).parent}:{environment['PATH']}"
    followed = subprocess.run(
        ["bash", "-c", script],
        check=False,
        env=environment,
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert followed.returncode == 0, followed.stdout + followed.stderr
    assert "www.acme.example is being built." in followed.stdout, followed.stdout
    assert followed.stdout.splitlines()[-1] == "503", followed.stdout


@pytest.mark.proof
def test_the_page_speaks_to_a_web_service(tmp_path: Path) -> None:
    (example,) = examples("webhook")
    script = f"set -e\n{example.text}".replace("8090", str(free_port()))
    environment = dict(os.environ)
    hermetic(environment, tmp_path)
    environment["PATH"] = f"{Path(sys.executable).parent}:{environment['PATH']}"
    followed = subprocess.run(
        ["bash", "-c", script],
        check=False,
        env=environment,
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert followed.returncode == 0, followed.stdout + followed.stderr
    assert "memory 1" in followed.stdout, followed.stdout
    assert '"POST / HTTP/1.1" 200' in followed.stdout, followed.stdout


@pytest.fixture
def files_module(tmp_path: Path) -> ModuleType:
    """The page's own connector, as a module of another package."""
    (example,) = examples("connector")
    file = tmp_path / "mission_control_files.py"
    file.write_text(example.text)
    spec = importlib.util.spec_from_file_location("mission_control_files", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def offered(files_module: ModuleType, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Offers the page's connector as the page's entry point does."""
    (example,) = examples("entry-point")
    points = tomllib.loads(example.text)["project"]["entry-points"]
    ((kind, target),) = points[registry.GROUP].items()

    def offer() -> None:
        monkeypatch.setitem(sys.modules, "mission_control_files", files_module)
        point = EntryPoint(kind, target, registry.GROUP)
        monkeypatch.setattr(registry, "entry_points", lambda group: [point])

    return offer


async def test_the_pages_connector_keeps_the_promises(
    offered: Callable[[], None], tmp_path: Path
) -> None:
    offered()
    directory = tmp_path / "objects"
    directory.mkdir()
    settings_table: dict[str, Any] = {"type": "files", "directory": str(directory)}
    with pytest.raises(InvalidInput, match="directory"):
        await load("mine", {"type": "files"}, "here")

    def mine(
        state: Wish = Wish.PRESENT, level: str = "small", generation: int = 1, **more: Any
    ) -> Any:
        return wish(
            "a", state, level, generation=generation, secret=None, installation="here", **more
        )

    observing: Guarded = await load("mine", settings_table, "here")
    blocked = await reach(observing, mine())
    assert blocked.outcome is LookOutcome.BLOCKED
    assert "connectors.mine.mode" in blocked.plan.remedy
    connector: Guarded = await load("mine", {**settings_table, "mode": "enabled"}, "here")
    assert (await check(connector)).version == "files 1"
    assert (await reach(connector, mine(settings={"x": 1}))).outcome is LookOutcome.DONE
    before = (directory / "a.json").stat().st_mtime_ns
    assert (await reach(connector, mine(settings={"x": 1}))).outcome is LookOutcome.DONE
    assert (directory / "a.json").stat().st_mtime_ns == before
    changed = await reach(connector, mine(Wish.SUSPENDED, "large", 3))
    assert (changed.observed.wish, changed.observed.level) == (Wish.SUSPENDED, "large")
    assert (await reach(connector, mine(generation=2))).plan.kind is ErrorKind.STALE
    assert (await reach(connector, mine(key="other"))).plan.kind is ErrorKind.CONFLICT
    with_password = await reach(connector, wish("b", installation="here"))
    assert with_password.plan.kind is ErrorKind.UNSUPPORTED
    assert [name async for name, _ in list_marked(connector)] == ["a"]
    assert not (await reach(connector, mine(Wish.ABSENT, generation=4))).observed.exists
    await connector.aclose()


def test_the_capabilities_are_all_described() -> None:
    assert {row[0].strip("`") for row in table("capability")} == CAPABILITIES


def test_the_kinds_of_errors_are_all_described_with_what_the_worker_does() -> None:
    rows = {row[0].strip("`"): row[2] for row in table("kind")}
    assert set(rows) == set(ErrorKind)
    for kind in ErrorKind:
        if kind in PAUSING_KINDS:
            assert "pauses" in rows[kind]
        elif kind not in RETRIED_KINDS:
            assert rows[kind] == "red at once"


def test_the_keys_of_a_rule_are_all_described(tmp_path: Path) -> None:
    file = tmp_path / "rules.toml"
    file.write_text('[[rule]]\nfail = "denied"\nqqqqqqq = 1')
    with pytest.raises(InvalidInput) as caught:
        read_rules(file)
    known = set(caught.value.problems[0].hint.removeprefix("there are: ").split(", "))
    assert {key for row in table("key of a rule") for key in words(row[0])} == known


@pytest.mark.parametrize("kind", ["ad", "mail-sql", "mysql", "simulator", "postgresql", "powerdns"])
async def test_the_settings_of_a_connector_are_all_described(kind: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        await load(
            kind,
            {"user": "u", "qqqqqqq": 1} if kind in ("mysql", "postgresql") else {"qqqqqqq": 1},
            "",
        )
    (hint,) = (found.hint for found in caught.value.problems if found.where.endswith("qqqqqqq"))
    known = set(hint.removeprefix("there are: ").split(", "))
    described = {key for row in table("key", kind) for key in words(row[0])}
    common = {key for row in table("key") for key in words(row[0])}
    assert described | common == known
