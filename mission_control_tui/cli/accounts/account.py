"""`account`: list, show and edit accounts, and their domains that are registered elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from mission_control_tui.cli.accounts.buying import seats_json, seats_table
from mission_control_tui.cli.accounts.contacts import CONTACT_HEADINGS, contact_row
from mission_control_tui.cli.common import output
from mission_control_tui.cli.common.lazy_group import LazyGroup
from mission_control_tui.cli.common.options import AS_CSV, changes, destroys, reads, waits
from mission_control_tui.cli.common.parameters import argument, option
from mission_control_tui.cli.common.questions import ask_reading
from mission_control_tui.cli.common.results import change_and_tell, tell, tell_csv, tell_list, under
from mission_control_tui.cli.common.session import Session
from mission_control_tui.model.text.counting import counted

if TYPE_CHECKING:
    from mission_control_tui.model.accounts.overview import AccountDetails
    from mission_control_tui.model.plan import Outcome
    from mission_control_tui.model.store.database import Store
    from mission_control_tui.model.views import Account

NO_ACCOUNT = "There is no such account, or none that you may work on."

COMMANDS = {
    "contacts": ("Whom to call: list, set, clear.", "accounts.contacts:contacts"),
    "approval": ("Above which total orders wait.", "accounts.statement:approval"),
    "statement": ("What a month costs: text, CSV, PDF.", "accounts.statement:statement"),
    "usage": ("Seats bought, unused and idle.", "accounts.usage:usage"),
    "domains": ("Domains, their state and term.", "accounts.usage:domains"),
}


@click.group(cls=LazyGroup, lazy=COMMANDS)
def account() -> None:
    """Accounts: list them, show one, change it, its contacts and domains; what it costs and uses."""


@account.command("list")
@option("--match", metavar="TEXT", help="Where code, name, customer number or a domain has this.")
@AS_CSV
@reads("mission-control account list --match acme", "mission-control account list --csv")
def list_(session: Session, match: str | None) -> None:
    """The accounts that you may work on, by code; with --match those that you worked on last come first."""

    async def work(store: Store) -> tuple[Account, ...]:
        from mission_control_tui.model.accounts.editing import list_accounts
        from mission_control_tui.model.accounts.search import find_accounts

        if match is None:
            return await list_accounts(store, session.caller)
        return await find_accounts(store, session.caller, match, 10_000)

    session.require_one_format()
    found = session.run(work)
    if session.csv:
        lines = [(row.code, row.name, row.customer_number, " ".join(row.domains)) for row in found]
        tell_csv(("Code", "Name", "Customer number", "Domains"), lines)
        return
    rows = [
        (
            row.code,
            f"{row.name}{' (sample)' * row.is_sample}",
            row.customer_number,
            ", ".join(row.domains),
        )
        for row in found
    ]
    tell_list(
        session,
        {"accounts": found},
        ("CODE", "NAME", "NUMBER", "DOMAINS"),
        rows,
        nothing=NO_ACCOUNT,
    )


@account.command()
@argument("code", required=False)
@reads("mission-control account show sample")
def show(session: Session, code: str | None) -> None:
    """One account: domains, seats, lights, contacts, what this month came to."""
    from mission_control_tui.model.accounts.overview import show as show_account

    async def work(store: Store) -> AccountDetails:
        chosen = code or await session.account_id(store)
        return await show_account(session.scope_of(store, chosen))

    found = session.run(work)
    if not session.printed(_as_json(found)):
        _print(found)


def _as_json(found: AccountDetails) -> dict[str, object]:
    return {**output.attributes(found), "seats": [seats_json(seats) for seats in found.seats]}


def _print(found: AccountDetails) -> None:
    about, lights = found.account, found.lights
    output.line(f"{about.name} ({about.code}){' - sample account' if about.is_sample else ''}")
    output.line("")
    rules = f"at least {found.policy.min_length} characters, {found.policy.classes} of 4 classes"
    awaiting = found.orders_awaiting_approval
    counts = (
        f"{mark} {getattr(lights, light)} {light}" for light, mark in output.LIGHT_MARKS.items()
    )
    schedules = f"{found.schedules_waiting} waiting, {found.schedules_failed} failed lately"
    limit = f"of orders above {found.approval_above}" if found.approval_above else "of no order"
    output.table(
        ("Since", output.when(found.created_at)),
        [
            ("Time zone", about.time_zone),
            ("Customer number", about.customer_number or "none"),
            ("Passwords", rules),
            ("Users", f"{found.users}, and {found.users_in_bin} in the recycling bin"),
            ("Lights", ", ".join(counts)),
            ("Groups", f"{found.objects}, with mail contacts and shared mailboxes"),
            ("Schedules", schedules),
            ("Orders", f"{found.orders}{f', {awaiting} awaiting approval' if awaiting else ''}"),
            ("This month", ", ".join(str(amount) for amount in found.this_month)),
            ("Approval", limit),
        ],
    )
    domains = []
    for domain in found.domains:
        mark = f"{output.LIGHT_MARKS[domain.light]} " if domain.light else ""
        term = counted(domain.term_months, "month") if domain.term_months else ""
        domains.append((domain.name, f"{mark}{domain.word}", term, str(domain.ends_on or "")))
    output.section(("DOMAIN", "STATE", "TERM", "ENDS"), domains)
    for near in found.expiring:
        output.say(f"Domain {near.said}.")
    output.section(CONTACT_HEADINGS, [*map(contact_row, found.contacts)])
    if found.seats:
        output.line("")
        seats_table(found.seats)


@account.command()
@argument("code", required=False)
@option("--name", help="The customer's name.")
@option("--customer-number", metavar="NUMBER", help="The customer's number with you; empty: none.")
@option("--time-zone", metavar="ZONE", help="An IANA name: Australia/Sydney.")
@option("--password-length", type=int, metavar="N", help="Characters of a password, at least.")
@option("--password-classes", type=int, metavar="N", help="Of the 4 classes of characters.")
@changes("mission-control account edit acme --time-zone Australia/Sydney --ticket T-100")
def edit(
    session: Session,
    code: str | None,
    password_length: int | None,
    password_classes: int | None,
    **stated: Any,
) -> None:
    """Change an account's name, customer number, time zone or password policy."""
    from dataclasses import replace

    from mission_control_tui.model.accounts.editing import edit_account
    from mission_control_tui.model.accounts.overview import show as show_account

    async def work(store: Store) -> Outcome[Any]:
        scope = session.scope_of(store, code or await session.account_id(store))
        now = await show_account(scope)
        policy = replace(
            now.policy,
            min_length=now.policy.min_length if password_length is None else password_length,
            classes=now.policy.classes if password_classes is None else password_classes,
        )
        stated.update(version=now.account.version, policy=policy, dry_run=session.dry_run)
        return await edit_account(session.scope_of(store, now.account.id), **stated)

    outcome = session.run(work)
    tell(session, outcome, {"account": outcome.result})


