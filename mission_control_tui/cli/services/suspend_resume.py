"""`suspend`, `resume` and `deprovision`: one service of one subject turned."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from mission_control_tui.cli.common import looking, results
from mission_control_tui.cli.common.options import (
    INSTANCE,
    NOW,
    Command,
    changes,
    destroys,
    looks,
    waits,
)
from mission_control_tui.cli.common.session import Session
from mission_control_tui.cli.common.subjects import called, names_service, who_and_what
from mission_control_tui.model.states import RequestKind

if TYPE_CHECKING:
    from mission_control_tui.model.services.subjects import SubjectKey
    from mission_control_tui.model.store.scope import AccountScope
    from mission_control_tui.model.users.actions.base import ActionResult


def _of_service(command: Command) -> Command:
    """Add USER or another subject, SERVICE, `--instance`, `--look` and `--wait`."""
    return names_service(INSTANCE(looks(waits(command))))


@click.command()
@_of_service
@changes(
    "mission-control suspend ada@acme.example databases --wait 60",
    "mission-control suspend --domain acme.example domain-registration",
)
def suspend(session: Session, names: tuple[str, ...], instance: str, **other: Any) -> None:
    """Suspend one service of a user, a domain or the account; its data and its seat stay."""
    who, service = who_and_what("suspend", names, **other)
    _turn(session, who, service, RequestKind.SUSPEND, instance)


@click.command()
@_of_service
@changes("mission-control resume ada@acme.example databases")
def resume(session: Session, names: tuple[str, ...], instance: str, **other: Any) -> None:
    """Resume a suspended service of a user, a domain or the account."""
    who, service = who_and_what("resume", names, **other)
    _turn(session, who, service, RequestKind.RESUME, instance)


@click.command()
@_of_service
@NOW
@destroys(
    "mission-control deprovision ada@acme.example databases --yes --wait 60",
    "mission-control deprovision ada@acme.example managed-exchange --now --yes",
)
def deprovision(
    session: Session, names: tuple[str, ...], instance: str, now: bool, **other: Any
) -> None:
    """Take one service away from a user, a domain or the account, with its data.

    Where the catalogue keeps it for some days it is suspended until then, and comes back if it is provisioned again.
    Refused while other services need that of a domain or of the account. A bought domain stays bought:
    `mission-control remove` lets it go.
    """
    who, service = who_and_what("deprovision", names, **other)
    which = f"{service} {instance}".strip()
    question = f"Take {which} away from {called(who)}, with its data?"
    lost = (
        () if session.assume_yes or session.dry_run else _lost(session, who, service, instance, now)
    )
    session.confirm(f"{question} Lost: {'; '.join(lost)}." if lost else question)
    _turn(session, who, service, RequestKind.DEPROVISION, instance, at_once=now)


def _lost(
    session: Session, who: str | SubjectKey, service: str, instance: str, now: bool
) -> tuple[str, ...]:
    """Return what goes with it that its question does not name."""
    from mission_control_tui.model.users.provisioning import change_wish

    kind = RequestKind.DEPROVISION
    tried = session.query(
        change_wish, who, service, kind, instance=instance, at_once=now, dry_run=True
    )
    return tried.plan.lost


def _turn(
    session: Session,
    who: str | SubjectKey,
    service: str,
    kind: RequestKind,
    instance: str,
    *,
    at_once: bool = False,
) -> None:
    from mission_control_tui.model.users.provisioning import change_wish

    if session.look:

        async def tried(scope: AccountScope) -> list[str]:
            outcome = await change_wish(scope, who, service, kind, instance=instance, dry_run=True)
            return [result.assignment_id for result in outcome.result]

        looking.look(session, tried)
        return

    def shown(given: Sequence[ActionResult]) -> dict[str, object]:
        return {"given": [results.given(who, instance, result) for result in given]}

    def assignments(given: Sequence[ActionResult]) -> list[str]:
        return [result.assignment_id for result in given]

    results.change_and_wait(
        session,
        shown,
        assignments,
        change_wish,
        who,
        service,
        kind,
        instance=instance,
        at_once=at_once,
    )
