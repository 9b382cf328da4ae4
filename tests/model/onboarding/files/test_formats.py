"""The files of Microsoft 365, Google Workspace and our own, as those systems write them."""

from __future__ import annotations

import pytest

from mission_control_tui.model.errors import InvalidInput
from mission_control_tui.model.onboarding.files.check import check_rows, foreign_domains
from mission_control_tui.model.onboarding.files.columns import heading_key
from mission_control_tui.model.onboarding.files.formats import FORMATS
from mission_control_tui.model.onboarding.files.read import ImportFile, ImportRow, read_users
from mission_control_tui.model.people.fields import FIELDS, UserDetails
from mission_control_tui.model.people.password_policy import problems_of
from mission_control_tui.model.people.values import text_of
from tests.model.onboarding.files.support import M365_HEADINGS, SAMPLES, csv_bytes

GOOGLE_HEADINGS = (SAMPLES / "google.csv").read_text("utf-8").splitlines()[0].split(",")


def sample(name: str) -> ImportFile:
    return read_users(SAMPLES / f"{name}.csv")


def google_row(**cells: str) -> ImportRow:
    stated = {"Email Address": "ada@acme.example", "First Name": "Ada", **cells}
    row = [stated.get(heading.partition(" [")[0], "") for heading in GOOGLE_HEADINGS]
    return read_users(csv_bytes([GOOGLE_HEADINGS, row])).rows[0]


def test_a_file_of_microsoft_365_gives_every_field() -> None:
    file = sample("microsoft365")
    assert (file.format.name, len(file.rows), file.notices) == ("Microsoft 365", 12, ())
    assert file.rows[0].details() == UserDetails(
        upn="ada.lovelace@acme.example",
        first_names="Ada",
        last_name="Lovelace",
        display_name="Ada Lovelace",
        title="Analyst",
        department="Research",
        location="4.12",
        office_phone="+61 2 9876 5401",
        mobile_phone="+61 412 555 101",
        fax="+61 2 9876 5499",
        street="12 Bridge Street",
        city="Sydney",
        state="NSW",
        postal_code="2000",
        country="Australia",
    )
    raw = [dict(zip(file.layout.headings, row.cells, strict=False)) for row in file.rows]
    assert [cells["Address"] for cells in raw if "\n" in cells["Address"]] == [
        "Level 2\n350 Collins Street",
        "Level 2\n350 Collins Street",
    ]
    assert dict(file.rows[-1].fields) == {
        "upn": "reception@acme.example",
        "display_name": "Reception",
        "location": "Ground floor",
        "office_phone": "02 9876 5400",
    }


def test_newer_files_of_microsoft_365_bring_an_alternate_address() -> None:
    file = sample("microsoft365-new")
    assert file.format.name == "Microsoft 365"
    assert file.rows[0].fields["external_email"] == "ada@lovelace.example"
    assert file.rows[0].fields["upn"] == "ada.lovelace@acme.example"


def test_an_export_of_microsoft_365_keeps_the_blocked_blocked() -> None:
    file = sample("microsoft365-export")
    assert file.format.name == "Microsoft 365 export"
    ada, scanner = (row.details() for row in file.rows)
    assert (ada.disabled, ada.location, ada.country) == (False, "4.12", "Australia")
    assert (scanner.disabled, scanner.password_never_expires) == (True, True)
    assert "Proxy addresses" in file.ignored_columns


def test_a_file_of_google_workspace_brings_passwords_and_display_names_are_made() -> None:
    file = sample("google")
    assert file.format.name == "Google Workspace"
    katherine = file.rows[0]
    assert katherine.details() == UserDetails(
        upn="katherine.johnson@acme.example",
        first_names="Katherine",
        last_name="Johnson",
        display_name="Katherine Johnson",
        title="Mathematician",
        department="Research",
        location="SYD-1",
        office_phone="+61 2 9876 5421",
        mobile_phone="+61 412 555 121",
        street="12 Bridge Street, Sydney NSW 2000",
        external_email="katherine@johnson.example",
        must_change_password=True,
    )
    assert katherine.derived == {"display_name"}
    assert [row.password for row in file.rows] == [
        "Kestrel-Harbour-47",
        "Wattle!Lantern82",
        "Ferry,Quay 1901",
        "=Spectrum42",
        "Spanning;Tree:85",
        "Marmalade(77)",
        "Croissant#2030",
        None,
    ]
    assert [row.fields.get("disabled") for row in file.rows[3:6]] == [None, False, True]
    assert any("Org Unit Path" in notice for notice in file.notices)


