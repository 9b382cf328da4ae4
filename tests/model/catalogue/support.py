"""The shipped catalogue, parsed once, and a small file to break."""

from __future__ import annotations

from functools import cache

from mission_control_tui.model.catalogue.file.parse import parse
from mission_control_tui.model.catalogue.file.shipped import shipped
from mission_control_tui.model.catalogue.types import Catalogue

SMALL = """\
format = 1
currency = "AUD"

[tax]
name = "GST"
basis_points = 1000

[[services]]
id = "mail"
name = "Mail"
connector = "simulator"
name_pattern = "{account}_{username}"

[[services.levels]]
id = "basic"
name = "Basic"

[[services.levels]]
id = "full"
name = "Full"

[[services.options]]
id = "quota"
name = "Quota"
type = "int"
unit = "MB"
default = 100
minimum = 10
maximum = 500
per_level = { basic = { maximum = 200 } }

[[services.options]]
id = "extras"
name = "Extras"
type = "bool"
levels = ["full"]

[[products]]
id = "email"
name = "Email"
terms = [1, 12]

[[products.levels]]
id = "basic"
name = "Basic Mail"
grants_service = "mail"
grants_level = "basic"
prices = { 1 = 300, 12 = 3000 }
"""


@cache
def shipped_catalogue() -> Catalogue:
    return parse(shipped(), "the shipped catalogue", connectors=["simulator"])


@cache
def small() -> Catalogue:
    return parse(SMALL)


def line_of(text: str, fragment: str) -> int:
    """The only line that has `fragment`, counted from 1."""
    lines = [number for number, line in enumerate(text.splitlines(), 1) if fragment in line]
    assert len(lines) == 1, (fragment, lines)
    return lines[0]
