"""UPNs and domain names: what is valid, and the keys by which they are compared."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from functools import lru_cache

from mission_control_tui.model.errors import InvalidInput, Problem
from mission_control_tui.model.text.characters import in_words
from mission_control_tui.model.text.clean import harmless

LOCAL_LIMIT = 64
"""Octets in the local part (RFC 5321, 4.5.3.1.1)."""

DOMAIN_LIMIT = 253
"""Octets in a domain name, in its ASCII form (RFC 1035, without the root's dot)."""

SPECIAL = "!$%&*/?`{|}"
"""What RFC 5322 allows in a local part and mail systems, shells or file names take for something else."""

_PLAIN = re.compile(r"[A-Za-z0-9.\-_+'#=^~]")
_LABEL = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)")
_DOMAINS_NAMED = 5


@lru_cache(maxsize=4096)
def domain_key(domain: str) -> str:
    """Return the form in which domains are stored and compared: lower case, ASCII (IDNA 2008), no final dot.

    Raises InvalidInput when it is not a domain name.
    """
    typed = domain.strip()
    name = typed.removesuffix(".").lower()
    what = f"{_shown(typed)} is not a domain name"
    if not name.isascii():
        import idna

        from mission_control_tui.model.text.idna_errors import why_not

        try:
            name = idna.encode(name, uts46=True).decode("ascii")
        except (idna.IDNAError, UnicodeError) as error:
            problem = Problem("domain", what, why_not(error))
            raise InvalidInput(f"{what}.", problems=[problem]) from error
    if len(name) > DOMAIN_LIMIT or not all(_LABEL.fullmatch(part) for part in name.split(".")):
        hint = "letters, digits and hyphens between dots, as in acme.example"
        raise InvalidInput(f"{what}.", problems=[Problem("domain", what, hint)])
    return name


def domain_letters(domain: str) -> str:
    """Return a domain as people write it: with its letters where it has other than ASCII's."""
    if "xn--" not in domain:
        return domain
    import idna

    try:
        return idna.decode(domain)
    except (idna.IDNAError, UnicodeError):
        return domain


def normal_address(typed: str) -> str:
    """Return an address in the form that is stored: its domain as `domain_key` has it, the rest as it was typed.

    Raises InvalidInput when the domain is not one.
    """
    local, _, domain = typed.strip().rpartition("@")
    return f"{local}@{domain_key(domain)}"


def domain_of(address: str) -> str:
    """Return the key of an address's domain, "" where that is not one."""
    try:
        return domain_key(address.rpartition("@")[2])
    except InvalidInput:
        return ""


def upn_key(upn: str) -> str:
    """The form by which UPNs and aliases are compared and unique. Raises InvalidInput when the domain is not one."""
    local, _, domain = upn.strip().rpartition("@")
    return f"{local.casefold()}@{domain_key(domain)}"


def lookup_key(typed: str) -> str:
    """Return the key under which `typed` would be found, whether or not it is a valid address."""
    try:
        return upn_key(typed) if "@" in typed else typed.strip().casefold()
    except InvalidInput:
        return typed.strip().casefold()


def upn_problems(
    upn: str,
    *,
    where: str = "upn",
    domains: Collection[str] | None = None,
    special: str = "",
) -> list[Problem]:
    """Everything wrong with `upn`: a dot-atom of at most 64 octets (RFC 5321), @, and a domain.

    `domains`, where given, are the account's (any spelling), of which the domain must be one. `special` are those of
    SPECIAL that the local part may have; the catalogue says which.
    """
    if "@" not in upn:
        return [Problem(where, f"{_shown(upn)} has no @", "write it as name@domain")]
    local, _, domain = upn.rpartition("@")
    problems = list(_local_problems(local, where, special))
    try:
        key = domain_key(domain)
    except InvalidInput as error:
        problems += [Problem(where, problem.what, problem.hint) for problem in error.problems]
        return problems
    if domains is not None and key not in domains and key not in _keys(frozenset(domains)):
        problems.append(
            Problem(where, f"{_shown(domain)} is not a domain of this account", _choices(domains))
        )
    return problems


def outside_problems(address: str, *, where: str, special: str) -> list[Problem]:
    """What is wrong with an address outside of the account beside its syntax: SPECIAL that are not `special`."""
    refused = (set(SPECIAL) - set(special)).intersection(address.rpartition("@")[0])
    return [_refused_characters(sorted(refused), where)] if refused else []


def _refused_characters(refused: Iterable[str], where: str) -> Problem:
    names = ", ".join(map(in_words, refused))
    hint = "letters a to z, digits, and . - _ are safe everywhere"
    return Problem(where, f"the part before the @ cannot have {names}", hint)


def _local_problems(local: str, where: str, special: str) -> Iterator[Problem]:
    if not local:
        yield Problem(where, "nothing stands before the @", "write it as name@domain")
        return
    refused = [
        char for char in dict.fromkeys(local) if char not in special and not _PLAIN.match(char)
    ]
    if refused:
        yield _refused_characters(refused, where)
    if len(local.encode(errors="replace")) > LOCAL_LIMIT:
        yield Problem(where, f"the part before the @ is longer than {LOCAL_LIMIT} bytes")
    if local.startswith(".") or local.endswith(".") or ".." in local:
        yield Problem(where, "the part before the @ has a dot at an end, or two in a row")


@lru_cache(maxsize=64)
def _keys(domains: frozenset[str]) -> frozenset[str]:
    return frozenset(domain_key(domain) for domain in domains)


def _choices(domains: Collection[str]) -> str:
    if not domains:
        return "buy or add the domain first"
    named = sorted(domains)[:_DOMAINS_NAMED]
    more = len(domains) - len(named)
    return "one of: " + ", ".join(named) + (f" and {more} more" if more else "")


def _shown(text: str) -> str:
    short = text if len(text) <= 60 else text[:57] + "..."
    return f'"{harmless(short)}"'
