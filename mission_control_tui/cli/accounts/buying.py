"""`services`, `buy` and `remove`: seats, and what they cost."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ParamSpec

import click

from mission_control_tui.cli.common.lists import limited, say_cut
from mission_control_tui.cli.common.options import OFFSET, changes, destroys, exports, reads, waits
from mission_control_tui.cli.common.output import attributes, say, table
from mission_control_tui.cli.common.parameters import argument, option
from mission_control_tui.cli.common.questions import ask_reading
from mission_control_tui.cli.common.results import Change, change_and_tell, tell_survey, under
from mission_control_tui.cli.common.session import Session
from mission_control_tui.model.errors import (
    InvalidInput,
    NotFound,
    OutcomeUnknown,
    Problem,
    UsageError,
)
from mission_control_tui.model.text.counting import counted

if TYPE_CHECKING:
    from mission_control_tui.model.domains.registrar import RegistrarAnswer
    from mission_control_tui.model.orders.queries import OrderView
    from mission_control_tui.model.plan import Plan
    from mission_control_tui.model.store.scope import AccountScope
    from mission_control_tui.model.views import Seats

P = ParamSpec("P")

HEADINGS = ("SERVICE", "LEVEL", "OWNED", "USED", "QUEUED", "FREE", "NAME")
NOTHING_BOUGHT = "Nothing was bought yet. What there is to buy: mission-control catalogue show"


@click.group()
def services() -> None:
    """Services and seats."""


@services.command("list")
@limited(200, "At most so many levels, or all.")
@OFFSET
@exports
@reads("mission-control services list", "mission-control services list --all-accounts --csv")
def list_services(session: Session, limit: int, offset: int) -> None:
    """Seats of every level that the account bought: owned, used, queued and free; of all accounts too.

    Queued seats are held by wishes whose light is still orange.
    """
    from mission_control_tui.model.accounts.overview import list_seats, seats_of_all

    if session.all_accounts or session.csv:
        tell_survey(
            *(session, "seats", session.survey(seats_of_all, limit=limit + 1, offset=offset)),
            *(HEADINGS, lambda row: seats_row(row.item), lambda row: seats_json(row.item)),
            nothing="Nothing was bought yet.",
            limit=limit,
            offset=offset,
        )
        return
    every = session.query(list_seats)
    found = every[offset:][:limit]
    if session.printed({"seats": [seats_json(seats) for seats in found]}):
        return
    if found:
        seats_table(found)
        if len(every) > offset + limit:
            say_cut(limit)
    else:
        say(NOTHING_BOUGHT)


def seats_json(seats: Seats) -> dict[str, object]:
    """Return the seats of one level as JSON."""
    return {**attributes(seats), "free": seats.free}


def seats_table(found: Sequence[Seats]) -> None:
    """Print seats as lines; ids are what commands take, names stand last."""
    table(HEADINGS, [seats_row(seats) for seats in found])


def seats_row(seats: Seats) -> tuple[object, ...]:
    """Return the seats of one level as a row below HEADINGS."""
    counts = (seats.owned, seats.used, seats.queued, seats.free)
    return seats.service_id, seats.level_id, *counts, seats.level


def _stated_key(_context: click.Context, _parameter: click.Parameter, key: str | None) -> str:
    """Return the key, empty where there is none; what a script's unset variable leaves is refused."""
    if key is not None and not key.strip():
        raise UsageError(
            "--idempotency-key is empty: nothing would keep the order from being placed twice.",
            hint="Give a key, or leave the option out.",
        )
    return key or ""


idempotency_key = option(
    "--idempotency-key",
    limit=64,
    callback=_stated_key,
    metavar="KEY",
    help="The same order with the same key is placed once.",
)


def order_once(
    session: Session,
    change: Change[P, OrderView],
    key: str,
    /,
    *args: P.args,
    **options: P.kwargs,
) -> None:
    """Place an order with its key, or one of its own, which is told where nobody knows whether it was placed."""
    options["idempotency_key"] = key = key or secrets.token_hex(8)
    try:
        change_and_tell(session, under("order"), change, *args, **options)
    except OutcomeUnknown as error:
        hint = f"To have it once, whatever happened: the same command with --idempotency-key {key}"
        raise OutcomeUnknown(hint) from error


