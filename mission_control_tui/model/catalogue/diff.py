"""What loading another catalogue would change, for whom, and what it must not do."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from mission_control_tui.model.catalogue.types import (
    Catalogue,
    Extension,
    Level,
    Option,
    Product,
    ProductLevel,
    Role,
    Service,
)
from mission_control_tui.model.states import SubjectKind

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

_CONSEQUENCES: dict[tuple[type, str], str] = {
    (Service, "connector"): "The lights of its holders turn to not checked until compared.",
    (Service, "requires"): "Checked at the next provisioning of each holder.",
    (Service, "name_limit"): _ONLY_NEW,
    (Service, "name_pattern"): _ONLY_NEW,
    (Service, "password"): _NEXT_LOOK,
    (Service, "instances"): "Nobody loses an instance; it limits new ones.",
    (Service, "seats"): "Seats are counted differently from now on.",
    (Service, "visible"): "The service appears or disappears in the users' panels.",
    (Service, "included_with"): "Asked when one is made; present ones stay.",
    (Role, "accepts"): "Asked when a member is added; present members stay.",
    (Role, "requires"): "Asked when a member is added; present members stay.",
    (Role, "maximum"): "Asked when a member is added; present members stay.",
    (Role, "gets_mail"): "Asked when a member is added or mail is sent on; what is there stays.",
    (Level, "limits"): _NEXT_LOOK,
    (Level, "rank"): "Which level counts as the higher one.",
    (Option, "default"): "Holders keep the values they have.",
    (Option, "minimum"): "Values outside are refused at the holders' next change.",
    (Option, "maximum"): "Values outside are refused at the holders' next change.",
    (Option, "choices"): "A value that is gone falls back to the default at the next change.",
    (Option, "levels"): "Levels gain or lose the option at the holders' next change.",
    (Option, "per_level"): "Holders keep values that still fit.",
    (Option, "unique"): "Asked at the holders' next change; nobody loses a value.",
    (Option, "copy_option"): "Asked at the holders' next change.",
    (Option, "required"): "Holders without a value are asked at their next change.",
    (ProductLevel, "prices"): _PRICE,
    (ProductLevel, "grants_service"): "New seats only.",
    (ProductLevel, "grants_level"): "New seats only.",
    (Extension, "prices"): _PRICE,
    (Product, "terms"): "New orders only.",
    (Catalogue, "currency"): "New orders only; past orders keep theirs.",
    (Catalogue, "tax_basis_points"): "New orders only; past orders keep theirs.",
    (Catalogue, "address_characters"): "New addresses only; present ones stay.",
    (Catalogue, "prices_are_examples"): "Screens start or stop saying that prices are examples.",
}
_BOUGHT = "Can be given once a product that grants it was bought."
_ON_ADDING = {
    SubjectKind.USER: "Can be given to users at once.",
    SubjectKind.DIRECTORY: "Made with the first service of a user that requires it.",
    SubjectKind.DOMAIN: "Can be given to domains at once.",
    SubjectKind.ACCOUNT: "Can be given to accounts at once.",
    SubjectKind.OBJECT: "Can be made in accounts that own what it is included with.",
}
"""What adding a service without seats means, by whose it is."""
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


def diff(old: Catalogue, new: Catalogue) -> tuple[CatalogueChange, ...]:
    """Return every difference, products first, in the order of the files; nothing where they are equal."""
    return tuple(_inside("", old, new, (), new.registrations))


def _inside(
    path: str,
    old: DataclassInstance,
    new: DataclassInstance,
    touches: Touches,
    registrations: Collection[str],
) -> Iterator[CatalogueChange]:
    """Yield what changes of a thing: its own values first, then what is in its lists of things with ids."""
    lists = []
    for name in (attribute.name for attribute in fields(old)):
        before, after = getattr(old, name), getattr(new, name)
        if before == after:
            continue
        if _are_things(before) or _are_things(after):
            lists.append((name.removesuffix("s"), before, after))
        elif name == "withdrawn":
            words = ("offered", "withdrawn")
            yield CatalogueChange(
                kind=ChangeKind.WITHDRAWN if after else ChangeKind.OFFERED_AGAIN,
                path=path,
                before=words[before],
                after=words[after],
                consequence="Its holders keep it; nobody else can have it." if after else "",
                touches=touches,
            )
        else:
            yield CatalogueChange(
                kind=ChangeKind.CHANGED,
                path=_join(path, name),
                before=_shown(before),
                after=_shown(after),
                consequence=_LABEL if name in _LABELS else _CONSEQUENCES.get((type(old), name), ""),
                touches=() if name in _WITHOUT_TOUCH else touches,
            )
    for kind, before, after in lists:
        service = new if isinstance(new, Service) else None
        yield from _siblings(path, kind, before, after, service, registrations)


def _siblings(
    path: str,
    kind: str,
    old: Sequence[Any],
    new: Sequence[Any],
    service: Service | None,
    registrations: Collection[str],
) -> Iterator[CatalogueChange]:
    """Yield what changes of a list whose things are known by their ids; `service` is whose list it is."""
    before = {thing.id: thing for thing in old}
    after = {thing.id: thing for thing in new}
    for thing in new:
        here = _join(path, f"{kind} {thing.id}")
        former = before.get(thing.id)
        touches = _touches(thing, service) if isinstance(thing, Option) else ()
        if former is not None:
            both = dict.fromkeys((*_touches(former, service), *touches))
            yield from _inside(here, former, thing, tuple(both), registrations)
        else:
            yield CatalogueChange(
                kind=ChangeKind.ADDED,
                path=here,
                after=thing.name,
                consequence=_on_adding(thing, service, registrations),
                touches=touches,
            )
    for thing in old:
        if thing.id not in after:
            yield CatalogueChange(
                kind=ChangeKind.REMOVED,
                path=_join(path, f"{kind} {thing.id}"),
                before=thing.name,
                consequence="Refused while anybody has it; withdraw it instead.",
                touches=_touches(thing, service),
            )
    kept_before = [key for key in before if key in after]
    kept_after = [key for key in after if key in before]
    if kept_before != kept_after:
        yield CatalogueChange(
            kind=ChangeKind.CHANGED,
            path=_join(path, f"order of {kind}s"),
            before=", ".join(kept_before),
            after=", ".join(kept_after),
            consequence="Only the order in which they are shown.",
        )


def _on_adding(thing: object, owner: Service | None, registrations: Collection[str]) -> str:
    """Return what it means that a thing is new; `owner` is the service that it is in."""
    if isinstance(thing, Option):
        return "Holders take its default at their next change." if owner is not None else ""
    service = thing if isinstance(thing, Service) else owner
    if service is None or not isinstance(thing, Service | Level):
        return ""
    if service.id in registrations:
        return "Comes with a domain that is bought."
    if service.seats and service.subject is SubjectKind.ACCOUNT:
        return "Provisioned when a product that grants it is bought."
    return _BOUGHT if service.seats else _ON_ADDING[service.subject]


def _touches(thing: object, service: Service | None) -> Touches:
    """Return the levels whose holders have this thing, which is in `service` where it is in one."""
    if isinstance(thing, ProductLevel):
        return ((thing.grants_service, thing.grants_level),)
    owner = thing if isinstance(thing, Service) else service
    if owner is None:
        return ()
    levels = [level.id for level in owner.levels]
    if isinstance(thing, Level):
        levels = [thing.id]
    elif isinstance(thing, Option) and thing.levels:
        levels = [level for level in levels if level in thing.levels]
    return tuple((owner.id, level) for level in levels)


def _are_things(value: object) -> bool:
    return isinstance(value, tuple) and any(is_dataclass(entry) for entry in value)


def _join(path: str, part: str) -> str:
    return f"{path} > {part}" if path else part


def _shown(value: object) -> str:
    """Return a value for people, on one line."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None:
        return "none"
    if isinstance(value, Mapping):
        return ", ".join(f"{key} = {_shown(entry)}" for key, entry in value.items()) or "none"
    if isinstance(value, list | tuple):
        return ", ".join(_shown(entry) for entry in value) or "none"
    if is_dataclass(value):
        given = ((field.name, getattr(value, field.name)) for field in fields(value))
        return "{" + ", ".join(f"{k} = {_shown(v)}" for k, v in given if v is not None) + "}"
    return str(value)
