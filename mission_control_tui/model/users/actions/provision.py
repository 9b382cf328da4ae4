"""Provision a service, or change the level or settings of one that is there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mission_control_tui.model.catalogue.types import Catalogue, PasswordUse
from mission_control_tui.model.errors import UsageError
from mission_control_tui.model.states import Wish
from mission_control_tui.model.users.actions.base import (
    ActionContext,
    ActionResult,
    HasNoService,
    ServiceAction,
)
from mission_control_tui.model.users.actions.params import ActionParams

if TYPE_CHECKING:
    from mission_control_tui.model.services.subjects import Subject
    from mission_control_tui.model.store.transaction import Transaction


class Provision(ServiceAction):
    """Give a service to the user, or change the one that the user has."""

    verb = "provision"
    place = 10
    label = "Provision a service"
    asked = "Give this service to"
    asked_on_loss = True
    takes = frozenset({"service", "level", "settings", "instance", "on"})
    takes_in_bulk = frozenset({"include_disabled"})
    needs_service = True

    def reveals(self, catalogue: Catalogue, params: ActionParams) -> bool:
        return catalogue.service(params.service).password is PasswordUse.OWN

    async def apply_to(
        self, tx: Transaction, context: ActionContext, subject: Subject, params: ActionParams
    ) -> tuple[ActionResult, ...]:
        from mission_control_tui.model.users.giving import provision_in

        return (await provision_in(tx, context, subject, params),)


class Change(Provision):
    """Change the level or the settings of a service that the user has."""

    verb = "change"
    place = 20
    label = "Change level or settings"
    asked = "Change this service of"
    takes = Provision.takes - {"on"}
    takes_in_bulk = frozenset()
    keeps_level = True
    schedulable = False

    def check(self, catalogue: Catalogue, params: ActionParams) -> ActionParams:
        checked = super().check(catalogue, params)
        if checked.level is None and not checked.settings:
            raise UsageError("A change needs a level or settings.")
        return checked

    async def apply_to(
        self, tx: Transaction, context: ActionContext, subject: Subject, params: ActionParams
    ) -> tuple[ActionResult, ...]:
        from mission_control_tui.model.services.wishes import find

        service = context.catalogue.service(params.service)
        row = await find(tx, subject.having(service), service.id, params.instance)
        if row is None or row.wish == Wish.ABSENT:
            raise HasNoService(subject, service, params.instance)
        return await super().apply_to(tx, context, subject, params)
