"""The worker's part in bulks: it turns their items into wishes, slice by slice, beside all else that it does."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable

from mission_control_tui.model.store.database import Store
from mission_control_tui.provisioning.late_imports import imported

log = logging.getLogger(__name__)


class BulkRunner:
    """Goes on with bulks whenever it is woken; `queued` is called after each slice that queued something."""

    def __init__(
        self, store: Store, stopping: Callable[[], bool], queued: Callable[[], None]
    ) -> None:
        self._store = store
        self._stopping = stopping
        self._queued = queued
        self._wake = asyncio.Event()

    def wake(self) -> None:
        """Look whether there is a bulk, or room for more of one: for who saw that one runs."""
        self._wake.set()

    async def run(self) -> None:
        """Work until cancelled; an error of the database goes up, and another call begins where it was."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            try:
                await self._work()
            except Exception:
                self._wake.set()
                raise

    async def _work(self) -> None:
        await imported("mission_control_tui.model.bulk.slices")
        from mission_control_tui.model.bulk.slices import breath, next_bulk, work_slice

        while not self._stopping() and (bulk_id := await next_bulk(self._store)) is not None:
            begun = time.monotonic()
            done = await work_slice(self._store, bulk_id)
            if not done.items:
                break  # another worker is at it, or it was stopped
            if done.requests:
                self._queued()
            if done.last:
                log.info("bulk %d: every item had its turn", bulk_id)
            await asyncio.sleep(breath(time.monotonic() - begun, is_sqlite=self._store.is_sqlite))
