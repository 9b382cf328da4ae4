"""A service's name, and which of several of that service it is."""

from __future__ import annotations


def with_instance(name: str, instance: str) -> str:
    """Return a service's name, with its instance in brackets where it has one: "databases (crm)"."""
    return f"{name} ({instance})" if instance else name
