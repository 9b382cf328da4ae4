"""The world with a second account, Globex, that has people of its own; Acme is the account that the console opens."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import update
from textual.pilot import Pilot

from mission_control_tui.console.app import ConsoleApp
from mission_control_tui.console.base_app import MissionControlApp
from mission_control_tui.model.accounts import editing as accounts
from mission_control_tui.model.orders import buying
from mission_control_tui.model.people.fields import UserDetails
from mission_control_tui.model.store.database import Store
from mission_control_tui.model.store.scope import AccountScope
from mission_control_tui.model.store.tables.services import AssignmentRow
from mission_control_tui.model.users import creation
from mission_control_tui.model.users import provisioning as provision
from mission_control_tui.model.users.actions.params import ActionParams
from mission_control_tui.model.views import Account
from mission_control_tui.settings.settings import Settings
from mission_control_tui.terminal.lifecycle import TerminalOptions
from tests.model.helpers import PASSWORD
from tests.screens import world
from tests.screens.driving import text_of, until

OTHERS = (
    ("Grace", "Kelly", "grace.kelly"),
    ("Homer", "Simpson", "homer"),
    ("Adam", "[b]Ant[/]", "adam"),
)


async def add_globex(path: Path) -> Account:
    """Make the second account in the world's database."""
    store = await Store.open(path)
    try:
        made = await accounts.create_account(
            store, world.CALLER, name="Globex Ltd", code="globex", domains=["globex.example"]
        )
        account = made.result
        await buying.buy(
            AccountScope(store, world.CALLER, account.id), "email", level="popx", quantity=5
        )
        for first, last, local in OTHERS:
            details = UserDetails(
                upn=f"{local}@globex.example",
                first_names=first,
                last_name=last,
                display_name=f"{first} {last}",
                username=local,
                mobile_phone="+61 400 123 456" if local == "homer" else "",
            )
            user = await creation.create_user(
                AccountScope(store, world.CALLER, account.id), details, PASSWORD
            )
            await provision.provision(
                AccountScope(store, world.CALLER, account.id),
                user.result.user.id,
                [ActionParams("managed-exchange", "popx")],
            )
        await world.age(store, account)
        await age(store, account)
        return account
    finally:
        await store.close()


async def age(store: Store, account: Account) -> None:
    """Its lights are two hours old, so that pictures stay the same."""
    async with store.write(world.CALLER, account.id) as tx:
        ago = datetime.now(UTC) - timedelta(hours=2)
        of_account = update(AssignmentRow).where(AssignmentRow.account_id == account.id)
        await tx.session.execute(of_account.values(since=ago))


def make_app(
    path: Path, account: str | None = "acme", options: TerminalOptions | None = None
) -> ConsoleApp:
    """The console on the database, in the first account unless another, or none, is named."""
    caller = replace(world.CALLER, source="console")
    return ConsoleApp(Settings(), str(path), account, options, caller, world.no_wake)


@asynccontextmanager
async def console(
    path: Path, size: tuple[int, int] = (80, 24), account: str = "acme"
) -> AsyncIterator[tuple[MissionControlApp, Pilot[int]]]:
    """The console on both accounts, once its numbers are there."""
    await add_globex(path)
    app = make_app(path, account)
    async with app.run_test(size=size) as pilot:
        await until(pilot, lambda: app.is_open)
        await until(pilot, lambda: "This month  AUD" in text_of(app))
        yield app, pilot
