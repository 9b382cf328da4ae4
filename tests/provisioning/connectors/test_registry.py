"""Finding connectors by type, and reading their settings: all problems at once, no secret shown."""

from __future__ import annotations

import subprocess
import sys
import time
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest

from mission_control_tui.connect import (
    ConnectorError,
    Context,
    Declaration,
    FenceGrade,
    secret_references,
)
from mission_control_tui.connect.settings_reader import SettingsReader, call_timeout
from mission_control_tui.model.errors import InvalidInput
from mission_control_tui.model.states import ErrorKind
from mission_control_tui.provisioning import registry
from mission_control_tui.provisioning.registry import (
    BUILT_IN,
    ConnectorUnavailable,
    UnknownConnector,
    known,
    load,
)

GOOD: dict[str, Any] = {"type": "postgresql", "user": "provisioner", "password_env": "X"}


def offer(monkeypatch: pytest.MonkeyPatch, *points: EntryPoint) -> None:
    """Have other packages offer these entry points."""

    def entry_points(*, group: str) -> list[EntryPoint]:
        return [point for point in points if point.group == group]

    monkeypatch.setattr(registry, "entry_points", entry_points)


async def test_the_built_in_connectors_are_known_without_metadata(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    offer(monkeypatch)
    assert known() == tuple(sorted({*BUILT_IN, "composite"}))
    await load("simulator", {"path": str(tmp_path / "s.db")}, "here")


def test_the_built_in_table_is_what_the_distribution_declares() -> None:
    import tomllib

    root = Path(registry.__file__).parents[2]
    declared = tomllib.loads((root / "pyproject.toml").read_text())["project"]["entry-points"]
    assert dict(BUILT_IN) == declared[registry.GROUP]


async def test_an_unknown_type_names_the_known_ones() -> None:
    with pytest.raises(UnknownConnector) as caught:
        await load("mail", {"type": "postgres"}, "here")
    assert "mail" in caught.value.what
    assert ", ".join(sorted(BUILT_IN)) in caught.value.hint


async def test_a_connector_of_another_package_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    point = EntryPoint("elsewhere", f"{__name__}:open_elsewhere", registry.GROUP)
    offer(monkeypatch, point)
    assert "elsewhere" in known()
    opened: Any = await load("mine", {"type": "elsewhere", "a": 1}, "here")
    context = opened.connector.context
    assert (context.name, context.installation) == ("mine", "here")
    assert context.settings == {"type": "elsewhere", "a": 1}


async def test_another_package_cannot_take_over_a_built_in_type(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    offer(monkeypatch, EntryPoint("simulator", f"{__name__}:open_elsewhere", registry.GROUP))
    opened = await load("simulator", {"path": str(tmp_path / "s.db")}, "here")
    assert not isinstance(opened.connector, Elsewhere)


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("no_such_module:create", "no_such_module"),
        (f"{__name__}:no_such_function", "no_such_function"),
        (f"{__name__}:GOOD", "is not a function"),
    ],
)
async def test_what_cannot_be_loaded_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, target: str, words: str
) -> None:
    offer(monkeypatch, EntryPoint("broken", target, registry.GROUP))
    with pytest.raises(ConnectorUnavailable) as caught:
        await load("mine", {"type": "broken"}, "here")
    assert words in caught.value.what
    assert caught.value.hint


async def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    offer(monkeypatch, EntryPoint("broken", "no_such_module:create [ldap]", registry.GROUP))
    with pytest.raises(ConnectorUnavailable) as caught:
        await load("mine", {"type": "broken"}, "here")
    assert "[ldap]" in caught.value.hint


class Elsewhere:
    """A connector of another package, as far as loading goes."""

    declares = Declaration(capabilities=frozenset(), fence=FenceGrade.ADVISORY)

    def __init__(self, context: Context) -> None:
        self.context = context


async def open_elsewhere(context: Context) -> Elsewhere:
    return Elsewhere(context)


