"""`schedule`: wishes with a date."""

from __future__ import annotations

from typing import TYPE_CHECKING, ParamSpec

import click

from mission_control_tui.cli.common import lists, options, results, waiting
from mission_control_tui.cli.common.output import attributes, say
from mission_control_tui.cli.common.parameters import argument, option
from mission_control_tui.cli.common.session import Session
from mission_control_tui.cli.common.subjects import names_subject, one_subject, other_subject
from mission_control_tui.model.errors import UsageError
from mission_control_tui.model.states import ScheduleState, SubjectKind
from mission_control_tui.model.users.actions.params import ActionParams
from mission_control_tui.model.users.actions.registry import SCHEDULABLE

if TYPE_CHECKING:
    from mission_control_tui.model.plan import Outcome
    from mission_control_tui.model.schedules.queries import ScheduleView
    from mission_control_tui.model.services.subjects import SubjectKey
    from mission_control_tui.model.store.database import Store
    from mission_control_tui.model.store.scope import AccountScope

P = ParamSpec("P")


@click.group()
def schedule() -> None:
    """Wishes with a date: the worker carries them out at that moment, once.

    Dates and times are those of the account's time zone. What was due while no worker ran happens
    when the next one starts.
    """


@schedule.command()
@argument("names", nargs=-1, metavar="[USER] WHEN ACTION [SERVICE]")
@names_subject
@options.LEVEL
@options.SETTINGS
@options.INSTANCE
@options.ON
@options.destroys(
    'mission-control schedule add ada@acme.example "fri 17:00" disable --ticket T-7',
    "mission-control schedule add ada@acme.example 2026-12-01T09:00 provision \\",
    "    managed-exchange --level popx",
    'mission-control schedule add --domain acme.example "fri 17:00" suspend domain-registration',
)
def add(
    session: Session,
    names: tuple[str, ...],
    domain: str | None,
    of_account: bool,
    level: str | None,
    settings: options.Pairs,
    instance: str,
    on: str,
) -> None:
    """Have ACTION done to USER, a domain or the account at WHEN, as you.

    WHEN: "2026-12-01 09:00", "tomorrow 18:00", "fri 17:00", "18:00", "+2h", "+3d", or with an
    offset, 2026-12-01T09:00+01:00. A local time that clocks skip is taken so much later as they
    skip, and of one that comes twice the first; both are said. ACTION: provision, suspend, resume,
    deprovision (without SERVICE everything), disable or enable the user.
    """
    from mission_control_tui.model.schedules.editing import schedule

    who, (when, action, *service) = _whom_and_what(names, domain, of_account)
    params = ActionParams("".join(service), level, dict(settings), instance, on=on)
    _change(session, schedule, who, action, params, when)


def _whom_and_what(
    names: tuple[str, ...], domain: str | None, of_account: bool
) -> tuple[str | SubjectKey, tuple[str, ...]]:
    """Return whom it is for, and moment, action and perhaps service. Raises UsageError."""
    other = other_subject(domain, of_account)
    who, rest = (names[0] if names else "", names[1:]) if other is None else (other, names)
    if len(rest) in (2, 3):
        return who, rest
    shape = "USER" if other is None else " ".join(other.words)
    raise UsageError(
        f"Say whom it is for, when, and what: mission-control schedule add {shape} WHEN ACTION [SERVICE].",
        hint=f"A date and time with a space needs quotes. ACTION is one of: {', '.join(SCHEDULABLE)}.",
    )


@schedule.command("list")
@option("--user", metavar="USER", help="Only one user's.")
@option("--domain", metavar="NAME", help="Only one domain's.")
@options.choices("--state", "states", ScheduleState, "Only those in this state")
@lists.limited(200)
@options.exports
@options.reads("mission-control schedule list --state waiting")
def list_all(
    session: Session, user: str | None, domain: str | None, states: tuple[str, ...], limit: int
) -> None:
    """List schedules: those that wait, the next first, then those that ended, the last first."""

    from mission_control_tui.model.schedules.queries import list_schedules

    found = session.survey(
        list_schedules,
        user=one_subject(user, domain, of_account=False),
        states=[ScheduleState(state) for state in states],
        limit=limit + 1,
    )
    headings = ("No", "When", "For", "What", "State", "By", "Ticket", "Said")
    names = ("id", "shown", "subject", "what", "state", "operator", "ticket", "said")
    results.tell_survey(
        session,
        "schedules",
        found,
        headings,
        lambda view: tuple(attributes(view, *names).values()),
        document,
        nothing="Nothing is scheduled.",
        limit=limit,
    )


