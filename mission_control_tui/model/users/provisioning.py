"""The verbs on a user's services: provision, change level or settings, suspend, resume, deprovision. All are wishes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mission_control_tui.model.audit_actions import AuditAction
from mission_control_tui.model.catalogue.types import Catalogue
from mission_control_tui.model.plan import Outcome, PlanVerb
from mission_control_tui.model.services.wishes import Subject, enqueue, find_or_make
from mission_control_tui.model.states import RequestKind, Wish
from mission_control_tui.model.store.lookups import user_row
from mission_control_tui.model.store.retry import retries_on_conflict
from mission_control_tui.model.store.scope import AccountScope
from mission_control_tui.model.store.tables.accounts import AccountRow
from mission_control_tui.model.store.transaction import Transaction
from mission_control_tui.model.users.actions.base import ActionResult, action_context
from mission_control_tui.model.users.actions.params import ActionParams
from mission_control_tui.model.users.actions.registry import ACTIONS
from mission_control_tui.model.users.giving import provision_in


@retries_on_conflict
async def provision(
    scope: AccountScope,
    user: str,
    wanted: Sequence[ActionParams],
    *,
    dry_run: bool = False,
) -> Outcome[tuple[ActionResult, ...]]:
    """Give services to a user, or change the level or settings of those the user has, in one transaction.

    What is so already, or on its way, is left alone. A red light is tried again.
    Raises NotFound, UsageError, InvalidInput (settings), NoSeats, Conflict (not bought, password needed).
    """
    async with scope.change(dry_run=dry_run) as (tx, account_id):
        context = await action_context(tx, account_id)
        target = await user_row(tx.session, account_id, user, lock=True)
        catalogue = context.catalogue

        def depth(params: ActionParams) -> int:
            """Return how much a service requires: what others require comes first, so both can be asked for at once."""
            return len(catalogue.requirements(catalogue.service(params.service).id))

        given = [
            await provision_in(tx, context, target, params) for params in sorted(wanted, key=depth)
        ]
    return tx.outcome(tuple(given))


@retries_on_conflict
async def change_wish(
    scope: AccountScope,
    user: str,
    service: str,
    kind: RequestKind,
    *,
    instance: str = "",
    dry_run: bool = False,
) -> Outcome[tuple[ActionResult, ...]]:
    """Suspend, resume or deprovision one service of a user, or deprovision all without one. Already so: unchanged.

    Raises NotFound when the user never had the service.
    """
    async with scope.change(dry_run=dry_run) as (tx, account_id):
        context = await action_context(tx, account_id)
        target = await user_row(tx.session, account_id, user, lock=True)
        params = ActionParams(service, instance=instance)
        given = await ACTIONS[kind].apply(tx, context, target, params)
    return tx.outcome(given)


async def deprovision_all(
    scope: AccountScope, user: str, *, dry_run: bool = False
) -> Outcome[tuple[ActionResult, ...]]:
    """Take every service away from a user; what is gone already is left alone."""
    return await change_wish(scope, user, "", RequestKind.DEPROVISION, dry_run=dry_run)


async def wish_for_domain(
    tx: Transaction,
    account: AccountRow,
    catalogue: Catalogue,
    subject: Subject,
    service_id: str,
    *,
    level_id: str | None = None,
    settings: Mapping[str, object] | None = None,
) -> ActionResult:
    """Have a bought domain name registered: its assignment, its request. Without a level the first one is taken."""
    service = catalogue.service(service_id)
    row = await find_or_make(tx, account, subject, service)
    level = service.level(level_id) if level_id is not None else service.levels[0]
    request = await enqueue(
        tx,
        row,
        RequestKind.PROVISION,
        wish=Wish.PRESENT,
        level_id=level.id,
        settings=service.validate_settings(level.id, settings or {}),
    )
    tx.record(
        PlanVerb.CREATED,
        "service",
        f"{subject.name} {service.name}",
        after={"level": level.id},
        action=AuditAction.PROVISION,
        of=service.id,
        request_id=request.id,
    )
    return ActionResult(row.id, service.id, level.id, row.backend_name, request.id)
