"""The matrix's widget: many services scroll by the cursor, those out of view are counted, names stay readable."""

from __future__ import annotations

import pytest
from textual.app import App, ComposeResult

from mission_control_tui.widgets.light_matrix import NAME_LEAST, LightMatrix
from mission_control_tui.widgets.line_list import RowPage
from mission_control_tui.widgets.rows import Row


class OneMatrix(App[None]):
    """One matrix of as many services as asked for."""

    def __init__(self, services: int, name: str) -> None:
        super().__init__()
        self.services = services
        self.person = name

    def compose(self) -> ComposeResult:
        yield LightMatrix()

    async def fetch(self, offset: int, limit: int) -> RowPage:
        cells = [((f"{index:02d}"), "") for index in range(self.services)]
        return RowPage([Row("one", (((self.person, ""), ("disabled", "")), "3 h", *cells))], 1)

    def on_mount(self) -> None:
        matrix = self.query_one(LightMatrix)
        matrix.set_columns([f"{index:02d}" for index in range(self.services)])
        matrix.show(self.fetch)


def lines_of(matrix: LightMatrix) -> tuple[str, str]:
    """Head and first row, as text."""
    head, row = (matrix.render_line(y).text for y in (0, 1))
    return head, row


@pytest.mark.parametrize("name", ["Ada", "Łukasz " * 9, "界" * 30, "[b]x[/]\x1b[31m"])
@pytest.mark.parametrize(("services", "fits"), [(1, 1), (10, 10), (11, 11), (15, 10), (40, 10)])
async def test_services_stand_under_their_codes_and_the_rest_is_counted(
    services: int, fits: int, name: str
) -> None:
    app = OneMatrix(services, name)
    async with app.run_test(size=(80, 24)) as pilot:
        matrix = app.query_one(LightMatrix)
        while matrix.current is None:
            await pilot.pause(0.01)
        matrix.focus()
        for wanted in (0, services // 2, services - 1, 0):
            matrix.turn_to(wanted)
            await pilot.pause()
            head, row = lines_of(matrix)
            assert len(head) <= 80
            hidden = services - fits
            assert (f"+{hidden}" in head) == bool(hidden)
            shown = [code for code in head.split("Age")[1].split() if not code.startswith("+")]
            assert len(shown) == fits
            assert f"{wanted:02d}" in shown
            assert row.split("3 h")[1].split() == shown
            assert row.index("3 h") > NAME_LEAST // 2
        await pilot.press("left")
        assert matrix.column == 0
        await pilot.press("right")
        assert matrix.column == min(1, services - 1)
