"""Reading a pasted list of people: names in the shapes in which they are mailed around, one person or more a line.

    Ada Lovelace          Lovelace, Ada          Ada Lovelace <ada@acme.example>          ada@acme.example
    "Lovelace, Ada" <ada@acme.example>; Charles Babbage <charles@acme.example>           1. Ada Lovelace
    Ada<TAB>Lovelace<TAB>ada@acme.example        a table with a line of headings above it

Pure: nothing is looked up here. Every line that is not blank becomes people or problems; none is lost.
"""

from __future__ import annotations

import csv
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from mission_control_tui.model.errors import InvalidInput, Problem
from mission_control_tui.model.onboarding.files.columns import Use, heading_key
from mission_control_tui.model.onboarding.files.formats import FORMATS
from mission_control_tui.model.people.fields import FIELD_BY_NAME, Value
from mission_control_tui.model.people.names import display_name_for
from mission_control_tui.model.people.values import parse_value
from mission_control_tui.model.text.clean import harmless
from mission_control_tui.model.text.counting import counted
from mission_control_tui.model.text.folding import fold

LINES_LIMIT = 20_000
LINE_LIMIT = 4_000
"""Characters of a line that are read; a longer one is refused."""

_LINE_ENDS = re.compile(r"\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]")
_BLANKS = re.compile(r"[ \xa0\u1680\u2000-\u200a\u202f\u205f\u3000]+")
_INVISIBLE = re.compile(r"[\u200b\u2060\ufeff\xad]")
_BULLET = re.compile(
    r"^(?:[-*+\u2022\u2023\u25aa\u25cf\u25e6\u2013\u2014\xb7>]+|\(?\d{1,6}[.):]?)[ \t]+"
)
_COUNTED = re.compile(r"^\d{1,6}\t")
_ADDRESS = re.compile(r"[^\s@<>,;:\"()]+@[^\s@<>,;:\"()]+")
_ANGLED = re.compile(
    r"^(?P<name>[^<>]*)<\s*(?:mailto:)?(?P<address>[^<>]*)>[;,.\s]*$", re.IGNORECASE
)
_SEVERAL = re.compile(r"(?<=>)\s*[;,]\s*(?=\S)")
_SEPARATORS = re.compile(r"[._\-+]+")
_PARTICLE = re.compile(
    r"af|al|am|auf|av|ben|bin|da|das|de|del|della|den|der|des|di|do|dos|du|el|ibn|la|le|los|ter|ten"
    r"|van|von|zu|zum|zur"
)
_FULL_NAME = "full_name"
_HEADINGS = {
    **{
        key: column.field
        for known in reversed(FORMATS)
        for key, column in known.columns.items()
        if column.use is Use.FIELD and column.words is None
    },
    **dict.fromkeys(
        ("name", "full name", "employee", "employee name", "person", "user"), _FULL_NAME
    ),
    **dict.fromkeys(
        ("first", "given name", "given names", "forename", "first names"), "first_names"
    ),
    **dict.fromkeys(("last", "surname", "family name"), "last_name"),
    **dict.fromkeys(("email", "e mail", "mail", "email address", "address e mail", "upn"), "upn"),
    **dict.fromkeys(("phone", "telephone", "work phone"), "office_phone"),
    **dict.fromkeys(("mobile", "cell"), "mobile_phone"),
    **dict.fromkeys(("position", "role", "job"), "title"),
    **dict.fromkeys(("dept", "team"), "department"),
    **dict.fromkeys(("office", "site", "room"), "location"),
}
_Name = tuple[str, str, str]
"""First names, last name, display name."""
_NAMELESS: _Name = ("", "", "")
_NAMES = frozenset({"first_names", "last_name", "display_name", _FULL_NAME, "upn"})


@dataclass(frozen=True, slots=True)
class PastedPerson:
    """One person of the list. `line` counts from 1 as a text editor does; `text` is the line as it was pasted.

    `address` is the one that was given, or ""; `fields` is what a table states beside the names.
    """

    line: int
    text: str = field(repr=False)
    first_names: str = ""
    last_name: str = ""
    display_name: str = ""
    address: str = ""
    fields: Mapping[str, Value] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class PastedList:
    """What was read: people in order, the number of the line of headings (0 without), how many lines were blank.

    `ignored` are headings of columns that go nowhere.
    """

    people: tuple[PastedPerson, ...]
    heading_line: int = 0
    blank: int = 0
    ignored: tuple[str, ...] = ()
    lines: tuple[str, ...] = field(default=(), repr=False)


