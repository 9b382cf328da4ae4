"""What loading another catalogue would change, for whom, and what it must not do."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, TypeVar

from mission_control_tui.model.catalogue.lookup import NamedItem
from mission_control_tui.model.catalogue.types import (
    Catalogue,
    Level,
    Option,
    Product,
    ProductLevel,
    Service,
)

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Touches = tuple[tuple[str, str], ...]
"""(service id, level id) of the holders that a change concerns."""


class ChangeKind(StrEnum):
    """What becomes of one thing of the catalogue."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"
    WITHDRAWN = "withdrawn"
    OFFERED_AGAIN = "offered again"


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogueChange:
    """One difference. `path` reads "service databases > level small > limits"; texts are for people.

    `touches` are the levels whose holders it concerns: the store knows who they are.
    """

    kind: ChangeKind
    path: str
    before: str = ""
    after: str = ""
    consequence: str = ""
    touches: Touches = ()


_ONLY_NEW = "Only what is provisioned from now on; present holders keep theirs."
_NEXT_LOOK = "Present holders are brought to it when they are next provisioned or compared."
_LABEL = "Only what people read."
_PRICE = "New orders only; orders keep the price they were made with."

_CONSEQUENCES: dict[tuple[str, str], str] = {
    ("service", "connector"): "The lights of its holders turn to not checked until compared.",
    ("service", "requires"): "Checked at the next provisioning of each holder.",
    ("service", "name_limit"): _ONLY_NEW,
    ("service", "name_pattern"): _ONLY_NEW,
    ("service", "password"): _NEXT_LOOK,
    ("service", "instances"): "Nobody loses an instance; it limits new ones.",
    ("service", "seats"): "Seats are counted differently from now on.",
    ("service", "visible"): "The service appears or disappears in the users' panels.",
    ("service", "included_with"): "Asked when one is made; present ones stay.",
    ("role", "accepts"): "Asked when a member is added; present members stay.",
    ("role", "requires"): "Asked when a member is added; present members stay.",
    ("role", "maximum"): "Asked when a member is added; present members stay.",
    ("level", "limits"): _NEXT_LOOK,
    ("level", "rank"): "Which level counts as the higher one.",
    ("option", "default"): "Holders keep the values they have.",
    ("option", "minimum"): "Values outside are refused at the holders' next change.",
    ("option", "maximum"): "Values outside are refused at the holders' next change.",
    ("option", "choices"): "A value that is gone falls back to the default at the next change.",
    ("option", "levels"): "Levels gain or lose the option at the holders' next change.",
    ("option", "per_level"): "Holders keep values that still fit.",
    ("option", "required"): "Holders without a value are asked at their next change.",
    ("product level", "prices"): _PRICE,
    ("product level", "grants_service"): "New seats only.",
    ("product level", "grants_level"): "New seats only.",
    ("extension", "prices"): _PRICE,
    ("product", "terms"): "New orders only.",
    ("catalogue", "currency"): "New orders only; past orders keep theirs.",
    ("catalogue", "tax_basis_points"): "New orders only; past orders keep theirs.",
    ("catalogue", "prices_are_examples"): "Screens start or stop saying that prices are examples.",
}
_ON_ADDING = {
    "option": "Holders take its default at their next change.",
    "level": "Can be given once a product that grants it was bought.",
    "service": "Can be given once a product that grants it was bought.",
}
_LABELS = frozenset({"name", "description", "help", "unit", "group", "buy_label", "tax_name"})
_WITHOUT_TOUCH = _LABELS | {
    "instances",
    "visible",
    "rank",
    "name_limit",
    "name_pattern",
    "prices",
    "terms",
    "grants_service",
    "grants_level",
}

NamedT = TypeVar("NamedT", bound=NamedItem)


def diff(old: Catalogue, new: Catalogue) -> tuple[CatalogueChange, ...]:
    """Return every difference, products first, in the order of the files; nothing where they are equal."""
    return tuple(_changes(old, new))


def _changes(old: Catalogue, new: Catalogue) -> Iterator[CatalogueChange]:
    yield from _attributes("", "catalogue", old, new, ())
    yield from _siblings("", "product", old.products, new.products, _product, lambda _: ())
    yield from _siblings("", "service", old.services, new.services, _service, _levels_of)


def _levels_of(service: Service) -> Touches:
    return tuple((service.id, level.id) for level in service.levels)


def _product(path: str, old: Product, new: Product) -> Iterator[CatalogueChange]:
    yield from _attributes(path, "product", old, new, ())
    yield from _siblings(
        path,
        "level",
        old.levels,
        new.levels,
        lambda inner, a, b: _attributes(inner, "product level", a, b, _grants(a)),
        _grants,
    )
    yield from _siblings(
        path,
        "extension",
        old.extensions,
        new.extensions,
        lambda inner, a, b: _attributes(inner, "extension", a, b, ()),
        lambda _: (),
    )
    yield from _siblings(
        path,
        "field",
        old.fields,
        new.fields,
        lambda inner, a, b: _attributes(inner, "field", a, b, ()),
        lambda _: (),
    )


