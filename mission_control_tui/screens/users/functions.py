"""What User Functions do, wherever a user's card is shown."""

from __future__ import annotations

from mission_control_tui.model.errors import InvalidInput
from mission_control_tui.model.recycle_bin import deletion
from mission_control_tui.model.recycle_bin.deletion import delete_user
from mission_control_tui.model.services.lights import status
from mission_control_tui.model.states import Wish
from mission_control_tui.model.users import editing
from mission_control_tui.model.users.passwords import set_password
from mission_control_tui.model.users.provisioning import deprovision_all
from mission_control_tui.model.users.queries import details, password_policy
from mission_control_tui.model.views import AssignmentView, UserView
from mission_control_tui.screens.base.mission_screen import MissionScreen
from mission_control_tui.screens.base.schedule_prompts import SchedulingScreen
from mission_control_tui.screens.forms.password_fields import BROKEN_RULE
from mission_control_tui.screens.services.consequences import MONEY, removal
from mission_control_tui.screens.users.card import FunctionList, PasswordReset, UserCard
from mission_control_tui.widgets.rows import CursorLines


class UserFunctionsScreen(SchedulingScreen):
    """A screen that has a `UserCard`."""

    @property
    def card(self) -> UserCard:
        return self.query_one(UserCard)

    async def show_user(self, user_id: str) -> None:
        """Read the user and show the card."""
        user = await details(self.context.scope, user_id)
        views = await status(self.context.scope, user=user_id)
        policy = await password_policy(self.context.scope)
        self.looked_at(user.id)
        if self.is_here:
            self.card.show(user, views, policy)

    def on_cursor_lines_opened(self, event: CursorLines.Opened) -> None:
        if isinstance(event.rows, FunctionList) and self.card.user is not None:
            event.stop()
            self.act(str(event.row.key), self.card.user)

    def verb_provision(self) -> None:
        self._go("provision")

    def verb_edit(self) -> None:
        self._go("edit-user")

    def _go(self, name: str) -> None:
        if (user_id := self.chosen_user()) is not None:
            self.go_to(name, user_id)

    async def verb_schedule(self) -> None:
        user_id, functions = self.chosen_user(), self.card.functions
        if user_id is None:
            return
        row = functions.current if functions.has_focus else None
        await self.schedule_for(user_id, str(row.key) if row is not None else "")

    def act(self, name: str, user: UserView) -> None:
        """Do one of User Functions."""
        match name:
            case "services":
                self.go_to("provision", user.id)
            case "edit":
                self.go_to("edit-user", user.id)
            case "password":
                self.card.open_reset()
            case "disable":
                self._ask_disable(user)
            case "deprovision":
                self.do(self._ask_deprovision(user))
            case "delete":
                self.do(self._ask_delete(user))
            case _:
                self.do(self._change(name, user))

    @property
    def _given(self) -> list[AssignmentView]:
        """The services that the user is to have."""
        return [view for view in self.card.views if view.wish is not Wish.ABSENT]

    def _ask_disable(self, user: UserView) -> None:
        names = ", ".join(dict.fromkeys(view.service for view in self._given))
        self.prompts.confirm(
            [
                f"{self.context.account.name}: disable {user.upn}?",
                f"Lost: the access to {names or 'nothing: there are no services'}, until enabled again.",
                "Seats: stay held. All data stays.",
                "Money: nothing changes.",
            ],
            lambda: self._change("disable", user),
            yes="Disable",
        )

    async def _ask_deprovision(self, user: UserView) -> None:
        given = [(view.service_id, view.level_id) for view in self._given]
        context, what = self.context, "deprovision all services of"
        if not given:
            self.announce(f"{user.upn} has no service to take away")
            return
        lines = removal(context.account.name, user.upn, context.catalogue, given, what=what)
        tried = await deprovision_all(context.scope, user.id, dry_run=True)
        lines[2:2] = tried.plan.warnings
        self.prompts.confirm(lines, lambda: self._change("deprovision", user), yes="Deprovision")

    async def _ask_delete(self, user: UserView) -> None:
        outcome = await delete_user(self.context.scope, user.id, dry_run=True)
        self.prompts.ask_typed(
            [
                f"{self.context.account.name}: delete {user.upn} into the recycling bin?",
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
        verbs = {
            "disable": (editing.disable_user, "Disabled; services follow"),
            "enable": (editing.enable_user, "Enabled; services follow"),
            "unlock": (editing.unlock_user, "Unlocked; services follow"),
            "deprovision": (deprovision_all, "Asked for: deprovision all services"),
            "delete": (deletion.delete_user, "In the recycling bin: Show > Recycling bin restores"),
            "restore": (deletion.restore_user, "Restored, without services"),
        }
        verb, said = verbs[name]
        await verb(self.context.scope, user.id)
        await self.done(f"{user.upn}: {said}")

    async def on_password_reset_asked(self, event: PasswordReset.Asked) -> None:
        event.stop()
        if (user := self.card.user) is not None:
            self.do(reset_password(self, event, user))

    def verb_back(self) -> None:
        if not self.prompts.is_clear or not self.query(UserCard) or not self.card.resets:
            super().verb_back()
        elif self.in_field:
            self.card.reset.make.focus()
        else:
            self.card.close_reset()


async def reset_password(screen: MissionScreen, event: PasswordReset.Asked, user: UserView) -> None:
    """Set the password that was asked for, and hand a generated one back to be revealed once."""
    context = screen.context
    try:
        outcome = await set_password(
            context.scope, user.id, event.password, must_change=event.must_change or None
        )
    except InvalidInput:
        event.reset.fields.password.error = BROKEN_RULE
        event.reset.fields.password.focus()
        return
    event.reset.done(outcome.result.password)
    screen.announce(f"{user.upn}: the new password is on its way to every service that uses it")
    await screen.queue_changed()
