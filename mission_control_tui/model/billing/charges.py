"""What a month costs: pure arithmetic from what was bought and given back to the lines of a statement.

A purchase is charged as it was agreed, in the month in which it was placed (or approved). Its seats are renewed on the
anniversary, for the same term and at the price in force: only those that are still there when that day begins. The
anniversary is the day of the purchase, in a month that has no such day its last one: what was bought on 31 January for
a month is renewed on 28 February and on 31 March, what was bought on 29 February for a year on 28 February, and on the
29th in leap years. Nothing is prorated. What is removed is not paid back; a purchase that is taken back as a mistake is
credited, on the day on which that was done. A domain is charged by its orders alone. Seats that test users hold are
taken from the oldest purchases first, and are not billed.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time
from enum import StrEnum

from mission_control_tui.model.billing.periods import MONTHS
from mission_control_tui.model.dates import months_later
from mission_control_tui.model.money import Money
from mission_control_tui.model.views import view_of


class LineKind(StrEnum):
    """Why a line is on a statement."""

    ORDER = "order"
    RENEWAL = "renewal"
    CREDIT = "credit"


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
    """Seats that were removed; `at` is local time. `returns` is the order that was taken back with them, 0 for none."""

    at: datetime
    product_id: str
    level_id: str
    quantity: int
    returns: int = 0


@dataclass(frozen=True, slots=True)
class Credit:
    """A purchase that was taken back and is credited. `order_id` is the order that did so, `returns` the purchase.

    `net` and `tax` are what that one was charged in a month that is closed; None where its own month is this one.
    """

    order_id: int
    at: datetime
    returns: int
    label: str
    quantity: int
    unit: Money
    net: Money | None = None
    tax: Money | None = None


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
    """A purchase, and what is left of it; `due`: when a further term of it begins in the month, None for not at all.

    `renewed` is what was left of it then, and `test` how much of it test users hold.
    """

    bought: SeatPurchase
    left: int
    due: datetime | None
    renewed: int = 0
    test: int = 0
    is_new: bool = False
    """Whether it is of this month."""

    @property
    def held(self) -> int:
        """How many of its seats the month is about."""
        if self.is_new:
            return self.bought.quantity
        return self.left if self.due is None else self.renewed


def charges(
    month: tuple[int, int],
    bought: Iterable[SeatPurchase],
    given_back: Iterable[SeatReturn],
    test_seats: Mapping[Hashable, int],
    price: Callable[[SeatPurchase], Price],
    taken_back: Iterable[Credit] = (),
) -> tuple[StatementLine, ...]:
    """Return the lines of the month (year, month): orders by number, renewals by day and label, credits by number.

    `test_seats` are by pool. `price` says what a purchase's seats cost when they are renewed.
    """
    number = month[0] * MONTHS + month[1]
    batches = [
        _Batch(
            purchase,
            purchase.quantity,
            _renewal(purchase, number),
            is_new=_number(purchase.at) == number,
        )
        for purchase in sorted(bought, key=lambda purchase: (purchase.at, purchase.order_id))
        if _number(purchase.at) <= number
    ]
    _follow(batches, month, given_back)
    _leave_out(batches, test_seats)
    ordered = [
        _ordered(batch)
        for batch in sorted(batches, key=lambda batch: batch.bought.order_id)
        if batch.is_new
    ]
    charged = {line.order_id: line for line in ordered}
    return (
        *ordered,
        *_renewals([batch for batch in batches if batch.renewed], price),
        *(
            _credited(credit, charged.get(credit.returns))
            for credit in sorted(taken_back, key=lambda credit: credit.order_id)
            if _number(credit.at) == number
        ),
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


def _renewal(bought: SeatPurchase, number: int) -> datetime | None:
    """Return when a further term begins in the month of this number: at the beginning of the anniversary."""
    begun = number - _number(bought.at)
    if bought.pool is None or bought.term <= 0 or begun <= 0 or begun % bought.term:
        return None
    day = months_later(bought.at.date(), begun)
    return datetime.combine(day, time(), bought.at.tzinfo)


def _follow(
    batches: Sequence[_Batch], month: tuple[int, int], given_back: Iterable[SeatReturn]
) -> None:
    """Take what was given back from the purchases; what is left of one when it is renewed, is renewed."""
    due = sorted(
        ((batch.due, batch) for batch in batches if batch.due is not None),
        key=lambda pair: pair[0],
        reverse=True,
    )
    for removal in sorted(given_back, key=lambda removal: removal.at):
        while due and due[-1][0] <= removal.at:
            _at, batch = due.pop()
            batch.renewed = batch.left
        if (removal.at.year, removal.at.month) <= month:
            _give_back(batches, removal)
    for _at, batch in due:
        batch.renewed = batch.left


def _give_back(batches: Sequence[_Batch], removal: SeatReturn) -> None:
    """Take the seats from the order that is taken back, else from what was bought last before they were removed."""
    left = removal.quantity
    own = [
        batch for batch in batches if removal.returns and batch.bought.order_id == removal.returns
    ]
    for batch in (*own, *reversed(batches)):
        bought = batch.bought
        same = (bought.product_id, bought.level_id) == (removal.product_id, removal.level_id)
        if same and bought.at <= removal.at:
            taken = min(batch.left, left)
            batch.left -= taken
            left -= taken


def _leave_out(batches: Sequence[_Batch], test_seats: Mapping[Hashable, int]) -> None:
    """Say how much of each purchase test users hold: of what is charged in the month, else of what is left of it."""
    rest = dict(test_seats)
    for batch in batches:
        pool = batch.bought.pool
        if pool is not None:
            batch.test = min(batch.held, rest.get(pool, 0))
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
    batches: Iterable[_Batch], price: Callable[[SeatPurchase], Price]
) -> Iterable[StatementLine]:
    """Yield one line for each day, level, term and price, however many purchases it comes from."""
    quantities: dict[tuple[str, Price], list[int]] = {}
    for batch in batches:
        together = quantities.setdefault((f"{batch.due:%Y-%m-%d}", price(batch.bought)), [0, 0])
        together[0] += batch.renewed
        together[1] += batch.test
    for day, cost in sorted(quantities, key=lambda key: (key[0], key[1].label, key[1].unit.minor)):
        quantity, test = quantities[day, cost]
        net = cost.unit * (quantity - test)
        yield StatementLine(
            LineKind.RENEWAL,
            0,
            day,
            cost.label,
            quantity,
            test,
            cost.unit,
            net,
            net.share(cost.basis_points),
        )


def _credited(credit: Credit, ordered: StatementLine | None) -> StatementLine:
    """Return the line that takes back what the purchase was charged, in this month (`ordered`) or in a closed one."""
    nothing = Money(0, credit.unit.currency)
    charged = (credit.net or nothing, credit.tax or nothing)
    if ordered is not None:
        charged = ordered.net, ordered.tax
    return StatementLine(
        LineKind.CREDIT,
        credit.order_id,
        f"{credit.at:%Y-%m-%d}",
        credit.label,
        credit.quantity,
        ordered.not_billed if ordered is not None else 0,
        credit.unit,
        nothing - charged[0],
        nothing - charged[1],
    )
