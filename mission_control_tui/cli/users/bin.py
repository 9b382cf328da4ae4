"""`users bin` and `users purge`: the recycling bin and its end."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from mission_control_tui.cli.common import results
from mission_control_tui.cli.common.lists import limited
from mission_control_tui.cli.common.options import OFFSET, destroys, exports, reads
from mission_control_tui.cli.common.output import attributes, when
from mission_control_tui.cli.common.parameters import argument
from mission_control_tui.cli.common.session import Session

if TYPE_CHECKING:
    from mission_control_tui.model.recycle_bin.purge import BinLine


@click.command("bin")
@argument("query", required=False, default="")
@limited(200)
@OFFSET
@exports
@reads("mission-control users bin", "mission-control users bin --all-accounts --csv")
def recycling_bin(session: Session, query: str, limit: int, offset: int) -> None:
    """List who is in the recycling bin, the last deleted first, and when each is purged; of all accounts too.

    The setting worker.bin_days says after how many days; 0 is never.
    """
    from mission_control_tui.model.recycle_bin.purge import list_bin

    days = session.settings.worker.bin_days
    found = session.survey(list_bin, bin_days=days, query=query, limit=limit + 1, offset=offset)
    results.tell_survey(
        *(session, "users", found),
        ("UPN", "Display name", "Deleted", "By", "Days", "Purged"),
        *(_row, attributes),
        nothing="Nobody is in the recycling bin.",
        limit=limit,
        offset=offset,
    )


def _row(user: BinLine) -> tuple[object, ...]:
    deleted, purged = when(user.deleted_at), when(user.purge_at) or "never by itself"
    return user.upn, user.display_name, deleted, user.deleted_by, user.age_days, purged


@click.command()
@argument("user")
@destroys("mission-control users purge ada@acme.example --yes")
def purge(session: Session, user: str) -> None:
    """Take the data of somebody in the recycling bin out of the database, now and for good.

    Details, addresses, sealed passwords and drafts go, and the UPN is free again. The id and the
    audit stay; the audit goes on naming the UPN. This cannot be undone.
    """
    from mission_control_tui.model.recycle_bin.purge import purge_user

    session.confirm(f"Purge {user}? This cannot be undone.")
    results.change_and_tell(session, results.under("purged"), purge_user, user)
