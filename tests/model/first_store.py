"""Writes tests/data/store-0001.sql: a database as the first release made it, with a row of everything.

    python -m tests.model.first_store

Run it after a change of the first migration, which is possible only until that is released; afterwards the file stays
as it is for ever, and every later program has to open it.
"""

from __future__ import annotations

import asyncio
import sqlite3
import sys
import tempfile
from contextlib import closing
from pathlib import Path

from sqlalchemy import insert, select

from mission_control_tui.model.accounts.contacts import Contact, ContactRole, set_contacts
from mission_control_tui.model.accounts.editing import create_account
from mission_control_tui.model.caller import Caller
from mission_control_tui.model.installation.sample_account import ensure_sample
from mission_control_tui.model.orders.buying import buy
from mission_control_tui.model.recycle_bin.deletion import delete_user
from mission_control_tui.model.store.database import Store
from mission_control_tui.model.store.migrations import HEAD
from mission_control_tui.model.store.scope import AccountScope
from mission_control_tui.model.store.tables.requests import RequestRow, RequestStepRow
from mission_control_tui.model.store.tables.workers import ConnectorStateRow, WorkerRow
from mission_control_tui.model.users.actions.params import ActionParams
from mission_control_tui.model.users.editing import add_alias
from mission_control_tui.model.users.provisioning import deprovision_all, provision
from tests.model.helpers import ada, create, finish, named

FIRST = "0001"
DUMP = Path(__file__).parents[1] / "data" / f"store-{FIRST}.sql"
CALLER = Caller(operator="anna", ticket="T-1")
REGISTRANT = {"registrant-name": "Acme Pty Ltd", "registrant-email": "owner@acme.example"}
AUSTRALIAN = {**REGISTRANT, "eligibility-type": "other", "eligibility-number": "51824753556"}


async def fill(store: Store) -> None:
    """An account that has lived a little, beside the sample account."""
    await ensure_sample(store)
    made = await create_account(
        store, CALLER, name="Acme Pty Ltd", code="acme", domains=["acme.example"]
    )
    acme = made.result
    await set_contacts(AccountScope(store, CALLER, "acme"), [Contact(ContactRole.PRIMARY, "Paula")])
    await buy(AccountScope(store, CALLER, "acme"), "email", level="popx", quantity=5)
    await buy(
        AccountScope(store, CALLER, "acme"), "domain-names", domain="acme.com", fields=REGISTRANT
    )
    await buy(
        AccountScope(store, CALLER, "acme"), "domain-names", domain="acme.com.au", fields=AUSTRALIAN
    )
    first = await create(store, CALLER, acme, ada(notes="Zoë\nline two"))
    await add_alias(AccountScope(store, CALLER, "acme"), first.id, "countess@acme.example")
    gone = await create(store, CALLER, acme, named("gone"))
    for user in (first, gone):
        wanted = [ActionParams("managed-exchange", "popx")]
        await provision(AccountScope(store, CALLER, "acme"), user.id, wanted)
    await finish(store, CALLER, acme)
    await deprovision_all(AccountScope(store, CALLER, "acme"), gone.id)
    await finish(store, CALLER, acme)
    await delete_user(AccountScope(store, CALLER, "acme"), gone.id)
    later = await create(store, CALLER, acme, named("later", manager=first.upn))
    await provision(
        AccountScope(store, CALLER, "acme"), later.id, [ActionParams("managed-exchange", "popx")]
    )
    await _as_a_worker_leaves_it(store)


async def _as_a_worker_leaves_it(store: Store) -> None:
    async with store.write(CALLER) as tx:
        request = await tx.session.scalar(select(RequestRow.id).limit(1))
        await tx.session.execute(
            insert(RequestStepRow).values(
                request_id=request,
                attempt=1,
                number=1,
                name="mailbox",
                state="done",
                started_at=tx.now,
                ended_at=tx.now,
            )
        )
        await tx.session.execute(
            insert(WorkerRow).values(
                id="w",
                host="h",
                pid=1,
                pid_started=0.5,
                app_version="0.1.0",
                started_at=1.0,
                lease_until=2.0,
            )
        )
        await tx.session.execute(
            insert(ConnectorStateRow).values(
                name="simulator",
                paused=False,
                kind="",
                said="",
                remedy="",
                since=tx.now,
                next_check_at=0.0,
            )
        )


async def _make(path: Path) -> None:
    store = await Store.open(path)
    await fill(store)
    await store.close()


def main() -> None:
    """Make the file anew."""
    if HEAD != FIRST:
        sys.exit(f"The first release is out (the schema is at {HEAD}): {DUMP.name} stays as it is.")
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "store.db"
        asyncio.run(_make(path))
        with closing(sqlite3.connect(path)) as connection:
            DUMP.write_text("\n".join(connection.iterdump()) + "\n", "utf-8")


if __name__ == "__main__":
    main()
