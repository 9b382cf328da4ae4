"""What can be done with a bought domain: renew it for a term, let it renew itself or not."""

from __future__ import annotations

from collections.abc import Sequence

from mission_control_tui.model.accounts.domain_overview import AccountDomain, DomainState
from mission_control_tui.model.catalogue.prices import term_words
from mission_control_tui.model.orders.renewing import (
    RenewalOffer,
    offers,
    renew,
    set_auto_renew,
)
from mission_control_tui.model.states import OrderState, SubjectKind
from mission_control_tui.screens.base.mission_screen import MissionScreen
from mission_control_tui.screens.orders.order_once import order_once
from mission_control_tui.widgets.rows import Column, HeldRows, Row


class DomainChoices(HeldRows):
    """Terms to renew a domain for, with what each costs; in place of the screen's body."""

    title = "Domain"
    help_text = (
        "Enter chooses a term, which is asked about once more, or whether the domain renews itself."
    )

    def __init__(self, about: str, rows: Sequence[Row]) -> None:
        super().__init__(columns=(Column(about), Column(width=16, right=True)))
        self._rows = rows


def choices(domain: AccountDomain, terms: Sequence[RenewalOffer]) -> list[Row]:
    """Return one row a term, then the switch."""
    rows = [
        Row(
            offer.months,
            (f"Renew for {term_words(offer.months)}, until {offer.ends_on}", offer.total.format()),
            offer,
        )
        for offer in terms
    ]
    switch = "Do not renew by itself" if domain.auto_renew else "Renew by itself, a week before"
    panel = Row("services", ("Its services: light, settings, what differs", ""), domain)
    return [*rows, Row("auto", (switch, ""), not domain.auto_renew), panel]


def open_domain(screen: MissionScreen, domain: AccountDomain) -> None:
    """Go to the order that a domain waits for, or to its services; offer first to renew it where that can be."""
    if domain.order_id:
        screen.go_to("order", domain.order_id)
        return
    if domain.bought and domain.state not in (DomainState.REGISTERING, DomainState.FAILED):
        screen.do(_ask_about(screen, domain))
        return
    _open_services(screen, domain)


def _open_services(screen: MissionScreen, domain: AccountDomain) -> None:
    screen.go_to("provision", "", None, SubjectKind.DOMAIN.value, domain.name)


async def _ask_about(screen: MissionScreen, domain: AccountDomain) -> None:
    """Offer what can be done with a bought domain, and do it."""
    scope = screen.context.scope
    terms = await offers(scope, domain.name)
    if not screen.is_here:
        return

    async def place(months: int) -> None:
        outcome = await order_once(screen.context, renew, domain.name, term=months)
        order = outcome.result
        waits = order.state is OrderState.AWAITING_APPROVAL
        placed = "is placed" if outcome.plan.changes_anything else "was placed already"
        what = "waits for approval" if waits else placed
        screen.announce(f"Order {order.id} {what}: {order.lines[0].label}")
        screen.reload()

    async def switch(on: bool) -> None:
        await set_auto_renew(scope, domain.name, on)
        await screen.queue_changed()
        screen.announce(f"{domain.name} {'renews' if on else 'does not renew'} itself")
        screen.reload()

    def chosen(row: Row) -> None:
        if isinstance(offer := row.data, RenewalOffer):
            lines = [
                f"{screen.context.account.name}: renew {domain.name} for {term_words(offer.months)}?",
                f"Its term then ends on {offer.ends_on}. Money: {offer.total} with tax.",
            ]
            screen.prompts.confirm(lines, lambda: place(offer.months), yes="Renew")
        elif isinstance(row.data, bool):
            screen.do(switch(row.data))
        elif isinstance(row.data, AccountDomain):
            _open_services(screen, row.data)

    said = f"{domain.name}: {domain.state}, its term ends on {domain.ends_on}"
    screen.prompts.choose(DomainChoices(said, choices(domain, terms)), chosen)
