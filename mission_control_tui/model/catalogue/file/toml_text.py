"""From a Catalogue back to the text of a catalogue file: what `catalogue export` writes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mission_control_tui.model.catalogue.codec import to_json
from mission_control_tui.model.catalogue.file.parse import parse
from mission_control_tui.model.catalogue.file.shipped import shipped
from mission_control_tui.model.catalogue.types import Catalogue

if TYPE_CHECKING:
    from tomlkit.items import InlineTable, Table

_HEADER = "`mission-control docs catalogue` explains every key."
_ON_ONE_LINE = frozenset({"choices", "limits", "prices", "tax"})


def as_toml(catalogue: Catalogue) -> str:
    """The file (TOML) that `parse` reads this catalogue from; the shipped one, with its comments, for its own."""
    text = shipped()
    if parse(text) == catalogue:
        return text
    import tomlkit

    document = tomlkit.document()
    document.add(tomlkit.comment(_HEADER))
    document.add(tomlkit.nl())
    for key, item in _filled(tomlkit.table(), _keys(catalogue)).items():
        document.add(key, item)
    return tomlkit.dumps(document)


def _keys(catalogue: Catalogue) -> dict[str, object]:
    """Return the keys of the file, without those that say what goes without saying."""
    import json

    from mission_control_tui.model.catalogue.file.schema import CatalogueFile

    plain = json.loads(to_json(catalogue), object_hook=_given)["catalogue"]
    for service in plain["services"]:
        levels = service["levels"]
        if [level["rank"] for level in levels] == list(range(len(levels))):
            for level in levels:  # the order says it, also once somebody puts a level between
                del level["rank"]
    tax = {"name": plain.pop("tax_name"), "basis_points": plain.pop("tax_basis_points")}
    file = CatalogueFile.model_validate({"format": 1, "tax": tax, **plain})
    return file.model_dump(exclude_defaults=True)


def _given(keys: dict[str, object]) -> dict[str, object]:
    return {key: value for key, value in keys.items() if value is not None}


def _filled(table: Table | InlineTable, keys: dict[str, object]) -> Table | InlineTable:
    """`table` with `keys`: plain values first, because in TOML they cannot follow a table."""
    import tomlkit

    for key, value in sorted(keys.items(), key=lambda entry: _is_table(*entry)):
        if isinstance(value, dict):
            inline = key in _ON_ONE_LINE
            table.add(key, _filled(tomlkit.inline_table() if inline else tomlkit.table(), value))
        elif isinstance(value, list) and value and isinstance(value[0], dict):
            tables = tomlkit.aot()
            for entry in value:
                tables.append(_filled(tomlkit.table(), entry))
            table.add(key, tables)
        else:
            table.add(key, value)
    return table


def _is_table(key: str, value: object) -> bool:
    if isinstance(value, dict):
        return key not in _ON_ONE_LINE
    return isinstance(value, list) and bool(value) and isinstance(value[0], dict)
