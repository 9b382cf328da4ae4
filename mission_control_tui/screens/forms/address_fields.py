"""A user's e-mail addresses: what there is, what is to be added, removed, or made the primary one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from textual.app import ComposeResult
from textual.containers import HorizontalGroup, VerticalGroup
from textual.message import Message

from mission_control_tui.widgets.action_button import ActionButton
from mission_control_tui.widgets.field import Field
from mission_control_tui.widgets.row_list import RowList
from mission_control_tui.widgets.rows import Cell, Column, CursorLines, FieldLines, Row

MOST = 1000
"""Addresses that are seen at a time: as many as there may be."""


@dataclass(slots=True)
class AddressEdits:
    """Changes of addresses that have not been sent."""

    added: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    primary: str = ""

    @property
    def count(self) -> int:
        return len(self.added) + len(self.removed) + bool(self.primary)


class AddressList(RowList, FieldLines):
    """One address a row, with what it is and what is to become of it."""

    _rows = ()

    def __init__(self) -> None:
        super().__init__(
            columns=(Column(), Column(width=34)),
            most=MOST,
            help_text="Enter makes the address the primary one, which recipients see. Nothing is sent before "
            "Provision.",
            title="Email addresses",
            id="addresses",
        )


class AddressFields(VerticalGroup):
    """Aliases and the primary address; keeps what is wished until it is sent."""

    class Changed(Message):
        """Something else is wished."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.wished = AddressEdits()
        self._upn = ""
        self._aliases: Sequence[str] = ()
        self._primary = ""
        self.list = AddressList()
        self.alias = Field(
            "New alias",
            max_length=254,
            width=40,
            help_text="A whole address at one of the account's domains; Enter goes on, then Add.",
            id="f-alias",
        )

    def compose(self) -> ComposeResult:
        yield self.list
        with HorizontalGroup():
            for name, label, words in (
                ("make-primary", "Make primary", "The address that recipients see and reply to."),
                ("remove-alias", "Remove", "Takes the alias under the cursor away and frees it."),
            ):
                run = self._remove if name == "remove-alias" else self._make_primary
                yield ActionButton(label, help_text=words, width=0, run=run, id=name)
        yield self.alias
        yield ActionButton("Add alias", width=0, run=self._add, id="add-alias")

    def on_mount(self) -> None:
        self._show()

    def show(self, upn: str, aliases: Sequence[str], primary: str) -> None:
        """What the user has now; what is wished stays."""
        self._upn, self._aliases, self._primary = upn, aliases, primary
        have = {alias.casefold() for alias in aliases}
        self.wished.added = [
            address for address in self.wished.added if address.casefold() not in have
        ]
        self.wished.removed = [
            address for address in self.wished.removed if address.casefold() in have
        ]
        if self.wished.primary == primary:
            self.wished.primary = ""
        if self.is_mounted:
            self._show()

    def _show(self) -> None:
        self.list.set_rows(
            [Row(address, (address, self._said(address))) for address in self._all()]
        )

    def _all(self) -> Iterable[str]:
        return (self._upn, *self._aliases, *self.wished.added)

    def _said(self, address: str) -> Cell:
        words = ["UPN" if address == self._upn else "alias"]
        if address == self._primary:
            words.append("primary")
        pending = []
        if address in self.wished.added:
            pending.append("to be added")
        if address in self.wished.removed:
            pending.append("to be removed")
        if address == self.wished.primary:
            pending.append("to be primary")
        return ((", ".join(words), "dim"), (f"  {', '.join(pending)}" if pending else "", "orange"))

    def on_cursor_lines_opened(self, event: CursorLines.Opened) -> None:
        event.stop()
        self._make_primary()

    @property
    def _under_cursor(self) -> str:
        return str(self.list.current.key) if self.list.current is not None else ""

    def _make_primary(self) -> None:
        address = self._under_cursor
        self.wished.primary = "" if address in (self._primary, self.wished.primary) else address
        self._say()

    def _remove(self) -> None:
        address = self._under_cursor
        if address == self._upn:
            self.alias.error = "the UPN itself stays; change it under User Details"
            return
        if address in self.wished.added:
            self.wished.added.remove(address)
        elif address in self.wished.removed:
            self.wished.removed.remove(address)
        else:
            self.wished.removed.append(address)
        if self.wished.primary == address:
            self.wished.primary = ""
        self._say()

    def _add(self) -> None:
        typed = self.alias.value.strip()
        if not typed:
            self.alias.error = "type an address first"
            self.alias.focus()
            return
        if typed.casefold() not in {address.casefold() for address in self._all()}:
            self.wished.added.append(typed)
        self.alias.value = ""
        self._say()

    def _say(self) -> None:
        self.alias.error = ""
        self._show()
        self.post_message(self.Changed())

    def on_field_changed(self, event: Field.Changed) -> None:
        event.stop()
        event.field.error = ""

    def remember(self) -> object:
        wished = self.wished
        return list(wished.added), list(wished.removed), wished.primary

    def recall(self, memory: object) -> None:
        if isinstance(memory, tuple):
            self.wished = AddressEdits(*memory)
            self._show()
            self.post_message(self.Changed())
