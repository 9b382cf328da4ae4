"""How a change is told: its plan for people, its result and plan as JSON, and whoever has to work on it woken."""

from __future__ import annotations

import dataclasses
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

from mission_control_tui.cli.common import lists, output, waiting
from mission_control_tui.cli.common.next_commands import as_called
from mission_control_tui.cli.common.session import Session, Survey, V
from mission_control_tui.model.plan import Outcome, PlanVerb
from mission_control_tui.model.states import Wish
from mission_control_tui.model.text.clean import harmless, safe_cell
from mission_control_tui.model.text.counting import counted
from mission_control_tui.model.views import AssignmentView, UserView

if TYPE_CHECKING:
    from mission_control_tui.model.services.subjects import SubjectKey
    from mission_control_tui.model.store.scope import AccountScope
    from mission_control_tui.model.users.actions.base import ActionResult


P = ParamSpec("P")
T = TypeVar("T")

Change = Callable[Concatenate["AccountScope", P], Awaitable[Outcome[T]]]
"""A function of the model that changes an account, or tries to where `dry_run` is said."""


def change_and_tell(
    session: Session,
    shown: Callable[[T], Mapping[str, object]],
    change: Change[P, T],
    /,
    *args: P.args,
    **options: P.kwargs,
) -> None:
    """Make a change and tell it; `shown` makes the JSON of the result. With --wait wait for what it queued."""
    outcome, lights = carry_out_and_wait(session, lambda _: (), change, *args, **options)
    tell(session, outcome, shown(outcome.result), lights)


def change_and_wait(
    session: Session,
    shown: Callable[[T], Mapping[str, object]],
    subject: Callable[[T], str | Sequence[str]],
    change: Change[P, T],
    /,
    *args: P.args,
    **options: P.kwargs,
) -> None:
    """As `change_and_tell`, and with --wait wait for the lights of the result's `subject`."""
    outcome, lights = carry_out_and_wait(session, subject, change, *args, **options)
    tell(session, outcome, shown(outcome.result), lights)


def under(name: str) -> Callable[[object], dict[str, object]]:
    """Return what shows a result as it is, under this name."""
    return lambda result: {name: result}


def carry_out(
    session: Session, change: Change[P, T], /, *args: P.args, **options: P.kwargs
) -> Outcome[T]:
    """Make a change in the account of this call, and wake the worker when something was queued."""
    return carry_out_and_wait(session, lambda _: (), change, *args, **options)[0]


def carry_out_and_wait(
    session: Session,
    subject: Callable[[T], str | Sequence[str]],
    change: Change[P, T],
    /,
    *args: P.args,
    **options: P.kwargs,
) -> tuple[Outcome[T], tuple[AssignmentView, ...]]:
    """As `carry_out`, and wait for the lights of the result's `subject` as `follow` does."""
    options["dry_run"] = session.dry_run

    async def work(scope: AccountScope) -> tuple[Outcome[T], tuple[AssignmentView, ...]]:
        outcome = await change(scope, *args, **options)
        return outcome, await follow(session, scope, outcome, subject(outcome.result))

    return session.query(work)


async def follow(
    session: Session, scope: AccountScope, outcome: Outcome[Any], subject: str | Sequence[str]
) -> tuple[AssignmentView, ...]:
    """Wake the worker when something was queued, and wait with --wait.

    `subject` is a user, or the ids of service instances, or else what the requests are about; returned are their lights
    as they were seen last.
    """
    if not outcome.applied:
        return ()
    if outcome.plan.requests:
        await waiting.wake(session, scope.store)
    if session.wait is None:
        return ()
    look = waiting.look_at(
        scope, subject or await waiting.subjects_of(scope, outcome.plan.requests)
    )
    return await waiting.until_settled(session, scope, look, session.wait)


def tell(
    session: Session,
    outcome: Outcome[Any],
    result: Mapping[str, object],
    lights: Sequence[AssignmentView] = (),
) -> None:
    """Print what was done, or on a dry run would be; raises what the lights say where they were waited for."""
    outcome = _with_removals(session, outcome)
    waited = session.wait is not None
    if session.json:
        warnings = tuple(map(as_called, outcome.plan.warnings))
        plan = dataclasses.replace(outcome.plan, warnings=warnings)
        document = {"applied": outcome.applied, **result, "plan": plan}
        output.print_json({**document, **waited_for(session, lights)})
    else:
        tell_plan(outcome, waited=waited)
    judge(session, lights)


def waited_for(session: Session, lights: Sequence[AssignmentView]) -> dict[str, object]:
    """Return the services that were waited for as JSON; nothing without --wait."""
    return {} if session.wait is None else {"services": [service(view) for view in lights]}


def judge(session: Session, lights: Sequence[AssignmentView]) -> None:
    """Raise what the lights say where they were waited for, as `waiting.judge` does."""
    if session.wait is not None:
        waiting.judge(lights, session.wait)


def tell_list(
    session: Session,
    document: Mapping[str, object],
    headings: Sequence[str],
    rows: Sequence[Sequence[object]],
    *,
    nothing: str,
    more: bool | None = None,
) -> None:
    """Print the document as JSON, else the rows as a table, or what is said where there are none.

    `more`: whether the list was cut; None where it never is.
    """
    if session.json:
        output.print_json(document if more is None else {**document, "more": more})
    elif not rows:
        output.say(nothing)
    else:
        output.table(headings, rows)
        if more:
            lists.say_cut(len(rows))


