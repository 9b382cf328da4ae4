"""What the command line calls changes of objects, without `mission-control`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

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
    words = ["objects", "create", service.id, row.name, row.address]
    defaults = {option.id: option.initial for option in service.options_for(service.levels[0].id)}
    for key, value in settings.items():
        if value != defaults.get(key):
            words += ["--set", f"{key}={_word(value)}"]
    for role, address in new:
        words += ["--add", f"{role}={address}"]
    return words


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
            words += ["--set", f"{key}={_word(after[key])}"]
    for role, address in gone:
        words += ["--remove", f"{role}={address}"]
    for role, address in new:
        words += ["--add", f"{role}={address}"]
    return words


def _word(value: object) -> str:
    return option_text(value, yes="yes", no="no")
