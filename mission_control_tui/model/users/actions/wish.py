"""Suspend, resume and deprovision: the wish for a service that a user, a domain or the account has."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, ClassVar

from mission_control_tui.model import command_words
from mission_control_tui.model.audit_actions import AuditAction
from mission_control_tui.model.catalogue.types import Catalogue, Service
from mission_control_tui.model.errors import UsageError
from mission_control_tui.model.plan import PlanVerb
from mission_control_tui.model.states import Light, RequestKind, Wish, Word
from mission_control_tui.model.text.instances import with_instance
from mission_control_tui.model.users.actions.base import (
    ActionContext,
    ActionResult,
    HasNoService,
    ServiceAction,
)
from mission_control_tui.model.users.actions.params import ActionParams

if TYPE_CHECKING:
    from mission_control_tui.model.services.subjects import Subject
    from mission_control_tui.model.store.tables.services import AssignmentRow
    from mission_control_tui.model.store.transaction import Transaction


class Suspend(ServiceAction):
    """Take the access to a service away, until it is resumed; its data and its seat stay."""

    verb = "suspend"
    place = 30
    label = "Suspend a service"
    lost = "Lost: the access to it, until resumed; data and seats stay."
    asked = "Suspend this service of"
    takes = frozenset({"service", "instance"})
    needs_service = True
    wish: ClassVar[Wish] = Wish.SUSPENDED
    turns: ClassVar[frozenset[Wish]] = frozenset({Wish.PRESENT})
    """The wishes that it changes; any other one stays as it is."""

    async def apply_to(
        self, tx: Transaction, context: ActionContext, subject: Subject, params: ActionParams
    ) -> tuple[ActionResult, ...]:
        from mission_control_tui.model.services.wishes import find

        service = context.catalogue.service(params.service)
        whose = subject.having(service)
        row = await find(tx, whose, service.id, params.instance)
        if row is None or (row.wish == Wish.ABSENT and self.wish is not Wish.ABSENT):
            raise HasNoService(subject, service, params.instance)
        return (await self.turn(tx, whose, service, row, at_once=params.at_once),)

    async def turn(
        self,
        tx: Transaction,
        subject: Subject,
        service: Service,
        row: AssignmentRow,
        *,
        said: bool = True,
        at_once: bool = False,
    ) -> ActionResult:
        """Turn one wish to present, suspended or absent, unless it is so already.

        Where it is not `said`, it follows from another command, such as a removal. With `at_once` what is or would be
        kept for a while is removed now.

        What is red, was not checked or has drifted is asked for again.
        """
        from mission_control_tui.model.groups.members import leave
        from mission_control_tui.model.services.dependents import refuse_needed
        from mission_control_tui.model.services.leftovers import awaited, fate_of_left
        from mission_control_tui.model.services.retention import kept_date
        from mission_control_tui.model.services.wishes import enqueue

        name = f"{subject.name} {with_instance(service.name, row.instance)}"
        settled = row.light != Light.RED and row.word != Word.NOT_CHECKED and not row.drift
        settled = settled and not (at_once and row.kept_until)
        if settled and (row.wish == self.wish or row.wish not in self.turns):
            tx.record(PlanVerb.UNCHANGED, "service", name)
            return ActionResult(
                *(row.id, service.id, row.level_id, row.backend_name, None),
                connector=row.connector,
            )
        before = {"wish": str(row.wish)}
        if self.wish is Wish.ABSENT:
            before["level"] = row.level_id
            await refuse_needed(tx, subject, service)
        waits = await awaited(tx, row)
        request = await enqueue(
            tx,
            row,
            RequestKind(self.verb),
            wish=self.wish,
            depends_on=waits,
            at_once=at_once,
        )
        left = await fate_of_left(tx, row, name, waits) if self.wish is Wish.ABSENT else {}
        if self.wish is Wish.ABSENT and subject.user is not None:
            await leave(tx, user=subject.user, lost=service.id)
        if said:
            words = command_words.turn(self.verb, subject.words, service.id, row.instance)
            tx.command(*words, *(("--now",) if at_once else ()))
        tx.record(
            PlanVerb.REMOVED if self.wish is Wish.ABSENT else PlanVerb.CHANGED,
            "service",
            name,
            before=before,
            after={
                "wish": str(self.wish),
                **({"kept_until": kept_date(row.kept_until)} if row.kept_until else {}),
                **left,
            },
            action=AuditAction(self.verb),
            of=service.id,
            user_id=subject.user_id,
            request_id=request.id,
            assignment_id=row.id,
        )
        return ActionResult(
            *(row.id, service.id, row.level_id, row.backend_name, request.id),
            connector=row.connector,
        )


class Resume(Suspend):
    """Give the access to a suspended service back."""

    verb = "resume"
    place = 40
    label = "Resume a service"
    lost = asked = ""
    wish = Wish.PRESENT
    turns = frozenset({Wish.SUSPENDED})


class Deprovision(Suspend):
    """Take a service away with its data, or all of them."""

    verb = "deprovision"
    place = 70
    label = "Deprovision services"
    lost = "Lost: the services with all their data. The seats become free."
    asked = "Take services away from"
    takes = frozenset({"service", "instance", "at_once"})
    needs_service = False
    wish = Wish.ABSENT
    turns = frozenset({Wish.PRESENT, Wish.SUSPENDED})

    def lost_of(self, services: Collection[Service]) -> str:
        kept = {service.retention_days for service in services}
        if not any(kept):
            return self.lost
        if 0 not in kept:
            return (
                "Lost: the access at once, the data when its time is over. The seats become free."
            )
        return "Lost: the access at once, and the data but of what is kept for days. The seats become free."

    def check(self, catalogue: Catalogue, params: ActionParams) -> ActionParams:
        if params.instance and not params.service:
            raise UsageError("An instance belongs to a service: name the service too.")
        return super().check(catalogue, params)

    async def apply_to(
        self, tx: Transaction, context: ActionContext, subject: Subject, params: ActionParams
    ) -> tuple[ActionResult, ...]:
        from sqlalchemy import select

        from mission_control_tui.model.services.subjects import subject_of
        from mission_control_tui.model.store.tables.services import AssignmentRow

        if params.service:
            return await super().apply_to(tx, context, subject, params)
        rows = await tx.session.scalars(
            select(AssignmentRow)
            .where(
                AssignmentRow.user_id == subject.user_id
                if subject.user is not None
                else (AssignmentRow.subject_kind == subject.kind)
                & (AssignmentRow.subject_id == subject.id)
            )
            .order_by(AssignmentRow.id)
            .with_for_update()
        )
        results = []
        # Locked in the order of everybody, told in that of the services.
        for row in sorted(rows, key=lambda row: (row.service_id, row.instance)):
            service = context.catalogue.service(row.service_id)
            whose = await subject_of(tx, context.owner, row)
            results.append(await self.turn(tx, whose, service, row, at_once=params.at_once))
        return tuple(results)
