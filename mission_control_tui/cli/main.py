"""The root command and what happens to errors: each kind leaves with its own documented exit code."""

from __future__ import annotations

import io
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, NoReturn

import click

from mission_control_tui import __version__
from mission_control_tui.cli.common.lazy_group import LazyGroup
from mission_control_tui.cli.common.next_commands import with_places
from mission_control_tui.cli.common.options import COMPLETE_VARIABLE
from mission_control_tui.cli.common.parameters import option
from mission_control_tui.cli.common.session import Session
from mission_control_tui.model.errors import MissionControlError, UsageError
from mission_control_tui.model.text.clean import harmless
from mission_control_tui.model.text.limits import WHOLE

if TYPE_CHECKING:
    from mission_control_tui.model.store.database import Store

COMMANDS: dict[str, tuple[str, str]] = {
    "init": ("Set up a real account.", "installation.setup:init"),
    "demo": ("The sample account: reset.", "installation.setup:demo"),
    "upgrade": ("Make or upgrade the database's tables.", "installation.setup:upgrade"),
    "backup": ("Back the database up into one file.", "installation.backup:backup"),
    "restore": ("Restore the database from a backup.", "installation.backup:restore"),
    "account": ("Accounts: list, show.", "accounts.account:account"),
    "catalogue": ("The catalogue: check, diff, load, export.", "installation.catalogue:catalogue"),
    "connectors": ("Connectors: list, check, show.", "installation.connectors:connectors"),
    "services": ("Services and seats: list.", "accounts.buying:services"),
    "buy": ("Buy a product.", "accounts.buying:buy"),
    "renew": ("Renew a bought domain.", "accounts.buying:renew"),
    "remove": ("Remove a product's level.", "accounts.buying:remove"),
    "orders": ("Orders: list, approve, cancel and more.", "accounts.orders:orders"),
    "find": ("Find anyone, in all accounts.", "users.find:find"),
    "users": ("Users: create, edit, import and more.", "users.users:users"),
    "templates": ("What new users are made like.", "users.templates:templates"),
    "objects": ("Groups, mail contacts, shared mailboxes.", "users.groups:objects"),
    "provision": ("Give a service to a user.", "services.provision:provision"),
    "suspend": ("Suspend a user's service.", "services.suspend_resume:suspend"),
    "resume": ("Resume a suspended service.", "services.suspend_resume:resume"),
    "deprovision": ("Take a service away.", "services.suspend_resume:deprovision"),
    "move": ("Move a service to another connector.", "services.move:move"),
    "schedule": ("Wishes with a date.", "services.schedule:schedule"),
    "bulk": ("One action for many users.", "bulk.bulk:bulk"),
    "undo": ("Undo a change, a request or a bulk.", "history.undo:undo"),
    "status": ("The lights.", "services.status:status"),
    "attention": ("Red or waiting, in all accounts.", "services.attention:attention"),
    "lights": ("The lights of all users as a matrix.", "services.lights:lights"),
    "drift": ("Where back ends differ from the wishes.", "services.drift:drift"),
    "adopt": ("Bring in what back ends have already: scan, load.", "services.adopt:adopt"),
    "requests": ("The queue: list, show, retry and more.", "services.requests:requests"),
    "drafts": ("Your unfinished forms.", "console.drafts:drafts"),
    "audit": ("Who changed what.", "history.audit:audit"),
    "worker": ("Run the worker in the foreground.", "installation.worker:worker"),
    "settings": ("Settings: show, set, unset.", "installation.settings:settings"),
    "clock": ("The clock: show, confirm.", "installation.clock:clock"),
    "doctor": ("Check this installation.", "installation.doctor:doctor"),
    "docs": ("The documentation, page by page.", "installation.docs:docs"),
    "locate": ("Where files are.", "installation.setup:locate"),
    "completion": ("Completion for your shell.", "installation.setup:completion"),
}
CRASHED = 1
INTERRUPTED = 130
BROKEN_PIPE = 141
ERROR_LINE = 2000
"""Characters of a line of an error that are printed."""


