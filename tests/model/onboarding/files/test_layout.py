"""Every shape in which files of users come: encodings, delimiters, stray rows, and what is no CSV at all."""

from __future__ import annotations

import gzip
import io
import zipfile
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mission_control_tui.model.errors import InvalidInput, MissionControlError, UsageError
from mission_control_tui.model.onboarding.files.detect import open_text
from mission_control_tui.model.onboarding.files.read import ImportFile, read_users
from tests.model.onboarding.files.support import (
    DELIMITERS,
    ENCODINGS,
    M365_HEADINGS,
    SAMPLES,
    csv_bytes,
)

ROWS = [
    ["User Name", "Display Name", "Address", "City"],
    ["zoe@acme.example", "Zoë O'Connor", 'Level 2\n350 "Collins" St, rear; left', "Melbourne"],
    ["jose@acme.example", "José", "", "Córdoba"],
]


def facts(file: ImportFile) -> list[dict[str, object]]:
    return [dict(row.fields) for row in file.rows]


def refusal(data: bytes) -> InvalidInput:
    with pytest.raises(InvalidInput) as caught:
        read_users(data)
    return caught.value


@pytest.mark.parametrize("line_end", ["\r\n", "\n", "\r"])
@pytest.mark.parametrize("delimiter", DELIMITERS)
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_every_encoding_and_delimiter_reads_the_same(
    encoding: str, delimiter: str, line_end: str
) -> None:
    data = csv_bytes(ROWS, encoding=encoding, delimiter=delimiter, line_end=line_end)
    file = read_users(data)
    assert facts(file) == facts(read_users(csv_bytes(ROWS)))
    assert facts(file)[0]["street"] == ROWS[1][2]
    assert file.encoding == {"cp": "Windows-1252", "ut": "UTF-8"}[encoding[:2]].replace(
        "UTF-8", "UTF-16" if "16" in encoding else "UTF-8"
    )
    assert file.delimiter == {",": "comma", ";": "semicolon", "\t": "tab"}[delimiter]


def test_bytes_that_could_be_misread_are_announced() -> None:
    file = read_users(csv_bytes(ROWS, encoding="cp1252"))
    assert any("Windows-1252" in notice for notice in file.notices)
    assert not any("Windows-1252" in notice for notice in read_users(csv_bytes(ROWS)).notices)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_rows_are_numbered_as_spreadsheets_and_editors_do(encoding: str) -> None:
    text = (
        "\r\nUser Name,Display Name,Address\r\n"
        ",,\r\n"
        'a@acme.example,A,"one\r\ntwo\r\nthree"\r\n'
        "\r\n"
        "  , ,\r\n"
        "b@acme.example,B,\r\n"
    )
    file = read_users(text.encode(encoding))
    assert [(row.row, row.line) for row in file.rows] == [(4, 4), (7, 9)]


def test_excels_separator_line_is_no_row() -> None:
    file = read_users(b"sep=;\r\nUser Name;Display Name\r\na,b@acme.example;A;\r\n")
    assert [(row.row, row.line) for row in file.rows] == [(2, 3)]
    assert file.rows[0].fields["upn"] == "a,b@acme.example"


def test_headings_may_be_of_any_case_with_stray_spaces_and_empty_columns_behind() -> None:
    data = (
        b" USER NAME ,display  name,CITY,,\na@acme.example,A,Sydney,,\nb@acme.example,B,Perth,,,,\n"
    )
    file = read_users(data)
    assert [row.fields["city"] for row in file.rows] == ["Sydney", "Perth"]
    assert [row.problems for row in file.rows] == [(), ()]
    assert file.ignored_columns == ()


def test_short_rows_are_filled_up_and_long_ones_are_errors_of_their_row() -> None:
    data = b"User Name,Display Name,City\na@acme.example,A\nb@acme.example,B,Perth,WA, \nc@acme.example,C,Ayr\n"
    short, long, good = read_users(data).rows
    assert short.problems == ()
    assert "city" not in short.fields
    assert [problem.where for problem in long.problems] == ["row 3, column D"]
    assert good.fields["city"] == "Ayr"


