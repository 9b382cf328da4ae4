"""The verbs with their keys, those of one's own marked: a list that is as high as there is room."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mission_control_tui.keys import custom_keys
from mission_control_tui.keys.keymap import VERBS, key_word
from mission_control_tui.widgets.rows import Column, HeldRows, Row

COLUMNS = (
    Column("Key", width=8),
    Column("In fields", width=9),
    Column("What it does"),
    Column("Own", width=3),
)
HELP = (
    "Enter asks for a new key for the verb: press it. Delete gives back the default. A key has one meaning on all "
    "screens; the one that works in fields stays beside a letter."
)


class OwnKeysList(HeldRows):
    """Every verb and the keys that it has by a keymap that is being changed."""

    DEFAULT_CSS = """
    OwnKeysList { height: 1fr; min-height: 4; }
    """

    def __init__(self, *, id: str) -> None:
        super().__init__(columns=COLUMNS, id=id)
        self.help_text = HELP
        self.title = "Keys"
        self.key_labels = {"open": "New key"}
        self._rows = ()

    def show(self, keymap: Mapping[str, Any]) -> None:
        """Show the keys that hold with this keymap."""
        good, _problems = custom_keys.usable(keymap)
        keys = custom_keys.effective(good)
        rows: list[Row] = []
        for verb in VERBS:
            typed = [key_word(key) for key in keys[verb.id] if not custom_keys.works_in_fields(key)]
            others = [key_word(key) for key in keys[verb.id] if custom_keys.works_in_fields(key)]
            own = "own" if verb.id in good else "bad" if verb.id in keymap else ""
            about = f"{verb.label}: {verb.description}"
            rows.append(Row(verb.id, (" ".join(typed), " ".join(others), about, own)))
        self.hold(rows)
