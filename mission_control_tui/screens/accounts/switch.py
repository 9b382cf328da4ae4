"""Which account to work on: at the start where there are several and none was named, and from anywhere by `o`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import cast

from textual.widget import Widget

from mission_control_tui.model.accounts.search import find_accounts
from mission_control_tui.model.text.counting import counted
from mission_control_tui.model.text.folding import fold
from mission_control_tui.model.views import Account
from mission_control_tui.screens.base.find_list import HOW, MOST, FindList
from mission_control_tui.screens.base.mission_screen import MissionScreen
from mission_control_tui.widgets.rows import Cell, Column, Row


def account_list(
    find: Callable[[str], Awaitable[Sequence[Account]]],
    chosen: Callable[[Account], object],
    is_here: Callable[[Account], bool] = lambda _account: False,
) -> FindList:
    """Return a list of the accounts that `find` finds by part of code, name, number or domain, at most MOST + 1."""

    async def answer(text: str) -> tuple[Sequence[Row], str]:
        found = await find(text)
        rows = [account_row(account, is_here=is_here(account)) for account in found[:MOST]]
        count = counted(len(rows), "account")
        return rows, f"the first {len(rows)}: type more" if len(found) > MOST else count

    return FindList(
        answer,
        lambda row: chosen(cast(Account, row.data)),
        columns=(Column("Code", width=16), Column("Name"), Column("Domains", width=30)),
        empty="No account has this in its code, name, customer number or domains",
    )


def account_row(account: Account, *, is_here: bool) -> Row:
    """Return an account as a row."""
    name = f"{account.name} (sample)" if account.is_sample else account.name
    beside = "  ".join(filter(None, (account.customer_number, "you are here" * is_here)))
    cell: Cell = ((f"{name}  ", ""), (beside, "dim")) if beside else name
    return Row(account.id, (account.code, cell, ", ".join(account.domains)), account)


CHOOSE = "Choose an account first: type part of it, Down, Enter; F10 quits"
OFFERED = frozenset({"find", "back", "help", "quit", "redraw"})
"""What can be done before there is an account."""


class AccountsScreen(MissionScreen):
    """The choice at the start: until one is made nothing else is offered, for there is no account to do it in.

    `chosen_id` is called with the account's id once this screen has gone; `why` says what was wrong with the one that
    was named.
    """

    MEMORY_NAME = "AccountsScreen"
    HEADING = "Accounts"
    ABOUT = (
        "There are several accounts: type part of a code, name or domain, Down, and Enter opens one. To come straight "
        "to it, name it: mission-control --account CODE, or `account` in the settings."
    )
    VERBS = ("find",)
    KEY_LABELS = (("back", "Back"),)
    AUTO_FOCUS = "FindInput"
    ONLY_FINDS = True

    def __init__(
        self, accounts: Sequence[Account], chosen_id: Callable[[int], None], why: str = ""
    ) -> None:
        super().__init__()
        self._accounts = tuple(accounts)
        self._chosen_id = chosen_id
        self._why = why
        self._found = account_list(self._find, self._go_on)

    def body(self) -> Iterable[Widget]:
        yield self._found

    async def load(self) -> None:
        self._found.look()

    def on_mount(self) -> None:
        question = "Which account do you want to work on? Type, Down, Enter"
        self.announce(f"{self._why} {question}".lstrip(), error=bool(self._why), stays=True)
        self._found.look()

    def why_not(self, verb: str) -> str:
        return super().why_not(verb) if verb in OFFERED else CHOOSE

    def may_leave(self) -> bool:
        """Home without an account would have nothing to show."""
        self._found.box.focus()
        self.announce(CHOOSE)
        return False

    async def _find(self, text: str) -> Sequence[Account]:
        words = fold(text).split()
        known = [
            fold(" ".join((account.code, account.name, account.customer_number, *account.domains)))
            for account in self._accounts
        ]
        pairs = zip(self._accounts, known, strict=True)
        return [account for account, said in pairs if all(word in said for word in words)]

    def _go_on(self, account: Account) -> None:
        self.app.pop_screen()
        self._chosen_id(account.id)


class SwitchScreen(MissionScreen):
    """Another account, from anywhere."""

    NAME = "switch"
    MEMORY_NAME = "SwitchScreen"
    HEADING = "Accounts"
    ABOUT = (
        "Type part of a code, name or domain; Down, and Enter goes to that account's Home. Those that you worked on "
        "last come first. What you had typed in the account before is kept for when you come back to it."
    )
    VERBS = ("find",)
    KEY_LABELS = (("back", "Back"),)
    AUTO_FOCUS = "FindInput"
    ONLY_FINDS = True

    def __init__(self) -> None:
        super().__init__()
        self._found = account_list(self._find, self._go_on, self._is_here)

    def body(self) -> Iterable[Widget]:
        yield self._found

    async def load(self) -> None:
        self._found.look()

    def on_mount(self) -> None:
        self.announce(HOW, stays=True)

    async def _find(self, text: str) -> Sequence[Account]:
        return await find_accounts(self.context.store, self.context.caller, text, MOST + 1)

    def _is_here(self, account: Account) -> bool:
        return account.id == self.context.account_id

    def _go_on(self, account: Account) -> None:
        if self._is_here(account):
            self.leave()
        else:
            self.console.accounts.change(account)

    def verb_account(self) -> None:
        """Go to the box; from there, where its letter is text, back to where one was."""
        if self.in_field:
            self.leave()
        else:
            self.verb_find()
