"""Which verbs can be scheduled, and how they are done when nobody looks on."""

from __future__ import annotations

from datetime import datetime

from mission_control_tui.model.catalogue.types import Catalogue
from mission_control_tui.model.errors import Conflict, UsageError
from mission_control_tui.model.services.subjects import Subject
from mission_control_tui.model.states import Priority
from mission_control_tui.model.store.transaction import Transaction
from mission_control_tui.model.users.actions.base import UserAction, action_context
from mission_control_tui.model.users.actions.params import ActionParams
from mission_control_tui.model.users.actions.registry import SCHEDULABLE

NOBODY_KNOWS = "Its password is a generated one that nobody knows: set another afterwards."


TAKING_AWAY = frozenset(word for word, action in SCHEDULABLE.items() if action.lost)
"""The verbs that take something away: they wait while the clock is doubted."""


def action_of(word: str) -> UserAction:
    """Return the verb of this name. Raises UsageError."""
    if word not in SCHEDULABLE:
        raise UsageError(
            f"{word!r} cannot be scheduled.", hint=f"One of: {', '.join(SCHEDULABLE)}."
        )
    return SCHEDULABLE[word]


def stored(word: str) -> UserAction:
    """Return the verb that was stored. Raises Conflict for one that only a later version has."""
    if word not in SCHEDULABLE:
        raise Conflict(f"This version has no action {word!r}.")
    return SCHEDULABLE[word]


def checked(catalogue: Catalogue, action: UserAction, params: ActionParams) -> ActionParams:
    """Return the params with the catalogue's ids. Raises UsageError and NotFound."""
    action.refuse_stray(params)
    return action.check(catalogue, params)


async def act(
    tx: Transaction,
    subject: Subject,
    action: UserAction,
    params: ActionParams,
    as_of: datetime | None = None,
) -> tuple[int, ...]:
    """Do it now to the locked subject, as it was stated then; returns the requests that it made."""
    tx.priority = Priority.BULK
    assert tx.account_id is not None  # noqa: S101 - schedules belong to an account
    context = await action_context(tx, tx.account_id, as_of)
    results = await action.apply_to(tx, context, subject, params)
    if any(result.password is not None for result in results):
        tx.warn(NOBODY_KNOWS)
    return tuple(result.request_id for result in results if result.request_id is not None)
