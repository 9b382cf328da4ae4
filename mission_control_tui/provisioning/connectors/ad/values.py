"""How Active Directory writes names, times, flags and passwords."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta

from ldap3.core.exceptions import LDAPInvalidDnError
from ldap3.utils.conv import escape_filter_chars
from ldap3.utils.dn import escape_rdn, parse_dn

DISABLED = 0x2
PASSWORD_NOT_REQUIRED = 0x20
NORMAL = 0x200
PASSWORD_NEVER_EXPIRES = 0x10000
"""Bits of userAccountControl."""

NEVER = 0x7FFFFFFFFFFFFFFF
"""accountExpires of an account that does not; so is 0."""

MAX_NAME_LENGTH = 20
_FORBIDDEN = frozenset('"/\\[]:;|=,+*?<>@')
_EPOCH = datetime(1601, 1, 1, tzinfo=UTC)


def name_problem(name: str) -> str:
    """Return why `name` cannot be the sAMAccountName of a user, or an empty text."""
    if not name:
        return "the name is empty"
    if len(name) > MAX_NAME_LENGTH:
        return f"the name has {len(name)} characters; Active Directory takes {MAX_NAME_LENGTH}"
    wrong = sorted({one for one in name if one in _FORBIDDEN or not one.isprintable()})
    if wrong:
        return f"the name has {' '.join(map(ascii, wrong))}, which Active Directory refuses"
    if name != name.strip() or name.endswith(".") or not name.strip(". 0123456789"):
        return "the name begins or ends with a space, ends with a dot, or has digits alone"
    return ""


def dn_problem(text: str) -> str:
    """Return why `text` is no distinguished name, or an empty text."""
    try:
        parse_dn(text, strip=True)
    except LDAPInvalidDnError:
        return "must be a distinguished name such as OU=Customers,DC=corp,DC=example"
    return ""


def dn_key(text: str) -> str:
    """Return a distinguished name as it is compared: without spaces beside its commas, in one case, escapes alike."""
    return "\0".join(
        f"{kind}={_unescaped(value)}{'+' if separator == '+' else ''}".casefold()
        for kind, value, separator in parse_dn(text, strip=True)
    )


def _unescaped(value: str) -> str:
    """Return a value as bytes are: servers write the same one as `\\,` and as `\\2C`."""
    found, rest = bytearray(), value.encode()
    while rest:
        if rest[:1] != b"\\":
            found += rest[:1]
            rest = rest[1:]
        elif len(rest) > 2 and all(digit in b"0123456789abcdefABCDEF" for digit in rest[1:3]):
            found.append(int(rest[1:3], 16))
            rest = rest[3:]
        else:
            found += rest[1:2]
            rest = rest[2:]
    return found.decode(errors="surrogateescape")


def is_in(dn: str, ancestor: str) -> bool:
    """Tell whether an entry lies below another, or is it; nothing lies below an empty name."""
    return bool(ancestor) and f"\0{dn_key(dn)}".endswith(f"\0{dn_key(ancestor)}")


def parent_of(dn: str) -> str:
    """Return the distinguished name of what an entry lies in."""
    return ",".join(f"{kind}={value}" for kind, value, _ in parse_dn(dn, strip=True)[1:])


def escaped(value: str) -> str:
    """Return a value as it stands in a distinguished name."""
    return str(escape_rdn(value))


def in_filter(value: str) -> str:
    """Return a value as a search filter takes it."""
    return str(escape_filter_chars(value))


def guid_text(raw: bytes) -> str:
    """Return an objectGUID as people write it."""
    return str(uuid.UUID(bytes_le=raw))


def guid_filter(text: str) -> str:
    """Return the filter for an objectGUID; empty for a text that is none."""
    try:
        raw = uuid.UUID(text).bytes_le
    except ValueError:
        return ""
    return "(objectGUID=" + "".join(f"\\{byte:02x}" for byte in raw) + ")"


def password_value(password: str) -> bytes:
    """Return a password as unicodePwd takes it."""
    return f'"{password}"'.encode("utf-16-le")


def expiry_value(moment: str) -> str:
    """Return the value of accountExpires for an ISO time with its zone, "" for never."""
    if not moment:
        return str(NEVER)
    since = datetime.fromisoformat(moment).astimezone(UTC) - _EPOCH
    return str(since // timedelta(microseconds=1) * 10)


def expiry_text(value: int) -> str:
    """Return the moment of an accountExpires as ISO time, "" for never."""
    if value in (0, NEVER):
        return ""
    try:
        moment = _EPOCH + timedelta(microseconds=value // 10)
    except OverflowError:
        return ""
    return moment.isoformat(timespec="seconds")
