"""Groups and shared mailboxes on the screen: making one, members by search, what is lost before it is removed."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion
from textual.pilot import Pilot

from mission_control_tui.console.base_app import MissionControlApp
from mission_control_tui.model.groups.editing import (
    GroupChanges,
    create_object,
    edit_object,
    remove_object,
)
from mission_control_tui.model.groups.queries import ObjectView, list_objects, show_object
from mission_control_tui.model.states import Light, Wish, Word
from mission_control_tui.model.store.scope import AccountScope
from mission_control_tui.model.store.tables.services import AssignmentRow
from mission_control_tui.screens.base.mission_screen import MissionScreen
from mission_control_tui.screens.groups.object import ObjectScreen
from mission_control_tui.screens.users.card import UserCard
from mission_control_tui.widgets.field import Field, FieldInput
from tests.screens import world
from tests.screens.driving import answer, at_both_sizes, shows, text_of, type_text, until
from tests.screens.picturing import take
from tests.screens.users.driving import context_of, opened

GROUP = "distribution-group"


async def turn(app: MissionControlApp, made: ObjectView, light: Light) -> None:
    """As a worker would end it."""
    async with context_of(app).scope.change() as (tx, _):
        row = await tx.session.get_one(AssignmentRow, made.service.id)
        row.light = light
        row.word = Word.PROVISIONED if light is Light.GREEN else Word.ERROR
        row.observed_wish = Wish.PRESENT
        row.since = tx.now - timedelta(hours=2)
        if light is Light.RED:
            row.error_said, row.error_remedy = "The list is full.", "Make room."


async def group(app: MissionControlApp, name: str = "Sales", **more: Any) -> ObjectView:
    address = f"{name.lower()}@acme.example"
    return (await create_object(context_of(app).scope, GROUP, name, address, **more)).result


@at_both_sizes
async def test_a_group_is_made_with_members_by_keys_alone(
    world_db: Path, size: tuple[int, int]
) -> None:
    async with opened(world_db, "objects", size=size) as (app, pilot):
        await shows(pilot, "There are none: n makes one")
        await pilot.press("n")
        await shows(pilot, "New Distribution Group", "Who may send")
        await until(pilot, lambda: app.focused is not None and app.focused.id == "kind")
        await pilot.press("down")
        await type_text(pilot, "Sales Team")
        await shows(pilot, "[sales.team@acme.example")
        await pilot.press(*["enter"] * 6)
        await type_text(pilot, "ada")
        await shows(pilot, "Ada Lovelace", "1 found")
        await pilot.press("down", "enter")
        await shows(pilot, "+  Member", "Members (1)")
        await pilot.press("f2")
        await shows(pilot, "Sales Team  sales.team@acme.example  (Distribution Group)", "Queued")
        (line,) = (await list_objects(context_of(app).scope)).rows
        made = await show_object(context_of(app).scope, line.id)
        assert [one.address for one in made.members] == ["ada@acme.example"]
        await turn(app, made, Light.GREEN)
        await shows(pilot, "• Provisioned", "nothing is changed")
        await pilot.press("escape")
        await shows(pilot, "Sales Team", "• Provisioned", "1 found")


async def test_the_errors_stand_beside_their_fields_and_nothing_is_lost(world_db: Path) -> None:
    async with opened(world_db, "object", None, GROUP) as (app, pilot):
        await shows(pilot, "New Distribution Group")
        await type_text(pilot, "Sales")
        await shows(pilot, "[sales@acme.example")
        app.screen.query_one("#address", Field).value = "ada@acme.example"
        await pilot.press("f2")
        await shows(pilot, "1 field needs attention: Address", "is taken by Ada Lovelace")
        assert "[Sales" in text_of(app)
        assert (await list_objects(context_of(app).scope)).total == 0
        app.screen.query_one("#address", Field).value = "sales@acme.example"
        await until(pilot, lambda: "attention" not in text_of(app))


async def test_a_member_is_taken_out_and_only_provision_sends_it(world_db: Path) -> None:
    async with opened(world_db, "objects") as (app, pilot):
        made = await group(app, members={"member": ["ada", "alan"]})
        await turn(app, made, Light.GREEN)
        await shows(pilot, "Sales")
        await pilot.press("enter")
        await shows(pilot, "Members (2)", "( Provision )")
        app.screen.query_one("#members").focus()
        await pilot.press("enter")
        await shows(pilot, "-  Member", "Not yet provisioned: 1 change")
        assert len((await show_object(context_of(app).scope, made.id)).members) == 2
        await pilot.press("p")
        await shows(pilot, "Members (1)", "Queued")
        (left,) = (await show_object(context_of(app).scope, made.id)).members
        assert left.address == "alan@acme.example"


async def test_removing_names_what_is_lost_and_no_is_the_default(world_db: Path) -> None:
    async with opened(world_db, "objects") as (app, pilot):
        made = await group(app, members={"member": ["ada"]})
        await group(app, "All", members={"member": ["Sales"]})
        await turn(app, made, Light.GREEN)
        await until(pilot, lambda: "All" in text_of(app) and "Sales" in text_of(app))
        await pilot.press("down", "enter")
        await shows(pilot, "Sales  sales@acme.example", "in: All")
        app.screen.query_one("#remove").focus()
        await pilot.press("enter")
        await shows(
            pilot,
            "remove Sales (Distribution Group)?",
            "and its 1 member",
            "sales@acme.example leaves All",
        )
        await pilot.press("enter")
        await shows(pilot, "Nothing was changed")
        await pilot.press("enter")
        await answer(pilot, "y")
        await shows(pilot, "Removing")
        assert (await show_object(context_of(app).scope, "All")).members == ()
        async with context_of(app).store.write(context_of(app).caller) as tx:
            row = await tx.session.get_one(AssignmentRow, made.service.id)
            row.light, row.word = Light.GREY, Word.NOT_PROVISIONED
        await shows(pilot, "It was removed. Provision brings it back")


async def test_taking_a_mailbox_away_says_which_groups_are_left(world_db: Path) -> None:
    async with opened(world_db, "user", "ada") as (app, pilot):
        await group(app, members={"member": ["ada"]})
        await shows(pilot, "Deprovision")
        card = app.screen.query_one(UserCard)
        for index in range(card.functions.count):
            row = card.functions.row_at(index)
            if row is not None and row.key == "deprovision":
                card.functions.move_to(index)
        card.functions.focus()
        await pilot.press("enter")
        await shows(pilot, "deprovision all services of", "ada@acme.example leaves Sales.")


async def renamed_in_the_form(app: MissionControlApp, pilot: Pilot[int]) -> ObjectView:
    """A group called Sales, opened, with another name typed and not provisioned."""
    made = await group(app)
    await shows(pilot, "Sales")
    await pilot.press("enter")
    await shows(pilot, "Sales  sales@acme.example")
    app.screen.query_one("#name").focus()
    await pilot.press("end")
    await type_text(pilot, " Team")
    await shows(pilot, "Not yet provisioned: 1 change")
    return made


async def save_a_note(app: MissionControlApp, made: ObjectView) -> None:
    """What somebody else changes of the group meanwhile."""
    context = context_of(app)
    scope = AccountScope(context.store, world.CALLER, context.account_id)
    await edit_object(scope, made.id, GroupChanges(settings={"note": "Theirs"}))


async def test_somebody_elses_save_is_shown_and_what_was_typed_stays(world_db: Path) -> None:
    async with opened(world_db, "objects") as (app, pilot):
        made = await renamed_in_the_form(app, pilot)
        await save_a_note(app, made)
        await pilot.press("f2")
        await shows(pilot, "Sales was changed meanwhile by", 'Note: nothing -> "Theirs"')
        assert "[Sales Team" in text_of(app)
        await pilot.press("f2")
        await shows(pilot, "Sales Team  sales@acme.example")
        assert (await show_object(context_of(app).scope, made.id)).settings["note"] == "Theirs"


@pytest.mark.parametrize("seconds", [0.0, 0.3], ids=["", "fields are built slowly"])
async def test_a_look_elsewhere_keeps_what_was_typed_and_brings_no_old_value_back(
    world_db: Path, monkeypatch: pytest.MonkeyPatch, seconds: float
) -> None:
    take_kind = ObjectScreen._take_kind

    async def slowly(screen: ObjectScreen, kind: str) -> None:
        await take_kind(screen, kind)
        await asyncio.sleep(seconds)

    monkeypatch.setattr(ObjectScreen, "_take_kind", slowly)
    async with opened(world_db, "objects") as (app, pilot):
        made = await renamed_in_the_form(app, pilot)
        app.follow_link("requests")
        await shows(pilot, "Tries")
        await save_a_note(app, made)
        app.screen.go_to("object", made.id)  # type: ignore[attr-defined]
        await shows(pilot, "[Sales Team", "Not yet provisioned: 1 change", "[Theirs")
        await pilot.press("f2")
        await shows(pilot, "Sales was changed meanwhile by")
        await pilot.press("f2")
        await shows(pilot, "Sales Team  sales@acme.example")
        assert (await show_object(context_of(app).scope, made.id)).settings["note"] == "Theirs"


async def test_a_red_group_says_why_and_provision_tries_again(world_db: Path) -> None:
    async with opened(world_db, "objects") as (app, pilot):
        made = await group(app)
        await turn(app, made, Light.RED)
        await shows(pilot, "× Error")  # noqa: RUF001
        await pilot.press("exclamation_mark")
        await shows(pilot, "The list is full.", "Make room.", "Provision tries it again.")
        await pilot.press("p")
        await shows(pilot, "Queued")
        assert (await show_object(context_of(app).scope, made.id)).service.light is Light.ORANGE


async def test_hostile_text_is_only_text(world_db: Path) -> None:
    async with opened(world_db, "objects") as (app, pilot):
        name = "[bold]Évil[/] \u6f22\u5b57 \u05e9\u05dc\u05d5\u05dd"
        made = (
            await create_object(
                context_of(app).scope,
                GROUP,
                name,
                "evil@acme.example",
                settings={"note": "[red]x[/red]"},
            )
        ).result
        await shows(pilot, "[bold]")
        await pilot.press("enter")
        await shows(pilot, "[bold]Évil[/]", "[red]x[/red]")
        async with context_of(app).store.write(context_of(app).caller) as tx:
            row = await tx.session.get_one(AssignmentRow, made.service.id)
            row.light, row.word = Light.RED, Word.ERROR
            row.error_said = "\x1b[2J[blink]no[/blink]"
        await shows(pilot, "[blink]no[/blink]")
        assert "\x1b" not in text_of(app)


async def test_what_is_removed_elsewhere_is_seen(world_db: Path) -> None:
    async with opened(world_db, "objects") as (app, pilot):
        made = await group(app)
        await turn(app, made, Light.GREEN)
        await shows(pilot, "• Provisioned")
        await remove_object(context_of(app).scope, made.id)
        await shows(pilot, "» Removing")


async def seen(app: MissionControlApp, pilot: Pilot[int], state: str) -> None:
    await until(pilot, lambda: "This month  AUD" in text_of(app))
    home = app.screen
    assert isinstance(home, MissionScreen)
    made = await group(app, members={"member": ["ada", "alan"], "owner": ["grace"]})
    await create_object(context_of(app).scope, "shared-mailbox", "Info Desk", "info@acme.example")
    await create_object(
        context_of(app).scope, "mail-contact", "Print Shop", "orders@printer.example"
    )
    await turn(app, made, Light.RED if state == "red" else Light.GREEN)
    if state == "list":
        home.go_to("objects")
        await shows(pilot, "Print Shop", "3 found", "3 orange")
        return
    if state == "new":
        home.go_to("object", None, "shared-mailbox")
        await shows(pilot, "New Shared Mailbox", "Full access", "3 orange", "F2 Provision")
        await until(pilot, lambda: isinstance(app.focused, FieldInput))
        return
    home.go_to("object", made.id)
    await shows(pilot, "Members (3)", "2 h", "3 orange")
    await until(pilot, lambda: getattr(app.focused, "id", "") == "provision")
    await shows(pilot, "[ Provision ]" if state == "red" else "nothing is changed")
    if state == "search":
        app.screen.query_one("#add").focus()
        await type_text(pilot, "a")
        await shows(pilot, "found")
    if state == "remove":
        app.screen.query_one("#remove").focus()
        await pilot.press("enter")
        await shows(pilot, "Lost:")


@pytest.mark.parametrize("state", ["list", "new", "group", "red", "search", "remove"])
async def test_picture(state: str, world_db: Path, snapshot: SnapshotAssertion) -> None:
    async def reach(app: MissionControlApp, pilot: Pilot[int]) -> None:
        await seen(app, pilot, state)

    await take(world.make_app(world_db), reach, snapshot)
