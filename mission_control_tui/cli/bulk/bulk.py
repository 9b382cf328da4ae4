"""`bulk`: one action for many users, planned, started, watched, stopped."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from mission_control_tui.cli.bulk import output
from mission_control_tui.cli.bulk import running as bulk_running
from mission_control_tui.cli.common import passwords, waiting
from mission_control_tui.cli.common.options import (
    LEVEL,
    changes,
    choices,
    destroys,
    limited,
    reads,
    settings_of,
    waits,
)
from mission_control_tui.cli.common.output import attributes, line, print_json, say, when
from mission_control_tui.cli.common.results import tell_list
from mission_control_tui.cli.common.session import Session
from mission_control_tui.cli.common.user_selection import picked, users_from, where
from mission_control_tui.model.bulk import planning, queries
from mission_control_tui.model.bulk.views import (
    FAILED,
    BulkAction,
    BulkOnlyAction,
    ItemOutcome,
    bulk_action,
)
from mission_control_tui.model.users.actions.params import ActionParams, UserVerb

if TYPE_CHECKING:
    from mission_control_tui.model.bulk.views import (
        BulkFilter,
        BulkItemView,
        BulkPlan,
        BulkView,
        StoppedBulk,
    )
    from mission_control_tui.model.plan import Outcome
    from mission_control_tui.model.store.scope import AccountScope

Command = Callable[..., Any]
ACTIONS = [str(action) for action in (*UserVerb, BulkOnlyAction.RETRY)]
_TAKES_AWAY: dict[BulkAction, str] = {
    UserVerb.DEPROVISION: "Take services away from",
    UserVerb.DISABLE: "Disable",
}


@click.group()
def bulk() -> None:
    """One action for many users: the worker makes wishes of it, a few at a time."""


def _what(command: Command) -> Command:
    for option in (
        passwords.passwords_out,
        click.option("--must-change/--no-must-change", default=None, help="With password."),
        click.option(
            "--include-disabled", is_flag=True, help="Give services to disabled users as well."
        ),
        click.option("--instance", default="", metavar="NAME", help="Which of several of it."),
        click.option(
            "--set", "settings", multiple=True, metavar="OPTION=VALUE", help="May be repeated."
        ),
        LEVEL,
        click.option("--service", default="", metavar="SERVICE", help="By name or id."),
        where,
        users_from,
    ):
        command = option(command)
    command = click.argument("names", nargs=-1, metavar="[USER]...")(command)
    return click.argument("action", type=click.Choice(ACTIONS))(command)


def _read(
    action: str, names: tuple[str, ...], given: dict[str, Any]
) -> tuple[BulkAction, list[str] | BulkFilter, ActionParams]:
    users = picked(names, given["users_from"], given["conditions"])
    params = ActionParams(
        given["service"],
        given["level"],
        settings_of(given["settings"]),
        given["instance"],
        include_disabled=given["include_disabled"],
        must_change=given["must_change"],
    )
    return bulk_action(action), users, params


@bulk.command()
@_what
@reads(
    "mission-control bulk plan change --service managed-exchange --level popx \\",
    "    --where level=pc-web",
)
def plan(session: Session, action: str, names: tuple[str, ...], **given: Any) -> None:
    """Say what ACTION would do for many users: how many, seats, who is left out and why."""
    kind, users, params = _read(action, names, given)
    found = session.query(planning.plan, users, kind, params)
    found = output.with_removals(session, found)
    if not session.printed({"plan": found}):
        output.tell_plan(found)


@bulk.command()
@_what
@waits
@destroys(
    "mission-control bulk start suspend --service databases --users-from leavers.txt",
    "mission-control bulk start password ada@acme.example grace@acme.example \\",
    "    --passwords-out new.csv",
)
def start(session: Session, action: str, names: tuple[str, ...], **given: Any) -> None:
    """Start ACTION for many users. The worker goes on with it, whatever becomes of this terminal.

    Those who would be refused (no seat left) are left out and listed; look first with --dry-run.
    Where passwords are generated, this command goes on until all are in the file.
    """
    kind, users, params = _read(action, names, given)

    async def work(scope: AccountScope) -> tuple[BulkPlan, Outcome[BulkView] | None]:
        from mission_control_tui.model.bulk import control as bulks

        found = await planning.plan(scope, users, kind, params)
        found = output.with_removals(session, found)
        file = passwords.file_where_needed(session, found.attended and bool(found.passwords))
        if session.dry_run:
            return found, None
        if kind in _TAKES_AWAY:
            session.confirm(f"{_TAKES_AWAY[kind]} {found.users} users?")
        outcome = await bulks.start(scope, users, kind, params)
        started = await bulk_running.see_through(session, scope, outcome.result, file)
        _tell_started(session, found, started)
        await bulk_running.judge(scope, started, session.wait)
        return found, outcome

    found, outcome = session.query(work)
    if outcome is None and not session.printed({"applied": False, "bulk": None, "plan": found}):
        output.tell_plan(found)
        say("Dry run: nothing was changed.")


def _tell_started(session: Session, found: BulkPlan, started: BulkView) -> None:
    if session.printed({"applied": True, "bulk": output.bulk(started), "plan": found}):
        return
    output.tell(started)
    for warning in found.warnings:
        say(f"Warning: {warning}")
    say(f"To watch, run: mission-control bulk show {started.id}")


@bulk.command("list")
@click.option("--moving", is_flag=True, help="Only those that somebody goes on with.")
@limited(20, None, most=10_000)
@click.option("--before", type=int, metavar="ID", help="Only those older than this bulk.")
@reads("mission-control bulk list --moving")
def list_all(session: Session, moving: bool, limit: int, before: int | None) -> None:
    """List bulks, the newest first."""

    found = session.query(queries.list_bulks, limit=limit, before_id=before, moving=moving)
    tell_list(
        session,
        {"bulks": [output.bulk(view) for view in found]},
        ("Id", "State", "What", "Progress", "Started"),
        [
            (
                *(view.id, view.state, view.title),
                *(output.words(view.progress), when(view.created_at)),
            )
            for view in found
        ],
        nothing="No bulks.",
    )


@bulk.command()
@click.argument("bulk_id", type=int, metavar="ID")
@click.option("--failed", is_flag=True, help="List what is red or was refused, and why.")
@choices("--outcome", "outcomes", ItemOutcome, "List items that ended so")
@limited(50, None)
@click.option("--after", type=int, default=0, metavar="ITEM", help="Only items after this one.")
@reads("mission-control bulk show 3 --failed")
def show(
    session: Session, bulk_id: int, failed: bool, outcomes: tuple[str, ...], limit: int, after: int
) -> None:
    """Show one bulk: how far it is, and its items with --failed or --outcome."""
    wanted = {ItemOutcome(outcome) for outcome in outcomes} | (FAILED if failed else set())

    async def work(scope: AccountScope) -> tuple[BulkView, tuple[BulkItemView, ...]]:
        at = (scope, bulk_id)
        found = await queries.show(*at)
        if not wanted:
            return found, ()
        return found, await queries.items(*at, outcomes=wanted, limit=limit, after_id=after)

    found, items = session.query(work)
    if session.json:
        shown = [output.item(view) for view in items]
        print_json({"bulk": output.bulk(found), "items": shown})
        return
    output.tell(found, items)
    if len(items) == limit:
        say(f"More: --after {items[-1].id}")
    output.tell_attended(found)


@bulk.command()
@click.argument("bulk_id", type=int, metavar="ID")
@click.option("--cancel-queued", is_flag=True, help="Cancel what is on its way as well.")
@changes("mission-control bulk stop 3 --cancel-queued")
def stop(session: Session, bulk_id: int, cancel_queued: bool) -> None:
    """Stop a bulk: what is left of it is not wished for; what is queued goes on, or is cancelled."""

    async def work(scope: AccountScope) -> Outcome[StoppedBulk]:
        from mission_control_tui.model.bulk import control as bulks

        outcome = await bulks.stop(
            scope, bulk_id, cancel_queued=cancel_queued, dry_run=session.dry_run
        )
        if outcome.result.cancelled:
            await waiting.wake(session, scope.store)
        return outcome

    outcome = session.query(work)
    stopped = outcome.result
    if session.printed(
        {
            "applied": outcome.applied,
            "bulk": output.bulk(stopped.bulk),
            **attributes(stopped, "left", "queued", "cancelled"),
        }
    ):
        return
    line(
        f"{stopped.left} are left out, {stopped.queued} are on their way,"
        f" {stopped.cancelled} cancelled."
    )
    if not outcome.applied:
        say("Dry run: nothing was changed.")


@bulk.command()
@click.argument("bulk_id", type=int, metavar="ID")
@passwords.passwords_out
@waits
@changes("mission-control bulk resume 3")
def resume(session: Session, bulk_id: int) -> None:
    """Go on with a bulk that was stopped, or whose passwords nobody takes any more."""

    async def work(scope: AccountScope) -> BulkView:
        from mission_control_tui.model.bulk import control as bulks

        found = await queries.show(scope, bulk_id)
        file = passwords.file_where_needed(session, found.attended)
        outcome = await bulks.resume(scope, bulk_id, dry_run=session.dry_run)
        if session.dry_run:
            return outcome.result
        found = await bulk_running.see_through(session, scope, outcome.result, file)
        await bulk_running.judge(scope, found, session.wait)
        return found

    found = session.query(work)
    if not session.printed({"applied": not session.dry_run, "bulk": output.bulk(found)}):
        output.tell(found)
