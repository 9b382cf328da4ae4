"""`undo`: state again what was wished before."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from mission_control_tui.cli.bulk import output
from mission_control_tui.cli.bulk import running as bulk_running
from mission_control_tui.cli.common import passwords, results
from mission_control_tui.cli.common.options import destroys, waits
from mission_control_tui.cli.common.output import line, print_json, say
from mission_control_tui.cli.common.parameters import argument, option
from mission_control_tui.cli.common.session import Session
from mission_control_tui.model.plan import Plan, PlanVerb

if TYPE_CHECKING:
    from mission_control_tui.model.bulk.views import BulkView
    from mission_control_tui.model.history.undo import UndoResult
    from mission_control_tui.model.plan import Outcome
    from mission_control_tui.model.store.scope import AccountScope
    from mission_control_tui.model.views import AssignmentView


def _removed(plan: Plan) -> int:
    return sum(
        row.verb is PlanVerb.REMOVED and row.kind in ("service", "object") for row in plan.lines
    )


@click.command()
@argument("kind", type=click.Choice(["audit", "request", "bulk"]))
@argument("number", type=int, metavar="ID")
@option("--force", is_flag=True, help="Also what somebody changed since.")
@passwords.passwords_out
@waits
@destroys("mission-control undo request 17", "mission-control undo bulk 3 --dry-run")
def undo(session: Session, kind: str, number: int, force: bool) -> None:
    """Undo one change: of a row of the audit, of a request, or of a whole bulk.

    The wish before is stated again, so an undo can be undone. What was changed since is refused,
    saying by whom; what cannot come back is said.
    """

    lights: tuple[AssignmentView, ...] = ()
    settled: BulkView | None = None

    async def work(scope: AccountScope) -> Outcome[UndoResult]:
        nonlocal lights, settled
        from mission_control_tui.model.history import undo as undoing

        which: dict[str, Any] = {kind: number, "force": force}
        tried = await undoing.undo(scope, **which, dry_run=True)
        plan = tried.result.plan
        makes = plan.passwords > 0 if plan is not None else tried.result.password is not None
        file = passwords.file_where_needed(session, makes)
        if session.dry_run:
            return tried
        taken = plan.removals if plan is not None else _removed(tried.plan)
        if taken:
            kinds = {row.kind for row in tried.plan.lines if row.verb is PlanVerb.REMOVED}
            one = "an object" if kinds == {"object"} else "a service"
            what = one if taken == 1 else f"{taken} {one.split()[1]}s"
            session.confirm(f"This takes {what} away, with the data. Undo {tried.result.what}?")
        elif lost := plan.lost if plan is not None else tried.plan.lost:
            session.confirm(f"Undo {tried.result.what}? Lost: {'; '.join(lost)}.")
        outcome = await undoing.undo(passwords.kept_in(scope, file), **which)
        started = outcome.result.bulk
        if started is not None:
            last = await bulk_running.see_through(session, scope, started, file)
            settled = last if session.wait is not None else None
        else:
            about = outcome.result.user_id or [*filter(None, [outcome.result.assignment_id])]
            lights = await results.follow(session, scope, outcome, about)
        return outcome

    outcome = session.query(work)
    undone = outcome.result
    told: dict[str, object] = {
        "undone": undone.what,
        "requests": undone.requests if outcome.applied else (),
        "notes": undone.notes,
        "bulk": output.bulk(settled or undone.bulk) if undone.bulk and outcome.applied else None,
    }
    if undone.plan is None:
        results.tell(session, outcome, told, lights)
    elif session.json:
        print_json({"applied": outcome.applied, **told, "plan": undone.plan})
    else:
        output.tell_plan(undone.plan, applied=outcome.applied)
        if undone.bulk is not None and outcome.applied:
            line(f"Bulk {undone.bulk.id} undoes bulk {undone.bulk.undoes_id}.")
            say(f"To watch, run: mission-control bulk show {undone.bulk.id}")
        else:
            say("Dry run: nothing was changed.")
    if settled is not None:
        session.query(bulk_running.judge, settled, session.wait)
    if not session.json:
        for note in undone.notes:
            say(f"Note: {note}")
