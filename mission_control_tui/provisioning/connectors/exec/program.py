"""One run of a program: JSON in, what it wrote out; its whole process group ends with the call."""

from __future__ import annotations

import asyncio
import contextlib
import os
import selectors
import signal
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

from mission_control_tui.connect import ConnectorError, ErrorKind

ANSWER_LIMIT = 8 * 1024 * 1024
"""Bytes of an answer: a page of a listing is less."""
WORDS_LIMIT = 64 * 1024
"""Bytes of stderr that are kept, the last ones."""
_CHUNK = 64 * 1024
_LAST_WORDS_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Ended:
    """A program that ended: its exit code (a signal's number below 0), what it answered, and its own words."""

    code: int
    answer: bytes
    words: bytes
    too_long: bool = False


@dataclass(frozen=True, slots=True)
class Program:
    """A program with its arguments, where it is run, and all of its environment."""

    command: tuple[str, ...]
    directory: Path
    environment: Mapping[str, str]

    @property
    def name(self) -> str:
        """What the program is called."""
        return Path(self.command[0]).name

    async def run(self, sent: bytes) -> Ended:
        """Return how a run ended. Raises ConnectorError (config) where the program cannot be started.

        What it leaves running in its process group is killed with it, and all of it when the call is cancelled.
        """
        process = self._start()
        talk = _Talk(process, sent)
        talking = asyncio.ensure_future(asyncio.to_thread(talk.run))
        try:
            code = await asyncio.to_thread(process.wait)
        finally:
            # Also what it started holds the pipes open, and must not outlive the call.
            _kill_group(process.pid)
            talk.ends = True
        await talking
        return Ended(code, bytes(talk.answer), bytes(talk.words), talk.too_long)

    def _start(self) -> subprocess.Popen[bytes]:
        try:
            return subprocess.Popen(
                self.command,
                cwd=self.directory,
                env=dict(self.environment),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            why = error.strerror if isinstance(error, OSError) else str(error)
            raise ConnectorError(
                ErrorKind.CONFIG,
                f"{self.command[0]} cannot be run in {self.directory}: {why}",
                remedy="See that the program is there, and that the worker's user may run it.",
                code="program",
            ) from None


class _Talk:
    """Writes to stdin and reads stdout and stderr at the same time, until all of them are closed.

    Once the program `ends`, what a daemon of its own still holds open is not waited for.
    """

    def __init__(self, process: subprocess.Popen[bytes], sent: bytes) -> None:
        self._group = process.pid
        self._pipes = tuple(
            cast("IO[bytes]", pipe) for pipe in (process.stdin, process.stdout, process.stderr)
        )
        self._left = memoryview(sent)
        self.answer, self.words = bytearray(), bytearray()
        self.too_long = self.ends = False

    def run(self) -> None:
        """Talk to the end."""
        stdin, stdout, stderr = self._pipes
        with stdin, stdout, stderr, selectors.DefaultSelector() as ready:
            os.set_blocking(stdin.fileno(), False)
            ready.register(stdin, selectors.EVENT_WRITE, self._write)
            ready.register(stdout, selectors.EVENT_READ, self._hear_answer)
            ready.register(stderr, selectors.EVENT_READ, self._hear_words)
            while ready.get_map():
                found = ready.select(_LAST_WORDS_SECONDS)
                for key, _ in found:
                    if not key.data(key.fd):
                        ready.unregister(key.fileobj)
                        if key.fileobj is stdin:
                            stdin.close()
                if self.ends and not found:
                    return

    def _write(self, pipe: int) -> bool:
        try:
            self._left = self._left[os.write(pipe, self._left[:_CHUNK]) :]
        except BlockingIOError:
            return True
        except BrokenPipeError:  # it does not read all that it is told
            return False
        return bool(self._left)

    def _hear_answer(self, pipe: int) -> bool:
        heard = os.read(pipe, _CHUNK)
        if len(self.answer) + len(heard) > ANSWER_LIMIT:
            self.too_long = True
            _kill_group(self._group)
            return False
        self.answer += heard
        return bool(heard)

    def _hear_words(self, pipe: int) -> bool:
        heard = os.read(pipe, _CHUNK)
        self.words += heard
        del self.words[:-WORDS_LIMIT]
        return bool(heard)


def _kill_group(group: int) -> None:
    # Another user's, as behind sudo, cannot be killed from here.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGKILL)
