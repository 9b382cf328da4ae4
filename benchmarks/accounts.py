"""What is read of all accounts at once: 100,000 users in 2,000 accounts, beside the same of one account of 50 users.

    python -m benchmarks.accounts [--users N] [--accounts N] [--postgresql] [--plans]

Builds a database and prints, for the first page of each list, how long it takes for all accounts and for the one in
the middle, the ratio of the two and the verdict. Exit status 1 when a budget is broken.
"""

from __future__ import annotations

import argparse
import asyncio
import time
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from benchmarks.databases import analysed, new_database
from benchmarks.many_accounts import build
from benchmarks.sample_users import CALLER
from benchmarks.users import beside, plan_of, say, statements
from mission_control_tui.model.accounts.attention import AttentionOrder, attention
from mission_control_tui.model.accounts.contacts import contacts_of_all
from mission_control_tui.model.accounts.domain_overview import domains_of_all
from mission_control_tui.model.accounts.overview import seats_of_all
from mission_control_tui.model.accounts.search import find_accounts
from mission_control_tui.model.accounts.seat_usage import idle_seats, usage_of_all
from mission_control_tui.model.bulk.queries import list_bulks
from mission_control_tui.model.groups.queries import objects_of_all
from mission_control_tui.model.history.audit_log import entries
from mission_control_tui.model.onboarding.templates import list_templates
from mission_control_tui.model.orders.queries import list_orders
from mission_control_tui.model.recycle_bin.purge import list_bin
from mission_control_tui.model.requests.queries import list_requests
from mission_control_tui.model.schedules.queries import list_schedules
from mission_control_tui.model.search.all_users import light_rows_of_all, users_of_all
from mission_control_tui.model.search.anyone import find_anyone
from mission_control_tui.model.search.filters import ALL, UserFilter, UserOrder
from mission_control_tui.model.services.lights import status
from mission_control_tui.model.states import Light
from mission_control_tui.model.store.database import Store
from mission_control_tui.model.store.scope import AccountScope, AllAccounts, Reach

RATIO = 3.0
"""How many times as long as one account all of them may take."""

RATIO_OF_KEYS = 5.0
"""The same of what looks through all accounts at each key: it asks eight statements, a page of one account three."""

BUDGETS = {
    "Red and waiting, exchange": 10.0,
}
"""Of what stands anywhere in what is red or waits: each service of those is read, one account has two of them."""

NARROWED = {
    "users list smi": "users list",
    "users list --light red": "users list",
    "users bin": "users list",
    "lights red": "lights",
}
"""What one account has a row or two of is measured beside a list of it that has fifty, as the page of all accounts."""

ROWS = 50
"""Of a page: as many as one account has of most things, so that what differs is not the number of rows."""

RED = UserFilter(lights=frozenset({Light.RED}))
Ask = Callable[[Reach], Awaitable[Any]]
Call = Callable[[], Awaitable[Any]]

LISTS: dict[str, Ask] = {
    "status": lambda scope: status(scope, limit=ROWS),
    "status --light red": lambda scope: status(scope, light=Light.RED, limit=ROWS),
    "requests list": lambda scope: list_requests(scope, limit=ROWS),
    "orders list": lambda scope: list_orders(scope, limit=ROWS),
    "schedule list": lambda scope: list_schedules(scope, limit=ROWS),
    "bulk list": lambda scope: list_bulks(scope, limit=ROWS),
    "services list": lambda scope: seats_of_all(scope, limit=ROWS),
    "account usage, 20 accounts": lambda scope: usage_of_all(scope, limit=20),
    "account usage --idle": lambda scope: idle_seats(scope, limit=ROWS),
    "account domains": lambda scope: domains_of_all(scope, limit=ROWS),
    "account contacts list": lambda scope: contacts_of_all(scope, limit=ROWS),
    "templates list": lambda scope: list_templates(scope, limit=ROWS),
    "objects list": lambda scope: objects_of_all(scope, limit=ROWS),
    "users bin": lambda scope: list_bin(scope, bin_days=30, limit=ROWS),
    "users list": lambda scope: users_of_all(scope, limit=ROWS),
    "users list smi": lambda scope: users_of_all(scope, UserFilter("smi"), limit=ROWS),
    "users list --light red": lambda scope: users_of_all(scope, RED, limit=ROWS),
    "lights": lambda scope: light_rows_of_all(scope, limit=ROWS),
    "lights red": lambda scope: light_rows_of_all(scope, RED, limit=ROWS),
    "lights --sort oldest": lambda scope: light_rows_of_all(
        scope, ALL, UserOrder.OLDEST, limit=ROWS
    ),
    "audit": lambda scope: entries(scope, limit=ROWS),
    "Red and waiting": lambda scope: attention(scope, limit=ROWS),
    "Red and waiting by account": lambda scope: attention(
        scope, "", AttentionOrder.ACCOUNT, limit=ROWS
    ),
    "Red and waiting, red": lambda scope: attention(scope, "red", limit=ROWS),
    "Red and waiting, exchange": lambda scope: attention(scope, "exchange", limit=ROWS),
}
"""What is listed, by the command or the screen."""


