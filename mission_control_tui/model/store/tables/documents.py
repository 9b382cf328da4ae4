"""The shapes of the JSON that rows keep. A key may be missing: older versions left some out."""

from __future__ import annotations

from typing import NotRequired, TypedDict


class StoredParams(TypedDict, total=False):
    """What a verb is done with, see `ActionParams`."""

    service: str
    level: str | None
    settings: dict[str, object]
    instance: str
    adopt: bool
    include_disabled: bool
    must_change: bool | None
    force: bool
    at_once: bool
    on: str
    new_password: bool


class StoredBulkParams(StoredParams, total=False):
    """The same of a bulk, with where it was started from and whether somebody takes its passwords."""

    source: str
    attended: bool


class StoredWish(TypedDict, total=False):
    """A wish that an undo states again: that for a service, or of a user as a whole whether `disabled`.

    `addresses` are those of the user that differ between before and after.
    """

    service: str
    instance: str
    wish: str
    level: str
    settings: dict[str, object]
    stated: list[str] | None
    disabled: bool
    addresses: dict[str, object]


class StoredItem(TypedDict, total=False):
    """What an item of a bulk keeps: `give` or `target` and `expected` from its order on, the wish around its turn."""

    give: StoredParams
    target: StoredWish
    expected: StoredWish
    before: StoredWish
    after: StoredWish


class StoredDeclaration(TypedDict):
    """What a connector said of itself: the ids of the options that it keeps, None for any; whether it sets passwords.

    Before that was asked nothing is said of passwords.
    """

    options: list[str] | None
    password: NotRequired[bool]


class StoredUsage(TypedDict):
    """How much of something is used, of how much (None: without end), and when that was measured (ISO 8601)."""

    value: float
    limit: float | None
    unit: str
    at: str


class StoredChange(TypedDict):
    """One change of a plan as `PlannedChange` has it; JSON values, never secrets."""

    what: str
    before: object
    after: object
    trend: str
    takes_away: bool


class StoredPlace(TypedDict, total=False):
    """Where an operator is: the screens on top of each other, each with its arguments, and what they remember."""

    account: int
    screens: list[tuple[str, list[object]]]
    memory: dict[str, object]
