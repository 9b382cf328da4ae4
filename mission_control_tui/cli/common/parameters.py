"""Options and arguments: what every parameter of every command is declared with.

Before anything is made of a value, it is looked at here: it is UTF-8 without control and invisible characters, not
longer than it may be, and a number fits into the columns of both databases.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import click

from mission_control_tui.model.text.characters import name_of, refused_in
from mission_control_tui.model.text.limits import LINE, NUMBER, WHOLE

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


class _Checked(click.Parameter):
    """A parameter of at most `limit` characters; `lines` allows several lines."""

    def __init__(self, *args: Any, limit: int = 0, lines: bool = False, **attributes: Any) -> None:
        super().__init__(*args, **attributes)
        self.limit = limit or (WHOLE if isinstance(self.type, click.Path) else LINE)
        self.lines = lines

    def type_cast_value(self, ctx: click.Context, value: Any) -> Any:
        for text in _all_of(value, str):
            if problem := self._wrong_text(text):
                raise click.BadParameter(problem, ctx, self)
        converted = super().type_cast_value(ctx, value)
        for number in (*_all_of(converted, int), *_all_of(converted, float)):
            if not -NUMBER <= number <= NUMBER:
                raise click.BadParameter(f"it goes from -{NUMBER} to {NUMBER}.", ctx, self)
        return converted

    def _wrong_text(self, text: str) -> str:
        try:
            text.encode()
        except UnicodeEncodeError:
            return "it is not UTF-8."
        if refused := refused_in(text, lines=self.lines):
            return f"it has a character that cannot be here: {name_of(refused)}."
        if len(text) > self.limit:
            return f"it has {len(text):,} characters, and at most {self.limit:,} may be."
        return ""


def _all_of(value: Any, kind: type) -> Iterator[Any]:
    """Yield the values of this kind within an option's value, which may be given more than once."""
    if isinstance(value, kind):
        yield value
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _all_of(inner, kind)


class Option(_Checked, click.Option):
    """An option that is looked at."""


class Argument(_Checked, click.Argument):
    """An argument that is looked at."""


def option(*declarations: str, cls: type[Option] = Option, **attributes: Any) -> Decorator:
    """Return an option, as click's of the same name; `limit` and `lines` are what `_Checked` says."""
    return click.option(*declarations, cls=cls, **attributes)


def argument(*declarations: str, **attributes: Any) -> Decorator:
    """Return an argument, as `option` returns an option."""
    return click.argument(*declarations, cls=Argument, **attributes)
