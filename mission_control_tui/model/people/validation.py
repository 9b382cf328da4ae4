"""What is valid in the details of one user, all problems at once. Uniqueness is the store's to judge."""

from __future__ import annotations

from collections.abc import Callable, Collection, Container, Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache
from urllib.parse import urlsplit

from mission_control_tui.model.errors import InvalidInput, Problem, ProblemCode
from mission_control_tui.model.people.address_syntax import (
    SPECIAL,
    normal_address,
    outside_problems,
    upn_problems,
)
from mission_control_tui.model.people.countries import country_code
from mission_control_tui.model.people.fields import (
    FIELD_BY_NAME,
    FIELDS,
    FORM_COMPULSORY,
    FieldKind,
    UserDetails,
    UserField,
)
from mission_control_tui.model.people.names import FORBIDDEN_IN_USERNAMES
from mission_control_tui.model.people.phones import phone_warning
from mission_control_tui.model.text.characters import name_of, refused_in, tidy
from mission_control_tui.model.text.clean import harmless


@dataclass(frozen=True, slots=True)
class Validated:
    """Cleaned details, what forbids saving them and what only deserves a look; Problem.where is the field's name.

    Cleaned means: spaces around trimmed, text composed (NFC), the country as alpha-2, the external address normalised.
    UPN and phones stay as typed. A field with a problem keeps what was typed.
    """

    details: UserDetails
    problems: tuple[Problem, ...]
    warnings: tuple[Problem, ...]

    def told(self, names: Container[str] | None = None) -> list[str]:
        """Return the warnings in the words of a form, by the labels of their fields; of these fields, where given."""
        return [
            str(replace(warning, where=FIELD_BY_NAME[warning.where].label))
            for warning in self.warnings
            if names is None or warning.where in names
        ]

    def require(self) -> UserDetails:
        """Return the cleaned details. Raises InvalidInput with all problems when there are any."""
        if self.problems:
            raise InvalidInput("These details cannot be saved.", problems=self.problems)
        return self.details


def validate_details(
    details: UserDetails,
    *,
    domains: Collection[str] | None,
    compulsory: AbstractSet[str] = FORM_COMPULSORY,
    special: str = "",
    today: date | None = None,
) -> Validated:
    """Clean and judge `details`; with `today` also whether the account is expired already.

    `domains` are the account's, of which the UPN's must be one; None leaves that to the caller. `compulsory` names the
    fields that may not be empty: FORM_COMPULSORY or IMPORT_COMPULSORY. `special` is that of `upn_problems`.
    """
    problems: list[Problem] = []
    cleaned: dict[str, str] = {}
    for field in _TEXT_FIELDS:
        typed: str = getattr(details, field.name)
        if not typed:
            if field.name in compulsory:
                problems.append(_missing(field))
            continue
        lines = field.kind is FieldKind.LINES
        text = tidy(typed, lines=lines)
        found = list(_problems_of(field, text, domains, field.name in compulsory, lines, special))
        problems += found
        if text and not found and field.kind in _CLEANERS:
            text = _CLEANERS[field.kind](text)
        if text != typed:
            cleaned[field.name] = text
    if cleaned:
        details = replace(details, **cleaned)  # type: ignore[arg-type]
    return Validated(details, tuple(problems), tuple(_warnings(details, today)))


def _problems_of(
    field: UserField,
    text: str,
    domains: Collection[str] | None,
    compulsory: bool,
    lines: bool,
    special: str,
) -> Iterator[Problem]:
    if not text:
        if compulsory:
            yield _missing(field)
        return
    refused = refused_in(text, lines=lines)
    if refused:
        yield Problem(field.name, f"contains {name_of(refused)}", "take it out")
        return
    if len(text) > field.max_length:
        yield Problem(
            field.name, f"has {len(text)} characters, {field.max_length} are allowed", "shorten it"
        )
    if field.kind is FieldKind.UPN:
        yield from upn_problems(text, where=field.name, domains=domains, special=special)
    elif field.kind is FieldKind.USER:
        yield from upn_problems(text, where=field.name, special=SPECIAL)
    elif field.kind in _RULES:
        what, hint = _RULES[field.kind](text)
        if what:
            yield Problem(field.name, what, hint)
        elif field.kind is FieldKind.EMAIL:
            yield from outside_problems(text, where=field.name, special=special)


def _missing(field: UserField) -> Problem:
    return Problem(field.name, "is compulsory", f"give the {field.label}", ProblemCode.MISSING)


def _username_rule(text: str) -> tuple[str, str]:
    refused = [char for char in dict.fromkeys(text) if char in FORBIDDEN_IN_USERNAMES]
    if refused:
        return f"cannot have {' '.join(refused)}", "letters, digits, . - _ are safe everywhere"
    return ("cannot end in a period", "take it off") if text.endswith(".") else ("", "")


def _country_rule(text: str) -> tuple[str, str]:
    if country_code(text) is None:
        return f'"{harmless(text[:40])}" is no country', "a name or ISO code, as Australia or AU"
    return "", ""


def _url_rule(text: str) -> tuple[str, str]:
    hint = "write it as https://www.acme.example"
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        return f"is not a web address: {harmless(str(error))}", hint
    if parts.scheme not in ("http", "https") or not host or " " in text:
        return "is not a web address with http:// or https://", hint
    if parts.username is not None:
        return "contains a user name or a password", hint
    return "", ""


def _email_rule(text: str) -> tuple[str, str]:
    from email_validator import EmailNotValidError

    try:
        _email_clean(text)
    except EmailNotValidError as error:
        what = f"is not an e-mail address: {harmless(str(error)).rstrip('.')}"
        return what, "write it as name@domain"
    return "", ""


@lru_cache(maxsize=16)
def _email_clean(text: str) -> str:
    from email_validator import validate_email

    return validate_email(text.removesuffix("."), check_deliverability=False).normalized


def _warnings(details: UserDetails, today: date | None) -> Iterator[Problem]:
    if today is not None and details.expires_on is not None and details.expires_on < today:
        what = f"{details.expires_on} is past: the account is disabled when a worker looks next"
        yield Problem("expires_on", what, "correct the date if that is not meant")
    for name in _PHONES:
        phone: str = getattr(details, name)
        what = phone_warning(phone, country_code(details.country) or "") if phone else ""
        if what:
            yield Problem(name, f'"{harmless(phone)}" {what}', "kept as typed")
    if details.must_change_password and details.password_never_expires:
        yield Problem(
            "password_never_expires",
            "some systems then do not ask for a new password at next logon",
        )


_TEXT_FIELDS = tuple(
    field for field in FIELDS if field.kind not in (FieldKind.FLAG, FieldKind.DATE)
)
_PHONES = tuple(field.name for field in FIELDS if field.kind is FieldKind.PHONE)
_RULES: dict[FieldKind, Callable[[str], tuple[str, str]]] = {
    FieldKind.USERNAME: _username_rule,
    FieldKind.COUNTRY: _country_rule,
    FieldKind.URL: _url_rule,
    FieldKind.EMAIL: _email_rule,
}
_CLEANERS: dict[FieldKind, Callable[[str], str]] = {
    FieldKind.COUNTRY: lambda text: country_code(text) or text,
    FieldKind.EMAIL: _email_clean,
    FieldKind.UPN: normal_address,
    FieldKind.USER: normal_address,
}