def test_an_export_of_google_workspace_reads_its_read_only_status() -> None:
    file = sample("google-export")
    assert file.format.name == "Google Workspace"
    assert [row.fields["disabled"] for row in file.rows] == [False, True]
    assert [row.password for row in file.rows] == [None, None]
    assert file.rows[1].fields["external_email"] == "chiara@dangelo.example"
    assert "Last Sign In [READ ONLY]" in file.ignored_columns


def test_what_is_to_happen_wins_over_what_was() -> None:
    headings = ["Status [READ ONLY]", *GOOGLE_HEADINGS]
    cells = {"Email Address": "a@acme.example", "First Name": "A", "Status": "Suspended"}
    cells["New Status"] = "Active"
    row = [cells.get(heading.partition(" [")[0], "") for heading in headings]
    assert read_users(csv_bytes([headings, row])).rows[0].fields["disabled"] is False


def test_hashed_passwords_are_refused_at_their_row() -> None:
    row = google_row(
        **{"Password": "5f4dcc3b5aa765d61d8327deb882cf99", "Password Hash Function": "MD5"}
    )
    assert [problem.where for problem in row.problems] == [
        "row 2, Password Hash Function [UPLOAD ONLY]"
    ]
    assert "5f4dcc3b" not in str(row.problems)


def test_renames_are_refused_rather_than_forgotten() -> None:
    row = google_row(**{"New Primary Email": "countess@acme.example"})
    assert [problem.where for problem in row.problems] == ["row 2, New Primary Email [UPLOAD ONLY]"]


def test_the_root_org_unit_is_nothing_to_mention() -> None:
    rows = [GOOGLE_HEADINGS, ["A", "B", "a@acme.example", "", "", "/", *[""] * 22]]
    assert read_users(csv_bytes(rows)).notices == ()


@pytest.mark.parametrize("status", ["ACTIVE", "suspended", "Archived"])
def test_statuses_are_read_in_any_case(status: str) -> None:
    row = google_row(**{"New Status": status})
    assert row.fields["disabled"] is (status != "ACTIVE")


def test_cells_that_are_no_value_are_problems_of_their_row_and_column() -> None:
    row = google_row(**{"New Status": "Frozen", "Change Password at Next Sign-In": "maybe"})
    assert {problem.where for problem in row.problems} == {
        "row 2, New Status [UPLOAD ONLY]",
        "row 2, Change Password at Next Sign-In",
    }
    assert row.fields["upn"] == "ada@acme.example"


FULL = UserDetails(
    **{  # type: ignore[arg-type]
        **{field.name: f"{field.label} 1!" for field in FIELDS if field.max_length},
        "upn": "ada@acme.example",
        "test_user": True,
        "disabled": True,
    }
)


@pytest.mark.parametrize("attribute", ["name", "label", "flag"])
def test_our_own_files_bring_every_field_by_name_or_label(attribute: str) -> None:
    headings = [getattr(field, attribute).removeprefix("--") for field in FIELDS]
    cells = [text_of(getattr(FULL, field.name)) for field in FIELDS]
    file = read_users(csv_bytes([[*headings, "Password"], [*cells, "Kestrel-47"]]))
    assert file.format.name == "Mission Control"
    assert file.rows[0].details() == FULL
    assert file.rows[0].password == "Kestrel-47"
    assert (file.rows[0].problems, file.notices) == ((), ())


def test_a_upn_column_makes_a_file_ours_and_a_username_is_then_a_username() -> None:
    headings = ["UPN", "Username", "Display Name", "Job Title", "ZIP or Postal Code"]
    file = read_users(csv_bytes([headings, ["a@acme.example", "aa", "A", "Boss", "2000"]]))
    assert dict(file.rows[0].fields) == {
        "upn": "a@acme.example",
        "username": "aa",
        "display_name": "A",
        "title": "Boss",
        "postal_code": "2000",
    }


