"""Signatures as Standard Webhooks has them: HMAC-SHA256 over id, timestamp and body, by a secret of both sides."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping

from mission_control_tui.connect import ConnectorError, ErrorKind

ID, TIMESTAMP, SIGNATURE = "webhook-id", "webhook-timestamp", "webhook-signature"
PREFIX = "whsec_"
TOLERANCE = 300
"""Seconds that a message may be older or newer than our clock says."""
_SHORTEST = 24
"""Bytes of a secret."""


class Refused(Exception):
    """Raised for a message whose signature is not good, or that comes at the wrong time."""


def headers_of(secret: str, message_id: str, now: float, body: bytes) -> dict[str, str]:
    """Return the headers of a message. Raises ConnectorError (config) where the secret is none."""
    stamp = str(int(now))
    return {
        ID: message_id,
        TIMESTAMP: stamp,
        SIGNATURE: _signature(_key(secret), message_id, stamp, body),
    }


def verify(secret: str, headers: Mapping[str, str], now: float, body: bytes) -> str:
    """Return the id of a message whose signature is good and which is no older than `TOLERANCE`. Raises Refused."""
    message_id, stamp = headers.get(ID, ""), headers.get(TIMESTAMP, "")
    wanted = _signature(_key(secret), message_id, stamp, body).encode()
    found = headers.get(SIGNATURE, "").encode().split()
    if not message_id or not any(hmac.compare_digest(wanted, one) for one in found):
        raise Refused("its signature is not good")
    if not (stamp.isascii() and stamp.isdigit()) or abs(now - int(stamp)) > TOLERANCE:
        raise Refused("its timestamp is too far from now")
    return message_id


def _signature(key: bytes, message_id: str, stamp: str, body: bytes) -> str:
    told = b".".join((message_id.encode(), stamp.encode(), body))
    return "v1," + base64.b64encode(hmac.new(key, told, hashlib.sha256).digest()).decode()


def _key(secret: str) -> bytes:
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) < _SHORTEST or not secret.startswith(PREFIX):
        raise ConnectorError(
            ErrorKind.CONFIG,
            f"The secret of the signatures is none: {PREFIX} and {_SHORTEST} bytes or more in base64",
            remedy='Make one: python3 -c "import base64, os; '
            f"print('{PREFIX}' + base64.b64encode(os.urandom(32)).decode())\"",
        )
    return key