def test_unknown_columns_are_one_notice_and_unnamed_ones_only_when_they_hold_something() -> None:
    data = b",User Name,Shoe Size,,Display Name,Pet\n0,a@acme.example,44,,A,\n"
    file = read_users(data)
    assert file.ignored_columns == ("column A (no heading)", "Shoe Size", "Pet")
    assert [notice for notice in file.notices if "Shoe Size" in notice] == [
        "Not imported: column A (no heading), Shoe Size, Pet."
    ]
    assert file.rows[0].fields["display_name"] == "A"


def test_two_columns_of_one_meaning_are_one_error() -> None:
    error = refusal(b"User Name,Display Name,City,display name,CITY,Username\n")
    text = str(error)
    assert [problem.where for problem in error.problems] == ["UPN", "Display Name", "City"]
    assert "B (Display Name) and D (display name)" in text


def test_missing_headings_are_one_error_that_names_what_is_expected() -> None:
    error = refusal(b"Display Name,First Name,City\nAda L,A,Sydney\n")
    assert 'look like Microsoft 365, but there is no column "User Name"' in error.what
    assert "Microsoft 365: User Name, Display Name" in str(error)
    assert "Google Workspace: First Name, Last Name, Email Address" in str(error)
    assert "none of the headings" in refusal(b"a@acme.example,Ada,Lovelace\n").what


def test_a_file_with_headings_only_says_so() -> None:
    file = read_users(b"User Name,Display Name\n")
    assert (file.rows, file.notices) == ([], ("The file has headings but no users.",))


@pytest.mark.parametrize("data", [b"", b"\xef\xbb\xbf", b" \r\n\r\n", b",,,\r\n,,,\r\n"])
def test_empty_files_are_refused(data: bytes) -> None:
    assert "empty" in refusal(data).what


def workbook() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (workbook(), "workbook"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(500), "Excel"),
        (b"%PDF-1.7\n", "PDF"),
        (gzip.compress(csv_bytes(ROWS), mtime=0), "gzip"),
        (b"User Name,Display Name\na@acme.example,A\0B\n", "NULL"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "NULL"),
    ],
    ids=["xlsx", "xls", "pdf", "gzip", "nulls", "png"],
)
def test_what_is_no_csv_is_refused_with_what_to_do(data: bytes, what: str) -> None:
    error = refusal(data)
    assert what in error.what
    assert "save it as" in error.hint


def test_damaged_utf8_is_refused_with_its_line_rather_than_misread() -> None:
    data = csv_bytes(ROWS).replace("Córdoba".encode(), b"C\xf3rdoba")
    error = refusal(data)
    assert "line 4" in error.what
    assert "UTF-8" in error.what


def test_truncated_utf16_is_refused() -> None:
    assert "UTF-16" in refusal(csv_bytes(ROWS, encoding="utf-16")[:-1]).what


def test_quotes_that_do_not_match_refuse_the_file_with_every_line() -> None:
    data = (
        b"User Name,Display Name\n"
        b'a@acme.example,"Ada" Lovelace\n'
        b'b@acme.example,B\nc@acme.example,"C"x\n'
        b'd@acme.example,"never closed\ne@acme.example,E\n'
    )
    error = refusal(data)
    assert [problem.where for problem in error.problems] == ["line 2", "line 4", "line 5"]
    assert "never closed" in error.problems[-1].what


def test_a_cell_of_absurd_length_is_a_typed_error() -> None:
    data = b'User Name,Display Name\na@acme.example,"' + b"x" * 200_000 + b'"\n'
    assert "too long" in str(refusal(data))


