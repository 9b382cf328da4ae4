"""The settings of a program that runs for long: what was read last holds until the file can be read again.

A file that is being written is waited for. A broken, empty or missing one changes nothing, which is said once.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable

from mission_control_tui.model.errors import MissionControlError, UsageError
from mission_control_tui.settings.settings import Settings, find

log = logging.getLogger(__name__)

SETTLED_SECONDS = 0.5
"""A file that was changed a shorter time ago may still be written."""
_WAITS = 10
LOOK_SECONDS = 1.0
"""Between two looks at whether the file has changed."""
_KEPT = "A worker that runs already goes on with the settings before."


class FollowedSettings:
    """The settings as they were read last. Without `reload` they stay as they are."""

    def __init__(self, settings: Settings, reload: Callable[[], Settings] | None = None) -> None:
        self.latest = settings
        self.problem = ""
        """Why the file could not be read when it was looked at last; empty where it could."""
        self._reload = reload
        self._read = _content() if reload is not None else None
        self._had_file = self._read is not None
        # The file may have changed between the reading of these first settings and now.
        self._sure = reload is None

    @property
    def is_stale(self) -> bool:
        """Whether the file was changed since it was read last, or may have been."""
        return self._reload is not None and (not self._sure or _content() != self._read)

    async def follow(self, look: Callable[[], Awaitable[None]]) -> None:
        """Read the file whenever it has changed, so that what is wrong with it is said at once.

        `look` is called again and again, each time after the file may have been read.
        """
        while self._reload is not None:
            await asyncio.sleep(LOOK_SECONDS)
            if self.is_stale or self.problem:
                await self.read_again()
            await look()

    async def read_again(self) -> None:
        """Take over what the file says now, if it can be read."""
        if self._reload is None:
            return
        try:
            self.latest = await self._whole(self._reload)
        except MissionControlError as error:
            if self.problem != error.what:
                log.warning("the settings stay as they were read last: %s", error.what)
            self.problem = error.what
        else:
            if self.problem:
                log.info("the settings can be read again")
            self.problem = ""

    async def _whole(self, reload: Callable[[], Settings]) -> Settings:
        """Return the settings of a file that did not change while it was read. Raises as `reload` does."""
        for _ in range(_WAITS):
            if (left := _unsettled()) > 0:
                await asyncio.sleep(left)
                continue
            path, content = find()
            if self._had_file and not (content or b"").strip():
                raise UsageError(f"{path} is {'gone' if content is None else 'empty'}.")
            settings = reload()
            if _content() == content:
                self._read, self._sure = content, True
                self._had_file = content is not None
                return settings
        raise UsageError("The settings file is being written all the time.")


def not_used(why: str) -> str:
    """Return why settings cannot be used, with what a worker does meanwhile."""
    return f"{why.rstrip('.')}. {_KEPT}"


def _content() -> bytes | None:
    try:
        return find()[1]
    except UsageError:
        return None


def _unsettled() -> float:
    """Return for how many seconds more the file may be in the middle of being written."""
    path, content = find()
    if content is None:
        return 0.0
    try:
        age = time.time() - path.stat().st_mtime
    except OSError:
        return 0.0
    # One from the future says nothing of when it was written.
    return SETTLED_SECONDS - age if age >= 0 else 0.0
