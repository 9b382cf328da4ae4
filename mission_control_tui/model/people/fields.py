"""The fields of a user as data: the New User form, the flags of the commands and the imports derive from FIELDS."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from datetime import date
from enum import StrEnum
from functools import partial
from typing import Any

Value = str | bool | date | None
"""What a field of UserDetails holds."""


class Group(StrEnum):
    """The parts of the form, in their order; all but Identity and Account are folded away."""

    IDENTITY = "Identity"
    ORGANISATION = "Organisation"
    PHONES = "Phones"
    ADDRESS = "Address"
    OTHER = "Other"
    ACCOUNT = "Account"


class FieldKind(StrEnum):
    """What a field holds, which decides its widget, its flag and its rule."""

    UPN = "upn"
    TEXT = "text"
    LINES = "lines"  # text that may have several lines
    USERNAME = "username"
    USER = "user"  # the UPN of another user
    PHONE = "phone"
    COUNTRY = "country"
    URL = "url"
    EMAIL = "email"
    FLAG = "flag"
    DATE = "date"


@dataclass(frozen=True, slots=True)
class UserField:
    """One field: `name` in UserDetails, `label` on screen, `max_length` in characters (0 for flags and dates)."""

    name: str
    label: str
    group: Group
    kind: FieldKind
    help: str
    max_length: int = 0

    @property
    def compulsory(self) -> bool:
        """Whether the form insists upon it."""
        return self.name in FORM_COMPULSORY

    @property
    def flag(self) -> str:
        """The command line's option, as in "--first-names"."""
        return "--" + self.name.replace("_", "-")


USERNAME_LIMIT = 20
"""Characters in a username: the limit of sAMAccountName for users."""


def _stated(group: Group, kind: FieldKind, label: str, about: str, max_length: int = 0) -> Any:
    """Return a field of UserDetails, empty unless it is stated, with what UserField says about it."""
    empty = {FieldKind.FLAG: False, FieldKind.DATE: None}.get(kind, "")
    return field(default=empty, metadata={"stated": (label, group, kind, about, max_length)})


_phone = partial(_stated, Group.PHONES, FieldKind.PHONE, max_length=64)
_flag = partial(_stated, Group.ACCOUNT, FieldKind.FLAG)


@dataclass(frozen=True, slots=True)
class UserDetails:
    """What an operator states about a user; the password is never part of it.

    Text that is not stated is "". `country` is ISO 3166 alpha-2, `manager` another user's UPN, and `expires_on` the
    last day, in the account's time zone, on which the user may log in, or None for never.
    """

    # Lengths are the rangeUpper values of Active Directory's schema, the narrowest of the directories that are served.
    upn: str = _stated(
        Group.IDENTITY,
        FieldKind.UPN,
        "UPN",
        "User Principal Name: what the user logs in with, local part @ one of the account's domains",
        254,
    )
    first_names: str = _stated(Group.IDENTITY, FieldKind.TEXT, "First Names", "Given names", 64)
    last_name: str = _stated(Group.IDENTITY, FieldKind.TEXT, "Last Name", "Family name", 64)
    display_name: str = _stated(
        Group.IDENTITY,
        FieldKind.TEXT,
        "Display Name",
        "The From name on mail; First Last unless you change it",
        256,
    )
    username: str = _stated(
        Group.IDENTITY,
        FieldKind.USERNAME,
        "Username",
        "The short name at the back ends, at most 20 characters; fixed after creation",
        USERNAME_LIMIT,
    )
    title: str = _stated(Group.ORGANISATION, FieldKind.TEXT, "Title", "Job title", 128)
    department: str = _stated(Group.ORGANISATION, FieldKind.TEXT, "Department", "Department", 64)
    location: str = _stated(
        Group.ORGANISATION, FieldKind.TEXT, "Location", "Office, room or site", 128
    )
    manager: str = _stated(
        Group.ORGANISATION, FieldKind.USER, "Manager", "UPN of the user's manager", 254
    )
    office_phone: str = _phone("Office phone", "Telephone at work")
    mobile_phone: str = _phone("Mobile phone", "Mobile telephone")
    home_phone: str = _phone("Home phone", "Telephone at home")
    fax: str = _phone("Fax", "Fax number")
    street: str = _stated(Group.ADDRESS, FieldKind.LINES, "Street", "Street and number", 1024)
    city: str = _stated(Group.ADDRESS, FieldKind.TEXT, "City", "City or suburb", 128)
    state: str = _stated(Group.ADDRESS, FieldKind.TEXT, "State", "State or province", 128)
    postal_code: str = _stated(
        Group.ADDRESS, FieldKind.TEXT, "Postal Code", "Postal or ZIP code", 40
    )
    country: str = _stated(
        Group.ADDRESS, FieldKind.COUNTRY, "Country", "ISO code or name, as AU or Australia", 80
    )
    web_page: str = _stated(
        Group.OTHER, FieldKind.URL, "Web page", "Address with http:// or https://", 2048
    )
    notes: str = _stated(
        Group.OTHER, FieldKind.LINES, "Notes", "Anything to remember about the user", 1024
    )
    external_email: str = _stated(
        Group.OTHER,
        FieldKind.EMAIL,
        "External Email",
        "An address elsewhere at which the user can be reached",
        254,
    )
    test_user: bool = _flag("Test User", "Kept out of billing")
    must_change_password: bool = _flag(
        "Change password at next logon",
        "The user has to choose a new password when logging in next",
    )
    password_never_expires: bool = _flag(
        "Password never expires", "The back ends' maximum age of passwords does not apply"
    )
    disabled: bool = _flag("Account disabled", "The user cannot log in; the data stays")
    expires_on: date | None = _stated(
        Group.ACCOUNT, FieldKind.DATE, "Account expires", "The last day, as 2030-12-31, or never"
    )


FIELDS: tuple[UserField, ...] = tuple(
    UserField(stated.name, *stated.metadata["stated"]) for stated in fields(UserDetails)
)
"""The fields of UserDetails, in the order of the form."""

FIELD_BY_NAME: dict[str, UserField] = {field.name: field for field in FIELDS}

FORM_COMPULSORY = frozenset({"upn", "first_names", "last_name", "display_name", "username"})
"""What the New User form and `users create` insist upon."""

IMPORT_COMPULSORY: frozenset[str] = frozenset({"upn", "display_name"})
"""What a file must state of each user; the username is derived, first and last names may stay empty."""