def read_list(text: str) -> PastedList:
    """Return the people of a pasted list. Raises InvalidInput only where there are more lines than LINES_LIMIT."""
    lines = _LINE_ENDS.split(text)
    if len(lines) > LINES_LIMIT:
        raise InvalidInput(
            f"The list has {len(lines):,} lines; at most {LINES_LIMIT:,} are read at once.",
            hint="Paste it in parts, or import it as a file: mission-control users import",
        )
    people: list[PastedPerson] = []
    blank = heading_line = 0
    table: _HeadedTable | None = None
    for number, line in enumerate(lines, 1):
        clean = _clean(line)
        if not clean.strip(" \t,;"):
            blank += 1
        elif len(clean) > LINE_LIMIT:
            what = f"the line has more than {LINE_LIMIT:,} characters"
            people.append(_refused(number, line, what, "one person on each line"))
        elif not people and not heading_line and (table := _HeadedTable.of(clean)) is not None:
            heading_line = number
        else:
            people += table.read(number, line, clean) if table else _read(number, line, clean)
    ignored = table.ignored if table else ()
    return PastedList(tuple(_once(people)), heading_line, blank, ignored, tuple(lines))


def _clean(line: str) -> str:
    return _BLANKS.sub(" ", _INVISIBLE.sub("", line)).strip(" ")


def _refused(line: int, text: str, what: str, hint: str = "") -> PastedPerson:
    return PastedPerson(line, text, problems=(Problem(f"line {line}", what, hint),))


def _once(people: Sequence[PastedPerson]) -> Iterator[PastedPerson]:
    """Yield the same people; who stands in the list already is a problem of the later line."""
    seen: dict[tuple[str, str], int] = {}
    for person in people:
        key = (fold(person.display_name), person.address.casefold())
        earlier = seen.setdefault(key, person.line) if any(key) else person.line
        if earlier != person.line and not person.problems:
            what = f"{harmless(person.display_name or person.address)} stands in line {earlier} already"
            hint = "take the line out, or tell the two apart by their addresses"
            person = replace(person, problems=(Problem(f"line {person.line}", what, hint),))
        yield person


def _read(number: int, line: str, clean: str) -> list[PastedPerson]:
    """Return the people of a line without headings above it."""
    bare = _COUNTED.sub("", _BULLET.sub("", clean)).strip(" ")
    parts = [part for part in _SEVERAL.split(bare) if part.strip(" ;,")]
    return [_person(number, line, part.strip(" ")) for part in parts] or [
        _refused(number, line, "there is no name here")
    ]


def _person(number: int, line: str, text: str) -> PastedPerson:
    angled = _ANGLED.match(text)
    if angled is not None:
        return _made(number, line, _names(_unquoted(angled["name"])), angled["address"].strip())
    cells, delimiter = _cells(text)
    addresses = [cell for cell in cells if "@" in cell]
    names = [cell for cell in cells if "@" not in cell]
    if len(addresses) > 1:
        return _refused(number, line, "there is more than one address", "one person on each line")
    address = addresses[0] if addresses else ""
    if len(names) > 2:
        what = f"has {counted(len(cells), 'cell')}, and nothing says what they are"
        hint = "put a line of headings above: First Name, Last Name, Title"
        return _refused(number, line, what, hint)
    if len(names) == 2:
        return _made(number, line, _ordered(names, delimiter, address), address)
    if names and not address and (found := _ADDRESS.search(names[0])):
        address = found.group()
    if names and address and address in names[0]:
        names = [names[0].replace(address, " ").strip(" ()[]-")]
    if not names and address and " " in address:
        found = _ADDRESS.search(address)
        if found is None:
            return _made(number, line, _NAMELESS, address)
        rest = address.replace(found.group(), " ").strip(" ()[]-:")
        return _made(number, line, _names(rest), found.group())
    return _made(number, line, _names(names[0] if names else ""), address)


def _ordered(names: Sequence[str], delimiter: str, address: str) -> _Name:
    """Return which of two cells is the last name: "Lovelace, Ada" as people write it, tables the other way round.

    An address that begins with one of the two decides.
    """
    first, second = names
    starts = [fold(address).startswith(fold(name)) for name in names]
    turned = delimiter == ","
    if starts[0] != starts[1]:
        turned = starts[1]
    if turned:
        first, second = second, first
    return first, second, display_name_for(first, second)


def _cells(text: str) -> tuple[list[str], str]:
    """Return the cells of a line that are not empty, and what separates them."""
    delimiter = next((mark for mark in "\t;," if mark in text), "")
    if not delimiter:
        return [_unquoted(text)], ""
    return [cell for cell in _split(text, delimiter) if cell], delimiter


