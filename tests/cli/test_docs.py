"""The pages about the command: current, complete, and without a setting or an exit code that does not exist."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import get_type_hints

import msgspec
import pytest

from mission_control_tui.cli.entry import BROKEN_PIPE, INTERRUPTED
from mission_control_tui.model import leases
from mission_control_tui.model.errors import MissionControlError
from mission_control_tui.settings import Connector, Settings, load

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


def test_cli_page_is_what_the_commands_say() -> None:
    subprocess.run(
        [sys.executable, ROOT / "scripts" / "write_cli_docs.py", "--check"],
        check=True,
        timeout=120,
    )


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
    of_connectors = {field.name for field in msgspec.structs.fields(Connector)}
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
    kinds: set[type[MissionControlError]] = {leases.LeaseLost, MissionControlError}
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
