"""Reading a connector's settings table: every problem at once, secrets by reference only."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path

from mission_control_tui.model.errors import InvalidInput, Problem
from mission_control_tui.model.states import ErrorKind
from mission_control_tui.provisioning.connectors.base import ConnectorError

COMMON_KEYS = frozenset({"type", "timeout", "concurrency", "rate_per_second"})
"""Keys that every connector's table may have; the last two are the worker's."""

OBSERVE = "observe"
ENABLED = "enabled"
MODES = (OBSERVE, ENABLED)
DEFAULT_TIMEOUT = 30.0

_SECRET_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class SecretReference:
    """Where a secret is kept: a file (its first line) or an environment variable; never the secret.

    It is read anew for each connection, so that replacing the file is all that a rotation takes.
    """

    setting: str
    file: Path | None = None
    variable: str | None = None

    def read(self) -> str:
        """The secret; raises ConnectorError (config) when it cannot be read or is empty."""
        try:
            secret = self._stored()
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or type(error).__name__
            raise self._error(f"{self._where()} cannot be read: {reason}") from None
        if not secret:
            raise self._error(f"{self._where()} is empty or not set")
        return secret

    def _stored(self) -> str:
        if self.file is None:
            return os.environ.get(self.variable or "", "")
        with self.file.open("rb") as opened:
            return opened.read(_SECRET_BYTES).decode("utf-8").partition("\n")[0].rstrip("\r")

    def _where(self) -> str:
        if self.file is not None:
            return f"The file {self.file}"
        return f"The environment variable {self.variable}"

    def _error(self, said: str) -> ConnectorError:
        return ConnectorError(
            ErrorKind.CONFIG, said, remedy=f"Write the secret there, or change {self.setting}."
        )


@dataclass(slots=True)
class SettingsReader:
    """Reads one connector's table; each method returns a usable value and notes what is wrong.

    `finish` raises InvalidInput with all that was noted, unknown keys included.
    """

    name: str
    table: Mapping[str, object]
    problems: list[Problem] = field(default_factory=list)
    _known: set[str] = field(default_factory=lambda: set(COMMON_KEYS))

    def where(self, key: str) -> str:
        """The full name of a setting, as people write it."""
        return f"connectors.{self.name}.{key}"

    def text(self, key: str, default: str | None = None) -> str:
        """A text; compulsory without a default."""
        value = self._value(key, default)
        if isinstance(value, str) and (value or default == ""):
            return value
        if key in self.table:
            self._note(key, "must be a text that is not empty")
        return default or ""

    def integer(self, key: str, default: int | None, low: int, high: int) -> int:
        """A whole number from `low` to `high`; compulsory when the default is None."""
        value = _number(self._value(key, default))
        if isinstance(value, int) and not isinstance(value, bool) and low <= value <= high:
            return value
        if key in self.table:
            self._note(key, f"must be a whole number from {low} to {high}")
        return low if default is None else default

    def seconds(self, key: str, default: float, high: float = 3600.0) -> float:
        """A number of seconds above 0, at most `high`."""
        value = _number(self._value(key, default))
        if isinstance(value, (int, float)) and not isinstance(value, bool) and 0 < value <= high:
            return float(value)
        self._note(key, f"must be a number of seconds above 0, at most {high:g}")
        return default

    def choice(self, key: str, choices: Collection[str], default: str) -> str:
        """One of `choices`."""
        value = self._value(key, default)
        if isinstance(value, str) and value in choices:
            return value
        self._note(key, "must be one of " + ", ".join(choices))
        return default

    def texts(self, key: str, default: tuple[str, ...]) -> tuple[str, ...]:
        """A list of texts."""
        value = self._value(key, default)
        if isinstance(value, (list, tuple)) and all(isinstance(item, str) for item in value):
            return tuple(str(item) for item in value)
        self._note(key, "must be a list of texts")
        return default

    def path(self, key: str, default: Path | None = None) -> Path | None:
        """A path, `~` expanded; it need not exist."""
        value = self._value(key, str(default) if default is not None else "")
        if isinstance(value, str) and (value or key not in self.table):
            return Path(value).expanduser() if value else None
        self._note(key, "must be the path of a file")
        return default

    def mapping(self, key: str) -> Mapping[str, object]:
        """A table; empty when it is not there."""
        value = self._value(key, {})
        if isinstance(value, Mapping):
            return value
        self._note(key, "must be a table")
        return {}

    def mode(self, default: str) -> str:
        """Whether the connector may write: "observe" or "enabled"."""
        return self.choice("mode", MODES, default)

    def secret(self, key: str) -> SecretReference | None:
        """The secret that `KEY_file` or `KEY_env` refers to; None when neither is there.

        The secret itself in the settings file is refused.
        """
        in_file, in_environment = f"{key}_file", f"{key}_env"
        self._known |= {key, in_file, in_environment}
        if key in self.table:
            self._note(
                key,
                "a secret does not belong in the settings file",
                f"name a file with {in_file}, or an environment variable with {in_environment}",
            )
        if in_file in self.table and in_environment in self.table:
            self._note(in_file, f"cannot stand beside {in_environment}", "keep one of them")
        if in_file in self.table:
            file = self.path(in_file)
            return SecretReference(self.where(in_file), file=file) if file else None
        if in_environment in self.table:
            variable = self.text(in_environment)
            return SecretReference(self.where(in_environment), variable=variable)
        return None

    def note(self, key: str, what: str, hint: str = "") -> None:
        """Add a problem that only the connector can see."""
        self._note(key, what, hint)

    def finish(self) -> None:
        """Raise InvalidInput with every problem noted, unknown keys included; else return."""
        for key in self.table:
            if key not in self._known:
                close = get_close_matches(key, self._known, n=1)
                hint = f"did you mean {close[0]}?" if close else "remove it"
                self._note(key, "is no setting of this connector", hint)
        if self.problems:
            raise InvalidInput(
                f"The settings of connector {self.name} cannot be used", problems=self.problems
            )

    def _value(self, key: str, default: object) -> object:
        self._known.add(key)
        if key not in self.table and default is None:
            self._note(key, "is missing")
        return self.table.get(key, default)

    def _note(self, key: str, what: str, hint: str = "") -> None:
        self.problems.append(Problem(self.where(key), what, hint))


def _number(value: object) -> object:
    # An environment variable that overrides the file is always a text.
    if isinstance(value, str):
        for kind in (int, float):
            try:
                return kind(value)
            except ValueError:
                continue
    return value


def call_timeout(name: str, table: Mapping[str, object]) -> float:
    """The hard limit of one call in seconds, from the table's `timeout`; raises InvalidInput."""
    reader = SettingsReader(name, table)
    seconds = reader.seconds("timeout", DEFAULT_TIMEOUT)
    if reader.problems:
        raise InvalidInput(
            f"The settings of connector {name} cannot be used", problems=reader.problems
        )
    return seconds
