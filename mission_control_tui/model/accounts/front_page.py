"""What is seen first of an account: its numbers, its red lights and its newest requests, in one reading."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from mission_control_tui.model.accounts.overview import AccountDetails, details_of
from mission_control_tui.model.catalogue.in_force import in_force
from mission_control_tui.model.requests.queries import latest_requests
from mission_control_tui.model.services.domain_terms import domains_over
from mission_control_tui.model.services.lights import first_of_light
from mission_control_tui.model.states import Light
from mission_control_tui.model.store.scope import AccountScope, Within
from mission_control_tui.model.views import AssignmentView, RequestView


@dataclass(frozen=True, slots=True)
class FrontPage:
    """The account as a whole, services in error, and requests that have not ended and that have, newest first."""

    details: AccountDetails
    red: tuple[AssignmentView, ...]
    active: tuple[RequestView, ...]
    ended: tuple[RequestView, ...]


async def front_page(scope: AccountScope, limit: int) -> FrontPage:
    """Return the account with at most `limit` of everything that is listed. Raises NotFound, Denied."""
    async with scope.store.read() as session:
        row = await scope.row(session)
        catalogue = (await in_force(session)).catalogue
        over = await domains_over(session, Within(row.id))
        details = await details_of(session, catalogue, row, datetime.now(UTC), over)
        red: tuple[AssignmentView, ...] = ()
        if details.lights.red:
            red = await first_of_light(session, catalogue, row.id, Light.RED, limit, over)
        active, ended = await latest_requests(session, row.id, limit)
        return FrontPage(details, red, active, ended)