def _split(text: str, delimiter: str) -> list[str]:
    try:
        rows = list(csv.reader([text], delimiter=delimiter, skipinitialspace=True))
    except csv.Error:
        rows = [text.split(delimiter)]
    return [cell.strip() for row in rows for cell in row]


def _unquoted(text: str) -> str:
    text = text.strip()
    if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'":
        return text[1:-1].strip()
    return text


def _names(text: str) -> _Name:
    """First names, last name and display name of a name in either order."""
    text = " ".join(text.strip(" ,;").split())
    if "," in text:
        last, _, first = (part.strip() for part in text.partition(","))
        return first, last, display_name_for(first, last)
    words = text.split(" ")
    if len(words) < 2:
        return text, "", text
    start = len(words) - 1
    while start > 1 and _PARTICLE.fullmatch(words[start - 1].casefold()):
        start -= 1
    return " ".join(words[:start]), " ".join(words[start:]), text


def _of_address(address: str) -> _Name:
    """Return the name that an address is made of: ada.lovelace@ is Ada Lovelace."""
    words = [word for word in _SEPARATORS.split(address.partition("@")[0]) if word]
    words = [word[:1].upper() + word[1:] for word in words if not word.isdigit()]
    return _names(" ".join(words)) if len(words) > 1 else ("", "", " ".join(words))


def _made(
    number: int,
    line: str,
    name: _Name,
    address: str,
    fields: Mapping[str, Value] | None = None,
    problems: Sequence[Problem] = (),
) -> PastedPerson:
    found = list(problems)
    address = address.strip().removeprefix("mailto:").strip("'\"")
    if address and not _ADDRESS.fullmatch(address):
        what = f'"{harmless(address[:60])}" is not an address'
        found.append(Problem(f"line {number}", what, "write it as name@domain"))
        address = ""
    elif address and not name[2]:
        name = _of_address(address)
    display, what, hint = name[2], "", "write a name, or an address"
    if not display and not found:
        what = "there is no name here"
    elif "\ufffd" in display:
        what, hint = "a character of the name cannot be shown", "type the name anew"
    elif display and not any(unicodedata.category(char)[0] == "L" for char in display):
        what = f'"{harmless(display[:60])}" is not a name'
    if what:
        found.append(Problem(f"line {number}", what, hint))
    return PastedPerson(number, line, *name, address, fields or {}, tuple(found))


@dataclass(frozen=True, slots=True)
class _HeadedTable:
    """A table with headings: what separates its cells, and the field of each column ("" where it has none)."""

    delimiter: str
    columns: tuple[str, ...]
    headings: tuple[str, ...]

    @classmethod
    def of(cls, line: str) -> _HeadedTable | None:
        """Return the table that this line is the headings of; None where it is a person."""
        delimiter = max("\t;,", key=line.count)
        headings = _split(line, delimiter) if delimiter in line else [line]
        columns = [_HEADINGS.get(heading_key(heading), "") for heading in headings]
        known = [name for name in columns if name]
        alone = len(headings) == 1
        if "@" in line or not _NAMES.intersection(known):
            return None
        if alone or (len(known) > 1 and len(set(known)) == len(known)):
            return cls(delimiter, tuple(columns), tuple(headings))
        return None

    @property
    def ignored(self) -> tuple[str, ...]:
        """The headings of columns that go nowhere."""
        pairs = zip(self.columns, self.headings, strict=True)
        return tuple(harmless(heading) for name, heading in pairs if heading and not name)

    def read(self, number: int, line: str, clean: str) -> list[PastedPerson]:
        """Return the person of a row; a column with names alone is read as lines without headings are."""
        if len(self.columns) == 1:
            return _read(number, line, clean)
        cells = _split(clean, self.delimiter)
        problems: list[Problem] = []
        if any(cells[len(self.columns) :]):
            hint = "a delimiter inside a cell needs quotes around the cell"
            problems.append(Problem(f"line {number}", "has cells beyond the last heading", hint))
        stated: dict[str, str] = {}
        fields: dict[str, Value] = {}
        for column, cell in zip(self.columns, cells, strict=False):
            if not column or not cell:
                continue
            if column in _NAMES:
                stated[column] = cell
                continue
            try:
                fields[column] = parse_value(FIELD_BY_NAME[column], cell)
            except InvalidInput as error:
                where = f"line {number}, {FIELD_BY_NAME[column].label}"
                problems += [replace(problem, where=where) for problem in error.problems]
        first, last = stated.get("first_names", ""), stated.get("last_name", "")
        name = (first, last, stated.get("display_name", "") or display_name_for(first, last))
        if _FULL_NAME in stated and not name[2]:
            name = _names(stated[_FULL_NAME])
        return [_made(number, line, name, stated.get("upn", ""), fields, problems)]
