"""Whether an option or a field of a catalogue file makes sense in itself: limits, choices, defaults."""

from __future__ import annotations

from collections.abc import Iterator

from mission_control_tui.model.catalogue.file.document import FileProblem, Node
from mission_control_tui.model.catalogue.values import (
    LIST_TYPES,
    InvalidValue,
    Value,
    ValueRule,
    ValueType,
)
from mission_control_tui.model.text.clean import harmless

_BOUNDED = LIST_TYPES | {ValueType.INT, ValueType.TEXT}


def check_rule(node: Node) -> Iterator[FileProblem]:
    """Yield what is wrong with one [[...options]] or [[...fields]] table and its levels' overrides."""
    kind = node.text("type")
    if kind not in list(ValueType):
        return
    value_type = ValueType(kind)
    yield from _fitting_keys(node, value_type)
    yield from _limits(node, node, value_type)
    for level_id in node.inside("per_level").table:
        yield from _limits(node.inside("per_level").inside(level_id), node, value_type)


def _fitting_keys(node: Node, value_type: ValueType) -> Iterator[FileProblem]:
    has_choices = bool(node.inside("choices").table)
    if value_type is ValueType.CHOICE and not has_choices:
        yield FileProblem(
            node.at("choices"), 'type = "choice" needs choices', 'choices = { id = "Label" }'
        )
    if value_type is not ValueType.CHOICE and has_choices:
        yield FileProblem(node.at("choices"), 'only type = "choice" has choices', "leave them out")
    if value_type is not ValueType.INT and node.text("unit"):
        yield FileProblem(node.at("unit"), 'only type = "int" has a unit', "leave it out")


def _limits(node: Node, own: Node, value_type: ValueType) -> Iterator[FileProblem]:
    """`node` is the table that is looked at, `own` the option whose limits hold where it has none."""
    for key in ("minimum", "maximum"):
        if node.has(key) and value_type not in _BOUNDED:
            what = f'type = "{value_type}" has no {key}'
            yield FileProblem(node.at(key), what, "leave it out")
    lowest, highest = _bound(node, own, "minimum"), _bound(node, own, "maximum")
    if lowest is not None and highest is not None and lowest > highest:
        key = "maximum" if node.has("maximum") else "minimum"
        yield FileProblem(node.at(key), f"the minimum {lowest} is above the maximum {highest}")
        return
    yield from _default(node, own, value_type, lowest, highest)


def _bound(node: Node, own: Node, key: str) -> int | None:
    return node.number(key) if node.has(key) else own.number(key)


def _default(
    node: Node, own: Node, value_type: ValueType, lowest: int | None, highest: int | None
) -> Iterator[FileProblem]:
    default = node.table.get("default", own.table.get("default"))
    if not isinstance(default, bool | int | str | list):
        return
    rule = ValueRule(
        id=own.text("id") or "",
        name=own.text("name") or "",
        type=value_type,
        minimum=lowest,
        maximum=highest,
        choices={
            choice: label
            for choice, label in own.inside("choices").table.items()
            if isinstance(label, str)
        },
        unit=own.text("unit") or "",
    )
    # A level that only narrows the limits is told where it does, since that is what must change.
    key = next((name for name in ("default", "maximum", "minimum") if node.has(name)), None)
    if key is None:
        return
    try:
        converted: Value = rule.convert(default)
    except InvalidValue as refused:
        what = f"the default {harmless(str(default))[:60]!r} does not fit: {refused.what}"
        yield FileProblem(node.at(key), what, refused.hint)
        return
    if node.has("default") and converted != default:
        what = f"expected {converted!r} as this type writes it, found {default!r}"
        yield FileProblem(node.at("default"), what)
