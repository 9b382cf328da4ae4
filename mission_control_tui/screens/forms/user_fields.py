"""The fields of a user as widgets, for the New User form and Edit User: built from people.fields.FIELDS."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from textual.css.query import NoMatches
from textual.widget import Widget

from mission_control_tui.model.errors import Problem, ProblemCode
from mission_control_tui.model.people.fields import FIELDS, FieldKind, Group, UserDetails, Value
from mission_control_tui.model.people.fields import UserField as PersonField
from mission_control_tui.model.people.values import text_of
from mission_control_tui.widgets.field import CheckField, Field, FormLine
from mission_control_tui.widgets.fold import Fold

FormWidget = Field | FormLine


def widget_id(name: str) -> str:
    """Return the id of the widget of the field `name`."""
    return "f-" + name.replace("_", "-")


def field_name(widget_id: str | None) -> str:
    """Return the name of the field whose widget has this id; empty for other widgets."""
    return widget_id[2:].replace("-", "_") if widget_id and widget_id.startswith("f-") else ""


def shown_value(field: PersonField, value: Value) -> Value:
    """Return a value as its widget holds it: text on one line, flags as they are."""
    if field.kind is FieldKind.FLAG:
        return bool(value)
    return " ".join(text_of(value).split("\n"))


def make_widget(field: PersonField, value: Value) -> FormWidget:
    """Return the widget of one field."""
    identity = widget_id(field.name)
    if field.kind is FieldKind.FLAG:
        return CheckField(field.label, bool(value), help_text=field.help, id=identity)
    return Field(
        field.label,
        str(shown_value(field, value)),
        required=field.compulsory,
        max_length=field.max_length,
        help_text=field.help,
        id=identity,
    )


def group_fold(group: Group, values: Mapping[str, Value]) -> Fold:
    """Return a group of fields, folded; its widgets are built when it opens, from what `values` holds then."""
    fields = [field for field in FIELDS if field.group is group]
    names = ", ".join(field.label for field in fields)

    def content() -> Iterable[Widget]:
        return [make_widget(field, values.get(field.name, "")) for field in fields]

    return Fold(
        str(group), content, note=names, help_text=names, id="group-" + str(group).casefold()
    )


def form_widgets(root: Widget) -> Iterator[tuple[PersonField, FormWidget]]:
    """Return the field widgets that have been built, in the order of FIELDS."""
    for field in FIELDS:
        try:
            widget = root.query_one("#" + widget_id(field.name))
        except NoMatches:
            continue
        if isinstance(widget, Field | FormLine):
            yield field, widget


def value_of(widget: Widget) -> Value:
    """Return what a field widget holds."""
    return widget.value if isinstance(widget, CheckField | Field) else ""


def defaults() -> dict[str, Value]:
    """Return every field as a new user has it."""
    fresh = UserDetails()
    return {field.name: getattr(fresh, field.name) for field in FIELDS}


def words_of(problem: Problem) -> str:
    """Return a problem beside its field, without repeating which field that is."""
    if problem.hint and problem.code is not ProblemCode.MISSING:
        return f"{problem.what} ({problem.hint})"
    return problem.what


def place_problems(
    problems: Sequence[Problem], places: Mapping[str, FormWidget]
) -> tuple[list[FormWidget], list[Problem]]:
    """Show each problem beside its field; returns the fields, first to last, and the problems without one."""
    marked: dict[str, FormWidget] = {}
    homeless: list[Problem] = []
    for problem in problems:
        widget = places.get(problem.where)
        if widget is None:
            homeless.append(problem)
        elif problem.where not in marked:
            widget.error = words_of(problem)
            marked[problem.where] = widget
    return [widget for name, widget in places.items() if name in marked], homeless
