"""What the command line calls changes of objects, without `mission-control`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from mission_control_tui.model.catalogue.types import Service
from mission_control_tui.model.command_words import option_text
from mission_control_tui.model.store.tables.groups import ObjectRow


def create_words(
    service: Service,
    row: ObjectRow,
    settings: Mapping[str, object],
    new: Sequence[tuple[str, str]],
) -> list[str]:
    """Return `objects create`, with what differs from its defaults."""
    defaults = {option.id: option.initial for option in service.options_for(service.levels[0].id)}
    stated = {key: value for key, value in settings.items() if value != defaults.get(key)}
    called = ["objects", "create", service.id, row.name, row.address]
    return [*called, *_flags("--set", stated.items()), *_flags("--add", new)]


def edit_words(
    called: str,
    changed: Sequence[str],
    after: Mapping[str, object],
    gone: Sequence[tuple[str, str]],
    new: Sequence[tuple[str, str]],
) -> list[str]:
    """Return `objects edit` of what is called `called`: the `changed` parts as they are after it, and its members."""
    words = ["objects", "edit", called]
    for key in changed:
        if key in ("name", "address"):
            words += [f"--{key}", str(after[key])]
        else:
            words += _flags("--set", [(key, after[key])])
    return [*words, *_flags("--remove", gone), *_flags("--add", new)]


def _flags(flag: str, values: Iterable[tuple[str, object]]) -> list[str]:
    pairs = (f"{name}={option_text(value, yes='yes', no='no')}" for name, value in values)
    return [word for pair in pairs for word in (flag, pair)]
