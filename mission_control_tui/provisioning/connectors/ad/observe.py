"""What a directory says about one account, as an observed object."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from mission_control_tui.connect import DesiredState, Note, ObservedState, Wish
from mission_control_tui.provisioning.connectors.ad import values
from mission_control_tui.provisioning.connectors.ad.session import Entry, Session

ACCOUNT, GROUPS_STEP = "account", "groups"
GROUPS = "groups"
"""The limit of a level that names the groups its accounts are in."""
ACCOUNT_NAME = "account_name"
EXPIRES_AT, NEVER_EXPIRES = "expires_at", "password_never_expires"
PERSON: Mapping[str, str] = {
    "upn": "userPrincipalName",
    "display_name": "displayName",
    "primary_address": "mail",
    "first_names": "givenName",
    "last_name": "sn",
    "title": "title",
    "department": "department",
    "location": "physicalDeliveryOfficeName",
    "office_phone": "telephoneNumber",
    "mobile_phone": "mobile",
    "home_phone": "homePhone",
    "fax": "facsimileTelephoneNumber",
    "street": "streetAddress",
    "city": "l",
    "state": "st",
    "postal_code": "postalCode",
    "country": "c",
    "web_page": "wWWHomePage",
}
"""What is told about a person -> the attribute that keeps it."""
KEPT = frozenset({*PERSON, EXPIRES_AT, NEVER_EXPIRES})

_READ = (
    *("objectClass", "objectGUID", "sAMAccountName", "userAccountControl", "accountExpires"),
    *("memberOf", "isCriticalSystemObject", "adminCount", *PERSON.values()),
)


@dataclass(frozen=True, slots=True)
class Place:
    """Where in a directory accounts are, and what of it is ours to change.

    `unit` is the organizational unit of new accounts, with `{account}` for the account's code; `removed_unit` is where
    removed ones go, "" where they are deleted; `groups` are those whose members may be changed.
    """

    base: str
    unit: str
    removed_unit: str
    groups: tuple[str, ...]
    mark: str

    def unit_of(self, desired: DesiredState) -> str:
        """Return the organizational unit that a new account goes to."""
        code = str(desired.attributes.get("account") or "")
        return self.unit.replace("{account}", values.escaped(code)) if code else self.unit


def find(session: Session, place: Place, desired: DesiredState) -> Entry | None:
    """Return the entry of an instance: by the id that it got, wherever and whatever it is called now, else by name."""
    wanted = values.guid_filter(desired.external_id)
    for condition in filter(None, (wanted, f"(sAMAccountName={values.in_filter(desired.name)})")):
        for entry in session.search(place.base, condition, (*_READ, place.mark)):
            if not values.is_in(entry.dn, place.removed_unit):
                return entry
    return None


def observed_state(place: Place, entry: Entry | None) -> ObservedState:
    """Return what an entry says."""
    if entry is None:
        return ObservedState(False)
    note = Note.from_text(entry.text(place.mark))
    flags = entry.number("userAccountControl")
    there = member_of(place, entry)
    others = len(entry.attributes.get("memberOf") or ()) - len(there)
    return ObservedState(
        exists=True,
        mark=note.mark if note else None,
        wish=Wish.SUSPENDED if flags & values.DISABLED else Wish.PRESENT,
        level=note.level if note else "",
        limits={GROUPS: there},
        attributes={
            **{name: entry.text(attribute) for name, attribute in PERSON.items()},
            ACCOUNT_NAME: entry.text("sAMAccountName"),
            NEVER_EXPIRES: bool(flags & values.PASSWORD_NEVER_EXPIRES),
            EXPIRES_AT: values.expiry_text(entry.number("accountExpires")),
        },
        external_id=values.guid_text(entry.raw("objectGUID")),
        secret_generation=note.secret_generation if note else 0,
        secret_id=note.secret_id if note else "",
        kept=("password", *([f"{others} other groups"] if others else [])),
        unadoptable=_unadoptable(entry),
    )


def member_of(place: Place, entry: Entry) -> list[str]:
    """Return which of our groups an entry is a member of, as the settings write them."""
    there = {values.dn_key(group) for group in entry.texts("memberOf")}
    return sorted(group for group in place.groups if values.dn_key(group) in there)


def not_ours(place: Place, wanted: Iterable[str]) -> list[str]:
    """Return which groups of a level are none that the settings name."""
    ours = {values.dn_key(group) for group in place.groups}
    return sorted(group for group in wanted if values.dn_key(group) not in ours)


def tells_all(desired: DesiredState) -> bool:
    """Tell whether all fields of the user are told, as they are to a directory account: what is not there is empty."""
    return "first_names" in desired.attributes


def _unadoptable(entry: Entry) -> str:
    classes = {name.casefold() for name in entry.texts("objectClass")}
    if "user" not in classes or "computer" in classes:
        return "it is no user's account"
    if entry.text("isCriticalSystemObject") == "TRUE" or entry.number("adminCount"):
        return (
            "it is an administrator's account, or the directory's own, which the directory protects"
        )
    return ""
