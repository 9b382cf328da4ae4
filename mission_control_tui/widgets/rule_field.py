"""A field of a form for a rule of the catalogue: a question of the buy flow, an option of a service."""

from __future__ import annotations

from collections.abc import Sequence

from mission_control_tui.model.catalogue.values import LIST_TYPES, ValueRule, ValueType
from mission_control_tui.model.errors import InvalidInput
from mission_control_tui.widgets.field import AnyField, CheckField, ChoiceField, Field

LONGEST = 2000


def rule_field(rule: ValueRule, *, id: str, domains: Sequence[str] = ()) -> AnyField:
    """Return the widget that asks for `rule`; `domains` are offered where one of the account's domains is asked for."""
    help_text = f"{rule.help} {rule.expected.capitalize()}.".strip()
    if rule.type is ValueType.BOOL:
        return CheckField(rule.name, bool(rule.initial), help_text=help_text, id=id)
    choices = list(rule.choices.items())
    if rule.type is ValueType.DOMAIN and domains:
        choices = [(name, name) for name in domains]
    if choices:
        if not rule.required or (rule.default is None and rule.type is ValueType.CHOICE):
            choices = [("", "(none)" if not rule.required else "(choose one)"), *choices]
        value = str(rule.default) if rule.default is not None else choices[0][0]
        return ChoiceField(
            rule.name, choices, value, required=rule.required, help_text=help_text, id=id
        )
    initial = rule.initial
    text = ", ".join(initial) if isinstance(initial, list) else "" if initial is None else initial
    field = Field(
        rule.name,
        str(text),
        required=rule.required,
        max_length=LONGEST,
        suffix=f" {rule.unit}" if rule.unit else "",
        help_text=help_text,
        id=id,
    )
    if rule.type in LIST_TYPES:
        field.note = "commas between them"
    return field


def answer_of(field: AnyField, rule: ValueRule) -> object:
    """Return what stands in the field, as the rule takes it; sets or clears the error beside it."""
    given: object = field.value
    try:
        value = rule.validate(given)
    except InvalidInput as error:
        field.error = error.problems[0].what if error.problems else error.what
        return given
    field.error = ""
    return value
