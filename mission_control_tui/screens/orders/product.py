"""One product: what it costs, how much of it the account has, BUY, and removing it again."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable
from functools import partial
from typing import Any, TypeAlias

from textual.widget import Widget

from mission_control_tui.model.accounts import overview
from mission_control_tui.model.accounts.overview import AccountDetails
from mission_control_tui.model.catalogue.prices import tax_label
from mission_control_tui.model.catalogue.types import Product, ProductLevel, PurchaseKind
from mission_control_tui.model.domains.names import shown
from mission_control_tui.model.domains.ownership import DomainView, remove_domain
from mission_control_tui.model.errors import Conflict, MissionControlError
from mission_control_tui.model.money import Money
from mission_control_tui.model.orders.removing import remove
from mission_control_tui.model.orders.subscriptions import list_subscriptions
from mission_control_tui.model.plan import Outcome
from mission_control_tui.model.states import SubjectKind
from mission_control_tui.model.text.counting import counted
from mission_control_tui.model.text.limits import DIGITS
from mission_control_tui.screens.base.mission_screen import MissionScreen
from mission_control_tui.screens.orders.order_once import order_once
from mission_control_tui.widgets.action_button import ActionButton
from mission_control_tui.widgets.field import Field
from mission_control_tui.widgets.fold import Fold
from mission_control_tui.widgets.level_picker import LevelChoice, LevelPicker, PriceList
from mission_control_tui.widgets.light import light_parts
from mission_control_tui.widgets.quadrant import Quadrant
from mission_control_tui.widgets.rows import Cell, Column, CursorLines, HeldRows, Row
from mission_control_tui.widgets.seat_bar import SeatCounts
from mission_control_tui.widgets.text_lines import TextLines

CHOOSE = "choose a level above"
NONE_BOUGHT = "none was bought"

Removal: TypeAlias = "Callable[..., Coroutine[Any, Any, Outcome[Any]]]"
"""A removal that is tried with `dry_run=True` before it is done."""


class DomainActions(HeldRows):
    """What can be done with a domain of the account; in place of the screen's body."""

    title = "Domain"
    help_text = "Enter shows its services, or removes it, which is asked about once more."

    def __init__(self, name: str) -> None:
        super().__init__(columns=(Column(shown(name)),))
        self._rows = [
            Row("services", ("Its services: light, settings, what differs",)),
            Row("remove", ("Remove it",)),
        ]


