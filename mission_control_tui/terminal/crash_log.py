"""A log in place of a traceback, for a defect of the program."""

from __future__ import annotations

import os
import traceback
from pathlib import Path


def crash_report(error: BaseException) -> str:
    """Types of the errors and the lines of code they went through: no values, no messages, which may hold data."""
    lines: list[str] = []
    seen: set[int] = set()
    node: BaseException | None = error
    while node is not None and id(node) not in seen:
        seen.add(id(node))
        lines.append(f"{type(node).__module__}.{type(node).__qualname__}")
        for frame in traceback.extract_tb(node.__traceback__):
            lines.append(f"  {frame.filename}:{frame.lineno} in {frame.name}")
            if frame.line:
                lines.append(f"    {frame.line}")
        node = node.__cause__ or (None if node.__suppress_context__ else node.__context__)
        if node is not None:
            lines.append("caused by")
    return "\n".join(lines) + "\n"


def write_crash_log(error: BaseException, directory: Path) -> Path | None:
    """Write the report where only its owner reads it; None when even that is impossible."""
    path = directory / "crash.log"
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            os.fchmod(file.fileno(), 0o600)
            file.write(crash_report(error))
    except OSError:
        return None
    return path
