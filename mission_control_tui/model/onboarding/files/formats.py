"""The formats of files as data: which headings each system writes, and what their cells state."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from mission_control_tui.model.people.fields import FIELD_BY_NAME


class Use(StrEnum):
    """What becomes of a column."""

    FIELD = "field"
    PASSWORD = "password"
    REFUSED = "refused"  # a row that states anything here cannot be imported
    UNUSED = "unused"  # known, but there is no field for it


@dataclass(frozen=True, slots=True)
class FormatColumn:
    """One column of a format.

    `rank` orders columns that state the same field: a higher one counts only where the lower ones are empty. `words`
    maps the cells (lower case) of a column that is not simply yes or no to a flag. `says_nothing` lists cells that
    mean "leave it alone". `reason` is why a REFUSED cell is refused, or what the operator is told of an UNUSED one.
    """

    heading: str
    use: Use = Use.UNUSED
    field: str = ""
    rank: int = 0
    words: Mapping[str, bool] | None = None
    says_nothing: tuple[str, ...] = ()
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Format:
    """A kind of file. `compulsory` are fields that need a column; `columns` has them by heading_key.

    `names_make_display_name` is for systems without a display name: it is then First Last.
    """

    name: str
    compulsory: tuple[str, ...]
    columns: Mapping[str, FormatColumn]
    names_make_display_name: bool = False

    @property
    def expected(self) -> tuple[str, ...]:
        """The headings without which a file is not of this format."""
        return tuple(self.heading_of(name) for name in self.compulsory)

    def heading_of(self, field: str) -> str:
        """Return the heading that this format writes for `field`."""
        return next(column.heading for column in self.columns.values() if column.field == field)


_MARKS = re.compile(r"\s*\[[^\]]*\]\s*$")
_SEPARATORS = re.compile(r"[\s_\-\u200b\ufeff]+")


def heading_key(heading: str) -> str:
    """Return what headings are compared by: lower case, without marks such as [Required], spaces for _ and -."""
    return _SEPARATORS.sub(" ", _MARKS.sub("", heading)).strip().lower()


def _keyed(*columns: FormatColumn) -> dict[str, FormatColumn]:
    """`columns` by key; the first of a key is the one whose heading is shown."""
    keyed: dict[str, FormatColumn] = {}
    for column in columns:
        keyed.setdefault(heading_key(column.heading), column)
    return keyed


def _field(heading: str, field: str, rank: int = 0) -> FormatColumn:
    return FormatColumn(heading, Use.FIELD, field, rank)


def _labelled(*names: str) -> tuple[FormatColumn, ...]:
    """Return the columns that are headed by our own labels of these fields."""
    return tuple(_field(FIELD_BY_NAME[name].label, name) for name in names)


_M365_NAMES = (_field("First Name", "first_names"), *_labelled("last_name", "display_name"))

_M365_DETAILS = (
    *_labelled("department", "office_phone", "mobile_phone", "fax", "city"),
    _field("Job Title", "title"),
    _field("Office Number", "location"),
    _field("Alternate email address", "external_email"),
    _field("Address", "street"),
    _field("State or Province", "state"),
    _field("ZIP or Postal Code", "postal_code"),
    _field("Country or Region", "country"),
)

MICROSOFT_365 = Format(
    "Microsoft 365",
    ("upn", "display_name"),
    _keyed(_field("User Name", "upn"), _field("Username", "upn"), *_M365_NAMES, *_M365_DETAILS),
)
"""The admin centre's "Add multiple users", old and new."""

