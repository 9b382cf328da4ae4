"""What is read of all accounts at once: 100,000 users in 2,000 accounts, beside the same in one account.

    python -m benchmarks.accounts [--users N] [--accounts N] [--postgresql]

Builds a database and prints each list's time for all accounts and for the one in the middle. Exit status 1 when a
budget is broken.
"""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from sqlalchemy import func, select, update

from benchmarks.databases import analysed, new_database
from benchmarks.finding import fill, make_accounts
from benchmarks.sample_users import CALLER
from benchmarks.users import say, timed
from mission_control_tui.model.accounts.attention import AttentionOrder, attention
from mission_control_tui.model.accounts.seat_usage import usage_of_all
from mission_control_tui.model.history.audit_log import entries
from mission_control_tui.model.orders.queries import list_orders
from mission_control_tui.model.requests.queries import list_requests
from mission_control_tui.model.services.lights import status
from mission_control_tui.model.states import Light
from mission_control_tui.model.store.database import Store
from mission_control_tui.model.store.scope import AccountScope, AllAccounts, Reach
from mission_control_tui.model.store.tables.services import AssignmentRow

BUDGET_MS = 100.0
"""Of a page; what adds up every account's seats may take ten of them."""

LISTS: dict[str, tuple[Callable[[Reach], Awaitable[Any]], float]] = {
    "status": (lambda scope: status(scope, limit=200), BUDGET_MS),
    "status --light red": (lambda scope: status(scope, light=Light.RED, limit=200), BUDGET_MS),
    "requests list": (lambda scope: list_requests(scope, limit=50), BUDGET_MS),
    "orders list": (lambda scope: list_orders(scope, limit=200), BUDGET_MS),
    "audit": (lambda scope: entries(scope, limit=200), BUDGET_MS),
    "attention": (lambda scope: attention(scope, limit=50), BUDGET_MS),
    "attention by account": (
        lambda scope: attention(scope, "", AttentionOrder.ACCOUNT, limit=50),
        BUDGET_MS,
    ),
    "attention red acme": (lambda scope: attention(scope, "red acme", limit=50), BUDGET_MS),
    "account usage": (usage_of_all, 10 * BUDGET_MS),
}


async def trouble(store: Store) -> None:
    """Have every fiftieth service be red, and as many orange."""
    async with store.write(CALLER) as tx:
        count = await tx.session.scalar(select(func.count()).select_from(AssignmentRow)) or 0
        for light, digit in ((Light.RED, "00"), (Light.ORANGE, "01")):
            few = select(AssignmentRow.id).order_by(func.substr(AssignmentRow.id, 20))
            some = few.offset(int(digit, 16) * (count // 50)).limit(count // 50)
            await tx.session.execute(
                update(AssignmentRow).where(AssignmentRow.id.in_(some)).values(light=light)
            )


async def run(users: int, accounts: int, *, postgresql: bool) -> bool:
    """Build, measure, print; True when every list keeps its budget."""
    async with new_database(postgresql=postgresql) as where:
        store = await Store.open(where)
        try:
            made = await make_accounts(store, accounts)
            await fill(store, made, users)
            await trouble(store)
            await analysed(store)
            kept = True
            one, everywhere = (
                AccountScope(store, CALLER, made[len(made) // 2]),
                AllAccounts(store, CALLER),
            )
            for name, (ask, budget) in LISTS.items():
                of_one = await timed(lambda ask=ask: ask(one))
                of_all = await timed(lambda ask=ask: ask(everywhere))
                kept = kept and of_all <= budget
                verdict = "kept  " if of_all <= budget else "BROKEN"
                say(f"{verdict} {of_all:8.2f} ms of {budget:.0f}; one account {of_one:.2f}  {name}")
            return kept
        finally:
            await store.close()


def main() -> int:
    """Run by `python -m benchmarks.accounts`."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.accounts", description=__doc__)
    parser.add_argument("--users", type=int, default=100_000)
    parser.add_argument("--accounts", type=int, default=2_000)
    parser.add_argument("--postgresql", action="store_true")
    chosen = parser.parse_args()
    kept = asyncio.run(run(chosen.users, chosen.accounts, postgresql=chosen.postgresql))
    return 0 if kept else 1


if __name__ == "__main__":
    raise SystemExit(main())
