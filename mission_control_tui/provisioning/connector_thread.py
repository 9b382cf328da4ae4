"""A thread and an event loop of a connector's own: whatever it does there, the worker's own loop goes on.

What a connector prints, to stderr as well, goes to the log without its secrets, and nothing that it raises ends more
than its own call.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sys
import threading
import weakref
from collections.abc import Awaitable, Callable
from concurrent.futures import Future, InvalidStateError, ThreadPoolExecutor
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import partial
from time import monotonic
from typing import Any, Generic, TextIO, TypeVar, cast

from mission_control_tui.model.text.clean import harmless

T = TypeVar("T")

log = logging.getLogger(__name__)

GRACE_SECONDS = 0.5
"""How long a call that ran out of time may take to clean up, before it is left to itself."""
STOP_SECONDS = 2.0
_LINE_LIMIT = 500

Hides = Callable[[str, str | None], str]
"""Returns words without a connector's secrets, and without the password of a call."""


@dataclass(frozen=True, slots=True)
class _Speaker:
    """The connector whose code runs, and what keeps its secrets out of its words."""

    name: str
    hides: Hides

    def words(self, text: str) -> str:
        call = current_call.get()
        text = self.hides(text, call.password if call is not None else None)
        return harmless(text)[:_LINE_LIMIT]


_speaking: ContextVar[_Speaker | None] = ContextVar("speaking", default=None)
"""Whose code runs here; None for ours."""


class TimeOver(Exception):
    """Raised when a call had no answer within its time."""


class Escaped(Exception):
    """Raised in the place of what would end more than the call: SystemExit, a cancellation that nobody asked for."""


@dataclass(slots=True)
class Call:
    """One call under way. Time that it waits for its turn is not its own."""

    seconds: float
    password: str | None = field(default=None, repr=False)
    began: float = field(default_factory=monotonic)
    paced: float = 0.0
    waits_since: float | None = None
    over: bool = False

    def left(self) -> float:
        """Return the seconds that it may still take."""
        now = monotonic()
        waits = now - self.waits_since if self.waits_since is not None else 0.0
        return self.seconds + self.paced + waits - (now - self.began)


current_call: ContextVar[Call | None] = ContextVar("current_call", default=None)
"""The call that this code belongs to."""


class ConnectorThread:
    """Runs the calls of one connector, which ends with it, or when nobody has it any more."""

    def __init__(self, name: str, hides: Hides = lambda text, _: text) -> None:
        self._speaker = _Speaker(name, hides)
        self._loop = asyncio.new_event_loop()
        self._loop.set_default_executor(_DaemonThreads(self._speaker))
        self._loop.set_exception_handler(partial(_note, self._speaker))
        self._stopping = threading.Event()
        self._thread = threading.Thread(
            target=_run, args=(self._loop, self._speaker, self._stopping), name=name, daemon=True
        )
        _Prints.install()
        self._thread.start()
        self._stop = weakref.finalize(self, _stop, self._loop, self._stopping)
        self._stop.atexit = False

    async def call(
        self, begin: Callable[[], Awaitable[T]], seconds: float, password: str | None = None
    ) -> T:
        """Return what `begin` answers. Raises what it raises, Escaped, and TimeOver when there is no answer in time.

        The `password` that the call is about is kept out of what is printed. A call that blocks is left behind; those
        after it wait for their turn until their own time is over.
        """
        call = Call(seconds, password)
        future: Future[_Ended[T]] = Future()
        self._loop.call_soon_threadsafe(
            partial(_start, self._loop, self._speaker), begin, call, future
        )
        waiting = asyncio.wrap_future(future)
        try:
            while not waiting.done():
                left = call.left()
                if left <= 0:
                    raise TimeOver
                await asyncio.wait({waiting}, timeout=left)
        finally:
            call.over = True
            future.cancel()
        ended = waiting.result()
        if ended.error is None:
            return cast("T", ended.answer)
        if not isinstance(ended.error, Exception):
            raise Escaped(type(ended.error).__name__)
        raise ended.error

    async def close(self) -> None:
        """Stop the loop; a thread that blocks is left behind and ends with the process."""
        self._stop()
        await asyncio.to_thread(self._thread.join, STOP_SECONDS)
        if self._thread.is_alive():
            log.warning("connector %s still blocks its thread", self._speaker.name)


@dataclass(slots=True)
class _Ended(Generic[T]):
    answer: T | None = None
    error: BaseException | None = None


