"""Lists of requests by page, how many there are, and the failure behind a red light."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mission_control_tui.model.caller import Caller
from mission_control_tui.model.errors import NotFound
from mission_control_tui.model.requests.connector_activity import (
    ConnectorActivity,
    FailedRequest,
    connector_activity,
)
from mission_control_tui.model.requests.control import cancel
from mission_control_tui.model.requests.queries import count_requests, list_requests
from mission_control_tui.model.services.failures import LastFailure, failures_of
from mission_control_tui.model.states import Light, RequestState
from mission_control_tui.model.store.database import Store
from mission_control_tui.model.store.scope import AccountScope, AllAccounts
from mission_control_tui.model.store.tables.requests import RequestEventRow, RequestRow
from mission_control_tui.model.store.tables.services import AssignmentRow
from mission_control_tui.model.users.actions.params import ActionParams
from mission_control_tui.model.users.provisioning import provision
from mission_control_tui.model.views import Account, UserView
from tests.model.helpers import create, named, own_seats

pytestmark = pytest.mark.any_database

MAIL = ActionParams("managed-exchange", "pc-web")


@pytest.fixture
async def people(
    store: Store, caller: Caller, account: Account, scope: AccountScope
) -> list[UserView]:
    """Five users, each with a queued request for a mailbox."""
    await own_seats(store, caller, account, "managed-exchange", "pc-web")
    made = [await create(store, caller, account, named(f"user{n}")) for n in range(5)]
    for user in made:
        await provision(scope, user.id, [MAIL])
    return made


async def test_pages_of_requests_follow_each_other_without_gap_or_repetition(
    scope: AccountScope, people: list[UserView]
) -> None:
    every = [one.id for one in await list_requests(scope)]
    assert every == sorted(every, reverse=True)
    assert len(every) == len(people)
    pages = [
        [one.id for one in await list_requests(scope, limit=2, offset=offset)]
        for offset in (0, 2, 4, 6)
    ]
    assert pages == [every[:2], every[2:4], every[4:], []]


async def test_an_offset_counts_only_what_the_filter_leaves(
    scope: AccountScope, people: list[UserView]
) -> None:
    every = [one.id for one in await list_requests(scope)]
    await cancel(scope, every[1])
    queued = await list_requests(scope, states=[RequestState.QUEUED], limit=2, offset=1)
    assert [one.id for one in queued] == every[2:4]


async def test_requests_are_counted_by_state_and_from_a_place_on(
    scope: AccountScope, people: list[UserView]
) -> None:
    every = [one.id for one in await list_requests(scope)]
    await cancel(scope, every[0])
    assert await count_requests(scope) == 5
    assert await count_requests(scope, states=[RequestState.CANCELLED]) == 1
    assert await count_requests(scope, states=[RequestState.QUEUED]) == 4
    assert await count_requests(scope, states=[RequestState.RUNNING]) == 0
    assert await count_requests(scope, after_id=every[2]) == 2
    queued_after = await count_requests(scope, states=[RequestState.QUEUED], after_id=every[2])
    assert queued_after == 1
    assert await count_requests(scope, after_id=every[0]) == 0


async def fail(store: Store, caller: Caller, account: Account, user: UserView, *steps: str) -> int:
    """The user's newest request has failed in its second attempt, after events with these steps; its id."""
    newest = (await list_requests(AccountScope(store, caller, account.id), user=user.id))[0].id
    async with store.write(caller, account.id) as tx:
        request = await tx.session.get_one(RequestRow, newest)
        request.state, request.attempt = RequestState.FAILED, 2
        assignment = await tx.session.get_one(AssignmentRow, request.assignment_id)
        assignment.light = Light.RED
        for step in steps:
            tx.session.add(
                RequestEventRow(
                    account_id=account.id,
                    request_id=newest,
                    at=tx.now,
                    attempt=2,
                    kind="step",
                    step=step,
                    said="",
                    remedy="",
                    duration_ms=None,
                    detail={},
                )
            )
            await tx.session.flush()
    return newest


async def test_a_red_light_names_the_last_step_and_attempt_of_its_newest_request(
    store: Store, caller: Caller, account: Account, scope: AccountScope, people: list[UserView]
) -> None:
    ada, other = people[0], people[1]
    await fail(store, caller, account, ada, "an older step")
    await provision(scope, ada.id, [MAIL])
    newest = await fail(store, caller, account, ada, "look", "create mailbox", "")
    await fail(store, caller, account, other, "somebody else's")
    found = await failures_of(scope, ada.id)
    (assignment,) = found
    assert found[assignment] == LastFailure(assignment, newest, 2, "create mailbox")


async def test_a_light_that_failed_before_its_first_step_has_an_empty_one(
    store: Store, caller: Caller, account: Account, scope: AccountScope, people: list[UserView]
) -> None:
    newest = await fail(store, caller, account, people[0])
    (failure,) = (await failures_of(scope, people[0].id)).values()
    assert (failure.request_id, failure.step) == (newest, "")


async def test_lights_that_are_not_red_have_no_failure(
    scope: AccountScope, people: list[UserView]
) -> None:
    assert await failures_of(scope, people[0].id) == {}


async def test_the_failures_of_somebody_unknown_are_not_found(scope: AccountScope) -> None:
    with pytest.raises(NotFound):
        await failures_of(scope, "0" * 32)


async def test_a_connectors_queue_and_what_succeeded_last_are_those_of_accounts_that_may_be_seen(
    store: Store, caller: Caller, scope: AccountScope, people: list[UserView]
) -> None:
    newest, failed, running, *waiting = await list_requests(scope)
    async with store.write(caller) as tx:
        at = tx.now
        for number, state in (
            (newest.id, RequestState.SUCCEEDED),
            (failed.id, RequestState.FAILED),
            (running.id, RequestState.RUNNING),
        ):
            row = await tx.session.get_one(RequestRow, number)
            row.state, row.ended_at = state, None if state == RequestState.RUNNING else at
        tx.session.add(
            RequestEventRow(
                account_id=failed.account_id,
                request_id=failed.id,
                at=at,
                attempt=1,
                kind="failed",
                said="No room left.",
                remedy="Add a disk.",
            )
        )
    found = await connector_activity(AllAccounts(store, caller))
    assert found == {
        "simulator": ConnectorActivity(
            len(waiting),
            1,
            at,
            FailedRequest(failed.id, at, "No room left.", "Add a disk."),
            services=len(people),
        )
    }
    stranger = replace(caller, accounts=frozenset({failed.account_id + 1}))
    assert await connector_activity(AllAccounts(store, stranger)) == {}
