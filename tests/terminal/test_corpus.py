"""What is typed fast does what slow typing does, to whom it was meant, or says that it does nothing.

    MC_PROOF=2 ./run-tests tests/terminal/test_corpus.py

plays every action at every pace, without and with answers of the terminal between its keys, twice with other answers:
a quarter of an hour each on two processors. Without it, a seeded sample.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from tests.support import proof_factor
from tests.terminal.corpus import ACTIONS, Action
from tests.terminal.replaying import Line, Replay, Slow, lines

SEED, SAMPLE, LINES = 9, 5, 2
LONG = proof_factor() > 1
PLAYED = ACTIONS if LONG else tuple(random.Random(SEED).sample(ACTIONS, SAMPLE))

Typist = Callable[[Action], Slow]


@pytest.fixture(scope="module")
def slow(corpus_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Typist:
    """Types an action slowly, once."""

    @cache
    def typed(action: Action) -> Slow:
        with Replay(corpus_template, tmp_path_factory.mktemp("slow") / "console") as console:
            found = console.slowly(action)
        assert found.end != found.states[0], f"{action.name} changes nothing"
        return found

    return typed


def play(action: Action, line: Line, slow: Typist, corpus_template: Path, directory: Path) -> str:
    expected = slow(action)
    with Replay(corpus_template, directory) as console:
        return console.judge(action, line, expected)


@pytest.mark.proof
def test_whom_one_looks_for_in_one_packet_is_who_is_meant(
    slow: Typist, corpus_template: Path, tmp_path: Path
) -> None:
    (action,) = (one for one in ACTIONS if one.name == "users: copy")
    assert play(action, Line(0.0, 0), slow, corpus_template, tmp_path / "fast") != "asked"


@pytest.mark.proof
@pytest.mark.timeout(0 if LONG else 300)
@pytest.mark.parametrize("action", PLAYED, ids=lambda action: action.name)
def test_what_is_typed_fast_does_what_slow_typing_does(
    action: Action, slow: Typist, corpus_template: Path, tmp_path: Path
) -> None:
    chance = random.Random(f"{SEED} {action.name}")
    for number in range(proof_factor() if LONG else 1):
        played = list(lines(chance))
        for line in played if LONG else chance.sample(played, LINES):
            play(action, line, slow, corpus_template, tmp_path / f"{number} {line}")
