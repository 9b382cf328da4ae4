"""The layers hold at run time too, imports run one way, stylesheets name what exists; the tree keeps its manners."""

from __future__ import annotations

import ast
import importlib
import json
import os
import pkgutil
import pwd
import re
import shutil
import subprocess
import sys
import tomllib
from collections import deque
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import textual.containers
import textual.widgets
from textual.dom import DOMNode

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


def imported_names(module: str, path: Path) -> Iterator[tuple[str, int]]:
    """Every name that the text of a module imports, wherever the import stands, with its line."""
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, node.lineno
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: 1 - node.level or None] if node.level else []
            origin = ".".join([*above, *([node.module] if node.module else [])])
            for alias in node.names:
                yield f"{origin}.{alias.name}", node.lineno


def import_graph(package: Path) -> dict[str, dict[str, int]]:
    """module -> the modules of `package` that it imports -> the line; lazy and type-only imports are included."""
    paths = {
        ".".join(path.relative_to(package.parent).with_suffix("").parts).removesuffix(
            ".__init__"
        ): path
        for path in package.rglob("*.py")
    }
    graph: dict[str, dict[str, int]] = {}
    for module, path in paths.items():
        graph[module] = {}
        for name, line in imported_names(module, path):
            target = name if name in paths else name.rpartition(".")[0]
            if target in paths and target != module:
                graph[module].setdefault(target, line)
    return graph


def shortest_circle(graph: dict[str, dict[str, int]], start: str) -> list[str]:
    """The modules from `start` along imports back to `start`, or nothing."""
    came_from: dict[str, str] = {}
    waiting = deque([start])
    while waiting:
        module = waiting.popleft()
        for target in graph[module]:
            if target == start:
                circle = [module, start]
                while circle[0] != start:
                    circle.insert(0, came_from[circle[0]])
                return circle
            if target not in came_from:
                came_from[target] = module
                waiting.append(target)
    return []


def import_circles(package: Path) -> list[str]:
    """Each circle once, as `a:LINE -> b:LINE -> a`, where LINE is that of the import."""
    graph = import_graph(package)
    told: set[str] = set()
    circles = []
    for start in sorted(graph):
        if start not in told and (circle := shortest_circle(graph, start)):
            told.update(circle)
            steps = [f"{module}:{graph[module][target]}" for module, target in pairwise(circle)]
            circles.append(" -> ".join([*steps, start]))
    return circles


def selected_classes(stylesheet: str) -> set[str]:
    """The class names among the selectors of a stylesheet: no ids, no CSS classes, no values."""
    without_comments = re.sub(r"/\*.*?\*/", "", stylesheet, flags=re.DOTALL)
    selectors = re.sub(r"[\w-]+\s*:[^;{}]+(;|(?=\}))", "", without_comments)
    return set(re.findall(r"(?<![\w.#$-])[A-Z]\w*", selectors))


def node_classes() -> dict[str, type[DOMNode]]:
    """Every class of widgets, screens and applications, ours and Textual's, by its name."""
    for package in ("widgets", "screens", "console"):
        for module in modules_below(f"mission_control_tui.{package}"):
            importlib.import_module(module)
    for name in vars(textual.widgets)["__all__"]:
        getattr(textual.widgets, name)
    waiting: list[type[DOMNode]] = [DOMNode]
    found = {}
    while waiting:
        node = waiting.pop()
        found[node.__name__] = node
        waiting += node.__subclasses__()
    return found


def contracts() -> list[dict[str, Any]]:
    declared: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    linter = declared["tool"]["importlinter"]
    assert not linter.get("exclude_type_checking_imports"), "type-only imports count too"
    found: list[dict[str, Any]] = linter["contracts"]
    return found


def test_imports_run_in_no_circle() -> None:
    assert import_circles(PACKAGE) == []


def test_a_circle_is_told_with_its_lines(tmp_path: Path) -> None:
    package = tmp_path / "house"
    (package / "room").mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "room" / "__init__.py").touch()
    (package / "room" / "door.py").write_text("from ..roof import TILE\n")
    (package / "roof.py").write_text("TILE = 1\ndef lazy():\n    import house.cellar\n")
    (package / "cellar.py").write_text("if False:\n    from house.room import door\n")
    (package / "garden.py").write_text("from house import roof\n")
    assert import_circles(package) == [
        "house.cellar:2 -> house.room.door:1 -> house.roof:3 -> house.cellar"
    ]


def test_a_new_package_has_to_choose_its_floor() -> None:
    layered = [contract for contract in contracts() if contract["type"] == "layers"]
    containers = {container for contract in layered for container in contract["containers"]}
    houses = ("", ".model", ".screens", ".cli")
    assert {f"mission_control_tui{house}" for house in houses} <= containers
    assert [contract["id"] for contract in layered if not contract.get("exhaustive")] == []


def test_every_stylesheet_selects_classes_that_exist() -> None:
    known = node_classes()
    sheets = {
        str(path.relative_to(PACKAGE)): path.read_text(encoding="utf-8")
        for path in PACKAGE.rglob("*.tcss")
    }
    for name, node in known.items():
        if node.__module__.startswith("mission_control_tui."):
            for attribute in ("CSS", "DEFAULT_CSS"):
                sheets[f"{name}.{attribute}"] = vars(node).get(attribute, "")
    unknown = {name: selected_classes(text) - known.keys() for name, text in sheets.items()}
    assert {name: classes for name, classes in unknown.items() if classes} == {}


def test_selectors_are_told_from_properties() -> None:
    text = "/* Not */ Home LineList.-Wide, #Id > Cell:focus { color: Red; Inner { width: 1 } &.x { y: Auto } }"
    assert selected_classes(text) == {"Home", "LineList", "Cell", "Inner"}


def test_every_stylesheet_belongs_to_a_screen_or_an_application() -> None:
    owned = set()
    for node in node_classes().values():
        path = vars(node).get("CSS_PATH")
        if isinstance(path, str) and node.__module__.startswith("mission_control_tui."):
            source = sys.modules[node.__module__].__file__
            assert source is not None
            owned.add(Path(source).parent / path)
    assert owned == set(PACKAGE.rglob("*.tcss"))


@pytest.mark.parametrize(
    ("package", "forbidden"),
    [
        ("mission_control_tui.model", {"textual", "rich", "procrastinate", "psycopg"}),
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
        # A program of examples is one file, which people copy.
        if not {"migrations", "examples"}.intersection(path.parts)
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
