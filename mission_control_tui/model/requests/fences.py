"""A back end that holds a newer wish than this database knows of: the database was restored from an older backup."""

from __future__ import annotations

from enum import StrEnum

from mission_control_tui.model.requests.run_batch import RunBatch, RunWork
from mission_control_tui.model.store import epochs
from mission_control_tui.model.store.tables.requests import RequestRow
from mission_control_tui.model.store.tables.services import AssignmentRow

WHY = "A back end holds a newer wish than this database: it was restored from an older backup."


class FenceVerdict(StrEnum):
    """What an attempt does that was refused for its fence."""

    SUPERSEDED = "superseded"
    """A newer wish of this very database decides."""
    AGAIN = "again"
    """The installation counts in a newer epoch now: the next attempt is the newest."""
    REPLACED = "replaced"
    """The back end has seen a later epoch: this database, or the one that wrote there, is not the one that counts."""


def judge(own_epoch: int, found_epoch: int) -> RunWork[FenceVerdict]:
    """Return the write that says what follows from a newer fence at a back end.

    It raises the epoch where this database fell behind.

    `own_epoch` is what the attempt carried. Of several attempts that find out at once, one raises it. A later epoch
    than ours is never outbid: a worker that still has the database from before a restore finds just that.
    """

    async def judged(batch: RunBatch, request: RequestRow, row: AssignmentRow) -> FenceVerdict:
        if row.generation > request.generation:
            return FenceVerdict.SUPERSEDED
        installation = await epochs.locked(batch.tx.session)
        if installation.epoch > own_epoch:
            return FenceVerdict.AGAIN
        if found_epoch > installation.epoch:
            installation.epoch_met = max(installation.epoch_met, found_epoch)
            return FenceVerdict.REPLACED
        await epochs.raise_above(batch.tx, found_epoch, WHY)
        return FenceVerdict.AGAIN

    return judged
