"""`bulk`: one action for many users, planned, started, watched, stopped."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from mission_control_tui.cli.bulk import looking as bulk_looking
from mission_control_tui.cli.bulk import output
from mission_control_tui.cli.bulk import running as bulk_running
from mission_control_tui.cli.common import lists, options, passwords, waiting
from mission_control_tui.cli.common.output import attributes, line, say, when
from mission_control_tui.cli.common.parameters import argument, option
from mission_control_tui.cli.common.results import tell_csv, tell_survey
from mission_control_tui.cli.common.session import Session
from mission_control_tui.cli.common.user_selection import (
    domains_from,
    picked,
    users_from,
    where,
)
from mission_control_tui.model.bulk import views
from mission_control_tui.model.search.filters import UserFilter
from mission_control_tui.model.text.counting import counted
from mission_control_tui.model.text.limits import INSTANCE
from mission_control_tui.model.users.actions.params import ActionParams
from mission_control_tui.model.users.actions.registry import ACTIONS

if TYPE_CHECKING:
    from mission_control_tui.model.plan import Outcome
    from mission_control_tui.model.store.scope import AccountScope


@click.group()
def bulk() -> None:
    """One action for many users or domains: the worker makes wishes of it, a few at a time."""


def _what(command: options.Command) -> options.Command:
    for add in (
        passwords.passwords_out,
        option("--must-change/--no-must-change", default=None, help="With password."),
        option("--include-disabled", is_flag=True, help="Give services to disabled users as well."),
        options.NOW,
        option("--reset-password", "new_password", is_flag=True, help="With move."),
        options.ON,
        option(
            "--instance", limit=INSTANCE, default="", metavar="NAME", help="Which of several of it."
        ),
        options.settings_option("May be repeated."),
        options.LEVEL,
        option("--service", default="", metavar="SERVICE", help="By name or id."),
        where,
        domains_from,
        users_from,
    ):
        command = add(command)
    command = argument("names", nargs=-1, metavar="[USER | DOMAIN]...")(command)
    return argument("action", type=click.Choice([*ACTIONS, str(views.BulkOnlyAction.RETRY)]))(
        command
    )


def _read(
    action: str, names: tuple[str, ...], given: dict[str, Any]
) -> tuple[list[str] | UserFilter, views.BulkAction, ActionParams]:
    files = given["users_from"], given["domains_from"]
    users = picked(names, *files, given["conditions"])
    names = (
        "service",
        "level",
        "instance",
        "include_disabled",
        "must_change",
        "on",
        "new_password",
    )
    stated = {name: given[name] for name in names} | {"at_once": given["now"]}
    params = ActionParams(settings=dict(given["settings"]), **stated)
    return users, views.bulk_action(action), params


@bulk.command()
@_what
@options.reads(
    "mission-control bulk plan change --service managed-exchange --level popx \\",
    "    --where level=pc-web",
)
def plan(session: Session, action: str, names: tuple[str, ...], **given: Any) -> None:
    """Say what ACTION would do for many users or domains: how many, seats, who is left out and why."""
    from mission_control_tui.model.bulk import planning

    found = session.query(planning.plan, *_read(action, names, given))
    found = output.with_removals(session, found)
    if not session.printed({"plan": found}):
        output.tell_plan(found, applied=False)


@bulk.command()
@_what
@options.looks
@options.waits
@options.destroys(
    "mission-control bulk start suspend --service databases --users-from leavers.txt --yes",
    "mission-control bulk start suspend --service domain-registration --domains-from leavers.txt",
    "mission-control bulk start password ada@acme.example grace@acme.example \\",
    "    --passwords-out new.csv",
)
def start(session: Session, action: str, names: tuple[str, ...], **given: Any) -> None:
    """Start ACTION for many users or domains. The worker goes on with it, whatever becomes of this terminal.

    Of a service of domains names and --where mean domains.

    Those who would be refused (no seat left) are left out and listed; look first with --dry-run, and with --look at
    what the back ends would change.
    Where passwords are generated, this command goes on until all are in the file.
    """
    chosen = _read(action, names, given)
    if session.look:
        bulk_looking.look(session, *chosen)
        return

    async def work(scope: AccountScope) -> tuple[views.BulkPlan, Outcome[views.BulkView] | None]:
        from mission_control_tui.model.bulk import control as bulks
        from mission_control_tui.model.bulk import planning

        found = output.with_removals(session, await planning.plan(scope, *chosen))
        file = passwords.file_where_needed(session, found.attended and bool(found.passwords))
        if session.dry_run:
            return found, None
        if found.takes_away:
            output.confirm_losses(session, found)
        outcome = await bulks.start(scope, *chosen)
        started = await bulk_running.see_through(session, scope, outcome.result, file)
        document = {"applied": True, "bulk": output.bulk(started), "plan": found}
        if not session.printed(document):
            output.tell(started)
            for warning in found.warnings:
                say(f"Warning: {warning}")
            say(f"To watch, run: mission-control bulk show {started.id}")
        await bulk_running.judge(scope, started, session.wait)
        return found, outcome

    found, outcome = session.query(work)
    if outcome is None and not session.printed({"applied": False, "bulk": None, "plan": found}):
        output.tell_plan(found, applied=False)
        say("Dry run: nothing was changed.")


@bulk.command("list")
@option("--moving", is_flag=True, help="Only those that somebody goes on with.")
@lists.limited(20)
@option("--before", type=int, metavar="ID", help="Only those older than this bulk.")
@options.exports
@options.reads("mission-control bulk list --moving")
def list_all(session: Session, moving: bool, limit: int, before: int | None) -> None:
    """List bulks, the newest first."""
    from mission_control_tui.model.bulk import queries

    found = session.survey(queries.list_bulks, limit=limit + 1, before_id=before, moving=moving)
    tell_survey(
        session,
        "bulks",
        found,
        ("Id", "State", "What", "Progress", "Started"),
        lambda view: (
            *(view.id, view.state, view.title),
            *(output.words(view.progress), when(view.created_at)),
        ),
        output.bulk,
        nothing="No bulks.",
        limit=limit,
        older=lambda last: f"bulk list --before {last.id}",
    )


@bulk.command()
@argument("bulk_id", type=int, metavar="ID")
@option("--failed", is_flag=True, help="List what is red or was refused, and why.")
@options.choices("--outcome", "outcomes", views.ItemOutcome, "List items that ended so")
@lists.limited(50)
@option("--after", type=int, default=0, metavar="ITEM", help="Only items after this one.")
@options.AS_CSV
@options.reads("mission-control bulk show 3 --failed", "mission-control bulk show 3 --csv")
def show(
    session: Session, bulk_id: int, failed: bool, outcomes: tuple[str, ...], limit: int, after: int
) -> None:
    """Show one bulk: how far it is, and its items with --failed or --outcome; CSV is of all items without."""
    session.require_one_format()
    wanted = {views.ItemOutcome(outcome) for outcome in outcomes} | (
        views.FAILED if failed else set()
    )
    if session.csv and not wanted:
        wanted = set(views.ItemOutcome)

    async def work(scope: AccountScope) -> tuple[views.BulkView, tuple[views.BulkItemView, ...]]:
        from mission_control_tui.model.bulk import queries

        at = (scope, bulk_id)
        found = await queries.show(*at)
        if not wanted:
            return found, ()
        return found, await queries.items(*at, outcomes=wanted, limit=limit + 1, after_id=after)

    found, asked = session.query(work)
    items = lists.cut(asked, limit)
    shown = [output.item(view) for view in items.rows]
    if session.printed({"bulk": output.bulk(found), "items": shown, "more": items.more}):
        return
    if session.csv:
        tell_csv(output.ITEM_HEADINGS, map(output.item_row, items.rows))
        if items.more:
            say(f"More: --after {items.rows[-1].id}, or all of them: --limit all")
        return
    output.tell(found, items.rows)
    if items.more:
        say(f"More: --after {items.rows[-1].id}, or all of them: --limit all")
    output.tell_attended(found)


@bulk.command()
@argument("bulk_id", type=int, metavar="ID")
@option("--cancel-queued", is_flag=True, help="Cancel what is on its way as well.")
@options.changes("mission-control bulk stop 3 --cancel-queued")
def stop(session: Session, bulk_id: int, cancel_queued: bool) -> None:
    """Stop a bulk: what is left of it is not wished for; what is queued goes on, or is cancelled."""

    async def work(scope: AccountScope) -> Outcome[views.StoppedBulk]:
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
    is_, are = ("is", "are") if outcome.applied else ("would be", "would be")
    cancelled = f"{stopped.cancelled} {'' if outcome.applied else 'would be '}cancelled"
    line(
        f"{counted(stopped.left, is_, are)} left out,"
        f" {counted(stopped.queued, 'is on its way', 'are on their way')}, {cancelled}."
    )
    if not outcome.applied:
        say("Dry run: nothing was changed.")


@bulk.command()
@argument("bulk_id", type=int, metavar="ID")
@passwords.passwords_out
@options.waits
@options.changes("mission-control bulk resume 3")
def resume(session: Session, bulk_id: int) -> None:
    """Go on with a bulk that was stopped, or whose passwords nobody takes any more."""

    async def work(scope: AccountScope) -> views.BulkView:
        from mission_control_tui.model.bulk import control as bulks
        from mission_control_tui.model.bulk import queries

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
        if session.dry_run:
            say("Dry run: nothing was changed.")
