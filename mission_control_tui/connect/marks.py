"""The mark of an object at the back end: who owns it and by which act, in long and in short forms of text."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Literal

import msgspec

SHORT_INSTALLATION = 8
SHORT_LENGTH = 40
"""Characters of the short form: 8 of the installation, 32 of the key."""

_SHORT = re.compile(r"([0-9a-f]{8})([0-9a-f]{32})")
_FENCE = re.compile(r"(\d{1,9})\.(\d{1,9})\.(\d{1,10})")


@dataclass(frozen=True, slots=True)
class Mark:
    """The owner of an object at the back end: written there, read back by `observe`.

    `installation` and `key` (the assignment's immutable id) say who owns it. `epoch`, `generation`
    and `attempt` are the fence: a connector refuses (kind stale) to apply a desired state whose
    fence is older than the one that it finds. An installation that was restored from a backup, and
    so counts generations again, goes on in a higher epoch; marks that carry none are of the first.
    """

    installation: str
    key: str
    generation: int = 0
    attempt: int = 0
    epoch: int = 1

    @property
    def fence(self) -> tuple[int, int, int]:
        """(epoch, generation, attempt): of two desired states of one object the greater is the newer."""
        return (self.epoch, self.generation, self.attempt)

    def is_ahead_of(self, other: Mark) -> bool:
        """Return True when this is a newer mark of the owner that `other` names."""
        return self.same_owner(other) and self.fence > other.fence

    def same_owner(self, other: Mark | None) -> bool:
        """Return True when `other` is this very assignment of this very installation."""
        return other is not None and (self.installation, self.key) == (
            other.installation,
            other.key,
        )


class _Written(msgspec.Struct):
    """A note as it is kept."""

    mission_control: Literal[1]
    installation: str
    key: str
    generation: int
    attempt: int
    level: str
    secret: int
    epoch: int = 1
    secret_id: str = ""


@dataclass(frozen=True, slots=True)
class Note:
    """The long form: all that a connector has to keep beside an object, as one line of JSON.

    Its owner and fence, its level, and which password it has, since which generation.
    """

    mark: Mark
    level: str = ""
    secret_generation: int = 0
    secret_id: str = ""

    def to_text(self) -> str:
        """Return it as one line of ASCII, some 250 characters."""
        mark = self.mark
        written = _Written(
            1,
            mark.installation,
            mark.key,
            mark.generation,
            mark.attempt,
            self.level,
            self.secret_generation,
            mark.epoch,
            self.secret_id,
        )
        return msgspec.json.encode(written).decode()

    @classmethod
    def from_text(cls, text: str | None) -> Note | None:
        """Return what `to_text` wrote; None for a text of anybody else."""
        try:
            body = msgspec.json.decode(text or "", type=_Written)
        except msgspec.DecodeError:
            return None
        mark = Mark(body.installation, body.key, body.generation, body.attempt, body.epoch)
        return cls(mark, body.level, body.secret, body.secret_id)


def short_mark(mark: Mark) -> str:
    """Return the owner in 40 hexadecimal digits, for a field that holds no more; the fence goes elsewhere.

    Raises ValueError for ids that are none of Mission Control's.
    """
    text = mark.installation[:SHORT_INSTALLATION] + mark.key
    if not _SHORT.fullmatch(text):
        raise ValueError("a short mark is made of hexadecimal ids")
    return text


def read_short_mark(text: str | None, installation: str) -> Mark | None:
    """Return the owner that a short mark names, without a fence; None for a text of anybody else.

    Another installation's is the beginning of its id alone.
    """
    found = _SHORT.fullmatch((text or "").strip())
    if found is None:
        return None
    whose, key = found.groups()
    return Mark(installation if installation.startswith(whose) else whose, key)


def fence_text(mark: Mark) -> str:
    """Return the fence as "EPOCH.GENERATION.ATTEMPT"."""
    return ".".join(map(str, mark.fence))


def with_fence(mark: Mark, text: str | None) -> Mark:
    """Return the mark with the fence that `fence_text` wrote; as it is where there is none."""
    found = _FENCE.fullmatch((text or "").strip())
    if found is None:
        return mark
    epoch, generation, attempt = map(int, found.groups())
    return replace(mark, epoch=epoch, generation=generation, attempt=attempt)
