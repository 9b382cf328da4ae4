"""Settings of the catalogue in the fields of a form: the widget for each, and stored values in it."""

from __future__ import annotations

from mission_control_tui.model.catalogue.types import Option
from mission_control_tui.model.catalogue.values import Value, ValueType
from mission_control_tui.widgets.field import AnyField, CheckField, ChoiceField, Field


def put(widget: AnyField, value: object) -> None:
    """Show a stored value."""
    if isinstance(widget, CheckField):
        widget.value = bool(value)
    elif isinstance(widget, ChoiceField):
        widget.recall("" if value is None else value)
    else:
        widget.value = as_text(value)


def is_same(widget: AnyField, value: object) -> bool:
    """Tell whether the widget shows this stored value."""
    if isinstance(widget, CheckField):
        return widget.value == bool(value)
    return widget.value == as_text(value)


def as_text(value: object) -> str:
    """Return a stored value as the text of a field, the parts of a list between commas."""
    if isinstance(value, list | tuple):
        return ", ".join(str(part) for part in value)
    return "" if value is None else str(value)


def shown(option: Option, value: Value) -> str | bool:
    """Return a setting as its widget holds it."""
    if option.type is ValueType.BOOL:
        return bool(value)
    return as_text(value)


def option_widget(option: Option, value: str | bool, identity: str) -> AnyField:
    """Return the widget that holds this setting, filled with `value`; `identity` is its id."""
    words = option.help or option.expected
    if option.type is ValueType.BOOL:
        return CheckField(option.name, bool(value), help_text=words, id=identity)
    if option.type is ValueType.CHOICE:
        choices = list(option.choices.items())
        if not option.required and not value:
            choices.insert(0, ("", "(not set)"))
        return ChoiceField(option.name, choices, str(value), help_text=words, id=identity)
    return Field(
        option.name,
        str(value),
        required=option.required,
        suffix=f" {option.unit}" if option.unit else "",
        help_text=f"{words} {option.expected}.".strip(),
        id=identity,
    )
