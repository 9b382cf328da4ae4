"""The commands that were typed in the console, in a file that only its owner reads."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

KEPT = 500


@dataclass(frozen=True, slots=True)
class History:
    """Lines in a file, the newest last. A file that cannot be read or written is no history, and no error."""

    path: Path

    def read(self) -> list[str]:
        """Return at most KEPT lines."""
        try:
            return self.path.read_text("utf-8", errors="replace").splitlines()[-KEPT:]
        except OSError:
            return []

    def add(self, line: str) -> None:
        """Keep one more, unless it is the last one again."""
        lines = self.read()
        if lines[-1:] == [line]:
            return
        kept = [*lines, " ".join(line.splitlines())][-KEPT:]
        try:
            self.path.parent.mkdir(parents=True, mode=0o700, exist_ok=True)
            fresh = self.path.with_name(f"{self.path.name}.{os.getpid()}")
            fresh.touch(mode=0o600)
            fresh.write_text("".join(f"{command}\n" for command in kept), "utf-8")
            fresh.replace(self.path)
        except OSError:
            return
