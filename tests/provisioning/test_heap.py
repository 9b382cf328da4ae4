"""What a worker's process gives back after a bulk, and that it works where its C library can be told nothing."""

from __future__ import annotations

import ctypes
import subprocess
import sys

import pytest

from mission_control_tui.provisioning.heap import keep_small

BULK = """
import sys, threading
from mission_control_tui.provisioning.heap import keep_small

if sys.argv[1] == "kept small":
    keep_small()

def own():
    with open("/proc/self/smaps_rollup", encoding="ascii") as told:
        return sum(int(line.split()[1]) for line in told if line.startswith("Private_"))

def connector():
    for part in range(10):
        answers = []
        for size in range(1, 9):
            answers.append(b"x" * (size * 65536 - 100))
            stays.append(b"x" * 600)
        all_have_theirs.wait()

all_have_theirs, stays, before = threading.Barrier(8), [], own()
threads = [threading.Thread(target=connector) for number in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(own() - before)
"""
"""Eight threads have large answers, of which little stays; said is how much more the process owns then."""


def owned(how: str) -> int:
    done = subprocess.run(
        [sys.executable, "-c", BULK, how], capture_output=True, text=True, check=True, timeout=60
    )
    return int(done.stdout)


def is_glibc() -> bool:
    return hasattr(ctypes.CDLL(None), "mallopt")


@pytest.mark.skipif(not is_glibc(), reason="this C library has no mallopt")
def test_a_worker_gives_back_what_a_bulk_needed() -> None:
    assert owned("kept small") < owned("as it is") / 2


@pytest.mark.parametrize("missing", ["ctypes", "the library", "mallopt"])
def test_nothing_happens_where_the_library_cannot_be_told(
    missing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def library(_name: None) -> object:
        if missing == "the library":
            raise OSError("Dynamic loading not supported")
        return object()

    if missing == "ctypes":
        monkeypatch.setitem(sys.modules, "ctypes", None)
    monkeypatch.setattr(ctypes, "CDLL", library)
    keep_small()
