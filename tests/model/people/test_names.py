"""Names that are derived: what an operator is offered, and what back ends are given."""

from __future__ import annotations

from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mission_control_tui.model.people.names import (
    FORBIDDEN_IN_USERNAMES,
    alternatives,
    display_name_for,
    username_for,
)

ADA = "ada.lovelace@acme.example"
AS_ASKED = st.sampled_from(["", "Ada", "ada.lovelace", "x" * 40, "Иван", "a b", "..", "room1"])


def test_display_name_is_first_then_last_without_stray_spaces() -> None:
    assert display_name_for(" Ada  Augusta ", "Lovelace") == "Ada Augusta Lovelace"
    assert display_name_for("", "Reception") == "Reception"
    assert display_name_for("", "") == ""


@pytest.mark.parametrize(
    ("upn", "expected"),
    [
        ("Ada.Lovelace@acme.example", "ada.lovelace"),
        ("ada+crm@acme.example", "adacrm"),
        ("o'brien@acme.example", "o'brien"),
        ("josé@acme.example", "jose"),
        ("Bartholomew.Featherstonehaugh@acme.example", "bartholomew.feathers"),
        ("abcdefghijklmnopqrs.tuv@acme.example", "abcdefghijklmnopqrs"),
        ("+++@acme.example", "user"),
        ("ada", "ada"),
    ],
)
def test_username_comes_from_the_local_part(upn: str, expected: str) -> None:
    assert username_for(upn) == expected


def test_usernames_in_use_get_the_lowest_free_number() -> None:
    assert username_for(ADA, {"ada.lovelace"}) == "ada.lovelace2"
    assert username_for(ADA, {"ada.lovelace", "ada.lovelace2", "ada.lovelace3"}) == "ada.lovelace4"
    assert username_for(ADA, lambda name: name == "ada.lovelace") == "ada.lovelace2"


def test_a_number_is_kept_apart_from_a_name_that_ends_in_one() -> None:
    assert username_for("room1@acme.example", {"room1"}) == "room1-2"


def test_thousands_of_people_of_one_name_are_all_given_usernames_within_twenty_characters() -> None:
    upn, taken = "maximiliana.rosenbaumer@acme.example", set[str]()
    for _ in range(3000):
        taken.add(username_for(upn, taken))
    assert len(taken) == 3000
    assert max(map(len, taken)) <= 20


@given(local=st.text(max_size=80), taken=st.sets(st.text(max_size=20)))
def test_a_username_is_always_one_that_a_directory_accepts(local: str, taken: set[str]) -> None:
    name = username_for(f"{local}@acme.example", taken)
    assert 1 <= len(name) <= 20
    assert not FORBIDDEN_IN_USERNAMES & set(name)
    assert not name.endswith(".")
    assert name.isascii()
    assert name.isprintable()
    assert name not in taken


def test_alternatives_are_free_and_begin_with_the_likeliest() -> None:
    assert list(islice(alternatives(ADA, {ADA}), 4)) == [
        "ada.lovelace2@acme.example",
        "a.lovelace@acme.example",
        "ada.lovelace.3@acme.example",
        "ada.lovelace.4@acme.example",
    ]
    taken = {ADA, "ada.lovelace2@acme.example", "a.lovelace@acme.example"}
    assert next(alternatives("Ada.Lovelace@acme.example", taken)) == "Ada.Lovelace.3@acme.example"


def test_alternatives_are_asked_for_by_the_key_that_upns_are_compared_by() -> None:
    taken = {"ada2@xn--bcher-kva.example"}
    assert next(alternatives("ada@Bücher.example", taken)) == "ada.3@Bücher.example"


def test_alternatives_end_when_nothing_is_free() -> None:
    assert list(alternatives(ADA, lambda upn: True)) == []


def test_alternatives_stay_within_the_local_parts_limit() -> None:
    offers = islice(alternatives("a" * 64 + "@acme.example", set()), 20)
    assert all(len(offer.partition("@")[0]) <= 64 for offer in offers)
