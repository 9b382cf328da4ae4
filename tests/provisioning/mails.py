"""A world whose Managed Exchange is on several simulators, for the tests of moves between them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import select

from mission_control_tui.model.placement import Placement
from mission_control_tui.model.states import Light
from mission_control_tui.model.store.scope import AccountScope
from mission_control_tui.model.store.tables.services import AssignmentRow
from mission_control_tui.model.users.actions.params import ActionParams
from mission_control_tui.model.users.provisioning import move
from mission_control_tui.provisioning.connectors.simulator.connector import ledger
from mission_control_tui.settings.settings import load
from tests.provisioning.support import ACCOUNT, EXCHANGE, World, worker

DOWN = "".join(
    f'[[rule]]\nid = "{call}"\ncall = "{call}"\nfail = "unreachable"\nsaid = "Refused"\n'
    for call in ("check", "observe", "apply")
)
MAILS = ("mail-1", "mail-2", "mail-3")
WHOLE = {"exchange-1": "mail-1", "exchange-2": "mail-2"}


class Mails:
    """A world whose Managed Exchange is on three simulators, of which each has its own file and rules."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.world.store.placements = {EXCHANGE: Placement(MAILS)}
        for name in MAILS:
            self.rules(name)
        self.lines: list[str] = []
        for name in MAILS:
            self.lines += [f"[connectors.{name}]", *self.simulator(name)]
        self.configure()

    def configure(self, **worker: Any) -> None:
        """Write the settings, with these of the worker."""
        placed = [f"[placement.{EXCHANGE}]", f"connectors = {list(MAILS)}"]
        self.world.configure(more=[*self.lines, *placed], **worker)

    def simulator(self, name: str) -> list[str]:
        """The table of one of them, as text."""
        return [
            'type = "simulator"',
            f'path = "{self.file(name)}"',
            f'rules = "{self.world.directory / name}.toml"',
            "concurrency = 50",
            "rate_per_second = 1000.0",
        ]

    @property
    def scope(self) -> AccountScope:
        return AccountScope(self.world.store, self.world.caller, ACCOUNT)

    def file(self, name: str) -> Path:
        return self.world.directory / f"{name}.db"

    def rules(self, name: str, text: str = "") -> None:
        (self.world.directory / f"{name}.toml").write_text(f"seed = 1\n{text}", "utf-8")

    def done(self, name: str) -> list[str]:
        """What was done at one of them, in order."""
        return [one.effect for one in ledger(self.file(name))] if self.file(name).exists() else []

    async def rows(self) -> Mapping[str, AssignmentRow]:
        """What there is at each connector, gone or not."""
        async with self.world.store.read() as session:
            return {row.connector: row for row in await session.scalars(select(AssignmentRow))}

    async def until_red(self, name: str) -> None:
        """Wait until what is at one of them is red."""

        async def red() -> bool:
            return (await self.rows())[name].light == Light.RED

        await self.world.until(red)

    async def move(self, user: str, to: str, **more: bool) -> int:
        wanted = ActionParams(EXCHANGE, on=to, **more)  # type: ignore[arg-type]
        (result,) = (await move(self.scope, user, wanted)).result
        assert result.request_id is not None
        return result.request_id


async def given_at(mails: Mails, name: str) -> str:
    (ada,) = await mails.world.people("ada")
    mails.world.store.placements = {EXCHANGE: Placement((name,))}
    await mails.world.give(ada)
    mails.world.store.placements = {EXCHANGE: Placement(MAILS)}
    with worker(mails.world):
        await mails.world.settled()
    return ada


def configure_wholes(mails: Mails, placed: Sequence[str] = tuple(WHOLE)) -> None:
    """Let Managed Exchange be at composites, which share their directory; `placed` are those that take what is new."""
    mails.rules("directory")
    lines = [*mails.lines, "[connectors.directory]", *mails.simulator("directory")]
    lines += [f"[placement.{EXCHANGE}]", f"connectors = {list(placed)}"]
    for whole, mail in WHOLE.items():
        lines += [f"[connectors.{whole}]", 'type = "composite"']
        for part, connector in (("directory", "directory"), ("mailbox", mail)):
            lines += [f"[connectors.{whole}.parts.{part}]", f'connector = "{connector}"']
    mails.world.configure(more=lines)
    mails.world.store.placements = load().placements
