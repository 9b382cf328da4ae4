"""What a month costs: pure arithmetic from what was bought and given back to the lines of a statement.

A purchase is charged as it was agreed, in the month in which it was placed (or approved). Seats that are still there
when their term is over are renewed for the same term, at the price in force, in the month in which the next one begins.
Nothing is prorated, and nothing is paid back. A domain is charged by its order alone. Seats that test users hold are
taken from the oldest purchases first, and are not billed.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from mission_control_tui.model.money import Money
from mission_control_tui.model.views import view_of

MONTHS = 12


class LineKind(StrEnum):
    """Why a line is on a statement."""

    ORDER = "order"
    RENEWAL = "renewal"


@dataclass(frozen=True, slots=True)
class SeatPurchase:
    """One line of a purchase. `at` is local time; `pool` is what its seats are held from, None for a domain.

    `basis_points` is the tax of the catalogue that it was ordered from, `tax` what was agreed.
    """

    order_id: int
    at: datetime
    product_id: str
    level_id: str
    pool: Hashable | None
    label: str
    quantity: int
    term: int
    unit: Money
    net: Money
    tax: Money
    basis_points: int


@dataclass(frozen=True, slots=True)
class SeatReturn:
    """Seats that were removed; `at` is local time."""

    at: datetime
    product_id: str
    level_id: str
    quantity: int


@dataclass(frozen=True, slots=True)
class Price:
    """What a seat costs for a term now, under which name, with which tax."""

    label: str
    unit: Money
    basis_points: int


@dataclass(frozen=True, slots=True)
class StatementLine:
    """One line: `quantity` of it, of which `not_billed` are held by test users. `order_id` 0 stands for a renewal."""

    kind: LineKind
    order_id: int
    day: str
    label: str
    quantity: int
    not_billed: int
    unit: Money
    net: Money
    tax: Money

    @property
    def total(self) -> Money:
        """Net and tax."""
        return self.net + self.tax


@dataclass(frozen=True, slots=True)
class Sums:
    """What the lines of one currency add up to."""

    net: Money
    tax: Money

    @property
    def total(self) -> Money:
        """Net and tax."""
        return self.net + self.tax


@dataclass(slots=True)
class _Batch:
    """A purchase, what is left of it when the month begins, and how much of that test users hold."""

    bought: SeatPurchase
    left: int
    test: int = 0


def charges(
    month: tuple[int, int],
    bought: Iterable[SeatPurchase],
    given_back: Iterable[SeatReturn],
    test_seats: Mapping[Hashable, int],
    price: Callable[[SeatPurchase], Price],
) -> tuple[StatementLine, ...]:
    """Return the lines of the month (year, month): orders by number, then renewals by label. `test_seats` are by pool.

    `price` says what a purchase's seats cost when they are renewed.
    """
    number = month[0] * MONTHS + month[1]
    batches = [
        _Batch(purchase, purchase.quantity)
        for purchase in sorted(bought, key=lambda purchase: (purchase.at, purchase.order_id))
        if _number(purchase.at) <= number
    ]
    for removal in sorted(given_back, key=lambda removal: removal.at):
        if _number(removal.at) < number:
            _give_back(batches, removal)
    _leave_out(batches, test_seats)
    ordered = [batch for batch in batches if _number(batch.bought.at) == number]
    return (
        *(_ordered(batch) for batch in sorted(ordered, key=lambda batch: batch.bought.order_id)),
        *_renewals([batch for batch in batches if _renews(batch, number)], month, price),
    )


def sums(lines: Iterable[StatementLine]) -> tuple[Sums, ...]:
    """Return the sums of the lines, one for each currency, by its code."""
    found: dict[str, Sums] = {}
    for line in lines:
        code = line.net.currency
        before = found.get(code, Sums(Money(0, code), Money(0, code)))
        found[code] = Sums(before.net + line.net, before.tax + line.tax)
    return tuple(found[code] for code in sorted(found))


def _number(at: datetime) -> int:
    return at.year * MONTHS + at.month


def _renews(batch: _Batch, number: int) -> bool:
    begun = number - _number(batch.bought.at)
    of_seats = batch.bought.pool is not None and batch.bought.term > 0
    return of_seats and batch.left > 0 and begun > 0 and begun % batch.bought.term == 0


def _give_back(batches: Sequence[_Batch], removal: SeatReturn) -> None:
    """Take the seats from what was bought last before they were removed."""
    left = removal.quantity
    for batch in reversed(batches):
        bought = batch.bought
        same = (bought.product_id, bought.level_id) == (removal.product_id, removal.level_id)
        if same and bought.at <= removal.at:
            taken = min(batch.left, left)
            batch.left -= taken
            left -= taken


def _leave_out(batches: Sequence[_Batch], test_seats: Mapping[Hashable, int]) -> None:
    rest = dict(test_seats)
    for batch in batches:
        pool = batch.bought.pool
        if pool is not None:
            batch.test = min(batch.left, rest.get(pool, 0))
            rest[pool] = rest.get(pool, 0) - batch.test


def _ordered(batch: _Batch) -> StatementLine:
    bought = batch.bought
    net, tax = bought.net, bought.tax
    if batch.test:
        net = bought.unit * (bought.quantity - batch.test)
        tax = net.share(bought.basis_points)
    day = f"{bought.at:%Y-%m-%d}"
    return view_of(
        StatementLine, bought, kind=LineKind.ORDER, day=day, not_billed=batch.test, net=net, tax=tax
    )


def _renewals(
    batches: Iterable[_Batch], month: tuple[int, int], price: Callable[[SeatPurchase], Price]
) -> Iterable[StatementLine]:
    """Yield one line for each level, term and price, however many purchases it comes from."""
    quantities: dict[Price, list[int]] = {}
    for batch in batches:
        together = quantities.setdefault(price(batch.bought), [0, 0])
        together[0] += batch.left
        together[1] += batch.test
    for cost in sorted(quantities, key=lambda price: (price.label, price.unit.minor)):
        quantity, test = quantities[cost]
        net = cost.unit * (quantity - test)
        yield StatementLine(
            LineKind.RENEWAL,
            0,
            f"{month[0]:04d}-{month[1]:02d}-01",
            cost.label,
            quantity,
            test,
            cost.unit,
            net,
            net.share(cost.basis_points),
        )
