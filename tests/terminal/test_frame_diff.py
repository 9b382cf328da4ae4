"""Frames in fewer bytes: a terminal shows exactly what it would have shown."""

from __future__ import annotations

from collections.abc import Sequence

import pyte
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len, set_cell_size
from rich.color import ColorSystem
from rich.style import Style

from mission_control_tui.terminal.frame_diff import FrameDiff

COLUMNS, ROWS = 24, 5
STYLES = (
    "", "default on default", "on default", "bold", "dim", "bold red", "reverse", "underline", "on blue",
    "strike", "color(203)", "bold color(214) on default", "#102030", "bold on color(22)", "reverse bold", "italic",
)  # fmt: skip
VISIBLE_ON_A_BLANK = ("bg", "reverse", "underscore", "strikethrough")

texts = st.text(alphabet=st.sampled_from("  ab界株é"), max_size=9) | st.integers(4, 16).map(
    " ".__mul__
)
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


def shown(frame: str) -> list[list[tuple[object, ...]]]:
    """Every cell of a screen that was full of something else; of a blank only what can be seen."""
    screen = pyte.Screen(COLUMNS, ROWS)
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
