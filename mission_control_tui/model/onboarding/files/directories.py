"""What directories and their tools write: Entra ID, Active Directory by PowerShell, Google's by GAM."""

from __future__ import annotations

from mission_control_tui.model.onboarding.files.columns import (
    Format,
    FormatColumn,
    Use,
    column,
    keyed,
)
from mission_control_tui.model.onboarding.files.headings import EXTRAS, PASSWORDS

ENTRA_TEMPLATE = Format(
    "Entra ID bulk create",
    ("upn", "display_name"),
    keyed(
        column("User name [userPrincipalName]", "upn"),
        column("Name [displayName]", "display_name"),
        column("Block sign in [accountEnabled]", "disabled"),
        column("First name [givenName]", "first_names"),
        column("Last name [surname]", "last_name"),
        column("Job title [jobTitle]", "title"),
        column("Department [department]", "department"),
        column("Usage location [usageLocation]", "country", rank=1),
        column("Street address [streetAddress]", "street"),
        column("State or province [state]", "state"),
        column("Country or region [country]", "country"),
        column("Office [physicalDeliveryOfficeName]", "location"),
        column("City [city]", "city"),
        column("ZIP or postal code [postalCode]", "postal_code"),
        column("Office phone [telephoneNumber]", "office_phone"),
        column("Mobile phone [mobile]", "mobile_phone"),
        *PASSWORDS,
        *EXTRAS,
    ),
)
"""The template of "Bulk create", whose first line is version:v1.0."""

_ENABLED = {"true": False, "false": True, "yes": False, "no": True}
_NOT_ONE_VALUE = ("System.String[]", "{}", "System.Object[]")


def _multivalued(heading: str, field: str, rank: int = 0) -> FormatColumn:
    """Return a column whose property is a list, which Export-Csv may write as the name of its type."""
    return FormatColumn(heading, Use.FIELD, field, rank, says_nothing=_NOT_ONE_VALUE)


DIRECTORY_EXPORT = Format(
    "directory export",
    ("upn", "display_name"),
    keyed(
        column("userPrincipalName", "upn"),
        column("displayName", "display_name"),
        column("Name", "display_name", rank=1),
        column("givenName", "first_names"),
        column("surname", "last_name"),
        column("sn", "last_name", rank=1),
        column("SamAccountName", "username"),
        column("jobTitle", "title"),
        column("Title", "title", rank=1),
        column("department", "department"),
        FormatColumn("accountEnabled", Use.FIELD, "disabled", words=_ENABLED),
        FormatColumn("Enabled", Use.FIELD, "disabled", rank=1, words=_ENABLED),
        column("streetAddress", "street"),
        column("street", "street", rank=1),
        column("state", "state"),
        column("st", "state", rank=1),
        column("country", "country"),
        column("co", "country", rank=1),
        column("usageLocation", "country", rank=2),
        column("physicalDeliveryOfficeName", "location"),
        column("officeLocation", "location", rank=1),
        column("Office", "location", rank=2),
        column("city", "city"),
        column("l", "city", rank=1),
        column("postalCode", "postal_code"),
        _multivalued("telephoneNumber", "office_phone"),
        _multivalued("businessPhones", "office_phone", rank=1),
        _multivalued("OfficePhone", "office_phone", rank=2),
        _multivalued("mobilePhone", "mobile_phone"),
        _multivalued("mobile", "mobile_phone", rank=1),
        _multivalued("HomePhone", "home_phone"),
        _multivalued("facsimileTelephoneNumber", "fax"),
        _multivalued("Fax", "fax", rank=1),
        _multivalued("FaxNumber", "fax", rank=2),
        _multivalued("alternateEmailAddress", "external_email"),
        _multivalued("otherMails", "external_email", rank=1),
        column("wWWHomePage", "web_page"),
        column("HomePage", "web_page", rank=1),
        column("PasswordNeverExpires", "password_never_expires"),
        FormatColumn(
            "Manager",
            reason="Manager is not imported: it is no address here; map another column to it",
        ),
        FormatColumn("proxyAddresses"),
        *PASSWORDS,
        *EXTRAS,
    ),
)
"""Entra ID's "Download users", and what Get-MgUser or Get-ADUser give to Export-Csv."""

_STATES = {"true": True, "false": False}
_PHONES = {
    "work": "office_phone",
    "mobile": "mobile_phone",
    "work_mobile": "mobile_phone",
    "home": "home_phone",
    "work_fax": "fax",
    "home_fax": "fax",
    "main": "office_phone",
}
_EACH = range(6)
"""So many phones, addresses and the like of one user are looked at."""

GAM = Format(
    "Google Workspace (GAM)",
    ("upn",),
    keyed(
        column("primaryEmail", "upn"),
        column("name.givenName", "first_names"),
        column("name.familyName", "last_name"),
        column("name.fullName", "display_name"),
        FormatColumn("suspended", Use.FIELD, "disabled", words=_STATES),
        column("changePasswordAtNextLogin", "must_change_password"),
        column("recoveryEmail", "external_email"),
        *(column(f"organizations.{n}.title", "title", n) for n in _EACH),
        *(column(f"organizations.{n}.department", "department", n) for n in _EACH),
        *(column(f"locations.{n}.buildingId", "location", n) for n in _EACH),
        *(
            FormatColumn(
                f"phones.{n}.value",
                Use.FIELD,
                "office_phone",
                n,
                kind_heading=f"phones.{n}.type",
                kinds=_PHONES,
            )
            for n in _EACH
        ),
        *(FormatColumn(f"phones.{n}.type", says_nothing=tuple(_PHONES)) for n in _EACH),
        *(
            FormatColumn(
                f"relations.{n}.value",
                Use.FIELD,
                "",
                n,
                kind_heading=f"relations.{n}.type",
                kinds={"manager": "manager"},
            )
            for n in _EACH
        ),
        *(FormatColumn(f"relations.{n}.type", says_nothing=("manager",)) for n in _EACH),
        *(column(f"addresses.{n}.streetAddress", "street", n) for n in _EACH),
        *(column(f"addresses.{n}.formatted", "street", n + len(_EACH)) for n in _EACH),
        *(column(f"addresses.{n}.locality", "city", n) for n in _EACH),
        *(column(f"addresses.{n}.region", "state", n) for n in _EACH),
        *(column(f"addresses.{n}.postalCode", "postal_code", n) for n in _EACH),
        *(column(f"addresses.{n}.countryCode", "country", n) for n in _EACH),
        *(column(f"addresses.{n}.country", "country", n + len(_EACH)) for n in _EACH),
        *(FormatColumn(f"aliases.{n}", Use.ALIASES, "aliases", n + 2) for n in range(30)),
        FormatColumn(
            "orgUnitPath",
            says_nothing=("/",),
            reason="orgUnitPath is not imported: there are no organisational units here",
        ),
        *PASSWORDS,
        *EXTRAS,
    ),
    names_make_display_name=True,
)
"""What `gam print users` writes."""
