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


class Kind(StrEnum):
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
class Field:
    """One field: `name` in UserDetails, `label` on screen, `max_length` in characters (0 for flags and dates)."""

    name: str
    label: str
    group: Group
    kind: Kind
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
FIELDS: tuple[Field, ...] = (
    Field(
        "upn",
        "UPN",
        Group.IDENTITY,
        Kind.UPN,
        "User Principal Name: what the user logs in with, local part @ one of the account's domains",
        254,
        compulsory=True,
    ),
    Field(
        "first_names", "First Names", Group.IDENTITY, Kind.TEXT, "Given names", 64, compulsory=True
    ),
    Field("last_name", "Last Name", Group.IDENTITY, Kind.TEXT, "Family name", 64, compulsory=True),
    Field(
        "display_name",
        "Display Name",
        Group.IDENTITY,
        Kind.TEXT,
        "The From name on mail; First Last unless you change it",
        256,
        compulsory=True,
    ),
    Field(
        "username",
        "Username",
        Group.IDENTITY,
        Kind.USERNAME,
        "The short name at the back ends, at most 20 characters; fixed after creation",
        USERNAME_LIMIT,
        compulsory=True,
    ),
    Field("title", "Title", Group.ORGANISATION, Kind.TEXT, "Job title", 128),
    Field("department", "Department", Group.ORGANISATION, Kind.TEXT, "Department", 64),
    Field("location", "Location", Group.ORGANISATION, Kind.TEXT, "Office, room or site", 128),
    Field("manager", "Manager", Group.ORGANISATION, Kind.USER, "UPN of the user's manager", 254),
    Field("office_phone", "Office phone", Group.PHONES, Kind.PHONE, "Telephone at work", 64),
    Field("mobile_phone", "Mobile phone", Group.PHONES, Kind.PHONE, "Mobile telephone", 64),
    Field("home_phone", "Home phone", Group.PHONES, Kind.PHONE, "Telephone at home", 64),
    Field("fax", "Fax", Group.PHONES, Kind.PHONE, "Fax number", 64),
    Field("street", "Street", Group.ADDRESS, Kind.LINES, "Street and number", 1024),
    Field("city", "City", Group.ADDRESS, Kind.TEXT, "City or suburb", 128),
    Field("state", "State", Group.ADDRESS, Kind.TEXT, "State or province", 128),
    Field("postal_code", "Postal Code", Group.ADDRESS, Kind.TEXT, "Postal or ZIP code", 40),
    Field(
        "country",
        "Country",
        Group.ADDRESS,
        Kind.COUNTRY,
        "ISO code or name, as AU or Australia",
        80,
    ),
    Field("web_page", "Web page", Group.OTHER, Kind.URL, "Address with http:// or https://", 2048),
    Field("notes", "Notes", Group.OTHER, Kind.LINES, "Anything to remember about the user", 1024),
    Field(
        "external_email",
        "External Email",
        Group.OTHER,
        Kind.EMAIL,
        "An address elsewhere at which the user can be reached",
        254,
    ),
    Field("test_user", "Test User", Group.ACCOUNT, Kind.FLAG, "Kept out of billing"),
    Field(
        "must_change_password",
        "Change password at next logon",
        Group.ACCOUNT,
        Kind.FLAG,
        "The user has to choose a new password when logging in next",
    ),
    Field(
        "password_never_expires",
        "Password never expires",
        Group.ACCOUNT,
        Kind.FLAG,
        "The back ends' maximum age of passwords does not apply",
    ),
    Field(
        "disabled",
        "Account disabled",
        Group.ACCOUNT,
        Kind.FLAG,
        "The user cannot log in; the data stays",
    ),
    Field(
        "expires_on",
        "Account expires",
        Group.ACCOUNT,
        Kind.DATE,
        "The last day, as 2030-12-31, or never",
    ),
)

FIELD_BY_NAME: dict[str, Field] = {field.name: field for field in FIELDS}

FORM_COMPULSORY: frozenset[str] = frozenset(field.name for field in FIELDS if field.compulsory)
"""What the New User form and `users create` insist upon."""

IMPORT_COMPULSORY: frozenset[str] = frozenset({"upn", "display_name"})
"""What a file must state of each user; the username is derived, first and last names may stay empty."""
