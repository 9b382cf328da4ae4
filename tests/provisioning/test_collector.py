"""What several ask for at a moment is done together, and each gets its own answer."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from mission_control_tui.provisioning import collector
from mission_control_tui.provisioning.collector import Collector, Crowd


class Doubler:
    """Doubles numbers; odd ones are refused, and a zero stops it for all. Waits for `go` where it is told to."""

    def __init__(self) -> None:
        self.done: list[list[int]] = []
        self.begun = asyncio.Event()
        self.go = asyncio.Event()
        self.go.set()

    async def __call__(self, numbers: Sequence[int]) -> list[int | Exception]:
        self.done.append(list(numbers))
        self.begun.set()
        await self.go.wait()
        if 0 in numbers:
            raise OSError("away")
        return [ValueError(f"{number} is odd") if number % 2 else number * 2 for number in numbers]


async def test_what_is_asked_at_a_moment_is_done_at_once_and_each_has_its_own_answer() -> None:
    double = Doubler()
    collected = Collector(double, Crowd(lambda: 3))
    answers = await asyncio.gather(*map(collected.ask, (2, 3, 4)), return_exceptions=True)
    assert double.done == [[2, 3, 4]]
    assert answers[::2] == [4, 8]
    assert isinstance(answers[1], ValueError)


async def test_who_could_still_ask_is_waited_for_and_not_for_long(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    double = Doubler()
    collected = Collector(double, Crowd(lambda: 9))
    assert await asyncio.wait_for(collected.ask(2), 5) == 4
    monkeypatch.setattr(collector, "COLLECT_SECONDS", 3600.0)
    alone = Collector(double, Crowd(lambda: 1))
    assert await asyncio.wait_for(alone.ask(4), 5) == 8


async def test_the_next_are_collected_while_some_are_done() -> None:
    double = Doubler()
    double.go.clear()
    collected = Collector(double, Crowd(lambda: 1))
    first = asyncio.create_task(collected.ask(2))
    await double.begun.wait()
    others = [asyncio.create_task(collected.ask(number)) for number in (4, 6)]
    await asyncio.sleep(0)
    double.go.set()
    assert await asyncio.gather(first, *others) == [4, 8, 12]
    assert double.done == [[2], [4, 6]]


async def test_who_is_cancelled_takes_nothing_from_the_others() -> None:
    double = Doubler()
    double.go.clear()
    collected = Collector(double, Crowd(lambda: 2))
    tasks = [asyncio.create_task(collected.ask(number)) for number in (2, 4)]
    await double.begun.wait()
    waiting = [asyncio.create_task(collected.ask(number)) for number in (6, 8)]
    await asyncio.sleep(0)
    tasks[0].cancel()
    waiting[0].cancel()
    double.go.set()
    said = await asyncio.gather(*tasks, *waiting, return_exceptions=True)
    assert [isinstance(one, asyncio.CancelledError) for one in said] == [True, False, True, False]
    assert (said[1], said[3]) == (8, 16)
    assert double.done == [[2, 4], [8]]


async def test_an_error_of_the_whole_is_everybodys_and_the_next_are_done_again() -> None:
    collected = Collector(Doubler(), Crowd(lambda: 2))
    said = await asyncio.gather(*map(collected.ask, (0, 2)), return_exceptions=True)
    assert all(isinstance(one, OSError) for one in said)
    assert await collected.ask(2) == 4


async def test_closing_ends_whoever_waits() -> None:
    double = Doubler()
    double.go.clear()
    collected = Collector(double, Crowd(lambda: 1))
    task = asyncio.create_task(collected.ask(2))
    await double.begun.wait()
    await collected.close()
    with pytest.raises(asyncio.CancelledError):
        await task
