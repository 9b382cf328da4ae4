"""The types that options and buying fields have, and how text or JSON becomes a value of each."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from mission_control_tui.model.catalogue.lookup import did_you_mean
from mission_control_tui.model.errors import InvalidInput, Problem, ProblemCode
from mission_control_tui.model.people.address_syntax import outside_problems
from mission_control_tui.model.people.countries import country_code
from mission_control_tui.model.text.clean import harmless
from mission_control_tui.model.text.counting import counted
from mission_control_tui.model.text.folding import fold

Value = bool | int | str | list[str] | None
"""What a setting holds: plain JSON, so that a stored value compares equal to a new one."""


class ValueType(StrEnum):
    """Types of options and fields. The last two are meant for buying fields.

    `address` and `addresses` are the user's own: they are kept among the user's aliases, not among the settings.
    `recipient` is where mail goes on to: somebody of the account, or any address elsewhere.
    """

    BOOL = "bool"
    INT = "int"
    TEXT = "text"
    CHOICE = "choice"
    EMAIL = "email"
    EMAILS = "emails"
    ADDRESS = "address"
    ADDRESSES = "addresses"
    RECIPIENT = "recipient"
    DOMAIN = "domain"
    USER = "user"
    USERS = "users"
    HOSTS = "hosts"
    COUNTRY = "country"
    BUSINESS_NUMBER = "business-number"


LIST_TYPES = frozenset({ValueType.EMAILS, ValueType.ADDRESSES, ValueType.USERS, ValueType.HOSTS})
_OUTSIDE = frozenset({ValueType.EMAIL, ValueType.EMAILS, ValueType.RECIPIENT})
REGISTERED = frozenset({ValueType.ADDRESS, ValueType.ADDRESSES})
"""What is kept among a user's aliases."""

_TRUE = frozenset({"yes", "true", "on", "1", "y"})
_FALSE = frozenset({"no", "false", "off", "0", "n"})
_SIZES = {"kb": 1, "mb": 1024, "gb": 1024**2, "tb": 1024**3}
_NUMBER = re.compile(r"([+-]?\d+)\s*([a-z%]*)", re.ASCII)
_SEPARATORS = re.compile(r"[\s,;]+")


class InvalidValue(Exception):
    """A value breaks a rule: `what` the rule, `hint` what to do. Never leaves this package."""

    def __init__(self, what: str, hint: str = "", code: ProblemCode = ProblemCode.INVALID) -> None:
        super().__init__(what)
        self.what = what
        self.hint = hint
        self.code = code


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueRule:
    """What a value must be.

    `minimum` and `maximum` bound a number, the characters of a text, or the entries of a list.
    `choices` are id -> label. `unit` follows a number ("MB"); sizes may be given in a larger unit.
    """

    id: str
    name: str
    type: ValueType
    default: Value = field(default=None, hash=False)
    minimum: int | None = None
    maximum: int | None = None
    choices: Mapping[str, str] = field(default_factory=dict, hash=False)
    unit: str = ""
    required: bool = False
    help: str = ""

    def validate(self, given: object) -> Value:
        """`given` (text as typed, or a JSON value) as a value of this type.

        Raises InvalidInput naming this rule, what is wrong and what to do. None and an empty text
        clear a value that is not required.
        """
        try:
            return self.convert(given)
        except InvalidValue as refused:
            raise InvalidInput(
                f"{self.name}: {refused.what}", hint=refused.hint, problems=[self.problem(refused)]
            ) from refused

    def problem(self, refused: InvalidValue) -> Problem:
        """`refused` as a problem of this rule, to be collected with others."""
        return Problem(self.id, refused.what, refused.hint, refused.code)

    def convert(self, given: object) -> Value:
        """As `validate`, but raises Refused, for callers that collect every problem."""
        if isinstance(given, str):
            given = given.strip()
        if given is None or given == "" or given == []:
            value = self.empty
        else:
            value = _CONVERTERS[self.type](self, given)
        if self.required and value in (None, [], ""):
            raise InvalidValue("is compulsory", self.expected, ProblemCode.MISSING)
        return value

    def told(self, value: object) -> object:
        """A stored value as people read it: a number with its unit, a choice by its label, anything else as it is."""
        if isinstance(value, int) and not isinstance(value, bool) and self.unit:
            return f"{value} {self.unit}"
        return self.choices.get(str(value), value) if self.choices else value

    def outside_problems(
        self, value: Value, special: str, present: Collection[str] = ()
    ) -> list[Problem]:
        """What is wrong with the addresses of a converted value, those that are `present` already excepted.

        `special` are those that the catalogue allows in front of the @.
        """
        if self.type not in _OUTSIDE:
            return []
        return [
            problem
            for address in texts_of(value)
            if address not in present
            for problem in outside_problems(address, where=self.id, special=special)
        ]

    @property
    def empty(self) -> Value:
        """The value that stands for nothing given, where there is no default."""
        if self.type in LIST_TYPES:
            return []
        return False if self.type is ValueType.BOOL else None

    @property
    def initial(self) -> Value:
        """The default, or what stands for nothing."""
        return self.empty if self.default is None else self.default

    @property
    def expected(self) -> str:
        """What may be given, as a short sentence for people."""
        span = _span(self)
        unit = f" of {self.unit}" if self.unit else ""
        words = {
            ValueType.BOOL: "give yes or no",
            ValueType.INT: f"give a whole number{unit}{f',{span}' if span else ''}",
            ValueType.TEXT: f"give a text{f' of{span} characters' if span else ''}",
            ValueType.CHOICE: f"choose one of: {', '.join(self.choices)}",
            ValueType.EMAIL: "give an e-mail address such as name@example.com",
            ValueType.EMAILS: f"give{span or ' any number of'} e-mail addresses, separated by commas",
            ValueType.ADDRESS: "give an address in a domain of this account",
            ValueType.ADDRESSES: f"give{span or ' any number of'} addresses in domains of this account,"
            " separated by commas",
            ValueType.RECIPIENT: "give the UPN of a user, the address of a group, or any address elsewhere",
            ValueType.DOMAIN: "give a domain name such as example.com",
            ValueType.USER: "give the UPN of a user of this account",
            ValueType.USERS: f"give{span or ' any number of'} UPNs of users, separated by commas",
            ValueType.HOSTS: f"give{span or ' any number of'} host names, separated by commas",
            ValueType.COUNTRY: "give a country by its two letters or its English name",
            ValueType.BUSINESS_NUMBER: "give an ABN (11 digits) or an ACN (9 digits)",
        }
        return words[self.type]


