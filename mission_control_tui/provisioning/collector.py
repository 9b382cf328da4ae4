"""Doing together what several ask for at nearly the same moment, such as one commit for all that runs have to write."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence, Sized
from typing import Generic, Protocol, TypeVar

Item = TypeVar("Item")
Answer = TypeVar("Answer")

COLLECT_SECONDS = 0.01
"""How long the first waits for others, unless all who could ask have done so before."""
AT_ONCE = 100


class Crowd:
    """Those who ask one or several collectors, each one thing at a time. `askers` says how many they are now."""

    def __init__(self, askers: Callable[[], int]) -> None:
        self._askers = askers
        self._asked: list[Asked] = []

    def join(self, asked: Asked) -> None:
        """Count who waits at a collector among the crowd."""
        self._asked.append(asked)

    def look(self) -> None:
        """Let the collectors begin where nobody is left to be waited for.

        While others are being answered, who will ask again soon, a few do not begin without them.
        """
        askers = self._askers()
        answered = sum(asked.answered for asked in self._asked)
        if answered + sum(len(asked.waiting) for asked in self._asked) < askers:
            return
        for asked in self._asked:
            if len(asked.waiting) * 2 >= askers or not answered:
                asked.complete.set()


class Asked(Protocol):
    """What a crowd knows of a collector: who waits, how many are being answered, and whether it may begin."""

    answered: int
    complete: asyncio.Event

    @property
    def waiting(self) -> Sized:
        """Return those who wait."""


class Collector(Generic[Item, Answer]):
    """Collects items and does them together; while some are done the next are collected.

    `do` returns one answer for each item; an exception among them is raised to whoever asked for that one, and what
    `do` itself raises to all. One that is not `patient` waits for
    nobody: it does together what was asked for in the same turn of the event loop.
    """

    def __init__(
        self,
        do: Callable[[Sequence[Item]], Awaitable[Sequence[Answer | Exception]]],
        crowd: Crowd,
        *,
        patient: bool = True,
    ) -> None:
        self._do = do
        self._patient = patient
        self._crowd = crowd
        self.answered = 0
        self.waiting: list[tuple[Item, asyncio.Future[Answer]]] = []
        self.complete = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        crowd.join(self)

    async def ask(self, item: Item) -> Answer:
        """Return the answer for the item. Who is cancelled before its turn takes the item along."""
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self.waiting.append((item, answer))
        if len(self.waiting) >= AT_ONCE:
            self.complete.set()
        self._crowd.look()
        if self._task is None:
            self._task = asyncio.create_task(self._work())
        return await answer

    async def close(self) -> None:
        """Stop, in the middle if need be: who still waits is cancelled."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _work(self) -> None:
        taken: list[tuple[Item, asyncio.Future[Answer]]] = []
        try:
            while self.waiting:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(COLLECT_SECONDS if self._patient else 0.0):
                        await self.complete.wait()
                self.complete.clear()
                taken, self.waiting = self.waiting[:AT_ONCE], self.waiting[AT_ONCE:]
                taken = [(item, answer) for item, answer in taken if not answer.done()]
                self.answered = len(taken)
                if taken:
                    await self._answer(taken)
                self.answered = 0
        finally:
            self._task, self.answered = None, 0
            for _, answer in (*taken, *self.waiting):
                answer.cancel()

    async def _answer(self, taken: Sequence[tuple[Item, asyncio.Future[Answer]]]) -> None:
        found: Sequence[Answer | Exception]
        try:
            found = await self._do([item for item, _ in taken])
        except Exception as error:  # noqa: BLE001 - raised to everybody who asked
            found = [error] * len(taken)
        for (_, answer), said in zip(taken, found, strict=True):
            if answer.done():
                continue
            if isinstance(said, Exception):
                answer.set_exception(said)
            else:
                answer.set_result(said)
