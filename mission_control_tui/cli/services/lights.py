"""`lights`: users down, services across, one letter each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from mission_control_tui.cli.common.options import example, limited, reads
from mission_control_tui.cli.common.output import print_json, say, table
from mission_control_tui.cli.common.session import Session, pass_session
from mission_control_tui.model.search import filters
from mission_control_tui.model.states import Light

if TYPE_CHECKING:
    from mission_control_tui.model.search.light_rows import Cell, LightColumn, MatrixPage, MatrixRow
    from mission_control_tui.model.store.database import Store

ORDERS = ("name", "oldest", "newest")
GLYPHS = {Light.RED: "X", Light.ORANGE: "~", Light.GREEN: "*", Light.GREY: "-"}


@click.command()
@click.argument("words", nargs=-1, metavar="[WORD]...")
@click.option(
    "--sort",
    type=click.Choice(ORDERS),
    default="name",
    show_default=True,
    help="By name, or the oldest or newest red or orange first.",
)
@limited(50, None)
@click.option("--offset", type=click.IntRange(0), default=0, metavar="N", help="Leave so many out.")
@reads
@pass_session
@example("mission-control lights red popx", "mission-control lights drift --sort oldest --json")
def lights(session: Session, words: tuple[str, ...], sort: str, limit: int, offset: int) -> None:
    """Show all users down and all services across, one light and letter each.

    WORDs narrow it: red, orange, green, disabled, enabled, drift, a level or service by name; all others are looked for
    in names and addresses. Letters: E error, Q queued, P provisioning, W waiting, G provisioned, S suspended, D drift.
    """

    async def work(store: Store) -> tuple[tuple[LightColumn, ...], MatrixPage]:
        from mission_control_tui.model.catalogue import in_force as catalogue_store
        from mission_control_tui.model.search import light_matrix as matrix

        account = await session.account_id(store)
        at = (store, session.caller, account)
        found = await catalogue_store.current(store)
        sight = filters.parse_filter(" ".join(words), found.catalogue)
        across = await matrix.columns(*at)
        return across, await matrix.page(
            *at, sight, filters.UserOrder(sort), offset=offset, limit=limit
        )

    across, page = session.run(work)
    if session.json:
        print_json(
            {
                "services": [
                    {"id": one.service_id, "name": one.name, "code": one.code} for one in across
                ],
                "users": [_json(one) for one in page.rows],
                "total": page.total,
                "more": page.more,
            }
        )
        return
    if not page.rows:
        say("Nobody is found.")
        return
    table(
        ["User", *(one.code for one in across)],
        [
            [_name(row), *(_cell(row.cells.get(one.service_id)) for one in across)]
            for row in page.rows
        ],
    )
    more = "more than " if page.more else ""
    say(f"{', '.join(f'{one.code} {one.name}' for one in across)}. {more}{page.total} users.")


def _name(row: MatrixRow) -> str:
    return row.upn + (" (disabled)" if row.disabled else "")


def _cell(cell: Cell | None) -> str:
    return f"{GLYPHS[cell.light]}{cell.letter}" if cell is not None else "--"


def _json(row: MatrixRow) -> dict[str, Any]:
    return {
        "id": row.user_id,
        "upn": row.upn,
        "display_name": row.display_name,
        "disabled": row.disabled,
        "locked": row.locked,
        "since": row.since,
        "services": {
            service: {
                "light": cell.light,
                "letter": cell.letter,
                "level": cell.level_id,
                "word": cell.word,
                "since": cell.since,
                "suspended": cell.suspended,
                "drift": cell.drift,
                "said": cell.said,
                "instances": cell.count,
            }
            for service, cell in row.cells.items()
        },
    }
