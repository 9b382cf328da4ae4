"""What an error says to do is a sentence, as people read it below what went wrong."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import mission_control_tui
from mission_control_tui.model import errors

PACKAGE = Path(mission_control_tui.__file__).parent
ERRORS = {
    name
    for name, each in vars(errors).items()
    if isinstance(each, type) and issubclass(each, errors.MissionControlError)
}
NO_WORDS = ("verify-full ",)
"""What begins with something that is typed as it stands."""


def hints() -> Iterator[tuple[str, str]]:
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            called = node.func.attr if isinstance(node.func, ast.Attribute) else node.func
            name = called.id if isinstance(called, ast.Name) else called
            for keyword in node.keywords:
                said = keyword.value
                if name in ERRORS and keyword.arg == "hint" and isinstance(said, ast.Constant):
                    yield f"{path.relative_to(PACKAGE)}:{node.lineno}", str(said.value)


def test_a_hint_begins_as_a_sentence() -> None:
    found = dict(hints())
    assert len(found) > 100
    wrong = {
        where: said
        for where, said in found.items()
        if said and not said.startswith(NO_WORDS) and said[0].islower()
    }
    assert wrong == {}
