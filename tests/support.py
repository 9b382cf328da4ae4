"""What tests of every kind share: programs that may be missing, free ports, an environment of their own."""

from __future__ import annotations

import os
import random
import shutil
import socket
from collections.abc import MutableMapping
from pathlib import Path
from typing import NoReturn

import pytest

LOOPBACK = "127.0.0.1"

_CLEARED = {
    *("NO_COLOR", "FORCE_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "COLORTERM", "LINES", "COLUMNS"),
    *("LANGUAGE", "SSH_CONNECTION", "SSH_TTY", "TERM_PROGRAM", "SUDO_USER", "PYTHONPATH"),
}
_CLEARED_PREFIXES = ("MISSION_CONTROL_", "XDG_", "PG", "TEXTUAL", "LC_")
_KEPT_PREFIX = "TEXTUAL_SNAPSHOT_"
"""What pytest-textual-snapshot sets for itself."""


def real_is_required() -> bool:
    """True where a missing program is a failure and not a skip (MC_REQUIRE_REAL=1, as in CI)."""
    return os.environ.get("MC_REQUIRE_REAL", "") == "1"


def missing(what: str, install_line: str) -> NoReturn:
    """Skip the calling test, or fail it where real programs are required, naming what installs `what`."""
    message = f"{what} is missing; install it with: {install_line}"
    if real_is_required():
        pytest.fail(f"{message} (MC_REQUIRE_REAL=1 forbids skipping)", pytrace=False)
    pytest.skip(message)


def require(binary: str, install_line: str) -> Path:
    """The path of the program `binary`; without it the test is skipped, or fails where MC_REQUIRE_REAL=1."""
    # Not everybody's PATH names where daemons are.
    found = shutil.which(binary, path=os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin")))
    if found is None:
        missing(binary, install_line)
    return Path(found)


def free_port() -> int:
    """A loopback TCP port below the ephemeral range, so that no outgoing connection takes it during a restart."""
    for _ in range(200):
        port = random.randint(20_000, 32_000)
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            try:
                probe.bind((LOOPBACK, port))
            except OSError:
                continue
            return port
    raise RuntimeError("no free loopback port between 20000 and 32000")


def hermetic(environment: MutableMapping[str, str], home: Path) -> None:
    """Change `environment` so that nothing of this machine's user shows.

    Settings, colours, database defaults and XDG locations are cleared, HOME and the XDG directories lie below
    `home`, the locale is C.UTF-8 and the time zone a fixed ten hours east of UTC, which shows local time
    wherever it slips in.
    """
    for name in list(environment):
        cleared = name in _CLEARED or name.startswith(_CLEARED_PREFIXES)
        if cleared and not name.startswith(_KEPT_PREFIX):
            del environment[name]
    own = {
        "HOME": home,
        "XDG_CONFIG_HOME": home / ".config",
        "XDG_DATA_HOME": home / ".local" / "share",
        "XDG_STATE_HOME": home / ".local" / "state",
        "XDG_CACHE_HOME": home / ".cache",
        "XDG_RUNTIME_DIR": home / ".run",
    }
    for name, path in own.items():
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
        environment[name] = str(path)
    environment.update(LANG="C.UTF-8", TZ="AEST-10", TERM="xterm-256color")


def share(examples: int) -> int:
    """Of so many examples the share that is tried: a fifth, at least one; with ./run-tests --all or MC_PROOF all."""
    return examples if is_everything_tried() else max(1, examples // 5)


def is_everything_tried() -> bool:
    """Whether proofs run too: ./run-tests --all or MC_PROOF."""
    return os.environ.get("MC_ALL", "") == "1" or proof_factor() > 1


def proof_factor() -> int:
    """How many times longer than in CI the long proofs run: MC_PROOF, 1 unless it is set."""
    return max(1, int(os.environ.get("MC_PROOF", "1")))
