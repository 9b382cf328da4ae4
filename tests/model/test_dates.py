"""Dates and times as operators type them, understood in a time zone and never silently otherwise."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mission_control_tui.model.dates import FARTHEST, months_later, parse, resolve, zone_named
from mission_control_tui.model.errors import InvalidInput

SYDNEY = ZoneInfo("Australia/Sydney")
MONDAY = datetime(2026, 11, 23, 3, 40, tzinfo=UTC)
"""14:40 in Sydney."""

ZONES = st.sampled_from(
    [
        ZoneInfo(name)
        for name in (
            "UTC",
            "Australia/Sydney",
            "Australia/Lord_Howe",  # clocks move by half an hour
            "America/New_York",
            "Europe/London",
            "Asia/Kathmandu",
            "Pacific/Apia",
            "Africa/Casablanca",
        )
    ]
)
LOCAL = st.datetimes(datetime(2024, 1, 1), datetime(2036, 1, 1)).map(  # noqa: DTZ001 - local times
    lambda at: at.replace(second=0, microsecond=0)
)


@pytest.mark.parametrize(
    ("typed", "local"),
    [
        ("2026-12-01 09:00", "2026-12-01 09:00"),
        ("2026-12-01T9:05", "2026-12-01 09:05"),
        ("  2026-12-01   09:00 ", "2026-12-01 09:00"),
        ("2026-12-01T09:00Z", "2026-12-01 20:00"),
        ("2026-12-01 09:00+01:00", "2026-12-01 19:00"),
        ("tomorrow 18:00", "2026-11-24 18:00"),
        ("Today 18:00", "2026-11-23 18:00"),
        ("fri 17:00", "2026-11-27 17:00"),
        ("Friday 7:00", "2026-11-27 07:00"),
        ("mon 15:00", "2026-11-23 15:00"),
        ("mon 14:40", "2026-11-30 14:40"),
        ("18:00", "2026-11-23 18:00"),
        ("08:00", "2026-11-24 08:00"),
        ("+30m", "2026-11-23 15:10"),
        ("+2h", "2026-11-23 16:40"),
        ("+3d", "2026-11-26 14:40"),
        ("+1w", "2026-11-30 14:40"),
    ],
)
def test_what_is_typed_is_understood_in_the_zone(typed: str, local: str) -> None:
    moment = parse(typed, SYDNEY, MONDAY)
    assert f"{moment.at.astimezone(SYDNEY):%Y-%m-%d %H:%M}" == local
    assert local in moment.shown
    assert not moment.note


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ("", "is needed"),
        ("soon", "is no date and time"),
        ("2026-12-01", "has no time"),
        ("fri", "has no time"),
        ("2026-02-30 09:00", "is no date and time"),
        ("24:30", "has no such time of day"),
        ("2026-11-23 14:40", "is past"),
        ("today 10:00", "is past"),
        ("+9999w", "is more than ten years ahead"),
        ("9999-12-31 23:59", "is more than ten years ahead"),
        ("\x1b[31mfri 17:00", "is no date and time"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_the_reason(typed: str, why: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        parse(typed, SYDNEY, MONDAY)
    (problem,) = refused.value.problems
    assert problem.where == "when"
    assert why in problem.what
    assert "\x1b" not in str(refused.value)


def test_a_time_that_clocks_skip_is_later_by_what_they_skip_and_said() -> None:
    moment = parse("2027-10-03 02:30", SYDNEY, MONDAY)
    assert moment.shown == "Sun 2027-10-03 03:30 (+11:00)"
    assert "Clocks skip" in moment.note
    assert moment.shown in moment.note


def test_a_time_that_comes_twice_is_the_first_and_said_and_the_other_can_be_written() -> None:
    first = parse("2027-04-04 02:30", SYDNEY, MONDAY)
    assert first.shown == "Sun 2027-04-04 02:30 (+11:00)"
    assert "comes twice" in first.note
    other = parse("2027-04-04 02:30+10:00", SYDNEY, MONDAY)
    assert other.at - first.at == timedelta(hours=1)
    assert not other.note


def test_days_keep_the_time_of_day_when_clocks_change() -> None:
    saturday = datetime(
        2026, 10, 3, 7, 0, tzinfo=UTC
    )  # 17:00 in Sydney, summer time begins at night
    moment = parse("+1d", SYDNEY, saturday)
    assert moment.shown == "Sun 2026-10-04 17:00 (+11:00)"
    assert moment.at - saturday == timedelta(hours=23)


def test_a_zone_that_is_not_known_here_is_said() -> None:
    with pytest.raises(InvalidInput, match="Mars/Olympus"):
        zone_named("Mars/Olympus")


@given(LOCAL, ZONES)
def test_every_local_time_has_one_moment_and_a_note_unless_clocks_show_exactly_it(
    local: datetime, zone: ZoneInfo
) -> None:
    moment = resolve(local, zone)
    back = moment.at.astimezone(zone).replace(tzinfo=None)
    shows = [
        candidate
        for hours in range(-3, 4)
        for half in (0, 30)
        if (candidate := moment.at + timedelta(hours=hours, minutes=half))
        .astimezone(zone)
        .replace(tzinfo=None)
        == local
    ]
    if not shows:
        assert back > local
        assert "Clocks skip" in moment.note
    else:
        assert back == local
        assert moment.at == min(shows)
        assert bool(moment.note) == (len(shows) > 1)


@given(LOCAL, ZONES, st.datetimes(datetime(2024, 1, 1), datetime(2035, 1, 1)))  # noqa: DTZ001
def test_what_is_understood_lies_ahead_and_is_understood_again_the_same(
    local: datetime, zone: ZoneInfo, now: datetime
) -> None:
    aware = now.replace(tzinfo=UTC)
    typed = f"{local:%Y-%m-%d %H:%M}"
    try:
        moment = parse(typed, zone, aware)
    except InvalidInput:
        assert not aware < resolve(local, zone).at <= aware + FARTHEST
        return
    assert aware < moment.at <= aware + FARTHEST
    exact = parse(moment.at.isoformat(), zone, aware)
    assert (exact.at, exact.shown) == (moment.at, moment.shown)


def test_plus_1m_says_that_it_is_a_minute_and_1mo_is_a_month() -> None:
    minute = parse("+1m", SYDNEY, MONDAY)
    assert minute.at == MONDAY + timedelta(minutes=1)
    assert "+1m is 1 minute" in minute.note
    assert "+1mo" in minute.note
    assert parse("+30min", SYDNEY, MONDAY).note == ""
    month = parse("+1mo", SYDNEY, MONDAY)
    assert (month.shown, month.note) == ("Wed 2026-12-23 14:40 (+11:00)", "")
    late = datetime(2027, 1, 31, 3, tzinfo=UTC)
    assert "2027-02-28" in parse("+1mo", SYDNEY, late).shown


@given(st.dates(date(1990, 1, 1), date(2100, 1, 1)), st.integers(0, 400))
def test_so_many_months_later_is_the_same_day_or_the_last_of_a_shorter_month(
    day: date, months: int
) -> None:
    later = months_later(day, months)
    assert (later.year * 12 + later.month) - (day.year * 12 + day.month) == months
    assert later.day == day.day or (later.day < day.day and (later + timedelta(days=1)).day == 1)
    assert months_later(day, months + 1) > later
