"""Reading pasted lists: the usual shapes, and any text at all."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mission_control_tui.model.errors import InvalidInput
from mission_control_tui.model.onboarding.pasted_list import LINES_LIMIT, PastedPerson, read_list

ADA = ("Ada", "Lovelace", "Ada Lovelace")
ADDRESS = "ada@acme.example"


def only(text: str) -> PastedPerson:
    (person,) = read_list(text).people
    return person


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("Ada Lovelace", ""),
        ("  Ada\xa0 Lovelace\u200b \r\n\n", ""),
        ("Lovelace, Ada", ""),
        ("Ada Lovelace <ada@acme.example>", ADDRESS),
        ("'Ada Lovelace' <mailto:ada@acme.example>;", ADDRESS),
        ('"Lovelace, Ada" <ada@acme.example>', ADDRESS),
        ("Ada Lovelace (ada@acme.example)", ADDRESS),
        ("Ada Lovelace ada@acme.example", ADDRESS),
        ("Ada Lovelace, ada@acme.example", ADDRESS),
        ("ada@acme.example; Ada Lovelace", ADDRESS),
        ("Lovelace, Ada, ada@acme.example", ADDRESS),
        ("Ada,Lovelace,ada@acme.example", ADDRESS),
        ("Ada\tLovelace\tada@acme.example", ADDRESS),
        ("Ada;Lovelace", ""),
        ("1. Ada Lovelace", ""),
        ("12)\tAda Lovelace", ""),
        ("3\tAda\tLovelace", ""),
        ("\u2022 Ada Lovelace", ""),
        ("- Lovelace, Ada", ""),
        ("12 Ada Lovelace", ""),
    ],
)
def test_one_person_in_the_usual_shapes(text: str, address: str) -> None:
    person = only(text)
    assert person.problems == ()
    assert (person.first_names, person.last_name, person.display_name) == ADA
    assert person.address == address


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("ada.lovelace@acme.example", ADA),
        ("grace@acme.example", ("", "", "Grace")),
        ("Ludwig van Beethoven", ("Ludwig", "van Beethoven", "Ludwig van Beethoven")),
        ("Ada King Lovelace", ("Ada King", "Lovelace", "Ada King Lovelace")),
        ("Madonna", ("Madonna", "", "Madonna")),
        ("山田 太郎", ("山田", "太郎", "山田 太郎")),
    ],
)
def test_names_that_have_to_be_worked_out(text: str, names: tuple[str, str, str]) -> None:
    person = only(text)
    assert (person.first_names, person.last_name, person.display_name) == names


def test_several_people_on_one_line_as_mail_programs_copy_them() -> None:
    found = read_list(
        "Ada Lovelace <ada@a.example>; Babbage, Charles <cb@a.example>;\nGrace Hopper"
    )
    assert [(one.line, one.display_name) for one in found.people] == [
        (1, "Ada Lovelace"),
        (1, "Charles Babbage"),
        (2, "Grace Hopper"),
    ]


@pytest.mark.parametrize("delimiter", ["\t", ",", ";"])
def test_a_table_states_more_than_names(delimiter: str) -> None:
    rows = [
        ["First Name", "Surname", "Job Title", "Shoe size", "Email"],
        ["Ada", "Lovelace", "Analyst", "38", "ada@acme.example"],
        ["Grace", "Hopper", "", "", ""],
    ]
    found = read_list("\n".join(delimiter.join(row) for row in rows))
    first, second = found.people
    assert found.heading_line == 1
    assert found.ignored == ("Shoe size",)
    assert (first.display_name, first.address) == ("Ada Lovelace", ADDRESS)
    assert first.fields == {"title": "Analyst"}
    assert (second.display_name, second.fields) == ("Grace Hopper", {})


def test_a_single_heading_is_no_person() -> None:
    found = read_list("\nName\nLovelace, Ada\n")
    assert (found.heading_line, found.blank) == (2, 2)
    assert [one.display_name for one in found.people] == ["Ada Lovelace"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Ada Lovelace <ada at home>", "is not an address"),
        ("ada@a.example, eve@a.example", "more than one address"),
        ("Ada,Lovelace,Analyst,Sales", "4 cells"),
        ("12345", "is not a name"),
        ("-----", "is not a name"),
        ("x" * 5000, "characters"),
    ],
)
def test_what_cannot_be_read_says_why_at_its_line(text: str, words: str) -> None:
    person = read_list(f"Grace Hopper\n\n{text}").people[1]
    assert person.line == 3
    assert person.problems[0].where.startswith("line 3")
    assert words in person.problems[0].what


def test_who_stands_there_twice_is_refused_the_second_time() -> None:
    found = read_list("Ada Lovelace\nLOVELACE, Ada\nAda Lovelace <ada2@acme.example>").people
    assert [len(one.problems) for one in found] == [0, 1, 0]
    assert "line 1" in found[1].problems[0].what


def test_a_list_without_end_is_refused_as_a_whole() -> None:
    with pytest.raises(InvalidInput, match="at most"):
        read_list("Ada\n" * LINES_LIMIT)


LINES = st.lists(
    st.one_of(
        st.text(max_size=60),
        st.sampled_from(
            [
                *(
                    "Ada Lovelace",
                    "Lovelace, Ada",
                    "",
                    "  ",
                    "Name",
                    "First Name\tLast Name",
                    "\x1b[31m",
                ),
                *(
                    '"',
                    '"a',
                    "a@b",
                    "<>",
                    "<@>",
                    ",,,",
                    ";;",
                    "1.",
                    "\t\t",
                    "- ",
                    "x <y@z>; w <v@u>",
                ),
            ]
        ),
    ),
    max_size=12,
)


@given(LINES)
def test_any_text_is_read_in_order_and_nothing_of_it_is_lost(lines: list[str]) -> None:
    found = read_list("\n".join(lines))
    numbers = [one.line for one in found.people]
    assert numbers == sorted(numbers)
    heading = {found.heading_line} - {0}
    assert len(set(numbers)) + found.blank + len(heading) == len(found.lines)
    assert set(numbers).isdisjoint(heading)
    for one in found.people:
        assert one.text == found.lines[one.line - 1]
        assert one.problems or one.display_name


@given(st.text(max_size=400))
def test_reading_the_lines_that_were_read_gives_the_same_people(text: str) -> None:
    once = read_list(text)
    assert read_list("\n".join(once.lines)).people == once.people
