"""What a purchase costs, and what cannot be bought."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mission_control_tui.model.catalogue.file.parse import parse
from mission_control_tui.model.catalogue.prices import quote, tax_label
from mission_control_tui.model.errors import InvalidInput, NotFound
from mission_control_tui.model.money import Money
from tests.model.catalogue.support import SMALL, shipped_catalogue


def problems_of(
    product: str,
    level: str | None = None,
    *,
    quantity: int = 1,
    term: int | None = None,
    domain: str | None = None,
) -> dict[str, str]:
    with pytest.raises(InvalidInput) as caught:
        quote(shipped_catalogue(), product, level, quantity=quantity, term=term, domain=domain)
    return {one.where: str(one) for one in caught.value.problems}


def test_seats_of_a_level_with_tax() -> None:
    asked = quote(shipped_catalogue(), "Email", "Standard Mail (POPX)", quantity=3)
    (line,) = asked.lines
    assert (line.product_id, line.level_id, line.service_id, line.service_level) == (
        "email",
        "popx",
        "managed-exchange",
        "popx",
    )
    assert (line.quantity, line.term, line.domain) == (3, 1, "")
    assert str(asked.net) == "AUD 9.00"
    assert str(asked.tax) == "AUD 0.90"
    assert str(asked.total) == "AUD 9.90"
    assert asked.tax_label == "GST 10 %"
    assert asked.prices_are_examples
    assert line.label == "Email: Standard Mail (POPX), 1 month"


def test_a_domain_costs_what_its_ending_costs() -> None:
    asked = quote(shipped_catalogue(), "domain-names", domain="ACME.com.au", term=24)
    (line,) = asked.lines
    assert (line.domain, line.term) == ("acme.com.au", 24)
    product = shipped_catalogue().product("domain-names")
    assert line.unit.minor == product.extension("com-au").prices[24]
    assert "acme.com.au, 2 years" in line.label


def test_quotes_add_up() -> None:
    catalogue = shipped_catalogue()
    one = quote(catalogue, "email", "popx")
    two = quote(catalogue, "databases", "small", quantity=2)
    both = one + two
    assert both.lines == (*one.lines, *two.lines)
    assert both.total == one.total + two.total == both.net + both.tax


@given(
    price=st.integers(0, 10**6), quantity=st.integers(1, 1000), basis_points=st.integers(0, 5000)
)
def test_lines_and_sums_agree_for_any_price(price: int, quantity: int, basis_points: int) -> None:
    text = SMALL.replace("{ 1 = 300,", f"{{ 1 = {price},")
    catalogue = parse(text.replace("basis_points = 1000", f"basis_points = {basis_points}"))
    asked = quote(catalogue, "email", quantity=quantity)
    (line,) = asked.lines
    assert line.net == Money(price * quantity, "AUD") == asked.net
    assert line.tax == line.net.share(basis_points) == asked.tax
    assert line.total == line.net + line.tax == asked.total


def test_every_problem_comes_at_once() -> None:
    found = problems_of("email", None, quantity=0, term=5, domain="nonsense")
    assert set(found) == {"level", "quantity", "term", "domain"}
    assert "popx (Standard Mail (POPX))" in found["level"]
    assert "1, 12" in found["term"]


def test_an_unknown_product_or_level_is_answered_with_what_exists() -> None:
    with pytest.raises(NotFound) as caught:
        quote(shipped_catalogue(), "emial")
    assert "Did you mean Email" in caught.value.hint or "email" in caught.value.hint
    assert "Did you mean popx" in problems_of("email", "popxx")["level"]


@pytest.mark.parametrize(
    ("domain", "said"),
    [
        (None, "a domain name is needed"),
        ("acme.io", "no ending that is sold here"),
        ("www.acme.com", "more than one label"),
        ("a b.com", "not a domain name"),
        (".com.au", "not a domain name"),
    ],
)
def test_domains_that_cannot_be_bought(domain: str | None, said: str) -> None:
    assert said in problems_of("domain-names", domain=domain)["domain"]


def test_what_is_withdrawn_cannot_be_bought() -> None:
    level = parse(
        SMALL.replace('grants_level = "basic"', 'grants_level = "basic"\nwithdrawn = true')
    )
    with pytest.raises(InvalidInput, match="no longer sold"):
        quote(level, "email", "basic")
    product = parse(SMALL.replace("terms = [1, 12]", "terms = [1, 12]\nwithdrawn = true"))
    with pytest.raises(InvalidInput, match="no longer sold"):
        quote(product, "email")


def test_a_rate_with_a_fraction_is_shown() -> None:
    catalogue = parse(SMALL.replace("basis_points = 1000", "basis_points = 1750"))
    assert tax_label(catalogue) == "GST 17.5 %"
