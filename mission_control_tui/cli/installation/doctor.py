"""`doctor`: what could keep this installation from working, each with what to do about it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from mission_control_tui.cli.common.options import reads
from mission_control_tui.cli.common.output import say, wrapped
from mission_control_tui.cli.common.parameters import option
from mission_control_tui.cli.common.session import Session
from mission_control_tui.model.text.counting import counted

if TYPE_CHECKING:
    from mission_control_tui.cli.installation.findings import HealthFinding

UNHEALTHY = 1
_MARKS = {"ok": "ok", "note": "note", "warning": "warning", "problem": "PROBLEM"}


PATIENCE = option(
    "--timeout",
    type=click.FloatRange(min=0.1),
    default=10.0,
    show_default=True,
    metavar="SECONDS",
    help="How long a back end may take to answer.",
)


@click.command()
@PATIENCE
@reads("mission-control doctor --json")
@click.pass_context
def doctor(context: click.Context, session: Session, timeout: float) -> None:
    """Check settings, files and their permissions, database, catalogue, worker, back ends and clock.

    Changes nothing. The exit code is 1 when there is a problem; warnings and notes leave it 0.
    """
    import asyncio

    from mission_control_tui.cli.installation.findings import Severity
    from mission_control_tui.cli.installation.health import examine

    findings = asyncio.run(examine(session, timeout))
    healthy = all(finding.level is not Severity.PROBLEM for finding in findings)
    if not session.printed({"healthy": healthy, "checks": findings}):
        print_findings(findings)
    if not healthy:
        context.exit(UNHEALTHY)


def print_findings(findings: Sequence[HealthFinding]) -> None:
    """Print what was found with what to do, and how many problems there are."""
    name = max(len(finding.check) for finding in findings)
    for finding in findings:
        wrapped(f"{_MARKS[finding.level]:<7}  {finding.check:<{name}}  ", finding.said, 11 + name)
        if finding.remedy:
            wrapped(" " * (11 + name) + "-> ", finding.remedy, 14 + name)
    problems = sum(finding.level == "problem" for finding in findings)
    warnings = sum(finding.level == "warning" for finding in findings)
    if problems or warnings:
        say(f"{counted(problems, 'problem')}, {counted(warnings, 'warning')}.")
    else:
        say("All is well.")
