"""Between reading and keys: what a terminal sends is taken whole over its pieces, and none of it becomes a key."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from textual import events

from mission_control_tui.terminal.control_sequences import (
    ESC,
    MOST_PASTED,
    MOST_SEQUENCE,
    PASTE_SECONDS,
    UNENDED_SECONDS,
    ControlSequences,
    Pasted,
    PasteRefused,
    SequenceDropped,
    Token,
    Typed,
)
from mission_control_tui.terminal.input_events import InputEvents
from tests.terminal.answers import ANSWERS

PATIENCE = 0.1
LONG = 10.0

KEYS = {
    b"y": "y",
    b"\r": "enter",
    b"\n": "enter",
    b"\t": "tab",
    b"\x7f": "backspace",
    b"\x1b[A": "up",
    b"\x1bOB": "down",
    b"\x1b[Z": "shift+tab",
    b"\x1b[5~": "pageup",
    b"\x1bOP": "f1",
    b"\x1b[[A": "f1",
    b"\x1b[21~": "f10",
    b"\x1b[2;2~": "shift+insert",
    b"\x1b[3$": "shift+delete",
    b"\x1b[1;2A": "shift+up",
    b"\x1b[13;5u": "ctrl+enter",
    b"\x1b[27;5;13~": "ctrl+enter",
    b"\x1b[97;1u": "a",
    b"\x1b[97;2u": "A",
    b"\x1b[27;2;65~": "A",
    b"\x1b[108;5u": "ctrl+l",
    b"\x1b[27u": "escape",
    "ü".encode(): "ü",
}


class Line:
    """A terminal's line: bytes and silences go in, tokens come out."""

    def __init__(self, *, awaits_answer: bool = False) -> None:
        self.machine = ControlSequences(PATIENCE)
        self.machine.awaits_answer = awaits_answer
        self.now = 0.0

    def send(self, *parts: bytes | float) -> list[Token]:
        """Send bytes, and be silent for so many seconds where a number stands; silence ends it."""
        tokens = []
        for part in (*parts, LONG, LONG):
            if isinstance(part, bytes):
                tokens += self.machine.feed(part, self.now)
            else:
                # A real reader looks as soon as the silence is long enough.
                wait = self.machine.wait
                if wait is not None and wait < part:
                    tokens += self.machine.tick(self.now + wait)
                self.now += part
                tokens += self.machine.tick(self.now)
        assert self.machine.wait is None
        return tokens


def keys(tokens: list[Token]) -> list[str]:
    """The names of the keys among the events of `tokens`."""
    found = InputEvents(mouse=False).events(tokens)
    return [event.key for event in found if isinstance(event, events.Key)]


def typed(*parts: bytes | float) -> list[str]:
    return keys(Line().send(*parts))


@pytest.mark.parametrize("data", KEYS, ids=repr)
def test_a_known_key_is_a_key_however_it_is_split(data: bytes) -> None:
    assert typed(data) == [KEYS[data]]
    for gap in (0.0, PATIENCE / 2):
        for at in range(1, len(data)):
            assert typed(data[:at], gap, data[at:]) == [KEYS[data]], (at, gap)
        assert typed(*[part for byte in data for part in (bytes((byte,)), gap)]) == [KEYS[data]]


@pytest.mark.parametrize("name", ANSWERS)
def test_an_answer_between_keys_is_no_key_however_it_is_split(name: str) -> None:
    answer = ANSWERS[name]
    for before, after in ((b"a", b"y"), (b"\x1b[A", b"\r"), (b"\x1b", b"b")):
        wanted = [*typed(before), *typed(after)]
        # An Escape of the hand and the Escape of an answer in one packet are told by what follows.
        for gap in (0.0, 0.05, 0.25, 0.6):
            for at in range(1, len(answer)):
                parts = (before, LONG, answer[:at], gap, answer[at:], after)
                lonely = ["escape"] if answer[:at] == ESC.encode() and gap > PATIENCE else []
                assert typed(*parts) == [*typed(before), *lonely, *typed(after)], (at, gap)
        assert typed(before + answer + after) == wanted


@pytest.mark.parametrize("name", ANSWERS)
def test_an_answer_that_is_waited_for_may_be_torn_after_its_escape(name: str) -> None:
    answer = ANSWERS[name]
    for gap in (0.05, 0.25, 0.9):
        for at in range(1, len(answer)):
            line = Line(awaits_answer=True)
            assert keys(line.send(answer[:at], gap, answer[at:], b"y")) == ["y"], (at, gap)


@pytest.mark.parametrize("name", ANSWERS)
def test_an_answer_that_is_cut_off_says_nothing(name: str) -> None:
    """The keyboard lives a second later, and of the answer at most its Escape was taken for a key."""
    answer = ANSWERS[name]
    for at in range(1, len(answer)):
        found = typed(answer[:at], UNENDED_SECONDS + 0.01, b"q")
        assert found[-1] == "q"
        assert set(found[:-1]) <= {"escape", "P", "left_square_bracket", "right_square_bracket"} | {
            "underscore",
            "circumflex_accent",
            "X",
        }
        assert at <= 2 or not found[:-1]


