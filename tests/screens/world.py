"""A database with an account for the screens: bought services, users, lights of every colour. `python -m` makes one.

`MC_WORLD=new` makes an account that has nothing yet.
"""

from __future__ import annotations

import asyncio
import os
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import select, update

from mission_control_tui.model.accounts import editing as accounts
from mission_control_tui.model.accounts.contacts import Contact, ContactRole, set_contacts
from mission_control_tui.model.caller import Caller
from mission_control_tui.model.operators.recents import remember
from mission_control_tui.model.orders import buying
from mission_control_tui.model.people.fields import UserDetails
from mission_control_tui.model.states import Light, RequestState, Word
from mission_control_tui.model.store import upgrade
from mission_control_tui.model.store.database import Store
from mission_control_tui.model.store.engine import database_url
from mission_control_tui.model.store.scope import AccountScope
from mission_control_tui.model.store.tables.requests import RequestEventRow, RequestRow
from mission_control_tui.model.store.tables.services import AssignmentRow
from mission_control_tui.model.users import creation
from mission_control_tui.model.users import provisioning as provision
from mission_control_tui.model.users.actions.params import ActionParams
from mission_control_tui.model.views import Account
from tests.model.helpers import PASSWORD, finish

if TYPE_CHECKING:
    from mission_control_tui.console.base_app import MissionControlApp
    from mission_control_tui.terminal.lifecycle import TerminalOptions

OPERATOR = "fred"
CALLER = Caller(OPERATOR, source="test")
PEOPLE = (
    ("Ada", "Lovelace", "ada"),
    ("Grace", "Hopper", "grace"),
    ("Alan", "Turing", "alan"),
    ("Jo", "[b]Bloggs[/]", "jo"),
)
DOMAIN = "acme.example"


async def make(path: Path, *, empty: bool = False) -> Account:
    """The account in a new database at `path`."""
    await upgrade.upgrade(database_url(path))
    store = await Store.open(path)
    try:
        made = await accounts.create_account(
            store, CALLER, name="Acme Pty Ltd", code="acme", domains=[DOMAIN]
        )
        if not empty:
            await fill(store, made.result)
        # The first console on it would note so, and read Home once more for that.
        await remember(store, CALLER, made.result.id)
        return made.result
    finally:
        await store.close()


async def fill(store: Store, account: Account) -> None:
    """Seats, users, and services: green, red and orange ones."""
    await set_contacts(
        AccountScope(store, CALLER, account.id),
        [Contact(ContactRole.PRIMARY, "Rita Field", "rita@acme.example")],
    )
    await buying.buy(AccountScope(store, CALLER, account.id), "email", level="pc-web", quantity=5)
    await buying.buy(AccountScope(store, CALLER, account.id), "email", level="popx", quantity=2)
    ids = [await person(store, account, *who) for who in PEOPLE]
    mailbox = [ActionParams("managed-exchange", "pc-web")]
    for user in ids[:3]:
        await provision.provision(AccountScope(store, CALLER, account.id), user, mailbox)
    await finish(store, CALLER, account)
    await turn_red(store, account, ids[1])
    await provision.provision(
        AccountScope(store, CALLER, account.id), ids[3], [ActionParams("managed-exchange", "popx")]
    )
    await age(store, account)


async def age(store: Store, account: Account) -> None:
    """Everything happened two hours ago, so that pictures stay the same."""
    async with store.write(CALLER, account.id) as tx:
        ago = datetime.now(UTC) - timedelta(hours=2)
        await tx.session.execute(update(RequestRow).values(created_at=ago))
        ended = update(RequestRow).where(RequestRow.ended_at.is_not(None))
        await tx.session.execute(ended.values(ended_at=ago))


async def person(store: Store, account: Account, first: str, last: str, local: str) -> str:
    """The id of a new user."""
    details = UserDetails(
        upn=f"{local}@{DOMAIN}",
        first_names=first,
        last_name=last,
        display_name=f"{first} {last}",
        username=local,
    )
    made = await creation.create_user(AccountScope(store, CALLER, account.id), details, PASSWORD)
    return made.result.user.id


async def turn_red(store: Store, account: Account, user: str, field: str = "") -> None:
    """The user's services have failed three hours ago; the error may name a field."""
    async with store.write(CALLER, account.id) as tx:
        ago = datetime.now(UTC) - timedelta(hours=3)
        await tx.session.execute(
            update(AssignmentRow)
            .where(AssignmentRow.user_id == user)
            .values(
                light=Light.RED,
                word=Word.ERROR,
                step="create mailbox",
                error_kind="transient",
                error_said="mailbox store [DB01] is offline",
                error_remedy="Provision again.",
                since=ago,
            )
        )
        failed = RequestRow.user_id == user
        await tx.session.execute(
            update(RequestRow).where(failed).values(state=RequestState.FAILED, ended_at=ago)
        )
        request = await tx.session.scalar(select(RequestRow.id).where(failed))
        event = RequestEventRow(
            account_id=account.id,
            request_id=request,
            at=ago,
            attempt=0,
            kind="step failed",
            step="create mailbox",
            said="mailbox store [DB01] is offline",
            remedy="Provision again.",
            detail={"field": field},
        )
        tx.session.add(event)


async def no_wake(_store: Any) -> str:
    """In place of starting a worker."""
    return "running"


def make_app(
    path: Path | str, options: TerminalOptions | None = None, session: str = ""
) -> MissionControlApp:
    """The console on the database at `path`, without a worker and always by the same operator.

    With a `session` it notes its place and drafts, as a real one does.
    """
    from mission_control_tui.console.app import ConsoleApp
    from mission_control_tui.settings.settings import Settings

    caller = replace(CALLER, source="console", session=session)
    return ConsoleApp(Settings(), str(path), None, options, caller, no_wake)


def main() -> int:
    """Make the database where there is none, then show the console."""
    from mission_control_tui.terminal.lifecycle import TerminalOptions, start

    path = Path(sys.argv[1])
    if not path.exists():
        asyncio.run(make(path, empty=os.environ.get("MC_WORLD") == "new"))
    if len(sys.argv) > 2:
        return 0
    return start(
        TerminalOptions(theme=os.environ.get("DEMO_THEME", "auto")), lambda o: make_app(path, o)
    )


if __name__ == "__main__":
    sys.exit(main())