class ProductScreen(MissionScreen):
    """Where one product is bought and removed."""

    CSS_PATH = "product.tcss"
    NAME = "product"
    MEMORY_NAME = "ProductScreen"
    HEADING = "Buy"
    ABOUT = (
        "What this product costs and how much of it the account has. Choose a level with Space or Enter, then press "
        "the BUY button (or b). What was bought is given to users in the Service Management Area. Removing is refused "
        "while users hold what would be removed."
    )
    VERBS = ("buy",)

    def __init__(self, product_id: str) -> None:
        super().__init__()
        self._product_id = product_id
        self.subject = f":{product_id}"

    @property
    def product(self) -> Product:
        return self.context.catalogue.product(self._product_id)

    def body(self) -> Iterable[Widget]:
        catalogue = self.context.catalogue
        product = self.product
        prices = "Example prices" if catalogue.prices_are_examples else "Prices"
        yield TextLines(product.name, "title")
        yield TextLines(
            f"{product.description} {prices} in {catalogue.currency}, without {tax_label(catalogue)}.",
            "dim",
            id="about",
        )
        if product.buys is PurchaseKind.DOMAIN:
            yield from self._domain_body()
        else:
            yield from self._level_body()
        yield TextLines("", "error", id="problem")

    def _domain_body(self) -> Iterable[Widget]:
        yield TextLines(extension_prices(self.context.catalogue.money, self.product), id="prices")
        yield ActionButton(self.product.buy_label, verb="buy", id="buy")
        yield Quadrant(
            "Your domain names",
            columns=(Column(), Column(width=34)),
            empty="none yet",
            id="domains",
        )

    def _level_body(self) -> Iterable[Widget]:
        product = self.product
        choices = level_choices(self.context.catalogue.money, product, None)
        yield PriceList(choices, price=term_words(min(product.terms)), id="levels")
        yield TextLines("", "dim", id="level-about")
        reason = CHOOSE if product.level_first else ""
        yield ActionButton(product.buy_label, reason=reason, verb="buy", id="buy")
        yield Fold("Remove", self._removal, id="removal")

    def _removal(self) -> list[Widget]:
        why_not, run = self._why_not_removed(self._picked()), self._ask_to_remove_seats
        return [
            Field(
                "How many",
                max_length=DIGITS,
                id="removed",
                help_text="Free seats alone can be removed.",
            ),
            ActionButton("Remove", reason=why_not, run=run, id="remove"),
        ]

    # Data

    def on_mount(self) -> None:
        self.frame.top.title = self.product.name
        self._details: AccountDetails | None = None
        self._bought: set[str] | None = None
        self._describe()

    async def load(self) -> None:
        context = self.context
        self._details = await overview.show(context.scope)
        if self.product.buys is PurchaseKind.DOMAIN:
            rows = [domain_row(domain) for domain in self._details.domains]
            note = "Enter shows its services, or removes it" if rows else ""
            self.query_one("#domains", Quadrant).set_rows(rows, note=note)
        else:
            had = await list_subscriptions(context.scope)
            self._bought = {held.level_id for held in had if held.product_id == self._product_id}
            self.query_one("#levels", PriceList).set_levels(
                level_choices(context.catalogue.money, self.product, self._details)
            )
            self._describe()

    def _picked(self) -> ProductLevel | None:
        """Return the chosen level, else the one under the cursor."""
        picker = self.query_one("#levels", PriceList)
        under = picker.under_cursor
        level_id = picker.chosen or (under.id if under else None)
        return self.product.level(level_id) if level_id else None

    def _describe(self) -> None:
        """Say what the level under the cursor is, let BUY go where one is chosen."""
        if self.product.buys is PurchaseKind.DOMAIN:
            return
        picker = self.query_one("#levels", PriceList)
        under = picker.under_cursor
        about = self.product.level(under.id).description if under else ""
        self.query_one("#level-about", TextLines).set(about)
        button = self.query_one("#buy", ActionButton)
        button.reason = CHOOSE if self.product.level_first and picker.chosen is None else ""
        self._offer_removal(self._picked())

    def _offer_removal(self, level: ProductLevel | None) -> None:
        """Offer to remove what was bought of the level; nothing at all where none of the product was."""
        fold = self.query_one("#removal", Fold)
        why_not = self._why_not_removed(level)
        fold.note = ": ".join(filter(None, (full_name(level) if level else "", why_not)))
        for button in fold.query("#remove").results(ActionButton):
            button.reason = why_not
        offered = self._bought is None or bool(self._bought)
        if fold.display and not offered and fold.has_focus_within:
            self.query_one("#levels", PriceList).focus()
        fold.display = offered

    def _why_not_removed(self, level: ProductLevel | None) -> str:
        known = self._bought is None or level is None or level.id in self._bought
        return "" if known else NONE_BOUGHT

    def recall(self, memory: dict[str, object]) -> None:
        self.call_after_refresh(self._describe)

    def on_cursor_lines_moved(self, event: CursorLines.Moved) -> None:
        if event.rows.id == "levels":
            self._describe()

    def on_level_picker_chosen(self, event: LevelPicker.Chosen) -> None:
        self._describe()
        self.query_one("#buy", ActionButton).focus()

    # Buying

    def on_action_button_refused(self, event: ActionButton.Refused) -> None:
        if event.button.id == "buy":
            self._say_choose()
        else:
            self.query_one("#levels", PriceList).focus()
            self.answer("Choose a level that was bought: Space or Enter on it", error=True)

    def _say_choose(self) -> None:
        self.query_one("#levels", PriceList).focus()
        self.answer("Choose a level first: Space or Enter on it", error=True)

    def verb_buy(self) -> None:
        product = self.product
        if product.buys is PurchaseKind.DOMAIN:
            self.go_to("buy", product.id)
            return
        chosen = self.query_one("#levels", PriceList).chosen
        if product.level_first and chosen is None:
            self._say_choose()
        else:
            self.go_to("buy", product.id, chosen)

    # Removing

    def on_cursor_lines_opened(self, event: CursorLines.Opened) -> None:
        if event.rows.id == "domains":
            name = str(event.row.key)
            self.prompts.choose(DomainActions(name), partial(self._chosen, name))

    def _chosen(self, name: str, row: Row) -> None:
        """Do what was chosen for a domain."""
        if row.key == "services":
            self.go_to("provision", "", None, SubjectKind.DOMAIN.value, name)
        else:
            self.do(self._ask_to_remove_domain(name))

    async def _ask_to_remove_seats(self) -> None:
        level = self._picked()
        field = self.query_one("#removed", Field)
        if level is None:
            raise Conflict("Choose the level to remove first.")
        if not field.value.strip().isdecimal() or int(field.value) < 1:
            field.error = "give a number, at least 1"
            field.focus()
            return
        field.error = ""
        count = int(field.value)
        work = self._removal_of(level=level.id, quantity=count)
        await self._ask(f"{count} x {full_name(level)}", work, "Nothing is paid back.")

    async def _ask_to_remove_domain(self, name: str) -> None:
        details = self._details
        bought = details is not None and any(d.name == name and d.bought for d in details.domains)
        if bought:
            await self._ask(name, self._removal_of(domain=name), "Nothing is paid back.")
        else:
            forget = partial(remove_domain, self.context.scope, name)
            await self._ask(name, forget, "It is registered elsewhere and stays so.")

    def _removal_of(self, **what: Any) -> Removal:
        return partial(order_once, self.context, remove, self._product_id, **what)

    async def _ask(self, what: str, work: Removal, loss: str) -> None:
        """Try it, name whoever is in the way, and ask."""
        problem = self.query_one("#problem", TextLines)
        try:
            plan = (await work(dry_run=True)).plan
        except MissionControlError as error:
            problem.set(str(error))
            return
        problem.set("")
        seats = [
            f"Owned {line.owned_before}, then {line.owned_after}; free {line.free_after}."
            for line in plan.seats
        ]

        async def remove_it() -> None:
            await work(dry_run=False)
            await self.done(f"Removed {what}")

        question = f"{self.context.account.name}: remove {what} ({self.product.name})?"
        lost = [f"Lost: {'; '.join(plan.lost)}."] if plan.lost else []
        lines = [question, *lost, *seats, *plan.warnings, loss]
        self.prompts.confirm(lines, remove_it, yes="Remove")


