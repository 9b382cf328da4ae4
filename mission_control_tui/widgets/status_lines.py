"""The three lines that every screen has: the top line, the announcement line and the key hints."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from mission_control_tui.model.states import Light
from mission_control_tui.widgets.cells import fit, width_of
from mission_control_tui.widgets.lines import LineWidget, Painted, Part


@dataclass(frozen=True, slots=True)
class TopInfo:
    """What the top line says. `red` and `orange` count what the operator asked for, None until the database has
    answered, `all_red` what anybody did; with `more` there are at least so many.
    """

    account: str = ""
    operator: str = ""
    real: bool = False
    red: int | None = None
    orange: int | None = None
    extra: str = ""
    more: bool = False
    all_red: int = 0
    silence: str = ""
    """That the database was not heard from; it stands in the place of counts that may be old."""


MOST_TITLE, LEAST_TITLE = 30, 12
LEAST_ACCOUNT = 10
"""Cells that are left of an account's name where operator, mode and ticket need the others."""


class TopLine(LineWidget):
    """`mine: 1 orange 2 red  SIMULATOR  Acme · fred  (extra)  all: 3 red  Title`, first what changes: cheap there.

    What is red for all is said where more than the operator's own is, so that `0 red` is not taken for all is well.
    """

    title = Painted("")
    info = Painted(TopInfo())

    def __init__(self, title: str) -> None:
        super().__init__(id="top")
        self.title = title

    def line(self, y: int, width: int) -> Iterable[Part]:
        info = self.info
        counts: list[Part] = [
            ("mine: ", ""),
            (self._count(Light.ORANGE, info.orange), "orange" if info.orange else ""),
            (" ", ""),
            (self._count(Light.RED, info.red), "red" if info.red else ""),
        ]
        parts: list[Part] = [
            *([(info.silence, "red")] if info.silence else counts),
            ("  ", ""),
            ("REAL", "real") if info.real else ("SIMULATOR", ""),
            ("  ", ""),
        ]
        used = sum(width_of(text) for text, _style in parts)
        extra = f"  {info.extra}" if info.extra else ""
        free = max(width - used - 2, 0)
        who = _who(info.account, info.operator)
        title = self._title(free - width_of(who) - width_of(extra))
        room = max(free - width_of(title), 0)
        others = self._others()
        names = self._names_beside(room - width_of(extra) - width_of(others)) if others else None
        if names is None:
            named = fit(self._names_alone(room, width_of(extra)) + extra, room).rstrip()
            title = self._title(free - width_of(named))
            shown = fit(named, max(free - width_of(title), 0))
            return [*parts, (shown, "strong"), ("  ", ""), (title, "title")]
        rest = " " * (room - width_of(names + extra + others) + 2)
        return [*parts, (names + extra, "strong"), (others + rest, ""), (title, "title")]

    def _names_beside(self, room: int) -> str | None:
        """Return who works where, beside what is red for all: the operator gives way first; None without the room."""
        account, operator = self.info.account, self.info.operator
        least = fit(account, min(width_of(account), LEAST_ACCOUNT)).rstrip()
        if width_of(_who(least, operator)) > room:
            return None
        whole = _who(account, operator)
        return whole if width_of(whole) <= room else fit(account, min(width_of(account), room))

    def _names_alone(self, room: int, extra: int) -> str:
        """Return who works where beside mode and ticket, which are on every change.

        The operator, who knows that name, gives way first; then the account, down to half of the room.
        """
        account = self.info.account
        who = _who(account, self.info.operator)
        if width_of(who) + extra <= room:
            return who
        least = min(width_of(account), room - room // 2)
        return fit(account, min(width_of(account), max(room - extra, least)))

    def _title(self, room: int) -> str:
        """Return the title, which gives way to who works where, but never so far that it says nothing."""
        full = min(width_of(self.title), MOST_TITLE)
        return fit(self.title, max(min(full, room), min(full, LEAST_TITLE)))

    def _others(self) -> str:
        """Return how many are red in the account, where others asked for some of them."""
        info = self.info
        if info.red is None or info.all_red <= info.red:
            return ""
        return f"  all: {info.all_red}{'+' if info.more else ''} red"

    def _count(self, light: Light, count: int | None) -> str:
        sign = "+" if count is not None and self.info.more else ""
        return f"{'-' if count is None else count}{sign} {light}"


def _who(account: str, operator: str) -> str:
    return " · ".join(filter(None, (account, operator)))


class Announcement(LineWidget):
    """One line for what just happened; errors in colour and with a word."""

    def __init__(self) -> None:
        super().__init__(id="announcement")
        self.text = ""
        self._style = ""

    def set(self, text: str, *, error: bool = False) -> None:
        self.text = text
        self._style = "error" if error else ""
        self.repaint()

    def line(self, y: int, width: int) -> Iterable[Part]:
        return [(fit(self.text, width), self._style)]


class KeyLine(LineWidget):
    """At most seven key hints, none cut off."""

    hints: Painted[Sequence[tuple[str, str]]] = Painted(())

    def __init__(self) -> None:
        super().__init__(id="keys")

    def line(self, y: int, width: int) -> Iterable[Part]:
        parts: list[Part] = []
        for key, label in self.hints:
            parts += [(key, "key"), (f" {label}  ", "")]
        return parts
