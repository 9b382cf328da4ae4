"""What a wish is as rows of the mail database, and what rows are as an observed state."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from mission_control_tui.connect import ROLE, DesiredState, Mark, ObservedState, Usage, Wish

FULL_ACCESS, SEND_AS = "full-access", "send-as"
DELEGATES = (FULL_ACCESS, SEND_AS)
PROTOCOLS = ("imap", "pop", "smtp", "web")
SWITCHES = ("pop", "imap", "web")
"""Options that take a protocol of the level away."""
FLAGS = {**{name: name for name in SWITCHES}, "keep-copy": "keep_copy"}
"""Options that are a yes or a no, with their columns."""
OPTIONS = frozenset(
    {*SWITCHES, *DELEGATES, "quota", "forward-to", "keep-copy", "aliases", "primary-address"}
)
QUOTA, QUOTA_LIMIT, PROTOCOLS_LIMIT = "quota", "quota_mb", "protocols"
TAKEN, TAKEN_BY_US = "taken_addresses", "taken_by_us"
SUSPENDED_MAIL = "suspended_mail"
MAILBOX = "mailbox"

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,127}")
_ADDRESS = re.compile(r"[^\s@,\"'\\:;<>()\[\]|/]+@[^\s@,\"'\\:;<>()\[\]|/]+")
_MEGABYTE = 1024 * 1024


class Kind(StrEnum):
    """What an object is: a mailbox with a login, one without, or an address that stands for several."""

    MAILBOX = "mailbox"
    SHARED = "shared"
    GROUP = "group"


CALLED = {Kind.MAILBOX: "mailbox", Kind.SHARED: "shared mailbox", Kind.GROUP: "group"}


@dataclass(frozen=True, slots=True)
class Policy:
    """What the settings decide: which services are groups and shared mailboxes, and what holds for all objects.

    Mail to what is suspended arrives or not; with `smtp_by_level` only levels that name `smtp` may send. Without
    `keeps_passwords` the mail server asks a directory who logs in.
    """

    groups: Collection[str]
    shared: Collection[str]
    suspended_receives: bool
    smtp_by_level: bool
    keeps_passwords: bool = True

    def kind(self, service: str) -> Kind:
        """Return what the objects of a service are."""
        if service in self.groups:
            return Kind.GROUP
        return Kind.SHARED if service in self.shared else Kind.MAILBOX

    def protocols(self, granted: object) -> list[str]:
        """Return those of a level's protocols that a mail server keeps."""
        named = (
            {str(word).lower() for word in granted} if isinstance(granted, (list, tuple)) else set()
        )
        kept = named & {*PROTOCOLS}
        return sorted(kept if self.smtp_by_level or not kept else {*kept, "smtp"})


@dataclass(frozen=True, slots=True)
class MailRows:
    """All rows of one object, those that stand in its way, and what is known of it after its removal."""

    row: Mapping[str, Any] | None
    addresses: tuple[tuple[str, bool], ...] = ()
    roles: Mapping[str, list[str]] = field(default_factory=dict)
    usage: tuple[int, int | None] | None = None
    taken: tuple[tuple[str, str, bool], ...] = ()
    """(address or login, whose it is, whether that one is ours)."""
    removed: Mapping[str, Any] | None = None


def lowered(values: object) -> list[str]:
    """Return addresses in small letters, each once, sorted; [] where there are none."""
    if isinstance(values, str):
        values = [values]
    if not isinstance(values, Iterable):
        return []
    return sorted({str(value).strip().lower() for value in values} - {""})


def login_of(desired: DesiredState) -> str:
    """Return what the owner of a mailbox logs in by: the UPN, or the name where there is none."""
    return (str(desired.attributes.get("upn") or "") or desired.name).lower()


def primary_of(desired: DesiredState) -> str:
    """Return the primary address, "" where there is none."""
    return str(desired.attributes.get("primary_address") or "").lower()


def addresses_of(desired: DesiredState) -> list[str]:
    """Return all addresses, the primary one among them."""
    return lowered([*lowered(desired.attributes.get("addresses")), primary_of(desired)])


def roles_of(desired: DesiredState) -> dict[str, list[str]]:
    """Return whom each role names: members of objects, delegates of mailboxes."""
    named = {
        key.removeprefix(ROLE): value
        for key, value in desired.attributes.items()
        if key.startswith(ROLE)
    }
    named.update({role: desired.settings[role] for role in DELEGATES if role in desired.settings})
    return {role: found for role, value in sorted(named.items()) if (found := lowered(value))}


def quota_of(desired: DesiredState, limits: Mapping[str, object]) -> int | None:
    """Return the quota in MB that the wish states, as an option or by its level; None where it states none."""
    value = desired.settings.get(QUOTA, limits.get(QUOTA_LIMIT))
    return int(value) if isinstance(value, (int, float)) else None


