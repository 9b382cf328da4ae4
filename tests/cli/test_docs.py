"""The pages about the command: current, complete, and without a setting or an exit code that does not exist."""

from __future__ import annotations

import contextlib
import os
import pty
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import get_type_hints

import msgspec
import pytest

from mission_control_tui.cli.main import BROKEN_PIPE, INTERRUPTED
from mission_control_tui.model.errors import MissionControlError
from mission_control_tui.model.requests import workers
from mission_control_tui.settings.settings import ConnectorSettings, Settings, load
from tests.cli.inprocess import answer, call, ok

ROOT = Path(__file__).parents[2]
CONFIGURATION = (ROOT / "docs" / "configuration.md").read_text("utf-8")
CLI = (ROOT / "docs" / "cli.md").read_text("utf-8")


def fields(kind: type[msgspec.Struct], before: str = "") -> Iterator[tuple[str, object]]:
    """Every setting by its full name, with its default."""
    hints = get_type_hints(kind)
    for field in msgspec.structs.fields(kind):
        inner = hints[field.name]
        if isinstance(inner, type) and issubclass(inner, msgspec.Struct):
            yield from fields(inner, f"{before}{field.name}.")
        else:
            yield f"{before}{field.name}", field.default


@pytest.mark.proof
def test_cli_page_is_what_the_commands_say() -> None:
    subprocess.run(
        [sys.executable, ROOT / "scripts" / "write_cli_docs.py", "--check"],
        check=True,
        timeout=120,
    )


def test_docs_lists_its_pages_and_shows_each() -> None:
    pages = sorted((ROOT / "docs").glob("*.md"))
    listed = answer("docs")["pages"]
    assert [one["name"] for one in listed] == [page.stem for page in pages]
    assert "deployment       Deployment over SSH" in ok("docs").out
    for page in pages:
        assert ok("docs", page.stem).out.strip() == page.read_text("utf-8").strip()
        assert ok("docs", page.name, "--path").out == f"{page}\n"
    refused = call("docs", "catalog")
    assert refused.code == 4
    assert "Did you mean catalogue?" in refused.err


def test_docs_goes_through_a_pager_on_a_terminal(hermetic_home: Path) -> None:
    if shutil.which("sed") is None:
        pytest.skip("apt-get install sed")
    assert b"paged:# Keys" in paged("sed -e s/^/paged:/")
    told = paged("env")
    assert b"TERM=xterm" in told
    assert b"Kp7m-xR4w" not in told


def paged(pager: str) -> bytes:
    """What a terminal shows of a page."""
    controller, terminal = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "mission_control_tui", "docs", "keys"],
        stdin=terminal,
        stdout=terminal,
        env={**os.environ, "PAGER": pager, "TERM": "xterm", "PGPASSWORD": "Kp7m-xR4w"},
    ) as process:
        os.close(terminal)
        said = b""
        with contextlib.suppress(OSError):  # Linux says so when the other side is closed
            while data := os.read(controller, 65536):
                said += data
    os.close(controller)
    assert process.returncode == 0
    return said


def test_no_message_names_a_page_that_an_installed_copy_cannot_find() -> None:
    named = re.compile(r"mission-control docs ([a-z]+)")
    pages = {page.stem for page in (ROOT / "docs").glob("*.md")}
    found: set[str] = set()
    for path in (ROOT / "mission_control_tui").rglob("*"):
        if path.suffix in (".py", ".toml"):
            found |= set(named.findall(path.read_text("utf-8")))
    assert {
        "catalogue",
        "cli",
        "configuration",
        "connectors",
        "deployment",
        "keys",
    } <= pages & found
    assert found - pages == set()


def documented_settings() -> dict[str, list[str]]:
    rows = re.findall(r"^\| `([a-z_.]+)` \|(.+)\|$", CONFIGURATION, re.MULTILINE)
    return {name: [cell.strip() for cell in rest.split("|")] for name, rest in rows}


def test_every_setting_is_documented_with_its_default() -> None:
    documented = documented_settings()
    for name, default in fields(Settings):
        assert name in documented, name
        if isinstance(default, bool):
            assert documented[name][1] == str(default).lower(), name
        elif isinstance(default, int | float):
            assert documented[name][1] == f"{default:g}", name


def test_no_setting_is_documented_that_does_not_exist() -> None:
    of_connectors = {field.name for field in msgspec.structs.fields(ConnectorSettings)}
    known = {name for name, _ in fields(Settings)} | of_connectors | {"mode", "timeout"}
    files = {"settings.toml", "crash.log", "simulator.db"}
    assert set(documented_settings()) - files <= known
    assert of_connectors - {"options"} <= set(documented_settings())


def test_every_variable_of_ours_is_documented() -> None:
    found = set()
    for path in (ROOT / "mission_control_tui").rglob("*.py"):
        found |= set(re.findall(r"\b_?MISSION_CONTROL_[A-Z_]*[A-Z]\b", path.read_text("utf-8")))
    assert "MISSION_CONTROL_NO_WORKER" in found
    assert {name for name in found if name not in CONFIGURATION} == set()


def test_example_of_settings_is_valid(tmp_path: Path) -> None:
    (example,) = re.findall(r"<!-- run: settings -->\n```toml\n(.+?)```", CONFIGURATION, re.DOTALL)
    file = tmp_path / "settings.toml"
    file.write_text(example, "utf-8")
    settings = load(file)
    assert settings.worker.slots == 32
    assert settings.connector("customer-databases").type == "postgresql"


@pytest.mark.parametrize("page", [CONFIGURATION, CLI], ids=["configuration", "cli"])
def test_every_exit_code_is_documented(page: str) -> None:
    codes = {int(code) for code in re.findall(r"^\| (\d+) \|", page, re.MULTILINE)}
    kinds: set[type[MissionControlError]] = {workers.LeaseLost, MissionControlError}
    kinds |= set(MissionControlError.__subclasses__())
    assert codes == {0, INTERRUPTED, BROKEN_PIPE} | {kind.exit_code for kind in kinds}


@pytest.mark.parametrize("page", ["configuration.md", "cli.md", "troubleshooting.md"])
def test_links_lead_somewhere(page: str) -> None:
    text = (ROOT / "docs" / page).read_text("utf-8")
    headings = {
        re.sub(r"[^a-z0-9 _-]", "", line.lstrip("# ").lower()).replace(" ", "-")
        for line in text.splitlines()
        if line.startswith("#")
    }
    for target in re.findall(r"\]\(([^)]+)\)", text):
        file, _, anchor = target.partition("#")
        if file:
            assert (ROOT / "docs" / file).exists(), target
        else:
            assert anchor in headings, target
