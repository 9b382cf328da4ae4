"""One service moved to another of the connectors that serve it, in a transaction: what it needs, loses and leaves."""

from __future__ import annotations

from mission_control_tui.model import command_words
from mission_control_tui.model.audit_actions import AuditAction
from mission_control_tui.model.catalogue.types import PasswordUse, Service
from mission_control_tui.model.errors import Conflict, UsageError
from mission_control_tui.model.plan import PlanVerb
from mission_control_tui.model.services.moves import Moved, relocate, sets_password
from mission_control_tui.model.services.placing import is_taken, place, placement_of
from mission_control_tui.model.services.retention import kept_date
from mission_control_tui.model.services.subjects import Subject
from mission_control_tui.model.services.users_password import PasswordNotKept
from mission_control_tui.model.services.wishes import find, requirements
from mission_control_tui.model.states import Wish
from mission_control_tui.model.store.tables.services import AssignmentRow
from mission_control_tui.model.store.transaction import Transaction
from mission_control_tui.model.text.instances import with_instance
from mission_control_tui.model.users.actions.base import (
    ActionContext,
    ActionResult,
    HasNoService,
)
from mission_control_tui.model.users.actions.params import ActionParams
from mission_control_tui.model.users.giving import password_for
from mission_control_tui.model.users.passwords import set_in
from mission_control_tui.model.views import RevealedPassword


async def move_in(
    tx: Transaction, context: ActionContext, subject: Subject, wanted: ActionParams
) -> ActionResult:
    """Move one service of the locked subject to the connector that it is wanted on.

    What is in it does not come along, which the plan says as lost. Raises HasNoService, UsageError for a connector that
    does not serve it, Conflict while a worker is at it, and PasswordNotKept where a new one was not asked for.
    """
    account, catalogue = context.owner, context.catalogue
    service = catalogue.service(wanted.service)
    subject = subject.having(service)
    row = await find(tx, subject, service.id, wanted.instance)
    if row is None or row.wish == Wish.ABSENT or row.marked:
        raise HasNoService(subject, service, wanted.instance)
    placement = placement_of(tx, account, service.id)
    if placement is None:
        raise UsageError(
            f"{service.name} is served by connector {row.connector} alone: there is nowhere to move it.",
            hint=f"[placement.{service.id}] in the settings names several; see `mission-control docs connectors`.",
        )
    before = row.connector
    name = f"{subject.name} {with_instance(service.name, wanted.instance)}"
    if before == wanted.on:
        tx.record(PlanVerb.UNCHANGED, "service", name)
        return ActionResult(
            *(row.id, service.id, row.level_id, row.backend_name, None), connector=before
        )
    await place(tx, account, service, wanted.on)
    await _refuse_taken(tx, row, service, wanted.on)
    reset: str | None = None
    waits = await requirements(tx, account, catalogue, subject, service)
    if wanted.new_password and service.password is PasswordUse.USER and subject.user is not None:
        reset = (await set_in(tx, subject.user, account, None, None)).password
        await tx.session.refresh(row)
    moved = await relocate(
        tx, row, placement, wanted.on, name, depends_on=waits, at_once=wanted.at_once
    )
    row.password_delivered = row.password_delivered and not await sets_password(tx, moved)
    try:
        password = await password_for(tx, catalogue, subject.user, service, row)
    except PasswordNotKept as error:
        error.hint = error.hint.replace(
            "Reset the password, then provision again.",
            "With --reset-password the user gets a new one, everywhere.",
        )
        raise
    _say_what_is_lost(tx, subject, service, before, moved)
    tx.command(
        *command_words.move(
            subject.words,
            service.id,
            wanted.on,
            instance=wanted.instance,
            at_once=wanted.at_once,
            reset=reset is not None,
            new_password=password is not None,
        )
    )
    tx.record(
        PlanVerb.CHANGED,
        "service",
        name,
        before={"connector": before},
        after={
            "connector": wanted.on,
            **{f"left at {each}": _until(until) for each, until in moved.left.items()},
        },
        action=AuditAction.MOVE,
        of=service.id,
        user_id=subject.user_id,
        request_id=moved.request.id,
        assignment_id=row.id,
    )
    if password is not None:
        named_by = (service.id, row.instance, row.backend_name)
        tx.revealed.append(RevealedPassword(subject.name, password, *named_by))
    return ActionResult(
        *(row.id, service.id, row.level_id, row.backend_name, moved.request.id),
        password=password or reset,
        connector=wanted.on,
    )


async def _refuse_taken(tx: Transaction, row: AssignmentRow, service: Service, to: str) -> None:
    """Raise Conflict where another subject has the name at a back end that this goes to."""
    if await is_taken(tx, (to,), service, row.backend_name, but=row, marked=row.id):
        raise Conflict(
            f"{row.backend_name} is another subject's {service.name} at connector {to}.",
            hint="Names there do not change: move it to another one.",
        )


def _until(until: float) -> str:
    return f"suspended, removed on {kept_date(until)}" if until else "removed once it is there"


def _say_what_is_lost(
    tx: Transaction, subject: Subject, service: Service, before: str, moved: Moved
) -> None:
    whose = f"{subject.name}: what is in {service.name}"
    if moved.fresh and moved.left:
        left = ", ".join(f"{each} ({_until(until)})" for each, until in moved.left.items())
        tx.lost.append(f"{whose} is not carried along, and stays at {left}")
    for each in sorted(moved.returns):
        tx.warn(
            f"{subject.name} gets back what {service.name} had at {each}, with the password of that time; "
            f"what was added at {before} since does not come along."
        )