def test_files_are_read_from_a_path_and_named_in_what_follows(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_bytes(csv_bytes(ROWS))
    assert read_users(path).source == str(path)
    assert read_users(path, source="upload").source == "upload"


def test_a_path_that_cannot_be_read_says_why(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"missing\.csv cannot be read: No such file"):
        read_users(tmp_path / "missing.csv")
    with pytest.raises(UsageError, match="directory"):
        read_users(tmp_path)


def test_progress_is_told_and_ends_at_the_last_row() -> None:
    rows = [["User Name", "Display Name"], *([f"u{n}@acme.example", "U"] for n in range(5000))]
    told: list[tuple[int, int]] = []
    read_users(csv_bytes(rows), progress=lambda done, total: told.append((done, total)))
    assert len(told) >= 5
    assert told == sorted(told)
    assert all(done <= total for done, total in told)
    assert told[-1] == (5001, 5001)


def test_control_sequences_in_headings_never_reach_a_message() -> None:
    data = b"User Name,Display Name,\x1b[31mRed,User\x1bName\na@acme.example,A,1,2\n"
    assert all(notice.isprintable() for notice in read_users(data).notices)
    assert "\x1b" not in str(refusal(b"\x1b[31mUser Name,City\n"))


SOME_BYTES = st.one_of(
    st.binary(max_size=400),
    st.binary(max_size=60).map(lambda tail: b"User Name,Display Name\n" + tail),
    st.binary(max_size=60).map(lambda tail: b"\xff\xfe" + tail),
    st.text(alphabet="\",;\n\r\t'=a@.", max_size=80).map(
        lambda tail: b"User Name;Display Name\n" + tail.encode()
    ),
)


@given(data=SOME_BYTES)
def test_no_bytes_raise_anything_but_a_typed_error(data: bytes) -> None:
    with suppress(MissionControlError):
        assert read_users(data).format.name


@given(
    damaged=st.binary(max_size=8),
    at=st.integers(0, 2000),
    name=st.sampled_from(["microsoft365", "google"]),
)
def test_a_damaged_real_file_raises_nothing_but_a_typed_error(
    damaged: bytes, at: int, name: str
) -> None:
    data = (SAMPLES / f"{name}.csv").read_bytes()
    data = data[:at] + damaged + data[at + len(damaged) :]
    with suppress(MissionControlError):
        assert read_users(data).format.name


LATIN_1_LETTERS = st.characters(min_codepoint=0xC0, max_codepoint=0xFF)
TABLES = st.sampled_from(ENCODINGS).flatmap(
    lambda encoding: st.tuples(
        st.just(encoding),
        st.sampled_from(DELIMITERS),
        st.lists(
            st.lists(
                st.text(
                    st.one_of(
                        st.sampled_from("\r\n\t,;\"'=+-@ "),
                        st.characters(min_codepoint=0x20, max_codepoint=0x7E),
                        LATIN_1_LETTERS
                        if encoding == "cp1252"
                        else st.characters(exclude_characters="\0", exclude_categories=["Cs"]),
                    ),
                    max_size=12,
                ),
                min_size=15,
                max_size=15,
            ).filter(lambda cells: any(cell.strip() for cell in cells)),
            max_size=5,
        ),
    )
)


@given(table=TABLES)
def test_any_table_of_users_reads_back_as_it_was_written(
    table: tuple[str, str, list[list[str]]],
) -> None:
    encoding, delimiter, rows = table
    data = csv_bytes([M365_HEADINGS, *rows], encoding=encoding, delimiter=delimiter)
    file = read_users(data)
    assert [list(row.cells) for row in file.rows] == rows
    assert [dict(zip(file.layout.headings, row.cells, strict=False)) for row in file.rows] == [
        dict(zip(M365_HEADINGS, cells, strict=True)) for cells in rows
    ]
    for row, cells in zip(file.rows, rows, strict=True):
        title = cells[M365_HEADINGS.index("Job Title")].strip()
        if not title.startswith("'"):
            assert row.fields.get("title", "") == title


def test_records_keep_the_lines_of_cells_apart_from_those_of_the_file() -> None:
    text = open_text(b'a;b\n"x\n\ny";1\n\n2;3\n')
    assert [(record.row, record.line, record.cells) for record in text.records()] == [
        (1, 1, ("a", "b")),
        (2, 2, ("x\n\ny", "1")),
        (3, 5, ()),
        (4, 6, ("2", "3")),
    ]
