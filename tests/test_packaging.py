"""What `pip install .` puts on a machine: every file, a working command, connectors that can be found."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from pathlib import Path

import pytest

import mission_control_tui

ROOT = Path(__file__).resolve().parent.parent


def run(*command: str | Path, **environment: str) -> str:
    """Standard output of `command`, which must succeed, away from the clone."""
    done = subprocess.run(
        [str(part) for part in command],
        cwd="/",
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this tree, built by the back end that pyproject.toml names."""
    directory = tmp_path_factory.mktemp("wheel")
    pip = (sys.executable, "-m", "pip", "wheel", "--quiet", "--disable-pip-version-check")
    run(*pip, "--no-deps", "--no-build-isolation", "--wheel-dir", directory, ROOT)
    (built,) = directory.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bin directory of a fresh environment with that wheel, which borrows this one's dependencies."""
    environment = tmp_path_factory.mktemp("installed")
    run(sys.executable, "-I", "-m", "venv", "--without-pip", environment)
    python = environment / "bin" / "python"
    pip = (sys.executable, "-m", "pip", "--python", python, "--disable-pip-version-check")
    run(*pip, "install", "--quiet", "--no-deps", "--no-index", wheel)
    libraries = run(python, "-I", "-c", "import sysconfig; print(sysconfig.get_path('purelib'))")
    borrowed = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    (Path(libraries.strip()) / "borrowed.pth").write_text("\n".join(sorted(borrowed)) + "\n")
    return environment / "bin"


def test_the_wheel_has_every_file_of_the_package(wheel: Path) -> None:
    package = ROOT / "mission_control_tui"
    expected = {
        str(path.relative_to(ROOT))
        for path in package.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    expected |= {
        f"mission_control_tui/{path.relative_to(ROOT)}"
        for path in (ROOT / "docs").rglob("*")
        if path.is_file()
    }
    with zipfile.ZipFile(wheel) as archive:
        carried = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert carried == expected
    assert any(name.endswith(".tcss") for name in carried)
    assert any(name.endswith(".toml") for name in carried)


def test_what_pdfs_and_workbooks_need_are_extras(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        said = archive.read(name).decode().splitlines()
    needed = [
        line
        for line in said
        if line.startswith(
            ("Requires-Dist: reportlab", "Requires-Dist: fontpkg", "Requires-Dist: openpyxl")
        )
    ]
    assert {"Provides-Extra: pdf", "Provides-Extra: xlsx"} <= set(said)
    assert len([line for line in needed if "extra == 'pdf'" in line]) == 2
    assert len([line for line in needed if "extra == 'xlsx'" in line]) == 1
    assert all("extra ==" in line for line in needed)


def test_the_wheel_says_whose_it_is_and_how_it_may_be_used(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        said = archive.read(name).decode().splitlines()
        licence = archive.read(name.replace("METADATA", "licenses/LICENSE"))
    assert {"License-Expression: MIT", "Author: the Mission Control authors"} <= set(said)
    assert licence == (ROOT / "LICENSE").read_bytes()


def test_the_source_archive_has_what_a_stranger_asks_for(tmp_path: Path) -> None:
    build = "import hatchling.build as b, sys; b.build_sdist(sys.argv[1])"
    subprocess.run([sys.executable, "-c", build, tmp_path], cwd=ROOT, check=True, timeout=120)
    (archive,) = tmp_path.glob("*.tar.gz")
    with tarfile.open(archive) as source:
        carried = {name.partition("/")[2] for name in source.getnames()}
    wanted = {"LICENSE", "SECURITY.md", "CONTRIBUTING.md", "README.md", "CHANGELOG.md", "run"}
    wanted |= {"run-tests", "constraints.txt", "docs/catalogue.md", "scripts/environment.py"}
    assert wanted <= carried


def test_the_installed_command_runs_from_the_wheel(installed: Path) -> None:
    said = run(installed / "mission-control", "--version")
    assert mission_control_tui.__version__ in said
    assert "Usage" in run(installed / "mission-control", "--help")
    where = run(installed / "python", "-c", "import mission_control_tui as m; print(m.__file__)")
    assert Path(where.strip()).is_relative_to(installed.parent)


def test_the_installed_command_shows_the_documentation(installed: Path) -> None:
    mc = installed / "mission-control"
    for page in sorted((ROOT / "docs").glob("*.md")):
        where = Path(run(mc, "docs", page.stem, "--path").strip())
        assert where.is_relative_to(installed.parent)
        assert where.read_bytes() == page.read_bytes()
    assert run(mc, "docs", "keys").strip() == (ROOT / "docs" / "keys.md").read_text().strip()


def test_the_shipped_connectors_are_found_by_name(installed: Path) -> None:
    code = (
        "from importlib.metadata import entry_points as e\n"
        "for found in sorted(e(group='mission_control_tui.connectors')):\n"
        "    print(found.name, callable(found.load()))\n"
    )
    assert run(installed / "python", "-c", code).splitlines() == [
        "ad True",
        "exec True",
        "mail-sql True",
        "mysql True",
        "postgresql True",
        "powerdns True",
        "simulator True",
        "webhook True",
    ]