def tell_csv(headings: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print the rows as CSV that no spreadsheet evaluates."""
    cells = (
        [safe_cell(harmless("" if cell is None else str(cell))) for cell in row] for row in rows
    )
    output.print_csv([[heading.lower() for heading in headings], *cells])


def tell_survey(
    session: Session,
    name: str,
    found: Survey[V],
    headings: Sequence[str],
    row: Callable[[V], Sequence[object]],
    document: Callable[[V], Mapping[str, object]],
    *,
    nothing: str,
    limit: int | None = None,
    offset: int | None = None,
    older: Callable[[V], str] | None = None,
) -> None:
    """Print a list as JSON under `name`, as CSV or as a table; of all accounts, with the account in each row.

    Of more than `limit` it is cut, and says so; `older` is the command for what comes after the last row, `offset` how
    many were left out before the first where the list is paged so.
    """
    session.require_one_format()
    codes, views = found.codes, found.views[:limit]
    more = None if limit is None else len(found.views) > limit
    accounts = [() if codes is None else (codes[view.account_id],) for view in views]
    rows = [(*code, *row(view)) for code, view in zip(accounts, views, strict=True)]
    titles = (*(() if codes is None else ("Account",)), *headings)
    if session.csv:
        tell_csv(titles, rows)
        if more:
            lists.say_cut(len(rows))
    else:
        documents = [
            {**({"account": code[0]} if code else {}), **document(view)}
            for code, view in zip(accounts, views, strict=True)
        ]
        tell_list(session, {name: documents}, titles, rows, nothing=nothing, more=more)
    if more and older is not None and not session.json:
        output.say(f"Older ones: mission-control {older(views[-1])}")
    if more and offset is not None and not session.json:
        output.say(f"The next ones: --offset {offset + len(views)}")


def _with_removals(session: Session, outcome: Outcome[Any]) -> Outcome[Any]:
    """Warn of more removals than the worker does without being told to."""
    limit = session.settings.worker.removal_limit
    count = sum(
        row.verb is PlanVerb.REMOVED and row.kind == "service" for row in outcome.plan.lines
    )
    if count <= limit:
        return outcome
    warning = (
        f"These are {counted(count, 'removal')}, and more than {limit} at a time wait until they are allowed: "
        "mission-control requests allow"
    )
    plan = dataclasses.replace(outcome.plan, warnings=(*outcome.plan.warnings, warning))
    return dataclasses.replace(outcome, plan=plan)


def tell_plan(outcome: Outcome[Any], *, waited: bool = False) -> None:
    """Print the plan on stdout, or that there is nothing to do."""
    if not outcome.plan.changes_anything:
        for warning in outcome.plan.warnings:
            output.say(f"Warning: {warning}")
        output.line("Nothing to do: everything is so already.")
        return
    output.print_plan(outcome.plan)
    if not outcome.applied:
        output.say("Dry run: nothing was changed.")
    elif outcome.plan.requests and not waited:
        count = len(outcome.plan.requests)
        output.say(f"{counted(count, 'request')} queued. To watch, run: mission-control status")


def user(view: UserView) -> dict[str, object]:
    """Return a user as JSON: the details by their field names, and what the store knows beside them."""
    return {
        "id": view.id,
        **output.attributes(view.details),
        **output.attributes(view, "aliases", "primary_address", "locked", "in_bin", "deleted_at"),
        **output.attributes(view, "created_at", "updated_at", "password_waiting", "version"),
        "unsettled": [
            {**output.attributes(setting), "command": as_called(setting.command)}
            for setting in view.unsettled
        ],
    }


def given(who: str | SubjectKey, instance: str, result: ActionResult) -> dict[str, object]:
    """Return what became of a service that was asked for; `request` is null when nothing had to change.

    `user` and `domain` are null where it is not theirs.
    """
    ids = {"assignment": "assignment_id", "request": "request_id"}
    return {
        "user": who if isinstance(who, str) else None,
        "domain": None if isinstance(who, str) else who.name or None,
        "service": result.service_id,
        "instance": instance,
        "level": result.level_id or None,
        **output.attributes(result, "connector", login="backend_name", **ids),
    }


def usage_words(view: AssignmentView) -> str:
    """Return what is used of a service's limits for people, with the time of the measurement."""
    from mission_control_tui.model.services.usage import measured

    found = [*measured(view.usage)] if view.wish is not Wish.ABSENT else []
    if not found:
        return ""
    oldest = min(one.at for one in found)
    return f"{', '.join(one.words for one in found)} at {output.when(oldest)}"


def service(view: AssignmentView) -> dict[str, object]:
    """Return one service of one subject as `status --json` has it; `error` is null unless there is one."""
    error = output.attributes(view, kind="error_kind", said="error_said", remedy="error_remedy")
    return {
        **output.attributes(view, "subject", "subject_kind", "user_id", service="service_id"),
        "service_name": view.service,
        "instance": view.instance,
        "level": view.level_id or None,
        "level_name": view.level or None,
        **output.attributes(view, "light", "word"),
        "step": view.step or None,
        "error": error if view.error_kind or view.error_said else None,
        **output.attributes(
            view,
            *(
                "since",
                "wish",
                "suspended",
                "drift",
                "settings",
                "usage",
                "kept_until",
                "not_kept",
                "connector",
            ),
        ),
        "login": view.backend_name or None,
        "request": view.request_id,
    }
