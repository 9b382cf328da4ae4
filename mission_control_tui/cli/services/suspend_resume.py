"""`suspend`, `resume` and `deprovision`: one service of one user turned."""

from __future__ import annotations

import click

from mission_control_tui.cli.common import results
from mission_control_tui.cli.common.options import INSTANCE, changes, destroys, example, waits
from mission_control_tui.cli.common.session import Session, pass_session
from mission_control_tui.model.states import RequestKind


@click.command()
@click.argument("user")
@click.argument("service")
@INSTANCE
@waits
@changes
@pass_session
@example("mission-control suspend ada@acme.example databases --wait 60")
def suspend(session: Session, user: str, service: str, instance: str, wait: float | None) -> None:
    """Suspend one service of a user; its data and its seat stay."""
    _turn(session, user, service, RequestKind.SUSPEND, instance, wait)


@click.command()
@click.argument("user")
@click.argument("service")
@INSTANCE
@waits
@changes
@pass_session
@example("mission-control resume ada@acme.example databases")
def resume(session: Session, user: str, service: str, instance: str, wait: float | None) -> None:
    """Resume a suspended service."""
    _turn(session, user, service, RequestKind.RESUME, instance, wait)


@click.command()
@click.argument("user")
@click.argument("service")
@INSTANCE
@waits
@destroys
@pass_session
@example("mission-control deprovision ada@acme.example databases --yes --wait 60")
def deprovision(
    session: Session, user: str, service: str, instance: str, wait: float | None
) -> None:
    """Take one service away from a user, with its data."""
    which = f"{service} {instance}".strip()
    session.confirm(f"Take {which} away from {user}, with its data?")
    _turn(session, user, service, RequestKind.DEPROVISION, instance, wait)


def _turn(
    session: Session, user: str, service: str, kind: RequestKind, instance: str, wait: float | None
) -> None:
    from mission_control_tui.model.users.provisioning import change_wish

    outcome, lights = results.carry_out_and_wait(
        session,
        wait,
        lambda given: [result.assignment_id for result in given],
        change_wish,
        user,
        service,
        kind,
        instance=instance,
    )
    given = [results.given(user, instance, result) for result in outcome.result]
    results.tell(session, outcome, {"given": given}, lights, wait)
