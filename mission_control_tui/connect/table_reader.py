"""Reading one table of a TOML file: usable values at once, and every problem noted for later."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path

from mission_control_tui.connect.declaration import Limit
from mission_control_tui.model.errors import Problem
from mission_control_tui.model.text.network_addresses import (
    HIGHEST_PORT,
    LOWEST_PORT,
    host_problem,
    url_problem,
)


@dataclass(slots=True)
class TableReader:
    """Reads `table`, whose place in its file `where` names.

    Each method returns the key's value, or its default where the key is missing or wrong; a wrong
    value is noted in `problems`. Numbers may be written as texts, as environment variables are.
    """

    where: str
    table: Mapping[str, object]
    problems: list[Problem] = field(default_factory=list)
    known: set[str] = field(default_factory=set)

    def has(self, key: str) -> bool:
        """Return True when the key is there."""
        self.known.add(key)
        return key in self.table

    def text(self, key: str, default: str | None = None) -> str:
        """Return a text that is not empty; compulsory when the default is None."""
        value = self._value(key, default)
        if isinstance(value, str) and value:
            return value
        if key in self.table:
            self.note(key, "must be a text that is not empty")
        elif default is None:
            self.note(key, "is missing")
        return default or ""

    def integer(self, key: str, default: int, low: int, high: int) -> int:
        """Return a whole number from `low` to `high`."""
        value = _number(self._value(key, default))
        if isinstance(value, int) and not isinstance(value, bool) and low <= value <= high:
            return value
        self.note(key, f"must be a whole number from {low} to {high}")
        return default

    def host(self, key: str, default: str | None = None, *, socket: bool = False) -> str:
        """Return the name or address of a host, or with `socket` also the path of a socket on this machine."""
        value = self.text(key, default)
        if value and not (socket and value.startswith("/")) and (problem := host_problem(value)):
            self.note(key, problem)
        return value

    def port(self, key: str, default: int) -> int:
        """Return the number of a port."""
        return self.integer(key, default, LOWEST_PORT, HIGHEST_PORT)

    def url(self, key: str, default: str | None = None, *, example: str) -> str:
        """Return the address of a web service, such as `example`: http or https, with a host and without a user."""
        value = self.text(key, default)
        if value and (problem := url_problem(value, example)):
            self.note(key, problem)
        return value

    def number(self, key: str, default: float, low: float, high: float) -> float:
        """Return a number from `low` to `high`."""
        value = _number(self._value(key, default))
        if isinstance(value, (int, float)) and not isinstance(value, bool) and low <= value <= high:
            return float(value)
        self.note(key, f"must be a number from {low:g} to {high:g}")
        return default

    def limit(self, key: str, limit: Limit) -> object:
        """Return the value of a level's limit; numbers as numbers. None where it is wrong."""
        value = _number(self._value(key, None))
        if limit.takes(value):
            return value
        bounds = (
            f" from {limit.low:g}" if limit.low is not None else "",
            f" to {limit.high:g}" if limit.high is not None else "",
        )
        self.note(key, "must be a number" + "".join(bounds))
        return None

    def flag(self, key: str, default: bool) -> bool:
        """Return true or false."""
        value = self._value(key, default)
        if isinstance(value, bool):
            return value
        self.note(key, "must be true or false")
        return default

    def choice(self, key: str, choices: Collection[str], default: str) -> str:
        """Return one of `choices`."""
        value = self._value(key, default)
        if isinstance(value, str) and (value in choices or key not in self.table):
            return value
        self.note(key, "must be one of " + ", ".join(choices))
        return default

    def texts(self, key: str, default: tuple[str, ...] = ()) -> tuple[str, ...]:
        """Return a list of texts."""
        value = self._value(key, default)
        if isinstance(value, (list, tuple)) and all(isinstance(item, str) for item in value):
            return tuple(str(item) for item in value)
        self.note(key, "must be a list of texts")
        return default

    def path(self, key: str) -> Path | None:
        """Return a path, `~` expanded; it need not exist. None where there is none."""
        value = self.text(key, "")
        return Path(value).expanduser() if value else None

    def file(self, key: str) -> Path | None:
        """Return the path of a file, as `path` does; a directory in its place is noted."""
        path = self.path(key)
        if path is not None and path.is_dir():
            self.note(key, f"{path} is a directory, and has to be a file")
        return path

    def mapping(self, key: str) -> Mapping[str, object]:
        """Return a table within the table; empty where there is none."""
        value = self._value(key, {})
        if isinstance(value, Mapping):
            return value
        self.note(key, "must be a table")
        return {}

    def mappings(self, key: str) -> tuple[Mapping[str, object], ...]:
        """Return a list of tables; empty where there is none."""
        value = self._value(key, ())
        if isinstance(value, (list, tuple)) and all(isinstance(item, Mapping) for item in value):
            return tuple(value)
        self.note(key, f"must be tables written [[{key}]]")
        return ()

    def note(self, key: str, what: str, hint: str = "") -> None:
        """Add a problem with the key `key`."""
        place = f"{self.where}.{key}" if self.where else key
        self.problems.append(Problem(place, what, hint))

    def note_unknown_keys(self) -> None:
        """Add a problem for each key that no method asked for."""
        for key in self.table:
            if key not in self.known:
                close = get_close_matches(key, self.known, n=1)
                known = ", ".join(sorted(self.known))
                hint = f"did you mean {close[0]}?" if close else f"there are: {known}"
                self.note(key, "is no key that is known here", hint)

    def _value(self, key: str, default: object) -> object:
        self.known.add(key)
        return self.table.get(key, default)


def _number(value: object) -> object:
    if isinstance(value, str):
        for kind in (int, float):
            try:
                return kind(value)
            except ValueError:
                continue
    return value
