"""The root command and what happens to errors: each kind leaves with its own documented exit code."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

import click

from mission_control_tui import __version__
from mission_control_tui.cli.lazy import LazyGroup
from mission_control_tui.cli.session import Session
from mission_control_tui.model.errors import MissionControlError
from mission_control_tui.model.text import harmless

_COMMANDS = "mission_control_tui.cli.commands"
COMMANDS: dict[str, tuple[str, str]] = {
    "init": ("Set up a real account.", f"{_COMMANDS}.setup:init"),
    "demo": ("The sample account.", f"{_COMMANDS}.setup:demo"),
    "upgrade": ("Make or upgrade the database's tables.", f"{_COMMANDS}.setup:upgrade"),
    "account": ("Accounts: list, show.", f"{_COMMANDS}.account:account"),
    "catalogue": ("The catalogue: check, diff, load.", f"{_COMMANDS}.catalogue:catalogue"),
    "services": ("Services and seats: list.", f"{_COMMANDS}.buying:services"),
    "buy": ("Buy a product.", f"{_COMMANDS}.buying:buy"),
    "remove": ("Remove a product's level.", f"{_COMMANDS}.buying:remove"),
    "orders": ("Orders: list, show.", f"{_COMMANDS}.buying:orders"),
    "users": ("Users: create, edit, import and more.", f"{_COMMANDS}.users:users"),
    "provision": ("Give a service to a user.", f"{_COMMANDS}.provision:provision"),
    "suspend": ("Suspend a user's service.", f"{_COMMANDS}.provision:suspend"),
    "resume": ("Resume a suspended service.", f"{_COMMANDS}.provision:resume"),
    "deprovision": ("Take a service away.", f"{_COMMANDS}.provision:deprovision"),
    "status": ("The lights.", f"{_COMMANDS}.status:status"),
    "requests": ("The queue: list, show, retry, cancel, reset.", f"{_COMMANDS}.requests:requests"),
    "audit": ("Who changed what.", f"{_COMMANDS}.audit:audit"),
    "worker": ("Run the worker in the foreground.", f"{_COMMANDS}.worker:worker"),
    "doctor": ("Check this installation.", f"{_COMMANDS}.doctor:doctor"),
    "locate": ("Where files are.", f"{_COMMANDS}.setup:locate"),
    "completion": ("Completion for your shell.", f"{_COMMANDS}.setup:completion"),
}
INTERRUPTED = 130
BROKEN_PIPE = 141


@click.group(
    cls=LazyGroup,
    lazy=COMMANDS,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.option("--database", metavar="URL-OR-PATH", help="The database to work on.")
@click.option("--account", metavar="CODE", help="The account to work on.")
@click.version_option(__version__, prog_name="mission-control")
@click.pass_context
def root(ctx: click.Context, database: str | None, account: str | None) -> None:
    """Mission Control: buy services, create users, provision, watch the lights.

    Without a command it opens the console.
    """
    session = ctx.ensure_object(Session)
    session.database, session.account = database, account
    if ctx.invoked_subcommand is None:
        from mission_control_tui.cli.commands.console import open_console

        sys.exit(open_console(session))


def main(argv: Sequence[str] | None = None) -> NoReturn:
    """Run the command and leave with its exit code."""
    session = Session()
    try:
        root.main(
            args=list(argv) if argv is not None else None,
            prog_name="mission-control",
            standalone_mode=False,
            obj=session,
        )
        sys.stdout.flush()
    except MissionControlError as error:
        _explain(error, session)
        sys.exit(error.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        click.echo("Interrupted.", err=True)
        sys.exit(INTERRUPTED)
    except BrokenPipeError:
        # Python would complain about the closed pipe once more when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(BROKEN_PIPE)
    sys.exit(0)


def _explain(error: MissionControlError, session: Session) -> None:
    if session.json:
        document = {
            "error": {
                "title": error.title,
                "what": error.what,
                "hint": error.hint,
                "exit_code": error.exit_code,
                "problems": [
                    {"where": one.where, "what": one.what, "hint": one.hint}
                    for one in error.problems
                ],
            }
        }
        click.echo(json.dumps(document, indent=2), err=True)
        return
    for text in str(error).splitlines():
        click.echo(harmless(text), err=True)
