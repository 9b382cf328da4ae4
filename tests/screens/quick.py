"""What each console of a test would do anew is done once a process."""

from __future__ import annotations

from typing import Any

import pytest
from textual.css.model import RuleSet
from textual.css.stylesheet import Stylesheet

_Key = tuple[object, ...]


def share(patched: pytest.MonkeyPatch) -> None:
    """Let all stylesheets with the same variables have the rules of a text in common, which nothing changes."""
    parse = Stylesheet._parse_rules
    parsed: dict[_Key, list[RuleSet]] = {}

    def parse_once(self: Stylesheet, *given: Any, **named: Any) -> list[RuleSet]:
        key = (given, tuple(named.items()), frozenset(self._variables.items()))
        if key not in parsed:
            parsed[key] = parse(self, *given, **named)
        return parsed[key]

    patched.setattr(Stylesheet, "_parse_rules", parse_once)
