"""What a new catalogue must not do to what is in use: ids that are referred to stay, and stay what they are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mission_control_tui.model.catalogue.lookup import NamedItem, NamedT
from mission_control_tui.model.catalogue.types import Catalogue, Product, Service
from mission_control_tui.model.errors import Problem

_KEEP = "keep it in the file"
_WITHDRAW = "keep it in the file with withdrawn = true"


@dataclass(frozen=True, slots=True, kw_only=True)
class UsedIds:
    """Ids that the database refers to.

    `levels` are (service, level) of seats, wishes and observed states; `options` (service, option)
    of stored settings; `roles` (service, role) of members; `product_levels` (product, level) of
    subscriptions; `extensions` (product, extension) of domains.
    """

    levels: frozenset[tuple[str, str]] = frozenset()
    options: frozenset[tuple[str, str]] = frozenset()
    roles: frozenset[tuple[str, str]] = frozenset()
    product_levels: frozenset[tuple[str, str]] = frozenset()
    extensions: frozenset[tuple[str, str]] = frozenset()

    @property
    def services(self) -> list[str]:
        """The services of which anything is in use."""
        return sorted({service for service, _ in self.levels | self.options})

    @property
    def products(self) -> list[str]:
        """The products that somebody subscribes to."""
        return sorted({product for product, _ in self.product_levels | self.extensions})


def refusals(old: Catalogue, new: Catalogue, in_use: UsedIds) -> tuple[Problem, ...]:
    """Return why `new` cannot follow `old`; empty where it can."""
    return tuple(_refusals(old, new, in_use))


def _refusals(old: Catalogue, new: Catalogue, in_use: UsedIds) -> Iterator[Problem]:
    for service_id in in_use.services:
        where = f"service {service_id}"
        after = _by_id(new.services, service_id)
        if after is None:
            yield _vanished(where, "withdraw its levels instead")
            continue
        yield from _inside(where, "level", after.levels, _of(in_use.levels, service_id), _WITHDRAW)
        yield from _inside(where, "option", after.options, _of(in_use.options, service_id), _KEEP)
        yield from _inside(where, "role", after.roles, _of(in_use.roles, service_id), _KEEP)
        before = _by_id(old.services, service_id)
        if before is not None:
            yield from _service(where, before, after, _of(in_use.options, service_id))
    for product_id in in_use.products:
        where = f"product {product_id}"
        product = _by_id(new.products, product_id)
        if product is None:
            yield _vanished(where, _WITHDRAW)
            continue
        bought = _of(in_use.product_levels, product_id)
        sold = _of(in_use.extensions, product_id)
        yield from _inside(where, "level", product.levels, bought, _WITHDRAW)
        yield from _inside(where, "extension", product.extensions, sold, _WITHDRAW)
        former = _by_id(old.products, product_id)
        if former is not None:
            yield from _grants(where, former, product, bought)


def _of(pairs: frozenset[tuple[str, str]], owner: str) -> list[str]:
    return sorted(inner for outer, inner in pairs if outer == owner)


def _by_id(items: Sequence[NamedT], wanted: str) -> NamedT | None:
    return next((item for item in items if item.id == wanted), None)


def _vanished(where: str, hint: str) -> Problem:
    return Problem(where, "it is in use and cannot vanish", hint)


def _inside(
    where: str, kind: str, present: Sequence[NamedItem], used: list[str], hint: str
) -> Iterator[Problem]:
    there = {item.id for item in present}
    for key in used:
        if key not in there:
            yield _vanished(f"{where} > {kind} {key}", hint)


def _service(where: str, before: Service, after: Service, options: list[str]) -> Iterator[Problem]:
    changed = {
        "subject": f"it is in use with subject {before.subject} and cannot become {after.subject}",
        "address": f"it is in use with {before.address} addresses",
        "seats": "it is in use, and its seats are counted or not as before",
    }
    for name, what in changed.items():
        if getattr(before, name) != getattr(after, name):
            yield Problem(f"{where} > {name}", what, "make a new service instead")
    for option_id in options:
        former, now = _by_id(before.options, option_id), _by_id(after.options, option_id)
        if former is not None and now is not None and former.type != now.type:
            what = f"it is in use as {former.type} and cannot become {now.type}"
            yield Problem(f"{where} > option {option_id} > type", what, "add an option instead")


def _grants(where: str, before: Product, after: Product, levels: list[str]) -> Iterator[Problem]:
    for level_id in levels:
        former, now = _by_id(before.levels, level_id), _by_id(after.levels, level_id)
        if former is None or now is None:
            continue
        granted = f"{former.grants_service} {former.grants_level}"
        grants = f"{now.grants_service} {now.grants_level}"
        if granted != grants:
            what = f"seats of {granted} were bought with it; it cannot grant {grants}"
            yield Problem(f"{where} > level {level_id}", what, "add a level to the product instead")
