"""`provision`: give a service to one user or, as a bulk, to many."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mission_control_tui.cli.common import options, passwords
from mission_control_tui.cli.common.parameters import option
from mission_control_tui.cli.common.session import Session
from mission_control_tui.cli.common.subjects import called, names_service, who_and_what
from mission_control_tui.cli.common.user_selection import domains_from, domains_in, users_in
from mission_control_tui.cli.services.giving import give
from mission_control_tui.model.errors import UsageError
from mission_control_tui.model.users.actions.params import ActionParams

if TYPE_CHECKING:
    from mission_control_tui.model.plan import Outcome
    from mission_control_tui.model.services.subjects import SubjectKey
    from mission_control_tui.model.store.scope import AccountScope
    from mission_control_tui.model.users.actions.base import ActionResult


@click.command()
@names_service
@options.LEVEL
@options.SETTINGS
@options.INSTANCE
@options.ON
@option("--adopt", is_flag=True, help="Take over what is there already at the back end.")
@option(
    "--users-from",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Give it to all in FILE: UPNs or usernames one a line, or a file as for `users import`.",
)
@domains_from
@passwords.passwords_out
@options.looks
@options.waits
@options.destroys(
    'mission-control provision ada@acme.example "Managed Exchange" --level popx --wait 60',
    "mission-control provision ada@acme.example databases --level small \\",
    "    --passwords-out ada-db.csv",
    "mission-control provision --domain acme.example domain-registration --set auto-renew=yes",
    "mission-control provision --users-from upns.txt managed-exchange --level popx --look",
)
def provision(
    session: Session,
    names: tuple[str, ...],
    level: str | None,
    settings: options.Pairs,
    instance: str,
    on: str,
    adopt: bool,
    users_from: Path | None,
    domains_from: Path | None,
    domain: str | None,
    of_account: bool,
) -> None:
    """Give a service to USER, change its level or settings, or try again what is red, not checked or drifted.

    With --domain or --of-account it is a service of that, such as a domain's registration.

    With --look the back ends are asked, from this machine, what they would change: nothing is written here or there.
    Exit code 10 where one would refuse it, 14 where one could not be asked.

    Of a service that several connectors serve, the settings' rule chooses one, or --on names it; what is there already
    stays where it is.

    What is so already is left alone. A service with a password of its own (a database) gets a
    generated one, written to the file of --passwords-out.
    """
    many = _many(users_from, domains_from)
    who, service = _who_and_what(names, many, domain, of_account)
    params = ActionParams(service, level, dict(settings), instance, adopt, on=on)
    if many is not None:
        from mission_control_tui.cli.services.provision_many import provision_many

        provision_many(session, many, params)
        return

    async def act(
        scope: AccountScope, *, dry_run: bool = False
    ) -> Outcome[tuple[ActionResult, ...]]:
        from mission_control_tui.model.users import provisioning

        return await provisioning.provision(scope, who, [params], dry_run=dry_run)

    give(session, who, instance, act, f"Change {service} of {called(who)}?")


def _many(users: Path | None, domains: Path | None) -> list[str] | None:
    """Return the users or domains that a file names; None without a file. Raises UsageError and InvalidInput."""
    if users is not None and domains is not None:
        raise UsageError("--users-from and --domains-from contradict each other.", hint="Give one.")
    if domains is not None:
        return domains_in(domains)
    return users_in(users) if users is not None else None


def _who_and_what(
    names: Sequence[str], many: Sequence[str] | None, domain: str | None, of_account: bool
) -> tuple[str | SubjectKey, str]:
    """Return the one subject, "" for many, and the service."""
    if many is None:
        return who_and_what("provision", names, domain, of_account)
    if len(names) != 1 or domain is not None or of_account:
        raise UsageError("With a file only the service is named: provision SERVICE.")
    return "", names[0]
