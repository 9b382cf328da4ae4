"""Passwords that a bulk makes: to a private file as they are made, or kept by this console to be shown once.

Whoever attends a bulk goes on with it until it ends, whichever screen is on top; a console that is left leaves the bulk
where it is, and another one resumes it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

from textual.app import App

from mission_control_tui.model.bulk.control import attend
from mission_control_tui.model.bulk.views import BulkView
from mission_control_tui.model.store.private_files import (
    append,
    password_rows,
    path_named,
    write_new,
)
from mission_control_tui.model.views import RevealedPassword
from mission_control_tui.screens.base.mission_screen import MissionScreen
from mission_control_tui.widgets.shielded import shielded

HEADINGS = ("upn", "service", "instance", "login", "password")


@dataclass(slots=True)
class AttendedBulk:
    """What a console knows of a bulk that it attends: where its passwords go, or the passwords themselves."""

    place: Path | None
    running: bool = True
    made: int = 0
    passwords: list[RevealedPassword] = field(default_factory=list, repr=False)


_held: WeakKeyDictionary[App[Any], dict[int, AttendedBulk]] = WeakKeyDictionary()


class BulkPasswords:
    """What a screen needs that starts or resumes bulks that make passwords."""

    def __init__(self, screen: MissionScreen) -> None:
        self._screen = screen

    def held(self, bulk_id: int) -> AttendedBulk | None:
        """Return what this console holds of the bulk, if it attends it."""
        return _held.get(self._screen.app, {}).get(bulk_id)

    def ask_where(self, then: Callable[[Path | None], Any]) -> None:
        """Ask for the file for the passwords; empty keeps them here, to be shown once. It is made at once."""

        async def named(text: str) -> None:
            place = path_named(text) if text.strip() else None
            if place is not None:
                await write_new(place, password_rows((), HEADINGS))
            await then(place)

        stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
        name = f"passwords-{self._screen.context.account.code}-{stamp}.csv"
        self._screen.prompts.ask(
            [
                "Passwords are generated. To which new file, that only you can read?",
                "Empty: they are kept in this console alone, and shown once.",
            ],
            "File",
            named,
            value=str(Path.home() / name),
        )

    def attend_to(self, bulk: BulkView, place: Path | None) -> None:
        """Go on with the bulk in this process until it ends, whichever screen is on top."""
        held = AttendedBulk(place)
        _held.setdefault(self._screen.app, {})[bulk.id] = held
        context = self._screen.context

        async def work() -> None:
            def keep(made: Sequence[RevealedPassword]) -> None:
                if held.place is not None:
                    append(held.place, password_rows(map(cells_of, made)))
                else:
                    held.passwords.extend(made)
                held.made += len(made)

            try:
                async for done in attend(context.scope, bulk.id, keep):
                    if done.requests:
                        context.worker = await context.wake()
            finally:
                held.running = False

        self._screen.app.run_worker(
            shielded(self._screen.loader.guard(work())),
            group="bulks",
            description="bulk",
            exit_on_error=True,
        )


def cells_of(made: RevealedPassword) -> tuple[str, ...]:
    """Return a password with whose it is, as HEADINGS name it."""
    return made.upn, made.service_id, made.instance, made.login, made.password
