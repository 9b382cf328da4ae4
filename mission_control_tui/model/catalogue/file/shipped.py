"""The catalogue file that comes with the program."""

from __future__ import annotations

from importlib.resources import files

SHIPPED_NAME = "the shipped catalogue"


def shipped() -> str:
    """Return the text of the shipped file (TOML), comments and all."""
    return files(__package__).joinpath("default.toml").read_text(encoding="utf-8")
