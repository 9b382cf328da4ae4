"""A date and time as an operator types it, understood in an account's time zone.

Two hours of the year need a rule, and it is said whenever it is used. A local time that clocks skip (summer time
begins) means so much later as they skip: 02:30 becomes 03:30. One that they show twice (summer time ends) means the
first of the two. Whoever wants the other one writes the offset: 2026-04-05T02:30+10:00.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import TYPE_CHECKING

from mission_control_tui.model.errors import InvalidInput, Problem, ProblemCode
from mission_control_tui.model.text.counting import counted

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

FARTHEST = timedelta(days=3660)
"""Later than this is a slip of the finger."""

EXAMPLES = "Write 2026-12-01 09:00, tomorrow 18:00, fri 17:00, 18:00, +2h or +1mo."

LIKELY_MONTHS = 12
"""Up to so many, "m" may have been meant for months, and is said to be minutes."""

_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_CLOCK = re.compile(r"(\d{1,2}):(\d{2})")
_AFTER = re.compile(r"\+\s*(\d{1,4})\s*(min|mo|m|h|d|w)")
_UNITS = {"m": "minutes", "min": "minutes", "h": "hours", "d": "days", "w": "weeks"}


@dataclass(frozen=True, slots=True)
class LocalTime:
    """A moment: `at` in UTC, `shown` in the account's zone, `note` where the zone's clocks needed a rule."""

    at: datetime
    shown: str
    note: str = ""


def zone_named(name: str) -> ZoneInfo:
    """Return the time zone of this name. Raises InvalidInput where this machine does not know it."""
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise InvalidInput(
            f"The account's time zone {name!r} is not known here.",
            hint="Correct it with `mission-control account edit`, or install the package tzdata.",
        ) from error


def today_of(account_zone: str, now: datetime) -> date:
    """Return the day that it is at `now` in the zone of this name."""
    return now.astimezone(zone_of(account_zone)).date()


def shown(at: datetime, zone: tzinfo) -> str:
    """Return a moment for people in `zone`, with its offset: "Tue 2026-12-01 09:00 (+11:00)"."""
    local = at.astimezone(zone)
    days = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
    offset = f"{local:%z}"
    return f"{days[local.weekday()]} {local:%Y-%m-%d %H:%M} ({offset[:3]}:{offset[3:5]})"


def parse(text: str, zone: ZoneInfo, now: datetime) -> LocalTime:
    """Return the moment that `text` means, when it is `now`.

    `text` is a date and a time (ISO 8601, with an offset or without), "today", "tomorrow" or a day of the week with a
    time, a time alone (its next), or "+30m", "+2h", "+3d", "+1w", "+1mo" from now. Raises InvalidInput: not
    understood, no time, past, or more than ten years ahead.
    """
    words = " ".join(text.casefold().split())
    here = now.astimezone(zone)
    if after := _AFTER.fullmatch(words):
        count, unit = int(after[1]), after[2]
        if unit == "mo":
            day = months_later(here.date(), count)
            moment = resolve(datetime.combine(day, here.time()), zone)
        elif unit in {"d", "w"}:
            day = here.date() + timedelta(**{_UNITS[unit]: count})
            moment = resolve(datetime.combine(day, here.time()), zone)
        else:
            moment = _exact(now + timedelta(**{_UNITS[unit]: count}), zone)
            if unit == "m" and count <= LIKELY_MONTHS:
                minutes = counted(count, "minute")
                note = f"+{count}m is {minutes}, {moment.shown}; for months write +{count}mo."
                moment = replace(moment, note=note)
    else:
        moment = _on_a_day(text, words, zone, here)
    if moment.at <= now:
        raise _refused(text, f"is past: it is {shown(now, zone)} there", ProblemCode.PAST)
    if moment.at - now > FARTHEST:
        raise _refused(text, "is more than ten years ahead")
    return moment


def months_later(day: date, months: int) -> date:
    """Return the same day of a month so many later, the month's last day where it is shorter.

    Counted from the first day each time, 31 January comes back to the 31st in March, and 29 February in leap years.
    Raises OverflowError past the year 9999.
    """
    number = day.year * 12 + day.month - 1 + months
    year, month = divmod(number, 12)
    if not date.min.year <= year <= date.max.year:
        raise OverflowError(f"{months} months after {day} is no date.")
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def resolve(local: datetime, zone: ZoneInfo) -> LocalTime:
    """Return the moment at which clocks in `zone` show the naive `local`, by the rule of this module."""
    first, second = (local.replace(tzinfo=zone, fold=fold) for fold in (0, 1))
    at = first.astimezone(UTC)
    found = shown(at, zone)
    if at.astimezone(zone).replace(tzinfo=None) != local:
        note = f"Clocks skip {local:%H:%M} that day: taken as {found}."
        return LocalTime(at, found, note)
    if first.utcoffset() != second.utcoffset():
        note = f"{local:%H:%M} comes twice: the first is taken, {found}."
        return LocalTime(at, found, note)
    return LocalTime(at, found)


def _exact(at: datetime, zone: ZoneInfo) -> LocalTime:
    at = at.astimezone(UTC)
    return LocalTime(at, shown(at, zone))


def _on_a_day(text: str, words: str, zone: ZoneInfo, here: datetime) -> LocalTime:
    if clock := _CLOCK.fullmatch(words):
        return _next(lambda day: day, here, _time(text, clock), zone, step=1)
    first, _, rest = words.partition(" ")
    clock = _CLOCK.fullmatch(rest)
    if first in {"today", "tomorrow"} or _weekday(first) is not None:
        if clock is None:
            raise _refused(text, "has no time")
        at = _time(text, clock)
        weekday = _weekday(first)
        if weekday is None:
            day = here.date() + timedelta(days=first == "tomorrow")
            return resolve(datetime.combine(day, at), zone)
        ahead = (weekday - here.weekday()) % 7
        return _next(lambda day: day + timedelta(days=ahead), here, at, zone, step=7)
    return _iso(text, words, zone)


def _next(
    start: Callable[[date], date], here: datetime, at: time, zone: ZoneInfo, *, step: int
) -> LocalTime:
    """Return the first such day whose time is still ahead."""
    day = start(here.date())
    moment = resolve(datetime.combine(day, at), zone)
    if moment.at <= here:
        moment = resolve(datetime.combine(day + timedelta(days=step), at), zone)
    return moment


def _iso(text: str, words: str, zone: ZoneInfo) -> LocalTime:
    try:
        date.fromisoformat(words)
    except ValueError:
        pass
    else:
        raise _refused(text, "has no time")
    day, _, clock = words.replace("t", " ", 1).partition(" ")
    if found := _CLOCK.fullmatch(clock):
        clock = f"{int(found[1]):02d}:{found[2]}"
    try:
        local = datetime.fromisoformat(f"{day} {clock.replace('z', '+00:00')}")
        return resolve(local, zone) if local.tzinfo is None else _exact(local, zone)
    except (ValueError, OverflowError) as error:
        raise _refused(text, "is no date and time") from error


def _weekday(word: str) -> int | None:
    found = [number for number, day in enumerate(_DAYS) if len(word) > 2 and day.startswith(word)]
    return found[0] if len(found) == 1 else None


def _time(text: str, clock: re.Match[str]) -> time:
    hour, minute = int(clock[1]), int(clock[2])
    if hour > 23 or minute > 59:
        raise _refused(text, "has no such time of day")
    return time(hour, minute)


def _refused(text: str, what: str, code: ProblemCode = ProblemCode.INVALID) -> InvalidInput:
    from mission_control_tui.model.text.clean import harmless

    said = f"{harmless(text)!r} {what}" if text.strip() else "is needed"
    return InvalidInput(
        "That date and time cannot be used.",
        problems=[Problem("when", said, code=code)],
        hint=EXAMPLES,
    )


def zone_of(name: str) -> tzinfo:
    """Return the time zone of this IANA name; UTC where this machine does not know it."""
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return UTC
