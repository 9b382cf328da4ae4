"""The domains that a file names: a list, one a line, or a file with a column of them."""

from __future__ import annotations

from mission_control_tui.model.errors import InvalidInput
from mission_control_tui.model.onboarding.files.columns import heading_key
from mission_control_tui.model.onboarding.files.detect import COMMENT
from mission_control_tui.model.onboarding.files.workbook import open_rows

_HEADINGS = frozenset(map(heading_key, ("Domain", "Domains", "Domain Name", "Name", "Zone")))


def domain_names(data: bytes, source: str) -> list[str]:
    """Return the names in a file, each once. Raises InvalidInput."""
    records = [record for record in open_rows(data).records() if any(map(str.strip, record.cells))]
    headings = [heading_key(cell) for cell in records[0].cells] if records else []
    column = next((place for place, key in enumerate(headings) if key in _HEADINGS), None)
    if column is None and any(sum(map(bool, record.cells)) > 1 for record in records):
        raise InvalidInput(
            f"{source} has several columns and none of domains.", hint="Call that one Domain."
        )
    rows = records if column is None else records[1:]
    place = column or 0
    names = (record.cells[place].strip() for record in rows if place < len(record.cells))
    found = list(dict.fromkeys(name for name in names if name and not COMMENT.match(name)))
    if not found:
        raise InvalidInput(f"{source} names no domain.", hint="It needs one domain a line.")
    return found
