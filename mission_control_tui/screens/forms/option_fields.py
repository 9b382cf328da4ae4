"""A setting of the catalogue as a widget of a form."""

from __future__ import annotations

from mission_control_tui.model.catalogue.types import Option
from mission_control_tui.model.catalogue.values import LIST_TYPES, Value, ValueType
from mission_control_tui.widgets.check_field import CheckField
from mission_control_tui.widgets.choice_field import ChoiceField
from mission_control_tui.widgets.field import Field


def shown(option: Option, value: Value) -> str | bool:
    """A setting as its widget holds it."""
    if option.type is ValueType.BOOL:
        return bool(value)
    if option.type in LIST_TYPES:
        return ", ".join(value) if isinstance(value, list) else ""
    return "" if value is None else str(value)


def option_widget(
    option: Option, value: str | bool, identity: str
) -> CheckField | ChoiceField | Field:
    """The widget that holds this setting, filled with `value`; `identity` is its id."""
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
