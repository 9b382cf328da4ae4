"""Columns of files: what a heading stands for, and what its cells state."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from mission_control_tui.model.people.fields import FIELD_BY_NAME


class Use(StrEnum):
    """What becomes of a column."""

    FIELD = "field"
    PASSWORD = "password"
    ALIASES = "aliases"  # further addresses, several in a cell
    SERVICES = "gives"  # what the user gets: see RowServices
    REFUSED = "refused"  # a row that states anything here cannot be imported
    UNUSED = "unused"  # known, but there is no field for it


@dataclass(frozen=True, slots=True)
class FormatColumn:
    """One column of a format.

    `rank` orders columns that state the same field: a higher one counts only where the lower ones are empty. `words`
    maps the cells (lower case) of a column that is not simply yes or no to a flag. `says_nothing` lists cells that
    mean "leave it alone". `reason` is why a REFUSED cell is refused, or what the operator is told of an UNUSED one.
    Where the cell of the column `kind_heading` says what kind of value this is, `kinds` has the field of each.
    """

    heading: str
    use: Use = Use.UNUSED
    field: str = ""
    rank: int = 0
    words: Mapping[str, bool] | None = None
    says_nothing: tuple[str, ...] = ()
    reason: str = ""
    kind_heading: str = ""
    kinds: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Format:
    """A kind of file. `compulsory` are fields that need a column; `columns` has them by heading_key.

    `names_make_display_name` is for systems without a display name: it is then First Last.
    """

    name: str
    compulsory: tuple[str, ...]
    columns: Mapping[str, FormatColumn]
    names_make_display_name: bool = False

    @property
    def expected(self) -> tuple[str, ...]:
        """The headings without which a file is not of this format."""
        return tuple(self.heading_of(name) for name in self.compulsory)

    def heading_of(self, field: str) -> str:
        """Return the heading that this format writes for `field`."""
        return next(column.heading for column in self.columns.values() if column.field == field)


_MARKS = re.compile(r"\s*\[[^\]]*\]\s*$")
_ATTRIBUTE = re.compile(r"\[(\w+)\]\s*[\w()]*\s*$")
_ATTRIBUTES = frozenset(
    {
        *("displayname", "userprincipalname", "passwordprofile", "accountenabled", "givenname"),
        *("surname", "jobtitle", "department", "usagelocation", "streetaddress", "state"),
        *("country", "physicaldeliveryofficename", "city", "postalcode", "telephonenumber"),
        "mobile",
    }
)
"""What Entra ID's template writes in brackets behind a heading, in whatever language that is."""
_APOSTROPHES = str.maketrans("\u2019\u2018\u02bc\u00b4`", "'" * 5)
_SEPARATORS = re.compile(r"[\s_\-\u200b\ufeff]+")


def heading_key(heading: str) -> str:
    """Return what headings are compared by: small, no marks such as [Required], spaces for _ and -, one apostrophe.

    Of Entra ID's "Anzeigename [displayName] Erforderlich" it is "[displayname]".
    """
    attribute = _ATTRIBUTE.search(heading)
    if attribute is not None and attribute[1].lower() in _ATTRIBUTES:
        return f"[{attribute[1].lower()}]"
    plain = _MARKS.sub("", heading).translate(_APOSTROPHES)
    return _SEPARATORS.sub(" ", plain).strip().lower()


def keyed(*columns: FormatColumn) -> dict[str, FormatColumn]:
    """Return the columns by key; the first of a key is the one whose heading is shown."""
    by_key: dict[str, FormatColumn] = {}
    for column in columns:
        by_key.setdefault(heading_key(column.heading), column)
    return by_key


def column(heading: str, field: str, rank: int = 0) -> FormatColumn:
    """Return a column that states a field."""
    return FormatColumn(heading, Use.FIELD, field, rank)


def labelled(*names: str) -> tuple[FormatColumn, ...]:
    """Return the columns that are headed by our own labels of these fields."""
    return tuple(column(FIELD_BY_NAME[name].label, name) for name in names)
