"""One simulated object: how it is stored, how it looks, and how a change alters it."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime

from mission_control_tui.connect import (
    Change,
    DesiredState,
    Listed,
    Mark,
    ObservedState,
    Part,
    Pending,
    Step,
    Wish,
)

_COST = 2**10
"""Of a password's hash: a few milliseconds and a megabyte, since it guards what is only simulated."""
_FORMER_COST = 2**12
"""The same of hashes that do not say it."""


@dataclass(slots=True)
class SimulatedObject:
    """One object as the back end keeps it; of a password only its scrypt hash.

    `pending_from`, `pending_until` and `pending_deadline` are the wall clock's times, which several processes compare;
    `token` is that of the job that runs meanwhile.
    """

    external_id: str
    installation: str
    key: str
    wish: str
    level: str = ""
    limits: dict[str, object] = field(default_factory=dict)
    settings: dict[str, object] = field(default_factory=dict)
    attributes: dict[str, object] = field(default_factory=dict)
    parts: list[str] = field(default_factory=list)
    secret_generation: int = 0
    secret_id: str = ""
    password: str = ""
    pending_until: float = 0.0
    pending_from: float = 0.0
    pending_deadline: float = 0.0
    pending_words: str = ""
    look_again_after: float | None = None
    token: str = ""
    unadoptable: str = ""

    @classmethod
    def from_json(cls, text: str) -> SimulatedObject:
        """Return the object that `to_json` wrote."""
        return cls(**json.loads(text))

    def to_json(self) -> str:
        """Return everything, as one JSON object."""
        return json.dumps(asdict(self), ensure_ascii=False)

    def observed(self, layout: Sequence[Part], fence: tuple[int, int, int]) -> ObservedState:
        """Return how it looks from outside; `fence` is what its owner's last act carried."""
        missing = tuple(part.name for part in layout if part.name not in self.parts)
        return ObservedState(
            exists=True,
            mark=marked(self.installation, self.key, fence) if self.key else None,
            wish=Wish(self.wish),
            level=self.level,
            settings=self.settings,
            attributes=self.attributes,
            external_id=self.external_id,
            complete=not missing,
            pending=self._pending(),
            limits=self.limits,
            missing=missing,
            secret_generation=self.secret_generation,
            secret_id=self.secret_id,
            kept=tuple(self._kept()),
            unadoptable=self.unadoptable,
        )

    def _pending(self) -> Pending | None:
        now = time.time()
        if self.pending_until <= now:
            return None
        whole = self.pending_until - self.pending_from
        progress = (now - self.pending_from) / whole if self.pending_from and whole > 0 else None
        deadline = datetime.fromtimestamp(self.pending_deadline, UTC)
        return Pending(
            self.pending_words,
            None if progress is None else min(max(progress, 0.0), 1.0),
            deadline if self.pending_deadline else None,
            self.look_again_after,
        )

    def _kept(self) -> Iterator[str]:
        if self.password:
            yield "password"
        if self.settings:
            yield f"{len(self.settings)} {'setting' if len(self.settings) == 1 else 'settings'}"

    def listed(self, service: str, name: str, fence: tuple[int, int, int]) -> Listed:
        """Return its row of a listing."""
        mark = marked(self.installation, self.key, fence) if self.key else None
        return Listed(name, mark, self.external_id, service, Wish(self.wish), self.level)

    def takes(self, password: str) -> bool:
        """Return True when one can log in with this password."""
        return self.wish == Wish.PRESENT and bool(self.password) and _matches(password, self)

    def carry_out(self, change: Change, desired: DesiredState, step: str) -> None:
        """Alter the object as one change of the step says."""
        match change.what.split(".", 1):
            case [("limits" | "settings" | "attributes") as table, key]:
                values: dict[str, object] = getattr(self, table)
                values.pop(key, None)
                if change.after is not None:
                    values[key] = change.after
            case ["state"]:
                self.wish = desired.state
            case ["level"]:
                self.level = desired.level
            case ["owner"]:
                self.installation, self.key = desired.mark.installation, desired.mark.key
                # The former owner's generations say nothing about the new one's.
                self.secret_generation, self.secret_id = 0, ""
            case ["password"]:
                self.password = password_hash(desired.secret or "")
                self.secret_generation = desired.mark.generation
                self.secret_id = desired.secret_id
            case ["generation"]:
                pass
            case _:
                there = change.after != "absent"
                self.parts = [part for part in self.parts if part != step] + [step] * there


def marked(installation: str, key: str, fence: tuple[int, int, int]) -> Mark:
    """Return the owner's mark with this fence: (epoch, generation, attempt)."""
    epoch, generation, attempt = fence
    return Mark(installation, key, generation, attempt, epoch)


def effects_of(step: Step) -> list[tuple[str, list[Change]]]:
    """Return (effect, its changes) of a step for the ledger; writing the fence alone is no effect."""
    own = {change.what: change for change in step.changes}
    own.pop("generation", None)
    effects: list[tuple[str, list[Change]]] = []
    for what, effect in (("owner", "adopted"), ("password", "password set")):
        if what in own:
            effects.append((effect, [own.pop(what)]))
    if step.name in own:
        effect = "removed" if own[step.name].after == "absent" else "created"
        effects.insert(0, (effect, list(own.values())))
    elif own:
        effects.append(("changed", list(own.values())))
    return effects


def password_hash(password: str) -> str:
    salt = os.urandom(16).hex()
    return f"{_COST}${salt}${_scrypt(password, salt, _COST)}"


def _matches(password: str, kept: SimulatedObject) -> bool:
    *cost, salt, expected = kept.password.split("$")
    found = _scrypt(password, salt, int(cost[0]) if cost else _FORMER_COST)
    return hmac.compare_digest(found, expected)


def _scrypt(password: str, salt: str, cost: int) -> str:
    return hashlib.scrypt(password.encode(), salt=bytes.fromhex(salt), n=cost, r=8, p=1).hex()