def _start(
    loop: asyncio.AbstractEventLoop,
    speaker: _Speaker,
    begin: Callable[[], Awaitable[T]],
    call: Call,
    future: Future[_Ended[T]],
) -> None:
    """Begin a call on the connector's own loop, unless nobody waits for it any more."""
    if future.cancelled():
        return

    async def ended() -> _Ended[T]:
        _speaking.set(speaker)
        current_call.set(call)
        try:
            return _Ended(await begin())
        except BaseException as error:  # noqa: BLE001 - whatever it is belongs to this call alone
            return _Ended(error=error)

    task = loop.create_task(ended())

    def finished(task: asyncio.Task[_Ended[T]]) -> None:
        with contextlib.suppress(InvalidStateError):
            future.set_result(
                _Ended(error=asyncio.CancelledError()) if task.cancelled() else task.result()
            )

    def abandoned(future: Future[_Ended[T]]) -> None:
        if future.cancelled():
            with contextlib.suppress(RuntimeError):  # the loop is closed
                loop.call_soon_threadsafe(task.cancel)

    task.add_done_callback(finished)
    future.add_done_callback(abandoned)


def _run(loop: asyncio.AbstractEventLoop, speaker: _Speaker, stopping: threading.Event) -> None:
    asyncio.set_event_loop(loop)
    _speaking.set(speaker)
    while not stopping.is_set():
        try:
            loop.run_forever()
        except BaseException as error:  # noqa: BLE001 - SystemExit of a task of the connector's own
            log.warning("connector %s: %s", speaker.name, type(error).__name__)
    left = asyncio.all_tasks(loop)
    for task in left:
        task.cancel()
    try:
        if left:
            loop.run_until_complete(asyncio.wait(left, timeout=GRACE_SECONDS))
        loop.run_until_complete(loop.shutdown_asyncgens())
    except BaseException as error:  # noqa: BLE001 - the same
        log.warning("connector %s: %s", speaker.name, type(error).__name__)
    finally:
        loop.close()
        _Prints.remove()


def _stop(loop: asyncio.AbstractEventLoop, stopping: threading.Event) -> None:
    stopping.set()
    with contextlib.suppress(RuntimeError):  # it is closed
        loop.call_soon_threadsafe(loop.stop)


def _note(speaker: _Speaker, _: asyncio.AbstractEventLoop, about: dict[str, Any]) -> None:
    words = speaker.words(str(about.get("message", "")))
    log.warning("connector %s: %s (%s)", speaker.name, words, type(about.get("exception")).__name__)


class _DaemonThreads(ThreadPoolExecutor):
    """Threads for a connector's blocking calls that the end of the process does not wait for."""

    def __init__(self, speaker: _Speaker) -> None:
        super().__init__(1)
        self._speaker = speaker

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        """Run the function in a thread of its own."""
        future: Future[T] = Future()

        def run() -> None:
            _speaking.set(self._speaker)
            try:
                future.set_result(fn(*args, **kwargs))
            except BaseException as error:  # noqa: BLE001 - handed to whoever waits for it
                future.set_exception(error)

        if future.set_running_or_notify_cancel():
            name = f"connector-{self._speaker.name}-call"
            threading.Thread(target=run, name=name, daemon=True).start()
        return future


@dataclass
class _Prints:
    """Stands in the place of stdout or stderr while connectors are open: their lines go to the log."""

    under: TextIO
    buffered: dict[str, str] = field(default_factory=dict)

    def write(self, text: str) -> int:
        speaker = _speaking.get()
        if speaker is None:
            return self.under.write(text)
        *lines, rest = (self.buffered.pop(speaker.name, "") + text).split("\n")
        # Our log may itself go to this stream.
        ours = _speaking.set(None)
        try:
            for line in lines:
                if line.strip():
                    log.info("connector %s prints: %s", speaker.name, speaker.words(line))
        finally:
            _speaking.reset(ours)
        self.buffered[speaker.name] = rest[:_LINE_LIMIT]
        return len(text)

    def flush(self) -> None:
        if _speaking.get() is None:
            self.under.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.under, name)

    @classmethod
    def install(cls) -> None:
        """Take the place of stdout and stderr, once more."""
        global _open  # noqa: PLW0603 - one stdout for the process
        with _stdout_lock:
            _open += 1
            if not isinstance(sys.stdout, _Prints):
                sys.stdout = cls(sys.stdout)
            if not isinstance(sys.stderr, _Prints):
                sys.stderr = cls(sys.stderr)

    @staticmethod
    def remove() -> None:
        """Give the places back with the last one."""
        global _open  # noqa: PLW0603 - one stdout for the process
        with _stdout_lock:
            _open -= 1
            if _open == 0 and isinstance(sys.stdout, _Prints):
                sys.stdout = sys.stdout.under
            if _open == 0 and isinstance(sys.stderr, _Prints):
                sys.stderr = sys.stderr.under


_open = 0
_stdout_lock = threading.Lock()
