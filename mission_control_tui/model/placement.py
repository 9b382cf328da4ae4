"""Which of several connectors serves what is new of a service: a rule of the settings, and no database."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class PlacementRule(StrEnum):
    """How one of several connectors is chosen."""

    FEWEST = "fewest"
    """Where the fewest are, in proportion to the weights."""
    ACCOUNT = "account"
    """Where the account has most of its own already; its first one goes where the fewest are."""
    FIRST = "first"
    """The first one that takes more, in the order of the settings."""


@dataclass(frozen=True, slots=True)
class PlacementLoad:
    """What is known of the connectors when one is chosen: how many are at each, in all and of the account.

    `paused` are those that are paused now.
    """

    counts: Mapping[str, int] = field(default_factory=dict)
    own: Mapping[str, int] = field(default_factory=dict)
    paused: Collection[str] = ()


@dataclass(frozen=True, slots=True)
class Placement:
    """The connectors that serve a service between them, and how one is chosen for what is new.

    `closed` ones take nothing new, nor do those that have their `most`. `observing` are those that may not write.
    `others` are the settings' other connectors: they may have what was placed there before. `parts` has the connector
    of each part, of every composite among all of these.
    """

    connectors: tuple[str, ...]
    rule: PlacementRule = PlacementRule.FEWEST
    closed: frozenset[str] = frozenset()
    most: Mapping[str, int] = field(default_factory=dict)
    weights: Mapping[str, float] = field(default_factory=dict)
    observing: frozenset[str] = frozenset()
    parts: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    others: frozenset[str] = frozenset()

    def knows(self, connector: str) -> bool:
        """Tell whether the settings have the connector, so that its parts are known."""
        return connector in self.connectors or connector in self.others

    def refusal(self, connector: str, load: PlacementLoad) -> str:
        """Return why a connector takes nothing new by the rule; "" where it does."""
        if connector in self.closed:
            return "closed"
        most = self.most.get(connector)
        there = load.counts.get(connector, 0)
        return f"full ({there} of {most})" if most is not None and there >= most else ""

    def choose(self, load: PlacementLoad) -> str | None:
        """Return the connector for what is new, None where every one is closed or full.

        One that is paused or only observes is passed over while another takes it, but for an account's own.
        """
        takes = [each for each in self.connectors if not self.refusal(each, load)]
        if self.rule is PlacementRule.ACCOUNT:
            own = [each for each in takes if load.own.get(each)]
            if own:
                return max(own, key=lambda each: load.own[each])
        able = [each for each in takes if each not in self.observing] or takes
        able = [each for each in able if each not in load.paused] or able
        if self.rule is PlacementRule.FIRST:
            return next(iter(able), None)
        return min(able, key=lambda each: self._part_taken(each, load), default=None)

    def _part_taken(self, connector: str, load: PlacementLoad) -> float:
        return load.counts.get(connector, 0) / self.weights.get(connector, 1)

    def parts_of(self, connector: str) -> Mapping[str, str]:
        """Return the connectors that have an object of what is placed there, by the part's name; "" without parts."""
        return self.parts.get(connector) or {"": connector}

    def sharing(self, connectors: Collection[str]) -> frozenset[str]:
        """Return these connectors and all others where something may have an object at a back end of theirs."""
        back_ends = {part for each in connectors for part in self.parts_of(each).values()}
        wholes = (
            each for each, parts in self.parts.items() if not back_ends.isdisjoint(parts.values())
        )
        return frozenset({*connectors, *back_ends, *wholes})
