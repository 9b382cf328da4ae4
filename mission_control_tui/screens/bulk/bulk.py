"""One bulk: how far it is, live; stop, resume, retry what failed, undo; its items and what became of each."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from functools import partial
from pathlib import Path

from textual.containers import Horizontal
from textual.widget import Widget

from mission_control_tui.model.bulk.control import resume, stop
from mission_control_tui.model.bulk.queries import items, show
from mission_control_tui.model.bulk.views import (
    FAILED,
    BulkItemView,
    BulkOnlyAction,
    BulkProgress,
    BulkView,
    ItemOutcome,
)
from mission_control_tui.model.errors import UsageError
from mission_control_tui.model.history.undo import undo, undo_plan
from mission_control_tui.model.states import BulkState, SubjectKind
from mission_control_tui.model.text.counting import counted
from mission_control_tui.screens.base.mission_screen import MissionScreen
from mission_control_tui.screens.base.retry_all import retry_red
from mission_control_tui.screens.bulk.labels import (
    OUTCOMES,
    done_of,
    progress_words,
    state_of,
    summary,
    title_of,
)
from mission_control_tui.screens.bulk.passwords import BulkPasswords, cells_of
from mission_control_tui.widgets.action_button import ActionButton
from mission_control_tui.widgets.cells import age
from mission_control_tui.widgets.field import FormLine, ShownField
from mission_control_tui.widgets.line_list import LineList, RowPage
from mission_control_tui.widgets.lines import LineWidget, Part
from mission_control_tui.widgets.overlays import PlainLines
from mission_control_tui.widgets.rows import Column, CursorLines, Row
from mission_control_tui.widgets.text_lines import TextLines

SHOWN: dict[str, tuple[str, frozenset[ItemOutcome]]] = {
    "all": ("All", frozenset()),
    "failed": ("Failed: red or refused", FAILED),
    "moving": ("On their way or left", frozenset({ItemOutcome.ORANGE, ItemOutcome.LEFT})),
    "skipped": ("Skipped", frozenset({ItemOutcome.SKIPPED})),
    "refused": ("Refused", frozenset({ItemOutcome.REFUSED})),
    "green": ("Done", frozenset({ItemOutcome.GREEN, ItemOutcome.UNCHANGED})),
}
STOPS = "What is left is left out; what is queued goes on."
CANCELS = "What is left is left out, and what is on its way is cancelled."
REVEALS = "Shows the passwords that were made; then they are forgotten."
BAR = 40
MANY, PAUSE = 2_000, 0.5
"""A bulk of more items than this is counted again after so many seconds at the earliest, however fast it moves."""


class ProgressLine(LineWidget):
    """A bar: what is done, what failed, what is on its way, what is left."""

    def __init__(self) -> None:
        super().__init__(id="progress")
        self._progress = BulkProgress()
        self._told = ""

    def set(self, progress: BulkProgress, told: str) -> None:
        """Show how far it is, and behind that in a few words whose it is."""
        self._progress, self._told = progress, told
        self.repaint()

    def line(self, y: int, width: int) -> Iterable[Part]:
        progress = self._progress
        if y or not progress.total:
            return ()
        wide = min(BAR, width - 20)
        done = done_of(progress)
        filled = wide if done == progress.total else done * wide // progress.total
        moving = min(wide - filled, -(-progress.orange * wide // progress.total))
        percent = 100 if done == progress.total else done * 100 // progress.total
        return [
            ("█" * filled, ""),
            ("▒" * moving, ""),
            ("░" * (wide - filled - moving), "dim"),
            (f" {percent} %", ""),
            (f"  {self._told}", "dim"),
        ]


class BulkScreen(MissionScreen):
    """One bulk, live."""

    NAME = "bulk"
    MEMORY_NAME = "BulkScreen"
    HEADING = "Bulk action"
    ABOUT = (
        "How far one action for many users is; the worker goes on with it when this screen is left. Stop leaves out "
        "what is left; what is queued goes on, unless it is cancelled as well. p or Resume goes on. Show > Failed "
        "lists what went wrong and why; R tries these again. u takes the whole back, after saying what that does. "
        "Enter on a line goes to the user's services."
    )
    VERBS = ("retry_all", "undo", "provision", "copy")
    KEY_LABELS = (("provision", "Resume"), ("retry_all", "Retry failed"), ("open", "Services"))
    CSS_PATH = "bulk.tcss"
    AUTO_FOCUS = "#items"

    def __init__(self, bulk_id: int) -> None:
        super().__init__()
        self._passwords = BulkPasswords(self)
        self._bulk_id = bulk_id
        self.subject = f" {bulk_id}"
        self._bulk: BulkView | None = None

    def body(self) -> Iterable[Widget]:
        yield TextLines("…", "title", id="what")
        yield ProgressLine()
        yield TextLines("", id="numbers")
        yield TextLines("", id="notice")
        with Horizontal(id="buttons"):
            for name, label, words, run in (
                ("stop", "Stop", STOPS, self._ask_stop),
                ("cancel", "Stop and cancel", CANCELS, partial(self._ask_stop, cancel=True)),
                ("resume", "Resume", "Goes on with what is left.", self.verb_provision),
                ("reveal", "Show the passwords once", REVEALS, self._reveal),
            ):
                yield ActionButton(label, help_text=words, width=0, run=run, id=name)
        yield ShownField(SHOWN, help_text="Which items the list shows")
        yield LineList(
            columns=(Column("User", width=30), Column("Now", width=11), Column("Why")),
            empty="None of them",
            id="items",
        )
        yield TextLines("", "dim", id="detail")

    # Data

    async def load(self) -> None:
        bulk = await show(self.context.scope, self._bulk_id)
        if not self.is_here:
            return
        self._bulk = bulk
        word, _style = state_of(bulk)
        ticket = f"  {bulk.ticket}" if bulk.ticket else ""
        self.query_one("#what", TextLines).set(f"Bulk {bulk.id}: {self._title(bulk)}  -  {word}")
        told = f"{bulk.operator}, {age(bulk.created_at)} ago{ticket}"
        self.query_one(ProgressLine).set(bulk.progress, told)
        self.query_one("#numbers", TextLines).set(progress_words(bulk.progress))
        self._fit_buttons(bulk)
        self._show_notice(bulk)
        self.query_one(LineList).show(self._fetch, keep=True)
        self.refresh_keys()
        if self.loader.has_read and bulk.progress.total > MANY:
            await asyncio.sleep(PAUSE)

    def _title(self, bulk: BulkView) -> str:
        return title_of(bulk, self.context.catalogue)

    def _fit_buttons(self, bulk: BulkView) -> None:
        moving = bulk.state in (BulkState.RUNNING, BulkState.ATTENDED)
        held = self._passwords.held(bulk.id)
        shown = {
            "stop": moving,
            "cancel": moving or bool(bulk.progress.orange),
            "resume": self._can_resume(bulk),
            "reveal": held is not None and bool(held.passwords) and not held.running,
        }
        for name, there in shown.items():
            button = self.query_one(f"#{name}", ActionButton)
            if not there and button.has_focus:
                self.query_one(LineList).focus()
            button.display = there
        self.query_one("#buttons").display = any(shown.values())

    def _can_resume(self, bulk: BulkView) -> bool:
        held = self._passwords.held(bulk.id)
        nobody = bulk.state is BulkState.ATTENDED and (held is None or not held.running)
        return bool(bulk.progress.left) and (bulk.state is BulkState.STOPPED or nobody)

    def _show_notice(self, bulk: BulkView) -> None:
        held = self._passwords.held(bulk.id)
        words = []
        if held is not None and held.place is not None:
            words.append(f"{counted(held.made, 'password is', 'passwords are')} in {held.place}.")
        elif held is not None and held.passwords:
            words.append(
                f"{counted(len(held.passwords), 'password waits', 'passwords wait')} here to be shown once."
            )
        if bulk.state is BulkState.ATTENDED and self._can_resume(bulk):
            words.append("Nobody takes its passwords any more: p goes on with it here.")
        elif bulk.progress.left and self.context.no_worker:
            words.append(f"Nothing happens yet: {self.context.no_worker}.")
        self.query_one("#notice", TextLines).tell(" ".join(words))

    @property
    def _outcomes(self) -> frozenset[ItemOutcome]:
        shown: ShownField[frozenset[ItemOutcome]] = self.query_one(ShownField)
        return shown.meaning

    def _total(self) -> int:
        if self._bulk is None:
            return 0
        progress, wanted = self._bulk.progress, self._outcomes
        return sum(getattr(progress, outcome) for outcome in wanted) if wanted else progress.total

    async def _fetch(self, offset: int, limit: int) -> RowPage:
        found = await items(
            self.context.scope, self._bulk_id, outcomes=self._outcomes, limit=limit, offset=offset
        )
        total = max(self._total(), offset + len(found)) if found else min(self._total(), offset)
        rows = [
            Row(item.id, (item.name, OUTCOMES[item.outcome], item.reason), item) for item in found
        ]
        return RowPage(rows, total)

    @property
    def item(self) -> BulkItemView | None:
        """The item under the cursor."""
        return self.query_one(LineList).current_data(BulkItemView)

    def on_line_list_loaded(self) -> None:
        self._tell()

    def on_cursor_lines_moved(self, event: CursorLines.Moved) -> None:
        if event.rows.id == "items":
            self._tell()

    def _tell(self) -> None:
        item = self.item
        self.query_one("#detail", TextLines).set(item.reason if item is not None else "")

    def on_form_line_changed(self, event: FormLine.Changed) -> None:
        if event.field.id == "shown":
            self.query_one(LineList).show(self._fetch)

    # Verbs

    def why_not(self, verb: str) -> str:
        bulk = self._bulk
        if bulk is not None and verb == "provision" and not self._can_resume(bulk):
            return "There is nothing to resume: it goes on, or nothing is left"
        if bulk is not None and verb == "retry_all" and not bulk.progress.failed:
            return "Nothing of it failed"
        return super().why_not(verb)

    def _known(self) -> BulkView:
        if self._bulk is None:
            raise UsageError("The bulk is being read.")
        return self._bulk

    def _ask_stop(self, *, cancel: bool = False) -> None:
        self.need_write()
        bulk = self._known()
        progress = bulk.progress
        queued = "are cancelled" if cancel else "go on"
        self.prompts.confirm(
            [
                f"{self.context.account.name}: stop bulk {bulk.id}, {self._title(bulk)}?",
                f"{counted(progress.left, 'is', 'are')} left out; {progress.orange:,} on their way {queued}.",
                "Resume goes on with what is left.",
            ],
            lambda: self._stop(cancel),
            yes="Stop",
        )

    async def _stop(self, cancel: bool) -> None:
        done = (await stop(self.context.scope, self._bulk_id, cancel_queued=cancel)).result
        cancelled = f", {done.cancelled:,} cancelled" if cancel else ""
        await self.done(f"Stopped: {done.left:,} left out, {done.queued:,} on their way{cancelled}")

    def verb_provision(self) -> None:
        """Go on with what is left."""
        self.need_write()
        bulk = self._known()
        if bulk.attended:
            self._passwords.ask_where(self._resume)
        else:
            self.do(self._resume(None))

    async def _resume(self, place: Path | None) -> None:
        bulk = (await resume(self.context.scope, self._bulk_id)).result
        if bulk.attended:
            self._passwords.attend_to(bulk, place)
        await self.done(f"Resumed: {bulk.progress.left:,} left")

    def _reveal(self) -> None:
        held = self._passwords.held(self._bulk_id)
        if held is None or not held.passwords:
            return
        lines = ["  ".join(filter(None, cells_of(password))) for password in held.passwords]
        held.passwords.clear()
        self._fit_buttons(self._known())
        self._show_notice(self._known())
        self.prompts.show_overlay(PlainLines("\n".join(lines)))
        self.announce("Shown once: they are forgotten now. Esc goes back")

    async def verb_retry_all(self) -> None:
        """Try again what failed of it: what is red by a retry, what was refused by the same action."""
        bulk = self._known()
        self.need_write()
        found = await items(self.context.scope, bulk.id, outcomes=FAILED, limit=100_000)
        self.still_here()
        if any(item.domain_id for item in found):
            raise UsageError(
                "Domains are tried again one by one here: Enter opens one.",
                hint=f"All: :bulk start retry --service {bulk.params.service or 'ID'} --where light=red",
            )
        users: dict[ItemOutcome, dict[str, None]] = {ItemOutcome.RED: {}, ItemOutcome.REFUSED: {}}
        for item in found:
            if item.user_id:
                users[item.outcome][item.user_id] = None
        if red := tuple(users[ItemOutcome.RED]):
            await retry_red(self, red)
        elif bulk.action in (BulkOnlyAction.RETRY, BulkOnlyAction.RESTATE):
            raise UsageError("What was refused cannot be tried again so: see Why.")
        else:
            self.go_to("bulk-new", tuple(users[ItemOutcome.REFUSED]), str(bulk.action))

    async def verb_undo(self) -> None:
        """Say what taking the whole of it back does, and ask."""
        self.need_write()
        bulk = self._known()
        plan = await undo_plan(self.context.scope, bulk.id)
        self.still_here()
        if not plan.queued:
            raise UsageError(f"Nothing of bulk {bulk.id} can be undone. {summary(plan)}")
        lines = [
            f"{self.context.account.name}: undo bulk {bulk.id}, {self._title(bulk)}?",
            summary(plan),
            *(f"{reason.count:,} {reason.state}: {reason.reason}" for reason in plan.reasons[:3]),
        ]
        if plan.concerned > self.context.settings.console.confirm_above:
            self.prompts.ask_typed(
                lines,
                str(plan.concerned),
                lambda: partial(self._begin_undo, plan.attended),
                what="the number of users" if plan.users else "the number of domains",
            )
        else:
            self.prompts.confirm(lines, lambda: self._begin_undo(plan.attended), yes="Undo")

    def _begin_undo(self, attended: bool) -> None:
        if attended:
            self._passwords.ask_where(self._undo)
        else:
            self.do(self._undo(None))

    async def _undo(self, place: Path | None) -> None:
        done = (await undo(self.context.scope, bulk=self._bulk_id)).result
        if done.bulk is not None and done.bulk.attended:
            self._passwords.attend_to(done.bulk, place)
        await self.queue_changed()
        if done.bulk is not None:
            self.announce(f"Undone by bulk {done.bulk.id}")
            self.turn_into("bulk", done.bulk.id)

    def on_cursor_lines_opened(self, event: CursorLines.Opened) -> None:
        item = self.item
        if event.rows.id != "items" or item is None:
            return
        if item.user_id is not None:
            self.go_to("provision", item.user_id, item.assignment_id)
        elif item.domain_id is not None:
            kind = SubjectKind.DOMAIN.value
            self.go_to("provision", "", item.assignment_id, kind, item.name)

    def verb_copy(self) -> None:
        item = self.item
        if item is not None:
            self.copy(" - ".join(filter(None, (item.name, str(item.outcome), item.reason))))

    def about_user(self) -> str | None:
        return self.item.user_id if self.item is not None else None
