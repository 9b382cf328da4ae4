"""Secrets by reference: a file, a variable of the environment, or a credential of systemd."""

from __future__ import annotations

import logging
import os
import stat
import time
from dataclasses import dataclass, field
from pathlib import Path

from mission_control_tui.connect.errors import ConnectorError
from mission_control_tui.model.input_files import read_file
from mission_control_tui.model.states import ErrorKind

log = logging.getLogger(__name__)

CREDENTIALS = "CREDENTIALS_DIRECTORY"
"""The variable in which systemd names the directory of a unit's credentials."""

_SECRET_BYTES = 64 * 1024
_SETTLED_SECONDS = 0.3
"""A file without an end of line that was changed a shorter time ago may still be written."""
KEPT_SECONDS = 60.0
"""For so long a secret that was read is used while its file is gone, empty or cannot be read."""


@dataclass(slots=True)
class _LastSecret:
    secret: str = ""
    before: str = ""
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
    """The place of a secret; never the secret itself.

    A file (its first line, or with `whole` all of it), an environment variable, or the name of a systemd credential. It
    is read anew for each connection, so that replacing the file is all that a rotation takes. A file that is gone,
    empty or unreadable for a moment, as while it is replaced, leaves what was read last in use.
    """

    setting: str
    file: Path | None = None
    variable: str = ""
    credential: str = ""
    whole: bool = False
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
        last = self._last
        if secret != last.secret:
            last.before = last.secret
        last.secret, last.missed_at = secret, None
        return secret

    @property
    def known(self) -> tuple[str, ...]:
        """What was read so far: the secret in use, and the one that it took the place of. For hiding them in words."""
        return tuple(filter(None, (self._last.secret, self._last.before)))

    def _read(self) -> str:
        where = self._where
        try:
            secret = self._stored()
        except OSError as error:
            raise self._error(f"{where} cannot be read: {error.strerror}") from None
        except UnicodeDecodeError:
            raise self._error(f"{where} is not UTF-8 text") from None
        if not secret.strip():
            raise self._error(f"{where} is empty or not set")
        return secret

    @property
    def path(self) -> Path | None:
        """The file that it is read from; None for a variable, and for a credential outside of a unit."""
        if not self.credential:
            return self.file
        directory = os.environ.get(CREDENTIALS, "")
        return Path(directory) / self.credential if directory else None

    @property
    def exposure(self) -> str:
        """Why the file is not private enough, for people; "" when it is, or when there is none."""
        path = self.path
        try:
            mode = path.stat().st_mode if path is not None else 0
        except OSError:
            return ""
        if mode & (stat.S_IROTH | stat.S_IWOTH | stat.S_IWGRP):
            may = "read" if mode & stat.S_IROTH else "changed"
            return (
                f"{path} can be {may} by others on this machine (mode {stat.S_IMODE(mode):04o}):"
                f" chmod o=,g-w {path}"
            )
        return ""

    @property
    def _where(self) -> str:
        if self.variable:
            return f"The environment variable {self.variable}"
        return f"The credential {self.credential}" if self.credential else f"{self.file}"

    def _stored(self) -> str:
        if self.variable:
            return os.environ.get(self.variable, "")
        path = self.path
        if path is None:
            raise self._error(
                f"{self._where} is not there: the worker was not started by systemd with it"
            )
        stored = read_file(path, _SECRET_BYTES)
        while b"\n" not in stored and 0 <= time.time() - path.stat().st_mtime < _SETTLED_SECONDS:
            time.sleep(0.05)
            stored = read_file(path, _SECRET_BYTES)
        text = stored.decode("utf-8")
        return text if self.whole else text.partition("\n")[0].rstrip("\r")

    def _error(self, said: str) -> ConnectorError:
        return ConnectorError(
            ErrorKind.CONFIG, said, remedy=f"Write the secret there, or change {self.setting}."
        )
