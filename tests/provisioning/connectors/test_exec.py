"""`exec`: what its program is given, how its end is understood, and that nothing of it outlives the call."""

from __future__ import annotations

import asyncio
import json
import os
import shlex
import signal
import sys
import textwrap
import time
from pathlib import Path
from typing import Any

import pytest

from mission_control_tui.connect import ConnectorError, ErrorKind, Wish
from mission_control_tui.model.errors import InvalidInput
from mission_control_tui.provisioning.connectors.exec.answers import EXIT_CODES
from mission_control_tui.provisioning.connectors.exec.program import ANSWER_LIMIT
from mission_control_tui.provisioning.guard import Guarded
from mission_control_tui.provisioning.registry import ConnectorUnavailable, load
from mission_control_tui.testing.converging import PASSWORD, reach
from tests.provisioning.connectors import json_objects
from tests.provisioning.connectors.json_back_end import JsonBackEnd
from tests.provisioning.connectors.support import wish

PROLOGUE = """
import json, os, signal, subprocess, sys, time
request = json.load(sys.stdin)
def tell(**what):
    print(json.dumps({"mission_control": 1, **what}), flush=True)
if request["operation"] == "describe":
    tell(declares={"fence": "advisory"})
    sys.exit()
"""


async def opened(tmp_path: Path, body: str, **settings: object) -> Guarded:
    """A connector whose program describes itself, and does what `body` says when it is asked for more."""
    program = tmp_path / "program.py"
    program.write_text(PROLOGUE + textwrap.dedent(body))
    table = {"type": "exec", "program": [sys.executable, "-IS", str(program)], **settings}
    return await load("mine", table, "0" * 32)


async def failed(tmp_path: Path, body: str, **settings: object) -> ConnectorError:
    """The error that `check` ends with."""
    connector = await opened(tmp_path, body, **settings)
    with pytest.raises(ConnectorError) as caught:
        await connector.check()
    await connector.aclose()
    return caught.value


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


async def gone(pid: int) -> bool:
    deadline = time.monotonic() + 10
    while is_alive(pid):
        if time.monotonic() > deadline:
            return False
        await asyncio.sleep(0.02)
    return True


async def test_it_creates_suspends_and_removes_what_a_program_keeps(tmp_path: Path) -> None:
    file = tmp_path / "objects.json"
    program = [sys.executable, "-IS", json_objects.__file__, str(file)]
    back_end = JsonBackEnd(file, {"type": "exec", "program": program})
    connector, name = await back_end.open(), back_end.new_name()
    made = await reach(connector, back_end.wish(name))
    assert made.observed.external_id == "1"
    assert made.observed.usage["storage"].value == 4.5
    await back_end.takes(name, PASSWORD)
    assert PASSWORD not in file.read_text()
    await reach(connector, back_end.wish(name, Wish.SUSPENDED, generation=2, secret=None))
    await back_end.refuses(name, PASSWORD)
    await reach(connector, back_end.wish(name, Wish.ABSENT, generation=3, secret=None))
    assert await back_end.written(name) is None


