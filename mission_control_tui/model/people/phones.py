"""Telephone numbers: what search compares, and a warning (never a refusal) for those that cannot be right."""

from __future__ import annotations


def digits_of(phone: str) -> str:
    """Only the digits of `phone`, in ASCII: what search compares."""
    return "".join(str(int(char)) for char in phone if char.isdecimal())
