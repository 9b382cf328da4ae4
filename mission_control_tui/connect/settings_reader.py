"""What the settings tables of all connectors have in common: mode, time limit, secrets, TLS, limits of levels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mission_control_tui.connect.declaration import Limit
from mission_control_tui.connect.secret_references import SecretReference
from mission_control_tui.connect.table_reader import TableReader
from mission_control_tui.connect.tls import TLS_VERSIONS, TlsSettings
from mission_control_tui.model.errors import InvalidInput, Problem

COMMON_KEYS = frozenset({"type", "mode", "adopt", "timeout", "concurrency", "rate_per_second"})
"""Keys that every connector's table may have; the worker reads them."""

OBSERVE = "observe"
ENABLED = "enabled"
MODES = (OBSERVE, ENABLED)
REFUSE = "refuse"
ALLOW = "allow"
CONSENTS = (REFUSE, ALLOW)
"""What `adopt` may be: whether objects that carry no mark of ours may be taken over."""
DEFAULT_TIMEOUT = 30.0
SECRET_FORMS = ("file", "env", "credential")


@dataclass(frozen=True, slots=True)
class LevelLimits:
    """Limits that the settings give to levels, which win over the catalogue's."""

    levels: Mapping[str, Mapping[str, object]]

    def of(self, level: str, granted: Mapping[str, object]) -> dict[str, object]:
        """Return the limits of a level: those that the catalogue grants, and the settings' instead of them."""
        return {**granted, **self.levels.get(level, {})}


class SettingsReader(TableReader):
    """Reads the settings table of the connector `name`; `finish` raises every problem at once."""

    __slots__ = ("name", "secrets")

    def __init__(
        self,
        name: str,
        table: Mapping[str, object],
        secrets: list[SecretReference] | None = None,
    ) -> None:
        super().__init__(f"connectors.{name}", table, known=set(COMMON_KEYS))
        self.name = name
        self.secrets = secrets if secrets is not None else []

    def mode(self, default: str) -> str:
        """Return "enabled" when the connector may write, else "observe"."""
        return self.choice("mode", MODES, default)

    def secret(self, key: str, *, whole_file: bool = False) -> SecretReference | None:
        """Return the secret that `KEY_file`, `KEY_env` or `KEY_credential` refers to; None when none is there.

        Of a file the first line counts, or with `whole_file` all of it: keys in PEM, JSON. The secret itself in the
        settings file is refused.
        """
        in_file, in_environment, as_credential = (f"{key}_{form}" for form in SECRET_FORMS)
        file, variable = self.file(in_file), self.text(in_environment, "")
        credential = self.text(as_credential, "")
        if key in self.table:
            self.known.add(key)
            self.note(
                key,
                "a secret does not belong in the settings",
                f"name a file with {in_file}, an environment variable with {in_environment}, "
                f"or a credential of systemd with {as_credential}",
            )
        if "/" in credential or credential in {".", ".."}:
            self.note(as_credential, "is the name of a credential, without a directory")
        named = [
            name
            for name, value in (
                (in_file, file),
                (in_environment, variable),
                (as_credential, credential),
            )
            if value
        ]
        if len(named) > 1:
            self.note(named[0], f"cannot stand beside {', '.join(named[1:])}", "keep one of them")
        if not named:
            return None
        reference = SecretReference(
            f"{self.where}.{named[0]}", file, variable, credential, whole_file
        )
        self.secrets.append(reference)
        return reference

    def tls(self) -> TlsSettings:
        """Return the TLS settings: `ca_file`, `client_certificate_file`, `client_key_file`, `tls_minimum`."""
        certificate, key = self.file("client_certificate_file"), self.file("client_key_file")
        if key is not None:
            if certificate is None:
                self.note("client_key_file", "needs client_certificate_file beside it")
            self.secrets.append(SecretReference(f"{self.where}.client_key_file", key, whole=True))
        return TlsSettings(
            self.where,
            self.file("ca_file"),
            certificate,
            key,
            self.choice("tls_minimum", tuple(TLS_VERSIONS), "1.2"),
        )

    def level_limits(self, limits: Mapping[str, Limit]) -> LevelLimits:
        """Return the limits that `levels.LEVEL.LIMIT` gives, of those in `limits`."""
        found: dict[str, dict[str, object]] = {}
        for level, table in self.mapping("levels").items():
            if not isinstance(table, Mapping):
                example = next(iter(limits), "LIMIT")
                self.note(f"levels.{level}", f"must be a table such as {{{example} = 20}}")
                continue
            inner = TableReader(f"{self.where}.levels.{level}", table, self.problems)
            found[level] = {key: inner.limit(key, limits[key]) for key in table if key in limits}
            inner.known |= limits.keys()
            inner.note_unknown_keys()
        return LevelLimits(found)

    def finish(self) -> None:
        """Raise InvalidInput with every problem noted, unknown keys included; else return."""
        self.mode(OBSERVE)
        self.choice("adopt", CONSENTS, REFUSE)
        self.note_unknown_keys()
        self.raise_problems()

    def raise_problems(self) -> None:
        """Raise InvalidInput with every problem noted so far; else return."""
        if self.problems:
            raise InvalidInput(
                f"The settings of connector {self.name} cannot be used",
                problems=_each_once(self.problems),
            )


def _each_once(problems: Sequence[Problem]) -> list[Problem]:
    return list(dict.fromkeys(problems))


def call_timeout(name: str, table: Mapping[str, object]) -> float:
    """Return the hard limit of one call in seconds, from the table's `timeout`. Raises InvalidInput."""
    reader = SettingsReader(name, table)
    seconds = reader.number("timeout", DEFAULT_TIMEOUT, 0.1, 3600)
    reader.raise_problems()
    return seconds