@click.command()
@argument("product")
@option("--level", metavar="LEVEL", help="The level, by id or name.")
@option("--quantity", type=int, default=1, show_default=True, metavar="N", help="Seats.")
@option("--domain", metavar="NAME", help="The domain name to buy, or to attach.")
@option("--term", type=int, metavar="MONTHS", help="The shortest there is when left out.")
@option(
    "--set",
    "answers",
    multiple=True,
    metavar="FIELD=VALUE",
    help="An answer that the product asks for; may be repeated.",
)
@idempotency_key
@waits
@destroys(
    "mission-control buy email --level popx --quantity 5 --dry-run",
    "mission-control catalogue show domain-names",
)
def buy(
    session: Session, product: str, answers: tuple[str, ...], idempotency_key: str, **wanted: Any
) -> None:
    """Buy seats of a product's level, or a domain name.

    `mission-control catalogue show PRODUCT` lists levels, prices, terms and fields. --dry-run shows net, tax and total.
    """
    from mission_control_tui.model.orders.buying import buy

    ask_reading(session, filter(None, [wanted["domain"]]))
    fields = _answers(answers)
    answer = _of_registrar(session, product, wanted["domain"])
    order_once(session, buy, idempotency_key, product, fields=fields, registrar=answer, **wanted)


def _of_registrar(session: Session, product: str, domain: str | None) -> RegistrarAnswer | None:
    """Return what the registrar says of a name that is to be bought; None where there is none, or nobody to ask."""
    if not (domain and session.settings.registrar):
        return None

    async def work(scope: AccountScope) -> RegistrarAnswer | None:
        from mission_control_tui.console.registrar import asking
        from mission_control_tui.model.orders.buying import check_domain

        ask = asking(session.settings, scope.store)
        return (await check_domain(scope, product, domain, ask)).registrar

    try:
        return session.query(work)
    except (InvalidInput, NotFound):
        return None  # the order itself says what is wrong, with all else that is


def _answers(given: Sequence[str]) -> dict[str, object]:
    """Return what FIELD=VALUE pairs say. Raises InvalidInput naming every one that is none, or is repeated."""
    fields: dict[str, object] = {}
    problems: list[Problem] = []
    for text in given:
        name, equals, value = text.partition("=")
        name = name.strip()
        if not equals or not name:
            problems.append(Problem("--set", f"{text!r} is not FIELD=VALUE"))
        elif name in fields:
            problems.append(Problem("--set", f"{name} is given twice", "give it once"))
        fields[name] = value
    if problems:
        raise InvalidInput("The answers cannot be read.", problems=problems)
    return fields


@click.command()
@argument("product")
@option("--level", metavar="LEVEL", help="The level, by id or name; may be left out for one.")
@option("--quantity", type=int, metavar="N", help="Seats to remove; all when left out.")
@option("--domain", metavar="NAME", help="The bought domain name to let go.")
@idempotency_key
@waits
@destroys("mission-control remove email --level popx --quantity 1 --yes")
def remove(session: Session, product: str, idempotency_key: str, **bought: Any) -> None:
    """Remove seats of a product's level, or a bought domain. Nothing is paid back.

    Refused while users or domains hold the seats; the error says who does. The account's own service is deprovisioned
    with its last seat.
    """
    from mission_control_tui.model.orders.removing import remove

    level, quantity, domain = (bought[name] for name in ("level", "quantity", "domain"))
    what = domain or " ".join(part for part in (product, level) if part)
    count = "all seats" if quantity is None else counted(quantity, "seat")

    async def looked(scope: AccountScope) -> Plan:
        tried = await remove(
            scope, product, idempotency_key=idempotency_key, dry_run=True, **bought
        )
        return tried.plan

    question = f"Let go of the domain {what}?" if domain else f"Remove {count} of {what}?"
    lost = () if session.assume_yes or session.dry_run else session.query(looked).lost
    session.confirm(f"{question} Lost: {'; '.join(lost)}." if lost else question)
    order_once(session, remove, idempotency_key, product, **bought)


@click.command()
@argument("domain")
@option("--term", type=int, metavar="MONTHS", help="As long as its first one when left out.")
@idempotency_key
@changes("mission-control renew acme.com --term 24 --dry-run")
def renew(session: Session, domain: str, term: int | None, idempotency_key: str) -> None:
    """Order a further term of a bought domain. It begins where the present one ends.

    `mission-control account domains` shows when terms end.
    """
    from mission_control_tui.model.orders.renewing import renew

    order_once(session, renew, idempotency_key, domain, term=term)
