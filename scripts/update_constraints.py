"""Write constraints.txt: an exact version of everything that is installed, for each supported Python.

    python3 scripts/update_constraints.py            pins what is new, keeps every other version
    python3 scripts/update_constraints.py --upgrade  takes the newest of everything that pyproject.toml allows

Installs the project with its `dev` and `benchmark` extras into a throw-away environment of each Python that is
named or found (python3.11, python3.12, python3.13), and writes what pip installed there. A version that not all of
them share is written with a marker. Names no index and no host.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CONSTRAINTS = ROOT / "constraints.txt"
PYTHONS = ("python3.11", "python3.12", "python3.13")
HEADER = """\
# Exact versions of everything that is installed, tests and linters included, for Python {pythons}.
# Written by: python3 scripts/update_constraints.py (--upgrade takes newer versions)
"""


def main() -> int:
    """Resolve with each Python, merge, write; returns the exit status."""
    parser = argparse.ArgumentParser(
        description="Write constraints.txt for every supported Python."
    )
    parser.add_argument("pythons", nargs="*", default=PYTHONS, help="interpreters to resolve with")
    parser.add_argument("--upgrade", action="store_true", help="do not keep the present versions")
    options = parser.parse_args()
    absent = [python for python in options.pythons if shutil.which(python) is None]
    if absent:
        print(f"not found: {', '.join(absent)}; name the interpreters to use", file=sys.stderr)
        return 2
    keep = CONSTRAINTS if CONSTRAINTS.exists() and not options.upgrade else None
    resolved: dict[str, dict[str, str]] = {}
    for python in options.pythons:
        print(f"resolving with {python} ...", file=sys.stderr)
        version, pins = resolve(python, keep)
        resolved[version] = pins
    CONSTRAINTS.write_text(render(resolved), encoding="utf-8")
    print(f"{CONSTRAINTS.name}: {len(set().union(*resolved.values()))} packages", file=sys.stderr)
    return 0


def resolve(python: str, keep: Path | None) -> tuple[str, dict[str, str]]:
    """The version of `python` as "3.11", and name -> exact version of what pip installs with it."""
    with tempfile.TemporaryDirectory(prefix="mc-pins-") as directory:
        subprocess.run([python, "-I", "-m", "venv", directory], check=True)
        interpreter = Path(directory) / "bin" / "python"
        pip = [str(interpreter), "-I", "-m", "pip", "--disable-pip-version-check"]
        install = [*pip, "install", "--quiet", f"{ROOT}[dev,benchmark]", "editables"]
        if keep is not None:
            install += ["--constraint", str(keep)]
        subprocess.run(install, check=True, env={**os.environ, "PIP_USER": "0"})
        left_out = ("mission-control-tui", "pip", "setuptools", "wheel")
        shown = subprocess.run(
            [*pip, "list", "--format=freeze", *(f"--exclude={name}" for name in left_out)],
            check=True,
            capture_output=True,
            text=True,
        )
        named = subprocess.run(
            [str(interpreter), "-I", "-c", "import sys; print('%d.%d' % sys.version_info[:2])"],
            check=True,
            capture_output=True,
            text=True,
        )
    pins = dict(line.split("==", 1) for line in shown.stdout.split())
    return named.stdout.strip(), {normal(name): version for name, version in pins.items()}


def normal(name: str) -> str:
    """The package name as indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def render(resolved: dict[str, dict[str, str]]) -> str:
    """The file's text: one line a package, with a marker where the Pythons differ."""
    versions: dict[tuple[str, str], list[str]] = defaultdict(list)
    for python, pins in sorted(resolved.items(), key=lambda item: int(item[0].split(".")[1])):
        for name, version in pins.items():
            versions[name, version].append(python)
    lines = []
    for (name, version), pythons in sorted(versions.items()):
        marker = " or ".join(f'python_version == "{python}"' for python in pythons)
        lines.append(
            f"{name}=={version}" + ("" if len(pythons) == len(resolved) else f" ; {marker}")
        )
    return HEADER.format(pythons=", ".join(resolved)) + "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
