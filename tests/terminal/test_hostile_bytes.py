"""Whatever got into the database, only the program's own control sequences reach a real terminal."""

from __future__ import annotations

import asyncio
import base64
import re
import sys
import unicodedata
from collections.abc import Sequence
from pathlib import Path
from time import monotonic

import pytest

from mission_control_tui.terminal import frame_pacing, lifecycle
from tests.screens import world
from tests.screens.hostile import TEXT, poison
from tests.screens.places import PLACES
from tests.terminal.pty import Terminal

OWN = re.compile(
    r"\x1b\[(?P<style>[\d;]*)m|\x1b\[(?P<y>\d+);(?P<x>\d+)H|\x1b\[K|\x1b\[\?(?:7|25|1049|2004|2026|2048)[hl]"
    r"|\x1b\[\?(?:2026|2048)\$p|\x1b\]52;c;(?P<copied>[A-Za-z0-9+/]*=*)\x07|\r\n"
    r"|"
    + re.escape(frame_pacing.STATUS)
    + "|"
    + re.escape(lifecycle.LEFT_ON)
    + "|"
    + re.escape(lifecycle.CLEARED)
)
OWN_STYLES = re.compile(r"(?:[012347]|2[23479]|3[0-79]|4[0-79]|9[0-7]|10[0-7]|[34]8;5;\d{1,3})*")
KEYS = ("end", "y", "enter", "tab", "f1", "pagedown")
HARMFUL = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def check(output: bytes, size: tuple[int, int], where: str) -> list[str]:
    """No control sequence but those above, no character that hides or turns text; returns what was copied."""
    copied = []
    text = output.decode("utf-8")
    rest = []
    end = 0
    for own in OWN.finditer(text):
        said = f"{own[0]!r} on {where}: {text[max(0, own.start() - 80) : own.end() + 20]!r}"
        rest.append(text[end : own.start()])
        end = own.end()
        if own["style"] is not None:
            for one in re.findall(r"[34]8;5;\d+|[^;]+", own["style"]):
                assert OWN_STYLES.fullmatch(one), said
        if own["y"] is not None:
            assert 1 <= int(own["x"]) <= size[0], said
            assert 1 <= int(own["y"]) <= size[1], said
        if own["copied"] is not None:
            copied.append(base64.b64decode(own["copied"]).decode())
    rest.append(text[end:])
    for part in rest:
        harmful = [char for char in part if unicodedata.category(char) in HARMFUL]
        assert not harmful, f"{harmful} on {where}: {part!r}"
    return copied


@pytest.fixture(scope="module")
def poisoned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("poisoned") / "world.db"

    async def make() -> None:
        await world.make(path)
        await poison(path, TEXT)

    asyncio.run(make())
    return path


@pytest.mark.parametrize(
    ("size", "keys", "places"),
    [
        ((80, 24), ("end", "y", "enter", "f1"), [*PLACES][:8]),
        pytest.param((80, 24), KEYS, [*PLACES], marks=pytest.mark.proof),
        pytest.param((120, 40), ("enter", "f1"), [*PLACES], marks=pytest.mark.proof),
    ],
    ids=["some", "80x24", "120x40"],
)
def test_only_the_programs_own_control_sequences_reach_the_terminal(
    poisoned: Path,
    tmp_path: Path,
    size: tuple[int, int],
    keys: tuple[str, ...],
    places: Sequence[str],
) -> None:
    told = tmp_path / "place"
    call = [sys.executable, "-m", "tests.screens.hostile_call", str(poisoned), str(told)]
    hostile = []
    copied = []
    with Terminal(call, size=size) as terminal:
        terminal.wait_for("This month  AUD")
        seen = 0
        for place in places:
            terminal.press("f12")
            deadline = monotonic() + 30
            while not told.exists() or told.read_text() != place:
                assert monotonic() < deadline, f"{place} never came:\n{terminal.text()}"
                terminal.read(0.02)
            for key in ("", *keys):
                terminal.press(key)
                terminal.settle(0.04)
                if "zq" in terminal.text() and place not in hostile:
                    hostile.append(place)
            copied += check(terminal.output[seen:], size, place)
            seen = len(terminal.output)
    assert set(places) - set(hostile) <= {"new-user", "paste"}, hostile
    assert bool(copied) == ("y" in keys)
    # Errors and lines of the history are copied as several lines, which the program makes.
    pasted = "".join(copied).replace("\u200d", "").replace("\n", "")
    assert not [char for char in pasted if unicodedata.category(char) in HARMFUL], copied