def domain_row(domain: DomainView) -> Row:
    """Return a domain and the state of its registration."""
    state: Cell = (domain.word, "dim")
    if domain.light:
        state = light_parts(domain.light, domain.word, domain.step)
    return Row(domain.name, (shown(domain.name), state))


def full_name(level: ProductLevel) -> str:
    """Return a level with its group, as in "PostgreSQL Small"."""
    return f"{level.group} {level.name}" if level.group else level.name


def term_words(months: int) -> str:
    """Return a term for people, as in "a month", "2 years"."""
    if months % 12 == 0:
        return "a year" if months == 12 else counted(months // 12, "year")
    return "a month" if months == 1 else f"{months} months"


def extension_prices(money: Callable[[int], Money], product: Product) -> str:
    """Return every ending that is sold, with its price for the shortest term."""
    months = min(product.terms)
    prices = [
        f"{extension.name} {money(extension.prices[months]).format(code=False)}"
        for extension in product.extensions
        if not extension.withdrawn
    ]
    return f"{term_words(months).capitalize()}: " + ", ".join(prices)


def level_choices(
    money: Callable[[int], Money], product: Product, details: AccountDetails | None
) -> list[LevelChoice]:
    """Return the levels on sale, and withdrawn ones that the account has, with prices for the shortest term."""
    months = min(product.terms)
    pools = {(seat.service_id, seat.level_id): seat for seat in details.seats} if details else {}
    choices = []
    for level in product.levels:
        pool = pools.get((level.grants_service, level.grants_level))
        if level.withdrawn and not pool:
            continue
        seats = SeatCounts(pool.owned, pool.used, pool.queued) if pool else SeatCounts(0, 0)
        price = money(level.prices[months]).format(code=False) if months in level.prices else ""
        note = "no longer" if level.withdrawn else price
        choices.append(LevelChoice(level.id, full_name(level), seats, note))
    return choices
