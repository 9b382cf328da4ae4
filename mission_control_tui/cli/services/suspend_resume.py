"""`suspend`, `resume` and `deprovision`: one service of one user turned."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from mission_control_tui.cli.common import results
from mission_control_tui.cli.common.options import INSTANCE, Command, changes, destroys, waits
from mission_control_tui.cli.common.parameters import argument
from mission_control_tui.cli.common.session import Session
from mission_control_tui.model.states import RequestKind

if TYPE_CHECKING:
    from mission_control_tui.model.users.actions.base import ActionResult


def _service_of_user(command: Command) -> Command:
    """Add USER, SERVICE, `--instance` and `--wait`."""
    for parameter in (waits, INSTANCE, argument("service"), argument("user")):
        command = parameter(command)
    return command


@click.command()
@_service_of_user
@changes("mission-control suspend ada@acme.example databases --wait 60")
def suspend(session: Session, user: str, service: str, instance: str) -> None:
    """Suspend one service of a user; its data and its seat stay."""
    _turn(session, user, service, RequestKind.SUSPEND, instance)


@click.command()
@_service_of_user
@changes("mission-control resume ada@acme.example databases")
def resume(session: Session, user: str, service: str, instance: str) -> None:
    """Resume a suspended service."""
    _turn(session, user, service, RequestKind.RESUME, instance)


@click.command()
@_service_of_user
@destroys("mission-control deprovision ada@acme.example databases --yes --wait 60")
def deprovision(session: Session, user: str, service: str, instance: str) -> None:
    """Take one service away from a user, with its data."""
    which = f"{service} {instance}".strip()
    session.confirm(f"Take {which} away from {user}, with its data?")
    _turn(session, user, service, RequestKind.DEPROVISION, instance)


def _turn(session: Session, user: str, service: str, kind: RequestKind, instance: str) -> None:
    from mission_control_tui.model.users.provisioning import change_wish

    def shown(given: Sequence[ActionResult]) -> dict[str, object]:
        return {"given": [results.given(user, instance, result) for result in given]}

    def assignments(given: Sequence[ActionResult]) -> list[str]:
        return [result.assignment_id for result in given]

    results.change_and_wait(
        session, shown, assignments, change_wish, user, service, kind, instance=instance
    )
