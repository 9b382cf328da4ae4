"""Progress of long work: one line on stderr, rewritten now and then, only where a person watches."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from mission_control_tui.cli.common.output import is_interactive

_FIRST_SECONDS = 0.5
_BETWEEN_SECONDS = 0.1


class Progress:
    """Use as a context; the line is gone at its end. Work that is over soon shows nothing."""

    def __init__(self) -> None:
        self._next = 0.0
        self._shown = False

    def __enter__(self) -> Self:
        self._next = time.monotonic() + _FIRST_SECONDS
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._shown:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
            self._shown = False

    def reporter(self, word: str) -> Callable[[int, int], None] | None:
        """Return what hears (done, all), or None where nobody watches."""
        if not is_interactive():
            return None

        def report(done: int, total: int) -> None:
            now = time.monotonic()
            if now < self._next or not total:
                return
            self._next = now + _BETWEEN_SECONDS
            self._shown = True
            sys.stderr.write(
                f"\r{word}: {done:,} of {total:,} rows ({done * 100 // total} %)\x1b[K"
            )
            sys.stderr.flush()

        return report
