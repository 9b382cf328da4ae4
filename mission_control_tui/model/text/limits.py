"""How long texts and numbers from outside may be, whatever they are for: what the columns of both databases hold."""

from __future__ import annotations

TICKET = 128
"""Characters of a ticket's reference."""

INSTANCE = 64
"""Characters of the name of one of several instances of a service."""

CONNECTOR = 64
"""Characters of the name of a connector."""

LINE = 1024
"""Characters of a text that has no limit of its own."""

WHOLE = 4096
"""Characters of a path, a URL, a setting."""

DIGITS = 9
"""Digits that are typed for a number which fits."""

NUMBER = 2**31 - 1
"""The largest number that PostgreSQL's INTEGER holds; the smallest is as far below zero."""
