"""`find` and `users recent`: people over all accounts, and whom the operator looked at last."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import click

from mission_control_tui.cli.common.options import example, limited, reads
from mission_control_tui.cli.common.output import LIGHT_MARKS, print_json, say, table, when
from mission_control_tui.cli.common.session import Session, pass_session

if TYPE_CHECKING:
    from mission_control_tui.model.operators.recents import Recent
    from mission_control_tui.model.search.results import FoundOrder, FoundUser, SearchResults
    from mission_control_tui.model.store.database import Store

HEADINGS = ("ACCOUNT", "UPN", "NAME", "SERVICES", "NOTES")


@click.command()
@click.argument("query", nargs=-1, required=True)
@limited(50, "At most so many people.", most=1_000)
@reads
@pass_session
@example("mission-control find lovelace", "mission-control find order 12")
def find(session: Session, query: tuple[str, ...], limit: int) -> None:
    """Find anyone, in all accounts: by name, UPN, alias, username, phone; an order by its number.

    All words have to be found. The best match comes first, and people of the account named by --account or the
    settings come first among equals. What stands in the middle of a word, or ends a phone number, is found when
    nothing begins so.
    """

    async def work(store: Store) -> SearchResults:
        from mission_control_tui.model.accounts.editing import resolve_account
        from mission_control_tui.model.search.anyone import find_anyone

        named = session.settings.account or None
        current = (await resolve_account(store, session.caller, named)).id if named else None
        return await find_anyone(store, session.caller, " ".join(query), limit, current=current)

    found = session.run(work)
    if session.json:
        print_json(
            {
                "users": [as_json(one) for one in found.users],
                "orders": [_order_json(one) for one in found.orders],
                "more": found.more,
            }
        )
        return
    if found.orders:
        table(
            ("ACCOUNT", "ORDER", "STATE", "PLACED", "TOTAL"),
            [
                (one.account.code, one.order_id, one.state, when(one.placed_at), str(one.total))
                for one in found.orders
            ],
        )
    if found.users:
        table(HEADINGS, [_row(one, (one.matched,)) for one in found.users])
    if not found.users and not found.orders:
        say("Nobody was found.")
    elif found.more:
        say(f"The first {len(found.users)}; there are more: type more of the name, or --limit.")


@click.command()
@limited(20, "At most so many, the newest.", most=50)
@reads
@pass_session
@example("mission-control users recent")
def recent(session: Session, limit: int) -> None:
    """Whom you looked at last in the console, in all accounts, the newest first."""

    async def work(store: Store) -> tuple[Recent, ...]:
        from mission_control_tui.model.operators.recents import recent_users

        return await recent_users(store, session.caller, limit)

    found = session.run(work)
    if session.json:
        print_json({"recent": [{**as_json(one.user), "at": one.at} for one in found]})
    elif found:
        table((*HEADINGS, "LOOKED AT"), [(*_row(one.user, ()), when(one.at)) for one in found])
    else:
        say("You have not looked at anyone yet.")


def as_json(one: FoundUser) -> dict[str, object]:
    """A person who was found, as JSON values."""
    return {
        "account": one.account.code,
        "account_name": one.account.name,
        "id": one.user_id,
        "upn": one.upn,
        "display_name": one.display_name,
        "username": one.username,
        "matched": one.matched,
        "disabled": one.disabled,
        "locked": one.locked,
        "in_bin": one.in_bin,
        "lights": [{"service": service, "light": light} for service, light in one.lights],
    }


def _order_json(one: FoundOrder) -> dict[str, object]:
    return {
        "account": one.account.code,
        "account_name": one.account.name,
        "id": one.order_id,
        "kind": one.kind,
        "state": one.state,
        "placed_at": one.placed_at,
        "operator": one.operator,
        "total": one.total,
    }


def _row(one: FoundUser, notes: Iterable[str]) -> tuple[object, ...]:
    flags = [
        word
        for word, is_so in (
            ("disabled", one.disabled),
            ("locked", one.locked),
            ("recycling bin", one.in_bin),
        )
        if is_so
    ]
    lights = ", ".join(f"{LIGHT_MARKS[light]} {light} {service}" for service, light in one.lights)
    said = ", ".join(filter(None, (*flags, *notes)))
    return one.account.code, one.upn, one.display_name, lights, said
