"""What the settings tables of all connectors have in common: mode, time limit, secrets by reference."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from mission_control_tui.model.errors import InvalidInput
from mission_control_tui.model.input_files import read_file
from mission_control_tui.model.states import ErrorKind
from mission_control_tui.provisioning.connectors.base import ConnectorError
from mission_control_tui.provisioning.connectors.table_reader import TableReader

log = logging.getLogger(__name__)

COMMON_KEYS = frozenset({"type", "timeout", "concurrency", "rate_per_second"})
"""Keys that every connector's table may have; the worker reads them."""

OBSERVE = "observe"
ENABLED = "enabled"
MODES = (OBSERVE, ENABLED)
DEFAULT_TIMEOUT = 30.0

_SECRET_BYTES = 64 * 1024
_SETTLED_SECONDS = 0.3
"""A file without an end of line that was changed a shorter time ago may still be written."""
KEPT_SECONDS = 60.0
"""For so long a secret that was read is used while its file is gone, empty or cannot be read."""


@dataclass(slots=True)
class _LastSecret:
    secret: str = ""
    missed_at: float | None = None

    def kept(self) -> str:
        """Return the secret that was read last, "" where it has been missed for too long."""
        now = time.monotonic()
        if self.missed_at is None:
            self.missed_at = now
            if self.secret:
                log.warning("a secret cannot be read; for a while what was read last is used")
        return self.secret if now - self.missed_at <= KEPT_SECONDS else ""


@dataclass(frozen=True, slots=True)
class SecretReference:
    """The place of a secret: a file (its first line) or an environment variable; never the secret itself.

    It is read anew for each connection, so that replacing the file is all that a rotation takes. A file that is gone,
    empty or unreadable for a moment, as while it is replaced, leaves what was read last in use.
    """

    setting: str
    file: Path | None = None
    variable: str = ""
    _last: _LastSecret = field(default_factory=_LastSecret, init=False, repr=False, compare=False)

    def read(self) -> str:
        """Return the secret, after a short wait while its file is being written.

        Raises ConnectorError (config) when it cannot be read or is empty.
        """
        try:
            secret = self._read()
        except ConnectorError:
            if kept := self._last.kept():
                return kept
            raise
        self._last.secret, self._last.missed_at = secret, None
        return secret

    def _read(self) -> str:
        where = f"The environment variable {self.variable}" if self.variable else f"{self.file}"
        try:
            secret = self._stored()
        except OSError as error:
            raise self._error(f"{where} cannot be read: {error.strerror}") from None
        except UnicodeDecodeError:
            raise self._error(f"{where} is not UTF-8 text") from None
        if not secret:
            raise self._error(f"{where} is empty or not set")
        return secret

    def _stored(self) -> str:
        if self.file is None:
            return os.environ.get(self.variable, "")
        stored = read_file(self.file, _SECRET_BYTES)
        while (
            b"\n" not in stored and 0 <= time.time() - self.file.stat().st_mtime < _SETTLED_SECONDS
        ):
            time.sleep(0.05)
            stored = read_file(self.file, _SECRET_BYTES)
        return stored.decode("utf-8").partition("\n")[0].rstrip("\r")

    def _error(self, said: str) -> ConnectorError:
        return ConnectorError(
            ErrorKind.CONFIG, said, remedy=f"Write the secret there, or change {self.setting}."
        )


class SettingsReader(TableReader):
    """Reads the settings table of the connector `name`; `finish` raises every problem at once."""

    __slots__ = ("name",)

    def __init__(self, name: str, table: Mapping[str, object]) -> None:
        super().__init__(f"connectors.{name}", table, known=set(COMMON_KEYS))
        self.name = name

    def mode(self, default: str) -> str:
        """Return "enabled" when the connector may write, else "observe"."""
        return self.choice("mode", MODES, default)

    def secret(self, key: str) -> SecretReference | None:
        """Return the secret that `KEY_file` or `KEY_env` refers to; None when neither is there.

        The secret itself in the settings file is refused.
        """
        in_file, in_environment = f"{key}_file", f"{key}_env"
        file, variable = self.path(in_file), self.text(in_environment, "")
        if key in self.table:
            self.known.add(key)
            self.note(
                key,
                "a secret does not belong in the settings",
                f"name a file with {in_file}, or an environment variable with {in_environment}",
            )
        if file and variable:
            self.note(in_file, f"cannot stand beside {in_environment}", "keep one of them")
        if file:
            return SecretReference(f"{self.where}.{in_file}", file=file)
        if variable:
            return SecretReference(f"{self.where}.{in_environment}", variable=variable)
        return None

    def finish(self) -> None:
        """Raise InvalidInput with every problem noted, unknown keys included; else return."""
        self.note_unknown_keys()
        self.raise_problems()

    def raise_problems(self) -> None:
        """Raise InvalidInput with every problem noted so far; else return."""
        if self.problems:
            raise InvalidInput(
                f"The settings of connector {self.name} cannot be used", problems=self.problems
            )


def call_timeout(name: str, table: Mapping[str, object]) -> float:
    """Return the hard limit of one call in seconds, from the table's `timeout`. Raises InvalidInput."""
    reader = SettingsReader(name, table)
    seconds = reader.number("timeout", DEFAULT_TIMEOUT, 0.1, 3600)
    reader.raise_problems()
    return seconds
