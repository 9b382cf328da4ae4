"""Not repainting on focus changes shows exactly what repainting shows, for fewer bytes."""

from __future__ import annotations

import sys

import pytest

from tests.terminal.pty import Terminal


@pytest.mark.proof
def test_every_cell_is_as_stock_shows_it() -> None:
    keys = [
        "tab",
        "down",
        "tab",
        "down",
        "tab",
        "enter",
        "tab",
        "tab",
        "shift+tab",
        "x",
        "shift+tab",
    ]
    pictures = []
    costs = []
    for kind in ("stock", "ours"):
        with Terminal([sys.executable, "-m", "tests.screens.focus_call", kind]) as terminal:
            terminal.wait_for("three")
            terminal.settle()
            start = len(terminal.output)
            shown = []
            for key in keys:
                terminal.press_measured(key)
                shown.append(terminal.cells())
            pictures.append(shown)
            costs.append(len(terminal.output) - start)
    for number, (stock, ours) in enumerate(zip(*pictures, strict=True)):
        assert ours == stock, f"differs after {keys[: number + 1]}"
    assert costs[1] < costs[0] * 2 / 3
