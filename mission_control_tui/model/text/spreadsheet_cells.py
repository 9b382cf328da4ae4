"""Cells that a spreadsheet would evaluate: protected by an apostrophe when written, freed of it when read."""

from __future__ import annotations

import re

# An apostrophe goes before these (OWASP: CSV injection); any apostrophes before them count, so that freeing is exact.
_PROTECTED = re.compile(r"'*[=+\-@\t\r]")


def protect(cell: str) -> str:
    """`cell` with an apostrophe before it where a spreadsheet would evaluate it; free() undoes exactly that."""
    return "'" + cell if _PROTECTED.match(cell) else cell


def free(cell: str) -> str:
    """`cell` without the one apostrophe that protect() (or any exporter that does the same) put before it."""
    return cell[1:] if cell.startswith("'") and _PROTECTED.match(cell) else cell