def _grants(level: ProductLevel) -> Touches:
    return ((level.grants_service, level.grants_level),)


def _service(path: str, old: Service, new: Service) -> Iterator[CatalogueChange]:
    yield from _attributes(path, "service", old, new, _levels_of(old))

    def of_level(level: Level) -> Touches:
        return ((old.id, level.id),)

    def of_option(option: Option) -> Touches:
        return tuple(
            (old.id, level.id)
            for level in old.levels
            if not option.levels or level.id in option.levels
        )

    yield from _siblings(
        path,
        "level",
        old.levels,
        new.levels,
        lambda inner, a, b: _attributes(inner, "level", a, b, of_level(a)),
        of_level,
    )
    yield from _siblings(
        path,
        "option",
        old.options,
        new.options,
        lambda inner, a, b: _attributes(
            inner, "option", a, b, tuple(dict.fromkeys((*of_option(a), *of_option(b))))
        ),
        of_option,
    )
    yield from _siblings(
        path,
        "role",
        old.roles,
        new.roles,
        lambda inner, a, b: _attributes(inner, "role", a, b, _levels_of(old)),
        lambda _: _levels_of(old),
    )


def _siblings(
    path: str,
    kind: str,
    old: tuple[NamedT, ...],
    new: tuple[NamedT, ...],
    inside: Callable[[str, NamedT, NamedT], Iterator[CatalogueChange]],
    touches: Callable[[NamedT], Touches],
) -> Iterator[CatalogueChange]:
    """Changes of a list whose elements are known by their ids."""
    before = {one.id: one for one in old}
    after = {one.id: one for one in new}
    for one in new:
        here = _join(path, f"{kind} {one.id}")
        if one.id in before:
            yield from inside(here, before[one.id], one)
        else:
            yield CatalogueChange(
                kind=ChangeKind.ADDED,
                path=here,
                after=one.name,
                consequence=_ON_ADDING.get(kind, ""),
                touches=touches(one) if kind == "option" else (),
            )
    for one in old:
        if one.id not in after:
            yield CatalogueChange(
                kind=ChangeKind.REMOVED,
                path=_join(path, f"{kind} {one.id}"),
                before=one.name,
                consequence="Refused while anybody has it; withdraw it instead.",
                touches=touches(one),
            )
    kept_before = [one.id for one in old if one.id in after]
    kept_after = [one.id for one in new if one.id in before]
    if kept_before != kept_after:
        yield CatalogueChange(
            kind=ChangeKind.CHANGED,
            path=_join(path, f"order of {kind}s"),
            before=", ".join(kept_before),
            after=", ".join(kept_after),
            consequence="Only the order in which they are shown.",
        )


def _attributes(
    path: str, kind: str, old: DataclassInstance, new: DataclassInstance, touches: Touches
) -> Iterator[CatalogueChange]:
    """Changes of everything in a dataclass but its lists of things with ids."""
    for attribute in fields(old):
        name = attribute.name
        before, after = getattr(old, name), getattr(new, name)
        if before == after or _are_things(before) or _are_things(after):
            continue
        if name == "withdrawn":
            yield _withdrawal(path, touches, now=after)
            continue
        yield CatalogueChange(
            kind=ChangeKind.CHANGED,
            path=_join(path, name),
            before=_shown(before),
            after=_shown(after),
            consequence=_LABEL if name in _LABELS else _CONSEQUENCES.get((kind, name), ""),
            touches=() if name in _WITHOUT_TOUCH else touches,
        )


def _withdrawal(path: str, touches: Touches, *, now: bool) -> CatalogueChange:
    words = ("offered", "withdrawn")
    return CatalogueChange(
        kind=ChangeKind.WITHDRAWN if now else ChangeKind.OFFERED_AGAIN,
        path=path,
        before=words[not now],
        after=words[now],
        consequence="Its holders keep it; nobody else can have it." if now else "",
        touches=touches,
    )


def _are_things(value: object) -> bool:
    return isinstance(value, tuple) and any(is_dataclass(one) for one in value)


def _join(path: str, part: str) -> str:
    return f"{path} > {part}" if path else part


def _shown(value: object) -> str:
    """Return a value for people, on one line."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None:
        return "none"
    if isinstance(value, Mapping):
        return ", ".join(f"{key} = {_shown(one)}" for key, one in value.items()) or "none"
    if isinstance(value, list | tuple):
        return ", ".join(_shown(one) for one in value) or "none"
    if is_dataclass(value):
        given = ((one.name, getattr(value, one.name)) for one in fields(value))
        return "{" + ", ".join(f"{k} = {_shown(v)}" for k, v in given if v is not None) + "}"
    return str(value)
