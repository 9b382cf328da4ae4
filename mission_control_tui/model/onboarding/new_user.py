"""A new user with services, in one transaction: both, or neither where a seat is missing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from mission_control_tui.model.onboarding.template_content import TemplateService, in_order
from mission_control_tui.model.people.fields import UserDetails
from mission_control_tui.model.plan import Outcome
from mission_control_tui.model.services.subjects import user_subject
from mission_control_tui.model.store.lookups import user_row
from mission_control_tui.model.store.retry import retries_on_conflict
from mission_control_tui.model.store.scope import AccountScope
from mission_control_tui.model.users.actions.base import ActionResult, action_context
from mission_control_tui.model.users.creation import create_in
from mission_control_tui.model.users.giving import provision_in
from mission_control_tui.model.views import UserView


@dataclass(frozen=True, slots=True)
class NewUserResult:
    """A new user and what was asked for, `given` for each of `services`.

    `password` was generated, revealed here and never again.
    """

    user: UserView
    services: tuple[TemplateService, ...]
    given: tuple[ActionResult, ...]
    password: str | None = field(default=None, repr=False)


@retries_on_conflict
async def create_with(
    scope: AccountScope,
    details: UserDetails,
    password: str | None = None,
    services: Sequence[TemplateService] = (),
    *,
    generate: bool = False,
    dry_run: bool = False,
) -> Outcome[NewUserResult]:
    """Create a user and give these services, in one transaction; the plan has the seats.

    Raises what `create_user` and `provision` raise: then nothing was changed.
    """
    async with scope.change(dry_run=dry_run) as (tx, account_id):
        context = await action_context(tx, account_id)
        created = await create_in(tx, context.owner, details, password, generate=generate)
        user = await user_row(tx.session, account_id, created.user.id, lock=True)
        subject = user_subject(user)
        ordered = in_order(context.catalogue, services)
        given = tuple(
            [await provision_in(tx, context, subject, service.wanted()) for service in ordered]
        )
    return tx.outcome(NewUserResult(created.user, ordered, given, created.password))
