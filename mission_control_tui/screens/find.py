"""Find anyone: people and orders of all accounts as one types; whom one looked at last while nothing is typed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from textual.widget import Widget

from mission_control_tui.model.operators.recents import recent_users
from mission_control_tui.model.search.anyone import find_anyone
from mission_control_tui.model.search.results import FoundOrder, FoundUser
from mission_control_tui.model.views import Account
from mission_control_tui.screens.base.context import Context
from mission_control_tui.screens.base.find_list import HOW, MOST, FindList
from mission_control_tui.screens.base.mission_screen import MissionScreen
from mission_control_tui.screens.users.users import WORST, lights_cell
from mission_control_tui.widgets.light import light_parts
from mission_control_tui.widgets.lines import Part
from mission_control_tui.widgets.rows import Cell, Column, Row


class FindScreen(MissionScreen):
    """People and orders of all accounts."""

    NAME = "find"
    MEMORY_NAME = "FindScreen"
    HEADING = "Find anyone"
    ABOUT = (
        "Type part of a name, UPN, alias, user name or phone number, the number of an order, or an account's name, "
        "code, customer number or domain: all accounts that you may see are looked through. Enter or Down goes to what "
        "was found, Enter opens it; an account opens with its Home. Somebody of another account changes the account, "
        "which the top line shows; Escape changes it back. An empty box lists whom you looked at last."
    )
    VERBS = ("find", "copy")
    KEY_LABELS = (("back", "Back"),)
    AUTO_FOCUS = "FindInput"
    ONLY_FINDS = True

    def __init__(self, text: str = "") -> None:
        super().__init__()
        self._found = FindList(
            self._answer,
            self._chosen,
            columns=(
                Column("Account", width=10),
                Column("Name", share=3),
                Column("UPN, or what matched", share=4),
                Column("Services", width=17),
            ),
            empty="Nobody is found. Try the beginning of a name, an address or a phone number",
            untyped="Type the beginning of a name, an address or a phone number",
            text=text,
        )

    def body(self) -> Iterable[Widget]:
        yield self._found

    async def load(self) -> None:
        self._found.look()

    def on_mount(self) -> None:
        self.announce(HOW, stays=True)

    async def _answer(self, text: str) -> tuple[Sequence[Row], str]:
        context = self.context
        at = (context.store, context.caller)
        if not text.strip():
            recent = await recent_users(*at, MOST)
            rows = [user_row(look.user) for look in recent]
            return rows, "whom you looked at last" if rows else "in all accounts"
        found = await find_anyone(*at, text, MOST - 1, current=context.account_id)
        rows = [found_account(account) for account in found.accounts]
        rows += [order_row(order) for order in found.orders]
        rows += [user_row(user) for user in found.users]
        count = "1 found" if len(rows) == 1 else f"{len(rows)} found"
        return rows, f"the first {len(rows)}: type more" if found.more else count

    def _chosen(self, row: Row) -> None:
        match row.data:
            case FoundUser() as user:
                self.open_in(self._in(user.account), "user", user.user_id)
            case FoundOrder() as order:
                self.open_in(self._in(order.account), "order", order.order_id)
            case Account() as account:
                self.console.accounts.change(account)

    def _in(self, account: Account) -> Context:
        return self.console.accounts.context_for(account)

    def verb_copy(self) -> None:
        match self._found.rows.current_data(object):
            case FoundUser(upn=text):
                self.copy(text)
            case FoundOrder(order_id=number):
                self.copy(str(number))
            case Account(code=code):
                self.copy(code)


def user_row(user: FoundUser) -> Row:
    """Return a person who was found."""
    who: Cell = (user.matched, "dim") if user.matched else user.upn
    return Row(user.user_id, (user.account.code, user.display_name, who, state_cell(user)), user)


def state_cell(user: FoundUser) -> Cell:
    """The lights; of who is disabled, locked or in the bin that word first, and of the lights only the numbers."""
    flags = {"in the bin": user.in_bin, "disabled": user.disabled, "locked": user.locked}
    word = next((word for word, is_so in flags.items() if is_so), "")
    if not word:
        return lights_cell(user.lights, user.orange)
    parts: list[Part] = [(word, "error")]
    for light in WORST:
        if count := sum(shown is light for _service, shown in user.lights):
            parts += [(" ", ""), *light_parts(light, str(count))]
    return tuple(parts)


def found_account(account: Account) -> Row:
    """Return an account that was found."""
    number = f"  {account.customer_number}" if account.customer_number else ""
    name: Cell = ((account.name, "strong"), (number, "dim"))
    known: Cell = (", ".join(account.domains), "dim")
    return Row(("account", account.id), (account.code, name, known, "account"), account)


def order_row(order: FoundOrder) -> Row:
    """Return an order whose number was typed."""
    told = f"{order.placed_at:%Y-%m-%d} by {order.operator}"
    state = ((f"Order {order.order_id}  ", "strong"), (order.state, "dim"))
    return Row(
        ("order", order.order_id), (order.account.code, state, told, str(order.total)), order
    )
