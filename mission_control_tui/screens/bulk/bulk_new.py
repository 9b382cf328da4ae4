"""One action for many users: what, its parameters, the plan, and then the start."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from textual.containers import Vertical
from textual.widget import Widget

from mission_control_tui.model.accounts.overview import list_seats
from mission_control_tui.model.bulk.control import start
from mission_control_tui.model.bulk.planning import plan
from mission_control_tui.model.bulk.views import (
    BulkPlan,
    BulkReason,
    MissingSeats,
)
from mission_control_tui.model.catalogue.types import Service
from mission_control_tui.model.errors import UsageError
from mission_control_tui.model.search.light_matrix import among
from mission_control_tui.model.states import SubjectKind
from mission_control_tui.model.text.counting import counted
from mission_control_tui.model.users.actions.base import UserAction
from mission_control_tui.model.users.actions.params import ActionParams
from mission_control_tui.model.users.actions.provision import Provision
from mission_control_tui.model.users.actions.registry import ACTIONS
from mission_control_tui.model.users.queries import details
from mission_control_tui.model.views import Seats
from mission_control_tui.screens.base.mission_screen import MissionScreen
from mission_control_tui.screens.bulk.labels import people, plan_rows, summary
from mission_control_tui.screens.bulk.passwords import BulkPasswords
from mission_control_tui.screens.forms.option_fields import option_widget, shown
from mission_control_tui.widgets.action_button import ActionButton
from mission_control_tui.widgets.field import AnyField, CheckField, ChoiceField, Field, FormLine
from mission_control_tui.widgets.fold import Fold
from mission_control_tui.widgets.overlays import PlainLines
from mission_control_tui.widgets.rows import Column, CursorLines, HeldRows, Row
from mission_control_tui.widgets.text_lines import TextLines

KEEP, EVERYTHING = "", ""
MOST_LOST = 3
"""So much of what shrinks is said in the question; the plan has it all."""


class PlanList(HeldRows):
    """What the plan says, line by line."""

    title = "Plan"
    help_text = "Enter on who is left out shows their names; b buys the seats that are missing and comes back."

    def __init__(self) -> None:
        columns = (Column("Plan", width=9), Column(), Column(width=9, right=True))
        super().__init__(columns=columns, id="plan")
        self._rows = ()


class BulkNewScreen(MissionScreen):
    """What to do for all marked users, what that would be, and its start."""

    NAME = "bulk-new"
    MEMORY_NAME = "BulkNewScreen"
    HEADING = "Act on marked"
    ABOUT = (
        "One action for all marked users. Choose what with Left and Right; p shows the plan: how many, seats before "
        "and after, what is missing and its price, who is left out and why (Enter shows the names). b buys what is "
        "missing and comes back. p again starts; from then on the worker goes on with it, whatever becomes of this "
        "terminal."
    )
    VERBS = ("provision", "buy")
    CSS_PATH = "bulk_new.tcss"
    AUTO_FOCUS = "#action"
    MAIN = "go"

    def __init__(self, users: Sequence[str], action: str = Provision.verb) -> None:
        """`users` are the marked ones, by id."""
        super().__init__()
        self._passwords = BulkPasswords(self)
        self._users = tuple(users)
        self._first_action = action
        self._services: Mapping[str, Service] = {}
        self._seats: Sequence[Seats] = ()
        self._plan: BulkPlan | None = None
        self._defaults: dict[str, str | bool] = {}
        self._planning = 0

    @property
    def memory_key(self) -> str:
        # Python's own hash of texts is another one in each process.
        users = hashlib.sha256(" ".join(self._users).encode()).hexdigest()
        return f"{super().memory_key} {users}"

    def body(self) -> Iterable[Widget]:
        with Vertical(id="form"):
            yield TextLines(f"For {people(len(self._users))}", "title", id="who")
            yield ChoiceField(
                "Action",
                [(verb, action.label) for verb, action in ACTIONS.items()],
                self._first_action,
                help_text="What is done for each of them; Left and Right choose.",
                id="action",
            )
            yield ChoiceField("Service", [], help_text="Of which service.", id="service")
            yield ChoiceField("Level", [], help_text="Which level they get.", id="level")
            yield Fold(
                "Settings",
                self._setting_widgets,
                help_text="Settings of the service; what is not changed stays as it is, or as the catalogue has it.",
                id="settings",
            )
            yield CheckField(
                "Disabled users too",
                help_text="Give the service to users who are disabled as well; it stays suspended.",
                id="include-disabled",
            )
            yield CheckField(
                "Change at next logon",
                help_text="They have to choose a new password when logging in next.",
                id="must-change",
            )
            words = "Says what would happen; nothing is changed."
            yield ActionButton("Show the plan", help_text=words, verb="provision", id="go")
        yield TextLines("", id="summary")
        yield PlanList()

    # Data

    async def load(self) -> None:
        self._seats = await list_seats(self.context.scope)
        here = await among(self.context.scope, self._users)
        if len(here) < len(self._users):
            self._users = tuple(user for user in self._users if user in here)
            self._forget_plan()
        who = people(len(self._users))
        if len(self._users) == 1:
            user = await details(self.context.scope, self._users[0])
            who = f"{user.details.display_name}  {user.upn}"
        self.query_one("#who", TextLines).set(f"For {who}")
        if not self._services:
            self._services = {
                service.id: service
                for service in self.context.catalogue.services
                if service.subject is SubjectKind.USER and service.visible
            }
            self._fit_form()
        elif self._plan is not None:
            await self._make_plan()
        self._fit_levels()

    def concerns(self, changes: object) -> bool:
        """Return False: what others change shows in the next plan, and in what becomes of it."""
        return False

    @property
    def action(self) -> UserAction:
        return ACTIONS[self.query_one("#action", ChoiceField).value]

    @property
    def service(self) -> Service | None:
        """The service that is chosen, where the action is of one."""
        if not self.action.of_service:
            return None
        return self._services.get(self.query_one("#service", ChoiceField).value)

    @property
    def level(self) -> str:
        """The level that is chosen; empty where the present one stays."""
        return self.query_one("#level", ChoiceField).value if "level" in self.action.takes else ""

    def _fit_form(self) -> None:
        """Show what the action needs."""
        action = self.action
        services = [(service.id, service.name) for service in self._services.values()]
        if action.of_service and not action.needs_service:
            services.insert(0, (EVERYTHING, "All services"))
        self.query_one("#service", ChoiceField).set_choices(services)
        self.query_one("#service").display = action.of_service
        self.query_one("#level").display = "level" in action.takes
        self.query_one("#include-disabled").display = "include_disabled" in action.takes_in_bulk
        self.query_one("#must-change").display = "must_change" in action.takes_in_bulk
        self._fit_levels()
        self.do(self._fit_settings())

    def _fit_levels(self) -> None:
        service = self.service
        if service is None:
            return
        free = {seat.level_id: seat.free for seat in self._seats if seat.service_id == service.id}
        levels = []
        for level in service.levels:
            if not level.withdrawn:
                seats = f" ({free.get(level.id, 0)} free)" if service.seats else ""
                levels.append((level.id, f"{level.name}{seats}"))
        if self.action.keeps_level:
            levels.insert(0, (KEEP, "(as it is)"))
        self.query_one("#level", ChoiceField).set_choices(levels)

    async def _fit_settings(self) -> None:
        fold = self.query_one("#settings", Fold)
        options = self._options()
        self._defaults = {}
        fold.display = bool(options)
        fold.note = ", ".join(option.name for option in options)
        await fold.rebuild()

    def _options(self) -> Sequence[Any]:
        service = self.service
        if service is None or "level" not in self.action.takes:
            return ()
        return service.options_for(self.level) if self.level else service.options

    def _setting_widgets(self) -> Iterable[Widget]:
        for option in self._options():
            value = shown(option, option.initial)
            self._defaults[option.id] = value
            yield option_widget(option, value, f"o-{option.id}")

    def _settings(self) -> dict[str, object]:
        """Return what was changed of the settings."""
        return {
            name: widget.value
            for name, default in self._defaults.items()
            for widget in self.query(f"#o-{name}")
            if isinstance(widget, AnyField) and widget.value != default
        }

    def params(self) -> ActionParams:
        """Return what was chosen."""
        action, service = self.action, self.service
        must = self.query_one("#must-change", CheckField).value
        return ActionParams(
            service.id if service is not None else "",
            self.level or None,
            self._settings(),
            include_disabled="include_disabled" in action.takes_in_bulk
            and self.query_one("#include-disabled", CheckField).value,
            must_change=(must or None) if "must_change" in action.takes_in_bulk else None,
        )

    # Changes of the form

    def on_form_line_changed(self, event: FormLine.Changed) -> None:
        self._forget_plan()
        match event.field.id:
            case "action":
                self._fit_form()
            case "service":
                self._fit_levels()
                self.do(self._fit_settings())
            case "level":
                self.do(self._fit_settings())

    def on_field_changed(self, event: Field.Changed) -> None:
        self._forget_plan()

    def _forget_plan(self) -> None:
        self._planning += 1
        self._plan = None
        self._show_plan((), "")
        self.query_one("#summary", TextLines).set("")
        self._label()

    def _show_plan(self, rows: Sequence[Row], empty: str) -> None:
        listing = self.query_one(PlanList)
        listing.empty = empty
        listing.hold(rows)

    def _label(self) -> None:
        button = self.query_one("#go", ActionButton)
        button.label = "Start" if self._plan is not None else "Show the plan"
        self.refresh_keys()

    @property
    def key_labels(self) -> Mapping[str, str]:
        return {"provision": "Start" if self._plan is not None else "Plan"}

    # Plan and start

    async def verb_provision(self) -> None:
        """Show the plan; with the plan shown, start."""
        self.need_write()
        if self._plan is None:
            await self._make_plan()
        else:
            self._ask_start(self._plan)

    async def _make_plan(self) -> None:
        self._planning += 1
        mine = self._planning
        self.query_one("#summary", TextLines).set("Looking what it would do ...")
        try:
            found = await plan(self.context.scope, self._users, self.action.verb, self.params())
        except Exception:
            # Whoever called tells it; here only what was under way is said no longer.
            if self.is_here:
                self.query_one("#summary", TextLines).set("")
            raise
        if not self.is_here or mine != self._planning:
            return
        self._plan = found
        self.query_one("#summary", TextLines).set(summary(found))
        self._show_plan(plan_rows(found), "Nobody is left out")
        self._label()
        self.query_one("#go", ActionButton).focus()

    def _ask_start(self, plan: BulkPlan) -> None:
        if not plan.queued:
            raise UsageError("Nothing would be done, so there is nothing to start.")
        account, action = self.context.account.name, ACTIONS[plan.action]
        of_what = f": {self.service.name} for" if self.service is not None else ":"
        lines = [f"{account}: {action.label}{of_what} {people(plan.users)}?"]
        about = self.context.catalogue.services if self.service is None else (self.service,)
        if lost := action.lost_of(about):
            lines.append(lost)
        if plan.lost:
            lines.append(f"Lost: {'; '.join(plan.lost[:MOST_LOST])}.")
        lines.append(summary(plan))
        limit = self.context.settings.worker.removal_limit
        if plan.removals > limit:
            lines.append(
                f"More than {counted(limit, 'service')} taken away at a time wait until they are allowed."
            )
        if plan.short:
            lines.append("Who gets no seat is left out.")
        if plan.users > self.context.settings.console.confirm_above:
            self.prompts.ask_typed(
                lines,
                str(plan.users),
                lambda: partial(self._begin, plan),
                what="the number of users",
            )
        elif plan.takes_away or plan.changes:
            self.prompts.confirm(lines, lambda: self._begin(plan), yes="Start")
        else:
            self._begin(plan)

    def _begin(self, plan: BulkPlan) -> None:
        if plan.attended and plan.passwords:
            self._passwords.ask_where(lambda place: self._start(plan, place))
        else:
            self.do(self._start(plan, None))

    async def _start(self, plan: BulkPlan, place: Any) -> None:
        self.need_write()
        done = await start(self.context.scope, self._users, plan.action, plan.params)
        bulk = done.result
        if bulk.attended:
            self._passwords.attend_to(bulk, place)
        await self.queue_changed()
        self.turn_into("bulk", bulk.id)

    # Other keys

    def on_cursor_lines_opened(self, event: CursorLines.Opened) -> None:
        if event.rows.id != "plan":
            return
        if isinstance(reason := event.row.data, BulkReason):
            text = "\n".join((f"{reason.state.capitalize()}: {reason.reason}", "", *reason.names))
            self.prompts.show_overlay(PlainLines(text))
            self.announce("Esc goes back", of_overlay=True)
        elif isinstance(changes := event.row.data, tuple):
            text = "\n".join(f"{change.what} ({change.count})" for change in changes)
            self.prompts.show_overlay(PlainLines(text))
            self.announce("Esc goes back", of_overlay=True)
        else:
            self.verb_buy()

    def verb_buy(self) -> None:
        """Buy what is missing, the line under the cursor or the first one, and come back."""
        missing = self._plan.missing if self._plan is not None else ()
        under = self.query_one(PlanList).current_data(MissingSeats)
        wanted = under or next(iter(missing), None)
        back = "the plan for the marked users"
        if wanted is not None:
            what = (wanted.product_id, wanted.level_id, wanted.quantity)
            self.go_to("buy", *what, return_to=back)
        elif (service := self.service) is not None and self.level:
            self.open_buy(service.id, self.level, back)
        else:
            raise UsageError("No seats are missing: there is nothing to buy.")
