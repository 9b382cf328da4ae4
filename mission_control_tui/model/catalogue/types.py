"""What is sold and what is provisioned, as frozen data: products, services, levels, options, fields.

Every lookup takes an id or a name, case-insensitively, and raises NotFound with what exists.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, fields, replace
from enum import StrEnum
from typing import TypeVar

from mission_control_tui.model.catalogue.lookup import did_you_mean, find
from mission_control_tui.model.catalogue.values import (
    REGISTERED,
    InvalidValue,
    Value,
    ValueRule,
    ValueType,
)
from mission_control_tui.model.errors import InvalidInput, NotFound, Problem
from mission_control_tui.model.money import Money
from mission_control_tui.model.states import SubjectKind

V = TypeVar("V")

Limit = bool | int | str | list[str]
"""What a level hands to its connector under one name."""


class OptionGroup(StrEnum):
    """Under which heading of the service's panel an option stands."""

    ADVANCED = "advanced"
    SETTINGS = "settings"


class PasswordUse(StrEnum):
    """Which password the back end gets: none, the user's, or a generated one of its own.

    With `DIRECTORY` it gets none, because it asks the directory who signs in.
    """

    NONE = "none"
    USER = "user"
    OWN = "own"
    DIRECTORY = "directory"


class AddressUse(StrEnum):
    """Whose mail address an object has: one in a domain of its account, or somebody's elsewhere."""

    OWN = "own"
    EXTERNAL = "external"


class PurchaseKind(StrEnum):
    """What an order of a product brings: one domain name, or seats of a level."""

    DOMAIN = "domain"
    SEATS = "seats"


class ApprovalRule(StrEnum):
    """Which purchases of a product wait for a person: none, all, or those of names that nobody said to be free."""

    NEVER = "never"
    UNCHECKED = "unchecked"
    ALWAYS = "always"


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """What one level changes of an option; None leaves the option's own."""

    default: Value = field(default=None, hash=False)
    minimum: int | None = None
    maximum: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Option(ValueRule):
    """One setting of a service. Without `levels` every level has it.

    A `unique` value has one instance in the whole installation; unsaid, domains are. `copy_option` is the id of the
    bool that says whether what is sent on to a recipient stays here too.
    """

    group: OptionGroup = OptionGroup.SETTINGS
    unique: bool | None = None
    copy_option: str = ""
    levels: tuple[str, ...] = ()
    per_level: Mapping[str, Override] = field(default_factory=dict, hash=False)

    @property
    def is_unique(self) -> bool:
        """Whether no two instances in the installation may have the same value."""
        return self.type is ValueType.DOMAIN if self.unique is None else self.unique

    def for_level(self, level_id: str) -> Option:
        """This option with what the level overrides."""
        override = self.per_level.get(level_id)
        if override is None:
            return self
        stated = {field.name: getattr(override, field.name) for field in fields(override)}
        return replace(self, **{name: value for name, value in stated.items() if value is not None})


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """A grade of a service. A withdrawn one stays for its holders; `rank` grows with what it offers."""

    id: str
    name: str
    description: str = ""
    withdrawn: bool = False
    rank: int = 0
    limits: Mapping[str, Limit] = field(default_factory=dict, hash=False)