def problem_of(desired: DesiredState, kind: Kind) -> tuple[str, str]:
    """Return what the mail server could not keep of the wish, in words, and the field; ("", "") if all is well."""
    if not _NAME.fullmatch(desired.name):
        return f"{desired.name!r} cannot be a mailbox's directory", ""
    words = [(address, "") for address in addresses_of(desired)]
    words += [(word, role) for role, named in roles_of(desired).items() for word in named]
    forward = str(desired.settings.get("forward-to") or "")
    words += [(forward, "forward-to")] if forward else []
    for address, place in words:
        if not _ADDRESS.fullmatch(address):
            return f"{address!r} is no address that a mail server can look up", place
    if kind is not Kind.MAILBOX and not addresses_of(desired) and desired.attributes.get("domain"):
        return f"{desired.name} has no address", "primary_address"
    return "", ""


def observed_state(found: MailRows, desired: DesiredState, policy: Policy) -> ObservedState:
    """Return what the rows say of the object that the wish is about, which is to be of its service's kind."""
    wanted = policy.kind(desired.service)
    taken: dict[str, object] = {}
    if found.taken:
        taken[TAKEN] = [f"{what} ({whose})" for what, whose, _ours in found.taken]
        taken[TAKEN_BY_US] = all(ours for _what, _whose, ours in found.taken)
    row = found.row
    if row is None:
        return ObservedState(exists=False, mark=_mark(found.removed), attributes=taken)
    kind = Kind(row["kind"])
    # What says nothing takes nothing away: the views read it as a yes.
    settings: dict[str, object] = {
        option: row[column] is None or bool(row[column])
        for option, column in FLAGS.items()
        if row[column] is not None or option in desired.settings
    }
    settings["forward-to"] = row["forward_to"]
    limits: dict[str, object] = {}
    if row["protocols"]:
        limits[PROTOCOLS_LIMIT] = row["protocols"].split(",")
    # Where the quota is an option it is compared as one, else as the level's limit.
    if row["quota_mb"] is not None:
        (settings if QUOTA in desired.settings else limits)[
            QUOTA if QUOTA in desired.settings else QUOTA_LIMIT
        ] = row["quota_mb"]
    attributes = {**taken}
    for role, named in found.roles.items():
        if kind is Kind.MAILBOX and role in DELEGATES:
            settings[role] = named
        else:
            attributes[ROLE + role] = named
    attributes["display_name"] = row["display_name"]
    attributes["addresses"] = [address for address, _primary in found.addresses]
    attributes["primary_address"] = next(
        (address for address, primary in found.addresses if primary), ""
    )
    attributes["login"] = row["login"] or ""
    attributes["kind"] = str(kind)
    if not row["active"]:
        attributes[SUSPENDED_MAIL] = "deliver" if row["receives"] else "refuse"
    missing = policy.keeps_passwords and kind is Kind.MAILBOX and not row["password"]
    return ObservedState(
        exists=True,
        mark=_mark(row),
        wish=Wish.PRESENT if row["active"] else Wish.SUSPENDED,
        level=row["level"],
        settings=settings,
        attributes={key: value for key, value in attributes.items() if value},
        external_id=str(row["id"]),
        complete=not missing,
        missing=(MAILBOX,) if missing else (),
        limits=limits,
        secret_generation=row["secret_generation"],
        secret_id=row["secret_id"],
        usage=_usage(found),
        kept=_kept(found),
        unadoptable="" if kind is wanted else f"it is a {CALLED[kind]}, not a {CALLED[wanted]}",
    )


def facts_of(desired: DesiredState, policy: Policy) -> dict[str, object]:
    """Return what should be true of the object beyond what the wish says of its subject."""
    kind = policy.kind(desired.service)
    facts: dict[str, object] = {"kind": str(kind), "login": "", "addresses": addresses_of(desired)}
    if kind is Kind.MAILBOX:
        facts["login"] = login_of(desired)
    if desired.state is Wish.SUSPENDED:
        facts[SUSPENDED_MAIL] = "deliver" if policy.suspended_receives else "refuse"
    return facts


def _mark(row: Mapping[str, Any] | None) -> Mark | None:
    if row is None or not row["installation"]:
        return None
    return Mark(row["installation"], row["key"], row["generation"], row["attempt"], row["epoch"])


def _usage(found: MailRows) -> dict[str, Usage]:
    if found.usage is None or found.row is None:
        return {}
    used, at = found.usage
    limit = found.row["quota_mb"]
    measured = None if at is None else datetime.fromtimestamp(at, UTC)
    return {MAILBOX: Usage(round(used / _MEGABYTE, 1), limit, "MB", measured)}


def _kept(found: MailRows) -> tuple[str, ...]:
    row = found.row or {"password": None, "home": None}
    kept = ["password"] if row["password"] else []
    if found.usage is not None:
        kept.append(f"{found.usage[0] / _MEGABYTE:.1f} MB of mail")
    elif row["home"]:
        kept.append("mail")
    return tuple(kept)
