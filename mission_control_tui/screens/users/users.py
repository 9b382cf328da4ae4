"""Users: find as you type; Enter on a row expands User Functions and Account Status below the list."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import replace

from textual.widget import Widget

from mission_control_tui.model.errors import UsageError
from mission_control_tui.model.search.anyone import find_anyone
from mission_control_tui.model.search.filters import ALL, UserFilter
from mission_control_tui.model.search.light_matrix import place
from mission_control_tui.model.search.user_list import page
from mission_control_tui.model.states import Light, Word
from mission_control_tui.model.text.counting import counted
from mission_control_tui.model.views import UserLine
from mission_control_tui.screens.base.mission_screen import MissionScreen
from mission_control_tui.screens.users.functions import UserFunctions
from mission_control_tui.screens.users.marks import HOW, MARKING, Marks, name_cell
from mission_control_tui.widgets.field import FormLine, ShownField
from mission_control_tui.widgets.find_box import FindBox
from mission_control_tui.widgets.light import light_parts
from mission_control_tui.widgets.line_list import LineList, RowPage
from mission_control_tui.widgets.rows import Cell, Column, CursorLines, Row

SHOWN = {
    "all": ("All users", ALL),
    "red": ("With a red light", UserFilter(lights=frozenset({Light.RED}))),
    "orange": ("With an orange light", UserFilter(lights=frozenset({Light.ORANGE}))),
    "disabled": ("Disabled", UserFilter(disabled=True)),
    "bin": ("Recycling bin", UserFilter(in_bin=True)),
}
"""What the list can be narrowed to: label and filter."""

NOBODY_YET = "No users yet: n creates one"
NOBODY_FOUND = "Nobody is found here"

FEW = 3
"""Users of this account; where no more are found, other accounts are looked through."""

ELSEWHERE = 20
"""People of other accounts who are counted at most."""

WORST = (Light.RED, Light.ORANGE, Light.GREEN)
WORDS = {Light.RED: Word.ERROR, Light.GREEN: Word.PROVISIONED}


def lights_cell(lights: Sequence[tuple[str, Light]], orange: str) -> Cell:
    """Return the worst light of a user in words, `orange` being that of orange; what else there is as numbers."""
    counts = {light: sum(shown is light for _service, shown in lights) for light in WORST}
    there = [light for light in WORST if counts[light]]
    if not there:
        return light_parts(Light.GREY, "Not provisioned")
    parts = list(light_parts(there[0], WORDS.get(there[0], orange)))
    for light in there[1:]:
        parts += [(" ", ""), *light_parts(light, str(counts[light]))]
    return tuple(parts)


def user_row(line: UserLine) -> Row:
    """Return a user as a row of the list."""
    name = name_cell(line.display_name, disabled=line.disabled, locked=line.locked)
    return Row(line.id, (name, line.upn, lights_cell(line.lights, line.orange)))


class UsersScreen(MissionScreen):
    """All users of the account."""

    NAME = "users"
    MEMORY_NAME = "UsersScreen"
    HEADING = "Users"
    ABOUT = (
        "Type in Find to narrow the list by name, user name, address or phone number; Enter or Down goes to the list. "
        "Enter on a user expands User Functions and Account Status below; Escape closes them. Space marks users, v "
        "marks from the last mark to here, * all that is found; x is one action for all marked. Show > Recycling bin "
        "lists deleted users, whom Restore brings back. d does something at a date and time."
    )
    VERBS = ("find", "new", "provision", "edit", "like", "schedule", "copy", *MARKING)
    OF_ROWS = frozenset({"provision"})
    CSS_PATH = "users.tcss"
    AUTO_FOCUS = "#users"

    def __init__(self, *, find: bool = False) -> None:
        super().__init__()
        self.functions = UserFunctions(self)
        self.marks = Marks(self, "users", sight=self._sight, say=self._say_marks)
        self.parts = (self.functions, self.marks)
        self._find_first = find
        self._open_user: str | None = None
        self._found = ""
        self._total = 0

    def body(self) -> Iterable[Widget]:
        yield ShownField(SHOWN, help_text="Which users the list shows")
        find_box = FindBox(id="find")
        yield find_box
        yield LineList(
            find_box=find_box,
            columns=(Column("Name"), Column("UPN"), Column("Services", width=19)),
            marking=True,
            empty=NOBODY_YET,
            id="users",
        )
        self.functions.card.display = False
        yield self.functions.card

    def on_mount(self) -> None:
        if self._find_first:
            self.query_one(FindBox).focus()

    # Data

    async def load(self) -> None:
        self.query_one(LineList).show(self._fetch, find=self._find, keep=True)
        if self._open_user is not None:
            await self.functions.show(self._open_user)
        self.marks.look()
        self.refresh_keys()

    def _sight(self) -> UserFilter:
        wanted = self._wanted()
        if wanted.in_bin:
            raise UsageError("Users in the recycling bin are not acted on: restore them first.")
        return wanted

    def _wanted(self) -> UserFilter:
        shown: ShownField[UserFilter] = self.query_one(ShownField)
        return replace(shown.meaning, text=self.query_one(FindBox).text)

    def _say_marks(self, text: str) -> None:
        how = HOW if self._total else ""
        said = filter(None, (text, self._found, "" if text else how))
        self.query_one(FindBox).note = "; ".join(said)

    async def _fetch(self, offset: int, limit: int) -> RowPage:
        wanted = self._wanted()
        found = await page(self.context.scope, wanted, offset=offset, limit=limit)
        more = "more than " if found.more else ""
        if self.is_here:
            narrowed = replace(wanted, text=self.query_one(FindBox).text.strip()) != ALL
            self.query_one(LineList).empty = NOBODY_FOUND if narrowed else NOBODY_YET
            count = counted(found.total, "user")
            self._found, self._total = f"{more}{count}", found.total
            self.marks.tell()
            if not offset and found.total <= FEW and not found.more:
                self._look_elsewhere(count)
        return RowPage([user_row(line) for line in found.rows], found.total)

    def _look_elsewhere(self, count: str) -> None:
        """Say beside the box who else is found in other accounts, where there is hardly anybody in this one."""
        text = self.query_one(FindBox).text
        if text.strip():
            self.loader.do_latest(self._count_elsewhere(text, count), "elsewhere")

    async def _count_elsewhere(self, text: str, count: str) -> None:
        context = self.context
        here = context.account_id
        found = await find_anyone(context.store, context.caller, text, ELSEWHERE, current=here)
        others = sum(user.account.id != here for user in found.users)
        if others and self.is_here and self.query_one(FindBox).text == text:
            many = f"{others}+" if found.more else str(others)
            self._found = f"{count}; {many} in other accounts: F3"
            self.marks.tell()

    async def _find(self, key: Hashable) -> int | None:
        return await place(self.context.scope, str(key), self._wanted())

    def on_find_box_changed(self, event: FindBox.Changed) -> None:
        self._look_again()

    def on_form_line_changed(self, event: FormLine.Changed) -> None:
        if event.field.id == "shown":
            self._look_again()

    def _look_again(self) -> None:
        if self.console.is_open:
            self.close_card()
            self.query_one(LineList).show(self._fetch, find=self._find, keep=False)
            self.marks.look(soon=True)

    # The card

    def on_cursor_lines_opened(self, event: CursorLines.Opened) -> None:
        if event.rows.id == "users":
            self.do(self._expand(str(event.row.key)))

    def on_cursor_lines_marked(self) -> None:
        self.marks.tell()

    async def _expand(self, user_id: str) -> None:
        self._open_user = user_id
        await self.functions.show(user_id)
        if self.is_here:
            card = self.functions.card
            card.display = True
            card.functions.move_to(0)
            card.functions.focus()
            self.call_after_refresh(self.query_one(LineList).rows_changed)

    def close_card(self) -> None:
        """Fold User Functions away."""
        card = self.functions.card
        if card.display:
            had = card.has_focus_within
            self._open_user = None
            if card.resets:
                card.close_reset()
            card.display = False
            if had:
                self.query_one(LineList).focus()

    def verb_back(self) -> None:
        card = self.functions.card
        inside = self.prompts.is_clear and card.display
        if inside and not card.resets and not self.in_field:
            self.close_card()
            self.query_one(LineList).focus()
        elif self.in_field and not card.resets and not self.prompts.is_asking:
            self.query_one(LineList).focus()
        elif not self.functions.step_out():
            super().verb_back()

    # Verbs

    @property
    def unhinted(self) -> frozenset[str]:
        return self.marks.unhinted

    def about_user(self) -> str | None:
        """Return the user whose card is open, else the one under the cursor."""
        if self._open_user is not None:
            return self._open_user
        row = self.query_one(LineList).current
        return str(row.key) if row is not None else None

    def verb_new(self) -> None:
        self.go_to("new-user")

    def verb_copy(self) -> None:
        row = self.query_one(LineList).current
        if row is not None:
            self.copy(str(row.cells[1]))

    # Memory

    def remember(self) -> dict[str, object]:
        return {**super().remember(), **self.marks.remember(), "open-user": self._open_user}

    def recall(self, memory: dict[str, object]) -> None:
        super().recall(memory)
        self.marks.recall(memory)
        opened = memory.pop("open-user", None)
        if isinstance(opened, str) and self.console.is_open:
            self.do(self._expand(opened))