async def test_secrets_are_told_on_stdin_alone_and_nothing_else_is_inherited(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = tmp_path / "secret"
    secret.write_text("Hush-Hush-7\n")
    monkeypatch.setenv("A_SECRET_OF_OURS", "not yours")
    connector = await opened(
        tmp_path,
        """
        told = dict(os.environ), sys.argv, os.getcwd(), os.getpgrp() == os.getpid(), request
        open(request["configuration"]["told"], "w").write(json.dumps(told))
        tell(version="1")
        """,
        secret_file=str(secret),
        directory=str(tmp_path),
        environment={"MINE": "1"},
        configuration={"told": str(tmp_path / "told.json")},
    )
    await connector.check()
    environment, arguments, where, leads, request = json.loads((tmp_path / "told.json").read_text())
    assert environment.pop("LC_CTYPE", "C.UTF-8") == "C.UTF-8"  # Python's own
    assert set(environment) == {"PATH", "LANG", "MINE"}
    assert (Path(where), leads) == (tmp_path, True)
    assert "Hush" not in repr((environment, arguments))
    assert request["secret"] == "Hush-Hush-7"
    assert "Hush" not in repr(connector)


async def test_a_password_is_told_in_the_step_alone_that_sets_it(tmp_path: Path) -> None:
    file, log = tmp_path / "objects.json", tmp_path / "log"
    program = shlex.join([sys.executable, "-IS", json_objects.__file__, str(file)])
    script = f"tee -a {shlex.quote(str(log))} | {program}"
    back_end = JsonBackEnd(file, {"type": "exec", "program": ["/bin/sh", "-c", script]})
    connector, name = await back_end.open(), back_end.new_name()
    await reach(connector, back_end.wish(name))
    decoder, text, messages = json.JSONDecoder(), log.read_text(), []
    while text:
        message, end = decoder.raw_decode(text)
        messages.append(message)
        text = text[end:]
    told = [message for message in messages if PASSWORD in repr(message)]
    assert [(message["operation"], message["step"]) for message in told] == [("apply", "account")]
    assert "password" in {change["what"] for change in told[0]["changes"]}


async def test_the_whole_group_ends_at_the_time_limit(tmp_path: Path) -> None:
    file = tmp_path / "pids"
    body = f"""
        child = subprocess.Popen(["sleep", "600"])
        open({str(file)!r}, "w").write(f"{{os.getpid()}} {{child.pid}}")
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        time.sleep(600)
        """
    error = await failed(tmp_path, body, timeout=1.5)
    assert (error.kind, error.code) == (ErrorKind.UNREACHABLE, "timeout")
    for pid in map(int, file.read_text().split()):
        assert await gone(pid)


async def test_what_a_program_leaves_running_ends_with_it(tmp_path: Path) -> None:
    file = tmp_path / "pid"
    connector = await opened(
        tmp_path,
        f"""
        child = subprocess.Popen(["sleep", "600"])
        open({str(file)!r}, "w").write(str(child.pid))
        tell(version="1")
        """,
    )
    await connector.check()
    assert await gone(int(file.read_text()))


async def test_a_daemon_that_holds_the_pipes_open_is_not_waited_for(tmp_path: Path) -> None:
    file = tmp_path / "pid"
    connector = await opened(
        tmp_path,
        f"""
        child = subprocess.Popen(["sleep", "600"], start_new_session=True)
        open({str(file)!r}, "w").write(str(child.pid))
        tell(version="1")
        """,
    )
    try:
        assert (await connector.check()).version == "1"
    finally:
        os.kill(int(file.read_text()), signal.SIGKILL)


@pytest.mark.parametrize("code", EXIT_CODES)
async def test_an_exit_code_says_what_kind_of_error_it_is(tmp_path: Path, code: int) -> None:
    error = await failed(tmp_path, f"sys.stderr.write('no room on disk\\n'); sys.exit({code})")
    assert error.kind is EXIT_CODES[code]
    assert f"(exit {code}): no room on disk" in error.said


@pytest.mark.parametrize(
    ("body", "kind", "said"),
    [
        ("sys.exit(3)", ErrorKind.TRANSIENT, "exit 3, without a word"),
        ("os.kill(os.getpid(), 9)", ErrorKind.TRANSIENT, "ended by SIGKILL, without a word"),
        ("os.kill(os.getpid(), 35)", ErrorKind.TRANSIENT, "ended by signal 35, without a word"),
        ("raise ValueError('boom')", ErrorKind.TRANSIENT, "ValueError: boom"),
        ("print('hello')", ErrorKind.TRANSIENT, "no message"),
        ("pass", ErrorKind.TRANSIENT, "no answer"),
        ("tell(version='1', colour=1)", ErrorKind.TRANSIENT, "unknown field `colour`"),
        ("tell(version=1)", ErrorKind.TRANSIENT, "Expected `str`"),
        ("print('{\"mission_control\": 2}')", ErrorKind.CONFIG, "version 2 of the messages"),
        (
            "tell(error={'kind': 'quota', 'said': 'full', 'remedy': 'buy'}); sys.exit(1)",
            ErrorKind.QUOTA,
            "full",
        ),
        (f"sys.stdout.write('x' * {ANSWER_LIMIT + 1})", ErrorKind.TRANSIENT, "more than 8 MiB"),
    ],
)
async def test_an_end_that_nobody_planned_is_a_typed_error(
    tmp_path: Path, body: str, kind: ErrorKind, said: str
) -> None:
    error = await failed(tmp_path, body)
    assert error.kind is kind
    assert said in error.said


async def test_stderr_is_words_without_control_sequences_and_secrets(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("Hush-Hush-7\n")
    body = r"""
        sys.stderr.write("\033[31mred\033[0m \033]0;title\007said " + request["secret"] + "\n")
        sys.exit(65)
        """
    error = await failed(tmp_path, body, secret_file=str(tmp_path / "secret"))
    assert error.said.endswith(": red said [secret]")


async def test_an_act_that_ends_oddly_may_have_happened(tmp_path: Path) -> None:
    body = """
        if request["operation"] == "observe":
            tell(exists=False)
        else:
            sys.exit({code})
        """
    for code, unknown in ((3, True), (65, False)):
        connector = await opened(tmp_path, body.format(code=code), mode="enabled")
        with pytest.raises(ConnectorError) as caught:
            await reach(connector, wish("ann", secret=None, limits={}))
        assert caught.value.outcome_unknown is unknown


async def test_a_program_that_declares_something_else_than_before_is_told(tmp_path: Path) -> None:
    connector = await opened(tmp_path, "tell(version='1')")
    program = tmp_path / "program.py"
    program.write_text(program.read_text().replace('"advisory"', '"conditional"'))
    with pytest.raises(ConnectorError, match="something else than was told before: fence") as told:
        await connector.check()
    assert told.value.kind is ErrorKind.CONFIG


async def test_wrong_settings_are_told_all_at_once(tmp_path: Path) -> None:
    table: dict[str, Any] = {
        "type": "exec",
        "program": ["relative"],
        "environment": {"N": 1},
        "colour": 1,
    }
    with pytest.raises(InvalidInput) as caught:
        await load("mine", table, "0" * 32)
    places = {problem.where for problem in caught.value.problems}
    assert {name.removeprefix("connectors.mine.") for name in places} == {
        *("program", "environment.N", "colour")
    }
    with pytest.raises(ConnectorUnavailable, match="cannot be run"):
        await load("mine", {"type": "exec", "program": [str(tmp_path / "none")]}, "0" * 32)
