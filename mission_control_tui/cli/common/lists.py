"""Lists: how many rows are asked for, and how one that was cut says so."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import click

from mission_control_tui.cli.common.options import Command, Decorator
from mission_control_tui.cli.common.output import say
from mission_control_tui.cli.common.parameters import option
from mission_control_tui.cli.common.session import Session

T = TypeVar("T")

EVERYTHING = 1_000_000_000
"""More rows than any list has."""


class _Count(click.IntRange):
    """A number of rows, or all of them."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        most = EVERYTHING if self.max is None else int(self.max)
        return most if value == "all" else super().convert(value, param, ctx)


def limited(
    default: int, help_text: str = "At most so many, or all.", *, most: int = EVERYTHING
) -> Decorator:
    """Return `--limit N`, from 1 to `most`; without it `default` rows for people, all for programs (--json, --csv)."""
    whole = "all" if most == EVERYTHING else most
    shown = f"[{default} as a table, {whole} as --json or --csv]"
    declared = option("--limit", type=_Count(1, most), metavar="N", help=f"{help_text}  {shown}")

    def decorate(command: Command) -> Command:
        def limiting(*args: Any, limit: int | None, **given: Any) -> Any:
            session = click.get_current_context().ensure_object(Session)
            exported = session.json or session.csv or given.get("as_csv")
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
