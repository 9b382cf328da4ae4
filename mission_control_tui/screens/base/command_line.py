"""What screens know of the command line: only what whoever opened the console hands in."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol


class TypedCommand(Protocol):
    """A command that was understood: its words, and whether it wants a yes first (after a trial, where it has one)."""

    @property
    def words(self) -> tuple[str, ...]: ...
    @property
    def asks(self) -> bool: ...
    @property
    def tries(self) -> bool: ...


class CommandResult(Protocol):
    """What a command printed, and its exit code."""

    @property
    def code(self) -> int: ...
    @property
    def output(self) -> str: ...


@dataclass(frozen=True, slots=True)
class CommandLine:
    """The command line, handed in by whoever opened the console: screens know none.

    `understand` raises UsageError; `run` gets the command, the caller, the account's code and further words; `complete`
    says what the last word of a line can become; `history` are the lines typed before, and `remember` keeps one more.
    """

    understand: Callable[[str], TypedCommand]
    run: Callable[..., Awaitable[CommandResult]]
    complete: Callable[[str], Awaitable[Sequence[str]]]
    history: Callable[[], list[str]]
    remember: Callable[[str], None]
