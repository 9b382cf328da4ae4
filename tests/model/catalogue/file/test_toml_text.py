"""A catalogue as the text of a file: `parse` reads the same catalogue from it again, whatever it says."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from mission_control_tui.model.catalogue.file.parse import parse
from mission_control_tui.model.catalogue.file.shipped import shipped
from mission_control_tui.model.catalogue.file.toml_text import as_toml
from mission_control_tui.model.catalogue.types import Catalogue, Level, Override
from mission_control_tui.model.text.clean import harmless

SHIPPED = parse(shipped())
TEXT = st.text(max_size=40).map(lambda text: harmless(text).strip())
NUMBER = st.integers(0, 10**12)
LIMIT = st.booleans() | st.integers(-(10**12), 10**12) | TEXT | st.lists(TEXT, max_size=3)


@st.composite
def catalogues(draw: st.DrawFn) -> Catalogue:
    """The shipped catalogue with other prices, texts, limits, ranks, flags and values of levels."""
    services = []
    for service in SHIPPED.services:
        ranks = draw(st.sampled_from([(1, 1), (7, -1), (0, 3)]))
        levels = [
            Level(
                id=level.id,
                name=level.name,
                description=draw(TEXT),
                rank=abs(ranks[0] + ranks[1] * index),
                limits=draw(st.dictionaries(TEXT, LIMIT, max_size=3)),
            )
            for index, level in enumerate(service.levels)
        ]
        if not any(level.rank for level in levels):
            levels = [replace(level, rank=index) for index, level in enumerate(levels)]
        options = [
            replace(option, help=draw(TEXT), per_level={levels[0].id: Override(minimum=1)})
            if option.type == "int" and not option.levels
            else replace(option, help=draw(TEXT))
            for option in service.options
        ]
        services.append(
            replace(
                service,
                description=draw(TEXT),
                visible=draw(st.booleans()),
                levels=tuple(levels),
                options=tuple(options),
            )
        )
    products = [
        replace(
            product,
            description=draw(TEXT),
            withdrawn=draw(st.booleans()),
            extensions=tuple(
                replace(extension, withdrawn=draw(st.booleans()))
                for extension in product.extensions
            ),
        )
        for product in SHIPPED.products
    ]
    return replace(
        SHIPPED,
        tax_basis_points=draw(st.integers(0, 100_000)),
        prices_are_examples=draw(st.booleans()),
        products=tuple(products),
        services=tuple(services),
    )


@settings(max_examples=30)
@given(catalogues())
def test_the_same_catalogue_is_read_from_what_was_written(catalogue: Catalogue) -> None:
    assert parse(as_toml(catalogue)) == catalogue


def test_the_shipped_catalogue_keeps_its_comments() -> None:
    assert as_toml(SHIPPED) == shipped()


def test_levels_in_the_order_of_their_ranks_are_written_without_them() -> None:
    text = as_toml(replace(SHIPPED, prices_are_examples=False))
    assert "rank" not in text
    assert "prices_are_examples" not in text
    assert parse(text) == replace(SHIPPED, prices_are_examples=False)
