"""From the text of a catalogue file to a Catalogue, or to every error at once with its line.

Three looks at the file, whose findings come out in the order of the lines: the syntax (tomllib), the
keys and types (schema.py), and what must hold between tables (references.py).
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from operator import itemgetter
from pathlib import Path as FilePath
from typing import TYPE_CHECKING, Literal, get_args, get_origin

from mission_control_tui.model.catalogue.file.document import FileProblem, Node, place
from mission_control_tui.model.catalogue.file.line_numbers import Path, positions
from mission_control_tui.model.catalogue.file.references import check_references
from mission_control_tui.model.catalogue.lookup import did_you_mean
from mission_control_tui.model.catalogue.older import with_present_types
from mission_control_tui.model.catalogue.types import Catalogue, Service
from mission_control_tui.model.errors import InvalidInput, NotFound, Problem
from mission_control_tui.model.input_files import CATALOGUE_LIMIT, read_file
from mission_control_tui.model.text.clean import harmless
from mission_control_tui.model.text.counting import counted

if TYPE_CHECKING:
    from pydantic import BaseModel
    from pydantic_core import ErrorDetails

_SYNTAX_PLACE = re.compile(r"(.*) \(at (?:line (\d+), column (\d+)|end of document)\)", re.DOTALL)


def parse(
    text: str,
    source_name: str = "catalogue",
    *,
    connectors: Collection[str] | None = None,
    stated: Collection[str] = (),
) -> Catalogue:
    """Return the catalogue that `text` (TOML) describes.

    `connectors` are the names of connectors that services may use; None leaves that unchecked, as it is for services in
    `stated`, which the settings have served by others.
    Raises InvalidInput with one Problem for each error, in the order of the lines; `where` is
    "line 12, service managed-exchange > level popx > limits".
    """
    text = text.removeprefix("\ufeff")
    try:
        document = tomllib.loads(text)
        lines = positions(text)
    except tomllib.TOMLDecodeError as error:
        raise _invalid(source_name, [_syntax_problem(text, error)]) from error
    except RecursionError as error:
        problem = Problem("", "the values are nested too deeply", "a catalogue needs six levels")
        raise _invalid(source_name, [problem]) from error
    findings = [
        *_schema_findings(document),
        *check_references(Node((), document), connectors, stated),
    ]
    if findings:
        raise _invalid(source_name, _problems(document, lines, findings))
    return _build(document)


def parse_file(
    path: FilePath,
    *,
    connectors: Collection[str] | None = None,
    stated: Collection[str] = (),
) -> Catalogue:
    """As `parse`, of a file in UTF-8; NotFound where it cannot be read."""
    return parse(text_in(path), str(path), connectors=connectors, stated=stated)


def text_in(path: FilePath) -> str:
    """Return the text of a catalogue file. Raises NotFound where it cannot be read, InvalidInput (no UTF-8)."""
    try:
        content = read_file(path, CATALOGUE_LIMIT)
    except OSError as error:
        raise NotFound(
            f"The catalogue file {path} cannot be read: {error.strerror}.",
            hint="Give the path of a catalogue file; `mission-control docs catalogue` describes it.",
        ) from error
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        what = f"the byte 0x{content[error.start]:02x} is not UTF-8"
        problem = Problem(f"line {line}", what, "save the file as UTF-8")
        raise _invalid(str(path), [problem]) from error


def _invalid(source_name: str, problems: list[Problem]) -> InvalidInput:
    count = counted(len(problems), "error")
    return InvalidInput(
        f"{harmless(source_name)} is not a valid catalogue: {count}.",
        hint="Nothing was changed. `mission-control docs catalogue` describes every key.",
        problems=problems,
    )


def _syntax_problem(text: str, error: tomllib.TOMLDecodeError) -> Problem:
    found = _SYNTAX_PLACE.fullmatch(str(error))
    what = harmless(found[1] if found else str(error))
    if found and found[2]:
        where = f"line {found[2]}, column {found[3]}"
    else:
        where = f"line {len(text.splitlines()) or 1}, the end of the file"
    return Problem(where, f"not valid TOML: {what}", "mend this first; the rest is checked after")


def _problems(
    document: Mapping[str, object], lines: Mapping[Path, int], findings: list[FileProblem]
) -> list[Problem]:
    return [
        Problem(
            where=f"line {line}, {place(document, found.path)}" if found.path else f"line {line}",
            what=found.what + (f" on line {_line(lines, found.see)}" if found.see else ""),
            hint=found.hint,
        )
        for line, found in sorted(
            ((_line(lines, found.path), found) for found in findings), key=itemgetter(0)
        )
    ]


def _line(lines: Mapping[Path, int], path: Path) -> int:
    """Return the line of `path`, or of the table where it should be."""
    while path not in lines:
        path = path[:-1]
    return lines[path]


def _schema_findings(document: Mapping[str, object]) -> Iterator[FileProblem]:
    from pydantic import ValidationError

    from mission_control_tui.model.catalogue.file.schema import CatalogueFile

    try:
        CatalogueFile.model_validate(document)
    except ValidationError as error:
        for detail in error.errors(include_url=False):
            yield _finding(CatalogueFile, detail)


def _finding(root: type[BaseModel], detail: ErrorDetails) -> FileProblem:
    """Return one of pydantic's errors in our words."""
    from mission_control_tui.model.catalogue.file.schema import kind_of

    path: Path = tuple(part for part in detail["loc"] if part != "[key]")
    context = detail.get("ctx", {})
    found = detail["input"]
    match detail["type"]:
        case "missing":
            expected = _expected(root, path)
            hint = f"expected {expected}" if expected else ""
            return FileProblem(path, "this key is missing", hint)
        case "extra_forbidden":
            known = list(_keys(root, path[:-1]))
            guess = did_you_mean(str(path[-1]), known) or f"The keys here are: {', '.join(known)}."
            return FileProblem(path, "there is no such key", guess)
        case "literal_error":
            return FileProblem(path, f"expected {context['expected']}, found {found!r}")
        case "catalogue":
            return FileProblem(path, harmless(str(context["text"])))
        case "greater_than_equal":
            return FileProblem(path, f"expected at least {context['ge']}, found {found}")
        case "less_than_equal":
            return FileProblem(path, f"expected at most {context['le']}, found {found}")
        case "string_too_short" | "too_short":
            what = "a text that is not empty" if isinstance(found, str) else "at least one entry"
            return FileProblem(path, f"expected {what}, found none")
        case "string_too_long":
            return FileProblem(path, f"expected at most {context['max_length']} characters")
        case _:
            expected = _expected(root, path) or "something else"
            hint = ""
            if isinstance(found, float) and "prices" in path:
                hint = "prices are whole minor units: 12.50 is written 1250"
            return FileProblem(path, f"expected {expected}, found {kind_of(found)}", hint)


