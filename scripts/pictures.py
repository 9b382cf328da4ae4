"""Draws the README's pictures: `python scripts/pictures.py` writes docs/pictures/*.svg from real screens at 80x24.

The account, its users and their lights are those of tests/screens/world.py; for `real-servers` (as root) they are at
the servers of tests/whole_site.py. Nothing is drawn by hand.
"""

from __future__ import annotations

import asyncio
import re
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from textual.app import App  # noqa: E402

from mission_control_tui.console.app import ConsoleApp  # noqa: E402
from mission_control_tui.settings.settings import load  # noqa: E402
from tests.screens import world  # noqa: E402
from tests.screens.driving import shows, until  # noqa: E402
from tests.screens.pictures import test_home, test_users  # noqa: E402
from tests.whole_site import WholeSite  # noqa: E402

SIZE = (80, 24)
FONT_FACE = re.compile(r"@font-face\s*\{[^}]*\}\s*")
"""Fonts from elsewhere: a picture asks nobody for anything."""
PICTURES = {
    "home": test_home.home,
    "buy-email": test_home.email_chosen,
    "order": test_home.order,
    "service-area": test_home.service_area,
    "new-user": test_users.new_user_refused,
    "services": test_users.services,
    "red": test_users.red,
    "users": test_users.user_functions,
    "requests": test_users.requests,
}


REAL = "real-servers"
"""The picture that needs real servers, and so is drawn only where it is named."""


async def draw(name: str, directory: Path) -> None:
    """Bring the console to a state and write what it shows."""
    with tempfile.TemporaryDirectory(prefix="mc-picture-") as place:
        path = Path(place) / "console.db"
        await world.make(path)
        app = world.make_app(path)
        async with app.run_test(size=SIZE) as pilot:
            await until(pilot, lambda: app.is_open)
            await PICTURES[name](app, pilot)
            await pilot.pause(0.3)
            _write(app, name, directory)


def _half_done(site: WholeSite) -> None:
    """Give a user all that there is, the mailbox while the mail servers' database is down."""
    amy = "amy@acme.example"
    people = site.directory / "users.csv"
    people.write_text(f"UPN,First names,Last name,Display name\n{amy},Amy,Low,Amy Low\n")
    site.run(
        "users", "import", str(people), "--passwords-out", str(site.directory / "passwords.csv")
    )
    site.run("buy", "email", "--level", "pc-web", "--quantity", "5", "--yes")
    site.run("buy", "web-hosting", "--level", "starter", "--domain", "acme.example", "--yes")
    site.run("buy", "databases", "--level", "mariadb-small", "--yes")
    site.run("provision", amy, "web-hosting", "--level", "starter", "--wait", "60")
    out = ("--passwords-out", str(site.directory / "databases.csv"))
    site.run("provision", amy, "mariadb-databases", "--level", "small", *out, "--wait", "60")
    site.mail_database.stop()
    site.run("provision", amy, "managed-exchange", "--level", "pc-web")
    site.wait_until_told(amy, says="mailbox (mail-")


async def draw_real(name: str, directory: Path) -> None:
    """Write what the console shows of a user whose services are at real servers, one of them half done."""
    with tempfile.TemporaryDirectory(prefix="mc-picture-") as place:
        site = WholeSite.start(Path(place), Path(place) / "shared")
        try:
            site.configure()
            site.sell()
            _half_done(site)
            caller = replace(world.CALLER, source="console")
            app = ConsoleApp(
                load(site.settings_file), site.database, None, None, caller, world.no_wake
            )
            async with app.run_test(size=SIZE) as pilot:
                await until(pilot, lambda: app.is_open)
                await test_users.go(app, pilot, "provision", "amy")
                await shows(pilot, "Waiting")
                await pilot.press("enter")
                await shows(pilot, "[ Suspend ]")
                _write(app, name, directory)
        finally:
            site.end_worker()
            site.close()


def _write(app: App[Any], name: str, directory: Path) -> None:
    svg = app.export_screenshot(title=f"Mission Control: {name.replace('-', ' ')}")
    (directory / f"{name}.svg").write_text(FONT_FACE.sub("", svg), encoding="utf-8")
    print(directory / f"{name}.svg")


async def main() -> None:
    """Draw those that are named on the command line, or all."""
    directory = ROOT / "docs" / "pictures"
    directory.mkdir(parents=True, exist_ok=True)
    for name in sys.argv[1:] or PICTURES:
        await (draw_real if name == REAL else draw)(name, directory)


if __name__ == "__main__":
    asyncio.run(main())
