"""Passwords as Dovecot checks them."""

from __future__ import annotations

PASSES = 2
MEMORY_BYTES = 19 * 1024 * 1024
"""What OWASP recommends for Argon2id; Dovecot's auth process needs as much for each login."""


def argon2id(password: str) -> str:
    """Return the password's hash with its scheme, "{ARGON2ID}$argon2id$...": it takes a few hundredths of a second."""
    from nacl.pwhash import argon2id as hashing

    made = hashing.str(password.encode(), opslimit=PASSES, memlimit=MEMORY_BYTES)
    return "{ARGON2ID}" + made.decode("ascii").rstrip("\0")
