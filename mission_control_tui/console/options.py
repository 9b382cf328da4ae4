"""What the settings say about the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mission_control_tui.terminal import lifecycle

if TYPE_CHECKING:
    from mission_control_tui.settings.settings import Settings


def options_of(settings: Settings) -> lifecycle.TerminalOptions:
    """Return what the settings say about the terminal; of the keymap what can be used."""
    console = settings.console
    keys: dict[str, str] = {}
    if console.keymap:
        from mission_control_tui.keys.custom_keys import usable

        keys, _problems = usable(console.keymap)
    return lifecycle.TerminalOptions(
        theme=console.theme,
        ascii=console.ascii or None,
        mouse=console.mouse,
        keys=keys,
        page_jump=console.page_jump,
        escape_ms=console.escape_ms,
        show_cursor=console.show_cursor,
    )
