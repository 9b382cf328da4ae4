"""Account: contacts, orders, approval, statement, usage and domains of the account, in panels that open."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from pathlib import Path
from typing import TypeAlias, TypeVar

from textual.containers import Vertical
from textual.widget import Widget

from mission_control_tui.model.accounts import overview
from mission_control_tui.model.accounts.contacts import list_contacts, set_contacts
from mission_control_tui.model.accounts.domain_overview import AccountDomain, account_domains
from mission_control_tui.model.accounts.editing import edit_account
from mission_control_tui.model.accounts.overview import AccountDetails
from mission_control_tui.model.accounts.seat_usage import IdleSeat, LevelUsage, usage
from mission_control_tui.model.billing import statement_files, statements
from mission_control_tui.model.billing.charges import StatementLine
from mission_control_tui.model.catalogue.lookup import known
from mission_control_tui.model.domains.consents import DomainConsent, list_consents
from mission_control_tui.model.errors import InvalidInput, MissionControlError, StaleVersion
from mission_control_tui.model.money import Money
from mission_control_tui.model.orders.approval import set_approval_limit
from mission_control_tui.model.orders.queries import list_orders
from mission_control_tui.model.plan import Outcome
from mission_control_tui.model.states import OrderState, SubjectKind
from mission_control_tui.model.text.differences import difference_words
from mission_control_tui.screens.accounts.consents import ConsentForm, allow, ask_withdraw
from mission_control_tui.screens.accounts.domains import open_domain
from mission_control_tui.screens.accounts.forms import (
    ContactsForm,
    CustomerForm,
    LimitForm,
    OneFieldForm,
)
from mission_control_tui.screens.accounts.rows import (
    DOMAIN_COLUMNS,
    IDLE_COLUMNS,
    LEVEL_COLUMNS,
    domain_rows,
    idle_rows,
    level_rows,
    notes,
)
from mission_control_tui.screens.accounts.statement import StatementPanel
from mission_control_tui.screens.base.mission_screen import MissionScreen
from mission_control_tui.screens.forms.user_fields import words_of
from mission_control_tui.screens.orders.rows import ORDER_COLUMNS, order_rows
from mission_control_tui.widgets.field import ChoiceField, Field, FormLine
from mission_control_tui.widgets.fold import Fold
from mission_control_tui.widgets.row_list import RowList
from mission_control_tui.widgets.rows import CursorLines
from mission_control_tui.widgets.text_lines import TextLines

SHOWN = 500
T = TypeVar("T")
Content: TypeAlias = Callable[[], Iterable[Widget]]
Filler: TypeAlias = Callable[[], Awaitable[None]]
STATES = (
    ("", "All"),
    ("awaiting approval", "Awaiting approval"),
    ("complete", "Complete"),
    ("declined", "Declined"),
    ("cancelled", "Cancelled"),
    ("returned", "Returned"),
)


class AccountScreen(MissionScreen):
    """Everything about the account itself. `panel` is the one to open."""

    NAME = "account"
    MEMORY_NAME = "AccountScreen"
    DRAFT = "Account"
    HEADING = "Account"
    ABOUT = (
        "Enter or Space on a title opens and closes its panel. Customer: the number with you. Contacts: whom to call. "
        "Orders: what was bought; Enter shows one, where it is approved, declined or cancelled. Approval: above which "
        "total orders wait; which do. Statement: what a month costs; w writes it to a file. Usage: seats that nobody "
        "uses and what they cost; Enter on what the account itself has shows it. Domains: their state, when their term "
        "ends; Enter renews one or shows its services; what others may have."
    )
    VERBS = ("write", "copy")
    NEED_STORE = ("write",)
    CSS_PATH = "account.tcss"

    def __init__(self, panel: str = "") -> None:
        """`panel` is opened: contacts, orders, approval and so on."""
        super().__init__()
        self._wanted = panel
        self._details: AccountDetails | None = None
        self._panels: dict[str, tuple[Content, Filler]] = {
            "customer": (self._customer, self._fill_customer),
            "contacts": (self._contacts, self._fill_contacts),
            "orders": (self._orders, self._fill_orders),
            "approval": (self._approval, self._fill_approval),
            "statement": (self._statement, self._fill_statement),
            "usage": (self._usage, self._fill_usage),
            "domains": (self._domains, self._fill_domains),
        }
        """By id of its panel: what is in it, and what fills that once it is open."""

    def body(self) -> Iterable[Widget]:
        yield TextLines("…", "title", id="who")
        with Vertical(id="form"):
            for name, (content, _fill) in self._panels.items():
                yield Fold(name.capitalize(), content, id=name)

    def _customer(self) -> Iterable[Widget]:
        yield CustomerForm(self._save_number, id="customer-form")

    def _contacts(self) -> Iterable[Widget]:
        yield ContactsForm(self._save_contacts, id="contacts-form")

    def _orders(self) -> Iterable[Widget]:
        yield ChoiceField(
            "Show", STATES, help_text="Orders in which state; Left and Right choose.", id="state"
        )
        yield Field(
            "Find",
            help_text="A part of what was ordered, a domain, who ordered it, a ticket, or a number.",
            id="find-order",
        )
        yield RowList(
            columns=ORDER_COLUMNS,
            empty="No such orders",
            help_text="Enter shows the order.",
            title="Orders",
            id="order-list",
        )

    def _approval(self) -> Iterable[Widget]:
        yield LimitForm(self._save_limit, id="limit")
        yield RowList(
            columns=ORDER_COLUMNS,
            empty="No order waits for approval",
            help_text="Enter shows the order, to approve or decline it.",
            title="Approval",
            id="waiting-list",
        )

    def _statement(self) -> Iterable[Widget]:
        yield StatementPanel(id="statement-panel")

    def _usage(self) -> Iterable[Widget]:
        yield RowList(
            columns=LEVEL_COLUMNS,
            empty="Nothing was bought yet",
            most=8,
            help_text="Dis.: held by disabled users. Susp.: suspended. Never: held and never provisioned. Idle: what "
            "seats that nobody holds or disabled users hold cost a month, without tax.",
            title="Usage",
            id="level-list",
        )
        yield RowList(
            columns=IDLE_COLUMNS,
            empty="Every seat that is held is used",
            most=8,
            help_text="Enter opens the user.",
            title="Idle seats",
            id="idle-list",
        )

    def _domains(self) -> Iterable[Widget]:
        yield RowList(
            columns=DOMAIN_COLUMNS,
            empty="No domains yet",
            help_text="Enter renews a domain that was bought here, or shows the order that waits.",
            title="Domains",
            id="domain-list",
        )
        yield ConsentForm(self._allow, id="consents")

    # Data

    async def load(self) -> None:
        first = self._details is None
        details = await overview.show(self.context.scope)
        self._details = details
        sample = " (sample)" if details.account.is_sample else ""
        self.query_one("#who", TextLines).set(
            f"{details.account.name}{sample}, code {details.account.code}, {details.account.time_zone}"
        )
        for name, note in notes(details).items():
            self._fold(name).note = note
        if first and self._wanted in self._panels:
            fold = self._fold(self._wanted)
            fold.focus()
            fold.open()
        for name in self._panels:
            await self._fill(name)

    def _fold(self, name: str) -> Fold:
        return self.query_one(f"#{name}", Fold)

    async def _fill(self, name: str) -> None:
        fold = self._fold(name)
        if fold.is_open and self._details is not None:
            await fold.open_now()
            await self._panels[name][1]()

    def on_fold_toggled(self, event: Fold.Toggled) -> None:
        if event.fold.is_open and event.fold.id in self._panels and self.console.is_open:
            self.do(self._fill(event.fold.id))

    async def _fill_customer(self) -> None:
        if self._details is not None:
            about = self._details.account
            self.query_one(CustomerForm).show_text(about.customer_number, about.version)

    async def _fill_contacts(self) -> None:
        self.query_one(ContactsForm).show(await list_contacts(self.context.scope))

    async def _fill_orders(self) -> None:
        state = self.query_one("#state", ChoiceField).value
        found = await list_orders(
            self.context.scope,
            states=[OrderState(state)] if state else [],
            text=self.query_one("#find-order", Field).value,
            limit=SHOWN,
        )
        full = len(found) == SHOWN
        more = f"the newest {SHOWN}; `mission-control orders list` has all" if full else ""
        self.query_one("#order-list", RowList).set_rows(order_rows(found), more=more)

    async def _fill_approval(self) -> None:
        context, details = self.context, self._details
        if details is None:
            return
        self.query_one(LimitForm).show(
            details.approval_above, context.catalogue.currency, details.account.version
        )
        found = await list_orders(context.scope, states=[OrderState.AWAITING_APPROVAL], limit=SHOWN)
        self.query_one("#waiting-list", RowList).set_rows(order_rows(found))

    async def _fill_statement(self) -> None:
        scope = self.context.scope
        panel = self.query_one(StatementPanel)
        panel.offer(await statements.list_statements(scope))
        month = panel.month.value
        found = await statements.statement(scope, month)
        if (
            panel.month.value == month
        ):  # closing a month takes time, and another may be chosen by then
            panel.show(found)

    async def _fill_usage(self) -> None:
        found = await usage(self.context.scope, limit=SHOWN)
        self.query_one("#level-list", RowList).set_rows(
            level_rows(found.levels),
            more=f"A month {found.monthly}, of it idle {found.idle}, without tax"
            if found.levels
            else "",
        )
        more = f"+{found.more_idle_seats} more" if found.more_idle_seats else ""
        self.query_one("#idle-list", RowList).set_rows(idle_rows(found.idle_seats), more=more)

    async def _fill_domains(self) -> None:
        rows = domain_rows(await account_domains(self.context.scope))
        self.query_one("#domain-list", RowList).set_rows(rows)
        self.query_one(ConsentForm).show(await list_consents(self.context.scope))

    async def _allow(self) -> None:
        await allow(self, self.query_one(ConsentForm))

    @property
    def unfinished(self) -> bool:
        """Tell whether contacts or the limit are typed and not saved."""
        forms = (*self.query(ContactsForm), *self.query(OneFieldForm))
        return any(form.is_dirty for form in forms)

    # What is chosen and typed

    def on_form_line_changed(self, event: FormLine.Changed) -> None:
        if self.console.is_open and event.field.id == "state":
            self.do(self._fill("orders"))
        elif self.console.is_open and event.field.id == "month":
            self.do(self._fill("statement"))

    def on_field_changed(self, event: Field.Changed) -> None:
        event.field.error = ""
        if self.console.is_open and event.field.id == "find-order":
            self.do(self._fill("orders"))

    def on_cursor_lines_edge(self, event: CursorLines.Edge) -> None:
        if isinstance(event.rows, RowList):
            event.stop()
            (self.focus_next if event.direction > 0 else self.focus_previous)()

    def on_cursor_lines_opened(self, event: CursorLines.Opened) -> None:
        data = event.row.data
        if event.rows.id in ("order-list", "waiting-list"):
            self.go_to("order", event.row.key)
        elif isinstance(data, StatementLine):
            if data.order_id:
                self.go_to("order", data.order_id)
            else:
                self.announce("Renewed because its term was over: no order of its own")
        elif isinstance(data, IdleSeat):
            self.go_to("user", data.user_id)
        elif isinstance(data, LevelUsage):
            self._open_level(data)
        elif isinstance(data, AccountDomain):
            open_domain(self, data)
        elif isinstance(data, DomainConsent):
            ask_withdraw(self, data)

    def _open_level(self, level: LevelUsage) -> None:
        """Go to the service of a level that the account itself has."""
        service = known(self.context.catalogue.services, level.seats.service_id)
        if service is not None and service.subject is SubjectKind.ACCOUNT:
            self.go_to("provision", "", None, SubjectKind.ACCOUNT.value)

    async def _save_contacts(self) -> None:
        scope, form = self.context.scope, self.query_one(ContactsForm)
        wanted = form.wanted()
        try:
            outcome = await set_contacts(scope, wanted, expected=form.loaded)
        except StaleVersion as error:
            form.adopt(await list_contacts(scope))
            kept = "What you typed is kept. Save again to save it over theirs."
            form.notice.tell(error.what, *difference_words(error.theirs, {}), kept)
            self.announce("Not saved, and nothing is lost: look at what changed", error=True)
            return
        except InvalidInput as error:
            homeless = form.point_at(error.problems, wanted)
            self.announce("; ".join(homeless) or error.what, error=True)
            return
        form.saved(outcome.result)
        self.announce("The contacts are saved")
        await self.load()

    async def _save_number(self) -> None:
        form = self.query_one(CustomerForm)
        typed = form.field.value.strip()
        change = partial(edit_account, self.context.scope, customer_number=typed)
        if await self._saves(form, lambda: change(version=form.version)):
            self.announce(f"The customer number is {typed}" if typed else "No customer number now")

    async def _save_limit(self) -> None:
        context, form = self.context, self.query_one(LimitForm)
        typed = form.field.value.strip()

        async def change() -> Outcome[Money | None]:
            limit = Money.parse(typed, context.catalogue.currency) if typed else None
            return await set_approval_limit(context.scope, limit, version=form.version)

        if outcome := await self._saves(form, change):
            limit = outcome.result
            waits = f"Orders above {limit} wait for approval"
            self.announce(waits if limit else "No order waits by its total")

    async def _saves(
        self, form: OneFieldForm, change: Callable[[], Awaitable[Outcome[T]]]
    ) -> Outcome[T] | None:
        """Make a change of the account; what is refused is said beside the field, and nothing is returned."""
        try:
            outcome = await change()
        except InvalidInput as error:
            form.field.error = words_of(error.problems[0])
            form.field.focus()
            return None
        except StaleVersion as error:
            said = "; ".join(difference_words(error.theirs, {}))
            await self.load()
            if self._details is not None:
                form.version = self._details.account.version
            self.announce(f"{error.what} {said}. Save again to save yours over it", error=True)
            return None
        form.saved()
        await self.load()
        return outcome

    # Verbs

    async def verb_write(self) -> None:
        fold = self._fold("statement")
        if not fold.is_open:
            fold.open()
            await self._fill("statement")
        panel = self.query_one(StatementPanel)
        if panel.statement is None:
            return
        path = Path(panel.file.value.strip() or statement_files.file_name(panel.statement, "pdf"))
        try:
            whole = await asyncio.to_thread(statement_files.write, panel.statement, path)
        except MissionControlError as error:
            panel.file.error = (
                words_of(error.problems[0]) if error.problems else f"{error.what} {error.hint}"
            )
            panel.file.focus()
            return
        panel.file.error = ""
        self.announce(f"Written to {whole}")

    def verb_copy(self) -> None:
        row = self.focused.current if isinstance(self.focused, RowList) else None
        if row is None:
            self.answer("Put the cursor on an order, a user or a domain first", error=True)
            return
        found = (getattr(row.data, name, "") for name in ("upn", "order_id", "id", "name", "label"))
        self.copy(str(next(filter(None, found), None) or row.cells[0]))
