"""`requests`: the queue, and what one may do to it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, ParamSpec, TypeVar

import click

from mission_control_tui.cli.bulk import output
from mission_control_tui.cli.bulk import running as bulk_running
from mission_control_tui.cli.common import planned, results, waiting
from mission_control_tui.cli.common.lists import limited
from mission_control_tui.cli.common.next_commands import as_called
from mission_control_tui.cli.common.options import (
    changes,
    choices,
    destroys,
    exports,
    reads,
    waits,
)
from mission_control_tui.cli.common.output import attributes, line, say, section, when
from mission_control_tui.cli.common.parameters import argument, option
from mission_control_tui.cli.common.session import Session
from mission_control_tui.model.bulk.views import BulkOnlyAction
from mission_control_tui.model.errors import Conflict, UsageError
from mission_control_tui.model.plan import Outcome, Plan, PlanLine, PlanVerb
from mission_control_tui.model.states import ACTIVE_STATES, Light, RequestState
from mission_control_tui.model.text.counting import counted
from mission_control_tui.model.text.instances import with_instance
from mission_control_tui.model.views import AssignmentView, RequestView

if TYPE_CHECKING:
    from mission_control_tui.model.bulk.retry import RetryPlan
    from mission_control_tui.model.bulk.views import BulkView
    from mission_control_tui.model.store.database import Store
    from mission_control_tui.model.store.scope import AccountScope

P = ParamSpec("P")
T = TypeVar("T")


@click.group()
def requests() -> None:
    """The queue: every wish on its way to a back end."""


@requests.command("list")
@choices("--state", "states", RequestState, "Only requests in this state")
@option("--user", metavar="USER", help="Only one user's.")
@option("--waiting", is_flag=True, help="Only requests that wait or are queued.")
@option(
    "--summary",
    is_flag=True,
    help="Of those that wait, what connectors in observe mode would change, counted by kind.",
)
@limited(50, "At most so many, or all; the newest first.")
@option("--before", type=int, metavar="ID", help="Only those older than this request.")
@exports
@reads(
    "mission-control requests list --state failed",
    "mission-control requests list --all-accounts --state failed --csv",
    "mission-control requests list --waiting --summary",
)
def list_all(
    session: Session,
    states: tuple[str, ...],
    user: str | None,
    limit: int,
    before: int | None,
    waiting: bool,
    summary: bool,
) -> None:
    """List requests, the newest first; of all accounts too.

    With --summary those that wait for a connector in observe mode are summed up: what it would change, how often, what
    takes something away first. `requests show` has the changes of one, `requests allow --planned` lets them be done.
    """
    if summary:
        if states or user or before is not None or session.csv:
            raise UsageError("--summary is of all that waits: it takes no state, user or --csv.")
        _summarise(session)
        return
    from mission_control_tui.model.requests.queries import list_requests

    wanted = [RequestState(state) for state in states]
    if waiting:
        wanted += [RequestState.WAITING, RequestState.QUEUED]
    found = session.survey(
        list_requests, states=wanted, user=user, limit=limit + 1, before_id=before
    )
    results.tell_survey(
        session,
        "requests",
        found,
        ("Id", "State", "What", "For", "Asked"),
        lambda view: (view.id, view.state, what(view), view.subject, when(view.created_at)),
        request,
        nothing="No requests.",
        limit=limit,
        older=lambda last: f"requests list --before {last.id}",
    )


def _summarise(session: Session) -> None:
    """Tell what would be changed for all that waits with a plan."""
    from mission_control_tui.model.requests.request_plans import PlanSummary, summarise_plans
    from mission_control_tui.model.store.scope import AllAccounts

    async def work(store: Store) -> PlanSummary:
        if session.all_accounts:
            return await summarise_plans(AllAccounts(store, session.caller))
        return await summarise_plans(await session.scope(store))

    found = session.run(work)
    document = {"planned": found.requests, "changes": planned.counts(found.counts)}
    if session.printed(document):
        return
    if not found.requests:
        say("Nothing waits with a plan: no connector in observe mode would change anything.")
        return
    waits = counted(found.requests, "request waits", "requests wait")
    line(f"{waits} for a connector that only observes:")
    planned.print_counts(found.counts)
    say("Each one's changes: requests show ID. To let them be done: requests allow --planned")


def what(view: RequestView) -> str:
    """Say what a request is about: provision databases (crm)."""
    return with_instance(f"{view.kind} {view.service_id}".rstrip(), view.instance)


def request(view: RequestView) -> dict[str, object]:
    """Return a request as JSON; what does not apply is null."""
    return {
        **attributes(view, "id", "kind", "state", "subject", "user_id"),
        "service": view.service_id or None,
        "instance": view.instance,
        "level": view.level_id or None,
        "parent": view.parent_id,
        "depends_on": view.depends_on,
        "waiting_for": view.waiting_for or None,
        "connector": view.connector or None,
        **attributes(view, "generation", "attempt", "failures"),
        "priority": "interactive" if view.priority == 1 else "bulk",
        **attributes(view, "operator", "ticket", "created_at", "started_at", "ended_at"),
    }


@requests.command()
@argument("request_id", type=int, metavar="ID")
@reads("mission-control requests show 17")
def show(session: Session, request_id: int) -> None:
    """Show one request: its steps, and everything that the back end said."""

    from mission_control_tui.model.requests.planned_changes import changed_in
    from mission_control_tui.model.requests.request_details import show_request

    found = session.query(show_request, request_id)
    if session.printed(
        {
            "request": request(found.request),
            "steps": found.steps,
            "events": found.events,
            "planned": planned.plan(found.plan),
            "children": [request(child) for child in found.children],
        }
    ):
        return
    view = found.request
    line(f"Request {view.id}: {what(view)} for {view.subject}, {view.state}")
    ticket = f", ticket {view.ticket}" if view.ticket else ""
    line(f"Asked by {view.operator} at {when(view.created_at)}{ticket}; attempt {view.attempt}.")
    if view.waiting_for:
        line(f"Waiting for {view.waiting_for}.")
    if view.connector:
        shown = f"Connector {view.connector}: mission-control connectors show {view.connector}"
        line(as_called(shown))
    if found.pause is not None and view.state in ACTIVE_STATES:
        for words in found.pause.lines:
            line(f"    {words}")
    if found.plan is not None:
        line("")
        line(f"Planned, looked at {when(found.plan.looked_at)}:")
        for words in found.plan.planned.lines:
            line(f"    {words}")
    children = [(child.id, child.state, what(child)) for child in found.children]
    section(["Id", "State", "What"], children)
    steps = [(step.attempt, step.name, step.state) for step in found.steps]
    section(["Attempt", "Step", "State"], steps)
    if found.events:
        line("")
    for event in found.events:
        step = f" {event.step}" if event.step else ""
        took = f" ({event.duration_ms} ms)" if event.duration_ms is not None else ""
        line(f"{event.at:%H:%M:%SZ}  {event.kind}{step}{took}  {event.said}".rstrip())
        for words in changed_in(event).lines:
            line(f"{'':11}{words}")
        if event.remedy:
            line(f"{'':11}{event.remedy}")


@requests.command()
@argument("request_id", type=int, metavar="[ID]", required=False)
@option("--all-red", is_flag=True, help="Try every service again whose light is red.")
@waits
@changes("mission-control requests retry 17", "mission-control requests retry --all-red")
def retry(session: Session, request_id: int | None, all_red: bool) -> None:
    """Ask again for what failed or was cancelled; what waits for its next try is tried now.

    --all-red says what is likely to fail again, and why, and what has to be mended in another way.
    """
    if (request_id is None) is not all_red:
        raise UsageError("Name one request, or all with --all-red.")
    if request_id is None:
        _retry_all(session)
        return
    from mission_control_tui.model.requests import control

    outcome, lights = _change_queue(session, tuple, control.retry, request_id)
    retried = outcome.result if outcome.applied else ()
    told = {"retried": len(outcome.result), "requests": retried}
    results.tell(session, outcome, told, lights)


def _retry_all(session: Session) -> None:
    """Ask again for every service of the account whose light is red."""

    async def work(
        scope: AccountScope,
    ) -> tuple[RetryPlan, BulkView | None, list[int], tuple[AssignmentView, ...]]:
        from mission_control_tui.model.bulk import control as bulks
        from mission_control_tui.model.bulk.retry import retry_plan
        from mission_control_tui.model.search.filters import ALL

        found = await retry_plan(scope)
        if session.dry_run or not found.queued:
            return found, None, [], ()
        outcome = await bulks.start(scope, ALL, BulkOnlyAction.RETRY)
        queued = await bulk_running.go_on(session, scope, outcome.result, None)
        asked = Outcome(found, Plan(requests=tuple(queued)), applied=True)
        waited_for = await results.follow(session, scope, asked, ())
        return found, await bulk_running.look(scope, outcome.result), queued, waited_for

    found, started, queued, waited_for = session.query(work)
    lights = {"light": str(Light.RED)}, {"light": str(Light.ORANGE)}
    lines = tuple(PlanLine(PlanVerb.CHANGED, "service", red.name, *lights) for red in found.lines)
    count = found.queued if started is None else len(queued)
    outcome = Outcome(found, Plan(lines, requests=tuple(queued)), not session.dry_run)
    told = {
        "retried": count,
        "requests": queued,
        "bulk": output.bulk(started) if started is not None else None,
        "past_term": found.past_term,
        "likely": [
            {"likely": likely, "why": why, "count": many} for likely, why, many in found.reasons
        ],
    }
    results.tell(session, outcome, told, waited_for if session.json else ())
    if session.json:
        return
    for likely, why, many in found.reasons:
        line(f"{many:>6}  {likely}: {why}")
    were = "would be" if session.dry_run else "was" if count == 1 else "were"
    line(f"{count} {were} queued again.")
    if found.not_retried:
        line(found.not_retried)
    results.judge(session, waited_for)


@requests.command()
@argument("request_id", type=int, metavar="ID")
@waits
@changes("mission-control requests cancel 17")
def cancel(session: Session, request_id: int) -> None:
    """Cancel a request: before its start the previous wish is restored, later it stops between steps."""
    from mission_control_tui.model.requests import control

    outcome, lights = _change_queue(session, lambda _: (request_id,), control.cancel, request_id)
    results.tell(session, outcome, {"request": request_id, "state": outcome.result}, lights)


@requests.command()
@argument("request_id", type=int, metavar="ID")
@changes("mission-control requests reset 17")
def reset(session: Session, request_id: int) -> None:
    """Reset the status of a request that looks stuck: its light turns red, a late result is refused."""

    from mission_control_tui.model.requests import control

    outcome = session.query(control.reset, request_id, dry_run=session.dry_run)
    results.tell(session, outcome, {"request": request_id})


@requests.command()
@argument("ids", nargs=-1, type=int, metavar="[ID]...")
@option("--planned", is_flag=True, help="Let what connectors in observe mode have shown be done.")
@waits
@destroys(
    "mission-control requests allow --yes --ticket T-205",
    "mission-control requests allow --planned 17 18 --yes",
)
def allow(session: Session, ids: tuple[int, ...], planned: bool) -> None:
    """Let the removals go that wait because there were too many at a time; all of them, or these.

    With --planned it is what waits for a connector in observe mode: the changes that were shown are made, and no
    others; what differs by then waits again. `requests list --waiting --summary` shows them before.
    """
    change = _allow_plans if planned else _allow_removals

    async def allowed(scope: AccountScope, *, dry_run: bool = False) -> Outcome[tuple[int, ...]]:
        return await change(session, scope, ids, dry_run)

    outcome, lights = _change_queue(session, tuple, allowed)
    results.tell(session, outcome, {"allowed": outcome.result}, lights)


async def _allow_removals(
    session: Session, scope: AccountScope, ids: Sequence[int], dry_run: bool
) -> Outcome[tuple[int, ...]]:
    from mission_control_tui.model.requests import removal_limit

    held = _those(await removal_limit.held_removals(scope), ids, "is no removal that waits")
    if held:
        session.confirm(f"Let {counted(len(held), 'removal')} go, with their data?")
    return await removal_limit.allow_removals(scope, held, dry_run=dry_run)


async def _allow_plans(
    session: Session, scope: AccountScope, ids: Sequence[int], dry_run: bool
) -> Outcome[tuple[int, ...]]:
    from mission_control_tui.model.requests import request_plans
    from mission_control_tui.model.requests.planned_changes import summary_words

    waits = _those(await request_plans.waiting_plans(scope), ids, "waits with no plan")
    if waits:
        summary = await request_plans.summarise_plans(scope, waits)
        words = summary_words(summary.counts)
        session.confirm(f"Let the changes of {counted(len(waits), 'request')} be made: {words}?")
    return await request_plans.agree_to_plans(scope, waits, dry_run=dry_run)


def _those(found: Sequence[int], ids: Sequence[int], otherwise: str) -> Sequence[int]:
    """Return those that were named, or all. Raises Conflict for one that is not among them."""
    if missing := sorted(set(ids) - set(found)):
        raise Conflict(
            f"Request {missing[0]} {otherwise}.",
            hint="`mission-control requests list --waiting` shows what waits.",
        )
    return sorted(set(ids)) or found


def _change_queue(
    session: Session,
    about: Callable[[T], Sequence[int]],
    change: results.Change[P, T],
    /,
    *args: P.args,
    **options: P.kwargs,
) -> tuple[Outcome[T], tuple[AssignmentView, ...]]:
    """Change what is queued already, and wake the worker where the change has a result.

    With --wait wait for the lights of the requests that the result is `about`.
    """
    options["dry_run"] = session.dry_run

    async def work(scope: AccountScope) -> tuple[Outcome[T], tuple[AssignmentView, ...]]:
        outcome = await change(scope, *args, **options)
        if outcome.applied and outcome.result:
            await waiting.wake(session, scope.store)
        subjects = await waiting.subjects_of(scope, about(outcome.result))
        return outcome, await results.follow(session, scope, outcome, subjects)

    return session.query(work)
