"""`users password`: the user's own, or that of a service which has its own."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import click

from mission_control_tui.cli.common import passwords, results
from mission_control_tui.cli.common.options import changes, waits
from mission_control_tui.cli.common.output import attributes
from mission_control_tui.cli.common.parameters import argument, option
from mission_control_tui.cli.common.session import Session
from mission_control_tui.model.errors import UsageError
from mission_control_tui.model.text.limits import INSTANCE

if TYPE_CHECKING:
    from mission_control_tui.model.plan import Outcome
    from mission_control_tui.model.store.scope import AccountScope
    from mission_control_tui.model.users.passwords import PasswordChange


@click.command()
@argument("user")
@option("--service", metavar="SERVICE", help="A service with a password of its own.")
@option(
    "--instance",
    limit=INSTANCE,
    default="",
    metavar="NAME",
    help="Which of several of that service.",
)
@option(
    "--must-change/--no-must-change",
    default=None,
    help="Whether the user has to choose a new one at the next logon.",
)
@passwords.password_stdin
@passwords.passwords_out
@waits
@changes("mission-control users password ada@acme.example --passwords-out ada.csv")
def password(
    session: Session,
    user: str,
    service: str | None,
    instance: str,
    must_change: bool | None,
    password_stdin: bool,
) -> None:
    """Set a user's password for all services that use it, or with --service that of one service."""
    if service is not None and must_change is not None:
        raise UsageError("--must-change is about the user's own password, not about a service's.")
    if service is None and instance:
        raise UsageError("--instance needs --service.")
    given = passwords.chosen_source(session, password_stdin)

    async def change(scope: AccountScope, *, dry_run: bool = False) -> Outcome[PasswordChange]:
        from mission_control_tui.model.users.passwords import set_password, set_service_password

        scope = passwords.kept_in(scope, file, passwords.OF_USERS)
        if service is None:
            set_ = partial(set_password, scope, user, given, must_change=must_change)
        else:
            set_ = partial(set_service_password, scope, user, service, given, instance=instance)
        return await set_(dry_run=dry_run)

    with passwords.named_file(session) as file:
        outcome, lights = results.carry_out_and_wait(session, lambda made: made.user_id, change)
    request = outcome.result.request_id if outcome.applied else None
    told = {**attributes(outcome.result, "user_id", "upn"), "request": request}
    results.tell(session, outcome, told, lights)