@schedule.command()
@argument("number", type=int)
@option("--when", metavar="WHEN", help="The new date and time, see `schedule add`.")
@options.LEVEL
@options.SETTINGS
@options.destroys('mission-control schedule change 12 --when "mon 9:00"')
def change(
    session: Session, number: int, when: str | None, level: str | None, settings: options.Pairs
) -> None:
    """Give a schedule that waits another moment, level or settings; it is yours from then on."""
    if when is None and level is None and not settings:
        raise UsageError("Say what to change: --when, --level or --set.")

    async def state(scope: AccountScope, *, dry_run: bool = False) -> Outcome[ScheduleView]:
        from dataclasses import replace

        from mission_control_tui.model.schedules.editing import change_schedule
        from mission_control_tui.model.schedules.queries import show_schedule

        before = await show_schedule(scope, number)
        params = None
        if level is not None or settings:
            stated = {**before.params.settings, **dict(settings)}
            params = replace(before.params, level=level or before.params.level, settings=stated)
        return await change_schedule(
            *(scope, number),
            when=when,
            params=params,
            expected_version=before.version,
            dry_run=dry_run,
        )

    _change(session, state)


@schedule.command()
@argument("number", type=int)
@options.changes("mission-control schedule cancel 12")
def cancel(session: Session, number: int) -> None:
    """Cancel a schedule that waits."""
    from mission_control_tui.model.schedules.editing import cancel_schedule

    results.change_and_tell(session, _shown, cancel_schedule, number)


def document(view: ScheduleView) -> dict[str, object]:
    """Return a schedule as JSON; `due_at` is UTC, `when` the same in the account's zone."""
    return {
        **attributes(view, "id"),
        "user": view.subject if view.subject_kind is SubjectKind.USER else None,
        **attributes(view, "subject_kind", "subject", "user_id", "action"),
        "service": view.params.service or None,
        **attributes(view.params, "level", "settings", "instance", "on"),
        **attributes(view, "what", "due_at", when="shown"),
        **attributes(view, "time_zone", "state", "said", request="request_id"),
        **attributes(view, "operator", "ticket", "created_at", "ended_at", "version"),
    }


def _shown(view: ScheduleView) -> dict[str, object]:
    return {"schedule": document(view)}


def _change(
    session: Session, change: results.Change[P, ScheduleView], /, *args: P.args, **options: P.kwargs
) -> None:
    """Make a change of a schedule, see to it that its moment is awaited, and tell it."""

    async def work(scope: AccountScope) -> Outcome[ScheduleView]:
        options["dry_run"] = True
        outcome = await change(scope, *args, **options)
        if session.dry_run:
            return outcome
        session.confirm_losses(
            f"Schedule {outcome.result.what} of {outcome.result.subject}?", outcome.plan
        )
        options["dry_run"] = False
        outcome = await change(scope, *args, **options)
        if outcome.applied and outcome.plan.changes_anything:
            await _await_moment(session, scope.store, outcome.result)
        return outcome

    outcome = session.query(work)
    results.tell(session, outcome, _shown(outcome.result))


async def _await_moment(session: Session, store: Store, view: ScheduleView) -> None:
    """See to it that a worker waits for the moment, or say that somebody has to."""
    ahead = view.due_at.timestamp() - await store.now()
    if not store.is_sqlite or ahead <= session.settings.worker.schedule_ahead_seconds:
        await waiting.wake(session, store)
        return
    say(
        "It happens when a worker runs then, or at the next command after: "
        "`mission-control docs deployment` has a timer for hosts where nobody works at that hour."
    )
