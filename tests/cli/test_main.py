"""What all commands share: help, exit codes, errors, streams, what is imported, how it ends."""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import signal
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from mission_control_tui.cli.common.lazy_group import LazyGroup
from mission_control_tui.cli.main import COMMANDS, root
from mission_control_tui.settings.settings import locations
from tests.cli.command import Command
from tests.cli.inprocess import answer, call, ok


@pytest.fixture(autouse=True)
def _no_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MISSION_CONTROL_NO_WORKER", "1")


def commands(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))
        else:
            yield (*path, name)


ALL = sorted(commands(root))


@pytest.mark.parametrize("path", sorted({path[:-1] for path in ALL if len(path) > 1}))
def test_the_help_of_a_group_names_each_of_its_commands(path: tuple[str, ...]) -> None:
    listed = {line.split()[0] for line in ok(*path, "--help").out.splitlines() if line.strip()}
    assert {each[-1] for each in ALL if each[:-1] == path} <= listed


def examples(path: tuple[str, ...]) -> list[str]:
    """The calls below "Example:" of a command's help, continued lines joined."""
    text = ok(*path, "--help").out
    _, found, rest = text.partition("Example:\n")
    assert found, f"{path} has no example"
    block = rest.split("\n\n")[0].replace("\\\n", " ")
    return [line.strip() for line in block.splitlines() if line.strip()]


def test_every_listed_command_is_there() -> None:
    assert {path[0] for path in ALL} == set(COMMANDS)


@pytest.mark.parametrize("path", ALL, ids=" ".join)
def test_help_has_an_example_that_parses(path: tuple[str, ...]) -> None:
    found = examples(path)
    assert any(shlex.split(line)[1 : 1 + len(path)] == list(path) for line in found), found
    for line in found:
        program, *arguments = shlex.split(line.partition(" > ")[0])
        assert program == "mission-control"
        parse(root, arguments)


def parse(group: click.Command, arguments: list[str]) -> None:
    """Parse as the command would, without running it."""
    context = group.make_context("mission-control", list(arguments))
    while isinstance(context.command, click.Group):
        name, command, rest = context.command.resolve_command(
            context, [*context._protected_args, *context.args]
        )
        assert command is not None
        context = command.make_context(name, rest, parent=context)


@pytest.mark.parametrize("path", ALL, ids=" ".join)
def test_json_is_offered_by_all_that_print_data(path: tuple[str, ...]) -> None:
    if path[0] not in ("worker", "completion"):
        assert "--json" in ok(*path, "--help").out


def test_help_lists_commands_without_loading_them() -> None:
    assert isinstance(root, LazyGroup)
    shown = ok("--help").out
    assert all(f"  {name} " in shown for name in COMMANDS)


def test_mistyped_command_is_guessed() -> None:
    refused = call("statsu")
    assert refused.code == 2
    assert "Did you mean status" in refused.err
    assert call("statsu", "--json").error["exit_code"] == 2


