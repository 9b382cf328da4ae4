"""`users alias add|remove|primary`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from mission_control_tui.cli.common.options import changes, example, waits
from mission_control_tui.cli.common.session import Session, pass_session
from mission_control_tui.cli.users.change import change_user

if TYPE_CHECKING:
    from mission_control_tui.model.plan import Outcome
    from mission_control_tui.model.store.database import Store
    from mission_control_tui.model.views import UserView


@click.group()
def alias() -> None:
    """A user's further addresses, and which one recipients see."""


@alias.command()
@click.argument("user")
@click.argument("address")
@waits
@changes
@pass_session
@example("mission-control users alias add ada@acme.example countess@acme.example")
def add(session: Session, user: str, address: str, wait: float | None) -> None:
    """Give a user a further address."""

    async def change(store: Store, account: int) -> Outcome[UserView]:
        from mission_control_tui.model.users.aliases import add_alias

        return await add_alias(
            store, session.caller, account, user, address, dry_run=session.dry_run
        )

    change_user(session, change, wait)


@alias.command()
@click.argument("user")
@click.argument("address")
@waits
@changes
@pass_session
@example("mission-control users alias remove ada@acme.example countess@acme.example")
def remove(session: Session, user: str, address: str, wait: float | None) -> None:
    """Take an alias or a former UPN away, which frees it."""

    async def change(store: Store, account: int) -> Outcome[UserView]:
        from mission_control_tui.model.users.aliases import remove_alias

        return await remove_alias(
            store, session.caller, account, user, address, dry_run=session.dry_run
        )

    change_user(session, change, wait)


@alias.command()
@click.argument("user")
@click.argument("address")
@waits
@changes
@pass_session
@example("mission-control users alias primary ada@acme.example countess@acme.example")
def primary(session: Session, user: str, address: str, wait: float | None) -> None:
    """Make one of the user's addresses the one that recipients see and reply to."""

    async def change(store: Store, account: int) -> Outcome[UserView]:
        from mission_control_tui.model.users.aliases import set_primary

        return await set_primary(
            store, session.caller, account, user, address, dry_run=session.dry_run
        )

    change_user(session, change, wait)
