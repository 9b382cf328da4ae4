"""The file of refused rows: beside the original, never over another, private where it holds passwords."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from mission_control_tui.cli.common.output import say
from mission_control_tui.model.errors import Conflict

if TYPE_CHECKING:
    from mission_control_tui.model.onboarding.file_import import RejectedRow
    from mission_control_tui.model.onboarding.files.read import ImportFile


def refuse_existing_rejects(path: Path) -> None:
    """Raise Conflict when the named file is there already, before anything is imported."""
    if os.path.lexists(path):
        raise Conflict(
            f"{path} exists already and is not overwritten. Nothing was imported.",
            hint="Name another file with --rejects-out.",
        )


def write_refused(
    source: Path, file: ImportFile, refused: Sequence[RejectedRow], chosen: Path | None
) -> Path | None:
    """Write the rows with their reasons; returns where, or None after saying why that was not possible."""
    from mission_control_tui.model.onboarding.files.write import bad_rows_csv
    from mission_control_tui.model.store.private_files import make

    rows = bad_rows_csv(file, [(rejected.row, rejected.problems) for rejected in refused])
    for path in [chosen] if chosen is not None else _names(source):
        try:
            make(path, rows.encoded(), 0o600 if rows.secret else 0o666)
        except FileExistsError:
            continue
        except OSError as error:
            say(f"The refused rows could not be written to {path}: {error.strerror}.")
            return None
        return path
    say(f"The refused rows could not be written to {chosen}: it exists already.")
    return None


def _names(source: Path) -> Iterator[Path]:
    """Yield users-refused.csv, then users-refused-2.csv and so on; the rows of a corrected file keep its name."""
    named = Path("users.csv") if str(source) == "-" else source
    stem = named.stem.removesuffix("-refused")
    yield named.with_name(f"{stem}-refused.csv")
    for number in count(2):
        yield named.with_name(f"{stem}-refused-{number}.csv")
