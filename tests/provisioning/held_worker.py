"""A worker whose event loop is held up once it was told to stop, as by a call that never returns; run as a process."""

from __future__ import annotations

import time

from mission_control_tui.provisioning import worker, worker_main

HELD_SECONDS = 3600.0


async def _held(*_: object) -> None:
    time.sleep(HELD_SECONDS)


if __name__ == "__main__":
    worker.LAST_SECONDS = 0.5
    worker.Worker._end = _held  # type: ignore[method-assign,assignment]
    raise SystemExit(worker_main.main())
