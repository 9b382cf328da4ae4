"""Values of options and fields, as typed and as JSON."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mission_control_tui.model.catalogue.values import Value, ValueRule, ValueType
from mission_control_tui.model.errors import InvalidInput

CHOICES = {"junk": "Move it to Junk E-mail", "8.3": "PHP 8.3"}


def rule(
    type_: ValueType,
    *,
    minimum: int | None = None,
    maximum: int | None = None,
    unit: str = "",
    required: bool = False,
) -> ValueRule:
    choices = CHOICES if type_ is ValueType.CHOICE else {}
    return ValueRule(
        id="it",
        name="It",
        type=type_,
        minimum=minimum,
        maximum=maximum,
        unit=unit,
        required=required,
        choices=choices,
    )


@pytest.mark.parametrize(
    ("type_", "given_value", "value"),
    [
        (ValueType.BOOL, "Yes", True),
        (ValueType.BOOL, "off", False),
        (ValueType.BOOL, 1, True),
        (ValueType.BOOL, False, False),
        (ValueType.INT, " 42 ", 42),
        (ValueType.INT, -3, -3),
        (ValueType.TEXT, "  Jo  ", "Jo"),
        (ValueType.CHOICE, "move it to junk e-mail", "junk"),
        (ValueType.CHOICE, "8.3", "8.3"),
        (ValueType.EMAIL, "Jo@EXAMPLE.test", "Jo@example.test"),
        (ValueType.EMAILS, "a@b.test; A@b.test,\n c@d.test", ["a@b.test", "c@d.test"]),
        (ValueType.EMAILS, ["a@b.test"], ["a@b.test"]),
        (ValueType.DOMAIN, "Müller.Example.", "xn--mller-kva.example"),
        (ValueType.HOSTS, "ns1.a.test ns2.a.test", ["ns1.a.test", "ns2.a.test"]),
        (ValueType.USER, "jo@acme.test", "jo@acme.test"),
        (ValueType.USERS, "jo@acme.test, al@acme.test", ["jo@acme.test", "al@acme.test"]),
        (ValueType.COUNTRY, "australia", "AU"),
        (ValueType.COUNTRY, "nz", "NZ"),
        (ValueType.COUNTRY, "554", "NZ"),
        (ValueType.BUSINESS_NUMBER, "ABN 53 004 085 616", None),
        (ValueType.BUSINESS_NUMBER, "53 004 085 616", "53004085616"),
        (ValueType.BUSINESS_NUMBER, "004 085 616", "004085616"),
    ],
)
def test_what_is_typed_becomes_a_value(type_: ValueType, given_value: object, value: Value) -> None:
    if value is None:
        with pytest.raises(InvalidInput):
            rule(type_).validate(given_value)
    else:
        assert rule(type_).validate(given_value) == value


@pytest.mark.parametrize(
    ("type_", "given_value", "said"),
    [
        (ValueType.BOOL, "perhaps", "neither yes nor no"),
        (ValueType.BOOL, 2, "neither yes nor no"),
        (ValueType.INT, "many", "not a whole number"),
        (ValueType.INT, "1.5", "not a whole number"),
        (ValueType.INT, 1.5, "not a whole number"),
        (ValueType.INT, True, "not a whole number"),
        (ValueType.INT, "9" * 5000, "not a whole number"),
        (ValueType.INT, "٣", "not a whole number"),
        (ValueType.INT, "5 apples", "unit"),
        (ValueType.TEXT, "a\x1b[2J", "control"),
        (ValueType.TEXT, 5, "not a text"),
        (ValueType.CHOICE, "8.4", "no choice"),
        (ValueType.EMAIL, "jo", "not an e-mail address"),
        (ValueType.EMAIL, "a@b.test, c@d.test", "not an e-mail address"),
        (ValueType.EMAILS, "a@b.test, c", "not an e-mail address"),
        (ValueType.EMAILS, {"a": 1}, "not a list"),
        (ValueType.EMAILS, [1], "not a text"),
        (ValueType.DOMAIN, "localhost", "full domain name"),
        (ValueType.DOMAIN, "a_b.test", "not a domain name"),
        (ValueType.DOMAIN, "-a.test", "not a domain name"),
        (ValueType.DOMAIN, "127.0.0.1", "full domain name"),
        (ValueType.DOMAIN, f"{'a' * 64}.test", "not a domain name"),
        (ValueType.HOSTS, "ns1.a.test ns2", "full domain name"),
        (ValueType.USER, "jo al", "not one user"),
        (ValueType.COUNTRY, "Atlantis", "not a country"),
        (ValueType.BUSINESS_NUMBER, "53 004 085 617", "ABN"),
        (ValueType.BUSINESS_NUMBER, "004 085 617", "ACN"),
    ],
)
def test_what_breaks_a_rule_is_refused_with_the_rule(
    type_: ValueType, given_value: object, said: str
) -> None:
    with pytest.raises(InvalidInput) as caught:
        rule(type_).validate(given_value)
    (problem,) = caught.value.problems
    assert said in problem.what
    assert problem.where == "it"
    assert problem.hint
    assert "\x1b" not in str(caught.value)


@pytest.mark.parametrize(
    ("given_value", "value"), [("10", 10), ("10 mb", 10), ("10GB", 10240), ("1 TB", 1048576)]
)
def test_sizes_may_be_given_in_larger_units(given_value: str, value: int) -> None:
    assert rule(ValueType.INT, unit="MB").validate(given_value) == value


def test_a_size_below_the_unit_is_refused() -> None:
    with pytest.raises(InvalidInput, match="unit"):
        rule(ValueType.INT, unit="MB").validate("10 KB")


@pytest.mark.parametrize(
    ("type_", "short", "right", "long"),
    [
        (ValueType.INT, 1, 2, 4),
        (ValueType.TEXT, "a", "ab", "abcd"),
        (ValueType.USERS, "a", "a b", "a b c d"),
    ],
)
def test_bounds_hold_for_numbers_lengths_and_counts(
    type_: ValueType, short: object, right: object, long: object
) -> None:
    bounded = rule(type_, minimum=2, maximum=3)
    bounded.validate(right)
    with pytest.raises(InvalidInput, match="below the minimum of 2"):
        bounded.validate(short)
    with pytest.raises(InvalidInput, match="above the maximum of 3"):
        bounded.validate(long)


@pytest.mark.parametrize("type_", list(ValueType))
def test_nothing_clears_a_value_unless_it_is_required(type_: ValueType) -> None:
    nothings: list[object] = [None, "", "  ", []]
    for nothing in nothings:
        assert rule(type_).validate(nothing) in (None, False, [])
        if type_ is not ValueType.BOOL:
            with pytest.raises(InvalidInput, match="compulsory"):
                rule(type_, required=True).validate(nothing)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@given(st.sampled_from(list(ValueType)), JSON)
def test_any_value_is_taken_or_refused_and_taken_again_as_it_is(
    type_: ValueType, anything: object
) -> None:
    with contextlib.suppress(InvalidInput):
        value = rule(type_).validate(anything)
        again = rule(type_).convert(value)
        assert again == value
