"""`users bin` and `users purge`: the recycling bin and its end."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from mission_control_tui.cli.common import results
from mission_control_tui.cli.common.options import destroys, example, limited, reads
from mission_control_tui.cli.common.output import print_json, say, table, when
from mission_control_tui.cli.common.session import Session, pass_session

if TYPE_CHECKING:
    from mission_control_tui.model.recycle_bin.purge import BinLine
    from mission_control_tui.model.store.database import Store


@click.command("bin")
@click.argument("query", required=False, default="")
@limited(200)
@reads
@pass_session
@example("mission-control users bin")
def recycling_bin(session: Session, query: str, limit: int) -> None:
    """List who is in the recycling bin, the last deleted first, and when each is purged.

    The setting worker.bin_days says after how many days; 0 is never.
    """

    async def work(store: Store) -> tuple[BinLine, ...]:
        from mission_control_tui.model.recycle_bin.purge import list_bin

        return await list_bin(
            store,
            session.caller,
            await session.account_id(store),
            bin_days=session.settings.worker.bin_days,
            query=query,
            limit=limit,
        )

    found = session.run(work)
    if session.json:
        print_json({"users": found})
    elif not found:
        say("Nobody is in the recycling bin.")
    else:
        table(
            ["UPN", "Display name", "Deleted", "By", "Days", "Purged"],
            [
                [
                    *(one.upn, one.display_name, when(one.deleted_at), one.deleted_by),
                    *(one.age_days, when(one.purge_at) or "never by itself"),
                ]
                for one in found
            ],
        )


@click.command()
@click.argument("user")
@destroys
@pass_session
@example("mission-control users purge ada@acme.example --yes")
def purge(session: Session, user: str) -> None:
    """Take the data of somebody in the recycling bin out of the database, now and for good.

    Details, addresses, sealed passwords and drafts go, and the UPN is free again. The id and the
    audit stay; the audit goes on naming the UPN. This cannot be undone.
    """
    from mission_control_tui.model.recycle_bin.purge import purge_user

    session.confirm(f"Purge {user}? This cannot be undone.")
    outcome = results.carry_out(
        session,
        lambda store, account: purge_user(
            store, session.caller, account, user, dry_run=session.dry_run
        ),
    )
    results.tell(session, outcome, {"purged": outcome.result})
