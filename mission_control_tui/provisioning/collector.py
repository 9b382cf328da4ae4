"""Doing together what several ask for at nearly the same moment, such as one commit for all that runs have to write."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

Item = TypeVar("Item")
Answer = TypeVar("Answer")

COLLECT_SECONDS = 0.01
"""How long the first waits for others, unless all who could ask have done so before."""
AT_ONCE = 100


class Collector(Generic[Item, Answer]):
    """Collects items and does them together; while some are done the next are collected.

    `do` returns one answer for each item; an exception among them is raised to whoever asked for that one, and what
    `do` itself raises to all. `askers` says how many could ask at the moment.
    """

    def __init__(
        self,
        do: Callable[[Sequence[Item]], Awaitable[Sequence[Answer | Exception]]],
        askers: Callable[[], int],
    ) -> None:
        self._do = do
        self._askers = askers
        self._waiting: list[tuple[Item, asyncio.Future[Answer]]] = []
        self._complete = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def ask(self, item: Item) -> Answer:
        """Return the answer for the item. Who is cancelled before its turn takes the item along."""
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, answer))
        if len(self._waiting) >= min(AT_ONCE, self._askers()):
            self._complete.set()
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
            while self._waiting:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(COLLECT_SECONDS):
                        await self._complete.wait()
                self._complete.clear()
                taken, self._waiting = self._waiting[:AT_ONCE], self._waiting[AT_ONCE:]
                taken = [(item, answer) for item, answer in taken if not answer.done()]
                if taken:
                    await self._answer(taken)
        finally:
            self._task = None
            for _, answer in (*taken, *self._waiting):
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
