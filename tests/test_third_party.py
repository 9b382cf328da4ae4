"""A third party's connector: the page's example as a package, built, installed, found, and asked all promises."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.provisioning.connectors.test_docs import examples

ROOT = Path(__file__).resolve().parent.parent
PYPROJECT = """
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "mission-control-files"
version = "1.0"

[tool.hatch.build.targets.wheel]
include = ["mission_control_files.py"]

"""
CONTRACT = """
import asyncio
import json
import pytest
from mission_control_files import Files
from mission_control_tui.testing.back_ends import BackEnd
from mission_control_tui.testing.connectors import ConnectorContract

class Directory(BackEnd):
    options = {"color": "red"}
    other_options = {"color": "blue"}
    declares = Files.declares

    def __init__(self, directory):
        self.directory = directory
        self.settings = {"type": "files", "directory": str(directory)}

    async def written(self, name):
        file = self.directory / f"{name}.json"
        return file.read_text() if file.exists() else None

class TestFiles(ConnectorContract):
    @pytest.fixture
    def back_end(self, tmp_path):
        return Directory(tmp_path)
"""


def test_it_is_found_by_its_entry_point_and_keeps_the_promises(tmp_path: Path) -> None:
    project, installed = tmp_path / "project", tmp_path / "installed"
    project.mkdir()
    (connector,), (point,) = examples("connector"), examples("entry-point")
    (project / "mission_control_files.py").write_text(connector.text)
    (project / "pyproject.toml").write_text(PYPROJECT + point.text)
    build = "import hatchling.build as b, sys; b.build_wheel(sys.argv[1])"
    subprocess.run([sys.executable, "-c", build, tmp_path], cwd=project, check=True, timeout=120)
    (wheel,) = tmp_path.glob("*.whl")
    pip = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-index"]
    subprocess.run([*pip, "--target", installed, wheel], check=True, timeout=120)
    (tmp_path / "test_mine.py").write_text(CONTRACT)
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-rs"),
            *("-c", os.devnull, "--rootdir", tmp_path, "-o", "asyncio_mode=strict"),
            *("--basetemp", tmp_path / "inner"),
            tmp_path / "test_mine.py",
        ],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": f"{installed}{os.pathsep}{ROOT}"},
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    passed = int(done.stdout.rsplit(" passed", 1)[0].split()[-1].lstrip(","))
    assert passed >= 15
