"""What a back end would be changed in: typed, bounded, without secrets, in words, and summed up over many."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from mission_control_tui.model.store.tables.documents import StoredChange
from mission_control_tui.model.text.clean import harmless
from mission_control_tui.model.text.differences import value_text
from mission_control_tui.model.views import EventView

MOST_CHANGES = 40
"""Changes of one plan that are kept; the others are counted."""
TEXT_LIMIT = 200
"""Characters that are kept of a value."""
LIST_LIMIT = 20
"""Entries that are kept of a list."""
UNLIMITED = "unlimited"
HIDDEN_SET, HIDDEN_CHANGED = "set", "changed"
"""What stands in the place of a secret."""

_SECRET = re.compile(r"pass(word|wd|phrase)|secret|token|credential|private", re.IGNORECASE)
_FENCE = "generation"
PASSWORD = "password"


class Trend(StrEnum):
    """Which way a change goes."""

    CREATED = "created"
    REMOVED = "removed"
    TAKEN_OVER = "taken over"
    SUSPENDED = "suspended"
    RESUMED = "resumed"
    SMALLER = "smaller"
    FEWER = "fewer"
    LARGER = "larger"
    MORE = "more"
    SET = "set"
    CHANGED = "changed"


LOSING = frozenset({Trend.REMOVED, Trend.SMALLER, Trend.FEWER})
"""Ways by which something is taken away."""
_SAY_ALL = frozenset({Trend.TAKEN_OVER, Trend.SUSPENDED, Trend.RESUMED})
"""What needs no word for what it is about."""


@dataclass(frozen=True, slots=True)
class ChangeKind:
    """One kind of change, counted over many: "quota smaller"."""

    what: str
    trend: Trend
    takes_away: bool

    @property
    def words(self) -> str:
        """Name the kind for people: "password", "quota smaller", "mailbox created"."""
        if self.what == PASSWORD:
            return PASSWORD
        if self.trend in _SAY_ALL:
            return str(self.trend)
        return f"{name_of(self.what)} {self.trend}"


@dataclass(frozen=True, slots=True)
class PlannedChange:
    """One difference between what a back end has and what it should have; never a secret.

    `what` is what the connector calls it: "limits.quota_mb", "password", or a part that is made or goes.
    """

    what: str
    before: object
    after: object
    trend: Trend
    takes_away: bool

    @property
    def kind(self) -> ChangeKind:
        """What it is counted as."""
        return ChangeKind(self.what, self.trend, self.takes_away)

    @property
    def words(self) -> str:
        """Say it on one line: "quota mb: 7000 -> 5120 (smaller)"."""
        if self.what == PASSWORD:
            return f"{PASSWORD}: {self.after}"
        if self.trend in (Trend.CREATED, Trend.REMOVED) and "." not in self.what:
            return f"{name_of(self.what)}: {self.trend}"
        note = f" ({self.trend})" if self.trend not in (Trend.CHANGED, Trend.SET) else ""
        return f"{name_of(self.what)}: {value_text(self.before)} -> {value_text(self.after)}{note}"


@dataclass(frozen=True, slots=True)
class PlannedChanges:
    """The changes of one plan: what takes something away first. `left_out` are more than are kept."""

    changes: tuple[PlannedChange, ...] = ()
    left_out: int = 0

    @property
    def count(self) -> int:
        """How many there are, with those left out."""
        return len(self.changes) + self.left_out

    @property
    def kinds(self) -> tuple[ChangeKind, ...]:
        """The kinds that occur, each once."""
        return tuple(dict.fromkeys(change.kind for change in self.changes))

    @property
    def lines(self) -> tuple[str, ...]:
        """Say each change on a line of its own."""
        more = (f"and {self.left_out} more",) if self.left_out else ()
        return (*(change.words for change in self.changes), *more)

    @property
    def words(self) -> str:
        """Say on one line which kinds there are: "quota smaller, password"."""
        return ", ".join(dict.fromkeys(kind.words for kind in self.kinds))

    def holds(self, other: PlannedChanges) -> bool:
        """Tell whether nothing in `other` goes beyond these."""
        return other.left_out <= self.left_out and all(
            change in self.changes for change in other.changes
        )


def planned(what: str, before: object, after: object, *, takes_away: bool) -> PlannedChange:
    """Return one change as it may be kept and shown: bounded, "set" or "changed" in the place of a secret."""
    trend = _trend(what, before, after)
    loses = takes_away or trend in LOSING
    if _SECRET.search(what):
        told = HIDDEN_SET if trend is Trend.SET else HIDDEN_CHANGED
        hidden = None if _unset(before) else HIDDEN_SET
        return PlannedChange(
            what[:TEXT_LIMIT], hidden, None if _unset(after) else told, trend, loses
        )
    return PlannedChange(what[:TEXT_LIMIT], _bounded(before), _bounded(after), trend, loses)


def together(changes: Iterable[PlannedChange]) -> PlannedChanges:
    """Return the changes of one plan, what takes something away first; the fence is nothing that anybody sees.

    A password is set on what is made, else changed; on what is taken over that takes one away.
    """
    shown = [change for change in changes if change.what != _FENCE]
    trends = {change.trend for change in shown}
    if Trend.CREATED not in trends:
        shown = [
            replace(
                change,
                after=HIDDEN_CHANGED,
                takes_away=change.takes_away or Trend.TAKEN_OVER in trends,
            )
            if change.what == PASSWORD
            else change
            for change in shown
        ]
    shown.sort(key=lambda change: not change.takes_away)
    return PlannedChanges(tuple(shown[:MOST_CHANGES]), max(0, len(shown) - MOST_CHANGES))


def stored(changes: PlannedChanges) -> list[StoredChange]:
    """Return them as a row keeps them."""
    return [
        StoredChange(
            what=change.what,
            before=change.before,
            after=change.after,
            trend=str(change.trend),
            takes_away=change.takes_away,
        )
        for change in changes.changes
    ]


def read_changes(rows: Sequence[object], left_out: int = 0) -> PlannedChanges:
    """Return what a row keeps; what a later version wrote in another shape is left out."""
    found = tuple(change for row in rows if (change := _read(row)) is not None)
    return PlannedChanges(found, left_out)


def changed_in(event: EventView) -> PlannedChanges:
    """Return what the step of an event changed; nothing where it is no step, or changed nothing."""
    rows, left_out = event.detail.get("changes"), event.detail.get("left_out", 0)
    if not isinstance(rows, list):
        return PlannedChanges()
    return read_changes(rows, left_out if isinstance(left_out, int) else 0)


def kinds_text(changes: PlannedChanges) -> str:
    """Return the kinds as one text: plans of the same kinds have the same one."""
    kinds = sorted({(kind.what, str(kind.trend), kind.takes_away) for kind in changes.kinds})
    return json.dumps(kinds)


def read_kinds(text: str) -> tuple[ChangeKind, ...]:
    """Return the kinds of `kinds_text`."""
    return tuple(
        ChangeKind(what, Trend(trend), bool(away)) for what, trend, away in json.loads(text)
    )


def counted(
    plans: Iterable[tuple[Sequence[ChangeKind], int]],
) -> tuple[tuple[ChangeKind, int], ...]:
    """Sum up kinds over many plans, each said with how many plans have them: what takes away first, then the most."""
    counts: Counter[ChangeKind] = Counter()
    for kinds, many in plans:
        for kind in kinds:
            counts[kind] += many
    return tuple(
        sorted(counts.items(), key=lambda item: (not item[0].takes_away, -item[1], item[0].words))
    )


def summary_words(counts: Iterable[tuple[ChangeKind, int]]) -> str:
    """Say it on one line: "212 x quota smaller, 280 x password"."""
    return ", ".join(f"{many} x {kind.words}" for kind, many in counts)


def name_of(what: str) -> str:
    """Return what a change is about, without the table that it stands in: "limits.quota_mb" is "quota mb"."""
    return harmless(what.split(".", 1)[-1].replace("_", " "))


def _read(row: object) -> PlannedChange | None:
    if not isinstance(row, Mapping):
        return None
    what, before, after = str(row.get("what", "")), row.get("before"), row.get("after")
    trend, takes_away = row.get("trend"), bool(row.get("takes_away"))
    if trend is None:  # a step of an older version
        return planned(what, before, after, takes_away=takes_away)
    if trend not in set(Trend):
        return None
    return PlannedChange(what, before, after, Trend(trend), takes_away)


def _unset(value: object) -> bool:
    return value is None or (isinstance(value, str | Sequence | Mapping) and len(value) == 0)


def _trend(what: str, before: object, after: object) -> Trend:
    match what, after:
        case "owner", _:
            return Trend.TAKEN_OVER
        case "state", "suspended":
            return Trend.SUSPENDED
        case "state", "present" if before == "suspended":
            return Trend.RESUMED
        case "state", "absent":
            return Trend.REMOVED
        case "state", "present":
            return Trend.CREATED
    if "." not in what and (before, after) == ("absent", "present"):
        return Trend.CREATED
    if "." not in what and (before, after) == ("present", "absent"):
        return Trend.REMOVED
    if _unset(before):
        return Trend.SET
    if _unset(after):
        return Trend.REMOVED
    return _between(before, after)


def _between(before: object, after: object) -> Trend:
    numbers = _number(before), _number(after)
    if numbers[0] is not None and numbers[1] is not None:
        return Trend.SMALLER if numbers[1] < numbers[0] else Trend.LARGER
    if isinstance(before, list | tuple) and isinstance(after, list | tuple):
        had, has = {*map(repr, before)}, {*map(repr, after)}
        if not had <= has:
            return Trend.FEWER
        return Trend.MORE if has - had else Trend.CHANGED
    return Trend.CHANGED


def _number(value: object) -> float | None:
    if value == UNLIMITED:
        return float("inf")
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _bounded(value: object) -> object:
    """Return a JSON value of bounded size."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, str):
        return _cut(value)
    if isinstance(value, list | tuple | set | frozenset):
        entries = sorted(map(str, value)) if isinstance(value, set | frozenset) else list(value)
        kept = [_cut(value_text(entry)) for entry in entries[:LIST_LIMIT]]
        more = len(entries) - len(kept)
        return [*kept, *([f"and {more} more"] if more else [])]
    return _cut(value_text(value))


def _cut(text: str) -> str:
    return text if len(text) <= TEXT_LIMIT else f"{text[: TEXT_LIMIT - 3]}..."
