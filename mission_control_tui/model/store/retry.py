"""Doing a write again when somebody else's came between: the second time it sees what the other one wrote."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from sqlalchemy.exc import DBAPIError, IntegrityError

P = ParamSpec("P")
T = TypeVar("T")

TRIES = 4
_TRY_AGAIN = frozenset({"40001", "40P01"})  # serialization failure, deadlock


async def retry_on_conflict(work: Callable[[], Awaitable[T]]) -> T:
    """Do `work`, a whole transaction, and once more where a unique key was taken meanwhile or a deadlock broken.

    What is still refused after a few tries is raised: then it is no race.
    """
    for tries_left in range(TRIES - 1, -1, -1):
        try:
            return await work()
        except DBAPIError as error:
            lost = isinstance(error, IntegrityError) or (
                getattr(error.orig, "sqlstate", None) in _TRY_AGAIN
            )
            if not lost or not tries_left:
                raise
    raise AssertionError("unreachable")


def retries_on_conflict(
    verb: Callable[P, Coroutine[Any, Any, T]],
) -> Callable[P, Coroutine[Any, Any, T]]:
    """Return `verb`, which is one transaction, retried as `retry_on_conflict` does.

    The worker locks the same rows in its own order.
    """

    @wraps(verb)
    async def again(*args: P.args, **kwargs: P.kwargs) -> T:
        return await retry_on_conflict(lambda: verb(*args, **kwargs))

    return again