def test_naming_the_connectors_imports_none_of_their_clients() -> None:
    program = (
        "import sys\n"
        "from mission_control_tui.provisioning.registry import known\n"
        "from mission_control_tui import connect\n"
        "known()\n"
        "print([name for name in ('asyncpg', 'httpx', 'sqlalchemy', 'textual') if name in sys.modules])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


async def test_all_problems_of_a_table_come_at_once() -> None:
    table = {
        "type": "postgresql",
        "port": 99999,
        "tls": "maybe",
        "password": "in the clear",
        "mode": "write",
        "gard": [],
        "levels": {"small": {"connection_limit": "many"}},
    }
    with pytest.raises(InvalidInput) as caught:
        await load("db", table, "here")
    assert {problem.where for problem in caught.value.problems} == {
        "connectors.db.user",
        "connectors.db.port",
        "connectors.db.tls",
        "connectors.db.password",
        "connectors.db.mode",
        "connectors.db.gard",
        "connectors.db.levels.small.connection_limit",
    }
    text = str(caught.value)
    assert "did you mean guard?" in text
    assert "password_file" in text
    assert "in the clear" not in text


@pytest.mark.parametrize("wrong", ["five", 3, [1]])
async def test_a_level_that_is_no_table_is_a_problem(wrong: object) -> None:
    with pytest.raises(InvalidInput, match=r"connectors\.db\.levels\.small"):
        await load("db", {**GOOD, "levels": {"small": wrong}}, "here")


async def test_two_places_for_one_secret_are_a_problem() -> None:
    with pytest.raises(InvalidInput, match="password_env"):
        await load("db", {**GOOD, "password_file": "/x"}, "here")


async def test_numbers_may_be_texts_as_environment_variables_are() -> None:
    await load("db", {**GOOD, "port": "5433"}, "here")
    assert call_timeout("db", {"timeout": "2.5"}) == 2.5


def test_the_time_limit_of_a_call() -> None:
    assert call_timeout("db", {}) == 30.0
    assert call_timeout("db", {"timeout": 5}) == 5.0
    for wrong in (0, -1, "soon", True):
        with pytest.raises(InvalidInput, match=r"connectors\.db\.timeout"):
            call_timeout("db", {"timeout": wrong})


def test_a_secret_is_read_from_its_file_each_time_and_never_shown(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("first-secret\nsecond line\n")
    reader = SettingsReader("db", {"password_file": str(file)})
    reference = reader.secret("password")
    reader.finish()
    assert reference is not None
    assert reference.read() == "first-secret"
    file.write_bytes("zweites Gehëimnis\r\n".encode())
    assert reference.read() == "zweites Gehëimnis"
    assert "Geh" not in repr(reference)


@pytest.mark.parametrize("content", [None, b"", b"\n", b"\xff\xfe"])
def test_a_secret_that_cannot_be_read_is_a_configuration_error(
    tmp_path: Path, content: bytes | None
) -> None:
    file = tmp_path / "password"
    if content is not None:
        file.write_bytes(content)
    reference = SettingsReader("db", {"password_file": str(file)}).secret("password")
    assert reference is not None
    with pytest.raises(ConnectorError) as caught:
        reference.read()
    assert caught.value.kind is ErrorKind.CONFIG
    assert str(file) in caught.value.said
    assert "connectors.db.password_file" in caught.value.remedy


def test_a_secret_whose_file_is_replaced_is_used_as_it_was_read_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "password"
    file.write_text("first-secret\n")
    reference = SettingsReader("db", {"password_file": str(file)}).secret("password")
    assert reference is not None
    assert reference.read() == "first-secret"
    for content in (None, b"", b"\xff"):
        file.unlink()
        if content is not None:
            file.write_bytes(content)
        assert reference.read() == "first-secret"
        file.write_bytes(b"")
    # Half of it is never sent: without an end of line it is read until nobody writes any more.
    file.write_text("sec")
    monkeypatch.setattr(time, "sleep", lambda _: file.write_text("second-secret\n"))
    assert reference.read() == "second-secret"
    file.unlink()
    monkeypatch.setattr(secret_references, "KEPT_SECONDS", -1.0)
    with pytest.raises(ConnectorError, match="cannot be read"):
        reference.read()


def test_a_secret_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    reference = SettingsReader("db", {"password_env": "TEST_DB_PASSWORD"}).secret("password")
    assert reference is not None
    with pytest.raises(ConnectorError, match="TEST_DB_PASSWORD"):
        reference.read()
    monkeypatch.setenv("TEST_DB_PASSWORD", "from-the-environment")
    assert reference.read() == "from-the-environment"