USER_MEMBER = "user"
"""What stands for users in `Role.accepts`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """What a member can be to an object. `accepts` are `USER_MEMBER` and ids of services of objects.

    `requires` are services that a user must have to be one; `maximum` is how many there may be. `gets_mail`: mail to
    the object goes on to who has the role; unsaid, where it accepts other objects.
    """

    id: str
    name: str
    help: str = ""
    accepts: tuple[str, ...] = (USER_MEMBER,)
    requires: tuple[str, ...] = ()
    maximum: int | None = None
    gets_mail: bool | None = None

    @property
    def mailed(self) -> bool:
        """Whether mail to the object goes on to its members in this role."""
        if self.gets_mail is None:
            return any(kind != USER_MEMBER for kind in self.accepts)
        return self.gets_mail


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """What can be provisioned to a subject.

    `connector` is the name of a connector in the settings. `requires` are services that must be
    provisioned first, to the same user or to the user's domain. `instances` is how many one subject
    may have. What is deprovisioned stays suspended at the back end for `retention_days`.
    `name_limit` is in bytes; `name_pattern` has the placeholders of backend_names.py.

    Only a service of objects has an `address`, services of which the account must own seats
    (`included_with`), and `roles` of members.
    """

    id: str
    name: str
    description: str = ""
    subject: SubjectKind = SubjectKind.USER
    connector: str = "simulator"
    requires: tuple[str, ...] = ()
    password: PasswordUse = PasswordUse.NONE
    instances: int = 1
    seats: bool = True
    visible: bool = True
    name_limit: int = 255
    name_pattern: str = "{upn}"
    levels: tuple[Level, ...] = ()
    options: tuple[Option, ...] = ()
    address: AddressUse = AddressUse.OWN
    included_with: tuple[str, ...] = ()
    roles: tuple[Role, ...] = ()
    retention_days: int = 0

    @property
    def gets_password(self) -> bool:
        """Whether the back end gets a password."""
        return self.password in (PasswordUse.USER, PasswordUse.OWN)

    @property
    def sign_in(self) -> str:
        """How users sign in where the service has no password, as a directory does that for it; "" elsewhere."""
        if self.password is not PasswordUse.DIRECTORY:
            return ""
        return f"{self.name}: users sign in with their directory account."

    def level(self, key: str) -> Level:
        """Return the level with this id or name."""
        return find(self.levels, key, "level", of=f"service {self.id}")

    def option(self, key: str) -> Option:
        """Return the option with this id or name, as it is before any level overrides it."""
        return find(self.options, key, "option", of=f"service {self.id}")

    def role(self, key: str) -> Role:
        """Return the role of members with this id or name."""
        return find(self.roles, key, "role", of=f"service {self.id}")

    def options_for(self, level: str) -> tuple[Option, ...]:
        """Return the options that are settings of the level, with its own defaults and limits, in the file's order."""
        return tuple(option for option in self._offered_at(level) if option.type not in REGISTERED)

    def address_options_for(self, level: str) -> tuple[Option, ...]:
        """Return the options of the level that are kept among the user's aliases."""
        return tuple(option for option in self._offered_at(level) if option.type in REGISTERED)

    def _offered_at(self, level: str) -> Iterator[Option]:
        level_id = self.level(level).id
        for option in self.options:
            if not option.levels or level_id in option.levels:
                yield option.for_level(level_id)

    def addresses_in(self, level: str, given: Mapping[str, object]) -> dict[str, Value]:
        """Return what is given for the user's aliases: option id -> address or addresses. Raises InvalidInput."""
        options = {option.id: option for option in self.address_options_for(level)}
        named = {self.option(key).id: value for key, value in given.items()}
        return {key: options[key].validate(named[key]) for key in options if key in named}

    def stated_settings(
        self, level: str, settings: Mapping[str, V], stated: Iterable[str] | None
    ) -> dict[str, V]:
        """Return the settings that go along to another level: those `stated`, or other than the level's own (None)."""
        if stated is not None:
            return {name: settings[name] for name in stated if name in settings}
        try:
            usual = {option.id: option.initial for option in self.options_for(level)}
        except NotFound:
            return dict(settings)
        return {
            name: value
            for name, value in settings.items()
            if name not in usual or value != usual[name]
        }

    def validate_settings(
        self,
        level: str,
        given: Mapping[str, object],
        previous: Mapping[str, Value] | None = None,
    ) -> dict[str, Value]:
        """Return the complete settings of one instance at `level`: option id -> value.

        Each option takes what is given (by id or name), else its previous value where the level
        still allows that, else its default. Raises InvalidInput with every problem at once.
        """
        registered = self.address_options_for(level)
        options = (*self.options_for(level), *registered)
        answers, problems = self._sorted_answers(level, options, given)
        settings: dict[str, Value] = {}
        for option in options:
            try:
                if option in registered:
                    # What could not become an alias when such options came up stays until it is settled.
                    if option.id in answers:
                        option.convert(answers[option.id])
                    elif kept := (previous or {}).get(option.id):
                        settings[option.id] = kept
                elif option.id in answers:
                    settings[option.id] = option.convert(answers[option.id])
                else:
                    settings[option.id] = _kept_or_default(option, previous or {})
            except InvalidValue as refused:
                problems.append(option.problem(refused))
        if problems:
            raise InvalidInput(
                f"{len(problems)} of the settings of {self.name} cannot be used.", problems=problems
            )
        return settings

    def _sorted_answers(
        self, level: str, options: tuple[Option, ...], given: Mapping[str, object]
    ) -> tuple[dict[str, object], list[Problem]]:
        answers: dict[str, object] = {}
        problems: list[Problem] = []
        had = {option.id for option in options}
        for key, value in given.items():
            try:
                option = self.option(key)
            except NotFound:
                names = [option.id for option in options]
                hint = did_you_mean(key, names) or f"There are: {', '.join(names) or 'none'}."
                problems.append(Problem(key, f"{self.name} has no such option", hint))
                continue
            if option.id not in had:
                what = f"the level {self.level(level).name} does not have it"
                problems.append(Problem(option.id, what, "leave it out, or choose another level"))
            elif option.id in answers:
                problems.append(Problem(option.id, "it is given twice", "give it once"))
            else:
                answers[option.id] = value
        return answers, problems


