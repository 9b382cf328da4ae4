"""Lines of keys in TOML texts, in every way of writing them."""

from __future__ import annotations

import tomllib

from hypothesis import given
from hypothesis import strategies as st

from mission_control_tui.model.catalogue.file.line_numbers import Path, positions
from mission_control_tui.model.catalogue.file.shipped import shipped

EVERY_STYLE = '''a = 1 # = [
b.c = """x
y" \\""" z"""""
d = [ 1, # c ]
  { x = 2, "y z".w = [3,
  4] } ]
[[e]]
f = 1979-05-27 07:32:00
[e.g]
h = \'\'\'a
\'\'\'
[[e]]
"q\\u0041" . 'r' = "# ]"
[[e.s]]
[e.s.t]
'''

LINES: dict[Path, int] = {
    (): 1,
    ("a",): 1,
    ("b",): 2,
    ("b", "c"): 2,
    ("d",): 4,
    ("d", 0): 4,
    ("d", 1): 5,
    ("d", 1, "x"): 5,
    ("d", 1, "y z"): 5,
    ("d", 1, "y z", "w"): 5,
    ("d", 1, "y z", "w", 0): 5,
    ("d", 1, "y z", "w", 1): 6,
    ("e",): 7,
    ("e", 0): 7,
    ("e", 0, "f"): 8,
    ("e", 0, "g"): 9,
    ("e", 0, "g", "h"): 10,
    ("e", 1): 12,
    ("e", 1, "qA"): 13,
    ("e", 1, "qA", "r"): 13,
    ("e", 1, "s"): 14,
    ("e", 1, "s", 0): 14,
    ("e", 1, "s", 0, "t"): 15,
}


def paths_of(value: object, path: Path = ()) -> set[Path]:
    """Every path that a parsed document has."""
    inner: list[tuple[str | int, object]] = []
    if isinstance(value, dict):
        inner = list(value.items())
    elif isinstance(value, list):
        inner = list(enumerate(value))
    return {path}.union(*(paths_of(one, (*path, key)) for key, one in inner))


def test_every_style_of_writing_has_its_line() -> None:
    assert positions(EVERY_STYLE) == LINES


def test_line_ends_of_windows_count_the_same() -> None:
    assert positions(EVERY_STYLE.replace("\n", "\r\n")) == LINES


def test_the_shipped_file_has_a_line_for_everything() -> None:
    found = positions(shipped())
    assert set(found) == paths_of(tomllib.loads(shipped()))
    lines = shipped().splitlines()
    for path, line in found.items():
        if path and isinstance(path[-1], str):
            assert path[-1] in lines[line - 1], (path, line)


class Writer:
    """Writes a document in styles that `draw` picks; each leaf is a number that is its own token."""

    def __init__(self, data: st.DataObject) -> None:
        self.data = data
        self.tokens: dict[Path, str] = {}
        self.lines: list[str] = []

    def pick(self, *choices: str) -> str:
        return self.data.draw(st.sampled_from(choices))

    def key(self, number: int) -> tuple[str, str]:
        """A key as written and as meant."""
        name = f"k{number}"
        return self.data.draw(
            st.sampled_from(
                [
                    (name, name),
                    (f'"{name}"', name),
                    (f"'{name} #='", f"{name} #="),
                    (f'"{name}\\"]\\u0041"', f'{name}"]A'),
                    (f'"{name}.é"', f"{name}.é"),
                ]
            )
        )

    def leaf(self, path: Path) -> str:
        token = f"t{len(self.tokens)}t"
        self.tokens[path] = token
        return self.pick(
            f'"{token}"',
            f"'{token} # [[x]]'",
            f'"{token}\\" ]}} \\\\"',
            f'"""{token}\n[a]\nb = "" \\""" """',
            f"'''{token}\n# x\n'''''",
            f'""" {token} """""',
        )

    def inline(self, path: Path, depth: int) -> str:
        kind = self.pick("leaf", "leaf", "array", "table") if depth else "leaf"
        count = self.data.draw(st.integers(0, 3))
        if kind == "leaf":
            return self.leaf(path)
        if kind == "array":
            gap = self.pick(" ", "\n", " # ] ,\n  ", "\n\n")
            parts = [self.inline((*path, index), depth - 1) + f"{gap}," for index in range(count)]
            return f"[{gap}" + gap.join(parts) + f"{gap}]"
        pairs = []
        for number in range(count):
            written, meant = self.key(number)
            pairs.append(f"{written} = {self.inline((*path, meant), depth - 1)}")
        return "{ " + ", ".join(pairs) + " }"

    def table(self, header: str, path: Path, depth: int) -> None:
        for number in range(self.data.draw(st.integers(0, 3))):
            written, meant = self.key(number)
            if self.pick("plain", "dotted") == "dotted":
                value = self.inline((*path, meant, "in"), 2)
                self.lines.append(f"  {written} . in = {value} # note")
            else:
                self.lines.append(f"{written}={self.inline((*path, meant), 2)}")
            self.lines.extend([""] * self.data.draw(st.integers(0, 1)))
        if not depth:
            return
        for number in range(10, 10 + self.data.draw(st.integers(0, 2))):
            written, meant = self.key(number)
            inner = f"{header}.{written}" if header else written
            if self.pick("one", "many") == "one":
                self.lines.append(f"[{inner}] # table")
                self.table(inner, (*path, meant), depth - 1)
            else:
                for index in range(self.data.draw(st.integers(1, 2))):
                    self.lines.append(f"[[ {inner} ]]")
                    self.table(inner, (*path, meant, index), depth - 1)


@given(data=st.data(), ends=st.sampled_from(["\n", "\r\n"]))
def test_every_leaf_of_any_document_is_on_its_line(data: st.DataObject, ends: str) -> None:
    writer = Writer(data)
    writer.table("", (), 2)
    text = "\n".join(writer.lines).replace("\n", ends)
    found = positions(text)
    assert set(found) == paths_of(tomllib.loads(text))
    lines = text.split("\n")
    for path, token in writer.tokens.items():
        assert token in lines[found[path] - 1]
