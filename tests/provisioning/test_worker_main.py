"""The command line of a detached worker: what is not the launcher's call is refused, and nothing of it is repeated."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from mission_control_tui.model.errors import StoreError, UsageError
from mission_control_tui.provisioning import worker_main

SECRET = "s3cr3t"
URL = f"postgresql://worker:{SECRET}@127.0.0.1:1/mc"
PLACE = ["--database", "store.db"]

WRONG = {
    "none": [],
    "no value": ["--database"],
    "an empty value": ["--database", ""],
    "no file's name": ["--database", "/"],
    "no database": ["--lock", "3"],
    "no option": [URL],
    "misspelt": ["--databse", URL],
    "an option that is an address": [f"--{URL}"],
    "abbreviated": ["--data", URL],
    "repeated": ["--database", URL, "--database", URL],
    "repeated lock": [*PLACE, "--lock", "3", "--lock", "4"],
    "a lock without a value": [*PLACE, "--lock"],
    "a lock that is no number": [*PLACE, "--lock", URL],
    "a lock below zero": [*PLACE, "--lock", "-1"],
    "one too many": [*PLACE, URL],
}


@pytest.mark.parametrize("arguments", WRONG.values(), ids=WRONG.keys())
def test_a_call_that_is_not_the_launchers_is_refused(arguments: Sequence[str]) -> None:
    with pytest.raises(UsageError, match="A worker is called with --database DATABASE") as refused:
        worker_main._called_with(arguments)
    assert SECRET not in str(refused.value)


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--database", URL, "--lock", URL], UsageError.exit_code, "A worker is called with"),
        (["--database", URL], StoreError.exit_code, "postgresql://worker:***@127.0.0.1:1/mc"),
        (["--database", "nowhere/store.db"], StoreError.exit_code, "There is no database at"),
    ],
)
def test_a_worker_that_cannot_begin_says_why_without_a_secret(
    arguments: Sequence[str], code: int, said: str, tmp_path: Path
) -> None:
    done = subprocess.run(
        [sys.executable, "-m", worker_main.__name__, *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        timeout=60,
    )
    assert (done.returncode, done.stdout) == (code, "")
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert SECRET not in done.stderr
    assert list(tmp_path.iterdir()) == []
