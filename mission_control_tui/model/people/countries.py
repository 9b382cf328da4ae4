"""Countries as files and people write them, as ISO 3166-1 alpha-2 codes."""

from __future__ import annotations

from functools import lru_cache

from mission_control_tui.model.text import fold

# Names in common use that ISO 3166 does not list; all others come from pycountry.
_COMMON_NAMES = {
    "america": "US",
    "bonaire": "BQ",
    "britain": "GB",
    "british virgin islands": "VG",
    "brunei": "BN",
    "burma": "MM",
    "cape verde": "CV",
    "congo": "CG",
    "democratic republic of the congo": "CD",
    "dr congo": "CD",
    "east timor": "TL",
    "england": "GB",
    "falkland islands": "FK",
    "great britain": "GB",
    "holland": "NL",
    "ivory coast": "CI",
    "korea": "KR",
    "macau": "MO",
    "macedonia": "MK",
    "micronesia": "FM",
    "northern ireland": "GB",
    "palestine": "PS",
    "republic of the congo": "CG",
    "russia": "RU",
    "saint helena": "SH",
    "scotland": "GB",
    "south korea": "KR",
    "swaziland": "SZ",
    "the bahamas": "BS",
    "the gambia": "GM",
    "the netherlands": "NL",
    "the philippines": "PH",
    "turkey": "TR",
    "u.k.": "GB",
    "u.s.": "US",
    "u.s.a.": "US",
    "uae": "AE",
    "uk": "GB",
    "us virgin islands": "VI",
    "vatican": "VA",
    "vatican city": "VA",
    "wales": "GB",
}


def country_code(text: str) -> str | None:
    """The alpha-2 code of a country given by code (two or three letters) or name in any case, or None."""
    return _codes().get(fold(text))


def country_name(code: str) -> str:
    """The name to show for an alpha-2 code; the code itself when it is none."""
    import pycountry

    country = pycountry.countries.get(alpha_2=code.upper())
    return code if country is None else getattr(country, "common_name", country.name)


@lru_cache(maxsize=1)
def _codes() -> dict[str, str]:
    import pycountry

    codes = dict(_COMMON_NAMES)
    for country in pycountry.countries:
        for kind in ("alpha_2", "alpha_3", "name", "official_name", "common_name"):
            name = getattr(country, kind, None)
            if name:
                codes[fold(name)] = country.alpha_2
                head, comma, tail = name.partition(", ")
                if comma:  # "Korea, Republic of"
                    codes.setdefault(fold(f"{tail} {head}"), country.alpha_2)
    return codes
