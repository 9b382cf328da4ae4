"""Countries as files and people write them, as ISO 3166-1 alpha-2 codes."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from mission_control_tui.model.text.folding import fold

# Kosovo's code is in wide use and in iso3166, but ISO 3166-1 leaves it to its users.
_NOT_ASSIGNED = frozenset({"XK"})


def country_code(text: str) -> str | None:
    """Return the alpha-2 code of a country given by code (two or three letters) or name in any case, or None."""
    return _codes().get(fold(text))


@lru_cache(maxsize=1)
def _codes() -> dict[str, str]:
    from iso3166 import countries

    codes: dict[str, str] = {}
    for country in countries:
        if country.alpha2 in _NOT_ASSIGNED:
            continue
        for name in (country.alpha2, country.alpha3, country.name, country.apolitical_name):
            codes[fold(name)] = country.alpha2
            head, comma, tail = name.partition(", ")
            if comma:  # "Korea, Republic of"
                codes.setdefault(fold(f"{tail} {head}"), country.alpha2)
    return codes | {fold(name): code for code, name in _other_names()}


def _other_names() -> Iterator[tuple[str, str]]:
    """Yield the code and the name of each line of the lists beside this module."""
    for list_name in ("country_names.txt", "country_names_translated.txt"):
        listed = Path(__file__).with_name(list_name)
        for line in listed.read_text(encoding="utf-8").splitlines():
            if not line.startswith("#"):
                code, _, name = line.partition(" ")
                yield code, name
