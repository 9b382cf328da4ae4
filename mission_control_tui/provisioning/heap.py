"""The C library's heap in a worker, which lives for weeks."""

from __future__ import annotations

import contextlib

# Numbers of glibc's malloc.h.
_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8


def keep_small() -> None:
    """Let threads share one heap, and large blocks go back when they are freed. Does nothing without glibc.

    Otherwise each thread has a heap of its own, and what a busy hour left free in them is kept.
    """
    with contextlib.suppress(ImportError, OSError, AttributeError):
        import ctypes

        mallopt = ctypes.CDLL(None).mallopt
        for parameter, value in (
            (_ARENA_MAX, 1),
            (_MMAP_THRESHOLD, 64 * 1024),
            (_TRIM_THRESHOLD, 128 * 1024),
        ):
            mallopt(parameter, value)
