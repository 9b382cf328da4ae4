"""On which line of a TOML text every key, table and array element stands.

tomllib checks the syntax but keeps no positions; this reads only what it accepted, so it has no error
cases of its own.
"""

from __future__ import annotations

import re
import tomllib
from bisect import bisect_right
from itertools import count

Path = tuple[str | int, ...]
"""Keys and, in arrays, indexes from the document's root: ("services", 0, "levels", 1, "name")."""

_BLANK = re.compile(r"[ \t]+")
_DOT = re.compile(r"[ \t]*\.[ \t]*")
_EQUALS = re.compile(r"[ \t]*=[ \t]*")
_BETWEEN = re.compile(r"(?:[ \t\r\n,]|#[^\n]*)+")
"""What stands between two pairs, tables or entries of a list."""
_OPENING = re.compile(r"\[\[?")
_CLOSING = re.compile(r"\]\]?")
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_BARE_VALUE = re.compile(r"[^,\]}\n#]+")
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
        self._next(_BETWEEN)
        while self.at < len(self.text):
            if opening := self._next(_OPENING):
                base = self._header(many=opening == "[[")
            else:
                self._pair(base)
            self._next(_BETWEEN)
        return self.found

    def _header(self, *, many: bool) -> Path:
        line = self._line()
        path: Path = ()
        *outer, last = self._keys()
        for key in outer:
            path = (*path, key)
            self._mark(path, line)
            if path in self.elements:  # the newest of an array of tables
                path = (*path, self.elements[path] - 1)
        path = (*path, last)
        self._mark(path, line)
        if many:
            index = self.elements.get(path, 0)
            self.elements[path] = index + 1
            path = (*path, index)
            self._mark(path, line)
        self._next(_CLOSING)
        return path

    def _pair(self, path: Path) -> None:
        line = self._line()
        for key in self._keys():
            path = (*path, key)
            self._mark(path, line)
        self._next(_EQUALS)
        self._value(path)

    def _keys(self) -> list[str]:
        self._next(_BLANK)
        keys = [self._key()]
        while self._next(_DOT):
            keys.append(self._key())
        self._next(_BLANK)
        return keys

    def _key(self) -> str:
        if bare := self._next(_BARE_KEY):
            return bare
        # The library knows the escapes; a quoted key is written like a string value.
        return str(tomllib.loads(f"key = {self._string()}")["key"])

    def _string(self) -> str:
        return next(filter(None, map(self._next, _STRINGS)))

    def _value(self, path: Path) -> None:
        if self._take("["):
            self._elements(path)
        elif self._take("{"):
            self._next(_BETWEEN)
            while not self._take("}"):
                self._pair(path)
                self._next(_BETWEEN)
        elif self.text[self.at] in "\"'":
            self._string()
        else:
            self._next(_BARE_VALUE)

    def _elements(self, path: Path) -> None:
        for index in count():
            self._next(_BETWEEN)
            if self._take("]"):
                return
            self._mark((*path, index), self._line())
            self._value((*path, index))

    def _next(self, pattern: re.Pattern[str]) -> str:
        """Go over what `pattern` matches here, and return it."""
        match = pattern.match(self.text, self.at)
        self.at += len(match[0]) if match else 0
        return match[0] if match else ""

    def _take(self, token: str) -> bool:
        found = self.text.startswith(token, self.at)
        self.at += len(token) if found else 0
        return found

    def _line(self) -> int:
        return bisect_right(self.line_starts, self.at)

    def _mark(self, path: Path, line: int) -> None:
        self.found.setdefault(path, line)
