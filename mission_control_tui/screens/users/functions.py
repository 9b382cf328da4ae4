"""What User Functions do, wherever a user's card is shown."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace

from mission_control_tui.model.errors import InvalidInput, OutcomeUnknown
from mission_control_tui.model.recycle_bin import deletion
from mission_control_tui.model.recycle_bin.deletion import delete_user
from mission_control_tui.model.services.lights import status
from mission_control_tui.model.states import Wish
from mission_control_tui.model.users import editing
from mission_control_tui.model.users.passwords import set_password
from mission_control_tui.model.users.provisioning import deprovision_all
from mission_control_tui.model.users.queries import details, password_policy
from mission_control_tui.model.views import AssignmentView, RevealedPassword, UserView
from mission_control_tui.screens.base.mission_screen import MissionScreen
from mission_control_tui.screens.base.schedule_prompts import SchedulePrompts
from mission_control_tui.screens.forms.password_fields import BROKEN_RULE
from mission_control_tui.screens.services.consequences import MONEY, removal
from mission_control_tui.screens.users.card import PasswordReset, UserCard
from mission_control_tui.widgets.rows import Row


class UserFunctions:
    """The card of a user on a screen, and what is done with it."""

    def __init__(self, screen: MissionScreen) -> None:
        self._screen = screen
        self._schedules = SchedulePrompts(screen)
        self.card = UserCard(self._act, self._reset, id="card")

    async def show(self, user_id: str) -> None:
        """Read the user and show the card."""
        user = await details(self._screen.context.scope, user_id)
        views = await status(self._screen.context.scope, user=user_id)
        policy = await password_policy(self._screen.context.scope)
        self._screen.looked_at(user.id)
        if self._screen.is_here:
            self.card.show(user, views, policy)

    def verb_provision(self) -> None:
        self._go("provision")

    def verb_edit(self) -> None:
        self._go("edit-user")

    def _go(self, name: str) -> None:
        if (user_id := self._screen.chosen_user()) is not None:
            self._screen.go_to(name, user_id)

    async def verb_schedule(self) -> None:
        user_id, functions = self._screen.chosen_user(), self.card.functions
        if user_id is None:
            return
        row = functions.current if functions.has_focus else None
        await self._schedules.ask_what(user_id, str(row.key) if row is not None else "")

    def _act(self, row: Row) -> None:
        """Do one of User Functions."""
        if (user := self.card.user) is None:
            return
        match str(row.key):
            case "services":
                self._screen.go_to("provision", user.id)
            case "edit":
                self._screen.go_to("edit-user", user.id)
            case "password":
                self.card.open_reset()
            case "disable":
                self._ask_disable(user)
            case "deprovision":
                self._screen.do(self._ask_deprovision(user))
            case "delete":
                self._screen.do(self._ask_delete(user))
            case name:
                self._screen.do(self._change(name, user))

    @property
    def _given(self) -> list[AssignmentView]:
        """The services that the user is to have."""
        return [view for view in self.card.views if view.wish is not Wish.ABSENT]

    def _ask_disable(self, user: UserView) -> None:
        names = ", ".join(dict.fromkeys(view.service for view in self._given))
        self._screen.prompts.confirm(
            [
                f"{self._screen.context.account.name}: disable {user.upn}?",
                f"Lost: the access to {names or 'nothing: there are no services'}, until enabled again.",
                "Seats: stay held. All data stays.",
                "Money: nothing changes.",
            ],
            lambda: self._change("disable", user),
            yes="Disable",
        )

    async def _ask_deprovision(self, user: UserView) -> None:
        given = [(view.service_id, view.level_id) for view in self._given]
        context, what = self._screen.context, "deprovision all services of"
        if not given:
            self._screen.answer(f"{user.upn} has no service to take away")
            return
        lines = removal(context.account.name, user.upn, context.catalogue, given, what=what)
        tried = await deprovision_all(context.scope, user.id, dry_run=True)
        lines[2:2] = tried.plan.warnings
        self._screen.prompts.confirm(
            lines, lambda: self._change("deprovision", user), yes="Deprovision"
        )

    async def _ask_delete(self, user: UserView) -> None:
        outcome = await delete_user(self._screen.context.scope, user.id, dry_run=True)
        self._screen.prompts.ask_typed(
            [
                f"{self._screen.context.account.name}: delete {user.upn} into the recycling bin?",
                "Lost: nothing that is stated; Restore brings it back. UPN, aliases and username stay reserved.",
                *outcome.plan.warnings,
                "Seats: none are held.",
                MONEY,
            ],
            user.upn,
            lambda: self._change("delete", user),
            what="the UPN of the user",
        )

    async def _change(self, name: str, user: UserView) -> None:
        verbs: dict[str, tuple[Callable[..., Awaitable[object]], str]] = {
            "disable": (editing.disable_user, "Disabled; services follow"),
            "enable": (editing.enable_user, "Enabled; services follow"),
            "unlock": (editing.unlock_user, "Unlocked here; a lock of a back end is ended there"),
            "deprovision": (deprovision_all, "Asked for: deprovision all services"),
            "delete": (deletion.delete_user, "In the recycling bin: Show > Recycling bin restores"),
            "restore": (deletion.restore_user, "Restored, without services"),
        }
        verb, said = verbs[name]
        await verb(self._screen.context.scope, user.id)
        await self._screen.done(f"{user.upn}: {said}")

    async def _reset(self, reset: PasswordReset, password: str | None) -> None:
        if (user := self.card.user) is not None:
            await reset_password(self._screen, reset, user, password)

    def step_out(self) -> bool:
        """Leave the fields of Reset Password, then Reset Password; whether it was open."""
        if not self._screen.prompts.is_clear or not self.card.resets:
            return False
        if self._screen.in_field:
            self.card.reset.make.focus()
        else:
            self.card.close_reset()
        return True


async def reset_password(
    screen: MissionScreen, reset: PasswordReset, user: UserView, password: str | None
) -> None:
    """Set the password that was asked for, and hand a generated one back to be revealed once."""
    must_change = reset.must_change.value or None
    made: list[RevealedPassword] = []
    scope = replace(screen.context.scope, keep=made.extend)
    try:
        outcome = await set_password(scope, user.id, password, must_change=must_change)
    except OutcomeUnknown:
        # It may have been set: whoever looks has it.
        reset.done(made[0].password if made else None)
        raise
    except InvalidInput:
        reset.fields.password.error = BROKEN_RULE
        reset.fields.password.focus()
        return
    reset.done(outcome.result.password)
    screen.announce(f"{user.upn}: the new password is on its way to every service that uses it")
    await screen.queue_changed()
