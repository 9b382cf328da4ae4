"""TLS towards a back end: its certificate is always verified."""

from __future__ import annotations

import ipaddress
import ssl
from dataclasses import dataclass
from pathlib import Path

from mission_control_tui.connect.errors import ConnectorError
from mission_control_tui.model.states import ErrorKind

TLS_VERSIONS = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}


def is_this_machine(host: str) -> bool:
    """Tell whether what is sent to this host name or address goes over no network."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


@dataclass(frozen=True, slots=True)
class TlsSettings:
    """The certificates that are trusted (the system's without `ca_file`), and our own where the server asks for one.

    `setting` is where they stand in the settings, for words.
    """

    setting: str = ""
    ca_file: Path | None = None
    certificate_file: Path | None = None
    key_file: Path | None = None
    minimum: str = "1.2"

    def context(self) -> ssl.SSLContext:
        """Return what a client needs, read anew. Raises ConnectorError (config) naming the file that cannot be used."""
        try:
            context = ssl.create_default_context(cafile=self.ca_file)
        except OSError as error:
            raise self._error("ca_file", self.ca_file, error) from None
        context.minimum_version = TLS_VERSIONS[self.minimum]
        if self.certificate_file is not None:
            try:
                context.load_cert_chain(self.certificate_file, self.key_file, password=_no_password)
            except (OSError, ValueError) as error:
                raise self._error("client_certificate_file", self.certificate_file, error) from None
        return context

    def _error(self, key: str, file: Path | None, error: Exception) -> ConnectorError:
        why = getattr(error, "strerror", None) or str(error)
        place = f"{self.setting}.{key}" if self.setting else key
        return ConnectorError(
            ErrorKind.CONFIG,
            f"The certificates in {file} cannot be read: {why}",
            remedy=f"Correct {place}.",
            code="tls",
        )


def _no_password() -> str:
    """Refuse to ask at the terminal for the pass phrase of a key."""
    raise ValueError("the key has a pass phrase")
