"""The formats of files as data: which headings each system writes, and what their cells state."""

from __future__ import annotations

from mission_control_tui.model.onboarding.files.columns import (
    Format,
    FormatColumn,
    Use,
    column,
    keyed,
    labelled,
)
from mission_control_tui.model.onboarding.files.directories import (
    DIRECTORY_EXPORT,
    ENTRA_TEMPLATE,
    GAM,
)
from mission_control_tui.model.onboarding.files.headings import (
    EXTRAS,
    PASSWORDS,
    everyday,
    localised,
)
from mission_control_tui.model.people.fields import FIELD_BY_NAME

_M365_NAMES = (column("First Name", "first_names"), *labelled("last_name", "display_name"))

_M365_DETAILS = (
    *labelled("department", "office_phone", "mobile_phone", "fax", "city"),
    column("Job Title", "title"),
    column("Office Number", "location"),
    column("Alternate email address", "external_email"),
    column("Address", "street"),
    column("State or Province", "state"),
    column("ZIP or Postal Code", "postal_code"),
    column("Country or Region", "country"),
)

MICROSOFT_365 = Format(
    "Microsoft 365",
    ("upn", "display_name"),
    keyed(
        *(column("User Name", "upn"), column("Username", "upn")),
        *_M365_NAMES,
        *_M365_DETAILS,
        *PASSWORDS,
        *EXTRAS,
        *localised(),
        *everyday(),
    ),
)
"""The admin centre's "Add multiple users", old and new."""

MICROSOFT_365_EXPORT = Format(
    "Microsoft 365 export",
    ("upn", "display_name"),
    keyed(
        column("User principal name", "upn"),
        *_M365_NAMES,
        *labelled("title", "department", "mobile_phone", "fax", "city", "state", "postal_code"),
        *labelled("password_never_expires"),
        column("Office", "location"),
        column("Phone number", "office_phone"),
        column("Street address", "street"),
        column("Country/Region", "country"),
        column("Block credential", "disabled"),
        *PASSWORDS,
        *EXTRAS,
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
    keyed(
        column("First Name", "first_names"),
        *labelled("last_name", "home_phone", "mobile_phone", "department"),
        column("Email Address", "upn"),
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
        column("Recovery Email", "external_email"),
        column("Home Secondary Email", "external_email", rank=1),
        FormatColumn("Work Secondary Email"),
        FormatColumn("Recovery Phone"),
        column("Work Phone", "office_phone"),
        column("Work Address", "street"),
        FormatColumn("Home Address"),
        FormatColumn("Employee ID"),
        FormatColumn("Employee Type"),
        column("Employee Title", "title"),
        column("Manager Email", "manager"),
        FormatColumn("Cost Center"),
        column("Building ID", "location"),
        FormatColumn("Floor Name"),
        FormatColumn("Floor Section"),
        column("Change Password at Next Sign-In", "must_change_password"),
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
        *PASSWORDS,
        *EXTRAS,
    ),
    names_make_display_name=True,
)
"""The admin console's "Bulk update users" and "Download users"."""

OWN_CSV = Format(
    "Mission Control",
    ("upn", "display_name"),
    keyed(
        *labelled(*FIELD_BY_NAME),
        *(column(name, name) for name in FIELD_BY_NAME),
        *_M365_NAMES,
        *_M365_DETAILS,
        *PASSWORDS,
        *EXTRAS,
        *localised(without="upn"),
        *everyday(),
    ),
)
"""Our own: a field's name or its label as heading, and for the rest what Microsoft calls it."""

# The first that fits: a file with a UPN column is ours even where other headings are another system's.
FORMATS: tuple[Format, ...] = (
    *(OWN_CSV, MICROSOFT_365, MICROSOFT_365_EXPORT),
    *(ENTRA_TEMPLATE, DIRECTORY_EXPORT, GOOGLE_WORKSPACE, GAM),
)
