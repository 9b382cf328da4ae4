"""`move`: a service goes to another of the connectors that serve it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from mission_control_tui.cli.common import options, passwords
from mission_control_tui.cli.common.parameters import option
from mission_control_tui.cli.common.session import Session
from mission_control_tui.cli.common.subjects import called, names_service, who_and_what
from mission_control_tui.cli.services.giving import give
from mission_control_tui.model.text.limits import CONNECTOR
from mission_control_tui.model.users.actions.params import ActionParams

if TYPE_CHECKING:
    from mission_control_tui.model.plan import Outcome
    from mission_control_tui.model.store.scope import AccountScope
    from mission_control_tui.model.users.actions.base import ActionResult


@click.command()
@names_service
@option("--to", limit=CONNECTOR, required=True, metavar="CONNECTOR", help="Where it goes.")
@options.INSTANCE
@option("--reset-password", is_flag=True, help="Give the user a new password, everywhere.")
@options.NOW
@passwords.passwords_out
@options.looks
@options.waits
@options.destroys(
    "mission-control move ada@acme.example managed-exchange --to mail-2 --dry-run",
    "mission-control move ada@acme.example managed-exchange --to mail-2 --reset-password \\",
    "    --passwords-out ada.csv --yes",
)
def move(
    session: Session,
    names: tuple[str, ...],
    to: str,
    instance: str,
    reset_password: bool,
    now: bool,
    **other: Any,
) -> None:
    """Move one service of a user, a domain or the account to another of the connectors that serve it.

    It is made there first. Where it was it is taken away once the new one is green, and kept suspended for as long as
    the catalogue keeps what is taken away; until then a move back gives everything back. What is in it (mail, files)
    does not come along: copy that meanwhile.

    A password is not kept once it is delivered. Where the new place needs the user's, --reset-password makes a new one
    for all services that use it; a service with a password of its own gets a new one in any case.
    """
    who, service = who_and_what("move", names, **other)
    params = ActionParams(
        service, instance=instance, on=to, at_once=now, new_password=reset_password
    )

    async def act(
        scope: AccountScope, *, dry_run: bool = False
    ) -> Outcome[tuple[ActionResult, ...]]:
        from mission_control_tui.model.users import provisioning

        return await provisioning.move(scope, who, params, dry_run=dry_run)

    give(session, who, instance, act, f"Move {service} of {called(who)} to {to}?")
