"""Which account to work on: at the start where there are several and none was named, and from anywhere by `o`."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from mission_control_tui.model.accounts.search import find_accounts
from mission_control_tui.model.text.clean import fold
from mission_control_tui.model.views import Account
from mission_control_tui.screens.base.find_list import MOST, FindingScreen
from mission_control_tui.widgets.rows import Column, Row


class AccountList(FindingScreen):
    """Accounts found by part of code, name or domain."""

    HEADING = "Accounts"
    COLUMNS = (Column("Code", width=16), Column("Name"), Column("Domains", width=30))
    EMPTY = "No account has this in its code, name or domains"

    async def find(self, text: str) -> Sequence[Account]:
        """At most MOST + 1 accounts. Override this."""
        raise NotImplementedError

    async def answer(self, text: str) -> tuple[Sequence[Row], str]:
        found = await self.find(text)
        rows = [self.row(one) for one in found[:MOST]]
        count = "1 account" if len(rows) == 1 else f"{len(rows)} accounts"
        return rows, f"the first {len(rows)}: type more" if len(found) > MOST else count

    def row(self, account: Account) -> Row:
        """Return an account as a row."""
        name = f"{account.name} (sample)" if account.is_sample else account.name
        return Row(account.id, (account.code, name, ", ".join(account.domains)), account)

    def chosen(self, row: Row) -> None:
        if isinstance(row.data, Account):
            self.go_on(row.data)

    def go_on(self, account: Account) -> None:
        """Work on this account from now on. Override this."""
        raise NotImplementedError


class AccountsScreen(AccountList):
    """The choice at the start; `chosen_id` is called with the account's id once this screen has gone."""

    MEMORY_NAME = "AccountsScreen"
    ABOUT = (
        "There are several accounts: type part of a code, name or domain, Down, and Enter opens one. To come straight "
        "to it, name it: mission-control --account CODE, or `account` in the settings."
    )

    HOW = "Which account do you want to work on? Type, Down, Enter"

    def __init__(self, accounts: Sequence[Account], chosen_id: Callable[[int], None]) -> None:
        super().__init__()
        self._accounts = tuple(accounts)
        self._chosen_id = chosen_id

    def on_mount(self) -> None:
        self.look()

    async def find(self, text: str) -> Sequence[Account]:
        words = fold(text).split()
        known = [fold(" ".join((it.code, it.name, *it.domains))) for it in self._accounts]
        pairs = zip(self._accounts, known, strict=True)
        return [account for account, said in pairs if all(word in said for word in words)]

    def go_on(self, account: Account) -> None:
        self.app.pop_screen()
        self._chosen_id(account.id)


class SwitchScreen(AccountList):
    """Another account, from anywhere."""

    NAME = "switch"
    MEMORY_NAME = "SwitchScreen"
    ABOUT = (
        "Type part of a code, name or domain; Down, and Enter goes to that account's Home. Those that you worked on "
        "last come first. What you had typed in the account before is kept for when you come back to it."
    )

    async def find(self, text: str) -> Sequence[Account]:
        return await find_accounts(self.context.store, self.context.caller, text, MOST + 1)

    def row(self, account: Account) -> Row:
        row = super().row(account)
        if account.id != self.context.account_id:
            return row
        code, name, domains = row.cells
        return Row(row.key, (code, ((f"{name}  ", ""), ("you are here", "dim")), domains), row.data)

    def go_on(self, account: Account) -> None:
        if account.id == self.context.account_id:
            self.leave()
        else:
            self.console.accounts.change(account)

    def verb_account(self) -> None:
        self.verb_find()
