"""Commands typed in the console: completed as a shell completes them, run as processes of their own.

The console is handed these functions, because screens know no command line.
"""

from __future__ import annotations

import asyncio
import os
import shlex
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import click

from mission_control_tui.cli.common.options import COMPLETE_VARIABLE
from mission_control_tui.model.errors import UsageError
from mission_control_tui.model.input_files import MEBIBYTE, read_file
from mission_control_tui.screens.base.command_line import ParsedCommand, ProcessResult
from mission_control_tui.settings.child_processes import command, environment_of_ours
from mission_control_tui.settings.settings import Settings

_WITH_VALUE = ("--account", "--database")

KEPT = 500
HISTORY_LIMIT = 4 * MEBIBYTE
"""Commands that are kept in the file of those that were typed."""

OUTPUT_LIMIT = 1_000_000
"""Characters of output that are kept; what comes after them is cut off, and said to be."""


@dataclass(frozen=True, slots=True)
class CommandScope:
    """What every command of this console gets: database, account, ticket, session, cells of a line, settings."""

    database: str
    account: str
    ticket: str = ""
    session: str = ""
    read_only: bool = False
    width: int = 80
    settings: Settings = field(default_factory=Settings)


def split(text: str) -> list[str]:
    """Return the words of a line, as a shell splits them. Raises UsageError for an open quotation mark."""
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise UsageError(f"{error}.", hint="Close the quotation mark.") from error
    return words[1:] if words[:1] == ["mission-control"] else words


def understand(root: click.Command, text: str) -> ParsedCommand:
    """Find the command below `root` that a line means.

    Raises UsageError: no such command, or one that needs a terminal.
    """
    words = split(text)
    if not words:
        raise UsageError("Type a command.", hint="Tab shows which there are.")
    command: click.Command = root
    ctx = click.Context(root, info_name="mission-control")
    path = _without_options(words)
    for word in path:
        if not isinstance(command, click.Group) or word.startswith("-"):
            break
        found = command.get_command(ctx, word)
        if found is None:
            names = ", ".join(command.list_commands(ctx))
            raise UsageError(f"There is no command {word!r} here.", hint=f"There are: {names}.")
        command, ctx = found, click.Context(found, info_name=word, parent=ctx)
    if path[:1] == ["worker"]:
        raise UsageError("The worker runs outside of the console.", hint="Start it in a shell.")
    flags = {flag for parameter in command.params for flag in parameter.opts}
    asks = "--yes" in flags and "--yes" not in words and "--dry-run" not in words
    return ParsedCommand(
        tuple(words),
        asks,
        "--ticket" in flags and "--ticket" not in words,
        asks and "--dry-run" in flags,
    )


def _without_options(words: Sequence[str]) -> list[str]:
    """Return the words from the command on: options of `mission-control` itself may stand before it."""
    rest = list(words)
    while rest and rest[0].startswith("-"):
        rest = rest[2:] if rest[0] in _WITH_VALUE else rest[1:]
    return rest


async def run(typed: ParsedCommand, where: CommandScope, *extra: str) -> ProcessResult:
    """Run the command in a process of its own, without a terminal; `extra` are further words."""
    words = list(typed.words) + list(extra)
    if where.ticket and typed.takes_ticket:
        words += ["--ticket", where.ticket]
    environment = environment_of_ours(
        where.settings,
        # A URL may hold a password, and everybody can read the words of a process.
        MISSION_CONTROL_DATABASE=where.database,
        # Named by no option, it is in no command that is printed: what is typed here has it by itself.
        MISSION_CONTROL_ACCOUNT=where.account,
        MISSION_CONTROL_RUN=where.session,
        MISSION_CONTROL_READ_ONLY="1" if where.read_only else "0",
        COLUMNS=str(where.width),
        PYTHONIOENCODING="utf-8",  # as it is read here, whatever the terminal has
    )
    process = await asyncio.create_subprocess_exec(
        *command("mission_control_tui", *words),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env=environment,
    )
    try:
        output, _nothing = await process.communicate()
    except asyncio.CancelledError:
        process.terminate()
        raise
    text = output.decode("utf-8", errors="replace")
    if len(text) > OUTPUT_LIMIT:
        text = text[:OUTPUT_LIMIT] + "\n... cut off here; run it in a shell for all of it.\n"
    return ProcessResult(process.returncode or 0, text)


def complete(root: click.Command, text: str) -> Sequence[str]:
    """Return what the last word of `text` can become: commands, or the options of the command."""
    from click.shell_completion import ShellComplete

    words = text.split(" ")
    before = [word for word in words[:-1] if word]
    shell = ShellComplete(root, {}, "mission-control", COMPLETE_VARIABLE)
    return [
        item.value
        for item in shell.get_completions(before, words[-1])
        if item.type == "plain" and item.value.startswith(words[-1])
    ]


@dataclass(frozen=True, slots=True)
class History:
    """What was typed: lines in a file that only its owner reads, the newest last.

    A file that cannot be read or written is no history, and no error.
    """

    path: Path

    def read(self) -> list[str]:
        """Return at most KEPT lines."""
        try:
            text = read_file(self.path, HISTORY_LIMIT).decode("utf-8", errors="replace")
            return text.splitlines()[-KEPT:]
        except OSError:
            return []

    def add(self, line: str) -> None:
        """Keep one more, unless it is the last one again."""
        lines = self.read()
        if lines[-1:] == [line]:
            return
        kept = [*lines, " ".join(line.splitlines())][-KEPT:]
        try:
            self.path.parent.mkdir(parents=True, mode=0o700, exist_ok=True)
            fresh = self.path.with_name(f"{self.path.name}.{os.getpid()}")
            fresh.touch(mode=0o600)
            fresh.write_text("".join(f"{command}\n" for command in kept), "utf-8")
            fresh.replace(self.path)
        except OSError:
            return
