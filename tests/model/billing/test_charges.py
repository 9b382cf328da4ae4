"""The arithmetic of a month: what is charged when, seats of test users left out, sums that add up."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from mission_control_tui.model.billing.charges import (
    Credit,
    LineKind,
    Price,
    SeatPurchase,
    SeatReturn,
    charges,
    sums,
)
from mission_control_tui.model.dates import months_later
from mission_control_tui.model.money import Money

POOL = ("managed-exchange", "popx")
BASIS_POINTS = 1000


def bought(month: int, quantity: int, **changes: Any) -> SeatPurchase:
    """Mailboxes bought on the tenth of a month of 2026 for 3.00 each and month."""
    stated: dict[str, Any] = {
        "order_id": month,
        "at": datetime(2026, month, 10, tzinfo=UTC),
        "product_id": "email",
        "level_id": "popx",
        "pool": POOL,
        "label": "Email: POPX, 1 month",
        "quantity": quantity,
        "term": 1,
        "unit": Money(300, "AUD"),
        "basis_points": BASIS_POINTS,
    } | changes
    net = stated["unit"] * quantity
    return SeatPurchase(**{"net": net, "tax": net.share(stated["basis_points"])} | stated)


def given_back(month: int, quantity: int, day: int = 20) -> SeatReturn:
    return SeatReturn(datetime(2026, month, day, tzinfo=UTC), "email", "popx", quantity)


def price(one: SeatPurchase) -> Price:
    """Renewals cost 3.50 a month."""
    return Price(f"POPX, {one.term}", Money(350 * one.term, "AUD"), BASIS_POINTS)


def test_an_order_is_charged_as_agreed_in_its_month_and_renewed_in_the_next() -> None:
    (first,) = charges((2026, 3), [bought(3, 5)], [], {}, price)
    assert (first.kind, first.order_id, first.day) == (LineKind.ORDER, 3, "2026-03-10")
    assert (first.net, first.tax, first.total) == tuple(Money(n, "AUD") for n in (1500, 150, 1650))
    (second,) = charges((2026, 4), [bought(3, 5)], [], {}, price)
    assert (second.kind, second.order_id, second.day) == (LineKind.RENEWAL, 0, "2026-04-10")
    assert (second.quantity, second.unit, second.net) == (5, Money(350, "AUD"), Money(1750, "AUD"))
    assert charges((2026, 2), [bought(3, 5)], [], {}, price) == ()


def test_a_longer_term_is_renewed_when_it_is_over_and_a_domain_never() -> None:
    yearly = bought(3, 2, term=12, unit=Money(3300, "AUD"))
    domain = bought(3, 1, order_id=4, product_id="domain-names", pool=None, term=12)
    for month in ((2026, 4), (2026, 12), (2027, 2), (2027, 4)):
        assert charges(month, [yearly, domain], [], {}, price) == ()
    (again,) = charges((2027, 3), [yearly, domain], [], {}, price)
    assert (again.quantity, again.net) == (2, Money(8400, "AUD"))
    assert charges((2028, 3), [yearly, domain], [], {}, price)[0].quantity == 2


def test_what_is_given_back_is_paid_for_its_month_and_not_renewed() -> None:
    orders = [bought(3, 5), bought(4, 3)]
    march = charges((2026, 3), orders, [given_back(3, 2)], {}, price)
    assert [line.quantity for line in march] == [5]
    april = charges((2026, 4), orders, [given_back(3, 2), given_back(4, 4)], {}, price)
    assert [(line.kind.value, line.quantity) for line in april] == [("order", 3), ("renewal", 3)]
    may = charges((2026, 5), orders, [given_back(3, 2), given_back(4, 4)], {}, price)
    assert [line.quantity for line in may] == [2]
    later = charges((2026, 5), orders, [given_back(4, 8)], {}, price)
    assert later == ()


def test_seats_of_test_users_are_not_billed_once_and_the_oldest_first() -> None:
    yearly = bought(1, 3, term=12, unit=Money(3000, "AUD"))
    monthly = bought(2, 4)
    (january,) = charges((2026, 1), [yearly, monthly], [], {POOL: 4}, price)
    assert (january.quantity, january.not_billed, january.net) == (3, 3, Money(0, "AUD"))
    (february,) = charges((2026, 2), [yearly, monthly], [], {POOL: 4}, price)
    assert (february.quantity, february.not_billed, february.net) == (4, 1, Money(900, "AUD"))
    assert february.tax == Money(90, "AUD")
    (march,) = charges((2026, 3), [yearly, monthly], [], {POOL: 4}, price)
    assert (march.quantity, march.not_billed, march.net) == (4, 1, Money(1050, "AUD"))
    (other,) = charges((2026, 3), [yearly, monthly], [], {("other", "popx"): 4}, price)
    assert other.not_billed == 0


def on(day: str, quantity: int, **changes: Any) -> SeatPurchase:
    """Mailboxes bought on this day at three in the afternoon."""
    at = datetime.fromisoformat(f"{day}T15:00+00:00")
    return bought(1, quantity, **({"at": at} | changes))


def back(day: str, quantity: int, **changes: Any) -> SeatReturn:
    at = datetime.fromisoformat(f"{day}T12:00+00:00")
    return SeatReturn(at, "email", "popx", quantity, **changes)


def days(purchase: SeatPurchase, *months: tuple[int, int]) -> list[str]:
    """On which days of these months it is renewed."""
    return [
        line.day for month in months for line in charges(month, [purchase], [], {}, price)
        if line.kind is LineKind.RENEWAL
    ]  # fmt: skip


def test_what_was_removed_before_its_anniversary_is_not_renewed() -> None:
    yearly = on("2027-01-31", 1, term=12)
    assert charges((2028, 1), [yearly], [back("2028-01-02", 1)], {}, price) == ()
    assert charges((2028, 1), [yearly], [back("2028-01-30", 1)], {}, price) == ()
    (renewed,) = charges((2028, 1), [yearly], [back("2028-01-31", 1)], {}, price)
    assert (renewed.day, renewed.quantity) == ("2028-01-31", 1)
    monthly = on("2027-01-31", 2)
    removed = [back("2027-02-01", 1)]
    assert [line.quantity for line in charges((2027, 1), [monthly], removed, {}, price)] == [2]
    assert [line.quantity for line in charges((2027, 2), [monthly], removed, {}, price)] == [1]


def test_the_anniversary_keeps_to_the_first_day_through_short_months_and_leap_years() -> None:
    short = [(2027, 2), (2027, 3), (2027, 4), (2028, 2), (2028, 3)]
    expected = ["2027-02-28", "2027-03-31", "2027-04-30", "2028-02-29", "2028-03-31"]
    assert days(on("2027-01-31", 1), *short) == expected
    leap = on("2028-02-29", 1, term=12)
    februaries = [(year, 2) for year in range(2029, 2034)]
    expected = ["2029-02-28", "2030-02-28", "2031-02-28", "2032-02-29", "2033-02-28"]
    assert days(leap, *februaries) == expected
    assert days(leap, (2029, 3), (2029, 1)) == []


@given(
    st.dates(date(2020, 1, 1), date(2030, 12, 31)),
    st.sampled_from([1, 3, 12]),
    st.integers(1, 400),
)
def test_seats_are_charged_once_for_each_term_until_they_are_removed(
    day: date, term: int, kept: int
) -> None:
    """So many days of use cost as many terms as began in them, and no month has two."""
    purchase, removal = on(f"{day}", 1, term=term), back(f"{day + timedelta(days=kept)}", 1)
    number = day.year * 12 + day.month - 1
    charged = [
        line.day
        for month in range(number, number + 16)
        for line in charges((month // 12, month % 12 + 1), [purchase], [removal], {}, price)
    ]
    begun = [day, *(months_later(day, term * count) for count in range(1, 16))]
    gone = day + timedelta(days=kept)
    within = [f"{at}" for at in begun if at <= gone and at < months_later(day, 16).replace(day=1)]
    assert charged == within
    assert len({at[:7] for at in charged}) == len(charged)


def test_a_purchase_that_was_taken_back_is_credited_in_the_month_of_that() -> None:
    order = on("2026-03-10", 200, order_id=7)
    returned = back("2026-03-11", 200, returns=7)
    taken = Credit(8, returned.at.replace(hour=16), 7, "Removed", 200, order.unit)
    lines = charges((2026, 3), [order], [returned], {POOL: 3}, price, [taken])
    told = [(line.kind.value, line.order_id, line.net.minor, line.not_billed) for line in lines]
    assert told == [("order", 7, 197 * 300, 3), ("credit", 8, -197 * 300, 3)]
    assert sums(lines)[0].total == Money(0, "AUD")
    assert charges((2026, 4), [order], [returned], {}, price, [taken]) == ()
    april = Credit(8, datetime(2026, 4, 1, tzinfo=UTC), 7, "Removed", 200, order.unit,
                   net=Money(60000, "AUD"), tax=Money(6000, "AUD"))  # fmt: skip
    later = SeatReturn(april.at, "email", "popx", 200, returns=7)
    (line,) = charges((2026, 4), [order], [later], {}, price, [april])
    assert (line.kind, line.total) == (LineKind.CREDIT, Money(-66000, "AUD"))
    assert len(charges((2026, 3), [order], [later], {}, price, [april])) == 1, "as it was closed"


def test_what_is_taken_back_is_the_order_itself_and_not_the_newest() -> None:
    mistaken, meant = on("2026-03-10", 200, order_id=7), on("2026-03-11", 20, order_id=8)
    removal = back("2026-03-12", 200, returns=7)
    (renewed,) = charges((2026, 4), [mistaken, meant], [removal], {}, price)
    assert (renewed.day, renewed.quantity) == ("2026-04-11", 20)


purchases = st.lists(
    st.builds(
        lambda number, month, quantity, term, unit, points, currency: bought(
            month, quantity, order_id=number, term=term, unit=Money(unit, currency),
            basis_points=points, product_id="email", level_id=f"level-{unit % 3}",
            pool=("service", f"level-{unit % 3}"),
        ),
        st.integers(1, 10**6),
        st.integers(1, 12),
        st.integers(1, 1000),
        st.sampled_from([1, 3, 12]),
        st.integers(0, 10**7),
        st.integers(0, 3000),
        st.sampled_from(["AUD", "JPY"]),
    ),
    max_size=12,
)  # fmt: skip
removals = st.lists(
    st.builds(
        lambda month, day, level, quantity: SeatReturn(
            datetime(2026, month, 1, tzinfo=UTC) + timedelta(days=day), "email", level, quantity
        ),
        st.integers(1, 12),
        st.integers(0, 27),
        st.sampled_from(["level-0", "level-1", "level-2"]),
        st.integers(1, 500),
    ),
    max_size=6,
)


@given(
    purchases,
    removals,
    st.dictionaries(
        st.sampled_from([("service", f"level-{number}") for number in range(3)]),
        st.integers(0, 3000),
    ),
    st.integers(1, 24),
)
def test_lines_and_sums_add_up_whatever_was_traded(
    traded: list[SeatPurchase], back: list[SeatReturn], test_seats: Any, month: int
) -> None:
    def priced(one: SeatPurchase) -> Price:
        return Price(one.level_id, one.unit * 2, 777)

    at = (2026 + (month - 1) // 12, (month - 1) % 12 + 1)
    lines = charges(at, traded, back, test_seats, priced)
    number = at[0] * 12 + at[1]
    in_month = [one for one in traded if one.at.year * 12 + one.at.month == number]
    assert sorted(line.order_id for line in lines if line.order_id) == sorted(
        one.order_id for one in in_month
    )
    for line in lines:
        assert 0 <= line.not_billed <= line.quantity
        assert line.net == line.unit * (line.quantity - line.not_billed)
        assert 0 <= line.tax.minor <= line.net.minor
        if line.kind is LineKind.RENEWAL:
            assert abs(line.tax.minor * 10_000 - line.net.minor * 777) <= 5_000
    free = sum(line.not_billed for line in lines)
    assert free <= sum(test_seats.values())
    assert sum(line.quantity for line in lines) <= sum(one.quantity for one in traded)
    by_currency = {one.net.currency: one for one in sums(lines)}
    for code, one in by_currency.items():
        own = [line for line in lines if line.net.currency == code]
        assert one.net.minor == sum(line.net.minor for line in own)
        assert one.tax.minor == sum(line.tax.minor for line in own)
        assert one.total == one.net + one.tax
    assert set(by_currency) == {line.net.currency for line in lines}
