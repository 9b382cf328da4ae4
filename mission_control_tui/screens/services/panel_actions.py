"""What some buttons of a panel ask and do: a move, the removal of what a move has left, a new password."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from mission_control_tui.model.services.subjects import SubjectKey
from mission_control_tui.model.services.users_password import PasswordNotKept
from mission_control_tui.model.states import RequestKind
from mission_control_tui.model.text.instances import with_instance
from mission_control_tui.model.users.actions.params import ActionParams
from mission_control_tui.model.users.passwords import set_service_password
from mission_control_tui.model.users.provisioning import change_wish, move
from mission_control_tui.model.views import RevealedPassword
from mission_control_tui.screens.base.mission_screen import MissionScreen
from mission_control_tui.screens.services.consequences import left_question, move_question
from mission_control_tui.screens.services.service_panel import UserServicePanel


async def ask_move(screen: MissionScreen, panel: UserServicePanel, whose: str | SubjectKey) -> None:
    """Ask before a service goes to the connector that its panel names, with a new password where that needs one."""
    wanted = ActionParams(panel.service.id, instance=panel.view.instance, on=panel.on)
    if wanted.on == panel.view.connector:
        screen.answer("Choose another connector above first", error=True)
        return
    scope = screen.context.scope
    try:
        tried = await move(scope, whose, wanted, dry_run=True)
    except PasswordNotKept:
        wanted = replace(wanted, new_password=True)
        tried = await move(scope, whose, wanted, dry_run=True)
    lines = move_question(screen.context.account.name, panel.view, wanted, tried.plan)

    async def go() -> None:
        made: list[RevealedPassword] = []
        try:
            await move(replace(scope, keep=made.extend), whose, wanted)
        finally:
            # Also where nobody knows whether it was done.
            if made:
                panel.hold_password(made[0].password)
        await screen.done(f"Asked for: {panel.service.name} goes to {wanted.on}")

    screen.prompts.confirm(lines, go, yes="Move")


async def ask_removal(
    screen: MissionScreen, panel: UserServicePanel, whose: str | SubjectKey
) -> None:
    """Ask before what a move has left is removed now, with its data."""
    context, kind = screen.context, RequestKind.DEPROVISION
    service, instance = panel.service.id, panel.view.instance
    remove = partial(
        change_wish, context.scope, whose, service, kind, instance=instance, at_once=True
    )

    async def go() -> None:
        await remove()
        await screen.done(f"Asked for: {kind} {with_instance(panel.service.name, instance)}")

    tried = await remove(dry_run=True)
    lines = left_question(context.account.name, panel.view, tried.plan)
    screen.prompts.confirm(lines, go, yes="Remove")


async def new_password(screen: MissionScreen, panel: UserServicePanel, user: str) -> None:
    """Make a new password for the service alone, to be revealed on its panel."""
    made: list[RevealedPassword] = []
    scope = replace(screen.context.scope, keep=made.extend)
    try:
        await set_service_password(scope, user, panel.service.id, instance=panel.view.instance)
    finally:
        # Also where nobody knows whether it was set.
        if made:
            panel.hold_password(made[0].password)
    screen.announce("A new password is on its way; Enter reveals it once")
    await screen.queue_changed()