@account.command("add-domain")
@argument("name")
@destroys("mission-control account add-domain acme.example --dry-run")
def add_domain(session: Session, name: str) -> None:
    """Let the account use a domain that is registered elsewhere.

    To register a new one, buy it: mission-control buy domain-names --domain NAME
    """
    from mission_control_tui.model.domains import ownership as domains

    ask_reading(session, [name])
    change_and_tell(session, under("domain"), domains.add_domain, name)


@account.command("allow-domain")
@argument("name")
@option("--to", required=True, metavar="CODE", help="The account that may have it.")
@changes("mission-control account allow-domain mail.acme.example --to sample --dry-run")
def allow_domain(session: Session, name: str, to: str) -> None:
    """Let another account have a name that is below or above a domain of this account.

    It is kept until it is taken back, and in this account's audit.
    """
    from mission_control_tui.model.domains import consents

    change_and_tell(session, under("domain"), consents.allow_domain, name, to)


@account.command("disallow-domain")
@argument("name")
@option("--to", required=True, metavar="CODE", help="The account that it was allowed to.")
@changes("mission-control account disallow-domain mail.acme.example --to sample --dry-run")
def disallow_domain(session: Session, name: str, to: str) -> None:
    """Take a yes back; what the other account has by now, it keeps."""
    from mission_control_tui.model.domains import consents

    change_and_tell(session, under("domain"), consents.withdraw_domain, name, to)


@account.command("auto-renew")
@argument("name")
@argument("state", type=click.Choice(["on", "off"]))
@waits
@changes("mission-control account auto-renew acme.com off")
def auto_renew(session: Session, name: str, state: str) -> None:
    """Let the worker renew a bought domain 7 days before its term ends, or not.

    It orders a term as long as the first one, at the price of that day. To renew by hand: mission-control renew NAME
    """
    from mission_control_tui.model.orders.renewing import set_auto_renew

    change_and_tell(session, under("auto_renew"), set_auto_renew, name, state == "on")


@account.command("remove-domain")
@argument("name")
@waits
@destroys("mission-control account remove-domain acme.example --yes")
def remove_domain(session: Session, name: str) -> None:
    """Let go of a domain that is registered elsewhere; refused while users have addresses in it."""
    from mission_control_tui.model.domains import ownership as domains

    session.confirm(f"Take the domain {name} from the account?")

    change_and_tell(session, under("domain"), domains.remove_domain, name)
