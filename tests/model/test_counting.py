"""Numbers and what they count."""

from __future__ import annotations

import re
from pathlib import Path

import mission_control_tui
from mission_control_tui.model.text.counting import counted

BY_HAND = re.compile(r"""\{['"]s['"] ?(\[|\*|if)|= ['"]s['"] \*""")
"""An s that is put to a word by hand."""


def test_one_is_one_and_thousands_are_readable() -> None:
    assert counted(1, "user") == "1 user"
    assert counted(0, "user") == "0 users"
    assert counted(1200, "user") == "1,200 users"
    assert counted(2, "is", "are") == "2 are"


def test_nothing_counts_in_a_way_of_its_own() -> None:
    package = Path(mission_control_tui.__file__).parent
    # What connectors read of the program is the protocol alone; a list of names is no number.
    found = {
        path.relative_to(package).as_posix()
        for path in package.rglob("*.py")
        if BY_HAND.search(path.read_text(encoding="utf-8"))
    }
    assert found == {"provisioning/kept.py"}
