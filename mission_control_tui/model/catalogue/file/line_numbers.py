"""On which line of a TOML text every key, table and array element stands.

tomllib checks the syntax but keeps no positions; this reads only what it accepted, so it has no error
cases of its own.
"""

from __future__ import annotations

import re
import tomllib
from bisect import bisect_right

Path = tuple[str | int, ...]
"""Keys and, in arrays, indexes from the document's root: ("services", 0, "levels", 1, "name")."""

_BLANK = re.compile(r"[ \t]*")
_BLANK_LINES = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_BARE_VALUE = re.compile(r"[^,\]}\n#]*")
_STRINGS = [
    re.compile(r'"""(?:\\.|[^\\])*?"{3,5}', re.DOTALL),
    re.compile(r"'''.*?'{3,5}", re.DOTALL),
    re.compile(r'"(?:\\.|[^"\\\n])*"'),
    re.compile(r"'[^'\n]*'"),
]


def positions(text: str) -> dict[Path, int]:
    """Path -> line, counted from 1, of everything in `text`, which must be valid TOML.

    A table that is written in several places has the line where it first appears.
    """
    return _Scanner(text).scan()


class _Scanner:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.found: dict[Path, int] = {(): 1}
        self.elements: dict[Path, int] = {}  # arrays of tables: how many so far
        self.line_starts = [0, *(match.end() for match in re.finditer("\n", text))]

    def scan(self) -> dict[Path, int]:
        base: Path = ()
        self._skip(_BLANK_LINES)
        while self.at < len(self.text):
            if self._take("[["):
                base = self._header(many=True)
            elif self._take("["):
                base = self._header(many=False)
            else:
                self._pair(base)
            self._skip(_BLANK_LINES)
        return self.found

    def _header(self, *, many: bool) -> Path:
        line = self._line()
        path: Path = ()
        keys = self._keys()
        for key in keys[:-1]:
            path = self._inside((*path, key), line)
        path = (*path, keys[-1])
        if many:
            self._mark(path, line)
            index = self.elements.get(path, 0)
            self.elements[path] = index + 1
            path = (*path, index)
        self._mark(path, line)
        self._take("]]" if many else "]")
        return path

    def _inside(self, path: Path, line: int) -> Path:
        """`path`, or its newest element where it is an array of tables."""
        self._mark(path, line)
        count = self.elements.get(path)
        return path if count is None else (*path, count - 1)

    def _pair(self, base: Path) -> None:
        line = self._line()
        path = base
        for key in self._keys():
            path = (*path, key)
            self._mark(path, line)
        self._skip(_BLANK)
        self._take("=")
        self._skip(_BLANK)
        self._value(path)

    def _keys(self) -> list[str]:
        keys: list[str] = []
        while True:
            self._skip(_BLANK)
            keys.append(self._key())
            self._skip(_BLANK)
            if not self._take("."):
                return keys

    def _key(self) -> str:
        bare = _BARE_KEY.match(self.text, self.at)
        if bare is not None:
            self.at = bare.end()
            return bare[0]
        quoted = self._string()
        # The library knows the escapes; a quoted key is written like a string value.
        return str(tomllib.loads(f"key = {quoted}")["key"])

    def _string(self) -> str:
        for pattern in _STRINGS:
            match = pattern.match(self.text, self.at)
            if match is not None:
                self.at = match.end()
                return match[0]
        raise ValueError(f"line {self._line()}: no string here")

    def _value(self, path: Path) -> None:
        if self._take("["):
            self._elements(path)
        elif self._take("{"):
            self._inline(path)
        elif self.text[self.at] in "\"'":
            self._string()
        else:
            self._skip(_BARE_VALUE)

    def _elements(self, path: Path) -> None:
        index = 0
        self._skip(_BLANK_LINES)
        while not self._take("]"):
            element = (*path, index)
            self._mark(element, self._line())
            self._value(element)
            index += 1
            self._separator()

    def _inline(self, path: Path) -> None:
        self._skip(_BLANK_LINES)
        while not self._take("}"):
            self._pair(path)
            self._separator()

    def _separator(self) -> None:
        self._skip(_BLANK_LINES)
        self._take(",")
        self._skip(_BLANK_LINES)

    def _skip(self, pattern: re.Pattern[str]) -> None:
        match = pattern.match(self.text, self.at)
        if match is not None:
            self.at = match.end()

    def _take(self, token: str) -> bool:
        if self.text.startswith(token, self.at):
            self.at += len(token)
            return True
        return False

    def _line(self) -> int:
        return bisect_right(self.line_starts, self.at)

    def _mark(self, path: Path, line: int) -> None:
        self.found.setdefault(path, line)