def _of_store(store: Store) -> dict[str, Call]:
    """What looks through all accounts wherever it is asked: measured beside a page of one account's users."""
    return {
        "Accounts": lambda: find_accounts(store, CALLER, "", 50),
        "Accounts, a12": lambda: find_accounts(store, CALLER, "a12", 50),
        "Find anyone, smi": lambda: find_anyone(store, CALLER, "smi", 50),
        "Find anyone, james smith": lambda: find_anyone(store, CALLER, "james smith", 50),
        "Find anyone, 9000 0001": lambda: find_anyone(store, CALLER, "9000 0001", 50),
    }


async def _plans(store: Store, ask: Call) -> None:
    with statements(store) as seen:
        await ask()
    for statement, parameters in seen:
        for line in await plan_of(store, statement, parameters):
            say(f"              {line}")


async def measure(store: Store, middle: int, *, plans: bool = False) -> bool:
    """Print the time of each list; True when all keep their budgets. `middle` is the account that is asked for."""
    of_one, everywhere = AccountScope(store, CALLER, middle), AllAccounts(store, CALLER)
    pairs: dict[str, tuple[Call, Call, float]] = {
        name: (partial(ask, of_one), partial(ask, everywhere), BUDGETS.get(name, RATIO))
        for name, ask in LISTS.items()
    }
    pairs |= {name: (pairs[whole][0], pairs[name][1], RATIO) for name, whole in NARROWED.items()}
    page = pairs["users list"][0]
    pairs |= {name: (page, ask, RATIO_OF_KEYS) for name, ask in _of_store(store).items()}
    kept = True
    for name, (one, every, budget) in pairs.items():
        in_one, in_all = await beside(one, every)
        ratio = in_all / in_one
        kept = kept and ratio <= budget
        verdict = "kept  " if ratio <= budget else "BROKEN"
        say(
            f"{verdict} {ratio:6.1f} x of {budget:2.0f}  "
            f"{in_all:8.2f} ms, one account {in_one:7.2f} ms  {name}"
        )
        if plans and store.is_sqlite:
            await _plans(store, every)
    return kept


async def run(users: int, accounts: int, *, postgresql: bool, plans: bool) -> bool:
    """Build, measure, print; True when every list keeps its budget."""
    start = time.perf_counter()
    async with new_database(postgresql=postgresql) as where:
        store = await Store.open(where)
        try:
            made = await build(store, accounts, users)
            await analysed(store)
            kind = "PostgreSQL" if postgresql else "SQLite"
            took = time.perf_counter() - start
            say(f"{kind}, {users:,} users in {accounts:,} accounts, built in {took:.0f} s")
            return await measure(store, made[len(made) // 2], plans=plans)
        finally:
            await store.close()


def main() -> int:
    """Run by `python -m benchmarks.accounts`."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.accounts", description=__doc__)
    parser.add_argument("--users", type=int, default=100_000)
    parser.add_argument("--accounts", type=int, default=2_000)
    parser.add_argument("--postgresql", action="store_true")
    parser.add_argument("--plans", action="store_true", help="of the queries over all accounts")
    chosen = parser.parse_args()
    kept = asyncio.run(
        run(chosen.users, chosen.accounts, postgresql=chosen.postgresql, plans=chosen.plans)
    )
    return 0 if kept else 1


if __name__ == "__main__":
    raise SystemExit(main())
