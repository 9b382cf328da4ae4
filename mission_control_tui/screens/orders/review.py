"""What the last page of the buy flow shows: the order as it would be, line by line."""

from __future__ import annotations

from collections.abc import Mapping

from mission_control_tui.model.catalogue.types import OrderField as Question
from mission_control_tui.model.catalogue.types import Product
from mission_control_tui.model.catalogue.values import ValueType
from mission_control_tui.model.orders.queries import OrderView
from mission_control_tui.widgets.cells import fit

WIDTH = 74


def review_lines(order: OrderView, product: Product, tax_label: str) -> list[str]:
    """Lines with quantity and price, tax, total, and what was answered."""
    lines = [
        line
        for one in order.lines
        for line in (one.label, _sum(f"{one.quantity} x {one.unit}", str(one.net)))
    ]
    lines += [_sum(tax_label, str(order.tax)), _sum("Total", str(order.total)), ""]
    given: Mapping[str, object] = order.lines[0].fields
    for question in product.fields:
        if (value := given.get(question.id)) not in (None, "", []):
            lines.append(f"{fit(question.name, 20)} {_said(question, value)}")
    return lines


def _sum(label: str, amount: str) -> str:
    return fit(label, WIDTH - 18) + fit(amount, 18, right=True)


def _said(question: Question, value: object) -> str:
    if question.type is ValueType.BOOL:
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return question.choices.get(str(value), str(value))
