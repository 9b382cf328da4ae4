"""The months that statements are for: "2026-11", each in its account's time zone."""

from __future__ import annotations

from datetime import datetime, tzinfo

MONTHS = 12


def period_of(moment: datetime, zone: tzinfo) -> str:
    """Return the month of `moment` in `zone`, "2026-11"."""
    return f"{moment.astimezone(zone):%Y-%m}"


def periods(first: str, last: str) -> list[str]:
    """Return the months from `first` to `last`, both included."""
    start, end = month_number(first), month_number(last)
    return [f"{number // MONTHS:04d}-{number % MONTHS + 1:02d}" for number in range(start, end + 1)]


def month_number(period: str) -> int:
    """Return which month it is, counted from the year 0."""
    year, _, month = period.partition("-")
    return int(year) * MONTHS + int(month) - 1
