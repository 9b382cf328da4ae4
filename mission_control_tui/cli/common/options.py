"""Options that many commands share, as decorators."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import click

from mission_control_tui.cli.common.session import Session, pass_session
from mission_control_tui.model.errors import UsageError

Command = Callable[..., Any]

COMPLETE_VARIABLE = "_MISSION_CONTROL_COMPLETE"
"""The environment variable by which a shell asks for completions."""


INSTANCE = click.option(
    "--instance", default="", metavar="NAME", help="Which of several of this service."
)
LEVEL = click.option("--level", metavar="LEVEL", help="The level to give, by name or id.")
OFFSET = click.option(
    "--offset", type=click.IntRange(min=0), default=0, metavar="N", help="Leave out the first N."
)
SETTINGS = click.option(
    "--set", "settings", multiple=True, metavar="OPTION=VALUE", help="A setting; may be repeated."
)


def _store_flag(name: str) -> Callable[[click.Context, click.Parameter, Any], None]:
    def keep(ctx: click.Context, _parameter: click.Parameter, value: Any) -> None:
        if value:
            setattr(ctx.ensure_object(Session), name, value)

    return keep


def _kept(flag: str, name: str, **attributes: Any) -> Callable[[Command], Command]:
    """An option that is kept in the session instead of being handed to the command."""
    return click.option(flag, expose_value=False, callback=_store_flag(name), **attributes)


def places(command: Command) -> Command:
    """`--database` and `--account` after the command as well as before it."""
    for flag, name, metavar in (
        ("--account", "account", "CODE"),
        ("--database", "database", "URL-OR-PATH"),
    ):
        command = _kept(flag, name, metavar=metavar, hidden=True)(command)
    return command


def reads(command: Command) -> Command:
    """`--json`."""
    as_json = _kept(
        "--json", "json", is_flag=True, help="Print JSON (its shape: mission-control docs cli)."
    )
    return places(as_json(command))


def limited(
    default: int, help_text: str | None = "At most so many.", *, most: int | None = 100_000
) -> Callable[[Command], Command]:
    """`--limit N`, from 1 to `most`."""
    return click.option(
        "--limit",
        type=click.IntRange(1, most),
        default=default,
        show_default=True,
        metavar="N",
        help=help_text,
    )


def choices(
    flag: str, name: str, values: Iterable[str], help_text: str
) -> Callable[[Command], Command]:
    """An option that takes one of the values and may be repeated."""
    return click.option(
        flag,
        name,
        multiple=True,
        type=click.Choice([str(value) for value in values]),
        help=f"{help_text}; may be repeated.",
    )


def changes(command: Command) -> Command:
    """`--ticket`, `--dry-run` and `--json`."""
    dry_run = _kept("--dry-run", "dry_run", is_flag=True, help="Print the plan and change nothing.")
    ticket = _kept(
        "--ticket",
        "ticket",
        metavar="REF",
        help="Ticket reference, kept with every change in the audit.",
    )
    return reads(ticket(dry_run(command)))


def destroys(command: Command) -> Command:
    """As `changes`, with `--yes`."""
    yes = _kept("--yes", "assume_yes", is_flag=True, help="Do not ask; needed without a terminal.")
    return changes(yes(command))


waits = click.option(
    "--wait",
    type=click.FloatRange(min=0),
    metavar="SECONDS",
    help="Wait so long for the lights to settle; exit 9 when they have not, 10 on red.",
)


def changes_user(command: Command) -> Command:
    """USER, `--wait` and what `changes` adds; the command is handed the session first."""
    return click.argument("user")(waits(changes(pass_session(command))))


def example(*lines: str) -> Callable[[Command], Command]:
    """Add a real example to the command's help: each line a whole call, "mission-control ..."."""

    def add(command: Command) -> Command:
        shown = "\n".join(f"    {call}" for call in lines)
        text = inspect.cleandoc(command.__doc__ or "")
        command.__doc__ = f"{text}\n\n\b\nExample:\n{shown}\n"
        return command

    return add


def settings_of(given: Sequence[str]) -> dict[str, object]:
    """The settings of `--set OPTION=VALUE`. Raises UsageError."""
    options: dict[str, object] = {}
    for setting in given:
        name, equals, value = setting.partition("=")
        if not equals or not name:
            raise UsageError(f"--set {setting} is no setting.", hint="Write --set quota=2048.")
        options[name.strip()] = value
    return options
