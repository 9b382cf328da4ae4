"""The members of an object on its form: added by search as one types, taken out by Enter; nothing is sent by it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass

from textual.app import ComposeResult
from textual.containers import VerticalGroup
from textual.message import Message

from mission_control_tui.model.catalogue.types import Role
from mission_control_tui.model.groups.queries import MemberView
from mission_control_tui.widgets.field import ChoiceField
from mission_control_tui.widgets.find_box import FindBox
from mission_control_tui.widgets.lines import Part
from mission_control_tui.widgets.row_list import RowList
from mission_control_tui.widgets.rows import Column, CursorLines, Row
from mission_control_tui.widgets.text_lines import TextLines

Key = tuple[str, str]
"""(role, id of the user or object)."""

OFFERED = 5
SEEN = 7


@dataclass(frozen=True, slots=True)
class Entry:
    """Who has, or is to have, a role."""

    role: str
    id: str
    name: str
    address: str
    kind_name: str


class AddBox(FindBox):
    """`Add: text`."""

    has_verbs_of_rows = False
    label = "Add"
    help_text = "Type part of a name or address, Down goes to who is found, Enter there adds to the role above."

    def line(self, y: int, width: int) -> Iterable[Part]:
        if y:
            return ()
        return [("Add:  ", "dim"), (" " * 33, ""), (self.note or "type a name, Down, Enter", "dim")]


class MemberFields(VerticalGroup):
    """Roles, the search, what it offers, and the list."""

    DEFAULT_CSS = """
    MemberFields #choices { display: none; }
    """

    class Changed(Message):
        """Who is wanted changed."""

    @dataclass
    class Sought(Message):
        """Somebody looks for `text`, to add it in `role`."""

        role: str
        text: str

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._roles: Sequence[Role] = ()
        self._present: dict[Key, MemberView] = {}
        self.added: dict[Key, Entry] = {}
        self.removed: set[Key] = set()

    def compose(self) -> ComposeResult:
        yield TextLines("Members", "title", id="members-title")
        yield ChoiceField("Role", [], help_text="What who is added next will be to it.", id="role")
        yield AddBox(id="add")
        yield RowList(
            columns=(Column(), Column(), Column(width=18)),
            empty="Nobody is found",
            most=OFFERED,
            help_text="Enter adds who is under the cursor.",
            title="Found",
            id="choices",
        )
        yield RowList(
            columns=(
                Column("", width=1),
                Column("Role", width=12),
                Column("Who"),
                Column("Address"),
            ),
            empty="Nobody yet",
            most=SEEN,
            help_text="Enter takes a member out, or puts one back; Provision sends it.",
            title="Members",
            id="members",
        )

    @property
    def role(self) -> str:
        """The role that is chosen for who is added next."""
        return self.query_one("#role", ChoiceField).value

    def show(self, roles: Sequence[Role], members: Sequence[MemberView]) -> None:
        """Show what is stored; what was added or taken out here meanwhile stays so, where it still makes sense."""
        self._roles = roles
        self.display = bool(roles)
        self.query_one("#role", ChoiceField).set_choices([(role.id, role.name) for role in roles])
        self._present = {(member.role, member.id): member for member in members}
        self.added = {key: entry for key, entry in self.added.items() if key not in self._present}
        self.removed &= self._present.keys()
        self._draw()
        if self.query_one(AddBox).is_stale:
            self._seek()

    def _draw(self) -> None:
        names = {role.id: role.name for role in self._roles}
        entries: dict[Key, MemberView | Entry] = {**self._present, **self.added}
        rows = []
        for role in dict.fromkeys((*names, *(role for role, _id in entries))):
            for key, entry in entries.items():
                if key[0] != role:
                    continue
                sign, style = "", ""
                if key in self.added:
                    sign, style = "+", "orange"
                elif key in self.removed:
                    sign, style = "-", "error"
                texts = (sign, names.get(role, role), entry.name, entry.address)
                rows.append(Row(key, tuple((text, style) for text in texts)))
        self.query_one("#members", RowList).set_rows(rows)
        people = len({ident for _role, ident in entries}) or "nobody yet"
        title = f"Members ({people})   Enter on one takes it out"
        self.query_one("#members-title", TextLines).set(title)

    def offer(self, sought: Sought, found: Sequence[MemberView]) -> None:
        """Show who could be added; nothing once the search went on or the role changed."""
        role, box = sought.role, self.query_one(AddBox)
        if role != self.role or sought.text != box.text or not sought.text.strip():
            return
        box.answer(sought.text)
        there = {key[1] for key in (*self._present, *self.added) if key[0] == role}
        offers = [member for member in found if member.id not in there]
        choices = self.query_one("#choices", RowList)
        choices.forget()
        choices.set_rows(
            [
                Row(member.id, (member.name, member.address, (member.kind_name, "dim")), member)
                for member in offers
            ]
        )
        choices.display = True
        box.note = f"{len(offers)} found" if offers else "nobody is found"

    def on_form_line_changed(self, event: FindBox.Changed | ChoiceField.Changed) -> None:
        event.stop()
        self._seek()

    def _seek(self) -> None:
        box = self.query_one(AddBox)
        box.ask()
        if box.text.strip():
            self.post_message(self.Sought(self.role, box.text))
        else:
            box.answer(box.text)
            box.note = ""
            self.query_one("#choices", RowList).display = False

    on_find_box_changed = on_form_line_changed

    def on_cursor_lines_opened(self, event: CursorLines.Opened) -> None:
        event.stop()
        if event.rows.id == "choices":
            self._add(event.row.data)
        else:
            self._turn(event.row.key)

    def _add(self, chosen: object) -> None:
        if not isinstance(chosen, MemberView):
            return
        key = (self.role, chosen.id)
        self.added[key] = Entry(self.role, chosen.id, chosen.name, chosen.address, chosen.kind_name)
        box = self.query_one(AddBox)
        box.focus()
        box.clear()
        self.query_one("#choices", RowList).display = False
        self._draw()
        self.post_message(self.Changed())

    def _turn(self, key: object) -> None:
        """Take a member out, or put one back."""
        if not isinstance(key, tuple):
            return
        if key in self.added:
            del self.added[key]
        else:
            self.removed ^= {key}
        self._draw()
        self.post_message(self.Changed())

    def forget(self) -> None:
        """What was wanted is stored."""
        self.added, self.removed = {}, set()
        self.query_one(AddBox).clear()

    @property
    def count(self) -> int:
        """Return how many changes are wanted."""
        return len(self.added) + len(self.removed)

    def who(self, keys: Iterable[Key]) -> dict[str, list[str]]:
        """Role -> ids."""
        found: dict[str, list[str]] = {}
        for role, ident in keys:
            found.setdefault(role, []).append(ident)
        return found

    def remember(self) -> object:
        added = [list(astuple(entry)) for entry in self.added.values()]
        return [added, [list(key) for key in self.removed]]

    def recall(self, memory: object) -> None:
        if isinstance(memory, list) and len(memory) == 2:
            for role, ident, *rest in memory[0]:
                self.added[role, ident] = Entry(role, ident, *rest)
            self.removed |= {(role, ident) for role, ident in memory[1]}
            if self._roles:
                self._draw()
            self.post_message(self.Changed())
