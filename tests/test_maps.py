"""The pages for those who work on the program name what exists: files, packages, and names in the code."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "mission_control_tui"
PAGES = ("CONTRIBUTING.md", "docs/architecture.md")
PLACEHOLDER = re.compile(r"NAME|FAMILY|NNNN|FILE|<\w+>")
QUESTIONS = 25


def quoted(page: str) -> list[str]:
    """What stands in backticks, outside fenced blocks, word by word; placeholders are left out."""
    text = re.sub(
        r"^```.*?^```$", "", (ROOT / page).read_text("utf-8"), flags=re.DOTALL | re.MULTILINE
    )
    words = [word for span in re.findall(r"`([^`]+)`", text) for word in span.split()]
    return [word for word in words if not PLACEHOLDER.search(word)]


def place_of(word: str) -> Path | None:
    """The file or folder that a word names: below the package or its model, from the top of the clone; or the kind."""
    place = next(
        (base / word for base in (PACKAGE, PACKAGE / "model", ROOT) if (base / word).exists()), None
    )
    return place if place or "/" in word else next(PACKAGE.rglob(word), None)


def is_path(word: str) -> bool:
    return "/" in word.rstrip("/") or word.endswith(("/", ".py", ".md", ".toml", ".tcss", ".txt"))


@pytest.mark.parametrize("page", PAGES)
def test_every_file_that_is_named_exists(page: str) -> None:
    paths = [word for word in quoted(page) if is_path(word) and "://" not in word]
    assert paths
    assert [word for word in paths if place_of(word) is None] == []


@pytest.mark.parametrize("page", PAGES)
def test_every_name_of_the_code_exists(page: str) -> None:
    names = {word for word in quoted(page) if re.fullmatch(r"_?[A-Za-z]+(_[a-z]+|[A-Z])\w*", word)}
    sources = [*PACKAGE.rglob("*.py"), *(ROOT / "scripts").glob("*.py"), *ROOT.glob("*.toml")]
    sources += (ROOT / "tests").rglob("*.py")
    known = {
        word for path in sources for word in re.findall(r"\w+", path.read_text(encoding="utf-8"))
    }
    assert sorted(names - known) == []


def test_every_package_is_named() -> None:
    packages = {path.parent for path in PACKAGE.rglob("__init__.py")} - {PACKAGE}
    named = set()
    for word in quoted("CONTRIBUTING.md"):
        place = place_of(word) if is_path(word) else None
        if place is not None:
            named.add(place if place.is_dir() else place.parent)
    unnamed = packages - {path.resolve() for path in named}
    assert sorted(str(path.relative_to(PACKAGE)) for path in unnamed) == []


def test_the_map_answers_many_questions() -> None:
    rows = re.findall(
        r"^\| [^*|]+\? \| `", (ROOT / "CONTRIBUTING.md").read_text("utf-8"), re.MULTILINE
    )
    assert len(rows) >= QUESTIONS


def test_the_picture_of_the_floors_is_that_of_the_contracts() -> None:
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]
    page = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    picture = page.partition("\n```\n")[2].partition("\n```\n")[0]
    for contract in declared["contracts"]:
        if contract["type"] == "layers" and contract["id"] != "floors":
            *_, house = contract["containers"][0].split(".")
            drawn = picture[picture.index(f"{house}  ") :].splitlines()
            floors = [re.split(r"\s{3,}", line.removeprefix(house).strip())[0] for line in drawn]
            assert floors[: len(contract["layers"])] == contract["layers"]
