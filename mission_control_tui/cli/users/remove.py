"""`users deprovision`, `delete` and `restore`."""

from __future__ import annotations

import click

from mission_control_tui.cli.common import results
from mission_control_tui.cli.common.options import changes, destroys, waits
from mission_control_tui.cli.common.session import Session
from mission_control_tui.cli.users.change import change_user


@click.command()
@click.argument("user")
@waits
@destroys("mission-control users deprovision ada@acme.example --yes --wait 60")
def deprovision(session: Session, user: str) -> None:
    """Take every service away from a user, with its data."""
    from mission_control_tui.model.users.provisioning import deprovision_all

    session.confirm(f"Take every service away from {user}, with its data?")
    results.change_and_wait(session, results.under("given"), lambda _: user, deprovision_all, user)


@click.command()
@click.argument("user")
@destroys("mission-control users delete ada@acme.example --yes")
def delete(session: Session, user: str) -> None:
    """Put a user into the recycling bin, once no service is left.

    UPN, aliases and username stay reserved; `users restore` brings the user back.
    """
    from mission_control_tui.model.recycle_bin.deletion import delete_user

    session.confirm(f"Put {user} into the recycling bin?")
    change_user(session, delete_user, user)


@click.command()
@click.argument("user")
@changes("mission-control users restore ada@acme.example")
def restore(session: Session, user: str) -> None:
    """Bring a user back from the recycling bin, without any service."""
    from mission_control_tui.model.recycle_bin.deletion import restore_user

    change_user(session, restore_user, user)
