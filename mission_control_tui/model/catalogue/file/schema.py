"""The keys of a catalogue file, their types and limits. Importing this costs pydantic: parse.py does it late.

Each class mirrors a dataclass of types.py; what spans several tables is checked in references.py.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError

from mission_control_tui.model.catalogue.lookup import did_you_mean
from mission_control_tui.model.catalogue.types import (
    USER_MEMBER,
    AddressUse,
    ApprovalRule,
    OptionGroup,
    PasswordUse,
    PurchaseKind,
)
from mission_control_tui.model.catalogue.values import ValueType
from mission_control_tui.model.people.address_syntax import SPECIAL
from mission_control_tui.model.states import SubjectKind
from mission_control_tui.model.text.characters import IDENTIFIER
from mission_control_tui.model.text.clean import harmless

_LARGEST = 10**12


def _refuse(expected: str, found: object) -> PydanticCustomError:
    return PydanticCustomError(
        "catalogue", "{text}", {"text": f"expected {expected}, found {found}"}
    )


def _one_of(kind: type[StrEnum]) -> Callable[[str], str]:
    def check(word: str) -> str:
        if word not in list(kind):
            guess = did_you_mean(word, kind)
            raise _refuse(f"one of {', '.join(kind)}", f"{word!r}. {guess}".rstrip(". "))
        return word

    return check


def _id(text: str) -> str:
    if not IDENTIFIER.fullmatch(text):
        raise _refuse("lower-case letters and digits, with single hyphens between", repr(text))
    return text


def _clean(text: str) -> str:
    if harmless(text) != text:
        raise _refuse("one line without control or invisible characters", repr(text))
    if text != text.strip():
        raise _refuse("no blanks at either end", repr(text))
    return text


def _special(text: str) -> str:
    if wrong := [char for char in text if char not in SPECIAL]:
        raise _refuse(f"some of the characters {SPECIAL}", repr(wrong[0]))
    return text


def _limit(value: object) -> object:
    is_words = isinstance(value, list) and all(isinstance(entry, str) for entry in value)
    if not (is_words or isinstance(value, bool | int | str)):
        raise _refuse("a text, a whole number, true or false, or a list of texts", kind_of(value))
    if isinstance(value, int) and abs(value) > _LARGEST:
        raise _refuse(f"a number up to {_LARGEST}", value)
    return value


def _term(months: str) -> str:
    if not (months.isascii() and months.isdigit() and 1 <= int(months[:5]) <= 120):
        raise _refuse("a term in months from 1 to 120 as the key", repr(months))
    return str(int(months))


_KINDS: dict[type, str] = {
    bool: "true or false",
    int: "a whole number",
    float: "a number with a fraction",
    str: "a text",
    list: "a list",
    dict: "a table",
}


def kind_of(value: object) -> str:
    """Return what a TOML value is, for people: "a text", "a table"."""
    return _KINDS.get(type(value), "a date or time")


Id = Annotated[str, Field(min_length=1, max_length=40), AfterValidator(_id)]
Text = Annotated[str, Field(max_length=500), AfterValidator(_clean)]
Name = Annotated[str, Field(min_length=1, max_length=80), AfterValidator(_clean)]
Minor = Annotated[int, Field(ge=0, le=_LARGEST)]
Prices = dict[Annotated[str, AfterValidator(_term)], Minor]
Default = Annotated[
    Any, AfterValidator(lambda value: value if isinstance(value, list) else _limit(value))
]
Bound = Annotated[int, Field(ge=-_LARGEST, le=_LARGEST)]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class _NamedTable(_Table):
    id: Id
    name: Name


class _DescribedTable(_NamedTable):
    description: Text = ""


class OverrideTable(_Table):
    default: Default = None
    minimum: Bound | None = None
    maximum: Bound | None = None


class _RuleTable(_NamedTable):
    type: Annotated[str, AfterValidator(_one_of(ValueType))]
    default: Default = None
    minimum: Bound | None = None
    maximum: Bound | None = None
    choices: dict[Name, Name] = {}
    unit: Text = ""
    required: bool = False
    help: Text = ""


class OptionTable(_RuleTable):
    group: Annotated[str, AfterValidator(_one_of(OptionGroup))] = OptionGroup.SETTINGS
    unique: bool | None = None
    copy_option: str = ""
    levels: list[str] = []
    per_level: dict[str, OverrideTable] = {}


class OrderFieldTable(_RuleTable):
    page: Name
    extensions: list[str] = []


class LevelTable(_DescribedTable):
    withdrawn: bool = False
    rank: Annotated[int, Field(ge=0, le=1000)] = 0
    limits: dict[str, Annotated[Any, AfterValidator(_limit)]] = {}


class RoleTable(_Table):
    id: Annotated[str, Field(min_length=1, max_length=16), AfterValidator(_id)]
    name: Name
    help: Text = ""
    accepts: Annotated[list[str], Field(min_length=1)] = [USER_MEMBER]
    requires: list[str] = []
    maximum: Annotated[int, Field(ge=1, le=_LARGEST)] | None = None
    gets_mail: bool | None = None


class ServiceTable(_DescribedTable):
    subject: Annotated[str, AfterValidator(_one_of(SubjectKind))] = SubjectKind.USER
    connector: Name
    requires: list[str] = []
    password: Annotated[str, AfterValidator(_one_of(PasswordUse))] = PasswordUse.NONE
    instances: Annotated[int, Field(ge=1, le=1000)] = 1
    seats: bool = True
    visible: bool = True
    name_limit: Annotated[int, Field(ge=16, le=1024)] = 255
    name_pattern: Name
    levels: Annotated[list[LevelTable], Field(min_length=1)]
    options: list[OptionTable] = []
    address: Annotated[str, AfterValidator(_one_of(AddressUse))] = AddressUse.OWN
    included_with: list[str] = []
    roles: list[RoleTable] = []
    retention_days: Annotated[int, Field(ge=0, le=3650)] = 0


class ProductLevelTable(_DescribedTable):
    group: Text = ""
    grants_service: str
    grants_level: str
    prices: Prices = {}
    withdrawn: bool = False


class ExtensionTable(_NamedTable):
    prices: Prices
    withdrawn: bool = False


class ProductTable(_DescribedTable):
    buys: Annotated[str, AfterValidator(_one_of(PurchaseKind))] = PurchaseKind.SEATS
    buy_label: Name = "BUY"
    level_first: bool = False
    approval: Annotated[str, AfterValidator(_one_of(ApprovalRule))] = ApprovalRule.NEVER
    terms: Annotated[list[Annotated[int, Field(ge=1, le=120)]], Field(min_length=1)]
    min_quantity: Annotated[int, Field(ge=1, le=_LARGEST)] = 1
    max_quantity: Annotated[int, Field(ge=1, le=_LARGEST)] = 1000
    withdrawn: bool = False
    levels: Annotated[list[ProductLevelTable], Field(min_length=1)]
    extensions: list[ExtensionTable] = []
    fields: list[OrderFieldTable] = []


class TaxTable(_Table):
    name: Name
    basis_points: Annotated[int, Field(ge=0, le=100_000)]


class CatalogueFile(_Table):
    """The whole file."""

    format: Literal[1]
    currency: str
    prices_are_examples: bool = False
    address_characters: Annotated[str, AfterValidator(_special)] = ""
    tax: TaxTable
    products: Annotated[list[ProductTable], Field(min_length=1)]
    services: Annotated[list[ServiceTable], Field(min_length=1)]
