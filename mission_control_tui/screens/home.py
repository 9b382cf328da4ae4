"""Home: services, users, the account and what happens, in four quadrants."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from textual import events
from textual.containers import Grid
from textual.widget import Widget

from mission_control_tui.model.catalogue.lookup import name_of
from mission_control_tui.model.states import Light, RequestState, Word
from mission_control_tui.model.text.counting import counted
from mission_control_tui.screens.base.mission_screen import UNKNOWN, MissionScreen, number
from mission_control_tui.screens.services.light_places import light_place
from mission_control_tui.widgets.cells import age, width_of
from mission_control_tui.widgets.light import GLYPHS, light_parts
from mission_control_tui.widgets.lines import Part
from mission_control_tui.widgets.quadrant import Quadrant
from mission_control_tui.widgets.rows import Cell, Column, CursorLines, Row, cell_parts

if TYPE_CHECKING:
    from mission_control_tui.model.accounts.overview import AccountDetails
    from mission_control_tui.model.catalogue.types import Catalogue, Product
    from mission_control_tui.model.views import AssignmentView, LightCounts, RequestView


SHOWN = 50
STEPS = "A new account: buy a service, create a user, then give the user the service"
AGES_EVERY = 60.0
NUMBERS = (Column(), Column(width=12, right=True))

_BESIDE = {"services": "users", "users": "services", "account": "activity", "activity": "account"}
_BELOW = {"services": "account", "users": "activity"}
_ABOVE = {below: above for above, below in _BELOW.items()}

_WORDS = {
    RequestState.WAITING: Word.WAITING,
    RequestState.QUEUED: Word.QUEUED,
    RequestState.RUNNING: Word.PROVISIONING,
}
_ENDED = {
    RequestState.SUCCEEDED: "done",
    RequestState.FAILED: "failed",
    RequestState.CANCELLED: "cancelled",
    RequestState.SUPERSEDED: "replaced",
}


@dataclass(frozen=True, slots=True)
class RowTarget:
    """Where a row leads: a screen with its arguments, or only something to say."""

    screen: str = ""
    arguments: tuple[object, ...] = ()
    says: str = ""


class HomeScreen(MissionScreen):
    """The first screen."""

    CSS_PATH = "home.tcss"
    NAME = "home"
    MEMORY_NAME = "HomeScreen"
    HEADING = "Home"
    ABOUT = (
        "Services is what the account can buy: open one to buy it. Users is where users are made and given services: "
        "New User makes one, All Users finds one, the Service Management Area has both. Account and Activity show what "
        "there is and what happens. Tab and the arrows go from one quadrant to the next; g goes to any screen."
    )
    VERBS = ("new", "buy", "find")
    NEED_STORE = ()

    def __init__(self) -> None:
        super().__init__()
        self._details: AccountDetails | None = None
        self._begins = False
        self._red: Sequence[AssignmentView] = ()
        self._active: Sequence[RequestView] = ()
        self._recent: Sequence[RequestView] = ()
        self._quadrants = {
            "services": Quadrant("Services", columns=NUMBERS, id="services"),
            "users": Quadrant("Users", columns=NUMBERS, id="users"),
            "account": Quadrant("Account", columns=(Column(width=10), Column()), id="account"),
            "activity": Quadrant(
                "Activity",
                columns=(Column(), Column(width=7, right=True)),
                empty="Nothing has happened yet",
                id="activity",
            ),
        }
        self._quadrants["users"].set_rows(user_rows(None, None, None))
        self._quadrants["account"].set_rows(account_rows(None))

    def body(self) -> Iterable[Widget]:
        with Grid():
            yield from self._quadrants.values()

    def on_mount(self) -> None:
        self._begins = not self.console.memory.get(self.memory_key)
        self.set_interval(AGES_EVERY, self._show_ages)

    # Data

    async def load(self) -> None:
        from mission_control_tui.model.accounts.front_page import front_page

        context = self.context
        page = await front_page(context.scope, SHOWN)
        self._red, self._active, self._recent = page.red, page.active, page.ended
        self._details = details = page.details
        catalogue = context.catalogue
        examples = "example prices" if catalogue.prices_are_examples else ""
        services = self._quadrants["services"]
        rows = service_rows(catalogue, details)
        services.columns = _wide_enough(rows)
        services.set_rows(rows, note=examples)
        if self._begins:
            self._begins = False
            self._point_at_next(catalogue, details)
        self._quadrants["users"].set_rows(user_rows(details.users, details.objects, details.lights))
        self._quadrants["account"].set_rows(account_rows(details))
        self._show_activity()

    def _point_at_next(self, catalogue: Catalogue, details: AccountDetails) -> None:
        """Put the cursor on the product that a new account buys first, the first time that Home is shown."""
        services = self._quadrants["services"]
        step = next_step(catalogue, details)
        if step is None or services.cursor:
            return
        for index in range(services.count):
            if (row := services.row_at(index)) is not None and row.data == step.data:
                services.move_to(index)

    def _show_ages(self) -> None:
        if self._red or self._active:
            self._show_activity()

    def _show_activity(self) -> None:
        if self._details is None:
            return
        context = self.context
        catalogue = context.catalogue
        rows: list[Row] = []
        if step := next_step(catalogue, self._details):
            rows.append(step)
            if not self.announced:
                self.announce(STEPS)
        if self._active and context.no_worker:
            target = RowTarget(says=f"{context.no_worker[:1].upper()}{context.no_worker[1:]}")
            cells = (("No worker runs: Enter says more", "error"), "")
            rows.append(Row("worker", cells, target))
        now = datetime.now(UTC)
        rows += doubt_rows(self._details)
        rows += failed_rows(self._details, now)
        rows += expiring_rows(self._details)
        lit = [_red_row(view, now) for view in self._red]
        lit += [row for request in self._active if (row := _active_row(catalogue, request, now))]
        lit.sort(key=lambda pair: pair[0], reverse=True)
        rows += [row for _since, row in lit]
        rows += waiting_rows(self._details)
        hidden = max(self._details.lights.red - len(self._red), 0)
        red = {view.id for view in self._red}
        rows += [
            past
            for request in self._recent
            if request.assignment_id not in red and (past := _recent_row(catalogue, request, now))
        ]
        activity = self._quadrants["activity"]
        activity.set_rows(rows, more=hidden)
        if self.focused is not activity:
            activity.move_to(0)  # what is newest is above: nobody scrolls there who is elsewhere

    # Verbs

    @property
    def unhinted(self) -> frozenset[str]:
        first = len(self.app.screen_stack) == 1 and self.prompts.is_clear
        return frozenset({"back"} if first else ())

    def on_cursor_lines_opened(self, event: CursorLines.Opened) -> None:
        target = event.row.data
        if event.rows.id not in self._quadrants or not isinstance(target, RowTarget):
            return
        if target.screen == "next-red":
            self.action_verb("next_red")
        elif target.screen:
            self.go_to(target.screen, *target.arguments)
        elif target.says:
            self.answer(target.says)

    def verb_new(self) -> None:
        self.go_to("new-user")

    def verb_buy(self) -> None:
        services = self._quadrants["services"]
        row = services.current
        if services.has_focus and row is not None and isinstance(row.data, RowTarget):
            self.go_to(row.data.screen, *row.data.arguments)
        else:
            services.focus()
            self.answer("Choose what to buy and press Enter")

    # From quadrant to quadrant

    def on_key(self, event: events.Key) -> None:
        place = self.focused.id if isinstance(self.focused, Quadrant) else None
        if place in _BESIDE and event.key in ("left", "right"):
            event.stop()
            self._quadrants[_BESIDE[place]].focus()

    def on_cursor_lines_edge(self, event: CursorLines.Edge) -> None:
        places = _BELOW if event.direction > 0 else _ABOVE
        if event.rows.id in places:
            event.stop()
            quadrant = self._quadrants[places[event.rows.id]]
            quadrant.move_to(0 if event.direction > 0 else quadrant.count - 1)
            quadrant.focus()


# Rows


def service_rows(catalogue: Catalogue, details: AccountDetails) -> list[Row]:
    """Return one row a product that is sold or owned: its name and how much of it is used and owned."""
    rows = []
    for product in catalogue.products:
        amount = _amount(product, details)
        if amount or not product.withdrawn:
            cells = (product.name, amount or ("none yet", "dim"))
            rows.append(Row(product.id, cells, RowTarget("product", (product.id,))))
    return rows


def _wide_enough(rows: Iterable[Row]) -> tuple[Column, Column]:
    """Return the columns of names and numbers, of which no number is cut."""
    name, number = NUMBERS
    widths = (
        sum(width_of(text) for text, _ in cell_parts(cell))
        for row in rows
        for cell in row.cells[1:]
    )
    return name, replace(number, width=max(number.width, *widths, 0))


def _amount(product: Product, details: AccountDetails) -> str:
    from mission_control_tui.model.catalogue.types import PurchaseKind

    if product.buys is PurchaseKind.DOMAIN:
        count = sum(domain.bought for domain in details.domains)
        return f"{count} bought" if count else ""
    granted = {(level.grants_service, level.grants_level) for level in product.levels}
    seats = [seat for seat in details.seats if (seat.service_id, seat.level_id) in granted]
    owned = sum(seat.owned for seat in seats)
    used = sum(seat.used + seat.queued for seat in seats)
    return f"{used}/{owned} used, {max(owned - used, 0)} free" if owned else ""


def user_rows(users: int | None, objects: int | None, lights: LightCounts | None) -> list[Row]:
    """Return what can be done with users and groups, and how many services show each light."""
    rows = [
        Row("new", ("New User", ("press n", "dim")), RowTarget("new-user")),
        Row("all", ("All Users", number(users)), RowTarget("users")),
        Row("area", ("Service Management Area", ""), RowTarget("service-area")),
        Row("objects", ("Groups and shared mailboxes", number(objects)), RowTarget("objects")),
    ]
    shown = (
        (Light.RED, Word.ERROR, RowTarget("next-red")),
        (Light.ORANGE, Word.PROVISIONING, RowTarget("requests")),
        (Light.GREEN, Word.PROVISIONED, RowTarget("users")),
    )
    for light, word, target in shown:
        count = getattr(lights, light.value) if lights is not None else None
        lit = light_parts(light, word) if count else ((f"{GLYPHS[light]} {word}", ""),)
        rows.append(Row(light.value, (lit, number(count)), target))
    return rows


def account_rows(details: AccountDetails | None) -> list[Row]:
    """Return the account's name, domains, contacts, orders and this month's total."""
    if details is None:
        labels = ("Name", "Domains", "Contacts", "Orders", "This month")
        return [Row(label, ((label, "dim"), UNKNOWN)) for label in labels]
    account = details.account
    names = [domain.name for domain in details.domains]
    domains = names[0] if len(names) == 1 else f"{len(names)}: {', '.join(names)}"
    contact = details.contacts[0] if details.contacts else None
    waiting = details.orders_awaiting_approval
    orders = f"{details.orders}" + (
        f", {counted(waiting, 'awaits', 'await')} approval" if waiting else ""
    )
    orders_target = RowTarget("account", ("approval",)) if waiting else RowTarget("orders")
    name = f"{account.name}{' (sample)' if account.is_sample else ''}"
    month = ", ".join(str(money) for money in details.this_month)
    return [
        _fact("Name", name, RowTarget("account")),
        _fact("Domains", domains if names else "none", RowTarget("account", ("domains",))),
        _fact("Contacts", contact.name if contact else "none", RowTarget("account", ("contacts",))),
        _fact("Orders", orders, orders_target),
        _fact("This month", month, RowTarget("account", ("statement",))),
    ]


def _fact(label: str, value: str, target: RowTarget) -> Row:
    return Row(label, ((label, "dim"), value), target)


def next_step(catalogue: Catalogue, details: AccountDetails) -> Row | None:
    """Return what a new account does next, in the order of the journey; None once a user has a service."""
    lights = details.lights
    if not any(seats.owned for seats in details.seats):
        for product in catalogue.products:
            if product.level_first and not product.withdrawn:
                return _step(f"Next: buy {product.name}", RowTarget("product", (product.id,)))
        return _step("Next: buy a service", RowTarget(says="Open one under Services"))
    if not details.users:
        return _step("Next: create a user (n)", RowTarget("new-user"))
    if not (lights.green or lights.orange or lights.red):
        return _step("Next: give a user a service", RowTarget("users"))
    return None


def doubt_rows(details: AccountDetails) -> list[Row]:
    """That the clock is not trusted, where it is not: what is due by it waits for somebody."""
    if not details.clock_doubt:
        return []
    says = f"{details.clock_doubt} When it is right: mission-control clock confirm"
    return [
        Row("clock", (("The clock is doubted: Enter says more", "error"), ""), RowTarget(says=says))
    ]


def failed_rows(details: AccountDetails, now: datetime) -> list[Row]:
    """That schedules failed, if some did in the last days: somebody has to look why."""
    count, at = details.schedules_failed, details.schedule_failed_at
    if not count or at is None:
        return []
    text = f"{counted(count, 'schedule')} failed"
    return [Row("failed", ((text, "error"), age(at, now)), RowTarget("schedules", ("failed",)))]


def expiring_rows(details: AccountDetails) -> list[Row]:
    """Return the domains whose term ends soon or is over, the most urgent marked; Enter leads to the domains."""
    rows = []
    for domain in details.expiring:
        urgent = domain.days <= 7
        text = f"{domain.name}: term {'ended' if domain.days < 0 else 'ends'} {domain.ends_on}"
        left = f"{domain.days}d" if domain.days >= 0 else "over"
        cells = ((text, "error" if urgent and not domain.auto_renew else ""), left)
        rows.append(Row(f"expiring {domain.name}", cells, RowTarget("account", ("domains",))))
    return rows


def waiting_rows(details: AccountDetails) -> list[Row]:
    """Return how many schedules wait for their moment."""
    count = details.schedules_waiting
    text = counted(count, "schedule waits", "schedules wait")
    row = Row("waiting", ((text, "dim"), ""), RowTarget("schedules", ("waiting",)))
    return [row] if count else []


def _step(text: str, target: RowTarget) -> Row:
    return Row("next", ((text, "strong"), ("Enter", "key")), target)


def _target(user_id: str | None, assignment_id: str, request_id: int | None) -> RowTarget:
    """Return where a light leads: to the user's services, else to the request."""
    if user_id:
        return RowTarget("provision", (user_id, assignment_id))
    return RowTarget("requests", (request_id,))


