"""The fields of a user as options of a command, derived from the fields themselves."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from mission_control_tui.cli.common.parameters import option
from mission_control_tui.model.people.fields import FIELDS, FieldKind, UserField, Value
from mission_control_tui.model.people.values import parse_value
from mission_control_tui.model.text.limits import WHOLE

Command = Callable[..., Any]


def field_options(command: Command) -> Command:
    """Add an option for each field, in the order of the form; what is not given is None."""
    for field in reversed(FIELDS):
        command = _option(field)(command)
    return command


def _option(field: UserField) -> Callable[[Command], Command]:
    if field.kind is FieldKind.FLAG:
        name = field.flag.removeprefix("--")
        return option(f"--{name}/--no-{name}", field.name, default=None, help=f"{field.help}.")
    return option(
        field.flag,
        field.name,
        limit=WHOLE,  # the fields' own limits are told together with what else is wrong in them
        lines=field.kind is FieldKind.LINES,
        metavar=_METAVARS.get(field.kind, field.kind.upper()),
        help=f"{field.help}.",
    )


_METAVARS = {
    FieldKind.USER: "UPN",
    FieldKind.EMAIL: "ADDRESS",
    FieldKind.USERNAME: "NAME",
    FieldKind.LINES: "TEXT",
}
"""What stands for the value of a field, where it is not called like its kind."""


def stated(options: Mapping[str, Any], fields: Iterable[UserField] = FIELDS) -> dict[str, Value]:
    """Return the fields that the call states. Raises InvalidInput for a date that is none."""
    return {
        field.name: parse_value(field, value) if isinstance(value, str) else value
        for field in fields
        if (value := options.get(field.name)) is not None
    }
