"""What is said of an error is said once."""

from __future__ import annotations

import pytest

from mission_control_tui.model.domains.names import normalise
from mission_control_tui.model.errors import InvalidInput, Problem


def test_an_error_of_one_field_says_each_thing_once() -> None:
    with pytest.raises(InvalidInput) as refused:
        normalise("foo_bar")
    said = str(refused.value)
    assert said.count("is not a domain name") == said.count("give a name such as") == 1
    assert refused.value.in_a_line.count("is not a domain name") == 1
    assert refused.value.problems


def test_what_only_the_problem_says_stays() -> None:
    one = InvalidInput(
        "x is not a domain name.", problems=[Problem("domain", "x is not a domain name", "ask")]
    )
    assert str(one) == "x is not a domain name.\n  ask"
    other = InvalidInput(
        "Not saved.", problems=[Problem("name", "is empty", "type it")], hint="Go on."
    )
    assert str(other) == "Not saved.\n  name: is empty (type it)\nGo on."
