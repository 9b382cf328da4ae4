"""Frames in fewer bytes: a terminal shows exactly what it would have shown."""

from __future__ import annotations

from collections.abc import Sequence
from unicodedata import category

import pyte
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len, set_cell_size
from rich.color import ColorSystem
from rich.style import Style
from wcwidth import wcwidth

from mission_control_tui.terminal.frame_diff import FrameDiff

COLUMNS, ROWS = 24, 5
STYLES = (
    "", "default on default", "on default", "bold", "dim", "bold red", "reverse", "underline", "on blue",
    "strike", "color(203)", "bold color(214) on default", "#102030", "bold on color(22)", "reverse bold", "italic",
)  # fmt: skip
VISIBLE_ON_A_BLANK = ("bg", "reverse", "underscore", "strikethrough")

letters = st.sampled_from([*"  ab界株é", "\u092f\u093e", "\u0e14\u0e35", "界\u0301"])
texts = st.lists(letters, max_size=9).map("".join) | st.integers(4, 16).map(" ".__mul__)
pieces = st.lists(st.tuples(texts, st.sampled_from(STYLES)), max_size=6)
rows = st.lists(
    st.tuples(st.integers(0, COLUMNS - 1), st.booleans(), pieces), min_size=1, max_size=4
)
systems = st.sampled_from(
    [ColorSystem.STANDARD, ColorSystem.EIGHT_BIT, ColorSystem.TRUECOLOR, None]
)
Row = tuple[int, bool, Sequence[tuple[str, str]]]


def frame_of(found: Sequence[Row], system: ColorSystem | None) -> str:
    """As Textual's compositor writes rows: a move, pieces that each end with a reset, a line break between."""
    lines = []
    for y, (x, fills, parts) in enumerate(found):
        rendered, width = "", COLUMNS - x
        for text, style in parts:
            part = set_cell_size(text, min(cell_len(text), width))
            width -= cell_len(part)
            rendered += Style.parse(style).render(part, color_system=system)
        if fills:
            rendered += " " * width
        lines.append(f"\x1b[{y + 1};{x + 1}H{rendered}")
    return "\n".join(lines) + "\x1b[1;1H"


class Screen(pyte.Screen):
    """pyte, which leaves out every mark that is not an accent, with all of them on their base or in cells of theirs."""

    signs_take_cells = False

    def draw(self, data: str) -> None:
        for char in data:
            if category(char).startswith("M") and not (
                category(char) == "Mc" and self.signs_take_cells
            ):
                row, x = self.buffer[self.cursor.y], self.cursor.x - 1
                at = x if row[x].data else x - 1
                row[at] = row[at]._replace(data=row[at].data + char)
            else:
                super().draw(char)


def shown(frame: str) -> list[list[tuple[object, ...]]]:
    """Every cell of a screen that was full of something else; of a blank only what can be seen."""
    screen = Screen(COLUMNS, ROWS)
    stream = pyte.Stream(screen)
    screen.reset_mode(7, private=True)
    for y in range(ROWS):
        stream.feed(f"\x1b[{y + 1};1H\x1b[7;31m{'#' * COLUMNS}\x1b[0m")
    stream.feed(frame.replace("\n", "\r\n"))
    return [
        [
            tuple(getattr(cell, name) for name in VISIBLE_ON_A_BLANK)
            if cell.data == " "
            else tuple(cell)
            for cell in (screen.buffer[y][x] for x in range(COLUMNS))
        ]
        for y in range(ROWS)
    ]


frames = st.lists(rows, min_size=1, max_size=4)


@given(frames, systems)
def test_thinner_frames_show_the_same(found: list[list[Row]], system: ColorSystem | None) -> None:
    """Each frame over the ones before it, some of whose rows come again."""
    thinner = FrameDiff()
    frames = [frame_of(rows, system) for rows in (*found, found[0])]
    thin = [thinner.diff(frame, COLUMNS) for frame in frames]
    for count in range(1, len(frames) + 1):
        assert shown("".join(thin[:count])) == shown("".join(frames[:count]))


def test_what_need_not_be_told_is_left_out() -> None:
    thinner = FrameDiff()
    first = "\x1b[1;1H\x1b[49mab\x1b[0m\x1b[1m  \x1b[0m" + " " * 20
    second = "\n\x1b[2;1H" + "x" * 11 + "\x1b[2;12H\x1b[7m" + " " * 13 + "\x1b[0m"
    frame = f"{first}{second}\x1b[1;1H"
    told = "\x1b[1;1Hab\x1b[K\x1b[2;1Hxxxxxxxxxxx\x1b[7m             \x1b[0m\x1b[1;1H"
    assert thinner.diff(frame, 24) == told
    assert thinner.diff(frame, 24) == "\x1b[1;1H"
    thinner.forget()
    assert thinner.diff(frame, 24) == told


@pytest.mark.parametrize("takes_a_cell", [False, True])
def test_nothing_moves_whatever_cells_a_terminal_gives_to_vowel_signs(
    takes_a_cell: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of "\u092a\u094d\u0930\u093f\u092f\u093e" some terminals take three cells, others five."""
    monkeypatch.setattr(
        pyte.screens, "wcwidth", lambda char: 1 if category(char) == "Mc" else wcwidth(char)
    )
    monkeypatch.setattr(Screen, "signs_take_cells", takes_a_cell)
    name = "\u092a\u094d\u0930\u093f\u092f\u093e \u0936\u0930\u094d\u092e\u093e"
    screen, thinner = Screen(COLUMNS, 1), FrameDiff()
    stream = pyte.Stream(screen)
    stream.feed(thinner.diff(f"\x1b[1;1HIn {name}{' ' * 7}\x1b[7m   red \x1b[0m", COLUMNS))
    assert "".join(cell.data for cell in (screen.buffer[0][x] for x in range(17))).split() == [
        "In",
        *name.split(),
    ]
    assert [screen.buffer[0][x].data for x in range(17, 24)] == list("   red ")
    assert all(screen.buffer[0][x].reverse for x in range(17, 24))
    stream.feed(thinner.diff("\x1b[1;4HAnn    ", COLUMNS))
    assert screen.display[0] == f"In Ann{' ' * 14}red "