def loaded(*arguments: str) -> set[str]:
    """The packages that a real call has imported when it ends."""
    code = (
        "import sys, atexit, json\n"
        "atexit.register(lambda: sys.stderr.write('\\n' + json.dumps(sorted("
        "{name.partition('.')[0] for name in sys.modules}))))\n"
        f"from mission_control_tui.cli import main\nmain({list(arguments)!r})\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    return set(json.loads(done.stderr.splitlines()[-1]))


@pytest.mark.parametrize(
    "arguments",
    [
        ("--help",),
        ("status",),
        pytest.param(("users", "list"), marks=pytest.mark.proof),
        ("buy", "email", "--level", "popx", "--dry-run"),
        pytest.param(("audit",), marks=pytest.mark.proof),
    ],
    ids=" ".join,
)
def test_ordinary_commands_import_nothing_heavy(arguments: tuple[str, ...]) -> None:
    ok("status")
    heavy = {"textual", "rich", "procrastinate", "psycopg", "pydantic", "alembic", "asyncpg"}
    assert not loaded(*arguments) & heavy


def test_help_opens_no_database() -> None:
    assert "sqlalchemy" not in loaded("--help")


def test_defect_is_one_line_and_a_private_log_without_data(monkeypatch: pytest.MonkeyPatch) -> None:
    ok("status")

    async def broken(*_arguments: object, **_named: object) -> None:
        secret = "Correct-Horse-7"
        raise RuntimeError(f"it was {secret}")

    monkeypatch.setattr("mission_control_tui.model.history.audit_log.entries", broken)
    crashed = call("audit")
    log = locations().state / "crash.log"
    assert crashed.code == 1
    assert crashed.out == ""
    assert "Correct-Horse-7" not in crashed.err
    assert "Traceback" not in crashed.err
    assert str(log) in crashed.err
    assert stat.S_IMODE(log.stat().st_mode) == 0o600
    content = log.read_text("utf-8")
    assert "RuntimeError" in content
    assert "in broken" in content
    assert "Correct-Horse-7" not in content
    assert call("audit", "--json").error["exit_code"] == 1


def test_lost_database_is_a_typed_error() -> None:
    ok("status")
    locations().database.write_bytes(b"not a database any more" * 50)
    refused = call("status", "--json")
    assert refused.code == 8
    assert str(locations().database) in refused.error["what"]


@pytest.mark.parametrize(
    ("arguments", "code", "exit_code"),
    [
        (("statsu",), "usage", 2),
        (("audit", "--limit", "many"), "usage", 2),
        (("orders", "show", "99"), "not-found", 4),
        (("users", "show", "nobody@example.com"), "not-found", 4),
    ],
)
def test_json_of_an_error_says_its_kind_by_a_code(
    arguments: tuple[str, ...], code: str, exit_code: int
) -> None:
    ok("status")
    refused = call(*arguments, "--json")
    assert (refused.code, refused.error["code"]) == (exit_code, code)
    assert refused.error["exit_code"] == exit_code


def test_unusable_settings_are_a_usage_error(tmp_path: Path) -> None:
    os.environ["MISSION_CONTROL_SETTINGS"] = str(tmp_path / "settings.toml")
    assert call("status").code == 2
    (tmp_path / "settings.toml").write_text("[worker]\nslots = 0\n")
    refused = call("status")
    assert refused.code == 2
    assert "worker.slots" in refused.err
    (tmp_path / "settings.toml").write_bytes(b"account = '\xff'\n")
    assert call("status").code == 2
    (tmp_path / "settings.toml").write_text("account = 'acme'\n")
    os.environ["MISSION_CONTROL_ACCOUNT__CODE"] = "acme"
    refused = call("status")
    assert refused.code == 2
    assert "MISSION_CONTROL_ACCOUNT__CODE" in refused.err


def test_control_characters_never_reach_the_terminal() -> None:
    ok("init", "--name", "Acme", "--code", "acme")
    nasty = "\x1b]0;owned\x07\x9b31m\u202e"
    ok("account", "edit", "--name", "Plain")
    with contextlib.closing(sqlite3.connect(locations().database)) as stored:
        names = [row[1] for row in stored.execute("PRAGMA table_info(audit)") if row[1] != "id"]
        asked = ", ".join("?" if name == "ticket" else name for name in names)
        stored.execute(
            f"INSERT INTO audit ({', '.join(names)}) SELECT {asked} FROM audit", (nasty,)
        )
        stored.commit()
    for called in (
        call("account", "edit", "--name", "Plain", "--ticket", nasty),
        call("account", "edit", f"--{nasty}"),
        call("account", nasty),
        call("orders", "show", nasty),
        call("orders", "list", "--kind", nasty),
        ok("audit"),
        ok("audit", "--csv"),
        ok("audit", "--json"),
        call("buy", nasty),
        call("catalogue", "check", nasty),
        call("account", "show", nasty),
        call("audit", "--since", nasty),
        call(nasty),
    ):
        shown = called.out + called.err
        assert not any(sign in shown for sign in ("\x1b", "\x07", "\x9b", "\u202e")), shown
    assert answer("audit")["entries"][0]["ticket"] == nasty


def test_terminal_without_utf8_shows_question_marks(mc: Command) -> None:
    mc.ok("init", "--name", "Zoe \u4e2d", "--code", "acme")
    shown = mc.run("account", "list", environment={"PYTHONIOENCODING": "latin-1"})
    assert shown.code == 0
    assert "Zoe ?" in shown.out


def test_reader_that_has_gone(mc: Command) -> None:
    mc.ok("status")
    with mc.start("status") as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        process.wait(60)
        assert process.returncode == 141
        assert b"Traceback" not in process.stderr.read()


def test_interrupted(mc: Command) -> None:
    mc.ok("status")
    with mc.start("status", "--wait", "60") as process:
        assert process.stderr is not None
        assert process.stderr.read(1)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert b"Traceback" not in err
    assert b"Interrupted." in err


def test_console_without_a_terminal_is_refused_in_one_line(mc: Command) -> None:
    refused = mc.run()
    assert refused.code == 2
    assert refused.out == ""
    assert len(refused.err.splitlines()) == 1
    assert not mc.database.exists()


def test_module_and_version(mc: Command) -> None:
    from mission_control_tui import __version__

    assert mc.ok("--version").out.strip() == f"mission-control, version {__version__}"
