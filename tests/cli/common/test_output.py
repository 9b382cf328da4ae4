"""How results leave: columns, plans, values."""

from __future__ import annotations

from contextlib import redirect_stderr, redirect_stdout
from datetime import UTC, datetime
from io import StringIO

import pytest

from mission_control_tui.cli.common.output import cut, plain, print_plan, table
from mission_control_tui.model.money import Money
from mission_control_tui.model.plan import Plan, PlanLine, PlanVerb, SeatLine
from mission_control_tui.model.text.differences import value_text
from tests.cli.inprocess import Terminal


def printed(stream: StringIO, *rows: tuple[object, ...]) -> list[str]:
    with redirect_stdout(stream):
        table(("NAME", "COUNT", "WHAT"), rows)
    return stream.getvalue().splitlines()


def test_columns_are_aligned_by_what_a_terminal_shows() -> None:
    lines = printed(StringIO(), ("\u4e2d\u6587", 5, "first"), ("ab", 12345, "second"))
    assert lines == [
        "NAME  COUNT  WHAT",
        "\u4e2d\u6587      5  first",
        "ab    12345  second",
    ]


def test_rows_are_cut_on_a_terminal_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "30")
    row = ("name", 1, "a text that is much longer than the terminal is wide")
    assert printed(Terminal(), row)[1] == "name      1  a text that is..."
    assert printed(StringIO(), row)[1].endswith("wide")


def test_cutting_counts_cells() -> None:
    assert cut("\u4e2d\u6587\u4e2d\u6587", 7) == "\u4e2d\u6587..."
    assert cut("short", 5) == "short"


def test_plan_shows_differences_seats_money_and_warnings() -> None:
    plan = Plan(
        lines=(
            PlanLine(PlanVerb.CHANGED, "user", "ada", {"title": "Dr"}, {"title": "Prof\x1b[1m"}),
            PlanLine(PlanVerb.REMOVED, "domain", "a.example", {"bought": True}, {}),
        ),
        seats=(SeatLine("mail", "popx", 1, 1, 1, 0),),
        net=Money(100, "AUD"),
        tax=Money(10, "AUD"),
        total=Money(110, "AUD"),
        warnings=("look out",),
    )
    out, err = StringIO(), StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        print_plan(plan)
    assert out.getvalue().splitlines() == [
        "changed    user    ada",
        "           title: Dr -> Prof\ufffd[1m",
        "removed    domain  a.example",
        "           bought: was yes",
        "seats      mail popx: owned 1, free 1 -> 0",
        "net        AUD 1.00",
        "tax        AUD 0.10",
        "total      AUD 1.10",
    ]
    assert err.getvalue() == "Warning: look out\n"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "none"),
        ("", "none"),
        (False, "no"),
        (["a", "b"], "a, b"),
        ([], "none"),
        ({"pop": True}, "pop yes"),
        (PlanVerb.CREATED, "created"),
    ],
)
def test_values_for_people(value: object, text: str) -> None:
    assert value_text(value) == text


def test_json_values() -> None:
    at = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
    given = {"at": at, "money": Money(5, "AUD"), "verb": PlanVerb.CREATED, "more": (1, None)}
    assert plain(given) == {
        "at": "2026-03-01T09:30:00Z",
        "money": {"minor": 5, "currency": "AUD"},
        "verb": "created",
        "more": [1, None],
    }
