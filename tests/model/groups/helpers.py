"""What tests of groups, contacts and shared mailboxes share."""

from __future__ import annotations

from sqlalchemy import select

from mission_control_tui.model.caller import Caller
from mission_control_tui.model.errors import MissionControlError
from mission_control_tui.model.groups.editing import create_object
from mission_control_tui.model.groups.queries import ObjectView
from mission_control_tui.model.plan import Outcome
from mission_control_tui.model.requests.attributes import facts_of
from mission_control_tui.model.states import RequestState, Wish
from mission_control_tui.model.store.database import Store
from mission_control_tui.model.store.scope import AccountScope
from mission_control_tui.model.store.tables.requests import RequestRow
from mission_control_tui.model.users.actions.params import ActionParams
from mission_control_tui.model.views import Account

GROUP, CONTACT, SHARED = "distribution-group", "mail-contact", "shared-mailbox"
MAIL = ActionParams("managed-exchange", "pc-web")


async def group(
    store: Store, caller: Caller, account: Account, name: str = "Sales", **more: object
) -> Outcome[ObjectView]:
    address = str(more.pop("address", f"{name.lower()}@acme.example"))
    scope = AccountScope(store, caller, account.id)
    return await create_object(scope, GROUP, name, address, **more)  # type: ignore[arg-type]


async def facts(store: Store, made: ObjectView) -> dict[str, object]:
    async with store.read() as session:
        return await facts_of(session, made.id)


async def of_kind(error: MissionControlError) -> dict[str, str]:
    return {one.where: one.what for one in error.problems}


async def gone(store: Store, caller: Caller, account: Account, made: ObjectView) -> None:
    """As the worker ends a removal: through the ending itself."""
    from mission_control_tui.model.requests import outcomes
    from mission_control_tui.model.requests.attempts import Run
    from mission_control_tui.model.requests.run_batch import write_one

    async with store.write(caller, account.id) as tx:
        request = await tx.session.scalar(
            select(RequestRow)
            .where(RequestRow.assignment_id == made.service.id)
            .order_by(RequestRow.id.desc())
            .limit(1)
        )
        assert request is not None
        request.state, request.attempt, request.worker_id = RequestState.RUNNING, 1, "w"
        run = Run(request.id, 1, "w")
    await write_one(store, run, None, outcomes.succeed(outcomes.Observation(Wish.ABSENT)))
