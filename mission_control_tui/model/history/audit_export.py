"""The audit in words: lines for people and tickets, CSV, and a script that does a session again."""

from __future__ import annotations

import csv
import io
import json
import shlex
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from datetime import datetime, tzinfo

from mission_control_tui.model.text.clean import harmless
from mission_control_tui.model.text.differences import differences
from mission_control_tui.model.text.spreadsheet_cells import protect
from mission_control_tui.model.views import AuditView

COLUMNS = tuple(field.name for field in fields(AuditView))
"""Of the CSV, in this order."""


def heading(entry: AuditView, zone: tzinfo | None = None, *, of_all: bool = False) -> str:
    """Return who did what to whom and when, on one line; `of_all` accounts with the account."""
    at = (
        f"{entry.at:%Y-%m-%d %H:%MZ}"
        if zone is None
        else f"{entry.at.astimezone(zone):%Y-%m-%d %H:%M}"
    )
    ticket = f"  [{entry.ticket}]" if entry.ticket else ""
    account = f"{entry.account}  " if of_all else ""
    return harmless(f"{at}  {account}{entry.operator}  {entry.action}  {entry.target}{ticket}")


def as_text(
    entries: Iterable[AuditView], zone: tzinfo | None = None, *, of_all: bool = False
) -> str:
    """Return plain lines for a ticket, oldest first where `entries` are, each change with what differs."""
    lines = []
    for entry in entries:
        lines.append(heading(entry, zone, of_all=of_all))
        lines += [f"    {text}" for text in differences(entry.before, entry.after)]
        if entry.request_id is not None:
            lines.append(f"    request: {entry.request_id}")
    return "".join(f"{line}\n" for line in lines)


def as_csv(entries: Iterable[AuditView]) -> str:
    """Return CSV with COLUMNS; no cell of it is a formula to a spreadsheet."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for entry in entries:
        writer.writerow([protect(harmless(_cell(getattr(entry, name)))) for name in COLUMNS])
    return text.getvalue()


def _cell(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, Mapping):
        return json.dumps(value)
    if isinstance(value, tuple):
        return "; ".join(shlex.join(words) for words in value)
    return "" if value is None else str(value)


def as_json(entries: Iterable[AuditView]) -> str:
    """`{"entries": [...]}` as `mission-control audit --json` prints it."""
    import msgspec

    return msgspec.json.format(
        msgspec.json.encode({"entries": [msgspec.to_builtins(entry) for entry in entries]}),
        indent=2,
    ).decode()


SCHEDULED = "schedule"
"""The source of what the worker did because it was scheduled."""


def as_script(entries: Iterable[AuditView]) -> str:
    """Shell commands that do these changes (oldest first) again, each in the account that it was done in.

    Generated passwords are new ones. What no command does by itself is there as a comment.
    """
    lines = ["#!/bin/sh", "set -eu"]
    files: Counter[str] = Counter()
    for entry in entries:
        ticket = ("--ticket", entry.ticket) if entry.ticket else ()
        if entry.source == SCHEDULED:
            # The `schedule add` of it is a command of its own.
            lines.append(_comment(entry))
            continue
        if not entry.commands and entry.request_id is None:
            lines.append(_comment(entry))
        for words in entry.commands:
            own = _own_files(words, files)
            told = ("mission-control", "--account", entry.account, *own, *ticket)
            lines.append(shlex.join(_word(word) for word in told))
    return "".join(f"{line}\n" for line in lines)


def _own_files(words: Sequence[str], files: Counter[str]) -> list[str]:
    """Return the words with a file for passwords that no command before has written: none is ever overwritten."""
    told = list(words)
    for index, word in enumerate(words[:-1]):
        if word == "--passwords-out":
            name = words[index + 1]
            files[name] += 1
            if files[name] > 1:
                told[index + 1] = f"{name.removesuffix('.csv')}-{files[name]}.csv"
    return told


def _word(word: str) -> str:
    return "\n".join(harmless(part) for part in word.split("\n"))


def _comment(entry: AuditView) -> str:
    what = f"{entry.action}: {entry.target} ({entry.account})"
    return f"# {harmless(what)}".replace("\n", " ")
