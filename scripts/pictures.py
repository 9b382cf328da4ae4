"""Draws the README's pictures: `python scripts/pictures.py` writes docs/pictures/*.svg from real screens at 80x24.

The account, its users and their lights are those of tests/screens/world.py; nothing is drawn by hand.
"""

from __future__ import annotations

import asyncio
import re
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from tests.screens import world  # noqa: E402
from tests.screens.driving import until  # noqa: E402
from tests.screens.pictures import test_home, test_users  # noqa: E402

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
            svg = app.export_screenshot(title=f"Mission Control: {name.replace('-', ' ')}")
    svg = FONT_FACE.sub("", svg)
    (directory / f"{name}.svg").write_text(svg, encoding="utf-8")
    print(directory / f"{name}.svg")


async def main() -> None:
    """Draw those that are named on the command line, or all."""
    directory = ROOT / "docs" / "pictures"
    directory.mkdir(parents=True, exist_ok=True)
    for name in sys.argv[1:] or PICTURES:
        await draw(name, directory)


if __name__ == "__main__":
    asyncio.run(main())
