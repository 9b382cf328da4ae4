"""What another level or another setting takes away from whoever has the service: pure, from before and after."""

from __future__ import annotations

from collections.abc import Mapping

from mission_control_tui.model.catalogue.types import Limit, Service
from mission_control_tui.model.catalogue.values import Value
from mission_control_tui.model.errors import NotFound


def losses(
    service: Service,
    levels: tuple[str, str],
    before: Mapping[str, Value],
    after: Mapping[str, Value],
) -> list[str]:
    """Return in words what shrinks or goes: sizes, options that the level has not got, what the level itself grants."""
    return [
        f"{service.name}: {what}"
        for what in (*_of_settings(service, before, after), *_of_limits(service, *levels))
    ]


def _of_settings(
    service: Service, before: Mapping[str, Value], after: Mapping[str, Value]
) -> list[str]:
    found = []
    for name, had in before.items():
        try:
            option = service.option(name)
        except NotFound:
            continue
        has = after.get(name)
        if name not in after and had not in (None, "", [], False):
            shown = "" if had is True else f" ({_words(option.told(had))})"
            found.append(f"{option.name}{shown}")
        elif _smaller(had, has):
            found.append(f"{option.name}: {option.told(had)} -> {option.told(has)}")
    return found


def _of_limits(service: Service, old: str, new: str) -> list[str]:
    if old == new:
        return []
    try:
        before, after = service.level(old).limits, service.level(new).limits
    except NotFound:
        return []
    found = []
    for name, had in before.items():
        has = after.get(name)
        if isinstance(had, list):
            gone = [entry for entry in had if not isinstance(has, list) or entry not in has]
            if gone:
                found.append(f"{name.replace('_', ' ')}: {', '.join(gone)}")
        elif _smaller(had, has):
            found.append(f"{name.replace('_', ' ')}: {had} -> {has}")
    return found


def _smaller(had: Value | Limit, has: Value | Limit) -> bool:
    """Tell whether a number became smaller; yes and no are none."""
    numbers = [value for value in (had, has) if isinstance(value, int)]
    return len(numbers) == 2 and not isinstance(had, bool) and numbers[1] < numbers[0]


def _words(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
