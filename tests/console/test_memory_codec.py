"""What is kept of screens comes back as it was; what must not be kept is left out."""

from __future__ import annotations

import json
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mission_control_tui.console.memory_codec import MOST_ITEMS, decode, encode
from mission_control_tui.screens.forms.password_fields import HiddenPassword

PLAIN = st.none() | st.booleans() | st.integers() | st.text() | st.dates()
VALUES = st.recursive(
    PLAIN,
    lambda inner: (
        st.lists(inner)
        | st.tuples(inner, inner)
        | st.dictionaries(st.text(), inner)
        | st.frozensets(PLAIN)
    ),
    max_leaves=20,
)


@given(st.dictionaries(st.text(), VALUES))
def test_what_is_kept_comes_back(memory: dict[str, object]) -> None:
    assert decode(json.loads(json.dumps(encode(memory)))) == memory


def test_passwords_and_strangers_are_left_out_with_what_holds_them() -> None:
    memory = {
        "password": (HiddenPassword("Kp7m"), HiddenPassword("Kp7m")),
        "city": "Perth",
        "x": [object()],
    }
    kept = encode(memory)
    assert "Kp7m" not in json.dumps(kept)
    assert decode(kept) == {"city": "Perth"}


def test_thousands_of_marks_are_left_out() -> None:
    assert decode(encode({"marks": list(range(MOST_ITEMS + 1)), "at": 3})) == {"at": 3}


@pytest.mark.parametrize("made", [{"$date": "never"}, {"$what": 1}, {"a": 1, "b": 2}])
def test_what_was_never_made_is_refused(made: object) -> None:
    with pytest.raises(ValueError, match=r"kind|isoformat"):
        decode(made)


def test_a_date_is_a_date() -> None:
    assert decode(encode(date(2026, 11, 23))) == date(2026, 11, 23)
