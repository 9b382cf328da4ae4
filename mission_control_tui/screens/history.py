"""History of the account or of one user: who changed what and when; undone, copied, written to a file."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path

from textual.widget import Widget

from mission_control_tui.model.dates import zone_of
from mission_control_tui.model.errors import UsageError
from mission_control_tui.model.history.audit_export import (
    as_csv,
    as_json,
    as_script,
    as_text,
    heading,
)
from mission_control_tui.model.history.audit_log import COUNTED, AuditFilter, count_entries, entries
from mission_control_tui.model.history.audit_names import named, named_values, service_of
from mission_control_tui.model.history.undo import UndoResult, judge, undo
from mission_control_tui.model.plan import Plan
from mission_control_tui.model.store.private_files import path_named, write_new
from mission_control_tui.model.text.counting import counted
from mission_control_tui.model.text.differences import differences, value_text
from mission_control_tui.model.users.queries import details
from mission_control_tui.model.views import AuditView
from mission_control_tui.screens.base.mission_screen import MissionScreen
from mission_control_tui.widgets.field import FormLine, ShownField
from mission_control_tui.widgets.find_box import FindBox
from mission_control_tui.widgets.line_list import LineList, RowPage
from mission_control_tui.widgets.rows import Column, CursorLines, Row
from mission_control_tui.widgets.text_lines import TextLines

PERIODS: dict[str, tuple[str, timedelta | None]] = {
    "all": ("All of it", None),
    "day": ("The last 24 hours", timedelta(days=1)),
    "week": ("The last 7 days", timedelta(days=7)),
    "month": ("The last 31 days", timedelta(days=31)),
    "session": ("What I did in this session", None),
}
FORMS = (".csv", ".json", ".txt", ".sh")
EXPORT_AT_ONCE = 500
EXPORT_MOST = 100_000
DETAIL_LINES = 4


class HistoryScreen(MissionScreen):
    """The audit, newest first."""

    NAME = "history"
    MEMORY_NAME = "HistoryScreen"
    HEADING = "History"
    ABOUT = (
        "Who changed what, when, for which ticket. Type in Find to narrow it to a person, a user, a service or a "
        "ticket; Show chooses the period. Below the list stands the change in full, before and after. u takes it back: "
        "it asks for the state before, and says first what that does. y copies it for a ticket. w writes all that is "
        "shown to a file: .csv, .json, .txt for people, or .sh, a script of commands that does it again; with What I "
        "did in this session it proposes that script. Enter opens the request."
    )
    VERBS = ("find", "undo", "copy", "write")
    CSS_PATH = "history.tcss"
    AUTO_FOCUS = "#history"

    def __init__(self, user_id: str | None = None, shown: str = "all") -> None:
        super().__init__()
        self._user_id = user_id
        self.subject = f" {user_id or ''}"
        self._shown_first = shown

    def body(self) -> Iterable[Widget]:
        yield ShownField(PERIODS, self._shown_first, help_text="Which changes the list shows")
        find_box = FindBox(id="find")
        yield find_box
        yield LineList(
            find_box=find_box,
            columns=(
                Column("When", width=12),
                Column("Who"),
                Column("What", share=4),
                Column("Ticket"),
            ),
            empty="Nothing was changed",
            id="history",
        )
        yield TextLines("", id="detail")

    # Data

    async def load(self) -> None:
        if self._user_id is not None:
            user = await details(self.context.scope, self._user_id)
            self.frame.top.title = f"History of {user.details.display_name}"
        self.query_one(LineList).show(self._fetch, find=self._find, keep=True)
        self.refresh_keys()

    def _filters(self) -> AuditFilter:
        """Return what `audit.entries` is asked."""
        shown = self._shown
        ago = self.query_one(ShownField).meaning
        return {
            "user": self._user_id,
            "since": datetime.now(UTC) - ago if ago is not None else None,
            "session": self.context.caller.session if shown == "session" else None,
            "words": self.query_one(FindBox).text,
        }

    @property
    def _shown(self) -> str:
        """Which of PERIODS the list shows."""
        return self.query_one(ShownField).value

    @property
    def key_labels(self) -> Mapping[str, str]:
        return {"write": "Save as script"} if self._shown == "session" else {}

    async def _fetch(self, offset: int, limit: int) -> RowPage:
        filters = self._filters()
        found = await entries(self.context.scope, limit=limit, offset=offset, **filters)
        total = await count_entries(self.context.scope, **filters)
        if self.is_here:
            more = "more than " if total >= COUNTED else ""
            self.query_one(FindBox).note = f"{more}{counted(total, 'change')}"
        return RowPage([self._row(entry) for entry in found], total)

    async def _find(self, key: Hashable) -> int | None:
        if not isinstance(key, int):
            return None
        return await count_entries(self.context.scope, after_id=key, **self._filters())

    def _row(self, entry: AuditView) -> Row:
        at = f"{entry.at.astimezone(self._zone):%d %b %H:%M}"
        read = self._named(entry)
        what = (f"{read.action} ", ""), (read.target, "strong")
        return Row(entry.id, (at, entry.operator, what, entry.ticket), entry)

    def _named(self, entry: AuditView) -> AuditView:
        """Return the change as people read it."""
        return named(entry, self.context.catalogue)

    @property
    def _zone(self) -> tzinfo:
        return zone_of(self.context.account.time_zone)

    def on_line_list_loaded(self, event: LineList.Loaded) -> None:
        self._tell()

    def on_cursor_lines_moved(self, event: CursorLines.Moved) -> None:
        if event.rows.id == "history":
            self._tell()

    def _tell(self) -> None:
        """Show the change under the cursor in full, what differs, and whether it can be undone."""
        entry = self.entry
        if entry is None:
            self.query_one("#detail", TextLines).set("")
            return
        read = self._named(entry)
        lines = list(differences(read.before, read.after))
        if len(lines) > DETAIL_LINES:
            lines = [*lines[: DETAIL_LINES - 1], f"... {len(lines) - DETAIL_LINES + 1} more"]
        lines.insert(0, heading(read, self._zone))
        if entry.request_id is not None:
            lines.append(f"request {entry.request_id}: Enter opens it")
        judged = judge(entry)
        lines.append("u takes it back" if judged.possible else f"No undo: {judged.why_not}")
        self.query_one("#detail", TextLines).set("\n".join(lines))

    def on_find_box_changed(self, event: FindBox.Changed) -> None:
        self.query_one(LineList).show(self._fetch, find=self._find)

    def on_form_line_changed(self, event: FormLine.Changed) -> None:
        if event.field.id == "shown":
            self.query_one(LineList).show(self._fetch, find=self._find)
            self.refresh_keys()

    # Verbs

    @property
    def entry(self) -> AuditView | None:
        """The change under the cursor."""
        return self.query_one(LineList).current_data(AuditView)

    def _chosen(self) -> AuditView:
        entry = self.entry
        if entry is None:
            raise UsageError("Put the cursor on a change first.")
        return entry

    def on_cursor_lines_opened(self, event: CursorLines.Opened) -> None:
        if event.rows.id == "history" and self.entry is not None:
            if self.entry.request_id is None:
                self.answer("This change needed no request: all of it stands below")
            else:
                self.go_to("request", self.entry.request_id)

    async def verb_undo(self) -> None:
        """Say what taking it back does, and ask."""
        self.need_write()
        entry = self._chosen()
        tried = await undo(self.context.scope, audit=entry.id, dry_run=True)
        self.still_here()
        read = self._named(entry)
        lines = [f"{self.context.account.name}: undo {read.action} of {read.target}?"]
        lines += self._plan_words(entry, tried.result, tried.plan)

        async def agreed() -> None:
            done = await undo(self.context.scope, audit=entry.id)
            bulk = f", as bulk {done.result.bulk.id}" if done.result.bulk is not None else ""
            self.announce(f"Undone: {read.action} of {read.target}{bulk}")
            await self.queue_changed()

        self.prompts.confirm(lines, agreed, yes="Undo")

    def _plan_words(self, entry: AuditView, undone: UndoResult, plan: Plan) -> list[str]:
        """Return what an undo would do and what it warns of, in lines of a question."""
        catalogue = self.context.catalogue
        of = service_of(entry, catalogue)
        said = []
        for line in plan.lines:
            before = named_values(catalogue, of, line.before)
            changes = ", ".join(
                f"{key.replace('_', ' ')} {value_text(before.get(key))} -> {value_text(after)}"
                for key, after in named_values(catalogue, of, line.after).items()
                if value_text(before.get(key)) != value_text(after)
            )
            said.append(f"{line.verb} {line.name}" + (f": {changes}" if changes else ""))
        if undone.plan is not None:
            said.append(f"{undone.plan.queued} of {undone.plan.total} would change")
        return [*said[:DETAIL_LINES], *undone.notes, *plan.warnings[:DETAIL_LINES]]

    def verb_copy(self) -> None:
        self.copy(as_text([self._named(self._chosen())], self._zone).splitlines())

    def verb_write(self) -> None:
        named = f"{self.context.account.code}-{datetime.now(UTC):%Y%m%d-%H%M}"
        what, name = "Write what is shown", f"history-{named}.csv"
        if self._shown == "session":
            what, name = "Save what you did", f"session-{named}.sh"
        self.prompts.ask(
            [
                f"{what} to a file. Its ending says as what:",
                ".csv, .json, .txt for people, .sh for commands that do it again.",
            ],
            "File",
            self._write,
            value=str(Path.home() / name),
        )

    async def _write(self, text: str) -> None:
        path = path_named(text)
        if path.suffix not in FORMS:
            raise UsageError(f"{path.name} ends on none of {', '.join(FORMS)}.")
        found = await self._all()
        oldest_first = found[::-1]
        content = {
            ".csv": lambda: as_csv(found),
            ".json": lambda: as_json(found),
            ".txt": lambda: as_text(map(self._named, oldest_first), self._zone),
            ".sh": lambda: as_script(oldest_first),
        }[path.suffix]()
        await write_new(path, content)
        what = f"{counted(len(found), 'change')} written to {path}"
        if len(found) >= EXPORT_MOST:
            what = f"The newest {what}; there are more: the command audit writes all"
        self.announce(what)

    async def _all(self) -> list[AuditView]:
        """Return all that is shown, at most EXPORT_MOST."""
        found: list[AuditView] = []
        filters = self._filters()
        while len(found) < EXPORT_MOST:
            last, at_once = found[-1].id if found else None, EXPORT_AT_ONCE
            page = await entries(self.context.scope, limit=at_once, before_id=last, **filters)
            found += page
            if len(page) < EXPORT_AT_ONCE:
                break
        return found
