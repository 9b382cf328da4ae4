"""What the settings tables of all connectors have in common: mode, time limit, secrets by reference."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from mission_control_tui.model.errors import InvalidInput
from mission_control_tui.model.input_files import read_file
from mission_control_tui.model.states import ErrorKind
from mission_control_tui.provisioning.connectors.base import ConnectorError
from mission_control_tui.provisioning.connectors.table_reader import TableReader

COMMON_KEYS = frozenset({"type", "timeout", "concurrency", "rate_per_second"})
"""Keys that every connector's table may have; the worker reads them."""

OBSERVE = "observe"
ENABLED = "enabled"
MODES = (OBSERVE, ENABLED)
DEFAULT_TIMEOUT = 30.0

_SECRET_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class SecretReference:
    """The place of a secret: a file (its first line) or an environment variable; never the secret itself.

    It is read anew for each connection, so that replacing the file is all that a rotation takes.
    """

    setting: str
    file: Path | None = None
    variable: str = ""

    def read(self) -> str:
        """Return the secret. Raises ConnectorError (config) when it cannot be read or is empty."""
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
