"""Pictures of what changes something and of what remembers it: history, drafts, stale saves, one request, a bulk's end.

Look at each before you accept it with --snapshot-update.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import update
from syrupy.assertion import SnapshotAssertion
from textual.pilot import Pilot

from mission_control_tui.console.base_app import MissionControlApp
from mission_control_tui.model.bulk.control import start, stop
from mission_control_tui.model.bulk.slices import work_slice
from mission_control_tui.model.operators import drafts as stored_drafts
from mission_control_tui.model.search.light_matrix import ids
from mission_control_tui.model.store.tables.bulk import BulkRow
from mission_control_tui.model.store.tables.operators import DraftRow
from mission_control_tui.model.store.tables.requests import RequestEventRow
from mission_control_tui.model.users import editing
from mission_control_tui.model.users.actions.params import ActionParams
from mission_control_tui.model.users.provisioning import provision
from mission_control_tui.screens.forms import password_fields
from mission_control_tui.widgets.field import Field
from mission_control_tui.widgets.fold import Fold
from tests.model.helpers import finish
from tests.screens import world
from tests.screens.driving import answer, shows, type_text
from tests.screens.pictures.test_bulks import prepare
from tests.screens.pictures.test_users import go, level_change, new_user, user_functions
from tests.screens.picturing import Step, take
from tests.screens.users.driving import context_of

ADA = "ada@acme.example"
DAY = "2026-01-02 03:04:05.000000"


def age_audit(path: Path) -> None:
    """Everything was changed at the same time on a day that stays the same; a test alone may say so."""
    with closing(sqlite3.connect(path, timeout=60)) as database:
        (made,) = database.execute(
            "SELECT sql FROM sqlite_master WHERE name = 'audit_no_update'"
        ).fetchone()
        database.execute("DROP TRIGGER audit_no_update")
        database.execute("UPDATE audit SET at = ?", (DAY,))
        database.execute(made)
        database.commit()


async def changed(app: MissionControlApp) -> None:
    """What undo can and cannot take back, newest first."""
    scope = context_of(app).scope
    await editing.edit_user(scope, ADA, {"title": "Countess", "city": "London"})
    await editing.disable_user(scope, "grace@acme.example")
    await provision(scope, ADA, [ActionParams("managed-exchange", "popx")])
    age_audit(Path(context_of(app).store.engine.url.database or ""))


async def history(app: MissionControlApp, pilot: Pilot[int]) -> None:
    await changed(app)
    await go(app, pilot, "history")
    await shows(pilot, "18 changes", "u takes it back")


async def history_of_a_user(app: MissionControlApp, pilot: Pilot[int]) -> None:
    await changed(app)
    await go(app, pilot, "user", "ada")
    await shows(pilot, "User Functions")
    await pilot.press("h")
    await shows(pilot, "History of Ada Lovelace", "edit user")


async def history_narrowed(app: MissionControlApp, pilot: Pilot[int]) -> None:
    await history(app, pilot)
    await pilot.press("slash")
    await type_text(pilot, "buy")
    await shows(pilot, "2 changes", "No undo:")


async def undo_asked(app: MissionControlApp, pilot: Pilot[int]) -> None:
    await history_of_a_user(app, pilot)
    await pilot.press("home", "u")
    await shows(pilot, "undo change of", "[ No ]")


async def drafts(app: MissionControlApp, pilot: Pilot[int]) -> None:
    context = context_of(app)
    for kind, title in (("new-user", "Mary Shelley"), ("paste", ""), ("edit-user", ADA)):
        await stored_drafts.save_draft(context_of(app).scope, kind, {"x": "y"}, title=title)
    async with context.store.write(context.caller) as tx:
        past = datetime.now(UTC) - timedelta(hours=2)
        await tx.session.execute(update(DraftRow).values(updated_at=past))
    await go(app, pilot, "drafts")
    await shows(pilot, "Mary Shelley", "2 h")


async def stale_save(app: MissionControlApp, pilot: Pilot[int]) -> None:
    await go(app, pilot, "edit-user", "ada")
    await shows(pilot, "[ada@acme.example")
    app.screen.query_one("#f-title", Field).focus()
    await type_text(pilot, "Countess")
    await editing.edit_user(context_of(app).scope, ADA, {"title": "Analyst", "city": "London"})
    await pilot.press("f2")
    await shows(pilot, "was changed meanwhile by fred")


async def edit_addresses(app: MissionControlApp, pilot: Pilot[int]) -> None:
    await editing.add_alias(context_of(app).scope, ADA, "countess@acme.example")
    await go(app, pilot, "edit-user", "ada")
    await shows(pilot, "[ada@acme.example")
    app.screen.query_one("#details", Fold).close()
    app.screen.query_one("#account", Fold).open()
    app.screen.query_one("#email", Fold).open()
    await shows(pilot, "countess@acme.example", "New alias")


async def revealed(app: MissionControlApp, pilot: Pilot[int]) -> None:
    await new_user(app, pilot)
    await type_text(pilot, "mary")
    await shows(pilot, "mary@acme.example is free")
    app.screen.query_one("#generate").focus()
    await pilot.press("enter")
    await shows(pilot, "Reveal once")
    await pilot.press("enter")
    await shows(pilot, "Xk7-made-up-pass")


async def reset_done(app: MissionControlApp, pilot: Pilot[int]) -> None:
    await user_functions(app, pilot)
    await pilot.press("down", "down", "enter")
    await shows(pilot, "Reset Password of")
    await pilot.press("enter")
    await shows(pilot, "Reveal the password once", "mine: 2 orange")


async def level_asked_for(app: MissionControlApp, pilot: Pilot[int]) -> None:
    await level_change(app, pilot)
    await answer(pilot, "y")
    await shows(pilot, "» Queued", "Asked for: Managed Exchange", "a worker is being started")
    await prepare(app)
    app.apply_changes(["store"])
    await shows(pilot, "» Queued 2 h")


async def full_level(app: MissionControlApp, pilot: Pilot[int]) -> None:
    await go(app, pilot, "provision", "ada")
    await shows(pilot, "• Provisioned")
    await pilot.press("enter", "down", "space")
    await shows(pilot, "none owned", "(•) Managed Exchange - PC, Web & Mobile Access")


async def full_level_bought(app: MissionControlApp, pilot: Pilot[int]) -> None:
    await full_level(app, pilot)
    await pilot.press("b")
    await shows(pilot, "Step 1 of 2", "PC, Web & Mobile")
    await pilot.press("f7")
    await shows(pilot, "Step 2 of 2")
    await pilot.press("b")
    await shows(pilot, "Order 3: bought 1 x Email", "1 of 1 free")


async def failed_request(app: MissionControlApp, pilot: Pilot[int]) -> None:
    context = context_of(app)
    async with context.store.write(context.caller) as tx:
        day = datetime.fromisoformat(DAY).replace(tzinfo=UTC)
        await tx.session.execute(update(RequestEventRow).values(at=day))
    await go(app, pilot, "request", 2)
    await shows(pilot, "Steps and events", "mailbox store [DB01] is offline")


async def changing_all(app: MissionControlApp) -> None:
    context = context_of(app)
    await prepare(app)
    params = ActionParams("managed-exchange", "popx")
    await start(context_of(app).scope, await ids(context_of(app).scope), "change", params)
    async with context.store.write(context.caller) as tx:
        ago = datetime.now(UTC) - timedelta(hours=2)
        await tx.session.execute(update(BulkRow).values(created_at=ago))


async def bulk_stopped(app: MissionControlApp, pilot: Pilot[int]) -> None:
    await changing_all(app)
    await work_slice(context_of(app).store, 1, limit=1)
    await stop(context_of(app).scope, 1)
    await go(app, pilot, "bulk", 1)
    await shows(pilot, "Stopped", "[ Resume ]")


async def bulk_with_failures(app: MissionControlApp, pilot: Pilot[int]) -> None:
    context = context_of(app)
    await changing_all(app)
    for _ in range(4):
        await work_slice(context.store, 1, limit=1)
    await finish(context.store, world.CALLER, context.account)
    await go(app, pilot, "bulk", 1)
    await shows(pilot, "Ended", "0 left")
    await pilot.press("down")
    await shows(pilot, "more, or take one")


STATES: dict[str, Step] = {
    step.__name__: step
    for step in (
        history,
        history_of_a_user,
        history_narrowed,
        undo_asked,
        drafts,
        stale_save,
        edit_addresses,
        revealed,
        reset_done,
        level_asked_for,
        full_level,
        full_level_bought,
        failed_request,
        bulk_stopped,
        bulk_with_failures,
    )
}


@pytest.mark.parametrize("state", STATES)
async def test_picture(
    state: str, world_db: Path, snapshot: SnapshotAssertion, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(password_fields, "generate", lambda *_args: "Xk7-made-up-pass")
    await take(world.make_app(world_db), STATES[state], snapshot)
