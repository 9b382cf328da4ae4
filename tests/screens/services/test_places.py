"""Where a service is, on its panel: one of several connectors is chosen, a move asks first, what it left is removed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import msgspec
from sqlalchemy import select

from mission_control_tui.console.base_app import MissionControlApp
from mission_control_tui.model.services.part_states import part_states
from mission_control_tui.model.states import Light, StepState, Wish
from mission_control_tui.model.store.tables.services import AssignmentRow
from mission_control_tui.model.users.actions.params import ActionParams
from mission_control_tui.model.users.provisioning import move
from mission_control_tui.screens.services.service_panel import UserServicePanel
from mission_control_tui.settings.settings import PlacementSettings
from mission_control_tui.widgets.field import ChoiceField
from mission_control_tui.widgets.line_list import LineList
from tests.model.helpers import finish
from tests.screens.driving import answer, shows, until
from tests.screens.services.test_provision import EXCHANGE, view_of
from tests.screens.users.driving import context_of, opened

MAILS = ["simulator", "mail-2"]


def placed(app: MissionControlApp) -> None:
    """Two connectors serve Managed Exchange from now on."""
    context = context_of(app)
    context.settings = msgspec.structs.replace(
        context.settings, placement={"managed-exchange": PlacementSettings(MAILS)}
    )
    context.store.placements = context.settings.placements
    app.apply_changes(["store"])


def left_panels(app: MissionControlApp) -> list[UserServicePanel]:
    """The panels of what moves have left, as they are now."""
    return [one for one in app.screen.query(UserServicePanel).results() if one.view.marked]


async def test_a_service_moves_after_a_question_and_what_it_left_has_a_panel(
    world_db: Path,
) -> None:
    async with opened(world_db, "provision", "ada") as (app, pilot):
        await shows(pilot, "• Provisioned")
        panel = app.screen.query_one(EXCHANGE, UserServicePanel)
        await panel.open_now()
        field = panel.query_one(f"{EXCHANGE}-on", ChoiceField)
        assert not field.display, "there is no choice"
        placed(app)
        await until(pilot, lambda: (field.display, field.value) == (True, "simulator"))
        panel.query_one("#move").focus()
        await pilot.press("enter")
        await shows(pilot, "Choose another connector above first")
        field.focus()
        await pilot.press("right")
        assert field.value == "mail-2"
        panel.query_one("#move").focus()
        await pilot.press("enter")
        await shows(pilot, "move Managed Exchange of ada@acme.example", "not carried along")
        await answer(pilot, "right", "enter")
        await until(pilot, lambda: left_panels(app) != [])
        assert (await view_of(app, "ada@acme.example")).connector == "mail-2"
        context = context_of(app)
        await finish(context.store, context.caller, context.account)
        async with context.store.write(context.caller, context.account_id) as tx:
            left = (
                await tx.session.scalars(select(AssignmentRow).where(AssignmentRow.marked != ""))
            ).one()
            left.kept_until = 4e9
        app.apply_changes(["store"])
        (was,) = left_panels(app)
        await until(pilot, lambda: was.view.kept_until is not None)
        assert "What a move left here is kept until" in was._known()[0]
        assert was._offered() == {"remove"}
        (panel,) = left_panels(app)
        await panel.open_now()
        button = panel.query_one("#remove")
        button.focus()
        await until(pilot, lambda: app.focused is button)
        await pilot.press("enter")
        await shows(
            pilot,
            "remove Managed Exchange of ada@acme.example, left at",
            "with all data that the back end keeps, at once",
        )
        await answer(pilot, "right", "enter")


async def test_how_far_each_part_is(world_db: Path) -> None:
    async with opened(world_db, "provision", "ada") as (app, pilot):
        await shows(pilot, "• Provisioned")
        view = await view_of(app, "ada@acme.example")
    parts = ("directory", "mailbox", "addresses")
    done, failed = StepState.DONE, StepState.FAILED

    def states(light: Light, *steps: tuple[str, StepState], wish: Wish = Wish.PRESENT) -> list[str]:
        found = part_states(replace(view, light=light, wish=wish), parts, steps)
        return [str(found[part]) for part in parts]

    assert states(Light.GREEN) == ["done"] * 3
    assert states(Light.ORANGE) == ["waits"] * 3
    assert states(Light.RED, ("directory: account", done), ("mailbox: box", failed)) == [
        "done",
        "failed",
        "waits",
    ]
    assert states(Light.ORANGE, ("mailbox", done)) == ["done", "under way", "waits"]
    absent = states(Light.ORANGE, ("mailbox: box", done), wish=Wish.ABSENT)
    assert absent == ["waits", "under way", "done"]


async def test_the_removal_of_what_a_move_left_says_so_wherever_it_is_listed(
    world_db: Path,
) -> None:
    async with opened(world_db, "requests") as (app, pilot):
        await shows(pilot, "provision ada PC & Web Access")
        placed(app)
        wanted = ActionParams("managed-exchange", on="mail-2", new_password=True)
        await move(context_of(app).scope, "ada@acme.example", wanted)
        await shows(pilot, "deprovision ada (left at simulator)")
        app.screen.query_one(LineList).focus()
        await pilot.press("home", "enter")
        await shows(pilot, "deprovision Managed Exchange (left at simulator) for ada")
    async with opened(world_db, "home") as (_, pilot):
        await shows(pilot, "Waiting ada (left at simulator)")
