"""The layers hold at run time too, and the tree keeps its manners."""

from __future__ import annotations

import json
import os
import pkgutil
import pwd
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import mission_control_tui

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = Path(mission_control_tui.__file__).parent
LONGEST_MODULE = 500
LOADED = """
import importlib, json, sys
loaded = {}
for name in json.load(sys.stdin):
    before = set(sys.modules)
    importlib.import_module(name)
    loaded[name] = sorted({module.partition(".")[0] for module in set(sys.modules) - before})
json.dump(loaded, sys.stdout)
"""


def modules_below(package: str) -> list[str]:
    """Every importable module of `package`, Alembic's scripts left out: they run only within a migration."""
    root = PACKAGE.joinpath(*package.split(".")[1:])
    found = pkgutil.walk_packages([str(root)], prefix=f"{package}.")
    return [package, *(module.name for module in found if ".migrations." not in module.name)]


def newly_loaded(modules: list[str]) -> dict[str, list[str]]:
    """Imports `modules` one after the other in a fresh interpreter: module -> top-level names that came with it."""
    done = subprocess.run(
        [sys.executable, "-c", LOADED],
        input=json.dumps(modules),
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    assert done.returncode == 0, done.stderr
    loaded: dict[str, list[str]] = json.loads(done.stdout)
    return loaded


@pytest.mark.parametrize(
    ("package", "forbidden"),
    [
        ("mission_control_tui.model", {"textual", "rich", "dbos"}),
        ("mission_control_tui.provisioning", {"textual"}),
    ],
)
def test_importing_a_lower_layer_loads_no_upper_one(package: str, forbidden: set[str]) -> None:
    modules = modules_below(package)
    assert len(modules) > 3
    guilty = {
        module: sorted(forbidden & set(names))
        for module, names in newly_loaded(modules).items()
        if forbidden & set(names)
    }
    assert guilty == {}


def test_every_importable_module_is_found() -> None:
    walked = set(modules_below("mission_control_tui"))
    folders = {path.parent for path in PACKAGE.rglob("*.py") if "migrations" not in path.parts}
    packages = {".".join(path.relative_to(PACKAGE.parent).parts) for path in folders}
    assert packages <= walked, "a folder with modules has no __init__.py"


def test_no_module_has_grown_too_long() -> None:
    lengths = {
        str(path.relative_to(PACKAGE)): len(path.read_text(encoding="utf-8").splitlines())
        for path in PACKAGE.rglob("*.py")
        if "migrations" not in path.parts
    }
    assert {name: length for name, length in lengths.items() if length > LONGEST_MODULE} == {}


def test_no_file_names_the_machine_it_was_written_on() -> None:
    git = shutil.which("git")
    if git is None or not (ROOT / ".git").exists():
        pytest.skip("only a clone knows which files belong to it")
    listed = subprocess.run(
        [git, "-c", "safe.directory=*", "ls-files", "-z"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    homes = {str(ROOT), pwd.getpwuid(os.getuid()).pw_dir} - {"/", "/nonexistent"}
    pattern = re.compile(
        "|".join(rf"(?<![\w.~]){re.escape(home)}(?:/|\b)" for home in homes).encode()
    )
    guilty = []
    for name in listed.stdout.decode().split("\0"):
        path = ROOT / name
        if name and path.is_file() and pattern.search(path.read_bytes()):
            guilty.append(name)
    assert guilty == []
