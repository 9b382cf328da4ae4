"""`attention`: what is red or waits, in all accounts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from mission_control_tui.cli.common import output, results, waiting
from mission_control_tui.cli.common.lists import limited
from mission_control_tui.cli.common.options import OFFSET, exports, reads
from mission_control_tui.cli.common.parameters import argument, option
from mission_control_tui.cli.common.session import Session, Survey

if TYPE_CHECKING:
    from mission_control_tui.model.accounts.attention import AttentionLine, AttentionPage
    from mission_control_tui.model.store.database import Store

ORDERS = ("oldest", "newest", "account", "connector")


@click.command()
@argument("words", nargs=-1, metavar="[WORD]...")
@option(
    "--sort",
    type=click.Choice(ORDERS),
    default="oldest",
    show_default=True,
    help="What comes first.",
)
@limited(200)
@OFFSET
@exports
@reads(
    "mission-control attention red --sort connector",
    "mission-control attention acme --csv",
    "mission-control attention full",
)
def attention(session: Session, words: tuple[str, ...], sort: str, limit: int, offset: int) -> None:
    """Show what is red or waits in all accounts, the oldest first; with --account in that one.

    WORDs narrow it: red, orange, parts of an account's code, name, number or domain, of a connector, a service or a
    UPN; all of them have to be there. With the word full it is what has used at least 90 % of its room instead.
    """

    async def work(store: Store) -> AttentionPage:
        from mission_control_tui.model.accounts import attention as model
        from mission_control_tui.model.store.scope import AllAccounts, Reach

        named = session.settings.account and not session.all_accounts
        scope: Reach = await session.scope(store) if named else AllAccounts(store, session.caller)
        order = model.AttentionOrder(sort)
        return await model.attention(scope, " ".join(words), order, limit=limit, offset=offset)

    page = session.run(work)
    codes = {line.account_id: line.account.code for line in page.lines}
    results.tell_survey(
        session,
        "services",
        Survey(page.lines, codes),
        ("Light", "For", "Service", "Level", "Connector", "Since", "Now"),
        _row,
        lambda line: results.service(line.service),
        nothing="Nothing is red and nothing waits.",
    )
    after = offset + len(page.lines)
    if after < page.total or page.more:
        more = "more than " * page.more
        output.say(f"{len(page.lines)} of {more}{page.total:,}; the next with --offset {after}.")


def _row(line: AttentionLine) -> tuple[object, ...]:
    view = line.service
    service = f"{view.service_id} {view.instance}".rstrip()
    since = output.when(view.since)
    now = view.error_said or view.step or results.usage_words(view)
    return waiting.light_of(view), view.subject, service, view.level_id, view.connector, since, now
