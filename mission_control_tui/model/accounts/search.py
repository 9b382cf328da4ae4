"""Finding an account by code, name, customer number or domain; those that the operator worked on last come first."""

from __future__ import annotations

from mission_control_tui.model.caller import Caller
from mission_control_tui.model.operators.recents import recent_accounts
from mission_control_tui.model.search.accounts import AccountRank, known_accounts
from mission_control_tui.model.store.database import Store
from mission_control_tui.model.views import Account


async def find_accounts(
    store: Store, caller: Caller, query: str = "", limit: int = 100
) -> tuple[Account, ...]:
    """Return the accounts that the caller may see of which code, name, number and domains together have every word.

    An exact code, number or domain comes first, then recent ones, then those of which something begins so, then the
    rest by code. With an empty query: all, recent ones first.
    """
    recent = [recent_account.id for recent_account in await recent_accounts(store, caller)]
    places = {account_id: place for place, account_id in enumerate(recent)}
    async with store.read() as session:
        accounts = await known_accounts(session)
    ranks = accounts.ranks(caller, query)
    chosen = sorted(
        ranks,
        key=lambda account_id: (
            ranks[account_id] is not AccountRank.EXACT,
            places.get(account_id, len(places)),
            ranks[account_id],
        ),
    )[:limit]
    return tuple(accounts[account_id] for account_id in chosen)
