"""A database that commits and whose answer gets lost, without a server: what whoever waits is told then."""

from __future__ import annotations

import pytest

from mission_control_tui.model.errors import OutcomeUnknown
from mission_control_tui.model.store.transaction import Transaction

_finish = Transaction.finish


def lose_next_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the next change that is made happen, and be told as one of which nobody knows."""

    async def finish(self: Transaction, channel: str) -> None:
        await _finish(self, channel)
        if not self.dry_run:
            monkeypatch.setattr(Transaction, "finish", _finish)
            raise OutcomeUnknown

    monkeypatch.setattr(Transaction, "finish", finish)
