"""The file of refused rows: safe in a spreadsheet, and importable again as it is with nothing changed."""

from __future__ import annotations

import csv
import io

from hypothesis import given
from hypothesis import strategies as st

from mission_control_tui.model.errors import Problem
from mission_control_tui.model.onboarding.files.read import ImportFile, read_users
from mission_control_tui.model.onboarding.files.write import RefusedRows, bad_rows_csv
from mission_control_tui.model.text.spreadsheet_cells import free, protect
from tests.model.onboarding.files.support import DELIMITERS, SAMPLES, csv_bytes

HEADINGS = ["UPN", "Display Name", "Office phone", "Notes", "Password", "Shoe Size"]
WRONG = Problem("row 2, Office phone", "=cannot\x1b[31m be", "correct it")


def refuse_all(file: ImportFile) -> RefusedRows:
    return bad_rows_csv(file, [(row, [WRONG]) for row in file.rows])


def test_refused_rows_keep_their_cells_and_say_why_first() -> None:
    rows = [
        HEADINGS,
        ["a@acme.example", "A", "02 1", "one\ntwo", "", "44"],
        ["b@acme.example", "B"],
    ]
    file = read_users(csv_bytes(rows, delimiter=";"))
    refused = bad_rows_csv(file, [(file.rows[1], [WRONG, Problem("row 3, UPN", "is odd")])])
    table = list(csv.reader(io.StringIO(refused.text, newline=""), delimiter=";"))
    assert table == [
        ["Reason", *HEADINGS],
        [
            "row 2, Office phone: =cannot\ufffd[31m be (correct it); UPN: is odd",
            "b@acme.example",
            "B",
        ],
    ]


def test_no_cell_can_become_a_formula() -> None:
    headings = ["UPN", "Display Name", "@Notes"]
    risky = ["=1+1", "+61 2", "-1", "@x", "\tx", "'=x"]
    file = read_users(
        csv_bytes([headings, *([f"u{n}@x", cell, cell] for n, cell in enumerate(risky))])
    )
    reasons = [(row, [Problem("", "=1+1")]) for row in file.rows]
    text = bad_rows_csv(file, reasons).text
    for cells in csv.reader(io.StringIO(text, newline="")):
        assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r")) for cell in cells)


def test_corrected_rows_are_read_without_the_reason() -> None:
    file = read_users(csv_bytes([HEADINGS, ["a@acme.example", "A", "+61 2", "", "-Pass'7", ""]]))
    again = read_users(refuse_all(file).encoded())
    assert (again.format, again.encoding) == (file.format, "UTF-8")
    assert "Reason" not in again.ignored_columns
    assert again.rows[0].details() == file.rows[0].details()
    assert again.rows[0].password == "-Pass'7"


def test_a_second_refusal_replaces_the_first_reason() -> None:
    once = refuse_all(read_users(csv_bytes([HEADINGS, ["a@acme.example", "=A"]])))
    twice = refuse_all(read_users(once.encoded()))
    assert twice.text == once.text


def test_files_with_passwords_are_secret_and_not_shown() -> None:
    google = read_users(SAMPLES / "google.csv")
    refused = refuse_all(google)
    assert refused.secret
    assert "Kestrel-Harbour-47" in refused.text
    assert "Kestrel-Harbour-47" not in repr(refused)
    assert not refuse_all(read_users(SAMPLES / "microsoft365.csv")).secret


def test_rows_that_are_too_long_come_back_whole() -> None:
    row = ["a@acme.example", "A", "", "", "", "", "surplus"]
    again = read_users(refuse_all(read_users(csv_bytes([HEADINGS, row]))).encoded())
    assert list(again.rows[0].cells[1:]) == row
    assert [problem.where for problem in again.rows[0].problems] == ["row 2, column H"]


CELL = st.text(
    st.one_of(
        st.sampled_from("'=+-@\t\r\n,;\" "),
        st.characters(exclude_characters="\0", exclude_categories=["Cs"]),
    ),
    max_size=10,
)


@given(cell=CELL)
def test_freeing_undoes_protecting(cell: str) -> None:
    assert free(protect(cell)) == cell


@given(
    rows=st.lists(
        st.lists(CELL, min_size=6, max_size=8).filter(lambda cells: any(map(str.strip, cells))),
        min_size=1,
        max_size=4,
    ),
    delimiter=st.sampled_from(DELIMITERS),
)
def test_the_way_through_the_file_of_refused_rows_changes_nothing(
    rows: list[list[str]], delimiter: str
) -> None:
    file = read_users(csv_bytes([HEADINGS, *rows], delimiter=delimiter))
    refused = refuse_all(file)
    again = read_users(refused.encoded())
    assert [row.cells[1:] for row in again.rows] == [row.cells for row in file.rows]
    assert [dict(row.fields) for row in again.rows] == [dict(row.fields) for row in file.rows]
    assert [row.password for row in again.rows] == [row.password for row in file.rows]
    assert again.delimiter == file.delimiter
    assert refuse_all(again).text == refused.text