def texts_of(value: Value) -> Sequence[str]:
    """Return the texts that a value is or has."""
    if isinstance(value, list):
        return value
    return [value] if isinstance(value, str) and value else []


def _span(rule: ValueRule) -> str:
    if rule.minimum is not None and rule.maximum is not None:
        return f" {rule.minimum} to {rule.maximum}"
    if rule.minimum is not None:
        return f" at least {rule.minimum}"
    if rule.maximum is not None:
        return f" at most {rule.maximum}"
    return ""


def _bounded(rule: ValueRule, amount: int, what: str) -> None:
    if rule.minimum is not None and amount < rule.minimum:
        raise InvalidValue(f"{what} is below the minimum of {rule.minimum}", rule.expected)
    if rule.maximum is not None and amount > rule.maximum:
        raise InvalidValue(f"{what} is above the maximum of {rule.maximum}", rule.expected)


def _shown(given: object) -> str:
    text = harmless(str(given))
    return repr(text if len(text) <= 60 else text[:57] + "...")


def _as_bool(rule: ValueRule, given: object) -> Value:
    if isinstance(given, bool):
        return given
    word = str(given).casefold() if isinstance(given, str | int) else ""
    if word in _TRUE | _FALSE:
        return word in _TRUE
    raise InvalidValue(f"{_shown(given)} is neither yes nor no", rule.expected)


def _as_int(rule: ValueRule, given: object) -> Value:
    if isinstance(given, int) and not isinstance(given, bool):
        number = given
    else:
        match = _NUMBER.fullmatch(given.casefold()) if isinstance(given, str) else None
        # Python refuses to convert longer digits (sys.int_info), and no limit is that large.
        if match is None or len(match[1]) > 18:
            raise InvalidValue(f"{_shown(given)} is not a whole number", rule.expected)
        number = int(match[1]) * _unit_factor(rule, match[2])
    _bounded(rule, number, f"{number}{f' {rule.unit}' if rule.unit else ''}")
    return number


def _unit_factor(rule: ValueRule, given: str) -> int:
    own = rule.unit.casefold()
    if given in ("", own):
        return 1
    if own in _SIZES and _SIZES.get(given, 0) >= _SIZES[own]:
        return _SIZES[given] // _SIZES[own]
    raise InvalidValue(f"the unit {_shown(given)} is not known here", rule.expected)


def _text(rule: ValueRule, given: object) -> str:
    if not isinstance(given, str):
        raise InvalidValue(f"{_shown(given)} is not a text", rule.expected)
    if harmless(given) != given:
        raise InvalidValue("it has control or invisible characters", "type it again without them")
    return given


def _as_text(rule: ValueRule, given: object) -> Value:
    text = _text(rule, given)
    _bounded(rule, len(text), f"a length of {counted(len(text), 'character')}")
    return text