def _kept_or_default(option: Option, previous: Mapping[str, Value]) -> Value:
    if option.id in previous:
        # What does not fit falls back to the default: the plan shows both before it is applied.
        with suppress(InvalidValue):
            return option.convert(previous[option.id])
    return option.convert(option.initial)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductLevel:
    """What is bought: it grants seats of a service's level.

    `prices` are months -> minor units for one seat over that whole term, without tax; empty where
    the product's extensions have the prices. `group` is a heading over the levels ("PostgreSQL").
    """

    id: str
    name: str
    description: str = ""
    group: str = ""
    grants_service: str
    grants_level: str
    prices: Mapping[int, int] = field(default_factory=dict, hash=False)
    withdrawn: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Extension:
    """The ending of domain names (".com.au") with its own prices: months -> minor units, without tax."""

    id: str
    name: str
    prices: Mapping[int, int] = field(default_factory=dict, hash=False)
    withdrawn: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderField(ValueRule):
    """One question of the buy flow, on the page named `page`; only for `extensions`, if it names any."""

    page: str = ""
    extensions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """What an account can buy. `terms` are in months; `level_first` keeps BUY shut until a level is chosen.

    `approval` says which orders wait for a person, beside those above an account's limit.
    """

    id: str
    name: str
    description: str = ""
    buys: PurchaseKind = PurchaseKind.SEATS
    buy_label: str = "BUY"
    level_first: bool = False
    approval: ApprovalRule = ApprovalRule.NEVER
    terms: tuple[int, ...] = (1,)
    min_quantity: int = 1
    max_quantity: int = 1000
    withdrawn: bool = False
    levels: tuple[ProductLevel, ...] = ()
    extensions: tuple[Extension, ...] = ()
    fields: tuple[OrderField, ...] = ()

    def level(self, key: str) -> ProductLevel:
        """Return the level with this id or name."""
        return find(self.levels, key, "level", of=f"product {self.id}")

    def extension(self, key: str) -> Extension:
        """Return the extension with this id or name; the dot in front may be missing."""
        by_name = [ending for ending in self.extensions if ending.name == f".{key}".casefold()]
        return by_name[0] if by_name else find(self.extensions, key, "extension", of=self.name)

    def extension_of(self, domain: str) -> Extension:
        """Return the longest extension that `domain` ends with."""
        fitting = [ending for ending in self.extensions if domain.casefold().endswith(ending.name)]
        if not fitting:
            sold = ", ".join(ending.name for ending in self.extensions if not ending.withdrawn)
            raise NotFound(f"{domain} has no ending that is sold here.", hint=f"There are: {sold}.")
        return max(fitting, key=lambda ending: len(ending.name))

    def fields_for(self, extension: str | None = None) -> tuple[OrderField, ...]:
        """Return the questions to ask, in order, for a domain with this extension (id or name), or for none."""
        chosen = self.extension(extension).id if extension else None
        return tuple(
            asked for asked in self.fields if not asked.extensions or chosen in asked.extensions
        )

    def validate_fields(
        self, given: Mapping[str, object], extension: str | None = None
    ) -> dict[str, Value]:
        """Return all answers of a purchase, field id -> value, with defaults; every problem at once."""
        asked = self.fields_for(extension)
        known = [question.id for question in asked]
        problems = [
            Problem(key, f"{self.name} does not ask for it", did_you_mean(key, known))
            for key in given
            if key not in known
        ]
        answers: dict[str, Value] = {}
        for question in asked:
            try:
                answer = given.get(question.id, question.initial)
                answers[question.id] = question.convert(answer)
            except InvalidValue as refused:
                problems.append(question.problem(refused))
        if problems:
            raise InvalidInput(
                f"{len(problems)} of the answers for {self.name} cannot be used.", problems=problems
            )
        return answers


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalogue:
    """Everything that is sold and provisioned. `tax_basis_points` are ten-thousandths: 1000 is 10 %.

    `address_characters` may stand in new addresses before the @, beside what is safe everywhere.
    """

    currency: str
    tax_name: str
    tax_basis_points: int
    prices_are_examples: bool = False
    address_characters: str = ""
    products: tuple[Product, ...] = ()
    services: tuple[Service, ...] = ()

    def money(self, minor: int) -> Money:
        """`minor` units of this catalogue's currency."""
        return Money(minor, self.currency)

    def product(self, key: str) -> Product:
        """Return the product with this id or name."""
        return find(self.products, key, "product")

    def service(self, key: str) -> Service:
        """Return the service with this id or name."""
        return find(self.services, key, "service")

    def is_one_per_account(self, level: ProductLevel) -> bool:
        """Tell whether what a level grants is the account's own, which it has once."""
        return self.service(level.grants_service).subject is SubjectKind.ACCOUNT

    def most(self, product: Product) -> int:
        """Return how many of a product an account buys with one order."""
        once = product.levels and all(map(self.is_one_per_account, product.levels))
        return 1 if once else product.max_quantity

    @property
    def kinds(self) -> tuple[Service, ...]:
        """The services of objects: the kinds of object that there are."""
        return tuple(kind for kind in self.services if kind.subject is SubjectKind.OBJECT)

    @property
    def registrations(self) -> frozenset[str]:
        """The ids of the services that a bought domain comes with."""
        return frozenset(
            level.grants_service
            for product in self.products
            if product.buys is PurchaseKind.DOMAIN
            for level in product.levels
        )

    def kind(self, key: str) -> Service:
        """Return the kind of object with this id or name."""
        return find(self.kinds, key, "kind")

    def granting(self, service: str, level: str) -> tuple[tuple[Product, ProductLevel], ...]:
        """Return the products and their levels that grant seats of this service's level, withdrawn ones last."""
        wanted = self.service(service)
        level_id = wanted.level(level).id
        found = [
            (product, sold)
            for product in self.products
            for sold in product.levels
            if (sold.grants_service, sold.grants_level) == (wanted.id, level_id)
        ]
        found.sort(key=lambda pair: pair[0].withdrawn or pair[1].withdrawn)
        return tuple(found)

    def requirements(self, service: str) -> tuple[Service, ...]:
        """Return the services that must be provisioned before this one, the first needed first."""
        ordered: dict[str, Service] = {}

        def visit(wanted: Service) -> None:
            for required in wanted.requires:
                if required not in ordered:
                    visit(self.service(required))
                    ordered[required] = self.service(required)

        visit(self.service(service))
        return tuple(ordered.values())
