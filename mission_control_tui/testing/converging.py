"""Wishes, a journal in memory and the loop of the worker, for tests of connectors."""

from __future__ import annotations

import contextlib
import hashlib
import secrets
import zlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TypeVar

from mission_control_tui.connect import (
    Applied,
    ConnectorError,
    DesiredState,
    ErrorKind,
    Step,
)
from mission_control_tui.model.states import StepState
from mission_control_tui.provisioning.converge import Look, converge, observe_and_plan
from mission_control_tui.provisioning.guard import Guarded

T = TypeVar("T")

INSTALLATION = "0123456789abcdef0123456789abcdef"
PASSWORD = "Correct-Horse-7é"
ROUNDS = 3
"""Attempts that `reach` makes at most, as the queue would."""


def key_of(name: str) -> str:
    """Return an assignment's id made from a name."""
    return hashlib.sha256(name.encode()).hexdigest()[:32]


def new_name(prefix: str = "acme") -> str:
    """Return a back-end name that no other test uses."""
    return f"{prefix}_{secrets.token_hex(5)}"


def new_installation() -> str:
    """Return another installation's id."""
    return secrets.token_hex(16)


def secret_id(secret: str | None) -> str:
    """Return what tells this password from others."""
    return f"{zlib.crc32(str(secret).encode())}"


class Stopped(Exception):
    """The loop was told to stop between two steps."""


@dataclass
class MemoryJournal:
    """Keeps what `converge` notes; stops it once the step `stop_after` is done."""

    stop_after: str = ""
    entries: list[tuple[str, StepState]] = field(default_factory=list)
    looks: list[Look] = field(default_factory=list)
    errors: list[ConnectorError] = field(default_factory=list)

    async def begin(self, name: str, shown: str) -> None:
        if self.stop_after in self.done():
            raise Stopped
        self.note(name, StepState.RUNNING)

    async def look(self, name: str, call: Callable[[], Awaitable[Look]]) -> Look:
        self.looks.append(await self._noted(name, call()))
        return self.looks[-1]

    async def apply(
        self, step: Step, desired: DesiredState, call: Callable[[DesiredState], Awaitable[Applied]]
    ) -> Applied:
        return await self._noted(step.name, call(desired))

    def note(self, name: str, state: StepState, error: ConnectorError | None = None) -> None:
        """Keep one entry."""
        self.entries.append((name, state))
        if error is not None:
            self.errors.append(error)

    @property
    def steps(self) -> list[tuple[str, StepState]]:
        """The entries without the looks."""
        return [entry for entry in self.entries if entry[0] not in ("observe", "verify")]

    def done(self) -> list[str]:
        """The names of the steps that were done, in order."""
        return [name for name, state in self.steps if state is StepState.DONE]

    async def _noted(self, name: str, call: Awaitable[T]) -> T:
        try:
            result = await call
        except ConnectorError as error:
            self.note(name, StepState.FAILED, error)
            raise
        self.note(name, StepState.DONE)
        return result


async def reach(
    connector: Guarded,
    desired: DesiredState,
    journal: MemoryJournal | None = None,
) -> Look:
    """Converge as the worker does; after a stale or a lost answer again, as the queue would, `ROUNDS` times at most."""
    journal = journal or MemoryJournal()
    rounds_left = ROUNDS
    while True:
        rounds_left -= 1
        try:
            return await converge(connector, desired, journal)
        except ConnectorError as error:
            if not rounds_left or not (error.outcome_unknown or error.kind is ErrorKind.STALE):
                raise


async def stop_after(connector: Guarded, desired: DesiredState, step: str) -> Look:
    """Converge until the step is done, as a worker that is told to stop; returns what is true then."""
    with contextlib.suppress(Stopped):
        await converge(connector, desired, MemoryJournal(stop_after=step))
    return await observe_and_plan(connector, desired)