def test_cells_that_were_protected_from_spreadsheets_are_read_as_meant() -> None:
    headings = ["UPN", "Display Name", "Office phone", "Notes", "Password"]
    row = ["a@acme.example", "'Ada", "'+61 2 9876 5401", "'=1+1", "'=secret"]
    read = read_users(csv_bytes([headings, row])).rows[0]
    assert (read.fields["office_phone"], read.fields["notes"]) == ("+61 2 9876 5401", "=1+1")
    assert read.fields["display_name"] == "'Ada"
    assert read.password == "'=secret"


def test_a_upn_that_stands_twice_is_a_problem_of_the_second_row() -> None:
    rows = [
        ["UPN", "Display Name"],
        ["ada@acme.example", "A"],
        ["", "X"],
        ["ADA@acme.example", "B"],
    ]
    file = read_users(csv_bytes(rows))
    assert [bool(row.problems) for row in file.rows] == [False, False, True]
    assert "row 2" in file.rows[2].problems[0].what


def test_every_row_is_judged_with_all_its_problems_at_their_columns() -> None:
    headings = [
        "Display name",
        "User name",
        "Alternate email address",
        "Mobile Phone",
        "Country or Region",
    ]
    rows = [
        headings,
        ["Ada", "ada@acme.example", "", "0412 555 101", "Australia"],
        ["", "grace@other.example", "grace@", "0412", "Atlantis"],
    ]
    file = read_users(csv_bytes(rows))
    good, bad = check_rows(file, domains=["acme.example"])
    assert (good.problems, good.warnings, good.details.country) == ((), (), "AU")
    assert [problem.where for problem in bad.problems] == [
        "row 3, User name",
        "row 3, Display name",
        "row 3, Country or Region",
        "row 3, Alternate email address",
    ]
    assert foreign_domains(file, ["ACME.example"]) == {"other.example": (3,)}
    known = list(check_rows(file, domains=None))
    assert "row 3, User name" not in {problem.where for problem in known[1].problems}


def test_warnings_come_with_their_row_and_the_phone_as_typed() -> None:
    headings = ["UPN", "Display Name", "Office Phone", "Country"]
    file = read_users(csv_bytes([headings, ["a@acme.example", "A", "call 12", "AU"]]))
    (row,) = check_rows(file, domains=["acme.example"])
    assert row.problems == ()
    assert [warning.where for warning in row.warnings] == ["row 2, Office Phone"]
    assert row.details.office_phone == "call 12"


def test_a_cell_that_is_refused_is_not_warned_of_as_well() -> None:
    headings = ["UPN", "Display Name", "Office Phone", "Mobile Phone"]
    file = read_users(csv_bytes([headings, ["a@acme.example", "A", "6.14E+10", "call 12"]]))
    (row,) = check_rows(file, domains=["acme.example"])
    assert [problem.where for problem in row.problems] == ["row 2, Office Phone"]
    assert [warning.where for warning in row.warnings] == ["row 2, Mobile Phone"]


@pytest.mark.parametrize("name", ["microsoft365", "microsoft365-new", "google"])
def test_the_samples_are_good_to_import(name: str) -> None:
    file = sample(name)
    for row in check_rows(file, domains=["acme.example"]):
        assert (row.problems, row.warnings) == ((), ())
        assert row.row.password is None or problems_of(row.row.password, row.details.username) == ()


def test_passwords_are_in_no_repr_of_what_was_read() -> None:
    shown = repr(sample("google"))
    assert "Kestrel-Harbour-47" not in shown
    assert "katherine.johnson" in shown


def test_no_two_formats_share_their_compulsory_headings() -> None:
    for one in FORMATS:
        for heading in one.expected:
            assert heading_key(heading) in one.columns
    assert len({one.expected for one in FORMATS}) == len(FORMATS)


def test_microsofts_headings_are_those_of_the_sample() -> None:
    text = (SAMPLES / "microsoft365.csv").read_text("utf-8")
    assert text.splitlines()[0].split(",") == M365_HEADINGS


def test_a_file_without_its_compulsory_columns_is_refused_whole() -> None:
    with pytest.raises(InvalidInput, match='no column "User Name"'):
        read_users(csv_bytes([["Display Name", "Job Title"], ["Ada", "Analyst"]]))
