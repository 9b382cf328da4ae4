"""Judging the rows of a file against the rules about people, before any database is asked."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date

from mission_control_tui.model.errors import Problem
from mission_control_tui.model.onboarding.files.read import ImportFile, ImportRow
from mission_control_tui.model.people.address_syntax import domain_key, domain_of
from mission_control_tui.model.people.fields import IMPORT_COMPULSORY, UserDetails
from mission_control_tui.model.people.validation import validate_details


@dataclass(frozen=True, slots=True)
class CheckedRow:
    """A row with its cleaned details, and all its problems and warnings at their row and column."""

    row: ImportRow
    details: UserDetails
    problems: tuple[Problem, ...]
    warnings: tuple[Problem, ...]


def check_rows(
    file: ImportFile,
    *,
    domains: Collection[str] | None,
    special: str = "",
    today: date | None = None,
) -> Iterator[CheckedRow]:
    """Yield the rows in order.

    `domains` are the account's, `special` the catalogue's and `today` its day, as for validate_details.
    """
    for row in file.rows:
        validated = validate_details(
            row.details(),
            domains=domains,
            compulsory=IMPORT_COMPULSORY,
            special=special,
            today=today,
        )
        found = [file.located(row, problem) for problem in validated.problems]
        told = [file.located(row, warning) for warning in validated.warnings]
        if row.secret and not row.fields and row.problems:
            found = []  # its cells are not where they belong: that is all there is to say
        problems = (*row.problems, *found)
        refused = {problem.where for problem in problems}
        warnings = [warning for warning in told if warning.where not in refused]
        yield CheckedRow(row, validated.details, problems, (*row.warnings, *warnings))


def foreign_domains(file: ImportFile, domains: Collection[str]) -> dict[str, tuple[int, ...]]:
    """Return the valid domains in the file's UPNs that are none of `domains`, with the numbers of their rows."""
    own = {domain_key(domain) for domain in domains}
    foreign: dict[str, list[int]] = {}
    for row in file.rows:
        upn = str(row.fields.get("upn", ""))
        # What is no address, or has no valid domain, check_rows says at its row.
        if upn.rfind("@") > 0 and (key := domain_of(upn)) not in {"", *own}:
            foreign.setdefault(key, []).append(row.row)
    return {domain: tuple(rows) for domain, rows in foreign.items()}
