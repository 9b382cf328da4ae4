"""`provision --users-from` and `--domains-from`: one service for many, as a bulk that this command ends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from mission_control_tui.cli.bulk import looking as bulk_looking
from mission_control_tui.cli.bulk import output
from mission_control_tui.cli.bulk import running as bulk_running
from mission_control_tui.cli.common import passwords, results, waiting
from mission_control_tui.cli.common.output import line, print_json, say
from mission_control_tui.cli.common.session import Session
from mission_control_tui.model.bulk.views import BulkPlan
from mission_control_tui.model.plan import Plan, PlanLine, PlanVerb, SeatLine
from mission_control_tui.model.users.actions.params import ActionParams
from mission_control_tui.model.users.actions.provision import Provision

if TYPE_CHECKING:
    from mission_control_tui.model.bulk.targets import BulkTarget
    from mission_control_tui.model.bulk.views import BulkItemView, BulkView
    from mission_control_tui.model.store.scope import AccountScope
    from mission_control_tui.model.views import AssignmentView

EVERYTHING = 1_000_000


def provision_many(session: Session, users: Sequence[str], params: ActionParams) -> None:
    """Give it to all of them, or to nobody where somebody would be refused, as far as can be known before."""
    if session.look:
        bulk_looking.look(session, users, Provision.verb, params, whole=True)
        return
    lights: tuple[AssignmentView, ...] = ()
    started: BulkView | None = None

    async def work(scope: AccountScope) -> tuple[BulkPlan, list[int], list[dict[str, object]]]:
        from mission_control_tui.model.bulk import control as bulks
        from mission_control_tui.model.bulk import planning, queries, targets

        nonlocal lights, started
        action = Provision.verb
        found = await planning.plan(scope, users, action, params)
        bulk_running.refuse_refused(found)
        file = passwords.file_where_needed(session, bool(found.passwords))
        if session.dry_run:
            return found, [], []
        if found.takes_away:
            output.confirm_losses(session, found)
        requests: list[int] = []
        items: Sequence[BulkItemView | BulkTarget]
        if found.queued:
            outcome = await bulks.start(scope, users, action, params)
            requests = await bulk_running.go_on(session, scope, outcome.result, file)
            started = await bulk_running.look(scope, outcome.result)
            items = await queries.items(scope, started.id, limit=EVERYTHING)
        else:  # the same again changes nothing, not even the list of bulks
            items = (await targets.order(scope, users, action, params)).targets
        lights = await _lights(session, scope, items)
        by_id = {view.id: view for view in lights}
        return found, requests, [_given(item, by_id, params) for item in items]

    found, requests, given = session.query(work)
    if session.json:
        shown = [results.service(view) for view in lights]
        print_json(
            {
                "applied": started is not None,
                "given": given,
                "bulk": output.bulk(started) if started is not None else None,
                "plan": as_plan(found, requests),
                **({"services": shown} if session.wait is not None else {}),
            }
        )
    elif not found.queued:
        line("Nothing to do: everything is so already.")
    else:
        output.tell_plan(found, applied=started is not None)
        if started is None:
            say("Dry run: nothing was changed.")
        elif session.wait is None:
            say(f"Queued. To watch, run: mission-control bulk show {started.id}")
    if started is not None:
        session.query(bulk_running.judge, started, None)
    results.judge(session, lights)


async def _lights(
    session: Session, scope: AccountScope, users: Sequence[BulkItemView | BulkTarget]
) -> tuple[AssignmentView, ...]:
    ids = [user.assignment_id for user in users if user.assignment_id is not None]
    look = waiting.look_at(scope, ids)
    if session.wait is None:
        return tuple(await look())
    return await waiting.until_settled(session, scope, look, session.wait)


def _given(
    user: BulkItemView | BulkTarget, lights: Mapping[str, AssignmentView], params: ActionParams
) -> dict[str, object]:
    view = lights.get(user.assignment_id or "")
    return {
        "domain" if user.domain_id else "user": user.name,
        "service": view.service_id if view else params.service,
        "instance": params.instance,
        "level": (view.level_id or None) if view else None,
        "login": view.backend_name if view else "",
        "assignment": user.assignment_id,
        "request": getattr(user, "request_id", None),
    }


def as_plan(found: BulkPlan, requests: Sequence[int]) -> Plan:
    """Return a bulk's plan in the shape of every other plan, as it is printed as JSON."""
    left_out = [
        PlanLine(PlanVerb.UNCHANGED, "service", name, {}, {"why": group.reason})
        for group in found.reasons
        if group.state != "waiting"
        for name in group.names
    ]
    names = ("service_id", "level_id", "owned", "owned", "free_before", "free_queued")
    seats = [SeatLine(*(getattr(level, name) for name in names)) for level in found.seats]
    return Plan(tuple(left_out), tuple(seats), warnings=found.warnings, requests=tuple(requests))