@click.group(
    cls=LazyGroup,
    lazy=COMMANDS,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@option("--database", limit=WHOLE, metavar="URL-OR-PATH", help="The database to work on.")
@option("--account", metavar="CODE", help="The account to work on.")
@option("--mouse", is_flag=True, help="Let the console have the mouse: it blocks selecting.")
@option("--read-only", is_flag=True, help="Change nothing; in the console a arms it.")
@click.version_option(__version__, prog_name="mission-control")
@click.pass_context
def root(
    ctx: click.Context, database: str | None, account: str | None, mouse: bool, read_only: bool
) -> None:
    """Mission Control: buy services, create users, provision, watch the lights.

    Without a command it opens the console. The options below may also stand after the command.

    \b
    Example:
        mission-control --account acme
    """
    session = ctx.ensure_object(Session)
    session.database, session.account, session.mouse = database, account, mouse
    session.read_only = read_only
    if ctx.invoked_subcommand is None:
        from mission_control_tui.cli.console.console import open_console

        ctx.exit(open_console(session, root))


def _open_standard_streams() -> None:
    """Open what the caller closed (`>&-`), before a database gets its number and what is printed goes into that."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None and os.open(os.devnull, os.O_RDWR) == number:
            setattr(sys, name, os.fdopen(number, "r" if number == 0 else "w", encoding="utf-8"))


def main(argv: Sequence[str] | None = None) -> NoReturn:
    """Run the command and leave with its exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    _open_standard_streams()
    session = Session(first_start=_make_sample)
    for stream in (sys.stdout, sys.stderr):
        # A terminal that is not UTF-8 shows a question mark instead of ending the program.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    try:
        code = _invoke(arguments, session)
        sys.stdout.flush()
    except MissionControlError as error:
        _explain(error, error.exit_code, session, as_json=session.json or "--json" in arguments)
        code = error.exit_code
    except click.ClickException as error:
        code = error.exit_code
        if session.json or "--json" in arguments:
            hint = "Add --help to see how the command is called."
            _explain(UsageError(error.format_message(), hint=hint), code, session, as_json=True)
        else:
            _show(error)
    except (click.Abort, KeyboardInterrupt, EOFError):
        click.echo("Interrupted.", err=True)
        code = INTERRUPTED
    except BrokenPipeError:
        # Python would complain about the closed pipe once more when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = BROKEN_PIPE
    except Exception as error:  # noqa: BLE001 - the last line of defence: a log instead of a traceback with data
        code = CRASHED
        crash = _crash(error)
        _explain(crash, crash.exit_code, session, as_json=session.json or "--json" in arguments)
    sys.exit(code)


async def _make_sample(session: Session, store: Store) -> None:
    from mission_control_tui.cli.installation.sample import make_sample

    await make_sample(session, store)


def _invoke(arguments: list[str], session: Session) -> int:
    """As click's own main, which would hide a broken pipe."""
    if COMPLETE_VARIABLE in os.environ:
        root.main(args=arguments, prog_name="mission-control", complete_var=COMPLETE_VARIABLE)
    try:
        with root.make_context("mission-control", arguments, obj=session) as context:
            root.invoke(context)
    except click.exceptions.Exit as ending:
        return ending.exit_code
    return 0


def _crash(error: Exception) -> MissionControlError:
    """Return what an operator is told about a defect: never the error's words, which may hold data."""
    from mission_control_tui.settings.settings import locations
    from mission_control_tui.terminal.crash_log import write_crash_log

    log = write_crash_log(error, locations().state)
    where = f"Please report it with {log}." if log else "Its log could not be written."
    return MissionControlError(
        f"Mission Control has a defect and stopped ({type(error).__name__}).", hint=where
    )


def _show(error: click.ClickException) -> None:
    """Print click's own words, which may hold what was typed."""
    words = io.StringIO()
    error.show(words)
    for text in words.getvalue().splitlines():
        click.echo(_short(harmless(text)), err=True)


def _short(text: str) -> str:
    """Return a line of an error, which repeats no more than so much of what was given."""
    return text if len(text) <= ERROR_LINE else f"{text[:ERROR_LINE]}..."


def _explain(
    error: MissionControlError, exit_code: int, session: Session, *, as_json: bool
) -> None:
    """Print an error on stderr: in words, or as one JSON document; its commands as the call would make them."""
    if not as_json:
        for text in with_places(str(error), session).splitlines():
            click.echo(_short(harmless(text)), err=True)
        return
    document = {
        "code": error.code,
        "title": error.title,
        "what": _short(with_places(error.what, session)),
        "hint": with_places(error.hint, session),
        "exit_code": exit_code,
        "problems": [
            {
                **asdict(problem),
                "what": with_places(problem.what, session),
                "hint": with_places(problem.hint, session),
            }
            for problem in error.problems
        ],
    }
    click.echo(json.dumps({"error": document}, indent=2), err=True)
