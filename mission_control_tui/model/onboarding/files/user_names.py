"""The users that a file names: a list, one a line, or a file of users of which only the names count."""

from __future__ import annotations

import re
from collections.abc import Sequence

from mission_control_tui.model.errors import InvalidInput, Problem
from mission_control_tui.model.onboarding.files.columns import heading_key
from mission_control_tui.model.onboarding.files.detect import COMMENT, Record
from mission_control_tui.model.onboarding.files.formats import FORMATS
from mission_control_tui.model.onboarding.files.workbook import open_rows
from mission_control_tui.model.text.spreadsheet_cells import damage, free

_NO_NAME = re.compile(r"[\s,;\"<>]")
"""What neither an address nor a username has: a cell with it holds more than one name."""

_ADDRESSES = ("Email", "E-mail", "Email address", "E-mail address", "Mail")
_HEADINGS = (
    {heading_key(word): 3 for word in _ADDRESSES}
    | {heading_key(word): 2 for word in ("sAMAccountName", "Object ID", "id", "User", "Users")}
    | {
        key: rank
        for rank, name in enumerate(("upn", "username"))
        for kind in FORMATS
        for key, column in kind.columns.items()
        if column.field == name
    }
)
"""The headings of columns that name users, with their rank: the UPN before the username, any address last."""

_NAMED = 20


def user_names(data: bytes, source: str) -> list[str]:
    """Return the names in a file, each once: UPNs, aliases, usernames or ids.

    Raises InvalidInput by row. It never shows a cell: what is no name may be a whole row with a password.
    """
    records = [record for record in open_rows(data).records() if any(map(str.strip, record.cells))]
    column = _column(records)
    rows = records[1:] if column is not None else records
    named = [(record, _cell(record, column or 0)) for record in rows]
    named = [(record, name) for record, name in named if damage(name) or not COMMENT.match(name)]
    problems = [
        Problem(f"row {record.row}", what, "one UPN or username in a row")
        for record, name in named
        if (what := _wrong(name))
    ]
    if problems:
        more = len(problems) - _NAMED
        raise InvalidInput(
            f"{source} names no user in some rows{f', {more} more than are shown' * (more > 0)}. "
            "Nothing was changed.",
            problems=problems[:_NAMED],
        )
    if not named:
        raise InvalidInput(f"{source} names nobody.", hint="It needs one UPN a line.")
    return list(dict.fromkeys(name for _, name in named))


def _column(records: Sequence[Record]) -> int | None:
    """Return the column that names the users by its heading; None where the file is a list without one.

    Raises InvalidInput where there are several columns and no heading of one that names users.
    """
    if not records:
        return None
    headings = [heading_key(cell) for cell in records[0].cells]
    known = [(_HEADINGS[key], index) for index, key in enumerate(headings) if key in _HEADINGS]
    if known:
        return min(known)[1]
    if all(sum(bool(cell.strip()) for cell in record.cells) <= 1 for record in records):
        return None
    raise InvalidInput(
        "No column of this file names users.",
        hint="Head the one that does with UPN, Username or Email, or keep that column alone.",
    )


def _cell(record: Record, column: int) -> str:
    cells = record.cells
    return free(cells[column].strip()) if column < len(cells) else ""


def _wrong(name: str) -> str:
    if not name:
        return "has no UPN"
    return "holds no single name" if _NO_NAME.search(name) else damage(name)
