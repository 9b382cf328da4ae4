"""Widths of text: what is taken for plain without asking is what all tables agree on."""

from __future__ import annotations

import subprocess
import sys

import pytest
from rich.cells import cell_len
from wcwidth import wcwidth

from mission_control_tui.widgets.cells import crop, fit, is_plain, shown, width_of, wrap
from mission_control_tui.widgets.lines import Line

HEAVY = (
    "wcwidth",
    "sqlalchemy",
    "pydantic",
    "procrastinate",
    "alembic",
    "phonenumbers",
    "iso3166",
    "iso4217",
    "nacl",
)


def test_plain_characters_take_one_cell_and_are_shown_as_they_are() -> None:
    plain = [char for char in map(chr, range(sys.maxunicode + 1)) if is_plain(char)]
    assert {"a", "é", "·", "…", "▼"} <= set(plain)
    for char in plain:
        if char.isprintable():
            assert (wcwidth(char), cell_len(char), shown(char)) == (1, 1, char)


@pytest.mark.parametrize("text", ["e\u0301", "\xad", "界", "\x9b", "\u200b", "\U0001f1e6"])
def test_what_tables_disagree_on_is_asked_for(text: str) -> None:
    assert not is_plain(text)
    assert cell_len(fit(text, 5)) == 5


@pytest.mark.parametrize(
    ("text", "cells"),
    [
        ("प्रिया शर्मा", 7),
        ("வணக்கம்", 5),
        ("বাংলা", 2),
        ("తెలుగు", 3),
        ("മലയാളം", 4),
        ("ကြီး", 1),
        ("ខ្មែរ", 3),
        ("สวัสดี", 4),
        ("שָׁלוֹם", 4),
        ("مُحَمَّد", 4),
        ("e\u0301", 1),
    ],
)
def test_marks_of_every_script_stay_with_their_base(text: str, cells: int) -> None:
    assert shown(text) == text
    assert width_of(text) == cells
    for width in range(1, cells + 2):
        assert cell_len(fit(text, width)) == width
        kept = crop(text, width)
        assert text.startswith(kept)
        assert not text[len(kept) : len(kept) + 1] or wcwidth(text[len(kept)]) == 1
    assert "".join(wrap(text, 3)).replace(" ", "") == text.replace(" ", "")
    assert len(Line.of([(text, "")], cells).cells()) == cells


def test_first_frame_loads_nothing_heavy() -> None:
    code = (
        "import sys, mission_control_tui.console.app, mission_control_tui.screens.home;"
        f"print([name for name in {HEAVY!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
