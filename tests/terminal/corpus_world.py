"""The database of the corpus and a console on it: `python -m tests.terminal.corpus_world FILE`.

Two accounts with people of names that a find box has to tell apart, two in the bin, groups. No worker runs, so that
what is asked for stays as it was asked for.
"""

from __future__ import annotations

import sys
from pathlib import Path

from mission_control_tui.model.groups.editing import create_object
from mission_control_tui.model.recycle_bin.deletion import delete_user
from mission_control_tui.model.store.database import Store
from mission_control_tui.model.store.scope import AccountScope
from tests.screens import two_accounts, world

MORE_PEOPLE = (("Mia", "Wong", "mia"), ("Miles", "Fox", "miles"), ("Zoe", "Hart", "zoe"))
DELETED = (("Kim", "Quist", "kim"), ("Abe", "Quist", "abe"))
GROUPS = ("apples", "bananas", "cherries")


async def make(path: Path) -> None:
    """Make the database at `path`."""
    account = await world.make(path)
    await two_accounts.add_globex(path)
    store = await Store.open(path)
    try:
        scope = AccountScope(store, world.CALLER, account.id)
        for who in (*MORE_PEOPLE, *DELETED):
            await world.person(store, account, *who)
        for _first, _last, local in DELETED:
            await delete_user(scope, f"{local}@{world.DOMAIN}")
        for group in GROUPS:
            await create_object(scope, "distribution-group", group, f"{group}@{world.DOMAIN}")
    finally:
        await store.close()


def main() -> int:
    """Show the console, with the command line that the real one has."""
    from mission_control_tui.cli.console.console import command_line
    from mission_control_tui.cli.main import root
    from mission_control_tui.console.app import ConsoleApp
    from mission_control_tui.settings.settings import Settings
    from mission_control_tui.terminal.lifecycle import TerminalOptions, start

    def make_app(options: TerminalOptions) -> ConsoleApp:
        app = two_accounts.make_app(Path(sys.argv[1]), "acme", options)
        app.commands = command_line(sys.argv[1], Settings(), root)
        return app

    return start(TerminalOptions(), make_app)


if __name__ == "__main__":
    sys.exit(main())
