"""The rules about a user's details: everything wrong at once, and what is kept as typed."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import fields, replace
from datetime import date

import iso3166
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mission_control_tui.model.errors import InvalidInput
from mission_control_tui.model.people.address_syntax import SPECIAL, domain_key, upn_key
from mission_control_tui.model.people.countries import country_code
from mission_control_tui.model.people.fields import (
    FIELD_BY_NAME,
    FIELDS,
    IMPORT_COMPULSORY,
    FieldKind,
    UserDetails,
)
from mission_control_tui.model.people.phones import digits_of
from mission_control_tui.model.people.validation import Validated, validate_details
from mission_control_tui.model.people.values import parse_value, text_of

ADA = UserDetails(
    upn="Ada.Lovelace@acme.example",
    first_names="Ada",
    last_name="Lovelace",
    display_name="Ada Lovelace",
    username="ada.lovelace",
)


def judge(**changes: object) -> Validated:
    details = replace(ADA, **changes)  # type: ignore[arg-type]
    return validate_details(details, domains=["acme.example", "Bücher.example"])


def what_of(**changes: object) -> str:
    problems = judge(**changes).problems
    assert {problem.where for problem in problems} <= set(changes)
    return "; ".join(map(str, problems))


def test_fields_cover_the_details_in_the_same_order() -> None:
    assert [field.name for field in FIELDS] == [field.name for field in fields(UserDetails)]
    assert len({field.flag for field in FIELDS}) == len(FIELDS)
    assert FIELD_BY_NAME["first_names"].flag == "--first-names"


def test_good_details_pass_as_they_are() -> None:
    assert judge() == Validated(ADA, (), ())
    assert judge().require() == ADA


def test_every_problem_is_reported_at_once_by_field() -> None:
    validated = judge(
        upn="ada@other.example",
        last_name=" ",
        display_name="x" * 257,
        country="Atlantis",
        external_email="bob@",
        web_page="acme",
        manager="boss",
    )
    assert [problem.where for problem in validated.problems] == [
        "upn",
        "last_name",
        "display_name",
        "manager",
        "country",
        "web_page",
        "external_email",
    ]
    with pytest.raises(InvalidInput) as caught:
        validated.require()
    assert caught.value.problems == validated.problems


def test_an_import_needs_only_upn_and_display_name() -> None:
    details = UserDetails(upn="reception@acme.example", display_name="Reception")
    validated = validate_details(details, domains=["acme.example"], compulsory=IMPORT_COMPULSORY)
    assert validated.problems == ()
    missing = validate_details(UserDetails(), domains=[], compulsory=IMPORT_COMPULSORY)
    assert {problem.where for problem in missing.problems} == {"upn", "display_name"}


@pytest.mark.parametrize(
    ("upn", "kept"),
    [
        ("a@acme.example", "a@acme.example"),
        ("O'Brien+crm@ACME.example", "O'Brien+crm@acme.example"),
        ("a" * 64 + "@acme.example", "a" * 64 + "@acme.example"),
        ("ada@acme.example.", "ada@acme.example"),
        ("ada@BÜCHER.example", "ada@xn--bcher-kva.example"),
        ("ada@xn--bcher-kva.example", "ada@xn--bcher-kva.example"),
    ],
)
def test_valid_upns_are_kept_with_the_domain_in_its_one_form(upn: str, kept: str) -> None:
    assert judge(upn=f" {upn} ").require().upn == kept


def test_characters_that_others_take_for_something_else_have_to_be_allowed() -> None:
    for char in SPECIAL:
        assert "cannot have" in what_of(upn=f"a{char}b@acme.example")
        details = replace(ADA, upn=f"a{char}b@acme.example")
        assert not validate_details(details, domains=None, special=SPECIAL).problems


@pytest.mark.parametrize(
    ("upn", "complaint"),
    [
        ("ada", "has no @"),
        ("@acme.example", "nothing stands before the @"),
        ("ada@", "is not a domain name"),
        ("ada@-acme.example", "is not a domain name"),
        ("ada@other.example", "is not a domain of this account"),
        ("ada@sub.acme.example", "is not a domain of this account"),
        (".ada@acme.example", "dot at an end"),
        ("ada.@acme.example", "dot at an end"),
        ("a..da@acme.example", "two in a row"),
        ("ada lovelace@acme.example", "cannot have a space"),
        ("ada@home@acme.example", "cannot have @"),
        ("josé@acme.example", "cannot have é"),
        ("(ada)@acme.example", "cannot have (, )"),
        ("a" * 65 + "@acme.example", "longer than 64 bytes"),
    ],
)
def test_upns_that_are_not_valid_say_why(upn: str, complaint: str) -> None:
    assert complaint in what_of(upn=upn)


def test_an_unknown_domain_names_those_that_would_do() -> None:
    assert "acme.example" in what_of(upn="ada@other.example")


def test_upns_compare_without_case_and_in_either_spelling_of_the_domain() -> None:
    assert upn_key("Ada.Lovelace@ACME.example") == "ada.lovelace@acme.example"
    assert upn_key("ada@Bücher.example.") == upn_key("ADA@XN--BCHER-KVA.example")
    assert domain_key("BÜCHER.example") == "xn--bcher-kva.example"
    with pytest.raises(InvalidInput):
        domain_key("not a domain")


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Ada\x1b[31m", "ESCAPE (U+001B)"),
        ("Ada\nLovelace", "LINE FEED (U+000A)"),
        ("Ada\u202eecalevoL", "RIGHT-TO-LEFT OVERRIDE (U+202E)"),
        ("Ada\x9b31m", "CONTROL SEQUENCE INTRODUCER (U+009B)"),
        ("Ada\u200b", "ZERO WIDTH SPACE (U+200B)"),
        ("Ada\ue000", "U+E000"),
    ],
)
def test_characters_that_cannot_be_seen_are_refused_by_name(text: str, name: str) -> None:
    for field in ("display_name", "title", "department", "office_phone"):
        complaint = what_of(**{field: text})
        assert name in complaint
        assert complaint.isprintable()


def test_joiners_that_names_need_are_kept() -> None:
    assert judge(display_name="\u0646\u0631\u06af\u0633\u200c\u062e\u0627").problems == ()


def test_street_and_notes_may_have_lines() -> None:
    cleaned = judge(street="Level 2\r\n350 Collins Street\r", notes="a\rb").require()
    assert (cleaned.street, cleaned.notes) == ("Level 2\n350 Collins Street", "a\nb")


def test_text_is_composed_and_trimmed() -> None:
    assert judge(display_name=" Zoe\u0308 ").require().display_name == "Zoë"


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("au", "AU"),
        ("AUS", "AU"),
        ("Australia", "AU"),
        ("united states", "US"),
        ("United States of America", "US"),
        ("USA", "US"),
        ("U.S.A.", "US"),
        ("UK", "GB"),
        ("Korea", "KR"),
        ("Korea, Republic of", "KR"),
        ("Republic of Korea", "KR"),
        ("Turkey", "TR"),
        ("Türkiye", "TR"),
        ("Russia", "RU"),
        ("Viet Nam", "VN"),
        ("Vietnam", "VN"),
        ("Côte d'Ivoire", "CI"),
        ("Bolivia", "BO"),
        ("Bolivia, Plurinational State of", "BO"),
        ("Plurinational State of Bolivia", "BO"),
        ("Taiwan", "TW"),
        ("Taiwan, Province of China", "TW"),
        ("Czech Republic", "CZ"),
        ("Federal Republic of Germany", "DE"),
        ("Nauru", "NR"),
        ("United States", "US"),
        ("Holy See (Vatican City State)", "VA"),
        ("Kosovo", None),
        ("Atlantis", None),
        ("", None),
    ],
)
def test_countries_as_files_write_them(typed: str, code: str | None) -> None:
    assert country_code(typed) == code


def test_a_country_is_stored_as_its_code() -> None:
    assert judge(country="New Zealand").require().country == "NZ"


def test_every_country_is_accepted_by_its_codes_and_by_its_name() -> None:
    assigned = [country for country in iso3166.countries if country.alpha2 != "XK"]
    assert len(assigned) == 249
    for country in assigned:
        for typed in (country.alpha2.lower(), country.alpha3, country.name):
            assert country_code(typed) == country.alpha2, typed


@pytest.mark.parametrize("page", ["http://acme.example", "https://acme.example:8443/ada?x=1#y"])
def test_web_pages_with_a_scheme_pass(page: str) -> None:
    assert judge(web_page=page).problems == ()


@pytest.mark.parametrize(
    "page",
    [
        "www.acme.example",
        "ftp://acme.example",
        "javascript:alert(1)",
        "https://",
        "https://[bad",
        "https://acme.example:port/",
        "https://ada:secret@acme.example/",
    ],
)
def test_other_web_pages_are_refused(page: str) -> None:
    complaint = what_of(web_page=page)
    assert complaint
    assert "secret" not in complaint


def test_external_addresses_are_normalised_without_asking_the_network() -> None:
    assert judge(external_email="Ada@LOVELACE.example").require().external_email == (
        "Ada@lovelace.example"
    )
    assert "not an e-mail address" in what_of(external_email="ada at home")


def test_a_field_of_blanks_alone_is_empty() -> None:
    for name in ("external_email", "office_phone", "country", "web_page", "title"):
        assert getattr(judge(**{name: "  "}).require(), name) == ""


def test_phones_are_kept_as_typed_with_a_warning_when_they_cannot_be_right() -> None:
    good = judge(country="AU", office_phone="(02) 9876 5401", mobile_phone="+61 412 555 101")
    assert (good.problems, good.warnings) == ((), ())
    odd = judge(country="AU", office_phone="ask Grace", mobile_phone="02 1", fax="+61 1")
    assert odd.problems == ()
    assert [warning.where for warning in odd.warnings] == ["office_phone", "mobile_phone", "fax"]
    assert odd.details.office_phone == "ask Grace"


def test_without_a_country_only_what_cannot_be_a_number_is_warned_of() -> None:
    assert judge(office_phone="9876 5401").warnings == ()
    assert len(judge(office_phone="n/a").warnings) == 1


@pytest.mark.parametrize("username", ["a/b", "a b@c", "ada.", '"ada"', "x" * 21])
def test_usernames_that_a_directory_refuses(username: str) -> None:
    assert what_of(username=username)


def test_flags_that_contradict_each_other_are_warned_of() -> None:
    warnings = judge(must_change_password=True, password_never_expires=True).warnings
    assert [warning.where for warning in warnings] == ["password_never_expires"]


@pytest.mark.parametrize("field", [field for field in FIELDS if field.max_length])
def test_every_text_has_its_limit(field: object) -> None:
    assert f"characters, {field.max_length} are allowed" in "; ".join(  # type: ignore[attr-defined]
        str(problem)
        for problem in judge(**{field.name: "x" * (field.max_length + 1)}).problems  # type: ignore[attr-defined]
    )


def test_digits_are_what_search_compares() -> None:
    assert digits_of("+61 (0)2 9876-5401") == "610298765401"
    assert digits_of("\u0660\u0661\u0662") == "012"


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("disabled", "TRUE", True),
        ("disabled", " no ", False),
        ("expires_on", "never", None),
        ("title", " as typed ", " as typed "),
    ],
)
def test_values_are_read_from_text(name: str, text: str, value: object) -> None:
    assert parse_value(FIELD_BY_NAME[name], text) == value


@pytest.mark.parametrize(
    ("name", "text"), [("disabled", "perhaps"), ("expires_on", "31/12/2030"), ("expires_on", "x")]
)
def test_text_that_is_no_value_is_refused_with_the_field(name: str, text: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_value(FIELD_BY_NAME[name], text)
    assert [problem.where for problem in caught.value.problems] == [name]


@given(value=st.one_of(st.booleans(), st.dates(), st.none()))
def test_values_survive_being_written_and_read(value: object) -> None:
    field = FIELD_BY_NAME["disabled" if isinstance(value, bool) else "expires_on"]
    assert parse_value(field, text_of(value)) == value  # type: ignore[arg-type]


@given(
    changes=st.fixed_dictionaries(
        {},
        optional={
            field.name: st.text()
            for field in FIELDS
            if field.kind not in (FieldKind.FLAG, FieldKind.DATE)
        },
    )
)
def test_whatever_is_typed_is_judged_and_cleaning_is_stable(changes: dict[str, str]) -> None:
    validated = judge(**changes)
    assert all(problem.where in changes for problem in validated.problems)
    if not validated.problems:
        again = validate_details(validated.details, domains=["acme.example", "bücher.example"])
        assert again.details == validated.details
        assert again.problems == ()


def test_importing_the_rules_does_not_pay_for_what_they_look_up() -> None:
    heavy = (
        "phonenumbers",
        "iso3166",
        "iso4217",
        "email_validator",
        "idna",
        "textual",
        "sqlalchemy",
    )
    program = (
        "import sys; import mission_control_tui.model.people.validation,"
        "mission_control_tui.model.onboarding.files.check, mission_control_tui.model.onboarding.files.write;"
        f"print([name for name in {heavy!r} if name in sys.modules])"
    )
    found = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    )
    assert found.stdout.strip() == "[]"


def test_warnings_are_told_by_the_labels_of_their_fields() -> None:
    details = UserDetails(upn="a@acme.example", display_name="A", expires_on=date(2020, 1, 1))
    judged = validate_details(
        details, domains=None, compulsory=IMPORT_COMPULSORY, today=date(2026, 1, 1)
    )
    (told,) = judged.told()
    assert told.startswith("Account expires: 2020-01-01 is past")
    assert judged.told({"mobile_phone"}) == []
