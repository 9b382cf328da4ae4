"""The members of an object on its form: added by search as one types, taken out by Enter; nothing is sent by it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message

from mission_control_tui.model.catalogue.types import Role
from mission_control_tui.model.groups.queries import MemberView
from mission_control_tui.widgets.choice_field import ChoiceField
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

    label = "Add"
    help_text = "Type part of a name or address, Down goes to who is found, Enter there adds to the role above."

    def line(self, y: int, width: int) -> Iterable[Part]:
        if y:
            return ()
        return [("Add:  ", "dim"), (" " * 33, ""), (self.note or "type a name, Down, Enter", "dim")]


class MemberFields(Vertical):
    """Roles, the search, what it offers, and the list."""

    DEFAULT_CSS = """
    MemberFields { height: auto; }
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
        self._present: dict[Key, Entry] = {}
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
        self._present = {
            (member.role, member.id): Entry(
                member.role, member.id, member.name, member.address, member.kind_name
            )
            for member in members
        }
        self.added = {key: one for key, one in self.added.items() if key not in self._present}
        self.removed &= self._present.keys()
        self._draw()

    def _draw(self) -> None:
        names = {role.id: role.name for role in self._roles}
        order = {role.id: index for index, role in enumerate(self._roles)}
        entries = sorted(
            {**self._present, **self.added}.items(), key=lambda pair: order.get(pair[0][0], 99)
        )
        rows = []
        for key, entry in entries:
            sign, style = "", ""
            if key in self.added:
                sign, style = "+", "orange"
            elif key in self.removed:
                sign, style = "-", "error"
            cells = (
                (sign, style),
                (names.get(entry.role, entry.role), style),
                (entry.name, style),
                (entry.address, style),
            )
            rows.append(Row(key, cells))
        self.query_one("#members", RowList).set_rows(rows)
        count = len({one.id for one in (*self._present.values(), *self.added.values())})
        people = "nobody yet" if not count else f"{count}"
        self.query_one("#members-title", TextLines).set(
            f"Members ({people})   Enter on one takes it out"
        )

    def offer(self, role: str, found: Sequence[MemberView]) -> None:
        """Show who could be added; nothing once the search was left or the role changed."""
        if role != self.role or not self.query_one(AddBox).text.strip():
            return
        there = {key[1] for key in (*self._present, *self.added) if key[0] == role}
        offers = [one for one in found if one.id not in there]
        choices = self.query_one("#choices", RowList)
        choices.set_rows(
            [
                Row(offer.id, (offer.name, offer.address, (offer.kind_name, "dim")), offer)
                for offer in offers
            ]
        )
        choices.display = True
        self.query_one(AddBox).note = f"{len(offers)} found" if offers else "nobody is found"

    def on_find_box_changed(self, event: FindBox.Changed) -> None:
        event.stop()
        self._seek()

    def on_form_line_changed(self, event: ChoiceField.Changed) -> None:
        event.stop()
        self._seek()

    def _seek(self) -> None:
        text = self.query_one(AddBox).text
        if text.strip():
            self.post_message(self.Sought(self.role, text))
        else:
            self.query_one("#choices", RowList).display = False
            self.query_one(AddBox).note = ""

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
        return [
            [
                [one.role, one.id, one.name, one.address, one.kind_name]
                for one in self.added.values()
            ],
            [list(key) for key in self.removed],
        ]

    def recall(self, memory: object) -> None:
        if isinstance(memory, list) and len(memory) == 2:
            for one in memory[0]:
                self.added[one[0], one[1]] = Entry(*one)
            self.removed |= {(one[0], one[1]) for one in memory[1]}
            if self._roles:
                self._draw()
            self.post_message(self.Changed())
