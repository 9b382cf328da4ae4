"""Passwords on their way to the worker: sealed with a public key whose private half only the worker reads.

Sealed boxes of NaCl (X25519, XSalsa20-Poly1305): whoever has the database but not the key file cannot open them.
"""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from mission_control_tui.model.errors import StoreError
from mission_control_tui.model.input_files import SETTINGS_LIMIT, read_file
from mission_control_tui.model.store.private_files import make

if TYPE_CHECKING:
    from nacl.public import PrivateKey


def public_key(path: Path) -> bytes:
    """Return the public half of the key at `path`, which is made first where there is none (mode 0600)."""
    from nacl.public import PrivateKey

    try:
        if not path.exists():
            with suppress(FileExistsError):  # another process has made it meanwhile
                make(path, bytes(PrivateKey.generate()))
        _refuse_foreign(path)
    except OSError as error:
        raise StoreError(
            f"The worker's key cannot be made at {path}: {error.strerror}.",
            hint="Make its directory, or set worker.key_file in the settings to another place.",
        ) from error
    return bytes(_private(path).public_key)


def _refuse_foreign(path: Path) -> None:
    """Raise StoreError for a key that others may have read or put there: what is sealed with it is no secret."""
    found = path.stat()
    if found.st_uid not in (os.geteuid(), 0):
        wrong = f"belongs to another user (number {found.st_uid})"
    elif found.st_mode & 0o077:
        wrong = f"is open to others (mode {stat.S_IMODE(found.st_mode):04o})"
    else:
        return
    raise StoreError(
        f"The key at {path}, which was there before this database, {wrong}.",
        hint="Move it away, so that a new one is made; or, if it is yours and nobody has read it, run: "
        f"chmod 0600 {path}",
    )


def seal(public: bytes, password: str) -> bytes:
    """`password` so that only the worker can read it."""
    from nacl.public import PublicKey, SealedBox

    return SealedBox(PublicKey(public)).encrypt(password.encode())


def unseal(path: Path, sealed: bytes) -> str:
    """Return the password again, with the private key at `path`. Raises StoreError without a fitting key."""
    from nacl.exceptions import CryptoError
    from nacl.public import SealedBox

    try:
        return SealedBox(_private(path)).decrypt(sealed).decode()
    except CryptoError as error:
        raise StoreError(
            f"The key at {path} does not open this installation's sealed passwords.",
            hint="Restore the key file that belongs to this database, or reset the passwords.",
        ) from error


def _private(path: Path) -> PrivateKey:
    from nacl.public import PrivateKey

    try:
        return PrivateKey(read_file(path, SETTINGS_LIMIT))
    except (OSError, ValueError, TypeError) as error:
        raise StoreError(
            f"The worker's key at {path} cannot be read.",
            hint="Restore it from your backup: sealed passwords that wait for delivery need it.",
        ) from error
