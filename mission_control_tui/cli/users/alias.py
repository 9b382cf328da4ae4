"""`users alias add|remove|primary`."""

from __future__ import annotations

import click

from mission_control_tui.cli.common.options import changes_user
from mission_control_tui.cli.common.session import Session
from mission_control_tui.cli.users.change import change_user


@click.group()
def alias() -> None:
    """A user's further addresses, and which one recipients see."""


@alias.command()
@changes_user("mission-control users alias add ada@acme.example countess@acme.example")
@click.argument("address")
def add(session: Session, user: str, address: str) -> None:
    """Give a user a further address."""
    from mission_control_tui.model.users.editing import add_alias

    change_user(session, add_alias, user, address)


@alias.command()
@changes_user("mission-control users alias remove ada@acme.example countess@acme.example")
@click.argument("address")
def remove(session: Session, user: str, address: str) -> None:
    """Take an alias or a former UPN away, which frees it."""
    from mission_control_tui.model.users.editing import remove_alias

    change_user(session, remove_alias, user, address)


@alias.command()
@changes_user("mission-control users alias primary ada@acme.example countess@acme.example")
@click.argument("address")
def primary(session: Session, user: str, address: str) -> None:
    """Make one of the user's addresses the one that recipients see and reply to."""
    from mission_control_tui.model.users.editing import set_primary

    change_user(session, set_primary, user, address)
