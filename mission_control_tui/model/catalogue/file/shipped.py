"""The catalogue files that come with the program."""

from __future__ import annotations

from importlib.resources import files

SHIPPED_NAME = "the shipped catalogue"
DEFAULT, REAL = "default", "real"
"""The catalogue of the simulator, which a new database has; and that of the shipped connectors to real servers."""
SHIPPED = (DEFAULT, REAL)


def shipped(name: str = DEFAULT) -> str:
    """Return the text of one of the `SHIPPED` files (TOML), comments and all."""
    return files(__package__).joinpath(f"{name}.toml").read_text(encoding="utf-8")