def _as_choice(rule: ValueRule, given: object) -> Value:
    text = _text(rule, given)
    wanted = fold(text)
    for choice, label in rule.choices.items():
        if wanted in (fold(choice), fold(label)):
            return choice
    guess = did_you_mean(text, [*rule.choices, *rule.choices.values()])
    raise InvalidValue(f"there is no choice {_shown(text)}", f"{guess} {rule.expected}".strip())


def email(text: str) -> str:
    """`text` as a normalised e-mail address (domain in lower case); Refused otherwise."""
    from email_validator import EmailNotValidError, validate_email

    try:
        # The reserved .test domain is allowed because the sample account and trials use it.
        found = validate_email(
            text.removesuffix("."), check_deliverability=False, test_environment=True
        )
    except EmailNotValidError as error:
        raise InvalidValue(
            f"{_shown(text)} is not an e-mail address: {harmless(str(error))}",
            "give an address such as name@example.com",
        ) from error
    return found.normalized


def domain(text: str) -> str:
    """`text` as a domain name of at least two labels, lower case, in its ASCII (IDNA 2008) form."""
    import idna

    from mission_control_tui.model.text.idna_errors import why_not

    bare = text.strip().rstrip(".").removeprefix("@")
    try:
        name = idna.encode(bare, uts46=True, std3_rules=True).decode("ascii")
    except idna.IDNAError as error:
        raise InvalidValue(
            f"{_shown(text)} is not a domain name: {why_not(error)}",
            "give a name such as example.com: letters, digits and hyphens between dots",
        ) from error
    if "." not in name or name.rpartition(".")[2].isdigit():
        raise InvalidValue(
            f"{_shown(text)} is not a full domain name", "add its ending, such as .com"
        )
    return name


def _user(rule: ValueRule, text: str) -> str:
    text = _text(rule, text)
    if _SEPARATORS.search(text):
        raise InvalidValue(f"{_shown(text)} is not one user", rule.expected)
    return text


def _country(rule: ValueRule, text: str) -> str:
    from iso3166 import countries_by_numeric

    if code := country_code(text):
        return code
    if numbered := countries_by_numeric.get(text):
        return numbered.alpha2
    raise InvalidValue(f"{_shown(text)} is not a country", rule.expected)


def _business_number(rule: ValueRule, text: str) -> str:
    from stdnum.au import abn, acn
    from stdnum.exceptions import InvalidChecksum, ValidationError

    kind = abn if sum(char.isdigit() for char in text) > 9 else acn
    try:
        return str(kind.validate(text))
    except ValidationError as error:
        checksum = isinstance(error, InvalidChecksum)
        why = "its check digits do not agree" if checksum else "an ABN has 11 digits, an ACN 9"
        what = f"{_shown(text)} is neither a valid ABN nor a valid ACN: {why}"
        raise InvalidValue(what, rule.expected) from error


def _single(convert: Callable[[ValueRule, str], str]) -> Callable[[ValueRule, object], Value]:
    return lambda rule, given: convert(rule, _text(rule, given))


def _several(convert: Callable[[ValueRule, str], str]) -> Callable[[ValueRule, object], Value]:
    def as_list(rule: ValueRule, given: object) -> Value:
        entries = _SEPARATORS.split(given) if isinstance(given, str) else given
        if not isinstance(entries, list | tuple):
            raise InvalidValue(f"{_shown(given)} is not a list", rule.expected)
        found: dict[str, str] = {}
        for entry in entries:
            text = _text(rule, entry).strip()
            if text:
                value = convert(rule, text)
                found.setdefault(value.casefold(), value)
        _bounded(rule, len(found), f"the number of entries, {len(found)},")
        return list(found.values())

    return as_list


_CONVERTERS: dict[ValueType, Callable[[ValueRule, object], Value]] = {
    ValueType.BOOL: _as_bool,
    ValueType.INT: _as_int,
    ValueType.TEXT: _as_text,
    ValueType.CHOICE: _as_choice,
    ValueType.EMAIL: _single(lambda _, text: email(text)),
    ValueType.EMAILS: _several(lambda _, text: email(text)),
    ValueType.ADDRESS: _single(lambda _, text: email(text)),
    ValueType.ADDRESSES: _several(lambda _, text: email(text)),
    ValueType.RECIPIENT: _single(lambda _, text: email(text)),
    ValueType.DOMAIN: _single(lambda _, text: domain(text)),
    ValueType.USER: _single(_user),
    ValueType.USERS: _several(_user),
    ValueType.HOSTS: _several(lambda _, text: domain(text)),
    ValueType.COUNTRY: _single(_country),
    ValueType.BUSINESS_NUMBER: _single(_business_number),
}