MICROSOFT_365_EXPORT = Format(
    "Microsoft 365 export",
    ("upn", "display_name"),
    _keyed(
        _field("User principal name", "upn"),
        *_M365_NAMES,
        *_labelled("title", "department", "mobile_phone", "fax", "city", "state", "postal_code"),
        *_labelled("password_never_expires"),
        _field("Office", "location"),
        _field("Phone number", "office_phone"),
        _field("Street address", "street"),
        _field("Country/Region", "country"),
        _field("Block credential", "disabled"),
        *(
            FormatColumn(heading)
            for heading in (
                "DirSyncEnabled",
                "Last dirsync time",
                "Last password change time stamp",
                "License assignment details",
                "Licenses",
                "Oath token metadata",
                "Object Id",
                "Preferred data location",
                "Preferred language",
                "Proxy addresses",
                "Release track",
                "Soft deletion time stamp",
                "Strong password required",
                "Usage location",
                "When created",
            )
        ),
    ),
)
"""The admin centre's "Export users"."""

_FALSE = ("FALSE", "False")
_GOOGLE_STATUS = {"active": False, "suspended": True, "archived": True}

GOOGLE_WORKSPACE = Format(
    "Google Workspace",
    ("first_names", "last_name", "upn"),
    _keyed(
        _field("First Name", "first_names"),
        *_labelled("last_name", "home_phone", "mobile_phone", "department"),
        _field("Email Address", "upn"),
        FormatColumn("Password", Use.PASSWORD, says_nothing=("****",)),
        FormatColumn(
            "Password Hash Function",
            Use.REFUSED,
            reason="a hashed password cannot be set; put the password itself, or nothing, in Password "
            "and clear this cell",
        ),
        FormatColumn(
            "Org Unit Path",
            says_nothing=("/",),
            reason="Org Unit Path is not imported: there are no organisational units here",
        ),
        FormatColumn(
            "New Primary Email",
            Use.REFUSED,
            reason="an import does not rename users; put the address in Email Address and clear this cell",
        ),
        _field("Recovery Email", "external_email"),
        _field("Home Secondary Email", "external_email", rank=1),
        FormatColumn("Work Secondary Email"),
        FormatColumn("Recovery Phone"),
        _field("Work Phone", "office_phone"),
        _field("Work Address", "street"),
        FormatColumn("Home Address"),
        FormatColumn("Employee ID"),
        FormatColumn("Employee Type"),
        _field("Employee Title", "title"),
        _field("Manager Email", "manager"),
        FormatColumn("Cost Center"),
        _field("Building ID", "location"),
        FormatColumn("Floor Name"),
        FormatColumn("Floor Section"),
        _field("Change Password at Next Sign-In", "must_change_password"),
        FormatColumn("New Status", Use.FIELD, "disabled", words=_GOOGLE_STATUS),
        FormatColumn("Status", Use.FIELD, "disabled", rank=1, words=_GOOGLE_STATUS),
        FormatColumn("New Licenses"),
        FormatColumn("Licenses"),
        FormatColumn("Advanced Protection Program enrollment", says_nothing=_FALSE),
        FormatColumn("Last Sign In"),
        FormatColumn("Email Usage"),
        FormatColumn("Drive Usage"),
        FormatColumn("Photos Usage"),
        FormatColumn("Storage Used"),
        FormatColumn("Storage limit"),
        FormatColumn("2sv Enrolled", says_nothing=_FALSE),
        FormatColumn("2sv Enforced", says_nothing=_FALSE),
    ),
    names_make_display_name=True,
)
"""The admin console's "Bulk update users" and "Download users"."""

OWN_CSV = Format(
    "Mission Control",
    ("upn", "display_name"),
    _keyed(
        *_labelled(*FIELD_BY_NAME),
        *(_field(name, name) for name in FIELD_BY_NAME),
        FormatColumn("Password", Use.PASSWORD),
        *_M365_NAMES,
        *_M365_DETAILS,
    ),
)
"""Our own: a field's name or its label as heading, and for the rest what Microsoft calls it."""

# The first that fits: a file with a UPN column is ours even where other headings are another system's.
FORMATS: tuple[Format, ...] = (OWN_CSV, MICROSOFT_365, MICROSOFT_365_EXPORT, GOOGLE_WORKSPACE)