def _annotation(root: type[BaseModel], path: Path) -> object:
    """Return the type that the schema has at `path`; None where it has none."""
    here: object = root
    for key in path:
        fields = getattr(here, "model_fields", None)
        if fields is not None:
            here = fields[key].annotation if key in fields else None
        else:
            arguments = get_args(here)
            here = arguments[-1] if arguments else None
        here = _bare(here)
    return here


def _bare(annotation: object) -> object:
    """Without Annotated and without `| None`."""
    if hasattr(annotation, "__metadata__"):
        return _bare(get_args(annotation)[0])
    arguments = get_args(annotation)
    if type(None) in arguments:
        return _bare(arguments[0])
    return annotation


def _keys(root: type[BaseModel], path: Path) -> Collection[str]:
    fields: Mapping[str, object] = getattr(_annotation(root, path), "model_fields", {})
    return fields.keys()


def _expected(root: type[BaseModel], path: Path) -> str:
    from mission_control_tui.model.catalogue.file.schema import kind_of

    wanted = _annotation(root, path)
    if hasattr(wanted, "model_fields"):
        return "a table"
    if get_origin(wanted) is Literal:
        return str(get_args(wanted)[0])
    origin = get_origin(wanted) or wanted
    if origin is list and hasattr(_bare(get_args(wanted)[0]), "model_fields"):
        return f"tables, each below its own [[{'.'.join(key for key in path if isinstance(key, str))}]]"
    return kind_of(origin()) if origin in (bool, int, str, list, dict) else ""


def _build(document: dict[str, object]) -> Catalogue:
    """Return the checked document as a Catalogue. The schema's keys are the fields of the dataclasses."""
    import msgspec

    root = Node((), document)
    tax = root.inside("tax").table
    plain = {key: value for key, value in document.items() if key not in ("format", "tax")}
    catalogue = msgspec.convert(
        plain | {"tax_name": tax["name"], "tax_basis_points": tax["basis_points"]},
        Catalogue,
        str_keys=True,
    )
    services = tuple(_ranked(service) for service in catalogue.services)
    return with_present_types(replace(catalogue, services=services))


def _ranked(service: Service) -> Service:
    """With levels ranked by their order, where the file gives none of them a rank."""
    if any(level.rank for level in service.levels):
        return service
    levels = (replace(level, rank=index) for index, level in enumerate(service.levels))
    return replace(service, levels=tuple(levels))
