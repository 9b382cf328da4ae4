"""Stored values of options in the fields of a form."""

from __future__ import annotations

from mission_control_tui.widgets.check_field import CheckField
from mission_control_tui.widgets.choice_field import ChoiceField
from mission_control_tui.widgets.rule_field import AnyField


def put(widget: AnyField, value: object) -> None:
    """Show a stored value."""
    if isinstance(widget, CheckField):
        widget.value = bool(value)
    elif isinstance(widget, ChoiceField):
        widget.recall("" if value is None else value)
    else:
        widget.value = _text(value)


def is_same(widget: AnyField, value: object) -> bool:
    """Whether the widget shows this stored value."""
    if isinstance(widget, CheckField):
        return widget.value == bool(value)
    return widget.value == _text(value)


def _text(value: object) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(str(one) for one in value)
    return "" if value is None else str(value)
