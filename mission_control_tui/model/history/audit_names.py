"""The audit with the catalogue's names in place of its ids: for people. JSON, CSV and scripts keep the ids."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from mission_control_tui.model.audit_actions import AuditAction, parse_action
from mission_control_tui.model.catalogue.lookup import known, name_of
from mission_control_tui.model.catalogue.types import Catalogue, Product, Service
from mission_control_tui.model.views import AuditView

_OF_PRODUCTS = {AuditAction.BUY, AuditAction.REMOVE}
_DRIFT = {AuditAction.DRIFT_FOUND, AuditAction.DRIFT_GONE}
_TEMPLATES = {
    AuditAction.SAVE_TEMPLATE,
    AuditAction.RENAME_TEMPLATE,
    AuditAction.REMOVE_TEMPLATE,
}
_FIRST = ("wish", "service", "level")


def named(entry: AuditView, catalogue: Catalogue) -> AuditView:
    """Return the entry as people read it: services, products and levels by their names.

    A service that the target names already is left out of the action. What the catalogue does not know stays as it is.
    """
    verb, ident = parse_action(entry.action)
    thing, service = _thing(catalogue, verb, ident), service_of(entry, catalogue)
    action, target = entry.action, entry.target
    if thing is not None:
        action = f"{verb}" if thing.name in target else f"{verb} {thing.name}"
    elif verb in _DRIFT:
        subject, _, rest = target.partition(" ")
        key, space, instance = rest.partition(" ")
        target = f"{subject} {name_of(catalogue.services, key)}{space}{instance}"
    of_template = verb in _TEMPLATES
    return replace(
        entry,
        action=action,
        target=target,
        before=_values(catalogue, service, entry.before, of_template),
        after=_values(catalogue, service, entry.after, of_template),
    )


def _thing(catalogue: Catalogue, verb: AuditAction | None, ident: str) -> Service | Product | None:
    """Return what an action is about: of "remove" the product, of which a service may have the same id."""
    if verb in _OF_PRODUCTS and (product := known(catalogue.products, ident)) is not None:
        return product
    return known(catalogue.services, ident) if verb is not AuditAction.BUY else None


def service_of(entry: AuditView, catalogue: Catalogue) -> Service | None:
    """Return the service that a change was of, where it says one."""
    verb, ident = parse_action(entry.action)
    thing = _thing(catalogue, verb, ident)
    return thing if isinstance(thing, Service) else None


def named_values(
    catalogue: Catalogue, service: Service | None, values: Mapping[str, object]
) -> dict[str, object]:
    """Return a change of `service` with the names of "service" and "level", which come first, and of settings."""
    of = known(catalogue.services, str(values.get("service", ""))) or service
    told = {key: values[key] for key in _FIRST if key in values} | dict(values)
    if of is not None and "service" in told:
        told["service"] = of.name
    if of is None:
        return told
    if isinstance(level := told.get("level"), str):
        told["level"] = name_of(of.levels, level)
    return dict(_setting(of, key, value) for key, value in told.items())


def _values(
    catalogue: Catalogue, service: Service | None, values: Mapping[str, object], of_template: bool
) -> dict[str, object]:
    if not of_template:
        return named_values(catalogue, service, values)
    return dict(_given(catalogue, key, value) for key, value in values.items())


def _given(catalogue: Catalogue, key: str, value: object) -> tuple[str, object]:
    """Return a service of a template ("databases/main": level), or an option of one ("databases quota": value)."""
    place, space, option = key.partition(" ")
    ident, slash, instance = place.partition("/")
    service = known(catalogue.services, ident)
    if service is None:
        return key, value
    if space:
        option, value = _setting(service, option, value)
    elif isinstance(value, str):
        value = name_of(service.levels, value)
    return f"{service.name}{slash}{instance}{space}{option}", value


def _setting(service: Service, key: str, value: object) -> tuple[str, object]:
    """Return an option by its name, and what it was set to as people read it."""
    option = known(service.options, key)
    return (key, value) if option is None else (option.name, option.told(value))
