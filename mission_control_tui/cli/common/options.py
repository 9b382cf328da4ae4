"""Options that many commands share, as decorators."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import click

from mission_control_tui.cli.common.parameters import argument, option
from mission_control_tui.cli.common.session import Session, pass_session
from mission_control_tui.model.errors import UsageError
from mission_control_tui.model.text import limits

Command = Callable[..., Any]
Decorator = Callable[[Command], Command]

Pairs = Sequence[tuple[str, str]]
"""What an option NAME=VALUE was given."""

COMPLETE_VARIABLE = "_MISSION_CONTROL_COMPLETE"
"""The environment variable by which a shell asks for completions."""


INSTANCE = option(
    "--instance",
    limit=limits.INSTANCE,
    default="",
    metavar="NAME",
    help="Which of several of this service.",
)
ON = option(
    "--on",
    limit=limits.CONNECTOR,
    default="",
    metavar="CONNECTOR",
    help="Where it is placed, of several connectors that serve it.",
)
LEVEL = option("--level", metavar="LEVEL", help="The level to give, by name or id.")
OFFSET = option(
    "--offset", type=click.IntRange(min=0), default=0, metavar="N", help="Leave out the first N."
)


class Pair(click.ParamType[tuple[str, str]]):
    """NAME=VALUE as its two parts; `refusal` has the text that is none of them at its {}."""

    name = "pair"

    def __init__(self, refusal: str, hint: str = "", *, needs_value: bool = False) -> None:
        self._refusal, self._hint, self._needs_value = refusal, hint, needs_value

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, str]:
        name, equals, stated = str(value).partition("=")
        if not equals or not name.strip() or (self._needs_value and not stated.strip()):
            raise UsageError(self._refusal.format(value), hint=self._hint)
        return name.strip(), stated


def pairs(names: Sequence[str], shape: str, help_text: str, kind: Pair) -> Decorator:
    """Return an option NAME=VALUE that may be repeated: the command takes the pairs."""
    return option(*names, multiple=True, type=kind, metavar=shape, help=help_text)


def settings_option(help_text: str) -> Decorator:
    """Return `--set OPTION=VALUE`."""
    kind = Pair("--set {} is no setting.", "Write --set quota=2048.")
    return pairs(("--set", "settings"), "OPTION=VALUE", help_text, kind)


SETTINGS = settings_option("A setting; may be repeated.")


def _keep(ctx: click.Context, parameter: click.Parameter, value: Any) -> None:
    """Keep an option in the session; what is not given leaves the session as it is."""
    if value or isinstance(value, float):  # to wait 0 seconds is to wait
        setattr(ctx.ensure_object(Session), str(parameter.name), value)


def kept(*flags: str, **attributes: Any) -> Decorator:
    """Return an option that is kept in the session instead of being handed to the command."""
    return option(*flags, expose_value=False, callback=_keep, **attributes)


def places(command: Command) -> Command:
    """Add `--database` and `--account`, which may stand after the command as well as before it."""
    command = kept("--account", metavar="CODE", hidden=True)(command)
    return kept("--database", limit=limits.WHOLE, metavar="URL-OR-PATH", hidden=True)(command)


_YES = kept("--yes", "assume_yes", is_flag=True, help="Do not ask; needed without a terminal.")
_DRY_RUN = kept("--dry-run", is_flag=True, help="Print the plan and change nothing.")
_TICKET = kept(
    "--ticket",
    limit=limits.TICKET,
    metavar="REF",
    help="Ticket reference, kept with every change in the audit.",
)
_JSON = kept("--json", is_flag=True, help="Print JSON (its shape: mission-control docs cli).")


def reads(*examples: str) -> Decorator:
    """Make a command of a function that takes the session first: examples and `--json`."""
    return _command(examples, _JSON)


def changes(*examples: str) -> Decorator:
    """As `reads`, with `--ticket` and `--dry-run`."""
    return _command(examples, _DRY_RUN, _TICKET, _JSON)


def destroys(*examples: str) -> Decorator:
    """As `changes`, with `--yes`."""
    return _command(examples, _YES, _DRY_RUN, _TICKET, _JSON)


def _command(examples: Sequence[str], *options: Decorator) -> Decorator:
    def decorate(command: Command) -> Command:
        command = pass_session(example(*examples)(command))
        for add in (*options, places):
            command = add(command)
        return command

    return decorate


_ALL_ACCOUNTS = kept(
    "--all-accounts", is_flag=True, help="Of every account that you may see, its code in each row."
)
NOW = option(
    "--now", is_flag=True, help="Remove it at once, also what is kept for some days otherwise."
)
AS_CSV = kept("--csv", is_flag=True, help="CSV that no spreadsheet evaluates.")


def spans(command: Command) -> Command:
    """Add `--all-accounts` to a command that only reads."""
    return _ALL_ACCOUNTS(command)


def exports(command: Command) -> Command:
    """As `spans`, with `--csv`, for one that tells by `tell_survey`."""
    return AS_CSV(_ALL_ACCOUNTS(command))


def choices(flag: str, name: str, values: Iterable[str], help_text: str) -> Decorator:
    """Return an option that takes one of the values and may be repeated."""
    return option(
        flag,
        name,
        multiple=True,
        type=click.Choice([str(value) for value in values]),
        help=f"{help_text}; may be repeated.",
    )


def _look(ctx: click.Context, _parameter: click.Parameter, value: bool) -> None:
    """Note that it is a look, which changes nothing here either."""
    if value:
        session = ctx.ensure_object(Session)
        session.look = session.dry_run = True


looks = option(
    "--look",
    is_flag=True,
    expose_value=False,
    callback=_look,
    help="Ask the back ends what they would change; nothing is written, here or there.",
)

waits = kept(
    "--wait",
    type=click.FloatRange(min=0),
    metavar="SECONDS",
    help="Wait so long for the lights to settle; exit 9 when they have not, 10 on red.",
)


def changes_user(*examples: str) -> Decorator:
    """As `changes`, with `--wait`, for one USER, whom the function takes after the session."""
    return lambda command: argument("user")(waits(changes(*examples)(command)))


def example(*lines: str) -> Decorator:
    """Add a real example to the command's help: each line a whole call, "mission-control ..."."""

    def add(command: Command) -> Command:
        shown = "\n".join(f"    {call}" for call in lines)
        text = inspect.cleandoc(command.__doc__ or "")
        command.__doc__ = f"{text}\n\n\b\nExample:\n{shown}\n"
        return command

    return add
