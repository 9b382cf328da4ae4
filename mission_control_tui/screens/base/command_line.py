"""What screens know of the command line: only what whoever opened the console hands in."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ParsedCommand:
    """A command that was understood. `asks`: it takes something away, and wants a yes first; `tries`: after a trial."""

    words: tuple[str, ...]
    asks: bool
    takes_ticket: bool
    tries: bool


@dataclass(frozen=True, slots=True)
class ProcessResult:
    """What a command printed, and its exit code."""

    code: int
    output: str


@dataclass(frozen=True, slots=True)
class CommandLine:
    """The command line, handed in by whoever opened the console: screens know none.

    `understand` raises UsageError; `run` gets the command, the caller, the account's code, further words, and the cells
    of a line as `width`; `complete` says what the last word of a line can become; `history` are the lines typed before,
    and `remember` keeps one more.
    """

    understand: Callable[[str], ParsedCommand]
    run: Callable[..., Awaitable[ProcessResult]]
    complete: Callable[[str], Awaitable[Sequence[str]]]
    history: Callable[[], list[str]]
    remember: Callable[[str], None]
