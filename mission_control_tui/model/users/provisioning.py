"""The verbs on services of every subject: provision, change level or settings, suspend, resume, deprovision: wishes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mission_control_tui.model.catalogue.types import Catalogue
from mission_control_tui.model.plan import Outcome
from mission_control_tui.model.services.subject_lookup import locked_subject
from mission_control_tui.model.services.subjects import Subject, SubjectKey
from mission_control_tui.model.states import RequestKind
from mission_control_tui.model.store.retry import retries_on_conflict
from mission_control_tui.model.store.scope import AccountScope
from mission_control_tui.model.store.tables.accounts import AccountRow
from mission_control_tui.model.store.transaction import Transaction
from mission_control_tui.model.users.actions.base import (
    ActionContext,
    ActionResult,
    ServiceAction,
    action_context,
)
from mission_control_tui.model.users.actions.move import Move
from mission_control_tui.model.users.actions.params import ActionParams
from mission_control_tui.model.users.actions.wish import Deprovision, Resume, Suspend
from mission_control_tui.model.users.giving import provision_in

_WISHES: dict[RequestKind, ServiceAction] = {
    RequestKind.SUSPEND: Suspend(),
    RequestKind.RESUME: Resume(),
    RequestKind.DEPROVISION: Deprovision(),
}


@retries_on_conflict
async def provision(
    scope: AccountScope,
    who: str | SubjectKey,
    wanted: Sequence[ActionParams],
    *,
    dry_run: bool = False,
) -> Outcome[tuple[ActionResult, ...]]:
    """Give services to a subject, or change the level or settings of those that it has, in one transaction.

    A text names a user.
    What is so already, or on its way, is left alone. A red light is tried again.
    Raises NotFound, UsageError, InvalidInput (settings), NoSeats, Conflict (not bought, password needed).
    """
    async with scope.change(dry_run=dry_run) as (tx, account_id):
        context = await action_context(tx, account_id)
        target = await locked_subject(tx.session, account_id, SubjectKey.of(who))
        catalogue = context.catalogue

        def depth(params: ActionParams) -> int:
            """Return how much a service requires: what others require comes first, so both can be asked for at once."""
            return len(catalogue.requirements(catalogue.service(params.service).id))

        given = [
            await provision_in(tx, context, target, params) for params in sorted(wanted, key=depth)
        ]
    return tx.outcome(tuple(given))


@retries_on_conflict
async def move(
    scope: AccountScope,
    who: str | SubjectKey,
    wanted: ActionParams,
    *,
    dry_run: bool = False,
) -> Outcome[tuple[ActionResult, ...]]:
    """Move one service of a subject to the connector that it is wanted on, of several that serve it.

    A text names a user. It is made there first, then taken away where it was; what is there already is left alone.
    Raises NotFound, UsageError, Conflict, PasswordNotKept.
    """
    async with scope.change(dry_run=dry_run) as (tx, account_id):
        context = await action_context(tx, account_id)
        target = await locked_subject(tx.session, account_id, SubjectKey.of(who))
        given = await Move().apply_to(tx, context, target, wanted)
    return tx.outcome(given)


@retries_on_conflict
async def change_wish(
    scope: AccountScope,
    who: str | SubjectKey,
    service: str,
    kind: RequestKind,
    *,
    instance: str = "",
    at_once: bool = False,
    dry_run: bool = False,
) -> Outcome[tuple[ActionResult, ...]]:
    """Suspend, resume or deprovision one service of a subject, or deprovision all of a user without one.

    A text names a user. What is so already is left alone. What is deprovisioned `at_once` is not kept for a while.
    Raises NotFound where the service never was there.
    """
    async with scope.change(dry_run=dry_run) as (tx, account_id):
        context = await action_context(tx, account_id)
        target = await locked_subject(tx.session, account_id, SubjectKey.of(who))
        params = ActionParams(service, instance=instance, at_once=at_once)
        given = await _WISHES[kind].apply_to(tx, context, target, params)
    return tx.outcome(given)


async def deprovision_all(
    scope: AccountScope, user: str, *, at_once: bool = False, dry_run: bool = False
) -> Outcome[tuple[ActionResult, ...]]:
    """Take every service away from a user; what is gone already is left alone."""
    return await change_wish(
        scope, user, "", RequestKind.DEPROVISION, at_once=at_once, dry_run=dry_run
    )


async def give_bought(
    tx: Transaction,
    account: AccountRow,
    catalogue: Catalogue,
    subject: Subject,
    service_id: str,
    *,
    level_id: str | None = None,
    settings: Mapping[str, object] | None = None,
) -> ActionResult:
    """Give a domain or the account what was bought for it. Without a level the first one is taken."""
    service = catalogue.service(service_id)
    level = service.level(level_id) if level_id is not None else service.levels[0]
    wanted = ActionParams(service.id, level.id, settings or {})
    return await provision_in(tx, ActionContext(account, catalogue), subject, wanted, said=False)
