"""`clock`: whether the clock is trusted, and confirming it after a leap."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from mission_control_tui.cli.common import options
from mission_control_tui.cli.common.output import line, when
from mission_control_tui.cli.common.session import Session

if TYPE_CHECKING:
    from mission_control_tui.model.store.database import Store
    from mission_control_tui.model.store.trusted_clock import ClockState


@click.group()
def clock() -> None:
    """The clock that purges, bills and schedules go by: show, confirm."""


@clock.command()
@options.reads("mission-control clock show")
def show(session: Session) -> None:
    """The database's clock, and whether it is trusted."""
    from mission_control_tui.model.store import trusted_clock

    async def work(store: Store) -> ClockState:
        async with store.read() as reading:
            return await trusted_clock.state(reading)

    found = session.run(work, create=False, sample=False)
    if session.printed({"now": found.now, "trusted": not found.doubt, "doubt": found.doubt}):
        return
    line(f"Now       {when(found.now)}")
    line(f"Trusted   {'no' if found.doubt else 'yes'}")
    if found.doubt:
        line(f"Doubt     {found.doubt} {trusted_clock.HELD}")
        line(f"To do     {trusted_clock.REMEDY}")


@clock.command()
@options.destroys("mission-control clock confirm --yes")
def confirm(session: Session) -> None:
    """Say that the clock is right after it leaped: purges, statements and schedules go on by it."""
    from mission_control_tui.model.store import trusted_clock

    session.caller.require_write()
    session.confirm("Is the clock right? What is overdue by it is purged, closed and taken away.")
    found = session.run(
        lambda store: trusted_clock.confirm(store, session.caller, dry_run=session.dry_run),
        create=False,
        sample=False,
    )
    if not session.printed({"applied": not session.dry_run, "now": found.now}):
        line(f"Confirmed {when(found.now)}")