@pytest.mark.parametrize("at", [1, 2, 5])
def test_what_was_there_in_time_belongs_together_however_late_it_is_read(at: int) -> None:
    """A reader that finds more without having waited for it knows of no silence."""
    for data, wanted in ((b"\x1b]11;rgb:1e1e/1e1e/1e1e\x1b\\", []), (b"\x1b[1;2A", ["shift+up"])):
        machine = ControlSequences(PATIENCE)
        tokens = machine.feed(data[:at], 0.0) + machine.feed(data[at:] + b"y", LONG)
        assert keys(tokens) == [*wanted, "y"]


def test_escape_and_a_key_in_one_packet_are_two_keys() -> None:
    assert typed(b"\x1bg") == ["escape", "g"]
    assert typed(b"\x1b\r") == ["escape", "enter"]
    assert typed(b"\x1b", 0.6, b"g") == ["escape", "g"]
    assert typed(b"\x1b\x1b[A") == ["escape", "up"]
    assert typed(b"\x1b\x1b\x1b") == ["escape"] * 3
    assert typed(b"\x1b\xc3\xbc") == ["escape", "ü"]


@pytest.mark.parametrize("letter", "OPX[]^_")
def test_escape_and_a_letter_that_opens_a_sequence(letter: str) -> None:
    """They are two keys after a second, and the keyboard goes on."""
    tokens = Line().send(b"\x1b" + letter.encode(), UNENDED_SECONDS + 0.01, b"y")
    assert tokens == [Typed(ESC), Typed(letter), Typed("y")]
    tokens = Line().send(b"\x1b", 0.6, letter.encode(), 0.3, b"y")
    assert tokens == [Typed(ESC), Typed(letter), Typed("y")]


@pytest.mark.parametrize("opens", ["\x1bP", "\x1b]", "\x1b_", "\x1b^", "\x1bX", "\x1b["])
def test_a_sequence_without_an_end_is_given_up_and_confirms_nothing(opens: str) -> None:
    start = opens.encode()
    assert Line().send(start + b"11", UNENDED_SECONDS + 0.01, b"q") == [
        SequenceDropped(),
        Typed("q"),
    ]
    for cancel in (b"\x18", b"\x1a"):
        assert Line().send(start + b"11" + cancel + b"q") == [Typed("q")]
    flood = b"1" * MOST_SEQUENCE + b"yyyy\r"
    assert Line().send(start + flood, 2 * PATIENCE, b"q") == [Typed("q")]


def test_what_alt_was_held_with_does_nothing() -> None:
    for data in (b"\x1b[1;3A", b"\x1b[13;3u", b"\x1b[27;3;13~", b"\x1b[121;9u", b"\x1b[3;3~"):
        assert typed(data) == []


def test_a_key_that_is_let_go_is_no_key() -> None:
    assert typed(b"\x1b[97;1:3u\x1b[1;1:3A") == []
    assert typed(b"\x1b[97;1:1u\x1b[97;1:2u") == ["a", "a"]


def test_a_paste_is_whole_however_it_is_split() -> None:
    text = "ann\n\x1b[20bo\x1b[201 y\r\x1b\x1b[A"
    data = b"\x1b[200~" + text.encode() + b"\x1b[201~q"
    for at in range(1, len(data)):
        for gap in (0.0, 0.9 if at > 1 else 0.05):
            assert Line().send(data[:at], gap, data[at:]) == [Pasted(text), Typed("q")], at
    assert Line().send(*[bytes((byte,)) for byte in data]) == [Pasted(text), Typed("q")]


def test_a_paste_without_an_end_is_refused_and_the_keyboard_goes_on() -> None:
    assert Line().send(b"\x1b[200~ann\r\n", PASTE_SECONDS + 0.01, b"q") == [
        PasteRefused(5, ended=False),
        Typed("q"),
    ]
    assert Line().send(b"\x1b[200~ann\x1b[201", PASTE_SECONDS + 0.01, b"q") == [
        PasteRefused(8, ended=False),
        Typed("q"),
    ]


def test_a_paste_that_is_too_long_is_counted_and_refused_whole() -> None:
    head, tail = b"\x1b[200~", b"\x1b[201~q"
    assert Line().send(head, b"a" * MOST_PASTED, tail) == [Pasted("a" * MOST_PASTED), Typed("q")]
    pieces = [b"a" * 4096] * (MOST_PASTED // 4096 + 1)
    assert Line().send(head, *pieces, tail) == [
        PasteRefused(4096 * len(pieces), ended=True),
        Typed("q"),
    ]


def test_bytes_that_are_no_text_harm_nothing() -> None:
    assert typed(b"\xff\xfe\xc3(", b"q")[-1] == "q"
    assert typed(b"\x1b[M\xff\xe9\x80q") == ["q"]
    assert typed(b"\x80\x85\x9cq") == ["q"]


PIECES = st.one_of(
    st.binary(min_size=1, max_size=12),
    st.sampled_from([*ANSWERS.values(), *KEYS, b"\x1b", b"\x1b[200~", b"\x1b[201~"]),
    st.floats(0.0, 5.0),
)


@settings(max_examples=300)
@given(st.lists(PIECES, max_size=12))
def test_whatever_comes_the_keyboard_lives(parts: list[bytes | float]) -> None:
    line = Line()
    line.send(*parts)
    assert line.send(b"q") == [Typed("q")]
    list(InputEvents(mouse=True).events(Line().send(*parts)))


def test_keys_do_not_depend_on_how_the_line_cuts_them() -> None:
    for first, second in pairwise(KEYS):
        data = first + second
        for at in range(1, len(data)):
            assert typed(data[:at], data[at:]) == [KEYS[first], KEYS[second]]
