"""`--look` for many users: every item is tried, and the back ends are asked about each."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from mission_control_tui.cli.bulk import running as bulk_running
from mission_control_tui.cli.common import looking
from mission_control_tui.cli.common.output import say
from mission_control_tui.cli.common.session import Session

if TYPE_CHECKING:
    from mission_control_tui.model.bulk.views import BulkAction
    from mission_control_tui.model.search.filters import UserFilter
    from mission_control_tui.model.store.scope import AccountScope
    from mission_control_tui.model.users.actions.params import ActionParams


def look(
    session: Session,
    users: Sequence[str] | UserFilter,
    action: BulkAction,
    params: ActionParams,
    *,
    whole: bool = False,
) -> None:
    """Tell what back ends would change; with `whole` everybody has to be one who would not be refused here."""

    async def tried(scope: AccountScope) -> Collection[str]:
        from mission_control_tui.model.bulk import planning, targets, trying

        found = await planning.plan(scope, users, action, params)
        if whole:
            bulk_running.refuse_refused(found)
        elif left := found.refused + found.skipped:
            say(f"{left} of {found.total} would be left out: `bulk plan` says who and why.")
        return await trying.try_each(scope, await targets.order(scope, users, action, params))

    looking.look(session, tried)
