"""A process that provisions on a simulator until it is killed.

python -m tests.provisioning.connectors.simulator_worker FILE RULES ATTEMPT NAME...
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from mission_control_tui.connect import ConnectorError
from mission_control_tui.model.states import StepState
from tests.provisioning.connectors.support import MemoryJournal, SimulatorBackEnd, reach, wish


def say(line: str) -> None:
    """Write one line to whoever watches, at once."""
    sys.stdout.write(line.strip() + "\n")
    sys.stdout.flush()


class Speaker(MemoryJournal):
    """Says each step as it starts and ends, one a line."""

    def note(self, name: str, state: StepState, error: ConnectorError | None = None) -> None:
        super().note(name, state, error)
        say(f"{state} {name} {error.kind if error else ''}")


async def work(file: Path, rules: str, attempt: int, names: list[str]) -> None:
    """Converge all names at once and say how each ended."""
    connector = await SimulatorBackEnd(file.parent).open(rules=rules, delay_factor=1)

    async def one(name: str) -> None:
        try:
            converged = await reach(connector, wish(name, attempt=attempt), Speaker())
        except ConnectorError as error:
            say(f"error {error.kind}")
        else:
            say(f"ended {converged.outcome} {converged.plan.kind or ''}")

    await asyncio.gather(*map(one, names))


if __name__ == "__main__":
    asyncio.run(work(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), sys.argv[4:]))
