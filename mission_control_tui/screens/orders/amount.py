"""The step of an order that asks how many, and for how long."""

from __future__ import annotations

from textual.widget import Widget

from mission_control_tui.model.catalogue.types import Product
from mission_control_tui.model.text.limits import DIGITS
from mission_control_tui.screens.orders.product import term_words
from mission_control_tui.widgets.field import ChoiceField, Field


def amount_fields(product: Product, most: int, quantity: int | None) -> list[Widget]:
    """Return the fields of what there is to choose: up to `most`, and one of several terms."""
    fields: list[Widget] = []
    if most > 1:
        many = Field(
            "How many",
            str(quantity or product.min_quantity),
            required=True,
            max_length=DIGITS,
            help_text=f"From {product.min_quantity} to {most}.",
            id="quantity",
        )
        many.input.select_on_focus = True
        fields.append(many)
    if len(product.terms) > 1:
        terms = [(str(months), term_words(months)) for months in product.terms]
        fields.append(ChoiceField("For", terms, id="term"))
    return fields


def count_of(typed: str) -> int:
    """Return the quantity that was typed; 0, which no product allows, where it is no number."""
    is_number = typed.isascii() and typed.isdecimal() and len(typed) < 10
    return int(typed) if is_number else 0
