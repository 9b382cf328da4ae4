"""Why nothing that is queued is done now."""

from __future__ import annotations

from mission_control_tui.model.requests.workers import live_workers
from mission_control_tui.screens.base.context import Context


async def nobody_works(context: Context) -> str:
    """Return why nothing that is queued is done now, and what to do; empty while a worker is at it."""
    if context.no_worker:
        return context.no_worker
    lease = context.settings.worker.lease_seconds
    if await live_workers(context.store, lease):
        return ""
    return "a worker is being started. If this stays so, run `mission-control worker` yourself"
