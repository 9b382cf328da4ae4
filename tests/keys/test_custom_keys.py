"""An operator's own keys: clashes are named, what is wrong is left out, fields can always be left."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mission_control_tui.keys import keymap
from mission_control_tui.keys.custom_keys import default_keys, effective, problems, usable, with_key

KEYS = st.sampled_from(
    [
        *("a", "e", "p", "R", "?", "5", "f2", "f4", "enter", "space", "escape", "delete", "up"),
        *("tab", "ctrl+b", "ctrl+o", "ctrl+y", "alt+x", "", ",", "nonsense"),
    ]
)


def test_nothing_is_wrong_without_a_keymap() -> None:
    assert usable({}) == ({}, [])
    assert effective({}) == {verb.id: default_keys(verb) for verb in keymap.VERBS}


def test_an_own_letter_keeps_the_key_for_fields() -> None:
    assert usable({"provision": "c"}) == ({"provision": "c,f2"}, [])
    assert effective({"provision": "c"})["provision"] == ("c", "f2")


def test_two_verbs_may_swap_their_keys() -> None:
    assert usable({"provision": "e", "edit": "p"}) == ({"provision": "e,f2", "edit": "p,f4"}, [])


def test_a_key_of_two_verbs_names_both() -> None:
    good, (problem,) = usable({"provision": "e", "sort": "c"})
    assert good == {"sort": "c"}
    assert problem.where == "console.keymap.provision"
    assert "Edit (edit)" in problem.what
    assert "Provision (provision)" in problem.what


@pytest.mark.parametrize(
    ("key", "why"),
    [
        ("ctrl+b", "tmux"),
        ("ctrl+a", "screen"),
        ("ctrl+p", "Docker"),
        ("ctrl+s", "output"),
        ("ctrl+m", "Enter"),
        ("ctrl+w", "edits the text"),
        ("alt+x", "do not send"),
        ("ctrl+shift+x", "do not send"),
        ("tab", "next field"),
        ("provision", "no key"),
        (5, "names no key"),
        ("", "names no key"),
    ],
)
def test_what_cannot_be_a_key_is_said_and_left_out(key: object, why: str) -> None:
    good, (problem,) = usable({"provision": key, "edit": "c"})
    assert good == {"edit": "c,f4"}
    assert why in problem.what


def test_a_verb_that_does_not_exist_is_named() -> None:
    good, (problem,) = usable({"provsion": "c"})
    assert not good
    assert problem.where == "console.keymap.provsion"


def test_a_letter_that_is_chosen_takes_the_place_of_the_letter() -> None:
    assert with_key({}, "provision", "c") == {"provision": "c,f2"}
    assert with_key({"provision": "c,f2"}, "provision", "p") == {}
    assert with_key({}, "up", "k") == {"up": "k,up"}


@given(st.dictionaries(st.sampled_from([*keymap.BY_ID, "nope"]), KEYS, max_size=6))
def test_what_is_left_never_clashes_and_every_verb_has_a_key(wanted: dict[str, str]) -> None:
    good, told = usable(wanted)
    assert not problems(good)
    assert bool(told) == bool(problems(wanted))
    held = [key for keys in effective(good).values() for key in keys]
    assert len(held) == len(set(held))
    assert all(effective(good).values())
    assert any(len(key) > 1 and key != "space" for key in effective(good)["back"])


def test_escape_goes_back_whatever_else_does() -> None:
    assert effective(with_key({}, "back", "f5"))["back"] == ("f5", "escape")
    good, (problem,) = usable({"help": "escape"})
    assert not good
    assert "Escape" in problem.what
