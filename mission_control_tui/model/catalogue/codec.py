"""A catalogue as JSON text: what the store keeps for each version. Needs no pydantic."""

from __future__ import annotations

from dataclasses import asdict

from mission_control_tui.model.catalogue.older import with_present_types
from mission_control_tui.model.catalogue.types import Catalogue
from mission_control_tui.model.errors import StoreError

FORMAT = 1
"""Raised when an older program could misread the JSON."""


def to_json(catalogue: Catalogue) -> str:
    """Complete, and the same text for equal catalogues."""
    import json

    return json.dumps(
        {"format": FORMAT, "catalogue": asdict(catalogue)},
        ensure_ascii=False,
        separators=(",", ":"),
    )


def from_json(text: str) -> Catalogue:
    """Return the catalogue that `to_json` wrote; StoreError for anything else."""
    import msgspec

    try:
        stored = msgspec.json.decode(text, type=dict[str, msgspec.Raw])
        if msgspec.json.decode(stored["format"], type=int) > FORMAT:
            raise StoreError(
                "The stored catalogue was written by a newer Mission Control.",
                hint="Start the newer version, or load a catalogue file with this one.",
            )
        return with_present_types(msgspec.json.decode(stored["catalogue"], type=Catalogue))
    except (msgspec.MsgspecError, KeyError) as error:
        raise StoreError(
            f"The stored catalogue cannot be read: {error}",
            hint="Load it again: mission-control catalogue load FILE.",
        ) from error
