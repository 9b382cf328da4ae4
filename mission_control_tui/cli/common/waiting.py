"""Waiting for lights to settle: told by the feed of changes, narrated on stderr, ended with an exit code."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import aclosing
from pathlib import Path
from typing import TYPE_CHECKING

from mission_control_tui.cli.common.output import LIGHT_MARKS, say
from mission_control_tui.cli.common.session import Session
from mission_control_tui.model.errors import Problem, ProvisioningFailed, StillRunning
from mission_control_tui.model.states import Light, SubjectKind, Wish, Word
from mission_control_tui.model.text.counting import counted
from mission_control_tui.model.views import AssignmentView

if TYPE_CHECKING:
    from mission_control_tui.model.store.database import Store
    from mission_control_tui.model.store.scope import AccountScope

Look = Callable[[], Awaitable[Sequence[AssignmentView]]]

WORKER_SECONDS = 2.0
"""A worker that was killed tells nobody: so often somebody looks that one is there."""
STARTS_IN_VAIN = 3
"""So many looks in a row that found no worker mean that it fails as it starts."""
NAMED = 20
"""Lights that an error names; the others are counted."""


async def wake(session: Session, store: Store) -> None:
    """See to it that somebody does what was queued, and say so where nobody will."""
    from mission_control_tui.provisioning.launcher import Presence, ensure_worker

    if await ensure_worker(store, session.settings) is Presence.ABSENT:
        say("No worker is running: what is queued waits until one does (mission-control worker).")


async def until_settled(
    session: Session, scope: AccountScope, look: Look, seconds: float
) -> tuple[AssignmentView, ...]:
    """Look again at each change until nothing is orange or the time is up; returns the last look."""
    from mission_control_tui.model.store.change_feed import changes

    starter = _Starter(session, scope.store)
    deadline = time.monotonic() + seconds
    changed = asyncio.Event()
    told: dict[str, tuple[str, str, str]] = {}
    async with aclosing(changes(scope.store, await scope.account_id())) as feed:
        pump = asyncio.create_task(_pump(feed, changed))
        pump.add_done_callback(lambda _: changed.set())
        try:
            while True:
                changed.clear()
                views = tuple(await look())
                _narrate(views, told)
                left = deadline - time.monotonic()
                if left <= 0 or not any(map(is_moving, views)):
                    return views
                if pump.done():
                    pump.result()
                try:
                    async with asyncio.timeout(min(left, WORKER_SECONDS)):
                        await changed.wait()
                except TimeoutError:
                    await starter.look()
        finally:
            pump.cancel()
            await asyncio.gather(pump, return_exceptions=True)


class _Starter:
    """Replaces a worker that was killed; says once where the log is of one that does not come up."""

    def __init__(self, session: Session, store: Store) -> None:
        self._session = session
        self._store = store
        self._starts = 0

    async def look(self) -> None:
        if not self._session.caller.may_write:
            return
        from mission_control_tui.provisioning.launcher import Presence, ensure_worker
        from mission_control_tui.provisioning.worker_log import log_path

        presence = await ensure_worker(self._store, self._session.settings)
        in_vain = presence in (Presence.STARTED, Presence.FAILED)
        self._starts = self._starts + 1 if in_vain else 0
        if self._starts == STARTS_IN_VAIN:
            log = log_path(Path(self._store.url.database or ""))
            say(f"The worker does not come up. What it says is in {log}")


def look_at(scope: AccountScope, subject: str | Sequence[str]) -> Look:
    """Return a look at all that a user has, or at service instances of these ids."""
    from mission_control_tui.model.services.lights import assignments_by_id, status

    async def look() -> Sequence[AssignmentView]:
        if not isinstance(subject, str):
            return await assignments_by_id(scope, subject)
        found = await status(scope, user=subject)
        return [view for view in found if view.id]

    return look


async def subjects_of(scope: AccountScope, requests: Sequence[int]) -> Sequence[str]:
    """Return the ids of the service instances that requests, or those that follow from them, are about."""
    from mission_control_tui.model.services.lights import assignments_of_requests

    return await assignments_of_requests(scope, requests) if requests else ()


async def _pump(feed: AsyncIterator[None], changed: asyncio.Event) -> None:
    async for _ in feed:
        changed.set()


def is_moving(view: AssignmentView) -> bool:
    """Tell whether something is on its way that will change this light."""
    return view.light is Light.ORANGE and view.word is not Word.NOT_CHECKED


def name_of(view: AssignmentView) -> str:
    """Return the service as a line and a command name it: its id, its instance name, its level's id."""
    return " ".join(filter(None, (view.service_id, view.instance, view.level_id)))


def light_of(view: AssignmentView) -> str:
    """Return mark and word, never colour alone."""
    suspended = ", suspended" if view.suspended else ""
    return f"{LIGHT_MARKS[view.light]} {view.word}{suspended}"


def _narrate(views: Sequence[AssignmentView], told: dict[str, tuple[str, str, str]]) -> None:
    for view in views:
        now = (str(view.light), str(view.word), view.step)
        if told.get(view.id) == now or (view.id not in told and not is_moving(view)):
            told.setdefault(view.id, now)
            continue
        told[view.id] = now
        step = f": {view.step}" if view.step else ""
        say(f"{view.subject}  {name_of(view)}  {light_of(view)}{step}")


def judge(views: Sequence[AssignmentView], seconds: float) -> None:
    """Raise ProvisioningFailed when a light is red, StillRunning when one is orange."""
    red = [view for view in views if view.light is Light.RED]
    orange = [view for view in views if is_moving(view)]
    if red:
        problems = [Problem(_where(view), view.error_said, view.error_remedy) for view in red]
        hint = f"When that is mended, run: {_next_command(red)}"
        raise ProvisioningFailed(f"{_count(red)} red.", problems=first_of(problems), hint=hint)
    if orange:
        problems = [
            Problem(_where(view), f"{view.word}{': ' * bool(view.step)}{view.step}")
            for view in orange
        ]
        raise StillRunning(
            f"{_count(orange)} still orange after {seconds:g} s.",
            problems=first_of(problems),
            hint="The worker goes on by itself. To wait longer, run: mission-control status --wait 60",
        )


def _count(views: Sequence[AssignmentView]) -> str:
    return counted(len(views), "service is", "services are")


def first_of(problems: Sequence[Problem], named: int = NAMED, total: int = 0) -> list[Problem]:
    """Return the first problems, and in place of the others how many there are; `total` where more exist."""
    left = max(total, len(problems)) - len(problems[:named])
    return [*problems[:named], *([Problem("", f"and {left} more")] if left else [])]


def _where(view: AssignmentView) -> str:
    return f"{view.subject} {name_of(view)}"


def _next_command(red: Sequence[AssignmentView]) -> str:
    from mission_control_tui.model.command_words import command_line
    from mission_control_tui.model.services.subjects import subject_words

    (view, *others) = red
    if others or view.is_orphan or view.subject_kind is SubjectKind.OBJECT:
        return "mission-control requests retry --all-red"
    verb = {Wish.ABSENT: "deprovision", Wish.SUSPENDED: "suspend"}.get(view.wish, "provision")
    instance = ("--instance", view.instance) if view.instance else ()
    who = subject_words(view.subject_kind, view.subject)
    return command_line(verb, *who, view.service_id, *instance)
