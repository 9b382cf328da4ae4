"""Finding anyone among 100,000 users, in a few accounts and in 2,000, beside what finding in one account costs.

    python -m benchmarks.finding [--users N] [--accounts N ...] [--postgresql] [--plans]

Builds a database for each number of accounts and prints every key's time, its ratio to one page of one account's
list in the same run, and the verdict. Exit status 1 when a budget is broken.
"""

from __future__ import annotations

import argparse
import asyncio
import random
from collections.abc import Sequence
from functools import partial
from itertools import islice
from typing import Any

from sqlalchemy import insert, select

from benchmarks.databases import analysed, new_database
from benchmarks.sample_users import CALLER, ROWS_AT_ONCE, TABLES, make_account, people, rows_of
from benchmarks.users import beside, plan_of, say, statements
from mission_control_tui.model.search import anyone, user_list
from mission_control_tui.model.store.database import Store
from mission_control_tui.model.store.scope import AccountScope
from mission_control_tui.model.store.tables.accounts import AccountRow, DomainRow

RATIO = 5.0
"""How many times as long as a page of one account's list a key may take: it asks eight statements, a page three."""

RATIO_OFTEN = 20.0
"""The same of words that thousands have each: all of one are put into a table in which those of the other are found."""

RATIO_INSIDE = 15.0
"""The same of what no word and no number begins or ends with: PostgreSQL reads one row of everybody for it."""

CURRENT = 2
"""The account that the finder is in."""

TYPED = (
    "j",
    "ja",
    "smi",
    "james smith",
    "zoë quinnham",
    "james.smith@acme",
    "+61 2 9000 0",
    "12",
    "9000 0001",
)
OFTEN = ("j s", "james mary")
INSIDE = ("hnsson", "9876543", "smith 0001", "zoë 4321", "nobody-at-all")
"""As one types: what many have, several words, words that nobody has together, what only stands in the middle."""


async def fill(store: Store, accounts: Sequence[int], count: int) -> None:
    """Put `count` users, each with a service, into the accounts, as many into each."""
    dice = random.Random(2)  # noqa: S311 (sample data)
    made = people(count)
    numbers = iter(range(count))
    while chunk := list(islice(made, ROWS_AT_ONCE)):
        async with store.write(CALLER) as tx:
            rows: list[list[dict[str, Any]]] = [[] for _ in TABLES]
            for details, number in zip(chunk, numbers, strict=False):
                account = accounts[number * len(accounts) // count]
                for table, more in zip(
                    rows, rows_of(tx, account, details, number, 1, dice), strict=True
                ):
                    table.extend(more)
            for into, found in zip(TABLES, rows, strict=True):
                await tx.session.execute(insert(into), found)


async def make_accounts(store: Store, count: int) -> list[int]:
    """So many accounts, each with a domain; the first has the domain of all users."""
    first = await make_account(store)
    more = range(1, count)
    if not more:
        return [first]
    async with store.write(CALLER) as tx:
        await tx.session.execute(
            insert(AccountRow),
            [
                {
                    "code": f"a{n}",
                    "name": f"a{n}",
                    "is_sample": False,
                    "time_zone": "UTC",
                    "password_policy": {},
                    "created_at": tx.now,
                }
                for n in more
            ],
        )
        ids = list(await tx.session.scalars(select(AccountRow.id).order_by(AccountRow.id)))
        await tx.session.execute(
            insert(DomainRow),
            [
                {
                    "account_id": account_id,
                    "name": f"a{n}.example",
                    "bought": False,
                    "term_months": 0,
                    "details": {},
                    "added_at": tx.now,
                }
                for n, account_id in zip(more, ids[1:], strict=True)
            ],
        )
    return ids


async def report(where: str, users: int, accounts: int, *, plans: bool) -> bool:
    """Build, measure, print; True when every key keeps its budget."""
    store = await Store.open(where)
    try:
        made = await make_accounts(store, accounts)
        await fill(store, made, users)
        await analysed(store)
        page = partial(user_list.page, AccountScope(store, CALLER, made[-1]), limit=50)
        kind = "SQLite" if store.is_sqlite else "PostgreSQL"
        say(
            f"{kind}, {users:,} users in {accounts:,} accounts; beside a page of one account's list"
        )
        kept = True
        budgets = {
            **dict.fromkeys(TYPED, RATIO),
            **dict.fromkeys(OFTEN, RATIO_OFTEN),
            **dict.fromkeys(INSIDE, RATIO_INSIDE),
        }
        for typed, budget in budgets.items():
            find = partial(anyone.find_anyone, store, CALLER, typed, 50, current=CURRENT)
            base, taken = await beside(page, find)
            ratio = taken / base
            kept = kept and ratio <= budget
            verdict = "kept  " if ratio <= budget else "BROKEN"
            say(f"{verdict} {ratio:6.1f} x of {budget:.0f}  {taken:8.2f} ms  {typed!r}")
            if plans and store.is_sqlite:
                with statements(store) as seen:
                    await anyone.find_anyone(store, CALLER, typed, 50, current=CURRENT)
                for statement, parameters in seen:
                    for line in await plan_of(store, statement, parameters):
                        say(f"              {line}")
        return kept
    finally:
        await store.close()


async def run(users: int, accounts: int, *, postgresql: bool, plans: bool) -> bool:
    """One database, filled and measured."""
    async with new_database(postgresql=postgresql) as where:
        return await report(where, users, accounts, plans=plans)


def main() -> int:
    """Run by `python -m benchmarks.finding`."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.finding", description=__doc__)
    parser.add_argument("--users", type=int, default=100_000)
    parser.add_argument("--accounts", type=int, nargs="*", default=[5, 2_000])
    parser.add_argument("--postgresql", action="store_true")
    parser.add_argument("--plans", action="store_true", help="of SQLite's queries")
    chosen = parser.parse_args()
    kept = True
    for accounts in chosen.accounts:
        kept &= asyncio.run(
            run(chosen.users, accounts, postgresql=chosen.postgresql, plans=chosen.plans)
        )
    return 0 if kept else 1


if __name__ == "__main__":
    raise SystemExit(main())
