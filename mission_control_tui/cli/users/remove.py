"""`users deprovision`, `delete` and `restore`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from mission_control_tui.cli.common import results
from mission_control_tui.cli.common.options import changes, destroys, example, waits
from mission_control_tui.cli.common.session import Session, pass_session
from mission_control_tui.cli.users.change import change_user

if TYPE_CHECKING:
    from mission_control_tui.model.plan import Outcome
    from mission_control_tui.model.store.database import Store
    from mission_control_tui.model.users.provisioning import ServiceResult
    from mission_control_tui.model.views import AssignmentView, UserView


@click.command()
@click.argument("user")
@waits
@destroys
@pass_session
@example("mission-control users deprovision ada@acme.example --yes --wait 60")
def deprovision(session: Session, user: str, wait: float | None) -> None:
    """Take every service away from a user, with its data."""
    session.confirm(f"Take every service away from {user}, with its data?")

    async def work(
        store: Store,
    ) -> tuple[Outcome[tuple[ServiceResult, ...]], tuple[AssignmentView, ...]]:
        from mission_control_tui.model.users.provisioning import deprovision_all

        account = await session.account_id(store)
        outcome = await deprovision_all(
            store, session.caller, account, user, dry_run=session.dry_run
        )
        lights = await results.follow_user(session, store, account, outcome, user, wait)
        return outcome, lights

    outcome, lights = session.run(work)
    results.tell(session, outcome, {"given": outcome.result}, lights, wait)


@click.command()
@click.argument("user")
@destroys
@pass_session
@example("mission-control users delete ada@acme.example --yes")
def delete(session: Session, user: str) -> None:
    """Put a user into the recycling bin, once no service is left.

    UPN, aliases and username stay reserved; `users restore` brings the user back.
    """
    session.confirm(f"Put {user} into the recycling bin?")

    async def change(store: Store, account: int) -> Outcome[UserView]:
        from mission_control_tui.model.recycle_bin.deletion import delete_user

        return await delete_user(store, session.caller, account, user, dry_run=session.dry_run)

    change_user(session, change)


@click.command()
@click.argument("user")
@changes
@pass_session
@example("mission-control users restore ada@acme.example")
def restore(session: Session, user: str) -> None:
    """Bring a user back from the recycling bin, without any service."""

    async def change(store: Store, account: int) -> Outcome[UserView]:
        from mission_control_tui.model.recycle_bin.deletion import restore_user

        return await restore_user(store, session.caller, account, user, dry_run=session.dry_run)

    change_user(session, change)
