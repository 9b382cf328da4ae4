"""What a refused save says above or below a form: how many fields need attention, counted again as they are mended."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from mission_control_tui.model.errors import Problem
from mission_control_tui.model.text.counting import counted
from mission_control_tui.screens.base.base import BaseScreen
from mission_control_tui.screens.forms.user_fields import FormWidget, place_problems

HEADING_WIDTH = 78
"""Cells that a heading has at the design size."""


def heading_for(labels: Sequence[str]) -> str:
    """Return how many fields need attention, and which where there is room for all; nothing where none does."""
    if not labels:
        return ""
    fields = counted(len(labels), "field needs", "fields need")
    named = f"{fields} attention: {', '.join(labels)}"
    if len(named) <= HEADING_WIDTH:
        return named
    return f"{fields} attention, from {labels[0]} to {labels[-1]}"


def _has_error(field: FormWidget) -> bool:
    return bool(field.error)


class RefusedFields:
    """The fields of a form whose save was refused, and the line that counts those with something wrong.

    A screen that has one calls `recount` on every `ErrorChanged`.
    """

    def __init__(
        self,
        shown: Callable[[], str],
        tell: Callable[[str], None],
        is_wrong: Callable[[FormWidget], bool] = _has_error,
    ) -> None:
        """`shown` is what the line says now; `tell` has it say something else, or nothing."""
        self._shown = shown
        self._tell = tell
        self._is_wrong = is_wrong
        self._fields: tuple[FormWidget, ...] = ()
        self._heading = ""

    def count(self, fields: Iterable[FormWidget]) -> None:
        """Say how many of these need attention, the form's from first to last."""
        self._fields = tuple(fields)
        self._say()

    def recount(self) -> None:
        """Say how many are left, unless the line says something else by now."""
        if self._heading and self._shown() == self._heading:
            self._say()

    def _say(self) -> None:
        wrong = [field for field in self._fields if field.is_attached and self._is_wrong(field)]
        self._heading = heading_for([field.label for field in wrong])
        self._tell(self._heading)


def announced_by(screen: BaseScreen) -> RefusedFields:
    """Return what counts on the line above the key hints."""
    return RefusedFields(
        lambda: screen.announced, lambda heading: screen.announce(heading, error=bool(heading))
    )


def point_out(
    refused: RefusedFields, problems: Sequence[Problem], places: Mapping[str, FormWidget]
) -> list[str]:
    """Show each problem beside its field, go to the first and say how many; returns what has no field."""
    wrong, homeless = place_problems(problems, places)
    if wrong:
        wrong[0].focus()
        refused.count(places.values())
    return [str(problem) for problem in homeless]
