"""`doctor`: what could keep this installation from working, each with what to do about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from mission_control_tui.cli.common.options import example, reads
from mission_control_tui.cli.common.output import print_json, say, wrapped
from mission_control_tui.cli.common.session import Session, pass_session

if TYPE_CHECKING:
    from mission_control_tui.cli.installation.health import HealthFinding

UNHEALTHY = 1
_MARKS = {"ok": "ok", "note": "note", "warning": "warning", "problem": "PROBLEM"}


@click.command()
@click.option(
    "--timeout",
    type=click.FloatRange(min=0.1),
    default=10.0,
    show_default=True,
    metavar="SECONDS",
    help="How long a back end may take to answer.",
)
@reads
@example("mission-control doctor --json")
@pass_session
@click.pass_context
def doctor(context: click.Context, session: Session, timeout: float) -> None:
    """Check settings, files and their permissions, database, catalogue, worker, back ends and clock.

    Changes nothing. The exit code is 1 when there is a problem; warnings and notes leave it 0.
    """
    import asyncio

    from mission_control_tui.cli.installation.health import Severity, examine

    findings = asyncio.run(examine(session, timeout))
    healthy = all(one.level is not Severity.PROBLEM for one in findings)
    if session.json:
        print_json({"healthy": healthy, "checks": findings})
    else:
        _print(findings)
    if not healthy:
        context.exit(UNHEALTHY)


def _print(findings: tuple[HealthFinding, ...]) -> None:
    name = max(len(one.check) for one in findings)
    for one in findings:
        wrapped(f"{_MARKS[one.level]:<7}  {one.check:<{name}}  ", one.said, 11 + name)
        if one.remedy:
            wrapped(" " * (11 + name) + "-> ", one.remedy, 14 + name)
    problems = sum(one.level == "problem" for one in findings)
    warnings = sum(one.level == "warning" for one in findings)
    if problems or warnings:
        say(
            f"{problems} problem{'s' * (problems != 1)}, {warnings} warning{'s' * (warnings != 1)}."
        )
    else:
        say("All is well.")
