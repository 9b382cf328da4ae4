"""The fields of a user as data: the New User form, the flags of the commands and the imports derive from FIELDS."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

Value = str | bool | date | None
"""What a field of UserDetails holds."""


@dataclass(frozen=True, slots=True)
class UserDetails:
    """What an operator states about a user; the password is never part of it.

    Text that is not stated is "". `country` is ISO 3166 alpha-2, `manager` another user's UPN, and `expires_on` the
    last day, in the account's time zone, on which the user may log in, or None for never.
    """

    upn: str = ""
    first_names: str = ""
    last_name: str = ""
    display_name: str = ""
    username: str = ""
    title: str = ""
    department: str = ""
    location: str = ""
    manager: str = ""
    office_phone: str = ""
    mobile_phone: str = ""
    home_phone: str = ""
    fax: str = ""
    street: str = ""
    city: str = ""
    state: str = ""
    postal_code: str = ""
    country: str = ""
    web_page: str = ""
    notes: str = ""
    external_email: str = ""
    test_user: bool = False
    must_change_password: bool = False
    password_never_expires: bool = False
    disabled: bool = False
    expires_on: date | None = None


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
    compulsory: bool = False

    @property
    def flag(self) -> str:
        """The command line's option, as in "--first-names"."""
        return "--" + self.name.replace("_", "-")


USERNAME_LIMIT = 20
"""Characters in a username: the limit of sAMAccountName for users."""

# Lengths are the rangeUpper values of Active Directory's schema, the narrowest of the directories that are served.
FIELDS: tuple[UserField, ...] = (
    UserField(
        "upn",
        "UPN",
        Group.IDENTITY,
        FieldKind.UPN,
        "User Principal Name: what the user logs in with, local part @ one of the account's domains",
        254,
        compulsory=True,
    ),
    UserField(
        "first_names",
        "First Names",
        Group.IDENTITY,
        FieldKind.TEXT,
        "Given names",
        64,
        compulsory=True,
    ),
    UserField(
        "last_name", "Last Name", Group.IDENTITY, FieldKind.TEXT, "Family name", 64, compulsory=True
    ),
    UserField(
        "display_name",
        "Display Name",
        Group.IDENTITY,
        FieldKind.TEXT,
        "The From name on mail; First Last unless you change it",
        256,
        compulsory=True,
    ),
    UserField(
        "username",
        "Username",
        Group.IDENTITY,
        FieldKind.USERNAME,
        "The short name at the back ends, at most 20 characters; fixed after creation",
        USERNAME_LIMIT,
        compulsory=True,
    ),
    UserField("title", "Title", Group.ORGANISATION, FieldKind.TEXT, "Job title", 128),
    UserField("department", "Department", Group.ORGANISATION, FieldKind.TEXT, "Department", 64),
    UserField(
        "location", "Location", Group.ORGANISATION, FieldKind.TEXT, "Office, room or site", 128
    ),
    UserField(
        "manager", "Manager", Group.ORGANISATION, FieldKind.USER, "UPN of the user's manager", 254
    ),
    UserField(
        "office_phone", "Office phone", Group.PHONES, FieldKind.PHONE, "Telephone at work", 64
    ),
    UserField(
        "mobile_phone", "Mobile phone", Group.PHONES, FieldKind.PHONE, "Mobile telephone", 64
    ),
    UserField("home_phone", "Home phone", Group.PHONES, FieldKind.PHONE, "Telephone at home", 64),
    UserField("fax", "Fax", Group.PHONES, FieldKind.PHONE, "Fax number", 64),
    UserField("street", "Street", Group.ADDRESS, FieldKind.LINES, "Street and number", 1024),
    UserField("city", "City", Group.ADDRESS, FieldKind.TEXT, "City or suburb", 128),
    UserField("state", "State", Group.ADDRESS, FieldKind.TEXT, "State or province", 128),
    UserField(
        "postal_code", "Postal Code", Group.ADDRESS, FieldKind.TEXT, "Postal or ZIP code", 40
    ),
    UserField(
        "country",
        "Country",
        Group.ADDRESS,
        FieldKind.COUNTRY,
        "ISO code or name, as AU or Australia",
        80,
    ),
    UserField(
        "web_page", "Web page", Group.OTHER, FieldKind.URL, "Address with http:// or https://", 2048
    ),
    UserField(
        "notes", "Notes", Group.OTHER, FieldKind.LINES, "Anything to remember about the user", 1024
    ),
    UserField(
        "external_email",
        "External Email",
        Group.OTHER,
        FieldKind.EMAIL,
        "An address elsewhere at which the user can be reached",
        254,
    ),
    UserField("test_user", "Test User", Group.ACCOUNT, FieldKind.FLAG, "Kept out of billing"),
    UserField(
        "must_change_password",
        "Change password at next logon",
        Group.ACCOUNT,
        FieldKind.FLAG,
        "The user has to choose a new password when logging in next",
    ),
    UserField(
        "password_never_expires",
        "Password never expires",
        Group.ACCOUNT,
        FieldKind.FLAG,
        "The back ends' maximum age of passwords does not apply",
    ),
    UserField(
        "disabled",
        "Account disabled",
        Group.ACCOUNT,
        FieldKind.FLAG,
        "The user cannot log in; the data stays",
    ),
    UserField(
        "expires_on",
        "Account expires",
        Group.ACCOUNT,
        FieldKind.DATE,
        "The last day, as 2030-12-31, or never",
    ),
)

FIELD_BY_NAME: dict[str, UserField] = {field.name: field for field in FIELDS}

FORM_COMPULSORY: frozenset[str] = frozenset(field.name for field in FIELDS if field.compulsory)
"""What the New User form and `users create` insist upon."""

IMPORT_COMPULSORY: frozenset[str] = frozenset({"upn", "display_name"})
"""What a file must state of each user; the username is derived, first and last names may stay empty."""
