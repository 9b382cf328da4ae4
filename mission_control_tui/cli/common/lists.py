"""Lists: how many rows are asked for, and how one that was cut says so."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import click

from mission_control_tui.cli.common.options import Command, Decorator
from mission_control_tui.cli.common.output import say
from mission_control_tui.cli.common.parameters import Option, option
from mission_control_tui.cli.common.session import Session

T = TypeVar("T")

EVERYTHING = 1_000_000_000
"""More rows than any list has."""


class _Count(click.IntRange):
    """A number of rows, or all of them."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        most = EVERYTHING if self.max is None else int(self.max)
        return most if value == "all" else super().convert(value, param, ctx)


COUNT = _Count(1)
"""How `--limit` is given where a command says itself what it is without."""

_JSON_ENDS = "as --json]"


class _Limit(Option):
    """`--limit`, whose help names, beside --json, the way to CSV that its command has."""

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        """Return the option and its help, as click does."""
        record = super().get_help_record(ctx)
        flags = {flag for parameter in ctx.command.params for flag in parameter.opts}
        way = next((way for way in ("--csv", "--format csv") if way.split()[0] in flags), "")
        if record is None or not way:
            return record
        return record[0], record[1].replace(_JSON_ENDS, f"{_JSON_ENDS[:-1]} or {way}]")


def limited(
    default: int, help_text: str = "At most so many, or all.", *, most: int = EVERYTHING
) -> Decorator:
    """Return `--limit N`, from 1 to `most`; without it `default` rows for people, all for programs (JSON, CSV)."""
    whole = "all" if most == EVERYTHING else most
    shown = f"[{default} as a table, {whole} {_JSON_ENDS}"
    declared = option(
        "--limit", cls=_Limit, type=_Count(1, most), metavar="N", help=f"{help_text}  {shown}"
    )

    def decorate(command: Command) -> Command:
        def limiting(*args: Any, limit: int | None, **given: Any) -> Any:
            session = click.get_current_context().ensure_object(Session)
            as_file = given.get("as_csv") or given.get("form") in ("csv", "json")
            exported = session.json or session.csv or as_file
            usual = most if exported else default
            return command(*args, limit=usual if limit is None else limit, **given)

        return declared(functools.update_wrapper(limiting, command))

    return decorate


@dataclass(frozen=True, slots=True)
class Cut(Generic[T]):
    """The rows of a list up to its limit, and whether there are more."""

    rows: Sequence[T]
    more: bool


def cut(found: Sequence[T], limit: int) -> Cut[T]:
    """Return the first `limit` rows of what was asked for with one more."""
    return Cut(found[:limit], len(found) > limit)


def say_cut(count: int) -> None:
    """Say that a list is not whole, and how to get all of it."""
    say(f"These are {count}, and there are more. All of them: --limit all")
