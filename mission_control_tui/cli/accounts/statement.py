"""`account approval` and `account statement`: what waits for a person, and what a month costs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from mission_control_tui.cli.common.lists import limited
from mission_control_tui.cli.common.options import changes, exports, reads
from mission_control_tui.cli.common.output import attributes, line, print_json, say, table
from mission_control_tui.cli.common.parameters import option
from mission_control_tui.cli.common.results import change_and_tell, under
from mission_control_tui.cli.common.session import Session
from mission_control_tui.model.errors import UsageError

if TYPE_CHECKING:
    from mission_control_tui.model.billing.statements import Statement
    from mission_control_tui.model.money import Money
    from mission_control_tui.model.plan import Outcome
    from mission_control_tui.model.store.scope import AccountScope


@click.command()
@option("--above", metavar="AMOUNT", help="Orders of more than this total, with tax, wait.")
@option("--never", is_flag=True, help="No order waits because of its total.")
@changes("mission-control account approval --above 500 --ticket T-100")
def approval(session: Session, above: str | None, never: bool) -> None:
    """Show or set the total above which orders wait for approval.

    An order that waits brings nothing until `mission-control orders approve`.
    """
    if above is not None and never:
        raise UsageError("--above and --never contradict each other.", hint="Give one of them.")
    if above is None and not never:
        _show_limit(session)
        return
    from mission_control_tui.model.catalogue.in_force import current
    from mission_control_tui.model.money import Money
    from mission_control_tui.model.orders import approval as approving

    async def change(scope: AccountScope, *, dry_run: bool = False) -> Outcome[Money | None]:
        currency = (await current(scope.store)).catalogue.currency
        limit = None if above is None else Money.parse(above, currency, where="--above")
        return await approving.set_approval_limit(scope, limit, dry_run=dry_run)

    change_and_tell(session, under("approval_above"), change)


def _show_limit(session: Session) -> None:
    from mission_control_tui.model.orders import approval as approving

    limit = session.query(approving.approval_limit)
    if not session.printed({"approval_above": limit}):
        line(
            f"Orders above {limit} wait for approval." if limit else "No order waits by its total."
        )


@click.command()
@option("--month", metavar="YYYY-MM", help="The running one when left out.")
@option(
    "--format", "form", type=click.Choice(("text", "csv", "pdf", "json")),
    help="Text when left out, or what the ending of --out says.",
)  # fmt: skip
@option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
    help="Write a file of one's own; never over one that is there.",
)  # fmt: skip
@limited(50, "With --all-accounts at most so many accounts, or all.")
@option("--after", default="", metavar="CODE", help="With --all-accounts those after this code.")
@exports
@reads(
    "mission-control account statement --csv",
    "mission-control account statement --month 2026-11 --out november.pdf",
    "mission-control account statement --all-accounts --month 2026-11 --format csv",
)
def statement(
    session: Session,
    month: str | None,
    form: str | None,
    out: Path | None,
    limit: int,
    after: str,
) -> None:
    """What a month costs: its orders, what was renewed, tax, total; seats of test users are not billed.

    A month that is over is closed when it is first asked for, or by the worker, and does not change any more; with
    --read-only it is shown and not closed. --all-accounts goes through the accounts by code, some at a time.
    """
    from mission_control_tui.model.billing import statement_files, statements

    if form == "pdf" and out is None:
        raise UsageError("A PDF is not shown on a terminal.", hint="Name a file: --out FILE.pdf")
    if form == "json":
        session.json, form = True, None
    session.require_one_format(form and f"--format {form}")
    if session.csv:
        if form not in (None, "csv"):
            raise UsageError(f"--csv and --format {form} contradict each other.", hint="Give one.")
        form = "csv"

    if session.all_accounts:
        if out is not None:
            raise UsageError("--out is for one account.", hint="Send the CSV or JSON to a file.")
        _all_accounts(session, month, form, limit, after)
        return
    found = session.query(statements.statement, month)
    if out is not None and not session.json:
        say(f"Written to {statement_files.write(found, out, form)}")
        return
    if session.json and out is not None:
        _write_json(_as_json(found), out)
    elif not session.printed(_as_json(found)):
        for text in statement_files.content(found, form or "text").decode().splitlines():
            line(text)


def _all_accounts(
    session: Session, month: str | None, form: str | None, limit: int, after: str
) -> None:
    """Tell of some accounts at a time, each as it would be told by itself; text has a line for each sum."""
    from mission_control_tui.model.billing import all_statements, statement_files

    found, last = session.run(
        lambda store: all_statements.statements_after(
            store, session.caller, month, after=after, limit=limit
        )
    )
    if session.json:
        documents = [_as_json(each)["statement"] for each in found]
        print_json({"statements": documents, "after": last or None})
    elif form == "csv":
        line(",".join(statement_files.CSV_COLUMNS))
        for each in found:
            for text in statement_files.as_csv(each).splitlines()[1:]:
                line(text)
    else:
        rows = [
            (
                *(each.account_code, each.period, amounts.net, amounts.tax, amounts.total),
                "closed" if each.closed_at else "",
            )
            for each in found
            for amounts in each.sums
        ]
        if rows:
            table(("ACCOUNT", "MONTH", "NET", "TAX", "TOTAL", ""), rows)
        else:
            say("No account has a statement of that month.")
    if last:
        say(f"More accounts: --after {last}, or more at a time with --limit N.")


def _as_json(found: Statement) -> dict[str, object]:
    sums = [attributes(amounts, "net", "tax", "total") for amounts in found.sums]
    return {"statement": {**attributes(found), "sums": sums}}


def _write_json(document: dict[str, object], out: Path) -> None:
    import json

    from mission_control_tui.cli.common.output import plain
    from mission_control_tui.model.billing.statement_files import put

    text = json.dumps(plain(document), indent=2) + "\n"
    say(f"Written to {put(out, text.encode())}")
