"""`lights`: users down, services across, one letter each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from mission_control_tui.cli.common.lists import limited, say_cut
from mission_control_tui.cli.common.options import OFFSET, exports, reads
from mission_control_tui.cli.common.output import LIGHT_MARKS, attributes, say, table
from mission_control_tui.cli.common.parameters import argument, option
from mission_control_tui.cli.common.results import tell_survey
from mission_control_tui.cli.common.session import Session
from mission_control_tui.model.search import filters
from mission_control_tui.model.text.counting import counted

if TYPE_CHECKING:
    from mission_control_tui.model.search.light_rows import Cell, LightColumn, MatrixPage, MatrixRow
    from mission_control_tui.model.store.scope import AccountScope, Reach

ORDERS = ("name", "oldest", "newest")


@click.command()
@argument("words", nargs=-1, metavar="[WORD]...")
@option(
    "--sort",
    type=click.Choice(ORDERS),
    default="name",
    show_default=True,
    help="By name, or the oldest or newest red or orange first.",
)
@limited(50)
@OFFSET
@exports
@reads(
    "mission-control lights red popx",
    "mission-control lights drift --sort oldest --json",
    "mission-control lights red --all-accounts --csv",
)
def lights(session: Session, words: tuple[str, ...], sort: str, limit: int, offset: int) -> None:
    """Show all users down and all services across, one light and letter each; of all accounts too.

    WORDs narrow it: red, orange, green, disabled, enabled, drift, a level or service by name; all others are looked for
    in names and addresses. Letters: E error, Q queued, P provisioning, W waiting, G provisioned, S suspended, D drift.
    """

    if session.all_accounts or session.csv:
        _survey(session, words, sort, limit, offset)
        return

    async def work(scope: AccountScope) -> tuple[tuple[LightColumn, ...], MatrixPage]:
        from mission_control_tui.model.catalogue.in_force import current
        from mission_control_tui.model.search import light_matrix

        sight = filters.parse_filter(" ".join(words), (await current(scope.store)).catalogue)
        order = filters.UserOrder(sort)
        across = await light_matrix.columns(scope)
        return across, await light_matrix.page(scope, sight, order, offset=offset, limit=limit)

    across, page = session.query(work)
    more = page.more or offset + len(page.rows) < page.total
    if session.printed(
        {
            "services": [
                {"id": column.service_id, **attributes(column, "name", "code")} for column in across
            ],
            "users": [_json(row) for row in page.rows],
            "total": page.total,
            "more": more,
        }
    ):
        return
    if not page.rows:
        say("Nobody is found.")
        return
    table(
        ["User", *(column.code for column in across)],
        [
            [_name(row), *(_cell(row.cells.get(column.service_id)) for column in across)]
            for row in page.rows
        ],
    )
    at_least = "more than " if page.more else ""
    legend = ", ".join(f"{column.code} {column.name}" for column in across)
    say(f"{legend}. {at_least}{counted(page.total, 'user')}.")
    if more:
        say_cut(len(page.rows))


def _survey(session: Session, words: tuple[str, ...], sort: str, limit: int, offset: int) -> None:
    """Tell of the users of all accounts, or as CSV."""
    across: list[LightColumn] = []

    async def work(scope: Reach) -> tuple[MatrixRow, ...]:
        from mission_control_tui.model.catalogue.in_force import current
        from mission_control_tui.model.search import all_users

        sight = filters.parse_filter(" ".join(words), (await current(scope.store)).catalogue)
        across.extend(await all_users.light_columns_of_all(scope))
        return await all_users.light_rows_of_all(
            scope, sight, filters.UserOrder(sort), limit=limit + 1, offset=offset
        )

    found = session.survey(work)
    headings = [column.service_id if session.csv else column.code for column in across]
    tell_survey(
        *(session, "users", found, ("User", *headings)),
        lambda row: (_name(row), *(_cell(row.cells.get(service.service_id)) for service in across)),
        _json,
        nothing="Nobody is found.",
        limit=limit,
        offset=offset,
    )


def _name(row: MatrixRow) -> str:
    return row.upn + (" (disabled)" if row.disabled else "")


def _cell(cell: Cell | None) -> str:
    return f"{LIGHT_MARKS[cell.light]}{cell.letter}" if cell is not None else "--"


def _json(row: MatrixRow) -> dict[str, Any]:
    return {
        "id": row.user_id,
        **attributes(row, "upn", "display_name", "disabled", "locked", "since"),
        "services": {
            service: {
                **attributes(cell, "light", "letter"),
                "level": cell.level_id,
                **attributes(cell, "word", "since", "suspended", "drift", "said"),
                "instances": cell.count,
            }
            for service, cell in row.cells.items()
        },
    }
