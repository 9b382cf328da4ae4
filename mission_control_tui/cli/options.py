"""Options that many commands share, as decorators."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import click

from mission_control_tui.cli.session import Session

Command = Callable[..., Any]


def _store_flag(name: str) -> Callable[[click.Context, click.Parameter, Any], None]:
    def keep(ctx: click.Context, _parameter: click.Parameter, value: Any) -> None:
        if value:
            setattr(ctx.ensure_object(Session), name, value)

    return keep


def reads(command: Command) -> Command:
    """`--json`."""
    return click.option(
        "--json",
        is_flag=True,
        expose_value=False,
        callback=_store_flag("json"),
        help="Print JSON (its shape is in docs/cli.md).",
    )(command)


def changes(command: Command) -> Command:
    """`--ticket`, `--dry-run` and `--json`."""
    decorated = click.option(
        "--dry-run",
        is_flag=True,
        expose_value=False,
        callback=_store_flag("dry_run"),
        help="Print the plan and change nothing.",
    )(command)
    decorated = click.option(
        "--ticket",
        metavar="REF",
        expose_value=False,
        callback=_store_flag("ticket"),
        help="Ticket reference, kept with every change in the audit.",
    )(decorated)
    return reads(decorated)


def destroys(command: Command) -> Command:
    """As `changes`, with `--yes`."""
    decorated = click.option(
        "--yes",
        is_flag=True,
        expose_value=False,
        callback=_store_flag("assume_yes"),
        help="Do not ask; needed without a terminal.",
    )(command)
    return changes(decorated)


def waits(command: Command) -> Command:
    """`--wait SECONDS`."""
    return click.option(
        "--wait",
        type=click.FloatRange(min=0),
        metavar="SECONDS",
        help="Wait so long for the lights to settle; exit 9 when they have not, 10 on red.",
    )(command)


def example(text: str) -> Callable[[Command], Command]:
    """Add a real example to the command's help."""

    def add(command: Command) -> Command:
        doc = command.__doc__ or ""
        command.__doc__ = f"{doc.rstrip()}\n\n\b\nExample:\n    {text}\n"
        return functools.wraps(command)(command)

    return add
