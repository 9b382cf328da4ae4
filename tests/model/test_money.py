"""Money: exact, of one currency, rounded half up."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mission_control_tui.model.errors import InvalidInput
from mission_control_tui.model.money import Money, minor_digits

AMOUNTS = st.integers(-(10**12), 10**12)


@pytest.mark.parametrize(
    ("minor", "currency", "shown"),
    [
        (1250, "AUD", "AUD 12.50"),
        (5, "AUD", "AUD 0.05"),
        (0, "AUD", "AUD 0.00"),
        (-305, "AUD", "AUD -3.05"),
        (123456789, "AUD", "AUD 1,234,567.89"),
        (500, "JPY", "JPY 500"),
        (1234, "KWD", "KWD 1.234"),
        (12345, "CLF", "CLF 1.2345"),
    ],
)
def test_format_follows_the_currency(minor: int, currency: str, shown: str) -> None:
    assert str(Money(minor, currency)) == shown
    assert Money(minor, currency).format(code=False) == shown.removeprefix(f"{currency} ")


@given(AMOUNTS, st.sampled_from(["AUD", "JPY", "KWD"]))
def test_what_is_shown_is_what_is_there(minor: int, currency: str) -> None:
    shown = Money(minor, currency).format(code=False).replace(",", "")
    assert Decimal(shown) == Decimal(minor).scaleb(-minor_digits(currency))


@given(AMOUNTS, AMOUNTS, st.integers(0, 1000))
def test_arithmetic_is_that_of_whole_numbers(a: int, b: int, quantity: int) -> None:
    one, other = Money(a, "AUD"), Money(b, "AUD")
    assert (one + other).minor == a + b
    assert (one - other).minor == a - b
    assert one * quantity == quantity * one == Money(a * quantity, "AUD")
    assert (-one).minor == -a
    assert Money.total([one, other], "AUD") == one + other
    assert (one < other, one <= other, one > other, one >= other) == (a < b, a <= b, a > b, a >= b)
    assert bool(one) is (a != 0)


def test_total_of_nothing_is_zero() -> None:
    assert Money.total([], "AUD") == Money(0, "AUD")


@given(AMOUNTS, st.integers(0, 100_000))
def test_a_share_is_rounded_half_away_from_zero(minor: int, basis_points: int) -> None:
    exact = Decimal(minor) * basis_points / 10_000
    expected = int(exact.quantize(Decimal(1), rounding=ROUND_HALF_UP))
    assert Money(minor, "AUD").share(basis_points).minor == expected


@pytest.mark.parametrize(("net", "tax"), [(5, 1), (4, 0), (15, 2), (25, 3), (-5, -1), (-4, 0)])
def test_ten_per_cent_of_small_amounts(net: int, tax: int) -> None:
    assert Money(net, "AUD").share(1000) == Money(tax, "AUD")


def test_currencies_never_mix() -> None:
    with pytest.raises(ValueError, match="AUD with NZD"):
        Money(1, "AUD") + Money(1, "NZD")
    with pytest.raises(ValueError, match="AUD with NZD"):
        _ = Money(1, "AUD") < Money(1, "NZD")
    assert Money(1, "AUD") != Money(1, "NZD")


@given(st.integers(0, 10**11), st.sampled_from(["AUD", "JPY", "BHD", "CLF"]))
def test_what_is_shown_can_be_typed(minor: int, currency: str) -> None:
    amount = Money(minor, currency)
    assert Money.parse(amount.format(), currency) == amount
    assert Money.parse(f" {amount.format(code=False)} ", currency) == amount


@pytest.mark.parametrize("typed", ["", "ten", "-5", "1.234", "1.", ".5", "USD 5", "٣", "1e3"])
def test_what_is_no_amount_is_refused(typed: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        Money.parse(typed, "AUD", where="--above")
    assert refused.value.problems[0].where == "--above"
