"""The stored form of a catalogue: complete, stable, and cheap to read."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from typing import TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mission_control_tui.model.catalogue.codec import from_json, to_json
from mission_control_tui.model.catalogue.lookup import NamedItem
from mission_control_tui.model.catalogue.types import (
    AddressUse,
    ApprovalRule,
    Catalogue,
    Extension,
    Level,
    Option,
    OptionGroup,
    OrderField,
    Override,
    PasswordUse,
    Product,
    ProductLevel,
    PurchaseKind,
    Role,
    Service,
)
from mission_control_tui.model.catalogue.values import ValueType
from mission_control_tui.model.errors import StoreError
from mission_control_tui.model.states import SubjectKind
from tests.model.catalogue.support import shipped_catalogue

TEXT = st.text(max_size=8)
NUMBER = st.integers(-(10**12), 10**12)
BOUND = st.none() | NUMBER
VALUE = st.none() | st.booleans() | NUMBER | TEXT | st.lists(TEXT, max_size=2)
LIMIT = st.booleans() | NUMBER | TEXT | st.lists(TEXT, max_size=2)
PRICES = st.dictionaries(st.integers(1, 120), NUMBER, max_size=3)
WORDS = st.lists(TEXT, max_size=2).map(tuple)
RULE = {
    "id": TEXT,
    "name": TEXT,
    "type": st.sampled_from(ValueType),
    "default": VALUE,
    "minimum": BOUND,
    "maximum": BOUND,
    "choices": st.dictionaries(TEXT, TEXT, max_size=2),
    "unit": TEXT,
    "required": st.booleans(),
    "help": TEXT,
}
ThingT = TypeVar("ThingT", bound=NamedItem)


def several(things: st.SearchStrategy[ThingT]) -> st.SearchStrategy[tuple[ThingT, ...]]:
    """Up to two with different ids, as in every list that the parser lets through."""
    return st.lists(things, max_size=2, unique_by=lambda one: one.id).map(tuple)


OPTIONS = st.builds(
    Option,
    **RULE,
    group=st.sampled_from(OptionGroup),
    levels=WORDS,
    per_level=st.dictionaries(
        TEXT, st.builds(Override, default=VALUE, minimum=BOUND, maximum=BOUND), max_size=2
    ),
)
LEVELS = st.builds(
    Level,
    id=TEXT,
    name=TEXT,
    description=TEXT,
    withdrawn=st.booleans(),
    rank=NUMBER,
    limits=st.dictionaries(TEXT, LIMIT, max_size=3),
)
ROLES = st.builds(
    Role,
    id=TEXT,
    name=TEXT,
    help=TEXT,
    accepts=WORDS,
    requires=WORDS,
    maximum=BOUND,
)
SERVICES = st.builds(
    Service,
    id=TEXT,
    name=TEXT,
    subject=st.sampled_from(SubjectKind),
    connector=TEXT,
    requires=WORDS,
    password=st.sampled_from(PasswordUse),
    instances=NUMBER,
    seats=st.booleans(),
    visible=st.booleans(),
    levels=several(LEVELS),
    options=several(OPTIONS),
    address=st.sampled_from(AddressUse),
    included_with=WORDS,
    roles=several(ROLES),
)
PRODUCTS = st.builds(
    Product,
    id=TEXT,
    name=TEXT,
    buys=st.sampled_from(PurchaseKind),
    level_first=st.booleans(),
    approval=st.sampled_from(ApprovalRule),
    terms=st.lists(NUMBER, max_size=2).map(tuple),
    withdrawn=st.booleans(),
    levels=several(
        st.builds(
            ProductLevel,
            id=TEXT,
            name=TEXT,
            grants_service=TEXT,
            grants_level=TEXT,
            prices=PRICES,
            withdrawn=st.booleans(),
        )
    ),
    extensions=several(st.builds(Extension, id=TEXT, name=TEXT, prices=PRICES)),
    fields=several(st.builds(OrderField, **RULE, page=TEXT, extensions=WORDS)),
)
CATALOGUES = st.builds(
    Catalogue,
    currency=TEXT,
    tax_name=TEXT,
    tax_basis_points=NUMBER,
    prices_are_examples=st.booleans(),
    products=several(PRODUCTS),
    services=several(SERVICES),
)


@given(CATALOGUES)
def test_what_is_written_is_what_is_read(catalogue: Catalogue) -> None:
    text = to_json(catalogue)
    read = from_json(text)
    assert read == catalogue
    assert to_json(read) == text
    assert hash(read) == hash(catalogue)


def test_the_shipped_catalogue_survives() -> None:
    assert from_json(to_json(shipped_catalogue())) == shipped_catalogue()


@pytest.mark.parametrize(
    "text",
    ["", "{}", "[]", "5", '{"format": 1}', '{"format": 1, "catalogue": {"currency": 5}}'],
)
def test_anything_else_is_a_store_error(text: str) -> None:
    with pytest.raises(StoreError, match="cannot be read"):
        from_json(text)


def test_a_newer_format_is_refused_clearly() -> None:
    newer = json.dumps({"format": 2, "catalogue": {}})
    with pytest.raises(StoreError, match="newer Mission Control"):
        from_json(newer)


def test_reading_costs_no_heavy_import() -> None:
    program = """
import sys
from mission_control_tui.model.catalogue.codec import from_json
catalogue = from_json(sys.stdin.read())
service = catalogue.service("Managed Exchange")
service.validate_settings("popx", {"quota": "1 GB", "keep-copy": "no"})
heavy = {"pydantic", "tomlkit", "tomllib", "textual", "rich", "sqlalchemy", "iso3166", "iso4217", "stdnum"}
print(sorted(heavy & set(sys.modules)))
"""
    done = subprocess.run(
        [sys.executable, "-c", program],
        input=to_json(shipped_catalogue()),
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "[]"


def test_reading_costs_little_more_than_reading_its_json() -> None:
    text = to_json(shipped_catalogue())
    from_json(text)

    def best(read: object) -> float:
        assert callable(read)
        times = []
        for _ in range(30):
            start = time.perf_counter()
            read(text)
            times.append(time.perf_counter() - start)
        return min(times)

    assert best(from_json) < 10 * best(json.loads)
