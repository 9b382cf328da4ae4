"""`requests retry --all-red`: what is likely to fail again and why, and everything red queued as a bulk."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mission_control_tui.cli.bulk import output
from mission_control_tui.cli.bulk import running as bulk_running
from mission_control_tui.cli.common import results
from mission_control_tui.cli.common.output import line
from mission_control_tui.cli.common.session import Session
from mission_control_tui.model.bulk.views import BulkOnlyAction
from mission_control_tui.model.plan import Outcome, Plan, PlanLine, PlanVerb
from mission_control_tui.model.states import Light

if TYPE_CHECKING:
    from mission_control_tui.model.bulk.retry import RetryPlan
    from mission_control_tui.model.bulk.views import BulkView
    from mission_control_tui.model.store.scope import AccountScope


def retry_all(session: Session) -> None:
    """Ask again for every service of the account whose light is red."""

    async def work(scope: AccountScope) -> tuple[RetryPlan, BulkView | None, list[int]]:
        from mission_control_tui.model.bulk import control as bulks
        from mission_control_tui.model.bulk.retry import EVERYBODY, retry_plan

        found = await retry_plan(scope)
        if session.dry_run or not found.queued:
            return found, None, []
        outcome = await bulks.start(scope, EVERYBODY, BulkOnlyAction.RETRY)
        queued = await bulk_running.go_on(session, scope, outcome.result, None)
        return found, await bulk_running.look(scope, outcome.result), queued

    found, started, queued = session.query(work)
    lights = {"light": str(Light.RED)}, {"light": str(Light.ORANGE)}
    lines = tuple(
        PlanLine(PlanVerb.CHANGED, "service", f"{red.subject} {red.service_id}", *lights)
        for red in found.lines
    )
    count = found.queued if started is None else len(queued)
    outcome = Outcome(found, Plan(lines, requests=tuple(queued)), not session.dry_run)
    told = {
        "retried": count,
        "requests": queued,
        "bulk": output.bulk(started) if started is not None else None,
        "likely": [
            {"likely": likely, "why": why, "count": many} for likely, why, many in found.reasons
        ],
    }
    results.tell(session, outcome, told)
    if session.json:
        return
    for likely, why, many in found.reasons:
        line(f"{many:>6}  {likely}: {why}")
    were = "would be" if session.dry_run else "was" if count == 1 else "were"
    line(f"{count} {were} queued again.")