def _red_row(view: AssignmentView, now: datetime) -> tuple[datetime, Row]:
    target = RowTarget(*light_place(view))
    cell = _lit(Light.RED, view.word, view.subject, _named(view.service, view.instance))
    return view.since, Row(view.id, (cell, age(view.since, now)), target)


def _active_row(
    catalogue: Catalogue, request: RequestView, now: datetime
) -> tuple[datetime, Row] | None:
    if request.assignment_id is None:
        return None
    service = _named(name_of(catalogue.services, request.service_id), request.instance)
    target = _target(request.user_id, request.assignment_id, request.id)
    cell = _lit(Light.ORANGE, _WORDS[request.state], request.subject, service)
    row = Row(request.assignment_id, (cell, age(request.created_at, now)), target)
    return request.created_at, row


def _recent_row(catalogue: Catalogue, request: RequestView, now: datetime) -> Row | None:
    if request.parent_id is not None:
        return None
    service = name_of(catalogue.services, request.service_id) if request.service_id else ""
    service = _named(service, request.instance)
    text = " ".join(filter(None, (request.kind.capitalize(), _short(request.subject), service)))
    ended = request.ended_at or request.created_at
    cell: tuple[Part, ...] = ((f"{_ENDED[request.state]}: ", "dim"), (text, ""))
    return Row(
        ("request", request.id),
        (cell, (age(ended, now), "dim")),
        RowTarget("requests", (request.id,)),
    )


def _named(service: str, instance: str) -> str:
    # What tells it from others must not be cut.
    return f"({instance}) {service}" if instance else service


def _lit(light: Light, word: str, subject: str, service: str) -> Cell:
    return (*light_parts(light, word), (f" {_short(subject)} {service}", ""))


def _short(subject: str) -> str:
    """Return a UPN without its domain: in a quadrant there is no room for both."""
    return subject.partition("@")[0]
