"""What gives one subject a service: tried first, asked about where it loses something, then done and followed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from mission_control_tui.cli.common import looking, passwords, results
from mission_control_tui.cli.common.session import Session

if TYPE_CHECKING:
    from mission_control_tui.model.plan import Outcome
    from mission_control_tui.model.services.subjects import SubjectKey
    from mission_control_tui.model.store.scope import AccountScope
    from mission_control_tui.model.users.actions.base import ActionResult
    from mission_control_tui.model.views import AssignmentView


class Act(Protocol):
    """Does it in the model, or with `dry_run` says what it would do."""

    async def __call__(
        self, scope: AccountScope, *, dry_run: bool = False
    ) -> Outcome[tuple[ActionResult, ...]]: ...


def give(session: Session, who: str | SubjectKey, instance: str, act: Act, question: str) -> None:
    """Look (--look) or try and do, with the file for passwords that are made; tells what came of it.

    Raises Denied where something would be lost and the answer to `question` is no.
    """

    async def tried_ids(scope: AccountScope) -> list[str]:
        tried = await act(scope, dry_run=True)
        return [result.assignment_id for result in tried.result]

    if session.look:
        looking.look(session, tried_ids)
        return

    async def work(
        scope: AccountScope,
    ) -> tuple[Outcome[tuple[ActionResult, ...]], tuple[AssignmentView, ...]]:
        tried = await act(scope, dry_run=True)
        makes = any(result.password for result in tried.result)
        file = passwords.file_where_needed(session, makes)
        if session.dry_run:
            return tried, ()
        session.confirm_losses(question, tried.plan)
        outcome = await act(passwords.kept_in(scope, file))
        ids = [result.assignment_id for result in outcome.result]
        return outcome, await results.follow(session, scope, outcome, ids)

    outcome, lights = session.query(work)
    given = [results.given(who, instance, result) for result in outcome.result]
    results.tell(session, outcome, {"given": given}, lights)
