"""`find` and `users recent`: people over all accounts, and whom the operator looked at last."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from mission_control_tui.cli.common.lists import limited, say_cut
from mission_control_tui.cli.common.options import AS_CSV, reads
from mission_control_tui.cli.common.output import attributes, lights, plain, say, table, when
from mission_control_tui.cli.common.parameters import argument
from mission_control_tui.cli.common.results import tell_csv, tell_list
from mission_control_tui.cli.common.session import Session

if TYPE_CHECKING:
    from mission_control_tui.model.search.results import FoundOrder, FoundUser, SearchResults
    from mission_control_tui.model.store.database import Store

HEADINGS = ("ACCOUNT", "UPN", "NAME", "SERVICES", "NOTES")
CSV_HEADINGS = ("Kind", "Account", "Found", "Name", "Services", "Notes")


@click.command()
@argument("query", nargs=-1, required=True)
@limited(50, "At most so many people.", most=1_000)
@AS_CSV
@reads("mission-control find lovelace", "mission-control find order 12")
def find(session: Session, query: tuple[str, ...], limit: int) -> None:
    """Find anyone, in all accounts: by name, UPN, alias, username, phone; an order by its number.

    Accounts are found by name, code, customer number or domain. All words have to be found. The best match comes first,
    and people of the account named by --account or the settings come first among equals. A phone number is found by how
    it ends, too; what stands in the middle of a word is found when nothing begins so.
    """

    session.require_one_format()

    async def work(store: Store) -> SearchResults:
        from mission_control_tui.model.accounts.editing import resolve_account
        from mission_control_tui.model.search.anyone import find_anyone

        named = session.settings.account or None
        current = (await resolve_account(store, session.caller, named)).id if named else None
        return await find_anyone(store, session.caller, " ".join(query), limit, current=current)

    found = session.run(work)
    if session.printed(
        {
            "users": [as_json(user) for user in found.users],
            "orders": [_order_json(order) for order in found.orders],
            "accounts": found.accounts,
            "more": found.more,
        }
    ):
        return
    if session.csv:
        tell_csv(CSV_HEADINGS, _csv_rows(found))
        if found.more:
            say_cut(len(found.users))
        return
    if found.accounts:
        known = [
            (row.code, row.name, row.customer_number, ", ".join(row.domains))
            for row in found.accounts
        ]
        table(("ACCOUNT", "NAME", "NUMBER", "DOMAINS"), known)
    if found.orders:
        headings = ("ACCOUNT", "ORDER", "STATE", "PLACED", "TOTAL")
        table(headings, [_order_row(order) for order in found.orders])
    if found.users:
        table(HEADINGS, [_row(user, user.matched) for user in found.users])
    if not (found.users or found.orders or found.accounts):
        say("Nobody was found.")
    elif found.more:
        say(f"The first {len(found.users)}; there are more: type more of the name, or --limit.")


@click.command()
@limited(20, "At most so many, the newest.", most=50)
@AS_CSV
@reads("mission-control users recent")
def recent(session: Session, limit: int) -> None:
    """Whom you looked at last in the console, in all accounts, the newest first."""
    from mission_control_tui.model.operators.recents import recent_users

    session.require_one_format()
    found = session.run(lambda store: recent_users(store, session.caller, limit))
    if session.csv:
        rows = [(*_row(look.user), plain(look.at)) for look in found]
        tell_csv((*HEADINGS, "LOOKED AT"), rows)
        return
    tell_list(
        session,
        {"recent": [{**as_json(look.user), "at": look.at} for look in found]},
        (*HEADINGS, "LOOKED AT"),
        [(*_row(look.user), when(look.at)) for look in found],
        nothing="You have not looked at anyone yet.",
    )


def _csv_rows(found: SearchResults) -> list[tuple[object, ...]]:
    """Return one line for each account, order and person that was found."""
    rows: list[tuple[object, ...]] = [
        ("account", row.code, row.customer_number, row.name, "", ", ".join(row.domains))
        for row in found.accounts
    ]
    rows += [
        ("order", order.account.code, order.order_id, order.state, "", order.total)
        for order in found.orders
    ]
    rows += [("user", *_row(user, user.matched)) for user in found.users]
    return rows


def as_json(user: FoundUser) -> dict[str, object]:
    """Return a person who was found, as JSON values."""
    return {
        "account": user.account.code,
        "account_name": user.account.name,
        "id": user.user_id,
        **attributes(user, "upn", "display_name", "username", "matched"),
        **attributes(user, "disabled", "locked", "in_bin"),
        "lights": [{"service": service, "light": light} for service, light in user.lights],
    }


def _order_json(order: FoundOrder) -> dict[str, object]:
    return {
        "account": order.account.code,
        "account_name": order.account.name,
        "id": order.order_id,
        **attributes(order, "kind", "state", "placed_at", "operator", "total"),
    }


def _order_row(order: FoundOrder) -> tuple[object, ...]:
    return order.account.code, order.order_id, order.state, when(order.placed_at), order.total


def _row(user: FoundUser, note: str = "") -> tuple[object, ...]:
    flags = {"disabled": user.disabled, "locked": user.locked, "recycling bin": user.in_bin}
    notes = [*(flag for flag, is_so in flags.items() if is_so), *filter(None, [note])]
    return user.account.code, user.upn, user.display_name, lights(user.lights), ", ".join(notes)
