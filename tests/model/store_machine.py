"""What the stateful tests of the store share: a store of its own for each walk, and how long they walk."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Awaitable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import ClassVar, TypeVar

from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test

from mission_control_tui.model.catalogue.types import Catalogue
from mission_control_tui.model.store.database import Store
from tests.support import proof_factor, share

T = TypeVar("T")


class StoreMachine(RuleBasedStateMachine):
    """Walks over a store that is a copy of `template`."""

    template: ClassVar[Path]
    catalogue: ClassVar[Catalogue]

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.directory = TemporaryDirectory()
        path = Path(self.directory.name) / "store.db"
        shutil.copy(self.template, path)
        shutil.copy(f"{self.template}.key", f"{path}.key")
        self.store = self.do(Store.open(path))

    def do(self, work: Awaitable[T]) -> T:
        async def awaited() -> T:
            return await work

        return self.runner.run(awaited())

    def teardown(self) -> None:
        self.do(self.store.close())
        self.runner.close()
        self.directory.cleanup()


def walk(
    machine: type[StoreMachine], template: Path, catalogue: Catalogue, *, examples: int, steps: int
) -> None:
    """The share of so many walks of so many steps, the same each time; a long proof makes more, of its own."""
    machine.template, machine.catalogue = template, catalogue
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=share(examples) * proof_factor(),
            stateful_step_count=steps,
            deadline=None,
            derandomize=proof_factor() == 1,
            suppress_health_check=list(HealthCheck),
        ),
    )
