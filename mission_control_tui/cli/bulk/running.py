"""Going on with a bulk from a command: passwords into a file before each commit, and waiting until it is settled."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from mission_control_tui.cli.bulk import output
from mission_control_tui.cli.common import passwords, waiting
from mission_control_tui.cli.common.output import say
from mission_control_tui.cli.common.session import Session
from mission_control_tui.model import errors
from mission_control_tui.model.bulk.views import FAILED
from mission_control_tui.model.states import BulkState
from mission_control_tui.model.text.counting import counted
from mission_control_tui.model.users.actions.registry import ACTIONS
from mission_control_tui.model.views import RevealedPassword

if TYPE_CHECKING:
    from mission_control_tui.model.bulk.views import BulkPlan, BulkView
    from mission_control_tui.model.store.scope import AccountScope

LOOK_SECONDS = 0.25
TELL_SECONDS = 2.0
_REFUSALS = (
    *(errors.UsageError, errors.InvalidInput, errors.NotFound),
    *(errors.Conflict, errors.NoSeats),
)
_ERRORS: dict[int, type[errors.MissionControlError]] = {
    refusal.exit_code: refusal for refusal in _REFUSALS
}


async def see_through(
    session: Session, scope: AccountScope, bulk: BulkView, file: passwords.PasswordFile | None
) -> BulkView:
    """Wake the worker, take the passwords of a bulk that needs somebody to, and wait with --wait; the last look."""
    await waiting.wake(session, scope.store)
    if bulk.attended:
        await go_on(session, scope, bulk, file)
    if session.wait is not None:
        await until_settled(session, scope, bulk, session.wait)
    return await look(scope, bulk)


async def look(scope: AccountScope, bulk: BulkView) -> BulkView:
    """Return the bulk as it is now."""
    from mission_control_tui.model.bulk.queries import show

    return await show(scope, bulk.id)


async def go_on(
    session: Session, scope: AccountScope, bulk: BulkView, file: passwords.PasswordFile | None
) -> list[int]:
    """Make wishes of what is left of the bulk, here and now; returns the requests."""
    from mission_control_tui.model.bulk import control as bulks

    of_users = bulk.action in ACTIONS and not ACTIONS[bulk.action].of_service

    def keep(made: Sequence[RevealedPassword]) -> None:
        if file is None:
            raise errors.UsageError(
                "This generates passwords, which have to go somewhere.",
                hint="Name a new file for them: --passwords-out FILE",
            )
        file.keep(made, passwords.OF_USERS if of_users else passwords.OF_SERVICES)

    requests: list[int] = []
    async for done in bulks.attend(scope, bulk.id, keep):
        if done.requests and not requests:
            await waiting.wake(session, scope.store)
        requests += done.requests
    return requests


async def until_settled(
    session: Session, scope: AccountScope, bulk: BulkView, seconds: float
) -> BulkView:
    """Look until nothing of the bulk moves or the time is up, telling how far it is; the last look."""

    deadline = time.monotonic() + seconds
    tell_at = time.monotonic() + TELL_SECONDS
    while True:
        bulk = await look(scope, bulk)
        now = time.monotonic()
        if bulk.progress.settled or bulk.state is BulkState.STOPPED or now >= deadline:
            return bulk
        if now >= tell_at:
            say(f"{output.words(bulk.progress)}.")
            await waiting.wake(session, scope.store)
            tell_at = now + TELL_SECONDS
        await asyncio.sleep(LOOK_SECONDS)


def refuse_refused(plan: BulkPlan) -> None:
    """Raise the error of those who would be refused, naming them, where all or nobody is wanted."""
    refused = [group for group in plan.reasons if group.state == "refused"]
    if not refused:
        return
    first = refused[0]
    kind = _ERRORS.get(first.exit_code, errors.Conflict)
    problems = [errors.Problem(name, group.reason) for group in refused for name in group.names]
    missing = "".join(
        f" Missing: {seats.short} of {seats.service_id} {seats.level_id}." for seats in plan.short
    )
    raise kind(
        f"{plan.refused} of {plan.total} would be refused. Nothing was changed.{missing}",
        problems=waiting.first_of(problems),
    )


async def judge(scope: AccountScope, bulk: BulkView, waited: float | None) -> None:
    """Raise what the bulk's items say: refused ones, and where they were waited for red and moving ones."""
    from mission_control_tui.model.bulk import queries

    progress = bulk.progress
    if waited is not None and not progress.settled:
        raise errors.StillRunning(
            f"Bulk {bulk.id} still runs after {waited:g} s: {output.words(progress)}.",
            hint=f"The worker goes on by itself. To look: mission-control bulk show {bulk.id}",
        )
    if not progress.refused and not (waited is not None and progress.red):
        return
    failed = await queries.items(scope, bulk.id, outcomes=FAILED, limit=waiting.NAMED)
    problems = waiting.first_of(
        [errors.Problem(item.name, item.reason) for item in failed], total=progress.failed
    )
    hint = f"To see them: mission-control bulk show {bulk.id} --failed"
    if waited is not None and progress.red:
        raise errors.ProvisioningFailed(
            f"{counted(progress.red, 'is', 'are')} red.", problems=problems, hint=hint
        )
    raise errors.ImportIncomplete(
        f"{counted(progress.refused, 'was', 'were')} refused.", problems=problems, hint=hint
    )
